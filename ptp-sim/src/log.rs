//! The same run told by the daemons' logs, line by line as linuxptp and linuxptp-daemon print them
//! (docs/protocol.md §9, §10).

use ptp_events::{NodeName, Received, SyncState};

use crate::clock::Seen;
use crate::conditions::Conditions;
use crate::fault::Mistake;
use crate::lock::Sample;
use crate::os_clock::OsSample;
use crate::topology::{Node, Role};

/// How a log is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LogForm {
    /// Every line, as the daemon prints it without `logReduce`.
    Full,
    /// `logReduce: "true"`: without any `master offset`.
    Reduced,
    /// `logReduce: enhanced`: a summary of the offsets every 30 s.
    Enhanced,
    /// `summary_interval 0` with eight measurements a second: root mean squares.
    Rms,
    /// `ptp4l -m` and `phc2sys -m`, without the daemon and its tags.
    Plain,
}

impl LogForm {
    /// What it is called.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "log",
            Self::Reduced => "reduced",
            Self::Enhanced => "enhanced",
            Self::Rms => "rms",
            Self::Plain => "plain",
        }
    }
}

/// A line, and where and when it was written.
#[derive(Clone, Copy, Debug)]
pub struct LogLine<'a> {
    /// Whose log it is in.
    pub node: &'a NodeName,
    /// When it was written, by the node's own clock.
    pub at: Received,
    /// What was written.
    pub text: &'a str,
}

/// How often `enhanced` sums up, in s (docs/protocol.md §10).
const SUMMARY_S: i64 = 30;
/// How often ptp4l says that it has found nobody better than itself, in s: about every announce timeout.
const ALONE_S: i64 = 7;
/// Since the node started, at the start of the scenario, in s.
const UP_S: i64 = 400_000;

/// A port, as far as the log tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Port {
    /// ptp4l has not been started, or it was running before the log begins.
    Unknown,
    Listening,
    Uncalibrated(u8),
    Slave,
    Faulty,
    Down,
}

/// Offsets since the last summary.
#[derive(Clone, Debug, Default)]
struct Sum {
    count: u32,
    min: i64,
    max: i64,
    total: i64,
    squares: f64,
}

impl Sum {
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of an offset")]
    fn push(&mut self, offset: i64) {
        if self.count == 0 {
            (self.min, self.max) = (offset, offset);
        }
        self.count += 1;
        self.min = self.min.min(offset);
        self.max = self.max.max(offset);
        self.total += offset;
        self.squares += (offset as f64).powi(2);
    }

    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of an offset")]
    fn told(&self) -> String {
        let count = f64::from(self.count);
        let mean = self.total as f64 / count;
        let deviation = (self.squares / count - mean.powi(2)).max(0.0).sqrt();
        let (min, max) = (self.min, self.max);
        format!(
            "summary: cnt={}, min={min}, max={max}, avg={mean:.2}, SD={deviation:.2}",
            self.count
        )
    }
}

/// One node's daemon.
#[derive(Debug)]
pub(crate) struct Log {
    form: LogForm,
    /// When the scenario starts, in s since 1970.
    start_s: i64,
    node: Node,
    /// The port's own name: `ens1f0` of the card `ens1fx`.
    port_name: String,
    port: Port,
    was_locked: bool,
    /// It follows another master than at first.
    chose_other: bool,
    os_down: bool,
    class: Option<u8>,
    synce: Option<(SyncState, u8)>,
    sum: Sum,
    /// The offset, smoothed, and the noise of one measurement, in ns.
    level: f64,
    sigma: f64,
    lines: Vec<(i64, String)>,
}

impl Log {
    pub(crate) fn new(node: &Node, form: LogForm, start: Received) -> Self {
        let port = node.interface.strip_suffix('x');
        Self {
            form,
            start_s: start.as_nanos() / 1_000_000_000,
            node: node.clone(),
            port_name: port.map_or_else(|| node.interface.clone(), |card| format!("{card}0")),
            port: Port::Unknown,
            was_locked: false,
            chose_other: false,
            os_down: false,
            class: None,
            synce: None,
            sum: Sum::default(),
            level: 0.0,
            sigma: node.noise_ns,
            lines: Vec::new(),
        }
    }

