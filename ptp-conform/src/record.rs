//! What was read of each node, as far as requirements ask for it.

use std::collections::BTreeMap;

use ptp_events::metrics::{Metric, Metrics};
use ptp_events::observation::{Evidence, Observed, PortState, Printed, PrintedLine, Servo};
use ptp_events::recording::Origin;
use ptp_events::{GpsFix, Instance, NodeName, Offset, Received, Resource, SyncState};

use crate::judge::{is_holding, judge};
use crate::kind::ClockKind;
use crate::report::{Conformance, SCHEMA};

/// How many events, and how many changes in a log, are kept of a node: a day of a clock that flaps once a
/// second. What comes after is not judged, and the report says so.
const MOST: usize = 100_000;
/// How many nodes are judged.
const MOST_NODES: usize = 10_000;

/// Something that a publisher sent of one clock.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub at: Received,
    pub id: String,
    pub resource: Resource,
    pub instance: Instance,
    pub state: Option<SyncState>,
    pub class: Option<u8>,
    pub quality: Option<u8>,
    pub has_offset: bool,
    /// How it came: what was asked for, or came of a subscription, is no change.
    pub origin: Origin,
}

/// Something that changed in a log.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub at: Received,
    pub line: String,
    pub process: String,
    pub what: PrintedLine,
}

/// How often a process prints its figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cadence {
    pub first: Received,
    pub last: Received,
    pub count: u64,
    /// The longest gap in nanoseconds, and when it began.
    pub longest: (i64, Received),
}

/// A number of a scrape.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Exported {
    pub at: Received,
    pub process: String,
    pub interface: String,
    pub value: i64,
}

impl Sent {
    /// Whether it may have been sent because something changed.
    pub(crate) const fn may_be_change(&self) -> bool {
        matches!(self.origin, Origin::Push | Origin::Unknown)
    }
}

/// All of one node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub sent: Vec<Sent>,
    pub logged: Vec<Logged>,
    /// The latest line of each process, configuration and kind.
    latest: BTreeMap<(String, String, u8), PrintedLine>,
    /// When a process printed its first line, by process and configuration.
    pub began: BTreeMap<(String, String), (Received, String)>,
    pub cadences: BTreeMap<(String, &'static str), Cadence>,
    pub exported: BTreeMap<Metric, Vec<Exported>>,
    pub last: Option<Received>,
    /// Not all of it was kept.
    pub cut: bool,
}

/// Takes what was read, in order of time.
#[derive(Debug, Default)]
pub struct Gatherer {
    nodes: BTreeMap<NodeName, Record>,
}

impl Gatherer {
    /// Takes an event, or a line of a log as it was printed
    /// ([`ptp_events::daemon::DaemonSettings::verbatim`]); anything else tells nothing of a requirement.
    pub fn handle_evidence(&mut self, evidence: &Evidence, origin: Origin, at: Received) {
        let at = evidence.stamped().map_or(at, |stamped| stamped.assume_received());
        let Some(record) = self.node(evidence.node(), at) else { return };
        match evidence {
            Evidence::Event(event) => {
                for reading in event.readings.iter().filter(|r| !r.instance.is_placeholder()) {
                    record.push_sent(Sent {
                        at,
                        id: event.id.to_string(),
                        resource: event.resource.clone(),
                        instance: reading.instance.clone(),
                        state: reading.state.clone(),
                        class: reading.clock_class.map(|class| class.0),
                        quality: reading.quality.map(|quality| quality.0),
                        has_offset: reading.offset.is_some(),
                        origin,
                    });
                }
            }
            Evidence::Observation(seen) => {
                if let Observed::Printed(printed) = &seen.observed {
                    record.handle_printed(printed, &seen.id.to_string(), at);
                }
            }
        }
    }

    /// Takes the metrics of one scrape.
    pub fn handle_metrics(&mut self, metrics: &Metrics, at: Received) {
        for sample in metrics.samples() {
            let Some(record) = self.node(&sample.node, at) else { continue };
            let kept = record.exported.entry(sample.metric).or_default();
            if kept.len() < MOST {
                kept.push(Exported {
                    at,
                    process: sample.process.to_string(),
                    interface: sample.interface.to_string(),
                    value: sample.value,
                });
            }
        }
    }

    fn node(&mut self, name: &NodeName, at: Received) -> Option<&mut Record> {
        if self.nodes.len() >= MOST_NODES && !self.nodes.contains_key(name) {
            return None;
        }
        let record = self.nodes.entry(name.clone()).or_default();
        record.last = record.last.max(Some(at));
        Some(record)
    }

    /// Judges every node. `declared` says what part a node plays; of the others that is taken from what was
    /// read.
    #[must_use]
    pub fn judge(self, declared: &[(NodeName, ClockKind)]) -> Conformance {
        let nodes = self.nodes.into_iter().map(|(name, mut record)| {
            record.sent.sort_by_key(|sent| sent.at);
            record.logged.sort_by_key(|logged| logged.at);
            let said = declared.iter().find(|(node, _)| *node == name).map(|(_, kind)| *kind);
            let kind = said.or_else(|| record.kind());
            judge(name, kind, &record)
        });
        Conformance { schema: SCHEMA, nodes: nodes.collect() }
    }
}

