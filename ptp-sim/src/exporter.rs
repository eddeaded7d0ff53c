//! The same run told by the metrics of linuxptp-daemon, scrape by scrape (docs/protocol.md §7).

use std::fmt::Write as _;
use std::time::Duration;

use ptp_events::{Received, SyncState};

use crate::clock::Seen;
use crate::conditions::Conditions;
use crate::lock::Sample;
use crate::os_clock::OsSample;
use crate::topology::{Node, Role};

/// What Prometheus knows of all nodes at one moment, as a range query tells it: of each the latest
/// scrape, if its exporter still answers.
#[derive(Clone, Copy, Debug)]
pub struct Scrape<'a> {
    /// The moment.
    pub at: Received,
    /// Their metrics, in the text format.
    pub text: &'a str,
}

/// How often Prometheus scrapes, unless it is told otherwise (`scrape_interval` of OpenShift's
/// `ServiceMonitor` for it).
pub const SCRAPED_EVERY: Duration = Duration::from_secs(30);
pub(crate) const EVERY_S: i64 = 30;
/// How long a pod has been up when the scenario begins, in s.
const UP_S: i64 = 400_000;

/// One node's exporter: gauges keep what was set last.
#[derive(Debug)]
pub(crate) struct Exporter {
    node: Node,
    port_name: String,
    /// Whether the pod runs, and has been asked by now for what there is.
    /// When the scenario begins, in s since 1970.
    begins: i64,
    /// When its pod was started, in s of the scenario: of a node that is switched on, then.
    started: i64,
    is_up: Option<bool>,
    state: Option<SyncState>,
    offset: i64,
    frequency: i64,
    role: u8,
    ptp_up: bool,
    os: Option<SyncState>,
    os_offset: i64,
    os_frequency: i64,
    os_up: bool,
    class: u8,
    gnss: Option<(SyncState, u8, i64)>,
}

impl Exporter {
    pub(crate) fn new(node: &Node, start: Received) -> Self {
        let port = node.interface.strip_suffix('x');
        Self {
            node: node.clone(),
            port_name: port.map_or_else(|| node.interface.clone(), |card| format!("{card}0")),
            begins: start.as_nanos() / 1_000_000_000,
            started: if node.cold { 0 } else { -UP_S },
            is_up: None,
            state: None,
            offset: 0,
            frequency: 0,
            role: 5,
            ptp_up: true,
            os: None,
            os_offset: 0,
            os_frequency: 0,
            os_up: true,
            class: 248,
            gnss: None,
        }
    }

    /// Second `t` passes.
    pub(crate) fn step(
        &mut self,
        t: i64,
        seen: &Seen,
        now: &Conditions,
        state: (Option<&SyncState>, Option<&SyncState>),
        class: u8,
    ) {
        // A pod that was away has just been started.
        let is_up = !now.publisher_down;
        if is_up && self.is_up == Some(false) {
            self.started = t;
        }
        self.is_up = Some(is_up);
        (self.state, self.os) = (state.0.cloned(), state.1.cloned());
        self.class = class;
        self.ptp_up = seen.ptp != Sample::ProcessDown && !now.ptp_down;
        self.os_up = seen.os != OsSample::Down;
        self.role = match seen.ptp {
            _ if self.node.role == Role::Grandmaster => 2,
            Sample::Offset(_) => 1,
            Sample::Lost(_) if now.selecting => 5,
            _ if now.link_fault => 3,
            _ => 5,
        };
        // An integrator moves, however little.
        if let Sample::Offset(offset) = seen.ptp {
            self.offset = offset;
            self.frequency = -13_863 - offset.clamp(-50_000, 50_000) / 3 - t % 7;
        }
        if let OsSample::Offset(offset) = seen.os {
            self.os_offset = offset;
            self.os_frequency = -78_368 - offset.clamp(-50_000, 50_000) / 3 - t % 7;
        }
        self.gnss = seen.gnss.as_ref().map(|gnss| (gnss.state.clone(), gnss.fix, gnss.offset_ns));
    }

    /// What it answers now; nothing while its pod is gone.
    pub(crate) fn answer(&self) -> Option<String> {
        if self.is_up != Some(true) {
            return None;
        }
        let mut text = String::with_capacity(2_048);
        // Prometheus adds whose it is.
        let started = self.begins + self.started;
        let _ =
            writeln!(text, "process_start_time_seconds{{node=\"{}\"}} {started}", self.node.name);
        let (node, card, port) = (self.node.name.as_str(), &*self.node.interface, &*self.port_name);
        let mut add = |metric: &str, iface: &str, process: &str, rest: &str, value: i64| {
            let _ = writeln!(
                text,
                "openshift_ptp_{metric}{{{rest}iface=\"{iface}\",node=\"{node}\",process=\"{process}\"}} {value}"
            );
        };
        let by_pulse = self.node.role == Role::Grandmaster;
        let (process, servo) = if by_pulse { ("GM", "ts2phc") } else { ("ptp4l", "ptp4l") };
        if let Some(state) = &self.state {
            add("clock_state", card, process, "", number(state));
            add("offset_ns", card, process, "from=\"master\",", self.offset);
        }
        add("frequency_adjustment_ns", card, servo, "from=\"master\",", self.frequency);
        add("delay_ns", card, servo, "from=\"master\",", if by_pulse { 0 } else { 141 });
        add("interface_role", port, "ptp4l", "", self.role.into());
        add("process_status", "", servo, "config=\"ptp4l.0.config\",", self.ptp_up.into());
        add("process_status", "", "phc2sys", "config=\"ptp4l.0.config\",", self.os_up.into());
        add("clock_class", "", "ptp4l", "config=\"ptp4l.0.config\",", self.class.into());
        if let Some(state) = &self.os {
            add("clock_state", "CLOCK_REALTIME", "phc2sys", "", number(state));
            add("offset_ns", "CLOCK_REALTIME", "phc2sys", "from=\"phc\",", self.os_offset);
            let frequency = self.os_frequency;
            add("frequency_adjustment_ns", "CLOCK_REALTIME", "phc2sys", "from=\"phc\",", frequency);
            add("delay_ns", "CLOCK_REALTIME", "phc2sys", "from=\"phc\",", 560);
        }
        if let Some((state, fix, offset)) = &self.gnss {
            let locked = state.is_locked();
            add("clock_state", card, "gnss", "", locked.into());
            add("gnss_status", card, "gnss", "from=\"gnss\",", (*fix).into());
            add("offset_ns", card, "gnss", "from=\"gnss\",", *offset);
            add("nmea_status", card, "ts2phc", "", locked.into());
            add("pps_status", card, "dpll", "from=\"dpll\",", locked.into());
            let lock = match &self.state {
                Some(SyncState::Locked) => 3,
                Some(SyncState::Holdover) => 4,
                Some(_) => 1,
                None => -1,
            };
            add("frequency_status", card, "dpll", "from=\"dpll\",", lock);
            add("phase_status", card, "dpll", "from=\"dpll\",", lock);
        }
        Some(text)
    }
}

const fn number(state: &SyncState) -> i64 {
    match state {
        SyncState::Locked => 1,
        SyncState::Holdover => 2,
        _ => 0,
    }
}
