//! What came of it: a document, schema `ptp-conform/v1`.

use ptp_events::{NodeName, Received};
use serde::Serialize;

use crate::kind::ClockKind;

/// The schema of [`Conformance`]; fields are added, never renamed.
pub const SCHEMA: &str = "ptp-conform/v1";

/// What was found of all nodes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Conformance {
    /// `ptp-conform/v1`
    pub schema: &'static str,
    /// The nodes, by name.
    pub nodes: Vec<NodeConformance>,
}

/// What was found of one node.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NodeConformance {
    /// The node.
    pub node: NodeName,
    /// What part it plays; `None` where neither anybody said nor what was read shows it, and then nothing is
    /// judged.
    pub kind: Option<ClockKind>,
    /// Every requirement of its kind, in the order of their numbers.
    pub judgements: Vec<Judgement>,
}

/// One requirement, judged for one node.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Judgement {
    /// `FUNC-TGM003-R1`
    pub requirement: &'static str,
    /// What must hold, in one sentence.
    pub must: &'static str,
    /// Whether it does.
    pub verdict: Verdict,
    /// How often it could be seen.
    pub seen: usize,
    /// Where it failed; the first ten.
    pub failures: Vec<Proof>,
    /// What is worth knowing: which part was judged, or what would make it observable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Where it failed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Proof {
    /// When, by the node's own clock.
    pub at: Received,
    /// What was seen in place of what must be.
    pub says: String,
    /// The event or the line that shows it.
    pub source: String,
}

/// Whether a requirement holds.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// It held whenever it could be seen.
    Pass,
    /// What can be seen of it held; the note says what cannot be.
    Partly,
    /// It did not hold.
    Fail,
    /// The texts contradict each other here, or it may be either.
    Inconclusive,
    /// Nothing that was read shows it; the note says what would.
    NotObservable,
}

impl Verdict {
    /// As it is written for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Partly => "partly",
            Self::Fail => "FAIL",
            Self::Inconclusive => "inconclusive",
            Self::NotObservable => "not observable",
        }
    }
}
