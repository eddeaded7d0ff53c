//! A random network, as operators build them, to put faults into.

use jiff::SignedDuration;
use ptp_events::{NodeName, Received};

use crate::fault::{Effect, Fault};
use crate::mess::{Kept, Mess};
use crate::oscillator::OscillatorKind;
use crate::plan::{Plan, default_start};
use crate::random::Random;
use crate::servo::ServoKind;
use crate::topology::{ClassStyle, HoldoverOffsets, Node, Role, Topology};

/// A network being planned.
pub(super) struct Site {
    nodes: Vec<Node>,
    faults: Vec<Fault>,
    poll_every_s: Option<i64>,
    /// Whether the fault can only be seen in polls.
    needs_polls: bool,
    clean: bool,
}

/// What the nodes of a site have in common, because one team installed them.
struct Habits {
    interface: &'static str,
    class: ClassStyle,
    holdover_timeout_s: i64,
    hysteresis_ns: u32,
    oscillator: OscillatorKind,
    servo: ServoKind,
    synce: bool,
}

impl Habits {
    fn draw(random: &mut Random) -> Self {
        Self {
            interface: random.pick(&["ens1fx", "ens2fx", "ens7fx", "enp86s0fx"]),
            class: random.pick(&[
                ClassStyle::SlaveOnly,
                ClassStyle::SlaveOnly,
                ClassStyle::Always255,
                ClassStyle::Telecom,
                ClassStyle::Plain,
            ]),
            // The daemon's default is 5 s; operators of good oscillators raise it.
            holdover_timeout_s: random.pick(&[5, 5, 60, 300, 900, 3_600]),
            hysteresis_ns: random.pick(&[0, 0, 0, 10, 20]),
            oscillator: random.pick(&[
                OscillatorKind::Tcxo,
                OscillatorKind::Tcxo,
                OscillatorKind::Ocxo,
            ]),
            servo: ServoKind::Fast,
            synce: random.chance(0.3),
        }
    }

    fn apply(&self, node: &mut Node, random: &mut Random) {
        self.interface.clone_into(&mut node.interface);
        node.hysteresis_ns = self.hysteresis_ns;
        node.synce = self.synce;
        node.noise_ns = match node.role {
            // GNSS timing receivers: 2 to 5 ns; hardware stamps over a few switches: 3 to 9 ns.
            Role::Grandmaster => random.between(2.0, 5.0),
            Role::BoundaryClock | Role::Follower => random.between(3.0, 9.0),
        };
        if node.role == Role::Follower {
            node.class = self.class;
            node.oscillator = self.oscillator;
            node.servo = self.servo;
            node.holdover_timeout = SignedDuration::from_secs(self.holdover_timeout_s);
            node.in_spec = SignedDuration::from_secs((self.holdover_timeout_s / 2).max(1));
        }
    }
}

pub(super) fn name(text: &str) -> NodeName {
    NodeName::new(text).expect("kinds give their nodes short names of letters and digits")
}

