//! What linuxptp and its daemon say, taken apart.

use smallvec::SmallVec;

use super::found::{Found, without_tag};
use super::process::{Bracket, Process};
use crate::observation::{Dpll, PortEvent, PortState, Remark, Servo};
use crate::units::{decimal, small};
use crate::{ClockClass, ClockIdentity, GpsFix, Offset, QualityLevel};

/// A line that says something we understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) process: Process,
    pub(super) bracket: Bracket,
    /// The configuration it runs with, or what else it was tagged with: `ptp4l.0.config`, `ens1f0`.
    pub(super) tag: &'a str,
    pub(super) message: Message<'a>,
}

impl Servo {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "s0" => Some(Self::Unlocked),
            "s1" => Some(Self::Step),
            "s2" | "s3" => Some(Self::Locked),
            _ => None,
        }
    }
}

/// How a servo answers an offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) servo: Option<Servo>,
    /// In parts per billion.
    pub(super) frequency: Option<i64>,
    /// Of the path, or of reading the clock, in nanoseconds.
    pub(super) delay: Option<i64>,
}

/// What a line says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Message<'a> {
    /// `port 1 (ens1f0): UNCALIBRATED to SLAVE on MASTER_CLOCK_SELECTED`
    Port { interface: Option<&'a str>, from: PortState, to: PortState, why: PortEvent },
    /// `master offset 5 s2 …`, `CLOCK_REALTIME phc offset 5 s2 …`, `ens2f0 offset 3 s3 … holdover`
    Offset { of: &'a str, offset: Offset, servo: Servo, holdover: bool, answer: Answer },
    /// `rms 4 max 9 freq …`, `CLOCK_REALTIME rms 8 max 21 …`, `master offset summary: cnt=…, min=…,
    /// max=…, avg=…, SD=…`: many offsets, by their mean (of their size, where no more is said) and the
    /// one farthest off.
    Summary {
        of: &'a str,
        mean: Offset,
        worst: Offset,
        spread: Option<u64>,
        is_size: bool,
        answer: Answer,
    },
    /// `CLOCK_CLASS_CHANGE 6.000000`
    Class(ClockClass),
    /// `ens2f0 gnss_status 3 offset 5 s2`
    Gnss { interface: &'a str, fix: GpsFix, offset: i64, servo: Servo },
    /// `ens2f0 frequency_status 3 offset 2 phase_status 3 pps_status 1 s2`
    Dpll { interface: &'a str, offset: i64, status: Dpll },
    /// `ens2f0 nmea_status 1 offset 0 s2`
    TimeOfDay { interface: &'a str, available: bool },
    /// `ens2f0 T-GM-STATUS s2`, `ens2f0 offset 5 T-BC-STATUS s2`
    Status { interface: &'a str, offset: Option<i64>, servo: Servo },
    /// `ens7f0 device synce1 eec_state EEC_HOLDOVER network_option 2 s1`
    SynceState { interface: &'a str, device: &'a str, servo: Servo },
    /// `ens7f0 clock_quality PRTC device synce1 ext_ql 0x20 network_option 2 ql 0x1 s2`
    SynceQuality {
        interface: &'a str,
        device: &'a str,
        quality: QualityLevel,
        extended: Option<QualityLevel>,
    },
    /// `PTP_PROCESS_STATUS:0`: the process ended.
    Process { up: bool },
    /// `selected best master clock 667126.fffe.fd4db7`
    BestMaster(ClockIdentity),
    /// A receiver's own sentence (NMEA 0183, RMC and GGA): whether it has a fix.
    Fix { valid: bool },
    /// `System clock wrong by -74.000006 seconds`
    Wrong(Offset),
    /// Something that means something.
    Remark(Remark),
    /// Known, and it tells nothing: `nmea delay …`
    Nothing,
}

/// What processes say, by words that are in it, and what it means: as linuxptp 3.1.1 and 4.4 and chrony
/// have them in their sources (docs/protocol.md §14).
const REMARKS: &[(&str, Option<Remark>)] = &[
    ("timed out while polling for tx timestamp", Some(Remark::TxTimestampMissed)),
    ("increasing tx_timestamp_timeout", None),
    ("missing timestamp on transmitted", Some(Remark::TxTimestampMissed)),
    ("rogue peer delay response", Some(Remark::RoguePeer)),
    ("without timestamp", Some(Remark::RxTimestampMissing)),
    ("clockcheck: clock ", Some(Remark::ClockJumped)),
    ("ignoring invalid master time stamp", Some(Remark::TimeOfDayInvalid)),
    ("source ts not valid", Some(Remark::TimeOfDayInvalid)),
    ("timestamp not valid, skipping", Some(Remark::TimeOfDayInvalid)),
    ("nmea: no valid rmc fix", Some(Remark::TimeOfDayInvalid)),
    ("rmc time stamp stale", Some(Remark::SentenceStale)),
    ("nmea source timed out", Some(Remark::SentenceMissing)),
    ("failed to open nmea source", Some(Remark::SentenceMissing)),
    ("failed to read from nmea source", Some(Remark::SentenceMissing)),
    ("checksum mismatch", Some(Remark::SentenceCorrupt)),
    ("past leap second table expiry", Some(Remark::LeapTableExpired)),
    ("unable to find utc time in leap second table", Some(Remark::LeapTableExpired)),
    ("waiting for ptp4l", Some(Remark::WaitsForPtp)),
    ("selected source ", Some(Remark::NtpSourceSelected)),
    ("no selectable sources", Some(Remark::NtpSourceLost)),
    ("no majority", Some(Remark::NtpSourceLost)),
    ("system clock wrong by", Some(Remark::SystemClockWrong)),
    ("failed to adjust the clock", Some(Remark::ClockRefused)),
    ("failed to step clock", Some(Remark::ClockRefused)),
    ("clock is not adjustable", Some(Remark::ClockRefused)),
    ("does not support requested timestamping mode", Some(Remark::TimestampingUnsupported)),
    ("ioctl siocshwtstamp failed", Some(Remark::TimestampingUnsupported)),
    ("not using ptp timescale", Some(Remark::ArbitraryTimescale)),
    ("running in a temporal vortex", Some(Remark::UtcOffsetDoubted)),
    ("master state recommended in slave only mode", Some(Remark::RoleRefused)),
    ("probably misconfigured", Some(Remark::RoleRefused)),
    ("failed to create a clock", Some(Remark::StartRefused)),
    ("skip extts", Some(Remark::PulseSkipped)),
    // ptp4l says so of its own timer, each time that it asks for the delay.
    ("delay timeout", None),
    ("foreign master", None),
    ("nmea delay", None),
    ("nmea sentence", None),
    ("extts index", None),
    ("updating utc offset", None),
    ("assuming the grand master role", None),
    ("link up", None),
    ("link down", None),
];

/// The longest remark we look at, in bytes.
const LONGEST_REMARK: usize = 256;

impl Found<'_> {
    /// Whether it says something that is understood.
    pub(crate) fn says_something(&self) -> bool {
        self.process.is_some() && Line::parse(self).is_some()
    }
}

impl<'a> Line<'a> {
    /// Takes apart what was found; `None` when it says what we do not understand.
    pub(super) fn parse(found: &Found<'a>) -> Option<Self> {
        let Found { process, bracket, tag, text, .. } = *found;
        let (process, message) = without_tag(text).find_map(|text| {
            let process = process.or_else(|| who_says(text))?;
            message(process, text).map(|message| (process, message))
        })?;
        Some(Self { process, bracket, tag, message })
    }
}

/// Who says such a thing, where nobody wrote it down.
fn who_says(text: &str) -> Option<Process> {
    let first = text.split_ascii_whitespace().next()?;
    Some(match first {
        "CLOCK_REALTIME" | "phc" | "sys" => Process::Phc2sys,
        "port" | "master" | "rms" | "selected" | "clockcheck:" | "CLOCK_CLASS_CHANGE" => {
            Process::Ptp4l
        }
        "nmea" | "nmea:" => Process::Ts2phc,
        _ if text.contains(" extts ") || text.contains(" nmea_status ") => Process::Ts2phc,
        // `ens2f0 master offset 1 s2`
        _ if text[first.len()..].trim_ascii_start().starts_with("master offset") => Process::Ts2phc,
        _ if ["phc offset", "sys offset"]
            .iter()
            .any(|of| text[first.len()..].trim_ascii_start().starts_with(of)) =>
        {
            Process::Phc2sys
        }
        _ => return None,
    })
}

fn message(process: Process, text: &str) -> Option<Message<'_>> {
    let words = Words::of(text);
    let first = words.nth(0)?;
    let known = match process {
        Process::Ptp4l if first == "port" => port(&words),
        Process::Ptp4l if first == "CLOCK_CLASS_CHANGE" => {
            small(words.nth(1)?).ok().map(|class| Message::Class(ClockClass(class)))
        }
        Process::Ptp4l
            if first == "selected" && text.starts_with("selected best master clock ") =>
        {
            let identity = words.nth(4)?;
            Some(ClockIdentity::parse(identity).map_or(Message::Nothing, Message::BestMaster))
        }
        Process::Ptp4l if first == "selected" && text.starts_with("selected local clock ") => {
            Some(Message::Remark(Remark::OwnClockSelected))
        }
        Process::Ts2phc if matches!(first, "nmea" | "nmea:") => nmea(&words),
        Process::Ts2phc if words.after("nmea_status").is_some() => {
            let available = words.after("nmea_status")? == "1";
            Some(Message::TimeOfDay { interface: first, available })
        }
        Process::Ptp4l | Process::Phc2sys | Process::Ts2phc => {
            summary(process, &words).or_else(|| offset(process, &words))
        }
        Process::Gnss => gnss(first, &words),
        Process::Dpll => dpll(first, &words),
        Process::Gm | Process::Tbc => status(first, &words),
        Process::Synce4l => synce(first, &words),
        Process::Chronyd => chronyd(text, &words),
    };
    known.or_else(|| match text {
        "PTP_PROCESS_STATUS:0" => Some(Message::Process { up: false }),
        "PTP_PROCESS_STATUS:1" => Some(Message::Process { up: true }),
        _ => remark(text),
    })
}

fn chronyd<'a>(text: &'a str, words: &Words<'a>) -> Option<Message<'a>> {
    if text.starts_with("Fatal error") {
        return Some(Message::Process { up: false });
    }
    let seconds: f64 =
        words.after("by").filter(|_| text.starts_with("System clock wrong"))?.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "as far as nanoseconds count")]
    Some(Message::Wrong(Offset::from_nanos((seconds * 1e9) as i64)))
}

/// `nmea delay: 98000000 ns`, `nmea sentence: GNRMC,062518.00,V,…`
fn nmea<'a>(words: &Words<'a>) -> Option<Message<'a>> {
    /// A sentence that is older than its own second is of no use (ts2phc(8), `ts2phc.nmea_delay`).
    const A_SECOND: i64 = 1_000_000_000;
    if let Some(delay) = words.after("delay:").and_then(|word| decimal(number_of(word)).ok()) {
        let remark = Message::Remark(Remark::SentenceStale);
        return Some(if delay > A_SECOND { remark } else { Message::Nothing });
    }
    let mut fields = words.after("sentence:")?.split(',');
    let kind = fields.next()?.trim_start_matches('$');
    // NMEA 0183: RMC has its status in the second field, GGA its quality in the sixth.
    let void = match kind.get(2..)? {
        "RMC" => fields.nth(1)? == "V",
        "GGA" => fields.nth(5)? == "0",
        _ => false,
    };
    let told = matches!(kind.get(2..), Some("RMC" | "GGA"));
    Some(if told { Message::Fix { valid: !void } } else { Message::Nothing })
}

