//! Which root cause a finding points to, given all we know at that moment.
//!
//! The causal order is GNSS → T-GM clock → clock class → followers' PTP clock → OS clock → overall
//! state. A finding is explained by the first link of that chain that is broken.

use std::collections::BTreeSet;
use std::time::Duration;

use ptp_events::{Offset, Received, Resource, SyncState};

use crate::artefacts::follows_from_stuck;
use crate::cause::RootCause;
use crate::crossings::is_far;
use crate::domain::{Branch, Domain};
use crate::incident::{Diagnosis, Verdict};
use crate::node::{ClockId, Node, NodeId, Role};
use crate::timeline::Said;
use crate::{Settings, Timeline, clock_class};

/// How long before a loss the class that comes with it may arrive; afterwards, three times as long.
const LAG: Duration = Duration::from_secs(1);

/// Everything that is known, to look at.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub settings: &'a Settings,
    pub nodes: &'a [Node],
    pub clocks: &'a [Timeline],
    /// By [`Node::domain`].
    pub domains: &'a [Domain],
}

/// A finding's link in the causal chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Link {
    Gnss,
    Ptp,
    Class,
    Os,
    Overall,
    Synce,
    /// Says something about what tells us, not about timing.
    Telemetry,
    /// A process came and went.
    Restart,
    /// What is said is not so.
    Artefact,
}

/// What to classify.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    pub code: &'static str,
    pub node: NodeId,
    pub clock: Option<ClockId>,
    pub since: Received,
}

