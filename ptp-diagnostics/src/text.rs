//! Words for people: times, durations, and names that are safe to paste.

use std::borrow::Cow;
use std::time::Duration;

use ptp_events::Received;

/// A text that is ours, or was read.
pub type Text = Cow<'static, str>;

/// A duration in the unit that suits it: `160 ms`, `3 s`, `1.21 s`, `63 s`, `5 min`, `2.5 h`, `3.1 d`.
#[must_use]
pub fn lasting(duration: Duration) -> String {
    let s = duration.as_secs_f64();
    let (value, unit) = match duration.as_millis() {
        ms @ 0..1000 => return format!("{ms} ms"),
        ms @ 1000..10_000 if ms % 1000 != 0 => return format!("{s:.2} s"),
        1000..120_000 => return format!("{s:.0} s"),
        120_000..7_200_000 => (s / 60.0, "min"),
        7_200_000..172_800_000 => (s / 3600.0, "h"),
        _ => (s / 86_400.0, "d"),
    };
    let rounded = format!("{value:.1}");
    format!("{} {unit}", rounded.strip_suffix(".0").unwrap_or(&rounded))
}

/// The time of day in UTC, to the millisecond.
#[must_use]
pub fn time_of_day(at: Received) -> String {
    jiff::Timestamp::from(at).strftime("%H:%M:%S%.3f").to_string()
}

/// The date and time in UTC, to the millisecond.
#[must_use]
pub fn moment(at: Received) -> String {
    jiff::Timestamp::from(at).strftime("%Y-%m-%d %H:%M:%S%.3f UTC").to_string()
}

/// A word that a shell takes as one word, whatever is in it.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let say = |ms| lasting(Duration::from_millis(ms));
        assert_eq!(say(156), "156 ms");
        assert_eq!(say(1210), "1.21 s");
        assert_eq!(say(3000), "3 s");
        assert_eq!(say(63_200), "63 s");
        assert_eq!(say(300_000), "5 min");
        assert_eq!(say(321_000), "5.3 min");
        assert_eq!(say(7_200_000), "2 h");
    }

    #[test]
    fn a_hostile_name_stays_one_word() {
        assert_eq!(shell_word("worker-1.example.com"), "worker-1.example.com");
        assert_eq!(shell_word("x; rm -rf /"), "'x; rm -rf /'");
        assert_eq!(shell_word("a'b"), r"'a'\''b'");
        assert_eq!(shell_word("-o"), "'-o'");
    }
}