fn remark(text: &str) -> Option<Message<'_>> {
    let end = text.floor_char_boundary(LONGEST_REMARK);
    let text = text[..end].to_ascii_lowercase();
    let (_, remark) = REMARKS.iter().find(|(words, _)| text.contains(words))?;
    Some(remark.map_or(Message::Nothing, Message::Remark))
}

fn port<'a>(words: &Words<'a>) -> Option<Message<'a>> {
    let number = words.nth(1)?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (interface, at) = match number.strip_suffix(':') {
        Some(number) if is_number(number) => (None, 2),
        None if is_number(number) => {
            let interface = words.nth(2)?.strip_prefix('(')?.strip_suffix("):")?;
            // Port 0 is the socket of management clients, and no interface.
            if number == "0" || interface.starts_with('/') {
                return Some(Message::Nothing);
            }
            (Some(interface), 3)
        }
        // `port 561364.fffe.e426da-1`, somebody else's.
        _ => return None,
    };
    let from = words.nth(at).and_then(PortState::parse);
    let (Some(from), Some("to")) = (from, words.nth(at + 1)) else {
        // `link down`, `new foreign master …`, `delay timeout`
        return None;
    };
    let to = PortState::parse(words.nth(at + 2)?)?;
    let why = words.nth(at + 4).map_or(PortEvent::Other, PortEvent::parse);
    Some(Message::Port { interface, from, to, why })
}