impl<'a> World<'a> {
    pub(crate) fn node(&self, id: NodeId) -> &'a Node {
        &self.nodes[id.0 as usize]
    }

    /// The timing domain of a node.
    pub(crate) fn domain(&self, id: NodeId) -> &'a Domain {
        &self.domains[self.node(id).domain]
    }

    /// Whether a node can get its time from where one of these gets it.
    pub(crate) fn shares_domain(&self, node: NodeId, others: &[NodeId]) -> bool {
        let domain = self.node(node).domain;
        others.iter().any(|other| self.node(*other).domain == domain)
    }

    /// The nodes of its domain that lost lock with `node` around `since`; see [`Domain::mass_loss`].
    pub(crate) fn mass_loss(&self, node: NodeId, since: Received) -> Option<Vec<NodeId>> {
        self.domain(node).mass_loss(since, self.nodes, self.settings)
    }

    /// The same for fewer of them, closer together; see [`Domain::branch_loss`].
    pub(crate) fn branch_loss(&self, node: NodeId, since: Received) -> Option<Branch> {
        self.domain(node).branch_loss(since, self.nodes, self.settings)
    }

    pub(crate) fn clock(&self, id: ClockId) -> &'a Timeline {
        &self.clocks[id.0 as usize]
    }

    pub(crate) fn of(
        &self,
        node: NodeId,
        resource: &'static Resource,
    ) -> impl Iterator<Item = &'a Timeline> {
        let clocks = self.clocks;
        self.node(node)
            .clocks
            .iter()
            .filter(move |member| member.resource == *resource)
            .map(move |member| &clocks[member.id.0 as usize])
    }

    pub(crate) fn link(&self, subject: &Subject) -> Link {
        let Some(clock) = subject.clock else {
            return Link::Telemetry;
        };
        if subject.code == "process-restart" {
            return Link::Restart;
        }
        if subject.code == "publisher-artefact" {
            return Link::Artefact;
        }
        let resource = self.clock(clock).resource();
        // The system clock and the overall state flap with the PTP clock, and are in HOLDOVER only
        // because it is (docs/diagnosis.md §5), whether or not it could say so.
        if matches!(resource, Resource::OsClock | Resource::SyncState)
            && (self.clock(clock).is(&SyncState::Holdover)
                || (subject.code == "frequent-state-changes" && self.ptp_flaps(subject)))
        {
            return Link::Ptp;
        }
        match resource {
            Resource::Gnss => Link::Gnss,
            Resource::ClockClass => Link::Class,
            Resource::OsClock => Link::Os,
            Resource::SyncState => Link::Overall,
            Resource::SynceState | Resource::SynceQuality => Link::Synce,
            _ => Link::Ptp,
        }
    }

    /// Whether a PTP clock of the node has changed at least half as often as is too often.
    fn ptp_flaps(&self, subject: &Subject) -> bool {
        let half = self.settings.state_changes / 2;
        self.of(subject.node, &Resource::LockState)
            .filter_map(|clock| clock.change_before(half))
            .any(|at| subject.since.since(at) < self.settings.state_changes_window)
    }

    /// With which offset a clock of the node left LOCKED for FREERUN with its reference still heard.
    /// A power-on class that comes with the loss says that it is not.
    fn moved_by(&self, node: NodeId, clock: &Timeline) -> Option<Offset> {
        let offset = clock.lost_by_offset()?;
        // Followers of a grandmaster in trouble announce what it announces.
        let mut others = self.domain(node).grandmasters.iter().filter(|gm| **gm != node);
        if others.any(|gm| self.degraded_class(*gm).is_some()) {
            return Some(offset);
        }
        let lost = clock.unlocked_since()?;
        let with_it = lost.before(LAG)..=lost.after(LAG * 3);
        let alone = self
            .of(node, &Resource::ClockClass)
            .filter(|class| class.facts().len() > 1)
            .filter_map(Timeline::class)
            .any(|(class, since)| matches!(class.0, 248 | 255) && with_it.contains(&since));
        (!alone).then_some(offset)
    }

    /// The node's GNSS receiver, if it gives no time and is not just starting.
    fn bad_receiver(&self, node: NodeId) -> Option<&'a Timeline> {
        self.of(node, &Resource::Gnss).find(|clock| {
            let starting = self.node(node).has_yet_to_lock(clock, self.clocks);
            clock.no_time_since().is_some() && !starting
        })
    }

    /// Since when a PTP clock of the node is not locked.
    pub(crate) fn ptp_unlocked(&self, node: NodeId) -> Option<Received> {
        self.of(node, &Resource::LockState).filter_map(Timeline::unlocked_since).min()
    }

    fn os_is_well(&self, node: NodeId) -> bool {
        let mut os = self.of(node, &Resource::OsClock).peekable();
        os.peek().is_some() && os.all(Timeline::is_locked)
    }

    pub(crate) fn knows_ptp(&self, node: NodeId) -> bool {
        self.of(node, &Resource::LockState).any(|clock| clock.state().is_some())
    }

    /// Whether a clock of one of these nodes is one of a node that left.
    pub(crate) fn has_left(&self, nodes: &BTreeSet<NodeId>, id: ClockId) -> bool {
        let mut gone = nodes.iter().map(|node| self.node(*node)).filter(|node| node.gone);
        gone.any(|node| node.clocks.iter().any(|member| member.id == id))
    }

    /// Whether what is said of a clock of one of these nodes is explained by a stuck publisher.
    pub(crate) fn is_artefact(&self, nodes: &BTreeSet<NodeId>, id: ClockId) -> bool {
        let clock = self.clock(id);
        !clock.is_locked()
            && nodes.iter().map(|node| self.node(*node)).any(|node| {
                node.clocks.iter().any(|member| member.id == id)
                    && follows_from_stuck(clock, node, self.clocks, self.settings)
            })
    }

    /// Whether PTP on the node is not locked, or was not until a moment ago.
    pub(crate) fn ptp_troubled(&self, node: NodeId, now: Received) -> bool {
        self.of(node, &Resource::LockState).any(|clock| {
            clock.unlocked_since().is_some()
                || (clock.changes() > 0
                    && clock
                        .state()
                        .is_some_and(|(_, since)| now.since(since) < self.settings.correlate))
        })
    }

    /// Whether the class that is announced is from when the node had no lock itself.
    ///
    /// Where the event of the clock was lost its overall state says so, but only in HOLDOVER: any
    /// other may be that of the system clock.
    fn announces_its_own_loss(&self, subject: &Subject) -> bool {
        let class = subject.clock.and_then(|id| self.clock(id).class());
        let had_none = |clock: &Timeline, at: Received| {
            clock.unlocked_since().is_some_and(|lost| lost <= at)
                || clock.last_break().is_some_and(|(lost, back)| lost <= at && at <= back)
        };
        class.is_some_and(|(_, since)| {
            let mut overall = self.of(subject.node, &Resource::SyncState);
            self.of(subject.node, &Resource::LockState).any(|clock| had_none(clock, since))
                || overall.any(|state| state.is(&SyncState::Holdover) && had_none(state, since))
        })
    }

    /// Whether a PTP clock of the node left its lock, or found it again, no earlier than `time`.
    pub(crate) fn ptp_moved_since(&self, node: NodeId, time: Received) -> bool {
        self.of(node, &Resource::LockState).any(|clock| {
            clock.changes() > 0 && clock.state().is_some_and(|(_, since)| since >= time)
        })
    }

    /// Whether the node's PTP clock hears a reference: it is locked, or it left its lock because
    /// the reference was too far away.
    pub(crate) fn hears_its_reference(&self, node: NodeId) -> bool {
        let far = |clock: &Timeline| {
            let least = self.settings.offset_ns * 4 / 5;
            self.moved_by(node, clock).is_some_and(|offset| offset.magnitude() >= least)
        };
        let mut ptp = self.of(node, &Resource::LockState).peekable();
        ptp.peek().is_some() && ptp.all(|clock| clock.is_locked() || far(clock))
    }

    /// Whether most of these nodes left their lock because the reference was too far away.
    fn moved_together(&self, nodes: &[NodeId]) -> bool {
        let moved = |node: &&NodeId| {
            self.of(**node, &Resource::LockState)
                .any(|clock| self.moved_by(**node, clock).is_some())
        };
        nodes.iter().filter(moved).count() * 2 > nodes.len()
    }

    /// Whether the node is a grandmaster, by its receiver or by the class it announces of itself.
    ///
    /// The daemon's own event API sends no GNSS events, so that a T-GM shows itself by classes 7, 140,
    /// 150 and 160 alone. A follower passes such a class on: then it is LOCKED, or a grandmaster is
    /// known that announces it. And only a T-GM's system clock does not go into HOLDOVER with PTP
    /// (docs/protocol.md §5, §11).
    pub(crate) fn is_grandmaster(&self, node: NodeId) -> bool {
        if self.node(node).role() == Role::Grandmaster {
            return true;
        }
        let held_over = |clock: &Timeline| {
            clock.is(&SyncState::Holdover) || clock.previous() == Some(&SyncState::Holdover)
        };
        let Some(lost) = self.ptp_unlocked(node) else { return false };
        let own = |clock: &Timeline| {
            let mut facts =
                clock.facts().iter().rev().take_while(|fact| fact.at >= lost.before(LAG));
            facts.any(|fact| match fact.said {
                Said::Class(class) => clock_class::is_grandmasters_holdover(class),
                _ => false,
            })
        };
        let another = |gm: &NodeId| *gm != node && self.degraded_class(*gm).is_some();
        self.of(node, &Resource::LockState).any(held_over)
            && self.of(node, &Resource::ClockClass).any(own)
            && !self.of(node, &Resource::OsClock).any(held_over)
            && !self.domain(node).grandmasters.iter().any(another)
    }

    fn degraded_class(&self, node: NodeId) -> Option<ptp_events::ClockClass> {
        self.of(node, &Resource::ClockClass)
            .filter(|clock| clock.degraded_since().is_some())
            .filter_map(Timeline::class)
            .map(|(class, _)| class)
            .max_by_key(|class| clock_class::rank(*class))
    }

    /// Whether what happens on the grandmaster `gm` explains a follower's trouble at `link`.
    ///
    /// A grandmaster in holdover still serves time: it explains a worse class, and a follower that
    /// hears it and is off, but not one that hears nobody, unless many lose theirs together.
    pub(crate) fn grandmaster_explains(
        &self,
        gm: NodeId,
        node: NodeId,
        link: Link,
        since: Received,
    ) -> bool {
        let class = self.degraded_class(gm);
        let unlocked = self.ptp_unlocked(gm);
        let bad = self.bad_receiver(gm).is_some() || class.is_some() || unlocked.is_some();
        match link {
            Link::Class => bad,
            Link::Ptp | Link::Os | Link::Overall => {
                bad && (self.hears_its_reference(node) || self.mass_loss(node, since).is_some())
            }
            _ => false,
        }
    }
}

