//! Words for people: times, durations, and names that are safe to paste.

use std::time::Duration;

use ptp_events::Received;

/// A duration in the largest unit that keeps it exact enough: `0.16 s`, `63 s`, `5 min`, `2 h`.
pub(crate) fn seconds(duration: Duration) -> String {
    let s = duration.as_secs_f64();
    match duration.as_secs() {
        _ if s < 10.0 && duration.subsec_millis() != 0 => format!("{s:.2} s"),
        0..120 => format!("{s:.0} s"),
        total @ 120..7200 if total % 60 == 0 => format!("{} min", total / 60),
        120..7200 => format!("{:.1} min", s / 60.0),
        total if total % 3600 == 0 => format!("{} h", total / 3600),
        _ => format!("{:.1} h", s / 3600.0),
    }
}

/// The time of day in UTC, to the millisecond.
pub(crate) fn clock_time(at: Received) -> String {
    jiff::Timestamp::from(at)
        .strftime("%H:%M:%S%.3f")
        .to_string()
}

/// A word that a shell takes as one word, whatever is in it.
pub(crate) fn shell_word(text: &str) -> String {
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
        let say = |ms| seconds(Duration::from_millis(ms));
        assert_eq!(say(156), "0.16 s");
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