/// What is measured of: ptp4l's one clock is `master`, however the line calls it; and old versions of
/// phc2sys steer the system clock, and name only what it is measured against (linuxptp 1.0, phc2sys.c).
fn of(process: Process, word: &str) -> &str {
    match (process, word) {
        (Process::Ptp4l, _) => "master",
        (Process::Phc2sys, "phc" | "sys" | "pps") => "CLOCK_REALTIME",
        _ => word,
    }
}

fn offset<'a>(process: Process, words: &Words<'a>) -> Option<Message<'a>> {
    // `CLOCK_REALTIME phc offset 7 s2`, `ens2f0 master offset 1 s2`, `ens2f0 offset 3 s3`
    let at = (1..=2).find(|at| words.nth(*at) == Some("offset"))?;
    let servo = Servo::parse(words.nth(at + 2)?)?;
    Some(Message::Offset {
        of: of(process, words.nth(0)?),
        offset: Offset::from_nanos(decimal(words.nth(at + 1)?).ok()?),
        servo,
        holdover: words.last() == Some("holdover"),
        answer: Answer { servo: Some(servo), ..answer(words) },
    })
}

/// `freq +5174 path delay 89`, `freq -13854 +/- 11 delay 141 +/- 0`, `delay 556`
fn answer(words: &Words<'_>) -> Answer {
    let number = |key| words.after(key).and_then(|word| decimal(number_of(word)).ok());
    Answer { servo: None, frequency: number("freq"), delay: number("delay") }
}