impl Record {
    fn push_sent(&mut self, sent: Sent) {
        if self.sent.len() < MOST {
            self.sent.push(sent);
        } else {
            self.cut = true;
        }
    }

    fn handle_printed(&mut self, printed: &Printed, line: &str, at: Received) {
        let Printed { process, config, line: what, .. } = printed;
        let key = (process.to_string(), config.to_string());
        self.began.entry(key).or_insert_with(|| (at, line.to_owned()));
        let figure = match what {
            PrintedLine::Offset { .. } => Some("offset"),
            PrintedLine::Gnss { .. } | PrintedLine::Dpll(_) => Some("state"),
            _ => None,
        };
        if let Some(figure) = figure {
            self.count(process, figure, at);
        }
        // Only the servo's state is a change, and not each offset.
        let told = match what {
            PrintedLine::Offset { servo, .. } => {
                PrintedLine::Offset { offset: Offset::from_nanos(0), servo: *servo }
            }
            PrintedLine::Other => return,
            what => what.clone(),
        };
        let always = matches!(what, PrintedLine::Port(_) | PrintedLine::Process { .. });
        let key = (process.to_string(), config.to_string(), kind(what));
        let before = self.latest.insert(key, told.clone());
        if before == Some(told) && !always {
            return;
        }
        if self.logged.len() >= MOST {
            self.cut = true;
            return;
        }
        self.logged.push(Logged {
            at,
            line: line.to_owned(),
            process: process.to_string(),
            what: what.clone(),
        });
    }

    fn count(&mut self, process: &str, figure: &'static str, at: Received) {
        let cadence = self.cadences.entry((process.to_owned(), figure)).or_insert(Cadence {
            first: at,
            last: at,
            count: 0,
            longest: (0, at),
        });
        let gap = at.as_nanos().saturating_sub(cadence.last.as_nanos());
        if gap > cadence.longest.0 {
            cadence.longest = (gap, cadence.last);
        }
        cadence.last = cadence.last.max(at);
        cadence.count += 1;
    }

    /// What part it plays, as far as what was read shows. A receiver is a grandmaster's; a clock that announces
    /// 7 or 140 while it holds over itself is one too, and one that announces 135 or 165 a boundary clock
    /// (ITU-T G.8275.1, table 3; one that follows passes them on). So is one whose port serves. 255 alone is a
    /// slave's.
    fn kind(&self) -> Option<ClockKind> {
        let receiver = self.sent.iter().any(|sent| sent.resource == Resource::Gnss)
            || self.logged.iter().any(|line| matches!(line.what, PrintedLine::Gnss { .. }))
            || self.began.keys().any(|(process, _)| process == "GM")
            || self.exported.contains_key(&Metric::GnssStatus);
        if receiver {
            return Some(ClockKind::TGm);
        }
        let own = |class: u8, at: Received| match (class, is_holding(self, at)) {
            (7 | 140, true) => Some(ClockKind::TGm),
            (135 | 165, true) => Some(ClockKind::TBc),
            _ => None,
        };
        let sent = self.sent.iter().filter_map(|sent| Some((sent.class?, sent.at)));
        let logged = self.logged.iter().filter_map(|line| match line.what {
            PrintedLine::Class(class) => Some((class.0, line.at)),
            _ => None,
        });
        let classes: Vec<(u8, Received)> = sent.chain(logged).collect();
        if let Some(kind) = classes.iter().find_map(|(class, at)| own(*class, *at)) {
            return Some(kind);
        }
        let serves = self.logged.iter().any(|line| match &line.what {
            PrintedLine::Port(change) => change.to == PortState::Master,
            _ => line.process == "T-BC",
        });
        let roles = self.exported.get(&Metric::InterfaceRole).into_iter().flatten();
        if serves || roles.into_iter().any(|role| role.value == MASTER) {
            return Some(ClockKind::TBc);
        }
        let exported = self.exported.get(&Metric::ClockClass).into_iter().flatten();
        let exported = exported.map(|exported| exported.value);
        let mut all = classes.iter().map(|(class, _)| i64::from(*class)).chain(exported).peekable();
        (all.peek().is_some() && all.all(|class| class == 255)).then_some(ClockKind::TTsc)
    }
}

/// Which lines are compared with each other.
const fn kind(line: &PrintedLine) -> u8 {
    match line {
        PrintedLine::Status(_) => 0,
        PrintedLine::Class(_) => 1,
        PrintedLine::Gnss { .. } => 2,
        PrintedLine::Dpll(_) => 3,
        PrintedLine::Port(_) => 4,
        PrintedLine::Process { .. } => 5,
        PrintedLine::Offset { .. } => 6,
        _ => 7,
    }
}

/// `openshift_ptp_interface_role` of a port that serves.
pub(crate) const MASTER: i64 = 2;

/// A fix that gives time.
pub(crate) fn gives_time(fix: GpsFix, servo: Servo) -> bool {
    fix.0 >= 3 && servo == Servo::Locked
}