impl Site {
    /// A grandmaster, perhaps a boundary clock, and `low` to `high` followers.
    pub(super) fn sized(low: u32, high: u32, random: &mut Random) -> Self {
        let mut habits = Habits::draw(random);
        // One site in five has partial timing support only.
        if random.chance(0.2) {
            habits.servo = ServoKind::Slow;
            habits.oscillator = OscillatorKind::Ocxo;
        }
        let gm = name("gm-0");
        let mut grandmaster = Node::new(gm.clone(), Role::Grandmaster, None);
        habits.apply(&mut grandmaster, random);
        let timeout_s = random.pick(&[3_600, 7_200, 14_400]);
        grandmaster.holdover_timeout = SignedDuration::from_secs(timeout_s);
        // The daemon's model: 100 of 1500 ns are used up after a fifteenth of the time.
        grandmaster.in_spec = SignedDuration::from_secs(timeout_s / 15);
        let mut nodes = vec![grandmaster];
        let mut parents = vec![gm.clone()];
        if random.chance(0.3) {
            let boundary = name("bc-0");
            let mut node = Node::new(boundary.clone(), Role::BoundaryClock, Some(gm));
            habits.apply(&mut node, random);
            nodes.push(node);
            parents.push(boundary);
        }
        let followers = random.whole(low, high);
        for number in 0..followers {
            let last = u32::try_from(parents.len() - 1).unwrap_or(0);
            let parent = parents[random.whole(0, last) as usize].clone();
            let follower = name(&format!("worker-{number}"));
            let mut node = Node::new(follower, Role::Follower, Some(parent));
            habits.apply(&mut node, random);
            nodes.push(node);
        }
        let polled = random.chance(0.65);
        Self {
            nodes,
            faults: Vec::new(),
            poll_every_s: polled.then_some(60),
            needs_polls: false,
            clean: false,
        }
    }

    /// A site of the usual size.
    pub(super) fn draw(random: &mut Random) -> Self {
        Self::sized(4, 19, random)
    }

    /// The grandmaster belongs to somebody else, whose events we do not get.
    pub(super) fn upstream_grandmaster(mut self) -> Self {
        self.nodes[0].publishes = false;
        self
    }

    /// Followers report their grandmaster's class.
    pub(super) fn relaying_class(mut self, random: &mut Random) -> Self {
        let class = random.pick(&[ClassStyle::SlaveOnly, ClassStyle::Plain, ClassStyle::Telecom]);
        for node in self.nodes.iter_mut().filter(|node| node.role == Role::Follower) {
            node.class = class;
        }
        self
    }

    /// Everybody is switched on at the start.
    pub(super) fn cold(mut self) -> Self {
        for node in &mut self.nodes {
            node.cold = true;
        }
        self
    }

    /// Only these are switched on at the start.
    pub(super) fn cold_at(mut self, names: &[NodeName]) -> Self {
        for node in self.nodes.iter_mut().filter(|node| names.contains(&node.name)) {
            node.cold = true;
        }
        self
    }

    /// The fault shows only where somebody polls.
    pub(super) fn polled(mut self) -> Self {
        self.poll_every_s = Some(60);
        self.needs_polls = true;
        self
    }

    /// Nothing spoils the recording.
    pub(super) fn clean(mut self) -> Self {
        self.clean = true;
        self
    }

    /// A boundary clock with a follower at least, whatever chance said.
    pub(super) fn with_boundary(mut self, random: &mut Random) -> Self {
        let boundary = name("bc-0");
        if !self.nodes.iter().any(|node| node.name == boundary) {
            let gm = self.nodes[0].name.clone();
            let mut node = Node::new(boundary.clone(), Role::BoundaryClock, Some(gm));
            node.interface.clone_from(&self.nodes[0].interface);
            node.holdover_timeout = SignedDuration::from_secs(random.pick(&[600, 1_800, 3_600]));
            self.nodes.insert(1, node);
        }
        let child = self.workers().pop();
        if let Some(node) = self.nodes.iter_mut().find(|node| Some(&node.name) == child.as_ref()) {
            node.parent = Some(boundary);
        }
        self
    }

    /// These follow slowly, with an OCXO, as partial timing support asks for.
    pub(super) fn slow_at(mut self, node: &NodeName) -> Self {
        for node in self.nodes.iter_mut().filter(|other| other.name == *node) {
            node.servo = ServoKind::Slow;
            node.oscillator = OscillatorKind::Ocxo;
        }
        self
    }

    /// A node that is left in HOLDOVER for as long as it takes, with this oscillator.
    pub(super) fn holds(
        mut self,
        node: &NodeName,
        oscillator: OscillatorKind,
        offsets: HoldoverOffsets,
    ) -> Self {
        for node in self.nodes.iter_mut().filter(|other| other.name == *node) {
            node.oscillator = oscillator;
            // Partial timing support needs an oven.
            if oscillator == OscillatorKind::Tcxo {
                node.servo = ServoKind::Fast;
            }
            node.offsets_in_holdover = offsets;
            node.holdover_timeout = SignedDuration::from_hours(48);
        }
        self
    }