/// A diagnosis of one node.
fn at(
    node: NodeId,
    cause: RootCause,
    verdict: Verdict,
    confidence: f32,
    alternatives: &[(RootCause, f32)],
) -> Diagnosis {
    Diagnosis {
        cause,
        verdict,
        confidence,
        origin: vec![node],
        alternatives: alternatives.to_vec(),
    }
}

/// Names the root cause a finding points to.
pub(crate) fn classify(world: &World<'_>, subject: &Subject) -> Diagnosis {
    use RootCause as C;
    use Verdict::{Confirmed, Likely};
    let node = subject.node;
    let link = world.link(subject);
    if link == Link::Telemetry {
        return at(node, C::TelemetryGap, Confirmed, 0.9, &[]);
    }
    if link == Link::Artefact {
        return at(node, C::PublisherArtefact, Likely, 0.85, &[(C::PtpPathLoss, 0.05)]);
    }
    if let Some(receiver) = world.bad_receiver(node)
        && link != Link::Restart
    {
        return gnss(node, receiver);
    }
    match link {
        Link::Restart => at(node, C::ProcessRestart, Confirmed, 0.9, &[(C::PtpPathLoss, 0.05)]),
        Link::Synce => at(node, C::SynceDegraded, Likely, 0.85, &[(C::GnssReceiverFault, 0.1)]),
        Link::Gnss => match world.of(node, &Resource::Gnss).next() {
            Some(receiver) => gnss(node, receiver),
            None => unknown(node),
        },
        Link::Class => class(world, subject),
        Link::Ptp => ptp(world, subject),
        Link::Os => os(world, subject),
        Link::Overall => match (world.ptp_unlocked(node), world.knows_ptp(node)) {
            (Some(_), _) => ptp(world, subject),
            // The clocks below are well: it is the word that is wrong.
            (None, true) if subject.code == "inconsistent-state" => {
                let alternatives = [(C::PublisherArtefact, 0.4), (C::OsClockFault, 0.2)];
                at(node, C::Unknown, Verdict::Inconclusive, 0.3, &alternatives)
            }
            // Neither clock has said so: the event of one of them was lost.
            (None, true) if world.os_is_well(node) => unknown(node),
            (None, true) => os(world, subject),
            (None, false) => unknown(node),
        },
        Link::Telemetry | Link::Artefact => unknown(node),
    }
}

