//! The metrics of linuxptp-daemon and cloud-event-proxy, from their Prometheus text.
//!
//! [`Metrics::parse`] reads the samples that tell of clocks and processes; [`Metrics::events`] makes
//! of them the events a publisher would answer with when asked for its current state.
//!
//! ```
//! use ptp_events::metrics::{Metric, Metrics};
//! use ptp_events::Stamped;
//!
//! let text = "# TYPE openshift_ptp_clock_state gauge\n\
//!     openshift_ptp_clock_state{iface=\"ens1fx\",node=\"n1\",process=\"ptp4l\"} 1\n\
//!     openshift_ptp_offset_ns{from=\"master\",iface=\"ens1fx\",node=\"n1\",process=\"ptp4l\"} -3\n";
//! let metrics = Metrics::parse(text)?;
//! assert_eq!(metrics.samples()[0].metric, Metric::ClockState);
//! let events = metrics.events(Stamped::parse("2026-11-23T06:40:30Z")?);
//! assert_eq!(events[0].readings[0].state, Some(ptp_events::SyncState::Locked));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod exposition;
mod history;
mod scrapes;

use std::collections::BTreeMap;

use smol_str::{SmolStr, format_smolstr};

use crate::units::{decimal, small};
use crate::{
    ClockClass, Event, EventId, GpsFix, Instance, Measurement, NameError, NodeName, NumberError,
    Reading, Resource, Stamped, SyncState,
};
use exposition::Labelled;
pub use history::{History, MAX_HISTORY_BYTES};
pub use scrapes::Scrapes;

/// The longest text we accept, in bytes. A node's has some 10 KiB.
pub const MAX_METRICS_BYTES: usize = 1 << 20;

/// How many samples of ours we accept. A node has about a hundred.
const MOST_SAMPLES: usize = 4096;

/// Why a text is not what a metrics endpoint answers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// More than [`MAX_METRICS_BYTES`], or [`MAX_HISTORY_BYTES`] of several scrapes.
    #[error("the metrics are too long: more than 1 MiB in one scrape, or 128 MiB in all")]
    TooLong,
    /// More samples than any node has, or than a history may hold.
    #[error("the metrics hold too many samples: more than 4096 in one scrape, or a million in all")]
    TooMany,
    /// Not a line of the text format.
    #[error("line {line} is no metric: {expected}")]
    Syntax {
        /// Counted from 1.
        line: u64,
        /// What should have been there.
        expected: &'static str,
    },
    /// A metric of ours whose value is not what it counts.
    #[error("line {line} has a value that cannot be read")]
    Value {
        /// Counted from 1.
        line: u64,
        /// Why not.
        source: NumberError,
    },
    /// What should be an answer of Prometheus is not one.
    #[error("this is no answer of Prometheus")]
    Json {
        /// Why not.
        source: serde_json::Error,
    },
    /// A node's name is not acceptable.
    #[error("line {line} names a node that cannot be one")]
    Node {
        /// Counted from 1.
        line: u64,
        /// Why not.
        source: NameError,
    },
}

/// A metric that tells of a clock or a process.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Metric {
    /// `openshift_ptp_clock_state`: 0 FREERUN, 1 LOCKED, 2 HOLDOVER.
    ClockState,
    /// `openshift_ptp_offset_ns`, in nanoseconds.
    Offset,
    /// `openshift_ptp_clock_class`.
    ClockClass,
    /// `openshift_ptp_gnss_status`: the fix, 0 to 5.
    GnssStatus,
    /// `openshift_ptp_nmea_status`: 0 unavailable, 1 available.
    NmeaStatus,
    /// `openshift_ptp_frequency_status`: of a DPLL, −1 to 4.
    FrequencyStatus,
    /// `openshift_ptp_phase_status`: of a DPLL, −1 to 4.
    PhaseStatus,
    /// `openshift_ptp_pps_status`: 0 unavailable, 1 available.
    PpsStatus,
    /// `openshift_ptp_interface_role`: 0 PASSIVE, 1 SLAVE, 2 MASTER, 3 FAULTY, 4 UNKNOWN,
    /// 5 LISTENING.
    InterfaceRole,
    /// `openshift_ptp_process_status`: 0 down, 1 up.
    ProcessStatus,
    /// `openshift_ptp_process_restart_count`: how often the daemon has started it.
    ProcessRestarts,
    /// `openshift_ptp_frequency_adjustment_ns`: what the servo corrects, in parts per billion.
    FrequencyAdjustment,
    /// `openshift_ptp_delay_ns`: of the path, or of reading the clock, in nanoseconds.
    Delay,
}

