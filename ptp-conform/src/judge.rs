//! Judges a record by the rows of its kind.

mod exported;
mod logged;
mod sent;

use std::time::Duration;

use ptp_events::{NodeName, Received, Resource};

use crate::kind::ClockKind;
use crate::record::Record;
use crate::report::{Judgement, NodeConformance, Proof, Verdict};
use crate::requirement::{Check, Requirement, State};
use crate::rows::REQUIREMENTS;

/// How many failures of one requirement are listed.
const MOST_LISTED: usize = 10;
/// What must follow "at once" (requirements, §3: within a second of the transition).
const AT_ONCE: Duration = Duration::from_secs(1);
/// How long a process may be down without an event: `processDowntimeThresholds`, by default.
pub(crate) const DOWNTIME: Duration = Duration::from_secs(5);

/// What came of looking for one requirement.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How often it could be seen.
    pub seen: usize,
    pub failures: Vec<Proof>,
    /// What would have made it observable, where nothing was seen.
    pub wants: &'static str,
}

impl Tally {
    /// Nothing seen yet; this is what it takes.
    pub(crate) fn wanting(wants: &'static str) -> Self {
        Self { wants, ..Self::default() }
    }

    /// It was seen once more.
    pub(crate) fn note(
        &mut self,
        held: bool,
        at: Received,
        source: &str,
        says: impl FnOnce() -> String,
    ) {
        self.seen += 1;
        if !held {
            self.failures.push(Proof { at, says: says(), source: source.to_owned() });
        }
    }
}

pub(crate) fn judge(node: NodeName, kind: Option<ClockKind>, record: &Record) -> NodeConformance {
    let rows = REQUIREMENTS.iter().filter(|(of, _)| Some(*of) == kind).flat_map(|(_, rows)| *rows);
    let judgements = rows.map(|row| judge_row(row, record)).collect();
    NodeConformance { node, kind, judgements }
}

fn judge_row(row: &Requirement, record: &Record) -> Judgement {
    let Tally { seen, mut failures, wants } = look(row.check, record);
    let verdict = match (failures.is_empty(), seen) {
        (false, _) if row.contested.is_some() => Verdict::Inconclusive,
        (false, _) => Verdict::Fail,
        (true, 0) => Verdict::NotObservable,
        (true, _) if row.unseen.is_some() || record.cut => Verdict::Partly,
        (true, _) => Verdict::Pass,
    };
    failures.truncate(MOST_LISTED);
    let note = match verdict {
        Verdict::NotObservable => Some(format!("needs {wants}")),
        Verdict::Fail => row.known.map(str::to_owned),
        Verdict::Inconclusive => row.contested.map(str::to_owned),
        Verdict::Partly if record.cut => {
            Some("only the beginning was judged: it is too much".to_owned())
        }
        Verdict::Partly => row.unseen.map(str::to_owned),
        Verdict::Pass => None,
    };
    Judgement { requirement: row.id, must: row.must, verdict, seen, failures, note }
}

fn look(check: Check, record: &Record) -> Tally {
    match check {
        Check::Needs(wants) => Tally::wanting(wants),
        Check::Always => Tally { seen: 1, ..Tally::default() },

        Check::LossHoldsOver => sent::loss_holds_over(record),
        Check::Class { from, to, classes } => sent::class(record, from, to, classes),
        Check::StaysInHoldover { class } => sent::stays_in_holdover(record, class),
        Check::InHoldover { classes } => sent::in_holdover(record, classes),
        Check::FreerunWithClass => sent::freerun_with_class(record),
        Check::FaultElsewhere => sent::fault_elsewhere(record),
        Check::EdgeOnly { resources } => sent::edge_only(record, resources),
        Check::Payload => sent::payload(record),
        Check::OsFits => sent::os_fits(record),
        Check::Overall { from, to, classes } => sent::overall(record, (from, to), classes),
        Check::NoClass => sent::no_class(record),
        Check::ClassIn { classes } => sent::class_in(record, classes),
        Check::WorstOf => sent::worst_of(record),
        Check::Quality { state, good } => sent::quality(record, state, good),

        Check::BeginsIn { resource } => logged::begins_in(record, resource),
        Check::BeginsWithClass => logged::begins_with_class(record),
        Check::NoBypass => logged::no_bypass(record),
        Check::LockedWithParts => logged::locked_with_parts(record),
        Check::EventAfter { line } => logged::event_after(record, line),
        Check::Order { first, then } => logged::order(record, first, then),
        Check::Gated { process, by } => logged::gated(record, process, by),
        Check::EndsAlone => logged::ends_alone(record),
        Check::ShortOutage { process, resource } => logged::short_outage(record, process, resource),
        Check::LongOutage { process, resource } => logged::long_outage(record, process, resource),
        Check::RunsAgain => logged::runs_again(record),
        Check::EverySecond { process, figure } => logged::every_second(record, process, figure),
        Check::PortLoss => logged::port_loss(record, true),
        Check::IncapableIsFree => logged::port_loss(record, false),
        Check::NothingServed => logged::nothing_served(record),

        Check::Exported { metric, processes } => exported::exported(record, metric, processes),
        Check::AllMasters => exported::all_masters(record),
        Check::ClassIs { class } => exported::class_is(record, class),
        Check::ClassAsSent => exported::class_as_sent(record),
    }
}

/// Whether the node's PTP clock is in HOLDOVER about that time, by what was sent or by what the daemon logged.
pub(crate) fn is_holding(record: &Record, at: Received) -> bool {
    let until = at_once(at);
    sent::state_at(record, &Resource::LockState, until)
        .or_else(|| logged::status_at(record, until))
        .is_some_and(|state| state == State::Holdover)
}

/// Until when something counts as at once: stamps of whole seconds may be a second early.
pub(crate) fn at_once(at: Received) -> Received {
    let whole = at.as_nanos() % 1_000_000_000 == 0;
    at.after(if whole { AT_ONCE * 2 } else { AT_ONCE })
}
