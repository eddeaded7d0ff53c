//! How likely each cause is, given what is seen and what is not.

use ptp_events::Received;

use super::Subject;
use super::graph::{Times, master_reaches, reaches};
use super::symptoms::{Case, look, look_at_receiver};
use crate::causes::{Cause, PROOF, Reach, RootCause};
use crate::model::Model;
use crate::model::node::NodeId;
use crate::model::stage::Stage;
use crate::model::symptom::Symptoms;

/// A root cause, with how sure we are and what else it could be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Diagnosis {
    pub cause: RootCause,
    /// From 0 to 1.
    pub confidence: f32,
    /// Where it began.
    pub origin: Vec<NodeId>,
    /// What else it could be, most likely first.
    pub alternatives: Vec<(RootCause, f32)>,
}

impl Diagnosis {
    pub(crate) fn verdict(&self) -> Verdict {
        Verdict::of(self.confidence)
    }
}

/// How sure we are of a root cause: a band of the confidence.
#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The evidence leaves little doubt: at least nineteen in twenty.
    Confirmed,
    /// The evidence fits, and fits others less: at least six in ten.
    Likely,
    /// The evidence does not decide.
    Inconclusive,
}

impl Verdict {
    const CONFIRMED: f32 = 0.95;
    const LIKELY: f32 = 0.6;