impl Metric {
    fn named(name: &str) -> Option<Self> {
        Some(match name.strip_prefix("openshift_ptp_")? {
            "clock_state" => Self::ClockState,
            "offset_ns" => Self::Offset,
            "clock_class" => Self::ClockClass,
            "gnss_status" => Self::GnssStatus,
            "nmea_status" => Self::NmeaStatus,
            "frequency_status" => Self::FrequencyStatus,
            "phase_status" => Self::PhaseStatus,
            "pps_status" => Self::PpsStatus,
            "interface_role" => Self::InterfaceRole,
            "process_status" => Self::ProcessStatus,
            "process_restart_count" => Self::ProcessRestarts,
            "frequency_adjustment_ns" => Self::FrequencyAdjustment,
            "delay_ns" => Self::Delay,
            _ => return None,
        })
    }
}

/// One number of one clock or process.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// What is counted.
    pub metric: Metric,
    /// Of which node.
    pub node: NodeName,
    /// By whom: `ptp4l`, `phc2sys`, `ts2phc`, `gnss`, `dpll`, `GM`.
    pub process: SmolStr,
    /// Of which interface, as an alias; empty where the metric has none.
    pub interface: SmolStr,
    /// With which configuration: `ptp4l.0.config`; empty where the metric has none.
    pub config: SmolStr,
    /// The number, rounded to an integer: of nanoseconds for an offset, else as [`Metric`] says.
    pub value: i64,
}

/// The samples of one scrape, in the order of the text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Metrics {
    samples: Vec<Sample>,
    /// When the exporter was started, in s since 1970 (`process_start_time_seconds`): what every exporter of
    /// Prometheus' own libraries tells of itself.
    started: Option<i64>,
    /// The same of nodes, where the text names them.
    starts: Vec<(NodeName, i64)>,
}

impl Metrics {
    /// Reads the Prometheus text format. Metrics that tell nothing of clocks are passed over, as is
    /// a sample of ours without a node or a process.
    ///
    /// # Errors
    /// When a line is not of the format, or a number of ours is not readable; the error names it.
    pub fn parse(text: &str) -> Result<Self, MetricsError> {
        if text.len() > MAX_METRICS_BYTES {
            return Err(MetricsError::TooLong);
        }
        let mut metrics = Self::default();
        for (line, text) in (1..).zip(text.lines()) {
            let labelled = exposition::parse(text)
                .map_err(|expected| MetricsError::Syntax { line, expected })?;
            let Some(labelled) = labelled else { continue };
            metrics.note_start(&labelled);
            if let Some(sample) = sample(&labelled, line)? {
                if metrics.samples.len() == MOST_SAMPLES {
                    return Err(MetricsError::TooMany);
                }
                metrics.samples.push(sample);
            }
        }
        Ok(metrics)
    }

    /// Takes in when the exporter was started, if that is what is told.
    fn note_start(&mut self, labelled: &Labelled<'_>) {
        if labelled.name != "process_start_time_seconds" {
            return;
        }
        let Ok(started) = decimal(labelled.value) else { return };
        match labelled.label("node").map(NodeName::new) {
            Some(Ok(node)) if self.starts.len() < MOST_SAMPLES => self.starts.push((node, started)),
            Some(_) => {}
            None => self.started = Some(started),
        }
    }

    /// When the exporter of a node was started, in s since 1970, if that is told.
    fn started(&self, node: &NodeName) -> Option<i64> {
        let of_node = self.starts.iter().find(|(of, _)| of == node).map(|(_, at)| *at);
        of_node.or(self.started)
    }

    /// The samples, in the order of the text.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// What publishers would answer when asked at `at`: lock state, system clock, receiver and
    /// class, of each node in turn. What no event tells, such as DPLL and process status, stays in
    /// [`Self::samples`], and [`Scrapes`] makes observations of it.
    #[must_use]
    pub fn events(&self, at: Stamped) -> Vec<Event> {
        let clocks = self.clocks().into_iter();
        clocks.filter_map(|(clock, told)| clock.event("metrics", told.reading, at)).collect()
    }

