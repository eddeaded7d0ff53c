//! When a publisher calls a PTP clock LOCKED, HOLDOVER or FREERUN (docs/protocol.md §4, §5).

use ptp_events::SyncState;

use crate::topology::{ClassStyle, Node, Role};

/// What the clock's process measures in one second.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Sample {
    /// The offset from the reference.
    Offset(i64),
    /// There is no reference; the offset that something else measures meanwhile, if anything does.
    Lost(Option<i64>),
    /// The process is not running.
    ProcessDown,
    /// Nothing: it runs, but has never heard of a reference.
    Nothing,
}

/// -9999999999999999: the process is down.
pub(crate) const PROCESS_DOWN: i64 = -9_999_999_999_999_999;
/// What a T-GM reports as its offset without a reference (observed, `gnss_loss`).
const NO_REFERENCE: i64 = 99_999;

/// The publisher's state machine of one PTP clock.
#[derive(Clone, Debug)]
pub(crate) struct LockMachine {
    threshold: u64,
    hysteresis: u64,
    holdover_timeout_s: i64,
    in_spec_s: i64,
    role: Role,
    class: ClassStyle,
    /// `None` until there is something to say.
    state: Option<SyncState>,
    offset: i64,
    holdover_since: i64,
    /// Whether the reference was heard in the last second.
    hears_reference: bool,
    /// Out of its holdover specification, or never had one to hold.
    free: bool,
}

impl LockMachine {
    pub(crate) fn new(node: &Node) -> Self {
        Self {
            threshold: node.threshold_ns.into(),
            hysteresis: node.hysteresis_ns.into(),
            holdover_timeout_s: node.holdover_timeout.as_secs(),
            in_spec_s: node.in_spec.as_secs(),
            role: node.role,
            class: node.class,
            state: None,
            offset: 0,
            holdover_since: 0,
            hears_reference: false,
            free: true,
        }
    }

    pub(crate) const fn state(&self) -> Option<&SyncState> {
        self.state.as_ref()
    }

    /// The offset that goes with the state: in HOLDOVER and in the FREERUN after it the last one
    /// before, unless something else still measures.
    pub(crate) const fn offset(&self) -> i64 {
        self.offset
    }

    pub(crate) fn set_threshold(&mut self, ns: u32) {
        self.threshold = ns.into();
    }

    /// Takes what was measured in second `t`; whether the state changed.
    pub(crate) fn handle_sample(&mut self, t: i64, sample: Sample) -> bool {
        let next = match sample {
            Sample::Offset(offset) => self.follow(t, offset),
            Sample::Lost(meanwhile) => self.lose(t, meanwhile),
            Sample::ProcessDown => {
                self.offset = PROCESS_DOWN;
                self.free = true;
                Some(SyncState::Freerun)
            }
            Sample::Nothing => None,
        };
        self.hears_reference = matches!(sample, Sample::Offset(_));
        match next {
            Some(next) if self.state.as_ref() != Some(&next) => {
                self.state = Some(next);
                true
            }
            _ => false,
        }
    }

    fn follow(&mut self, t: i64, offset: i64) -> Option<SyncState> {
        let locked = self.state == Some(SyncState::Locked);
        let limit = self.threshold - if locked { 0 } else { self.hysteresis };
        if offset.unsigned_abs() <= limit {
            self.offset = offset;
            self.free = false;
            return Some(SyncState::Locked);
        }
        // A clock in holdover stays there until it is within the threshold again.
        if self.state == Some(SyncState::Holdover) {
            return self.lose(t, None);
        }
        self.offset = offset;
        Some(SyncState::Freerun)
    }

    fn lose(&mut self, t: i64, meanwhile: Option<i64>) -> Option<SyncState> {
        let next = self.left_alone(t);
        if let Some(offset) = meanwhile.filter(|_| next.is_some()) {
            self.offset = offset;
        }
        next
    }

    fn left_alone(&mut self, t: i64) -> Option<SyncState> {
        match &self.state {
            Some(SyncState::Locked) => {
                self.holdover_since = t;
                Some(SyncState::Holdover)
            }
            Some(SyncState::Holdover) if t - self.holdover_since >= self.holdover_timeout_s => {
                self.free = true;
                if self.role == Role::Grandmaster {
                    self.offset = NO_REFERENCE;
                }
                Some(SyncState::Freerun)
            }
            None if self.role == Role::Grandmaster => {
                self.offset = NO_REFERENCE;
                Some(SyncState::Freerun)
            }
            other => other.clone(),
        }
    }