/// The number a word begins with: what markup or a bracket puts behind the last one is no part of it.
pub(super) fn number_of(word: &str) -> &str {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
    &word[..end]
}

/// linuxptp's own summary (`summary_interval`), and that of the daemon (`logReduce: enhanced`).
fn summary<'a>(process: Process, words: &Words<'a>) -> Option<Message<'a>> {
    let number = |text: &str| decimal(number_of(text)).ok();
    if let Some(at) = (0..=1).find(|at| words.nth(*at) == Some("rms")) {
        let of = of(process, if at == 0 { "master" } else { words.nth(0)? });
        let mean = Offset::from_nanos(number(words.nth(at + 1)?)?);
        (words.nth(at + 2)? == "max").then_some(())?;
        let worst = Offset::from_nanos(number(words.nth(at + 3)?)?);
        let answer = answer(words);
        let spread = Some(mean.magnitude());
        return Some(Message::Summary { of, mean, worst, spread, is_size: true, answer });
    }
    words.after("summary:")?;
    let field = |name: &str| words.all().find_map(|word| number(word.strip_prefix(name)?));
    let (min, max) = (field("min=")?, field("max=")?);
    let worst = if min.unsigned_abs() > max.unsigned_abs() { min } else { max };
    let mean = field("avg=").unwrap_or(worst);
    let (mean, worst) = (Offset::from_nanos(mean), Offset::from_nanos(worst));
    let of = of(process, words.nth(0)?);
    let spread = field("SD=").map(i64::unsigned_abs);
    Some(Message::Summary { of, mean, worst, spread, is_size: false, answer: Answer::default() })
}

fn gnss<'a>(interface: &'a str, words: &Words<'a>) -> Option<Message<'a>> {
    Some(Message::Gnss {
        interface,
        fix: GpsFix(small(words.after("gnss_status")?).ok()?),
        offset: decimal(words.after("offset")?).ok()?,
        servo: Servo::parse(words.last()?)?,
    })
}

fn dpll<'a>(interface: &'a str, words: &Words<'a>) -> Option<Message<'a>> {
    let number = |key| words.after(key).and_then(|word| word.parse::<i8>().ok());
    let status = Dpll {
        frequency: number("frequency_status")?,
        phase: number("phase_status").unwrap_or(-1),
        pps: number("pps_status").map(|pps| pps == 1),
    };
    Some(Message::Dpll { interface, offset: decimal(words.after("offset")?).ok()?, status })
}

fn status<'a>(interface: &'a str, words: &Words<'a>) -> Option<Message<'a>> {
    let servo = words.after("T-GM-STATUS").or_else(|| words.after("T-BC-STATUS"))?;
    let offset = words.after("offset").and_then(|offset| decimal(offset).ok());
    Some(Message::Status { interface, offset, servo: Servo::parse(servo)? })
}

fn synce<'a>(interface: &'a str, words: &Words<'a>) -> Option<Message<'a>> {
    let device = words.after("device")?;
    if words.after("eec_state").is_some() {
        let servo = Servo::parse(words.last()?)?;
        return Some(Message::SynceState { interface, device, servo });
    }
    words.after("clock_quality")?;
    let level = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u8::from_str_radix(digits, 16).ok().map(QualityLevel),
        None => small(text).ok().map(QualityLevel),
    };
    Some(Message::SynceQuality {
        interface,
        device,
        quality: level(words.after("ql")?)?,
        extended: words.after("ext_ql").and_then(level),
    })
}