    /// What is told of each clock that has a state or a class; an offset alone belongs to a clock
    /// that has no state here.
    fn clocks(&self) -> BTreeMap<Clock<'_>, Told> {
        let mut clocks: BTreeMap<Clock<'_>, Told> = BTreeMap::new();
        for sample in &self.samples {
            let Some((resource, instance)) = self.clock(sample) else { continue };
            let clock = Clock { node: &sample.node, resource, instance };
            let told = clocks.entry(clock).or_insert_with_key(|clock| Told {
                process: sample.process.clone(),
                reading: Reading::new(clock.instance.clone()),
                frequency: None,
                delay: None,
            });
            match sample.metric {
                Metric::FrequencyAdjustment => told.frequency = Some(sample.value),
                Metric::Delay => told.delay = Some(sample.value),
                _ => read(&mut told.reading, sample),
            }
        }
        clocks.retain(|_, told| told.reading.state.is_some() || told.reading.clock_class.is_some());
        clocks
    }

    /// The clock that a sample tells of, as events name it.
    fn clock(&self, sample: &Sample) -> Option<(Resource, Instance)> {
        if sample.metric == Metric::ClockClass {
            return Some((Resource::ClockClass, self.announcing(sample)?));
        }
        if !matches!(
            sample.metric,
            Metric::ClockState
                | Metric::Offset
                | Metric::GnssStatus
                | Metric::FrequencyAdjustment
                | Metric::Delay
        ) {
            return None;
        }
        let resource = match &*sample.process {
            "phc2sys" if sample.interface == "CLOCK_REALTIME" => {
                return Some((Resource::OsClock, Instance::from_static("CLOCK_REALTIME")));
            }
            "gnss" => Resource::Gnss,
            process if Some(process) == self.steers(&sample.node) => Resource::LockState,
            _ => return None,
        };
        master(&sample.interface).map(|instance| (resource, instance))
    }

    /// Whose state is the PTP clock's: the grandmaster's or boundary clock's where there is one.
    fn steers(&self, node: &NodeName) -> Option<&'static str> {
        ["GM", "T-BC", "ptp4l", "ts2phc"].into_iter().find(|process| {
            let of_it = |s: &&Sample| s.node == *node && s.process == *process;
            self.samples.iter().filter(of_it).any(|s| s.metric == Metric::ClockState)
        })
    }

    /// The clock that announces a class: the metric names the configuration only.
    fn announcing(&self, class: &Sample) -> Option<Instance> {
        let steers = self.steers(&class.node);
        let mut clocks = self.samples.iter().filter(|sample| {
            sample.metric == Metric::ClockState
                && sample.node == class.node
                && Some(&*sample.process) == steers
        });
        match (clocks.next(), clocks.next()) {
            (Some(only), None) => master(&only.interface),
            _ => Instance::new(&class.config).ok(),
        }
    }
}

/// A clock that metrics tell of, as events name it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Clock<'a> {
    node: &'a NodeName,
    resource: Resource,
    instance: Instance,
}

/// What one scrape tells of a clock.
#[derive(Clone, Debug)]
struct Told {
    /// Whose samples they are.
    process: SmolStr,
    reading: Reading,
    frequency: Option<i64>,
    delay: Option<i64>,
}

impl Clock<'_> {
    /// The event of this clock, from the scrape called `scrape`.
    fn event(self, scrape: &str, reading: Reading, at: Stamped) -> Option<Event> {
        Some(Event {
            id: id(scrape, &self.resource, &self.instance)?,
            node: self.node.clone(),
            resource: self.resource,
            stamped: Some(at),
            readings: [reading].into(),
        })
    }
}

fn id(scrape: &str, resource: &Resource, instance: &Instance) -> Option<EventId> {
    let id = format_smolstr!("{scrape}-{resource}-{instance}");
    EventId::new(id.get(..id.len().min(200)).unwrap_or(scrape)).ok()
}

fn master(interface: &str) -> Option<Instance> {
    Instance::new(&format!("{interface}/master")).ok()
}

fn sample(labelled: &Labelled<'_>, line: u64) -> Result<Option<Sample>, MetricsError> {
    let Some(metric) = Metric::named(&labelled.name) else { return Ok(None) };
    let (Some(node), Some(process)) = (labelled.label("node"), labelled.label("process")) else {
        return Ok(None);
    };
    let node = NodeName::new(node).map_err(|source| MetricsError::Node { line, source })?;
    let value = decimal(labelled.value).map_err(|source| MetricsError::Value { line, source })?;
    let label = |key| SmolStr::new(labelled.label(key).unwrap_or_default());
    Ok(Some(Sample {
        metric,
        node,
        process: SmolStr::new(process),
        interface: label("iface"),
        config: label("config"),
        value,
    }))
}

/// Puts a sample where it belongs in a reading; a number out of its range is no reading.
fn read(reading: &mut Reading, sample: &Sample) {
    let in_u8 = || small(&sample.value.to_string()).ok();
    match sample.metric {
        Metric::ClockState => {
            reading.state = match (sample.value, &*sample.process) {
                (1, "gnss") => Some(SyncState::Synchronized),
                // Which of the failures it is depends on the fix, which may come later.
                (0 | 2, "gnss") => Some(failure(reading.gps_fix)),
                (0, _) => Some(SyncState::Freerun),
                (1, _) => Some(SyncState::Locked),
                (2, _) => Some(SyncState::Holdover),
                _ => None,
            };
        }
        Metric::Offset => reading.offset = Some(Measurement::from_nanos(sample.value)),
        Metric::ClockClass => reading.clock_class = in_u8().map(ClockClass),
        Metric::GnssStatus => {
            reading.gps_fix = in_u8().map(GpsFix);
            if reading.state.as_ref().is_some_and(|state| !state.is_locked()) {
                reading.state = Some(failure(reading.gps_fix));
            }
        }
        _ => {}
    }
}

/// As the publisher names it (docs/protocol.md §9).
fn failure(fix: Option<GpsFix>) -> SyncState {
    match fix {
        None | Some(GpsFix(0)) => SyncState::FailureNofix,
        Some(_) => SyncState::AcquiringSync,
    }
}
