//! One line of the daemon, taken apart.

use crate::units::{decimal, small};
use crate::{ClockClass, ClockIdentity, GpsFix, Offset, QualityLevel};

/// From here on the number in a line's brackets is seconds since 1970, not since the node started:
/// nothing runs for 31 years.
const EPOCH_FROM_SECONDS: i64 = 1_000_000_000;

/// The time in a line's brackets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Bracket {
    /// Since the node started, in nanoseconds: what linuxptp itself prints.
    Monotonic(i64),
    /// Since 1970, in nanoseconds but whole seconds: what the daemon adds itself.
    Epoch(i64),
}

/// Who wrote the line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Process {
    Ptp4l,
    Phc2sys,
    Ts2phc,
    Gnss,
    Dpll,
    Gm,
    Tbc,
    Synce4l,
}

impl Process {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ptp4l" => Self::Ptp4l,
            "phc2sys" => Self::Phc2sys,
            "ts2phc" => Self::Ts2phc,
            "gnss" => Self::Gnss,
            "dpll" => Self::Dpll,
            "GM" => Self::Gm,
            "T-BC" => Self::Tbc,
            "synce4l" => Self::Synce4l,
            _ => return None,
        })
    }
}

/// A line, after whatever [`super::prefix`] takes off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Line<'a> {
    pub(super) process: Process,
    pub(super) bracket: Bracket,
    /// The configuration it runs with: `ptp4l.0.config`.
    pub(super) config: &'a str,
    pub(super) message: Message<'a>,
}

/// What a servo says of itself. The daemon counts the states of GNSS, DPLL and grandmaster alike,
/// but there [`Self::Step`] stands for holdover.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Servo {
    /// `s0`
    Unlocked,
    /// `s1`
    Step,
    /// `s2`, `s3`
    Locked,
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

/// A port's state (IEEE 1588-2019, 9.2.5), as far as it matters whether it follows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Port {
    Slave,
    /// A slave's alternative: it could follow, and the clock follows another port.
    Passive,
    Other,
}

impl Port {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "SLAVE" => Some(Self::Slave),
            "PASSIVE" => Some(Self::Passive),
            "INITIALIZING" | "FAULTY" | "DISABLED" | "LISTENING" | "PRE_MASTER" | "MASTER"
            | "GRAND_MASTER" | "UNCALIBRATED" => Some(Self::Other),
            _ => None,
        }
    }
}

/// What a line says, as far as events are made of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Message<'a> {
    /// `port 1 (ens1f0): UNCALIBRATED to SLAVE on MASTER_CLOCK_SELECTED`
    Port { interface: Option<&'a str>, from: Port, to: Port, follows: bool },
    /// `master offset 5 s2 …`, `CLOCK_REALTIME phc offset 5 s2 …`, `ens2f0 offset 3 s3 … holdover`
    Offset { of: &'a str, offset: Offset, servo: Servo, holdover: bool },
    /// `rms 4 max 9 freq …`, `CLOCK_REALTIME rms 8 max 21 …`, `master offset summary: cnt=…, min=…,
    /// max=…, avg=…, SD=…`: many offsets, by their mean (of their size, where no more is said) and the
    /// one farthest off.
    Summary { of: &'a str, mean: Offset, worst: Offset },
    /// `CLOCK_CLASS_CHANGE 6.000000`
    Class(ClockClass),
    /// `ens2f0 gnss_status 3 offset 5 s2`
    Gnss { interface: &'a str, fix: GpsFix, offset: i64, servo: Servo },
    /// `ens2f0 frequency_status 3 offset 2 phase_status 3 pps_status 1 s2`
    Dpll { interface: &'a str, offset: i64 },
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
    ProcessDown,
    /// `selected best master clock 667126.fffe.fd4db7`
    BestMaster(ClockIdentity),
    /// Known, and nothing an event is made of: `nmea_status 1 …`
    Remark,
}

/// Beginnings of what linuxptp and the daemon say without changing a state.
const REMARKS: [&str; 5] = [
    "selected local clock",
    "foreign master",
    "PTP_PROCESS_STATUS:1",
    "nmea delay",
    "updating UTC offset",
];

impl<'a> Line<'a> {
    /// Takes a line apart; `None` when it is nobody's we know, or says what we do not understand.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (process, rest) = text.split_once('[')?;
        let process = Process::named(process)?;
        let (bracket, rest) = rest.split_once("]:")?;
        let bracket = self::bracket(bracket)?;
        let (config, message) = rest.trim_start().strip_prefix('[')?.split_once(']')?;
        // `ptp4l.0.config:6` adds the level of the message.
        let config = config.split_once(':').map_or(config, |(config, _)| config);
        let config_is_one = matches!(config.rsplit_once('.'), Some((_, "config" | "cfg")));
        let message = self::message(process, message.trim())?;
        config_is_one.then_some(Self { process, bracket, config, message })
    }
}

/// Whether `text` is a line of the daemon, whatever it says.
pub(super) fn is_daemons(text: &str) -> bool {
    text.split_once('[').is_some_and(|(process, rest)| {
        Process::named(process).is_some()
            && rest.split_once("]:").is_some_and(|(number, _)| bracket(number).is_some())
    })
}

fn bracket(text: &str) -> Option<Bracket> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(seconds) || !plain(fraction) || fraction.len() > 9 {
        return None;
    }
    let seconds: i64 = seconds.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<9}").parse().ok()?;
    let nanos = seconds.checked_mul(1_000_000_000)?.checked_add(fraction)?;
    Some(if seconds >= EPOCH_FROM_SECONDS {
        Bracket::Epoch(nanos)
    } else {
        Bracket::Monotonic(nanos)
    })
}

fn message(process: Process, text: &str) -> Option<Message<'_>> {
    if REMARKS.iter().any(|remark| text.starts_with(remark)) {
        return Some(Message::Remark);
    }
    if let Some(identity) = text.strip_prefix("selected best master clock ") {
        return Some(ClockIdentity::parse(identity).map_or(Message::Remark, Message::BestMaster));
    }
    if text == "PTP_PROCESS_STATUS:0" {
        return Some(Message::ProcessDown);
    }
    let words = Words(text);
    let first = words.nth(0)?;
    match process {
        Process::Ptp4l if first == "port" => port(&words),
        Process::Ptp4l if first == "CLOCK_CLASS_CHANGE" => {
            small(words.nth(1)?).ok().map(|class| Message::Class(ClockClass(class)))
        }
        Process::Ts2phc if words.after("nmea_status").is_some() => Some(Message::Remark),
        Process::Ptp4l | Process::Phc2sys | Process::Ts2phc => {
            summary(&words).or_else(|| offset(&words))
        }
        Process::Gnss => Some(Message::Gnss {
            interface: first,
            fix: GpsFix(small(words.after("gnss_status")?).ok()?),
            offset: decimal(words.after("offset")?).ok()?,
            servo: Servo::parse(words.last()?)?,
        }),
        Process::Dpll => {
            words.after("frequency_status")?;
            let offset = decimal(words.after("offset")?).ok()?;
            Some(Message::Dpll { interface: first, offset })
        }
        Process::Gm | Process::Tbc => {
            let servo = words.after("T-GM-STATUS").or_else(|| words.after("T-BC-STATUS"))?;
            let offset = words.after("offset").and_then(|offset| decimal(offset).ok());
            Some(Message::Status { interface: first, offset, servo: Servo::parse(servo)? })
        }
        Process::Synce4l => synce(first, &words),
    }
}