    /// What was written in second `t`, and when in ns since the start; each line once.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (i64, String)> + '_ {
        self.lines.drain(..)
    }

    /// Second `t` passes.
    pub(crate) fn step(
        &mut self,
        t: i64,
        seen: &Seen,
        now: &Conditions,
        state: Option<&SyncState>,
        class: u8,
    ) {
        if now.publisher_down {
            // The pod is gone, and its log with it.
            self.port = Port::Unknown;
            return;
        }
        self.sigma = self.node.noise_ns * now.noise_factor.max(1.0);
        match self.node.role {
            Role::Grandmaster => self.grandmaster(t, seen, now, state),
            Role::BoundaryClock | Role::Follower => self.follower(t, seen, now),
        }
        if !now.ptp_down && self.class.replace(class) != Some(class) {
            self.add(t, 720, "ptp4l", "ptp4l", &format!("CLOCK_CLASS_CHANGE {class}.000000"));
        }
        self.phc2sys(t, seen.os);
        self.synce4l(t, seen);
    }

    /// A line of linuxptp itself: the time in its brackets is that since the node started.
    fn print(&mut self, t: i64, millis: i64, process: &str, config: &str, text: &str) {
        let since = format!("{}.{millis:03}", t + UP_S);
        let line = match self.form {
            LogForm::Plain => format!("{process}[{since}]: {text}"),
            _ => format!("{process}[{since}]: [{config}.0.config:6] {text}"),
        };
        self.lines.push((t * 1_000_000_000 + millis * 1_000_000, line));
    }

    /// A line that the daemon adds, with whole seconds since 1970; linuxptp alone has none of them.
    fn add(&mut self, t: i64, millis: i64, process: &str, config: &str, text: &str) {
        if self.form != LogForm::Plain {
            let epoch = self.start_s + t;
            let line = format!("{process}[{epoch}]:[{config}.0.config] {text}");
            self.lines.push((t * 1_000_000_000 + millis * 1_000_000, line));
        }
    }

    fn port_line(&mut self, t: i64, millis: i64, change: &str) {
        let text = format!("port 1 ({}): {change}", self.port_name);
        self.print(t, millis, "ptp4l", "ptp4l", &text);
    }

    fn follower(&mut self, t: i64, seen: &Seen, now: &Conditions) {
        if self.port == Port::Down && seen.ptp != Sample::ProcessDown {
            self.add(t, 50, "ptp4l", "ptp4l", "PTP_PROCESS_STATUS:1");
            self.port = Port::Unknown;
        }
        let alone = !matches!(seen.ptp, Sample::Offset(_) | Sample::ProcessDown);
        if self.port == Port::Unknown && (alone || self.node.cold || t > 0) {
            self.port_line(t, 60, "INITIALIZING to LISTENING on INIT_COMPLETE");
            self.port = Port::Listening;
        }
        match seen.ptp {
            Sample::Offset(offset) => self.measured(t, offset, now),
            Sample::ProcessDown => {
                if self.port != Port::Down {
                    self.add(t, 90, "ptp4l", "ptp4l", "PTP_PROCESS_STATUS:0");
                    self.port = Port::Down;
                }
            }
            Sample::Lost(_) if now.selecting && self.port == Port::Slave => {
                self.choose(t, now);
                self.port_line(t, 150, "SLAVE to UNCALIBRATED on RS_SLAVE");
                self.port = Port::Uncalibrated(0);
            }
            Sample::Lost(_) if now.selecting => {}
            Sample::Lost(_) | Sample::Nothing => self.unheard(t, now),
        }
        if self.port == Port::Slave {
            self.choose(t, now);
        }
    }

    /// ptp4l chooses the master that the network has now, if it is another.
    fn choose(&mut self, t: i64, now: &Conditions) {
        let other = now.selecting || now.reference_shift != 0.0;
        if std::mem::replace(&mut self.chose_other, other) != other {
            let master = if other { "0200e0.fffe.0000aa" } else { "0200e0.fffe.0000ff" };
            let text = format!("selected best master clock {master}");
            self.print(t, 140, "ptp4l", "ptp4l", &text);
        }
    }

    /// Nobody is heard: ptp4l leaves SLAVE, by its own link's fault or by what it no longer gets.
    fn unheard(&mut self, t: i64, now: &Conditions) {
        let follows = matches!(self.port, Port::Slave | Port::Uncalibrated(_));
        if follows || (self.port == Port::Unknown && t <= 0) {
            let from = if self.port == Port::Slave { "SLAVE" } else { "UNCALIBRATED" };
            if now.link_fault {
                self.port_line(
                    t,
                    100,
                    &format!("{from} to FAULTY on FAULT_DETECTED (FT_UNSPECIFIED)"),
                );
                self.port = Port::Faulty;
            } else {
                let why = "ANNOUNCE_RECEIPT_TIMEOUT_EXPIRES";
                self.port_line(t, 100, &format!("{from} to LISTENING on {why}"));
                self.port = Port::Listening;
            }
        } else if self.port == Port::Listening && t % ALONE_S == 0 {
            let text = "selected local clock 0200e0.fffe.000001 as best master";
            self.print(t, 110, "ptp4l", "ptp4l", text);
        }
    }

    fn measured(&mut self, t: i64, offset: i64, now: &Conditions) {
        let utc = now.mistake == Some(Mistake::UtcOffset);
        let mut servo = "s2";
        match self.port {
            // The log begins with the port's last change, as one that was rotated keeps it.
            Port::Unknown => {
                let best = "selected best master clock 0200e0.fffe.0000ff";
                self.print(t, 50, "ptp4l", "ptp4l", best);
                self.port_line(t, 60, "UNCALIBRATED to SLAVE on MASTER_CLOCK_SELECTED");
                self.port = Port::Slave;
            }
            Port::Slave => {}
            Port::Faulty | Port::Listening | Port::Down => {
                if self.port == Port::Faulty {
                    self.port_line(t, 120, "FAULTY to LISTENING on INIT_COMPLETE");
                }
                let master = "new foreign master 0200e0.fffe.0000ff-1";
                self.print(
                    t,
                    130,
                    "ptp4l",
                    "ptp4l",
                    &format!("port 1 ({}): {master}", self.port_name),
                );
                let best = "selected best master clock 0200e0.fffe.0000ff";
                self.print(t, 140, "ptp4l", "ptp4l", best);
                self.port_line(t, 150, "LISTENING to UNCALIBRATED on RS_SLAVE");
                self.port = Port::Uncalibrated(if self.was_locked { 0 } else { 2 });
                servo = if self.was_locked { "s2" } else { "s0" };
            }
            Port::Uncalibrated(left) => {
                servo = match left {
                    0 => "s2",
                    1 => "s1",
                    _ => "s0",
                };
                if left == 0 || (self.was_locked && !utc) {
                    self.port_line(t, 160, "UNCALIBRATED to SLAVE on MASTER_CLOCK_SELECTED");
                    self.port = Port::Slave;
                    self.was_locked = true;
                } else {
                    self.port = Port::Uncalibrated(left - 1);
                }
            }
        }
        if self.port == Port::Slave {
            self.was_locked = true;
        }
        self.offset_line(t, "ptp4l", "master", offset, servo, " path delay       141");
    }

    /// An offset, as the form tells it.
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of an offset")]
    fn offset_line(
        &mut self,
        t: i64,
        process: &str,
        of: &str,
        offset: i64,
        servo: &str,
        tail: &str,
    ) {
        let config = if process == "ts2phc" { "ts2phc" } else { "ptp4l" };
        match self.form {
            LogForm::Reduced => {}
            LogForm::Enhanced => {
                self.sum.push(offset);
                if t % SUMMARY_S == SUMMARY_S - 1 {
                    let told = std::mem::take(&mut self.sum).told();
                    let text = format!("{of} offset {told}");
                    self.print(t, 180, process, config, &text);
                }
            }
            LogForm::Rms if process == "ptp4l" => {
                // Eight measurements a second: a level, and noise about it.
                let apart = offset as f64 - self.level;
                self.level += apart * if apart.abs() > 1_000.0 { 1.0 } else { 0.4 };
                let (rms, max) =
                    (self.level.hypot(self.sigma), self.level.abs() + 2.0 * self.sigma);
                let (size, max) = (rms.round(), max.round());
                let frequency = -13_863 - offset.clamp(-50_000, 50_000) / 3 - t % 3;
                let text = format!(
                    "rms {size:4} max {max:4} freq {frequency:6} +/-   6 delay   141 +/-   0"
                );
                self.print(t, 180, process, config, &text);
            }
            LogForm::Full | LogForm::Plain | LogForm::Rms => {
                // An integrator moves, however little.
                let frequency = -13_863 - offset.clamp(-50_000, 50_000) / 3 - t % 3;
                let of = if process == "ts2phc" {
                    format!("{} master", self.port_name.clone())
                } else {
                    of.to_owned()
                };
                let text = format!("{of} offset {offset:10} {servo} freq {frequency:7}{tail}");
                self.print(t, 180, process, config, &text);
            }
        }
    }

    fn grandmaster(&mut self, t: i64, seen: &Seen, now: &Conditions, state: Option<&SyncState>) {
        if now.ptp_down {
            if self.port != Port::Down {
                for (process, config) in [("ts2phc", "ts2phc"), ("ptp4l", "ptp4l")] {
                    self.add(t, 90, process, config, "PTP_PROCESS_STATUS:0");
                }
                self.port = Port::Down;
            }
            return;
        }
        if self.port == Port::Down {
            self.add(t, 50, "ts2phc", "ts2phc", "PTP_PROCESS_STATUS:1");
            self.port = Port::Unknown;
        }
        if self.port == Port::Unknown {
            if self.node.cold || t > 0 {
                self.port_line(t, 60, "INITIALIZING to LISTENING on INIT_COMPLETE");
            }
            self.port = Port::Listening;
        }
        let interface = self.port_name.clone();
        if let Some(gnss) = &seen.gnss {
            let servo = if gnss.state.is_locked() { "s2" } else { "s0" };
            let (fix, offset) = (gnss.fix, gnss.offset_ns);
            let text = format!("{interface} gnss_status {fix} offset {offset} {servo}");
            self.add(t, 200, "gnss", "ts2phc", &text);
            let available = u8::from(gnss.state.is_locked());
            let text = format!("{interface} nmea_status {available} offset 0 {servo}");
            self.add(t, 210, "ts2phc", "ts2phc", &text);
        }
        if let Sample::Offset(offset) = seen.ptp {
            self.offset_line(t, "ts2phc", "master", offset, "s2", "");
        }
        let Some(state) = state else { return };
        let (lock, servo) = match state {
            SyncState::Locked => (3, "s2"),
            SyncState::Holdover => (4, "s1"),
            _ => (1, "s0"),
        };
        let pps = u8::from(seen.gnss.as_ref().is_none_or(|gnss| gnss.state.is_locked()));
        let offset = match seen.ptp {
            Sample::Offset(offset) => offset,
            _ => 0,
        };
        let text = format!(
            "{interface} frequency_status {lock} offset {offset} phase_status {lock} pps_status {pps} {servo}"
        );
        self.add(t, 300, "dpll", "ts2phc", &text);
        self.add(t, 320, "GM", "ts2phc", &format!("{interface} T-GM-STATUS {servo}"));
    }

    fn phc2sys(&mut self, t: i64, sample: OsSample) {
        match sample {
            OsSample::Down if !self.os_down => {
                self.add(t, 95, "phc2sys", "ptp4l", "PTP_PROCESS_STATUS:0");
                self.os_down = true;
            }
            OsSample::Down => {}
            OsSample::Offset(offset) => {
                if std::mem::take(&mut self.os_down) {
                    self.add(t, 55, "phc2sys", "ptp4l", "PTP_PROCESS_STATUS:1");
                }
                let frequency = -78_368 - offset.clamp(-50_000, 50_000) / 3 - t % 3;
                let text = format!(
                    "CLOCK_REALTIME phc offset {offset:9} s2 freq {frequency:7} delay    560"
                );
                self.print(t, 400, "phc2sys", "ptp4l", &text);
            }
        }
    }

    fn synce4l(&mut self, t: i64, seen: &Seen) {
        let Some(synce) = &seen.synce else { return };
        let known = (synce.state.clone(), synce.quality);
        if self.synce.replace(known.clone()) == Some(known) {
            return;
        }
        let (eec, servo) = match synce.state {
            SyncState::Locked => ("EEC_LOCKED", "s2"),
            SyncState::Holdover => ("EEC_HOLDOVER", "s1"),
            _ => ("EEC_FREERUN", "s0"),
        };
        let (port, quality, extended) = (self.port_name.clone(), synce.quality, synce.extended);
        let text = format!("{port} device synce1 eec_state {eec} network_option 1 {servo}");
        self.add(t, 500, "synce4l", "synce4l", &text);
        let text = format!(
            "{port} clock_quality X device synce1 ext_ql {extended:#x} network_option 1 ql {quality:#x} {servo}"
        );
        self.add(t, 550, "synce4l", "synce4l", &text);
    }
}
