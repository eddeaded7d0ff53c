//! One fault: its cause, its life, and everything that is explained by it.

use std::collections::BTreeSet;
use std::time::Duration;

use ptp_events::{EventId, Received};
use serde::{Deserialize, Serialize};

use super::finding::Finding;
use crate::Severity;
use crate::causality::Subject;
use crate::causality::score::{Diagnosis, Verdict};
use crate::causes::{RootCause, Watch};
use crate::model::Model;
use crate::model::node::{ClockId, NodeId};
use crate::model::stage::Stage;
use crate::model::symptom::Symptoms;
use crate::model::timeline::Said;

/// Where an incident is in its life.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    cause: RootCause,
    /// Whether the evidence decided for that cause.
    sure: bool,
    /// When people were told last.
    at: Received,
}

/// How long after people were told of an incident another cause may be a second fault, and is not the same
/// one better known.
const ANOTHER_FAULT: Duration = Duration::from_mins(1);

/// How many times more nodes must be silent than people were told of, so that they are told again: a
/// whole cluster falls silent one by one, and it is another matter than two nodes.
const GROWN: usize = 4;

impl Told {
    /// Whether people must be told again: the first word about many nodes may have been about one.
    pub(crate) fn is_worse_than(self, before: Self) -> bool {
        let grown = self.unheard >= before.unheard.saturating_mul(GROWN).max(GROWN);
        // What the shape of offsets tells is better known as it goes on; anything else that comes on top
        // of it is another fault.
        let watch = |told: Self| told.cause.cause().watch;
        let renamed = self.sure && watch(before) == Watch::Long && watch(self) == Watch::Usual;
        let later = self.at.since(before.at) >= ANOTHER_FAULT;
        self.severity > before.severity
            || (self.many && !before.many)
            || grown
            || (renamed && later)
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
    /// The stages of the chain that they are about, a bit each.
    pub found_at: u16,
    pub witnesses: Vec<Witness>,
    /// What the latest finding is about; further events of its clock are judged like it.
    pub latest: Subject,
    /// What was seen of it so far.
    pub seen: Symptoms,
    /// How many findings have not cleared.
    pub open_findings: usize,
    /// When the last of them cleared.
    pub cleared_at: Received,
    pub reopened: u32,
    /// What people were told last.
    pub told: Option<Told>,
    /// Why it ended, when not by getting well.
    pub merged_into: Option<String>,
    /// The same, by number.
    pub continues_in: Option<IncidentId>,
    /// It ended because every node that it affected left.
    pub left: bool,
    pub due: Option<Received>,
}

impl Incident {
    /// The stages of the chain that its findings are about.
    pub(crate) fn stages(&self) -> impl Iterator<Item = Stage> {
        Stage::ALL.iter().copied().filter(|stage| self.found_at & (1 << *stage as u16) != 0)
    }

    /// Of nodes that fall silent none is more to blame than another: each is where it is. Whoever is blind
    /// to half of all, and to three at least, would see no fault: how bad that is.
    pub(crate) fn note_blind(&mut self, node: NodeId, model: &Model) -> Option<Severity> {
        if self.diagnosis.cause.cause().stage != Stage::Telemetry {
            return None;
        }
        if !self.diagnosis.origin.contains(&node) {
            self.diagnosis.origin.push(node);
        }
        let most = self.affected.len() > 2 && self.affected.len() * 2 >= model.nodes.len();
        most.then_some(Severity::Critical)
    }

    pub(crate) const fn note_stage(&mut self, stage: Stage) {
        self.found_at |= 1 << stage as u16;
    }

    /// What people are told if they are told now.
    pub(crate) fn as_told(&self, at: Received) -> Told {
        let reaches = self.diagnosis.cause.cause().reaches_followers;
        let unheard = match self.diagnosis.cause.cause().stage {
            Stage::Telemetry => self.affected.len(),
            _ => 0,
        };
        Told {
            severity: self.severity,
            many: reaches || self.affected.len() > 1,
            unheard,
            cause: self.diagnosis.cause,
            sure: self.diagnosis.verdict() != Verdict::Inconclusive,
            at,
        }
    }
}