/// The words of a message. It has a dozen at most; nothing is kept of a longer one.
struct Words<'a>(SmallVec<[&'a str; Words::MOST]>);

impl<'a> Words<'a> {
    /// How many words of a message we look at.
    const MOST: usize = 24;

    fn of(text: &'a str) -> Self {
        Self(text.split_ascii_whitespace().take(Self::MOST).collect())
    }

    fn all(&self) -> impl Iterator<Item = &'a str> + use<'_, 'a> {
        self.0.iter().copied()
    }

    fn nth(&self, at: usize) -> Option<&'a str> {
        self.0.get(at).copied()
    }

    fn last(&self) -> Option<&'a str> {
        self.0.last().copied()
    }

    /// The word that follows `key`.
    fn after(&self, key: &str) -> Option<&'a str> {
        let at = self.0.iter().position(|word| *word == key)?;
        self.nth(at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::found::find;
    use super::*;
    use insta::assert_snapshot;
    use std::fmt::Write as _;

    #[test]
    fn every_kind_of_line() {
        let mut table = String::new();
        for line in [
            "ptp4l[1106.120]: [ptp4l.0.config] port 1 (ens1f0): LISTENING to UNCALIBRATED on RS_SLAVE",
            "ptp4l[2186.613]: [ptp4l.0.config:5] port 1: SLAVE to FAULTY on FAULT_DETECTED (FT_UNSPECIFIED)",
            "ptp4l[2186.644]: [ptp4l.0.config] port 1: link down",
            "ptp4l[2186.644]: [ptp4l.0.config] selected local clock d6b793.fffe.d186b7 as best master",
            "ptp4l[1106.120]: [ptp4l.0.config] master offset      54321 s0 freq   -3972 path delay        89",
            "ptp4l[1106.120]: [ptp4l.0.config] rms    4 max    9 freq -13863 +/-   6 delay   140 +/-   1",
            "phc2sys[1106.120]: [ptp4l.0.config] CLOCK_REALTIME rms   12 max   31 freq +7 +/- 4 delay 1100 +/- 9",
            "ptp4l[1106.120]: [ptp4l.0.config] master offset summary: cnt=480, min=-12, max=9, avg=-1.50, SD=4.21",
            "ptp4l[1106.120]: [ptp4l.0.config] rms nothing",
            "ptp4l[1795416019]:[ptp4l.0.config] CLOCK_CLASS_CHANGE 248.000000",
            "ptp4l[1795416019]:[ptp4l.0.config] PTP_PROCESS_STATUS:0",
            "phc2sys[1106.120]: [ptp4l.0.config] CLOCK_REALTIME phc offset       -62 s2 freq  -78368 delay   1100",
            "ts2phc[1167.458]: [ts2phc.0.config] ens2f0 offset          3 s3 freq      +1 holdover",
            "ts2phc[1165.709]: [ts2phc.0.config] ens2f0 master offset          1 s2 freq      -0",
            "ts2phc[1795416079]:[ts2phc.0.config] ens2f0 nmea_status 1 offset 0 s2",
            "gnss[1795416079]:[ts2phc.0.config] ens2f0 gnss_status 3 offset 5 s2",
            "dpll[1795416079]:[ts2phc.0.config] ens2f0 frequency_status 3 offset 2 phase_status 3 pps_status 1 s2",
            "GM[1795416079]:[ts2phc.0.config] ens2f0 T-GM-STATUS s1",
            "T-BC[1795416079]:[ptp4l.1.config] ens4f0 offset 55 T-BC-STATUS s2",
            "synce4l[1795416079]:[synce4l.0.config] ens7f0 device synce1 eec_state EEC_HOLDOVER network_option 2 s1",
            "synce4l[1795416079]:[synce4l.0.config] ens7f0 clock_quality PRTC device synce1 ext_ql 0x20 network_option 2 ql 0x1 s2",
            "ptp4l[x]: [ptp4l.0.config] master offset 1 s2",
            "ptp4l[99999999999999999]: [ptp4l.0.config] master offset 1 s2",
            "ptp4l[1.0]: [ptp4l.0.config] master offset 1 s9",
            "chronyd[1.0]: [a.config] master offset 1 s2",
            "ptp4l",
        ] {
            match find(line).and_then(|found| Line::parse(&found)) {
                Some(line) => writeln!(table, "{line:?}").unwrap(),
                None => writeln!(table, "no: {line}").unwrap(),
            }
        }
        assert_snapshot!(table);
    }
}