    /// The class it announces in second `t`, when its parent announces `upstream`.
    pub(crate) fn clock_class(&self, t: i64, upstream: u8, selecting: bool) -> u8 {
        let in_spec = t - self.holdover_since < self.in_spec_s;
        let holds = self.state == Some(SyncState::Holdover);
        if self.role == Role::Grandmaster {
            return match &self.state {
                Some(SyncState::Locked) => 6,
                Some(SyncState::Holdover) if in_spec => 7,
                Some(SyncState::Holdover) => 140,
                _ => 248,
            };
        }
        let hears = self.hears_reference && !selecting;
        match self.class {
            ClassStyle::SlaveOnly if hears && !holds => upstream,
            ClassStyle::SlaveOnly | ClassStyle::Always255 => 255,
            ClassStyle::Telecom | ClassStyle::Plain if hears && !self.free && !holds => upstream,
            ClassStyle::Telecom if holds && in_spec => 135,
            ClassStyle::Telecom if holds => 165,
            ClassStyle::Plain if holds => 7,
            ClassStyle::Telecom | ClassStyle::Plain => 248,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use ptp_events::NodeName;

    /// Feeds one sample a second: a number, `-` for lost, `~9` for lost but measured, `x` for down, `.` for nothing.
    fn play(node: &Node, samples: &str) -> String {
        let mut machine = LockMachine::new(node);
        let mut lines = Vec::new();
        let mut class = 0;
        for (t, sample) in (0..).zip(samples.split_whitespace()) {
            let sample = match sample {
                "-" => Sample::Lost(None),
                "x" => Sample::ProcessDown,
                "." => Sample::Nothing,
                lost if lost.starts_with('~') => Sample::Lost(Some(lost[1..].parse().unwrap())),
                offset => Sample::Offset(offset.parse().unwrap()),
            };
            let changed = machine.handle_sample(t, sample);
            let now = machine.clock_class(t, 6, false);
            if changed || now != class {
                class = now;
                let state = machine.state().map_or("-", SyncState::as_str);
                lines.push(format!("{t} {state} {} class {class}", machine.offset()));
            }
        }
        lines.join("\n")
    }

    fn node(role: Role, class: ClassStyle) -> Node {
        let parent = (role != Role::Grandmaster).then(|| NodeName::new("gm").unwrap());
        let mut node = Node::new(NodeName::new("n").unwrap(), role, parent);
        node.class = class;
        node.in_spec = jiff::SignedDuration::from_secs(2);
        node.holdover_timeout = jiff::SignedDuration::from_secs(4);
        node
    }

    #[test]
    fn a_grandmaster_without_gnss() {
        let node = node(Role::Grandmaster, ClassStyle::Telecom);
        assert_snapshot!(play(&node, "- 4 - - - - - - 900 60"), @"
        0 FREERUN 99999 class 248
        1 LOCKED 4 class 6
        2 HOLDOVER 4 class 7
        4 HOLDOVER 4 class 140
        6 FREERUN 99999 class 248
        9 LOCKED 60 class 6
        ");
    }

    #[test]
    fn a_boundary_clock_beside_something_that_still_measures() {
        let node = node(Role::BoundaryClock, ClassStyle::Telecom);
        assert_snapshot!(play(&node, "~9 4 ~11 ~23 ~38 ~57 ~80 ~107 9"), @"
        0 - 0 class 248
        1 LOCKED 4 class 6
        2 HOLDOVER 11 class 135
        4 HOLDOVER 38 class 165
        6 FREERUN 80 class 248
        8 LOCKED 9 class 6
        ");
    }

    #[test]
    fn a_boundary_clock_without_its_link() {
        let node = node(Role::BoundaryClock, ClassStyle::Telecom);
        assert_snapshot!(play(&node, ". 4 - - - 3 - - - - - 400 9"), @"
        0 - 0 class 248
        1 LOCKED 4 class 6
        2 HOLDOVER 4 class 135
        4 HOLDOVER 4 class 165
        5 LOCKED 3 class 6
        6 HOLDOVER 3 class 135
        8 HOLDOVER 3 class 165
        10 FREERUN 3 class 248
        12 LOCKED 9 class 6
        ");
    }

    #[test]
    fn a_follower_beyond_the_threshold_and_restarted() {
        let node = node(Role::Follower, ClassStyle::SlaveOnly);
        assert_snapshot!(play(&node, "900 45 350 99 x x 80"), @"
        0 FREERUN 900 class 6
        1 LOCKED 45 class 6
        2 FREERUN 350 class 6
        3 LOCKED 99 class 6
        4 FREERUN -9999999999999999 class 255
        6 LOCKED 80 class 6
        ");
    }
}