fn port<'a>(words: &Words<'a>) -> Option<Message<'a>> {
    let number = words.nth(1)?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (interface, at) = match number.strip_suffix(':') {
        Some(number) if is_number(number) => (None, 2),
        None if is_number(number) => {
            let interface = words.nth(2)?.strip_prefix('(')?.strip_suffix("):")?;
            (Some(interface), 3)
        }
        // `port 561364.fffe.e426da-1`, somebody else's.
        _ => return None,
    };
    let from = words.nth(at).and_then(Port::parse);
    let (Some(from), Some("to")) = (from, words.nth(at + 1)) else {
        // `link down`, `new foreign master …`, `delay timeout`
        return Some(Message::Remark);
    };
    let to = Port::parse(words.nth(at + 2)?)?;
    let follows = from == Port::Slave || to == Port::Slave || words.nth(at + 4) == Some("RS_SLAVE");
    Some(Message::Port { interface, from, to, follows })
}

fn offset<'a>(words: &Words<'a>) -> Option<Message<'a>> {
    // `CLOCK_REALTIME phc offset 7 s2`, `ens2f0 master offset 1 s2`, `ens2f0 offset 3 s3`
    let at = (1..=2).find(|at| words.nth(*at) == Some("offset"))?;
    Some(Message::Offset {
        of: words.nth(0)?,
        offset: Offset::from_nanos(decimal(words.nth(at + 1)?).ok()?),
        servo: Servo::parse(words.nth(at + 2)?)?,
        holdover: words.last() == Some("holdover"),
    })
}

/// linuxptp's own summary (`summary_interval`), and that of the daemon (`logReduce: enhanced`).
fn summary<'a>(words: &Words<'a>) -> Option<Message<'a>> {
    let number = |text: &str| decimal(text.trim_end_matches(',')).ok();
    if let Some(at) = (0..=1).find(|at| words.nth(*at) == Some("rms")) {
        let of = if at == 0 { "master" } else { words.nth(0)? };
        let mean = Offset::from_nanos(number(words.nth(at + 1)?)?);
        (words.nth(at + 2)? == "max").then_some(())?;
        let worst = Offset::from_nanos(number(words.nth(at + 3)?)?);
        return Some(Message::Summary { of, mean, worst });
    }
    words.after("summary:")?;
    let field = |name: &str| words.all().find_map(|word| number(word.strip_prefix(name)?));
    let (min, max) = (field("min=")?, field("max=")?);
    let worst = if min.unsigned_abs() > max.unsigned_abs() { min } else { max };
    let mean = field("avg=").unwrap_or(worst);
    let (mean, worst) = (Offset::from_nanos(mean), Offset::from_nanos(worst));
    Some(Message::Summary { of: words.nth(0)?, mean, worst })
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
struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    /// How many words of a message we look at.
    const MOST: usize = 24;

    fn all(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.split_ascii_whitespace().take(Self::MOST)
    }

    fn nth(&self, at: usize) -> Option<&'a str> {
        self.all().nth(at)
    }

    fn last(&self) -> Option<&'a str> {
        self.all().last()
    }

    /// The word that follows `key`.
    fn after(&self, key: &str) -> Option<&'a str> {
        let mut words = self.all();
        words.find(|word| *word == key)?;
        words.next()
    }
}

#[cfg(test)]
mod tests {
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
            match Line::parse(line) {
                Some(line) => writeln!(table, "{line:?}").unwrap(),
                None => writeln!(table, "no: {line}").unwrap(),
            }
        }
        assert_snapshot!(table);
    }
}