fn unknown(node: NodeId) -> Diagnosis {
    use RootCause as C;
    at(
        node,
        C::Unknown,
        Verdict::Inconclusive,
        0.3,
        &[(C::PtpPathLoss, 0.25), (C::OsClockFault, 0.2), (C::UpstreamLoss, 0.1)],
    )
}

fn gnss(node: NodeId, receiver: &Timeline) -> Diagnosis {
    use RootCause as C;
    use SyncState as S;
    match receiver.state().map(|(state, _)| state) {
        Some(S::AntennaDisconnected | S::AntennaShortCircuit) => {
            at(node, C::GnssAntennaFault, Verdict::Confirmed, 0.97, &[(C::GnssReceiverFault, 0.02)])
        }
        Some(S::FailurePll | S::Booting) => {
            at(node, C::GnssReceiverFault, Verdict::Confirmed, 0.9, &[(C::GnssSignalLoss, 0.08)])
        }
        // NOFIX, LOW-SNR, MULTIPATH, ACQUIRING-SYNC, or a fix too weak. A broken antenna looks the
        // same on publishers that do not report the antenna.
        _ => at(
            node,
            C::GnssSignalLoss,
            Verdict::Confirmed,
            0.9,
            &[(C::GnssAntennaFault, 0.07), (C::GnssReceiverFault, 0.02)],
        ),
    }
}