    /// Lets a node take frequency from `SyncE`.
    pub(super) fn synce_at(mut self, node: &NodeName) -> Self {
        for node in self.nodes.iter_mut().filter(|other| other.name == *node) {
            node.synce = true;
        }
        self
    }

    pub(super) fn grandmaster(&self) -> NodeName {
        self.nodes[0].name.clone()
    }

    /// The followers, in a fixed order.
    pub(super) fn workers(&self) -> Vec<NodeName> {
        let followers = self.nodes.iter().filter(|node| node.role == Role::Follower);
        followers.map(|node| node.name.clone()).collect()
    }

    /// `count` different followers.
    pub(super) fn some_workers(&self, count: usize, random: &mut Random) -> Vec<NodeName> {
        let mut workers = self.workers();
        random.shuffle(&mut workers);
        workers.truncate(count);
        workers
    }

    /// One follower.
    pub(super) fn worker(&self, random: &mut Random) -> NodeName {
        let last = u32::try_from(self.workers().len() - 1).unwrap_or(0);
        self.workers()[random.whole(0, last) as usize].clone()
    }

    /// After how many seconds a node's HOLDOVER becomes FREERUN.
    pub(super) fn holdover_timeout_s(&self, name: &NodeName) -> i64 {
        let node = self.nodes.iter().find(|node| node.name == *name);
        node.map_or(0, |node| node.holdover_timeout.as_secs())
    }

    /// The noise of a node's measurements, in ns.
    pub(super) fn noise_ns(&self, name: &NodeName) -> f64 {
        let node = self.nodes.iter().find(|node| node.name == *name);
        node.map_or(1.0, |node| node.noise_ns)
    }

    /// Puts a fault in, from second `start` for `length` seconds or for ever.
    pub(super) fn fault(
        mut self,
        effect: Effect,
        nodes: &[NodeName],
        start: i64,
        length: Option<i64>,
    ) -> Self {
        self.faults.push(Fault {
            effect,
            nodes: nodes.to_vec(),
            start: SignedDuration::from_secs(start),
            length: length.map(SignedDuration::from_secs),
        });
        self
    }

    /// The plan, played for `length` seconds.
    pub(super) fn plan(self, length: i64, random: &mut Random) -> Plan {
        let topology = Topology::new(self.nodes).expect("sites put parents first");
        let mut plan = Plan::new("", topology, SignedDuration::from_secs(length));
        // Any second of 2026's first ten months, at a random phase of it.
        let into_year = random.between(0.0, 300.0 * 86_400.0);
        #[expect(clippy::cast_possible_truncation, reason = "below 2^60 ns")]
        let nanos = (into_year * 1e9) as i64;
        plan.start = Received::from_nanos(default_start().as_nanos() + nanos);
        plan.poll_every = self.poll_every_s.map(SignedDuration::from_secs);
        plan.faults = self.faults;
        plan.mess = Mess::draw(random);
        if self.clean {
            plan.mess = Mess::default();
        }
        if self.needs_polls && plan.mess.kept == Kept::Pushes {
            plan.mess.kept = random.pick(&[Kept::Both, Kept::Polls]);
        }
        plan
    }
}

/// A random number of seconds between so many minutes.
pub(super) fn minutes(low: f64, high: f64, random: &mut Random) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "some days at most")]
    let seconds = random.between(low * 60.0, high * 60.0) as i64;
    seconds
}

/// This length in one half of the cases, no end in the other.
pub(super) fn perhaps(length: i64, random: &mut Random) -> Option<i64> {
    random.chance(0.5).then_some(length)
}