    /// The band of a confidence.
    #[must_use]
    pub fn of(confidence: f32) -> Self {
        match confidence {
            c if c >= Self::CONFIRMED => Self::Confirmed,
            c if c >= Self::LIKELY => Self::Likely,
            _ => Self::Inconclusive,
        }
    }

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

/// What is less likely than this is not named as the cause, but as one of the alternatives.
const NAMED: f32 = 0.35;
/// What is less likely than this is no alternative worth a look.
const WORTH_A_LOOK: f32 = 0.02;
/// The most alternatives told.
const ALTERNATIVES: usize = 3;
/// What a master that is known to be in trouble weighs against a fault of the node's own: several
/// hundred to one, as independent faults within minutes are that rare.
const KNOWN_TROUBLE: f32 = 6.0;
/// Symptoms are not quite independent, so the odds are less than their product. A judgement, which the
/// calibration of docs/quality.md checks.
const SHARPNESS: f32 = 0.8;
/// How much stronger the evidence for another cause must be to take the place of the one an incident has:
/// twice.
const MARGIN: f32 = 0.7;

/// A cause at a place.
struct Hypothesis {
    cause: RootCause,
    origin: Vec<NodeId>,
    score: f32,
}

impl Hypothesis {
    /// Whether it says that the cause is none of those that have a name.
    fn is_unnamed(&self) -> bool {
        self.cause.cause().reach == Reach::Unnamed
    }
}

/// A diagnosis, and what it rests on.
pub(crate) struct Judgement {
    pub diagnosis: Diagnosis,
    pub seen: Symptoms,
}

/// Names the root cause that a finding points to.
///
/// `before` is what was seen of the incident that it may belong to, and `named` the cause that it has:
/// that stays unless another is clearly likelier.
pub(crate) fn judge(
    model: &Model,
    subject: &Subject,
    now: Received,
    before: Symptoms,
    named: Option<&Diagnosis>,
) -> Judgement {
    let seen = look(&Case::new(model, subject, now)).and(before);
    let mut hypotheses = candidates(model, subject, seen, now);
    if let Some(named) = named {
        let shared = matches!(named.cause.cause().reach, Reach::Segment);
        let wide = shared || named.cause.cause().stage == Stage::Telemetry;
        let same = |h: &Hypothesis| h.cause == named.cause && (wide || h.origin == named.origin);
        match hypotheses.iter_mut().find(|h| same(h)) {
            Some(same) => {
                same.score += MARGIN;
                // What many lost is not one node's because the others' losses are longer ago.
                if same.origin.len() < named.origin.len() && named.origin.contains(&subject.node) {
                    same.origin.clone_from(&named.origin);
                }
            }
            None => hypotheses.push(Hypothesis {
                cause: named.cause,
                origin: named.origin.clone(),
                score: weigh(named.cause.cause(), seen) + MARGIN,
            }),
        }
    }
    let diagnosis = decide(hypotheses);
    // What its receiver said belongs to it as well.
    let seen = match diagnosis.origin.as_slice() {
        [one] if diagnosis.cause.cause().reach == Reach::Grandmaster => {
            look_at_receiver(model, *one, seen)
        }
        _ => seen,
    };
    Judgement { diagnosis, seen }
}

/// Every cause that can reach what was found, where it can be.
fn candidates(model: &Model, subject: &Subject, seen: Symptoms, now: Received) -> Vec<Hypothesis> {
    let stage = subject.broken_stage(model);
    let node = subject.node;
    let times = Times { since: subject.since, now };
    let is_grandmaster = model.is_grandmaster(node);
    let master = model.domain(node).troubled(node).find(|gm| {
        matches!(stage, Stage::Ptp | Stage::Class)
            && master_reaches(model, *gm, node, stage, subject.since)
    });
    let mut found = Vec::new();
    let mut add = |cause: RootCause, origin: Vec<NodeId>, score: f32| {
        found.push(Hypothesis { cause, origin, score });
    };
    for root in RootCause::ALL {
        let cause = root.cause();
        if cause.reach == Reach::Grandmaster {
            if let Some(gm) = master {
                let receiver = look_at_receiver(model, gm, Symptoms::default());
                add(*root, vec![gm], weigh(cause, receiver) + KNOWN_TROUBLE);
            }
            let own = is_grandmaster || stage == Stage::Receiver;
            if own && reaches(model, node, cause.stage, stage, times) {
                add(*root, vec![node], weigh(cause, look_at_receiver(model, node, seen)));
            }
            continue;
        }
        let unnamed = cause.reach == Reach::Unnamed;
        let reached = reaches(model, node, cause.stage, stage, times) || seems(cause.stage, stage);
        if !(reached || unnamed) {
            continue;
        }
        match cause.reach {
            Reach::Here | Reach::Unnamed => add(*root, vec![node], weigh(cause, seen)),
            Reach::Upstream if !is_grandmaster => add(*root, vec![node], weigh(cause, seen)),
            Reach::Segment => add(*root, lost_together(model, subject), weigh(cause, seen)),
            Reach::Upstream | Reach::Grandmaster => {}
        }
    }
    // A detector that a program added knows a cause by itself.
    if let Some(own) = subject.shows.cause {
        add(own.root(), vec![node], PROOF);
    }
    found
}

/// What a publisher says wrongly can look like a fault of anything that it tells of.
const fn seems(from: Stage, to: Stage) -> bool {
    matches!(from, Stage::Artefact)
        && matches!(to, Stage::Ptp | Stage::Class | Stage::Os | Stage::Overall)
}

/// The nodes that lost their lock with this one, or where that is.
fn lost_together(model: &Model, subject: &Subject) -> Vec<NodeId> {
    let lost = subject.lost(model);
    let node = subject.node;
    let with_most = model.domain_outage(node, lost).filter(|nodes| nodes.contains(&node));
    let with_some = || {
        let branch = model.segment_outage(node, lost)?;
        branch.nodes.contains(&node).then_some(branch.origin)
    };
    with_most.or_else(with_some).unwrap_or_else(|| vec![node])
}

/// The log odds of a cause, given what is seen.
fn weigh(cause: &Cause, seen: Symptoms) -> f32 {
    let weights = cause.predicts.iter().map(|row| match seen.get(row.symptom) {
        Some(true) => row.present,
        Some(false) => row.absent,
        None => 0.0,
    });
    cause.prior + weights.sum::<f32>()
}

fn decide(mut hypotheses: Vec<Hypothesis>) -> Diagnosis {
    let best = hypotheses.iter().map(|h| h.score).fold(f32::MIN, f32::max);
    for hypothesis in &mut hypotheses {
        hypothesis.score = ((hypothesis.score - best) * SHARPNESS).exp();
    }
    let whole: f32 = hypotheses.iter().map(|h| h.score).sum();
    for hypothesis in &mut hypotheses {
        hypothesis.score /= whole;
    }
    // Of what is equally likely the one nearer to the root.
    hypotheses.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.cause.cmp(&b.cause)));
    let named = hypotheses
        .iter()
        .position(|h| h.score >= NAMED)
        .or_else(|| hypotheses.iter().position(Hypothesis::is_unnamed))
        .unwrap_or_default();
    let Hypothesis { cause, origin, score: confidence } = hypotheses.remove(named);
    let mut alternatives: Vec<(RootCause, f32)> = Vec::new();
    for other in hypotheses {
        let worth_it = other.score >= WORTH_A_LOOK && !other.is_unnamed();
        let new = other.cause != cause && alternatives.iter().all(|(c, _)| *c != other.cause);
        if worth_it && new && alternatives.len() < ALTERNATIVES {
            alternatives.push((other.cause, other.score));
        }
    }
    Diagnosis { cause, confidence, origin, alternatives }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::model::symptom::Symptom as S;

    /// What is seen, at which stages, what of it is so, and what is not.
    type Seen = (&'static str, &'static [Stage], &'static [S], &'static [S]);

    /// What is the likeliest of all causes that break these stages, and what comes next.
    fn likeliest(stages: &[Stage], present: &[S], absent: &[S]) -> String {
        let mut seen = Symptoms::default();
        for (symptoms, so) in [(present, true), (absent, false)] {
            for symptom in symptoms {
                seen.note(*symptom, Some(so));
            }
        }
        let causes = RootCause::ALL.iter().filter(|root| {
            let cause = root.cause();
            stages.contains(&cause.stage) || cause.reach == Reach::Unnamed
        });
        let hypotheses = causes.map(|root| Hypothesis {
            cause: *root,
            origin: Vec::new(),
            score: weigh(root.cause(), seen),
        });
        let diagnosis = decide(hypotheses.collect());
        let next = diagnosis.alternatives.first().map_or("nothing", |(cause, _)| cause.code());
        let verdict = diagnosis.verdict().as_str();
        format!("{} ({verdict}, {:.2}), then {next}", diagnosis.cause, diagnosis.confidence)
    }

    #[test]
    fn what_is_seen_decides_between_the_causes() {
        const PTP: &[Stage] = &[
            Stage::Segment,
            Stage::Path,
            Stage::Process,
            Stage::TimeOfDay,
            Stage::Ptp,
            Stage::Artefact,
        ];
        const GRANDMASTER: &[Stage] = &[Stage::Receiver, Stage::Process, Stage::Ptp];
        const CLASS: &[Stage] = &[Stage::Segment, Stage::Path, Stage::Class, Stage::Artefact];
        const OS: &[Stage] = &[Stage::Os, Stage::Process, Stage::Artefact];
        let cases: &[Seen] = &[
            ("nothing is known", PTP, &[], &[]),
            ("silent, others are LOCKED", PTP, &[S::ReferenceSilent, S::OthersLocked], &[]),
            ("silent, and nobody else is known", PTP, &[S::ReferenceSilent], &[]),
            ("silent with most", PTP, &[S::ReferenceSilent, S::LostWithMost], &[S::OthersLocked]),
            (
                "silent with a few at once",
                PTP,
                &[S::ReferenceSilent, S::LostWithSome, S::OthersLocked],
                &[],
            ),
            (
                "most moved, and came back",
                PTP,
                &[S::LostWithMost, S::MovedTogether, S::Returned],
                &[],
            ),
            ("one offset far off", PTP, &[S::OffsetFar, S::OthersLocked], &[S::ReferenceSilent]),
            ("a step that stays", PTP, &[S::Step, S::OthersLocked], &[S::ReferenceSilent]),
            (
                "a step, then flaps",
                PTP,
                &[S::Step, S::Frequent, S::Flapping],
                &[S::ReferenceSilent],
            ),
            ("a drift", PTP, &[S::Drift], &[S::ReferenceSilent]),
            ("a drift that ends at the threshold", PTP, &[S::Drift, S::Hugging, S::Frequent], &[]),
            ("losses at the threshold", PTP, &[S::Hugging, S::AtThreshold], &[S::ReferenceSilent]),
            ("noise", PTP, &[S::Noise], &[S::ReferenceSilent]),
            (
                "many losses, some silent",
                PTP,
                &[S::Frequent, S::SilentFlaps, S::ReferenceSilent],
                &[],
            ),
            (
                "many losses, then silence",
                PTP,
                &[S::Frequent, S::ReferenceSilent, S::SilentForLong, S::OthersLocked],
                &[],
            ),
            ("its process died", PTP, &[S::ProcessDown], &[]),
            ("never LOCKED since it started", PTP, &[S::NoLockSinceStart, S::NoLockEver], &[]),
            ("whole seconds off", PTP, &[S::WholeSeconds, S::OffsetFar], &[S::ReferenceSilent]),
            ("no fix", GRANDMASTER, &[S::NoFix, S::ReferenceSilent], &[S::AntennaAlarm]),
            ("the antenna is open", GRANDMASTER, &[S::AntennaAlarm, S::ReferenceSilent], &[]),
            ("the receiver failed", GRANDMASTER, &[S::ReceiverAlarm, S::ReferenceSilent], &[]),
            (
                "it is well, the clock is not",
                GRANDMASTER,
                &[S::ReceiverWell, S::ReferenceSilent],
                &[],
            ),
            ("a worse class, PTP is LOCKED", CLASS, &[S::ClassAlone, S::PtpLocked], &[]),
            ("the system clock alone", OS, &[S::PtpLocked], &[S::OsLocked, S::ProcessDown]),
            ("phc2sys died", OS, &[S::PtpLocked, S::ProcessDown], &[]),
        ];
        let mut told = String::new();
        for (what, stages, present, absent) in cases {
            writeln!(told, "{what}: {}", likeliest(stages, present, absent)).unwrap_or_default();
        }
        insta::assert_snapshot!(told, @"
        nothing is known: unknown (inconclusive, 0.07), then ptp-path-loss
        silent, others are LOCKED: ptp-path-loss (likely, 0.95), then nothing
        silent, and nobody else is known: ptp-path-loss (likely, 0.77), then upstream-loss
        silent with most: upstream-loss (confirmed, 0.99), then nothing
        silent with a few at once: upstream-loss (likely, 0.92), then ptp-path-loss
        most moved, and came back: grandmaster-switch (confirmed, 1.00), then nothing
        one offset far off: path-asymmetry (inconclusive, 0.38), then ptp-path-unstable
        a step that stays: path-asymmetry (confirmed, 0.96), then nothing
        a step, then flaps: path-asymmetry (likely, 0.90), then ptp-path-unstable
        a drift: oscillator-drift (confirmed, 0.96), then nothing
        a drift that ends at the threshold: oscillator-drift (likely, 0.86), then misconfiguration
        losses at the threshold: offset-threshold-hugging (confirmed, 1.00), then nothing
        noise: ptp-path-unstable (confirmed, 0.97), then nothing
        many losses, some silent: ptp-path-unstable (likely, 0.61), then ptp-path-loss
        many losses, then silence: ptp-path-loss (confirmed, 0.96), then nothing
        its process died: process-down (confirmed, 0.97), then nothing
        never LOCKED since it started: misconfiguration (likely, 0.83), then ptp-path-loss
        whole seconds off: timescale-mismatch (confirmed, 1.00), then nothing
        no fix: gnss-signal-loss (likely, 0.94), then gnss-receiver-fault
        the antenna is open: gnss-antenna-fault (confirmed, 0.99), then nothing
        the receiver failed: gnss-receiver-fault (confirmed, 0.99), then nothing
        it is well, the clock is not: gnss-receiver-fault (likely, 0.63), then process-down
        a worse class, PTP is LOCKED: grandmaster-degraded (confirmed, 0.96), then nothing
        the system clock alone: os-clock-fault (confirmed, 0.95), then nothing
        phc2sys died: process-down (confirmed, 0.96), then os-clock-fault
        ");
    }

    #[test]
    fn what_was_seen_before_stays_unless_it_is_a_state() {
        let mut before = Symptoms::default();
        before.note(S::ReferenceSilent, Some(true));
        before.note(S::OthersLocked, Some(true));
        let mut now = Symptoms::default();
        now.note(S::ReferenceSilent, Some(false));
        now.note(S::OthersLocked, Some(false));
        let both = now.and(before);
        assert_eq!(
            (both.get(S::ReferenceSilent), both.get(S::OthersLocked)),
            (Some(true), Some(false))
        );
        let unseen = Symptoms::default().and(before);
        assert_eq!((unseen.get(S::OthersLocked), unseen.get(S::Step)), (Some(true), None));
    }

    #[test]
    fn every_row_predicts_each_symptom_once() {
        for root in RootCause::ALL {
            let mut predicted: Vec<_> =
                root.cause().predicts.iter().map(|row| row.symptom).collect();
            let count = predicted.len();
            predicted.sort_unstable_by_key(|symptom| *symptom as u8);
            predicted.dedup();
            assert_eq!(predicted.len(), count, "{root}");
        }
    }
}