/// A grandmaster elsewhere in the domain that explains the trouble.
fn upstream(world: &World<'_>, subject: &Subject, link: Link) -> Option<Diagnosis> {
    let gm = *world.domain(subject.node).grandmasters.iter().find(|gm| {
        **gm != subject.node && world.grandmaster_explains(**gm, subject.node, link, subject.since)
    })?;
    Some(match world.bad_receiver(gm) {
        Some(receiver) => gnss(gm, receiver),
        None => grandmaster_without_gnss_fault(gm),
    })
}

/// A grandmaster of ours lost its lock although its receiver gives time.
fn grandmaster_without_gnss_fault(gm: NodeId) -> Diagnosis {
    use RootCause as C;
    at(
        gm,
        C::GnssReceiverFault,
        Verdict::Inconclusive,
        0.5,
        &[(C::OscillatorDrift, 0.2), (C::PtpPathLoss, 0.1)],
    )
}

/// A grandmaster that lost its lock, by its own word and not by its receiver's.
fn lost_reference(world: &World<'_>, gm: NodeId) -> Diagnosis {
    use RootCause as C;
    if world.of(gm, &Resource::Gnss).any(|receiver| receiver.state().is_some()) {
        return grandmaster_without_gnss_fault(gm);
    }
    let alternatives = [(C::GnssReceiverFault, 0.15), (C::GnssAntennaFault, 0.1)];
    at(gm, C::GnssSignalLoss, Verdict::Likely, 0.7, &alternatives)
}

fn class(world: &World<'_>, subject: &Subject) -> Diagnosis {
    use RootCause as C;
    let node = subject.node;
    // A clock that has its lock back announces its own class for a moment longer, or for ever where
    // the event that took it back was lost.
    if world.ptp_unlocked(node).is_some()
        || world.ptp_troubled(node, subject.since)
        || world.announces_its_own_loss(subject)
    {
        return ptp(world, subject);
    }
    if let Some(diagnosis) = upstream(world, subject, Link::Class) {
        return diagnosis;
    }
    if world.is_grandmaster(node) {
        return lost_reference(world, node);
    }
    let alternatives = [(C::PtpPathLoss, 0.15), (C::PublisherArtefact, 0.05)];
    let confidence = if world.knows_ptp(node) { 0.8 } else { 0.6 };
    at(node, C::GrandmasterDegraded, Verdict::Likely, confidence, &alternatives)
}

fn os(world: &World<'_>, subject: &Subject) -> Diagnosis {
    use RootCause as C;
    let node = subject.node;
    if world.ptp_unlocked(node).is_some() {
        return ptp(world, subject);
    }
    if subject.code == "node-clock-skew" {
        return at(node, C::OsClockFault, Verdict::Likely, 0.85, &[(C::Misconfiguration, 0.1)]);
    }
    if world.knows_ptp(node) {
        return at(node, C::OsClockFault, Verdict::Confirmed, 0.9, &[(C::PublisherArtefact, 0.05)]);
    }
    let alternatives = [(C::PtpPathLoss, 0.3), (C::UpstreamLoss, 0.1)];
    // Seen to start, and PTP has never said a word: it hears no master it may follow.
    let never = subject
        .clock
        .map(|id| world.clock(id))
        .is_some_and(|clock| world.node(node).has_yet_to_lock(clock, world.clocks));
    if never {
        return at(node, C::Misconfiguration, Verdict::Likely, 0.6, &alternatives);
    }
    at(node, C::OsClockFault, Verdict::Inconclusive, 0.45, &alternatives)
}

fn hugging(node: NodeId) -> Diagnosis {
    use RootCause as C;
    let alternatives = [(C::PtpPathUnstable, 0.2), (C::OscillatorDrift, 0.05)];
    at(node, C::OffsetThresholdHugging, Verdict::Likely, 0.75, &alternatives)
}

