//! One fault: its cause, its life, and everything that is explained by it.

use std::collections::BTreeSet;

use ptp_events::{EventId, Received};
use serde::Serialize;

use crate::Severity;
use crate::cause::RootCause;
use crate::classify::Subject;
use crate::finding::Finding;
use crate::node::{ClockId, NodeId};
use crate::timeline::Said;

/// How sure we are of a root cause.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Direct evidence, and nothing against it.
    Confirmed,
    /// The evidence fits, and fits others less.
    Likely,
    /// The evidence does not decide.
    Inconclusive,
}

impl Verdict {
    /// As it is written in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Likely => "likely",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Where an incident is in its life.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is so now.
    Firing,
    /// It is over.
    Resolved,
}

impl Status {
    /// As it is written in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// A root cause, with how sure we are and what else it could be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Diagnosis {
    pub cause: RootCause,
    pub verdict: Verdict,
    /// From 0 to 1.
    pub confidence: f32,
    /// Where it began.
    pub origin: Vec<NodeId>,
    /// What else it could be, most likely first.
    pub alternatives: Vec<(RootCause, f32)>,
}

/// Something a clock said that belongs to an incident.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    pub at: Received,
    pub node: NodeId,
    pub clock: ClockId,
    pub event: EventId,
    pub said: Said,
    /// Whether it speaks for the root cause, or against it.
    pub supports: bool,
}

/// The number of an incident within an engine, in the order of opening.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct IncidentId(pub(crate) u64);

/// The most findings an incident lists, and the most witnesses.
pub(crate) const MAX_FINDINGS: usize = 1000;
pub(crate) const MAX_WITNESSES: usize = 64;

/// What an incident was when people were told of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    severity: Severity,
    /// Whether it was said to be about many nodes, or its cause is one that reaches those that follow.
    many: bool,
    /// How many nodes it was said that nothing is heard of.
    unheard: usize,
}

/// How many times more nodes must be silent than people were told of, so that they are told again: a
/// whole cluster falls silent one by one, and it is another matter than two nodes.
const GROWN: usize = 4;

impl Told {
    /// Whether people must be told again: the first word about many nodes may have been about one.
    pub(crate) fn is_worse_than(self, before: Self) -> bool {
        let grown = self.unheard >= before.unheard.saturating_mul(GROWN).max(GROWN);
        self.severity > before.severity || (self.many && !before.many) || grown
    }
}

/// One fault.
#[derive(Clone, Debug)]
pub(crate) struct Incident {
    /// Stable for the same input.
    pub key: String,
    pub diagnosis: Diagnosis,
    pub severity: Severity,
    pub status: Status,
    /// When the fault began.
    pub opened_at: Received,
    /// When we could say so.
    pub detected_at: Received,
    pub resolved_at: Option<Received>,
    pub affected: BTreeSet<NodeId>,
    /// The clocks that must be healthy before it resolves.
    pub clocks: BTreeSet<ClockId>,
    pub findings: Vec<Finding>,
    pub witnesses: Vec<Witness>,
    /// What the latest finding is about; further events of its clock are judged like it.
    pub latest: Subject,
    /// How many findings have not cleared.
    pub open_findings: usize,
    /// When the last of them cleared.
    pub cleared_at: Received,
    pub reopened: u32,
    /// What people were told last.
    pub told: Option<Told>,
    /// Why it ended, when not by getting well.
    pub merged_into: Option<String>,
    /// It ended because every node that it affected left.
    pub left: bool,
    pub due: Option<Received>,
}

impl Incident {
    /// What people are told if they are told now.
    pub(crate) fn as_told(&self) -> Told {
        let reaches = self.diagnosis.cause.cause().reaches_followers;
        let unheard = match self.diagnosis.cause {
            RootCause::TelemetryGap => self.affected.len(),
            _ => 0,
        };
        Told { severity: self.severity, many: reaches || self.affected.len() > 1, unheard }
    }
}