/// What the shape of the offsets points to, when that is what was found.
fn by_shape(world: &World<'_>, subject: &Subject) -> Option<Diagnosis> {
    use RootCause as C;
    use Verdict::{Confirmed, Likely};
    let node = subject.node;
    Some(match subject.code {
        "offset-drift" => {
            let alternatives = [(C::PtpPathUnstable, 0.1), (C::PathAsymmetry, 0.1)];
            at(node, C::OscillatorDrift, Likely, 0.75, &alternatives)
        }
        "offset-step" => {
            let alternatives = [(C::GrandmasterSwitch, 0.1), (C::PtpPathUnstable, 0.05)];
            at(node, C::PathAsymmetry, Likely, 0.8, &alternatives)
        }
        "offset-noise" => {
            let alternatives = [(C::OffsetThresholdHugging, 0.1), (C::OscillatorDrift, 0.05)];
            at(node, C::PtpPathUnstable, Likely, 0.8, &alternatives)
        }
        "threshold-hugging" => hugging(node),
        "grandmaster-switch" => Diagnosis {
            cause: C::GrandmasterSwitch,
            verdict: Confirmed,
            confidence: 0.9,
            origin: world.mass_loss(node, subject.since).unwrap_or_else(|| vec![node]),
            alternatives: vec![(C::UpstreamLoss, 0.08)],
        },
        _ => return None,
    })
}

/// A clock that left its lock because its reference was too far away, all of a sudden or slowly.
fn moved(world: &World<'_>, node: NodeId, clock: &Timeline) -> Option<Diagnosis> {
    use RootCause as C;
    use Verdict::{Inconclusive, Likely};
    let offset = world.moved_by(node, clock)?.magnitude();
    let limit = world.settings.offset_ns;
    if is_far(offset, limit) {
        let alternatives = [(C::PtpPathUnstable, 0.2), (C::GrandmasterSwitch, 0.1)];
        return Some(at(node, C::PathAsymmetry, Likely, 0.6, &alternatives));
    }
    if offset * 10 < limit * 8 {
        return None;
    }
    if clock.trace().trend().is_some() {
        let alternatives = [(C::PathAsymmetry, 0.15), (C::OffsetThresholdHugging, 0.1)];
        return Some(at(node, C::OscillatorDrift, Likely, 0.7, &alternatives));
    }
    if clock.trace().wanders() {
        let alternatives = [(C::OscillatorDrift, 0.2), (C::PtpPathUnstable, 0.2)];
        return Some(at(node, C::OffsetThresholdHugging, Inconclusive, 0.5, &alternatives));
    }
    None
}

/// What took the lock from several nodes at once, this one among them.
fn lost_together(world: &World<'_>, node: NodeId, lost: Received) -> Option<Diagnosis> {
    use RootCause as C;
    let of = |cause, confidence, origin, alternatives: &[(RootCause, f32)]| Diagnosis {
        cause,
        verdict: Verdict::Likely,
        confidence,
        origin,
        alternatives: alternatives.to_vec(),
    };
    if let Some(nodes) = world.mass_loss(node, lost)
        && nodes.contains(&node)
    {
        // They hear somebody whose time is another: no switch was lost.
        if world.moved_together(&nodes) {
            let alternatives = [(C::GrandmasterDegraded, 0.2), (C::UpstreamLoss, 0.1)];
            return Some(of(C::GrandmasterSwitch, 0.7, nodes, &alternatives));
        }
        let alternatives = [(C::GrandmasterDegraded, 0.1), (C::PtpPathLoss, 0.05)];
        return Some(of(C::UpstreamLoss, 0.85, nodes, &alternatives));
    }
    let Branch { nodes, origin } = world.branch_loss(node, lost)?;
    let alternatives = [(C::PtpPathLoss, 0.2), (C::GrandmasterDegraded, 0.05)];
    nodes.contains(&node).then(|| of(C::UpstreamLoss, 0.75, origin, &alternatives))
}

fn ptp(world: &World<'_>, subject: &Subject) -> Diagnosis {
    use RootCause as C;
    use Verdict::{Inconclusive, Likely};
    let node = subject.node;
    if let Some(diagnosis) = upstream(world, subject, Link::Ptp) {
        return diagnosis;
    }
    if world.is_grandmaster(node) {
        return lost_reference(world, node);
    }
    if let Some(diagnosis) = by_shape(world, subject) {
        return diagnosis;
    }
    let clock = world
        .of(node, &Resource::LockState)
        .find(|clock| clock.unlocked_since().is_some())
        .or_else(|| world.of(node, &Resource::LockState).max_by_key(|clock| clock.changes()))
        .or_else(|| subject.clock.map(|id| world.clock(id)));
    let Some(clock) = clock else {
        return unknown(node);
    };

    if clock.last_locked().is_none() {
        let alternatives = [(C::PtpPathLoss, 0.2)];
        if world.node(node).is_starting(clock) {
            return at(node, C::Misconfiguration, Likely, 0.7, &alternatives);
        }
        // Not seen to start: it may well have been locked before we came.
        if subject.code == "never-locked" {
            return at(node, C::Misconfiguration, Inconclusive, 0.4, &alternatives);
        }
    }
    let lost = clock.unlocked_since().unwrap_or(subject.since);
    if let Some(diagnosis) = lost_together(world, node, lost) {
        return diagnosis;
    }
    // Several losses and recoveries in a row: time arrives, but not steadily. A few of them also
    // follow a lost path while the servo settles again, so they do not outweigh it.
    let frequent = subject.code == "frequent-state-changes";
    let flaps = clock
        .change_before(3)
        .is_some_and(|fourth| subject.since.since(fourth) < world.settings.upstream)
        && clock.relocked().is_none_or(|at| subject.since >= at.after(world.settings.relock));
    if frequent || flaps {
        let half_an_hour = Duration::from_mins(30);
        let crossings = clock.crossings(subject.since.before(half_an_hour), world.settings);
        if crossings.count >= world.settings.hugging
            && crossings.hug(world.settings.offset_ns, clock.trace())
        {
            return hugging(node);
        }
        // Losses that came with an offset may yet turn out to be a matter of the offset's shape.
        let confidence = match (frequent, crossings.others, crossings.far) {
            (true, 1.., _) => 0.87,
            (true, _, 3..) => 0.8,
            _ => 0.6,
        };
        let alternatives = [(C::PathAsymmetry, 0.1), (C::OffsetThresholdHugging, 0.1)];
        return at(node, C::PtpPathUnstable, Likely, confidence, &alternatives);
    }
    // The node is in HOLDOVER, and the PTP clock's word was lost.
    if clock.is_locked() && subject.clock.is_some_and(|id| world.clock(id).is(&SyncState::Holdover))
    {
        let alternatives = [(C::UpstreamLoss, 0.2), (C::PublisherArtefact, 0.1)];
        return at(node, C::PtpPathLoss, Likely, 0.5, &alternatives);
    }
    if clock.is_locked() {
        let alternatives =
            [(C::PathAsymmetry, 0.35), (C::PtpPathUnstable, 0.3), (C::OscillatorDrift, 0.2)];
        return at(node, C::Unknown, Inconclusive, 0.1, &alternatives);
    }
    if let Some(diagnosis) = moved(world, node, clock) {
        return diagnosis;
    }
    // Out of FREERUN alone we cannot tell a lost path from a wrong one.
    let held_over =
        clock.is(&SyncState::Holdover) || clock.previous() == Some(&SyncState::Holdover);
    if !held_over && !clock.process_down() {
        let alternatives = [(C::PtpPathUnstable, 0.3), (C::PathAsymmetry, 0.15)];
        return at(node, C::PtpPathLoss, Inconclusive, 0.45, &alternatives);
    }
    let others_locked = world.domain(node).ptp_nodes > 1;
    let (confidence, upstream) = if others_locked { (0.85, 0.08) } else { (0.65, 0.25) };
    let alternatives = [(C::UpstreamLoss, upstream), (C::GrandmasterDegraded, 0.03)];
    at(node, C::PtpPathLoss, Likely, confidence, &alternatives)
}
