//! All nodes together, second by second.

use ptp_events::{Instance, Received};

use crate::clock::{Clock, Seen};
use crate::conditions::{Active, Conditions};
use crate::exporter::{EVERY_S, Exporter, Scrape};
use crate::log::{Log, LogForm, LogLine};
use crate::plan::Plan;
use crate::publisher::{Names, Publisher};
use crate::random::Random;
use crate::said::Said;

/// The limit of true time error that labels tell about: 1500 ns at the air interface, half of the
/// 3 us between cells that 3GPP TS 38.133 allows for TDD.
const AIR_LIMIT_NS: f64 = 1_500.0;

/// How long nodes that are not cold run before the start, so that their servos have settled.
const WARM_UP_S: i64 = 240;

/// What happened, apart from what was said.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// Per node: from which seconds on the true time error was over the limit.
    pub(crate) crossings: Vec<Vec<i64>>,
    /// Per node: from which seconds on it was well, or no longer.
    pub(crate) health: Vec<Vec<(i64, bool)>>,
    /// Per node: its true time error each second, when that was asked for.
    pub(crate) errors: Vec<Vec<f64>>,
}

/// What one second was like at one node.
struct Told<'a> {
    index: usize,
    seen: &'a Seen,
    now: &'a Conditions,
    publisher: &'a Publisher,
}

/// The nodes of a plan.
pub(crate) struct World<'a> {
    plan: &'a Plan,
    faults: Vec<Vec<Active>>,
    clocks: Vec<Clock>,
    publishers: Vec<Publisher>,
    parents: Vec<Option<usize>>,
    /// Per node: when its processes are started, for those that are cold.
    boots: Vec<i64>,
    random: Random,
}

impl<'a> World<'a> {
    pub(crate) fn new(plan: &'a Plan, seed: u64) -> Self {
        let nodes = plan.topology.nodes();
        let mut clocks = Vec::with_capacity(nodes.len());
        let mut publishers = Vec::with_capacity(nodes.len());
        let mut boots = Vec::with_capacity(nodes.len());
        let mut random = Random::new(seed, 0);
        for (index, node) in nodes.iter().enumerate() {
            let stream = 2 * u64::try_from(index).unwrap_or(u64::MAX / 2);
            clocks.push(Clock::draw(node, Random::new(seed, 16 + stream)));
            let own = Random::new(seed, 17 + stream);
            let answering = Random::new(seed, (1 << 33) + stream);
            publishers.push(Publisher::new(index, node, names(&node.interface), own, answering));
            boots.push(if node.cold { i64::from(random.whole(1, 40)) } else { i64::MIN });
        }
        Self {
            plan,
            faults: Active::spread(&plan.topology, &plan.faults, seed),
            clocks,
            publishers,
            parents: (0..nodes.len()).map(|node| plan.topology.parent_index(node)).collect(),
            boots,
            random,
        }
    }

    /// Plays the plan to its end, told by the log of each node that publishes.
    pub(crate) fn play_log(mut self, form: LogForm, sink: &mut dyn FnMut(LogLine<'_>)) {
        let nodes = self.plan.topology.nodes();
        let mut logs: Vec<Log> =
            nodes.iter().map(|node| Log::new(node, form, self.plan.start)).collect();
        self.warm_up();
        let start = self.plan.start.as_nanos();
        for t in 0..self.plan.length.as_secs() {
            self.step(t, true, &mut Vec::new(), &mut History::default(), &mut |told| {
                let Told { index, seen, now, publisher } = told;
                logs[index].step(t, seen, now, publisher.lock.state(), publisher.class());
            });
            for (node, log) in nodes.iter().zip(&mut logs) {
                for (at, text) in log.drain() {
                    let nanos = start.saturating_add(at);
                    sink(LogLine {
                        node: &node.name,
                        at: Received::from_nanos(nanos),
                        text: &text,
                    });
                }
            }
        }
    }

    /// Plays the plan to its end, told by the metrics of each node that publishes.
    pub(crate) fn play_metrics(mut self, sink: &mut dyn FnMut(Scrape<'_>)) {
        let nodes = self.plan.topology.nodes();
        let mut exporters: Vec<Exporter> =
            nodes.iter().map(|node| Exporter::new(node, self.plan.start)).collect();
        let mut scraped = vec![None; nodes.len()];
        self.warm_up();
        let start = self.plan.start.as_nanos();
        for t in 0..self.plan.length.as_secs() {
            self.step(t, true, &mut Vec::new(), &mut History::default(), &mut |told| {
                let Told { index, seen, now, publisher } = told;
                let states = (publisher.lock.state(), publisher.os_state());
                exporters[index].step(t, seen, now, states, publisher.class());
            });
            for (index, exporter) in
                exporters.iter().enumerate().filter(|(i, _)| nodes[*i].publishes)
            {
                // Prometheus spreads its targets over the interval.
                let shift = i64::try_from(index).unwrap_or(0) * 7;
                if (t + shift) % EVERY_S == 0 {
                    scraped[index] = exporter.answer();
                }
            }
            if t % EVERY_S == EVERY_S - 1 {
                let nanos = start.saturating_add(t * 1_000_000_000 + 990_000_000);
                let text = scraped.iter().flatten().map(String::as_str).collect::<String>();
                sink(Scrape { at: Received::from_nanos(nanos), text: &text });
            }
        }
    }

    fn warm_up(&mut self) {
        for t in -WARM_UP_S..0 {
            self.step(t, true, &mut Vec::new(), &mut History::default(), &mut |_| {});
        }
    }

    /// Plays the plan to its end.
    pub(crate) fn play(mut self, keep_errors: bool) -> (Vec<Said>, History) {
        let nodes = self.clocks.len();
        let mut said = Vec::new();
        self.warm_up();
        if self.plan.subscribes {
            for node in 0..nodes {
                let at = i64::from(self.random.whole(0, 40_000_000));
                if self.plan.topology.nodes()[node].publishes {
                    self.publishers[node].subscribed(at, &mut said);
                }
            }
        }
        let mut history = History {
            crossings: vec![Vec::new(); nodes],
            health: vec![Vec::new(); nodes],
            errors: if keep_errors { vec![Vec::new(); nodes] } else { Vec::new() },
        };
        for t in 0..self.plan.length.as_secs() {
            self.step(t, false, &mut said, &mut history, &mut |_| {});
        }
        (said, history)
    }

    fn step(
        &mut self,
        t: i64,
        warm_up: bool,
        said: &mut Vec<Said>,
        history: &mut History,
        tell: &mut dyn FnMut(Told<'_>),
    ) {
        // Followers first: what a parent does reaches them within the next second, never before.
        for index in (0..self.clocks.len()).rev() {
            let node = &self.plan.topology.nodes()[index];
            if t < self.boots[index] {
                continue;
            }
            let now = Conditions::at(t, &self.faults[index]);
            let parent = self.parents[index];
            let given = parent.map(|parent| self.clocks[parent].given());
            let upstream = parent.map_or(248, |parent| self.publishers[parent].class());
            let seen = self.clocks[index].step(t, &now, given);
            let before = said.len();
            let publisher = &mut self.publishers[index];
            publisher.step(t, &seen, &now, upstream, said);
            if node.publishes {
                tell(Told { index, seen: &seen, now: &now, publisher });
            }
            if !node.publishes {
                said.truncate(before);
            } else if !now.publisher_down && !now.publisher_restart && self.is_polled(t, index) {
                let at = t * 1_000_000_000 + 985_000_000;
                self.publishers[index].answer(at, seen.stamp_error_ns, said);
            }
            if !warm_up {
                self.remember(t, index, history);
            }
        }
    }

    /// Polls go round, so that nodes are not all asked at once.
    fn is_polled(&self, t: i64, index: usize) -> bool {
        let Some(every) = self.plan.poll_every else {
            return false;
        };
        let every = every.as_secs().max(1);
        let shift = i64::try_from(index).unwrap_or(0) * 7;
        (t + shift) % every == every - 1
    }

    fn remember(&self, t: i64, index: usize, history: &mut History) {
        let error = self.clocks[index].given().error_ns;
        let over = &mut history.crossings[index];
        // A clock that stays beyond the limit is listed every second: faults begin any time.
        if error.abs() > AIR_LIMIT_NS {
            over.push(t);
        }
        let well = self.publishers[index].is_well();
        let health = &mut history.health[index];
        if health.last().map(|(_, was)| *was) != Some(well) {
            health.push((t, well));
        }
        if let Some(errors) = history.errors.get_mut(index) {
            errors.push(error);
        }
    }
}

fn names(interface: &str) -> Names {
    let instance = |text: &str| Instance::new(text).unwrap_or(Instance::NODE);
    // SyncE runs on a port, not on the alias of the card: ens1fx has ens1f0.
    let port =
        interface.strip_suffix('x').map_or_else(|| interface.to_owned(), |card| format!("{card}0"));
    Names {
        master: instance(&format!("{interface}/master")),
        os: instance("CLOCK_REALTIME"),
        synce: instance(&format!("synce1/{port}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grandmaster's true time error at these minutes of a holdover, in ns.
    fn holdover(seed: u64, minutes: [usize; 3]) -> [f64; 3] {
        let plan = Plan::from_toml(
            "length = \"5h\"\n[[node]]\nname = \"gm-0\"\nrole = \"grandmaster\"\n\
             [[fault]]\nkind = \"gnss-signal-loss\"\nnodes = [\"gm-0\"]\nstart = \"10m\"\n",
        )
        .unwrap();
        let (_, history) = World::new(&plan, seed).play(true);
        minutes.map(|minute| history.errors[0][(10 + minute) * 60])
    }

    /// T₀ + S·t + ½·A·t² with the frequency left over, ageing and temperature of an OCXO.
    #[test]
    fn a_holdover_grows_like_its_model() {
        for seed in 0..10 {
            let [at_loss, in_an_hour, in_four] = holdover(seed, [0, 60, 240]);
            assert!(at_loss.abs() < 10.0, "seed {seed}: {at_loss}");
            // S up to 0.15 ppb and A up to 0.45 + 1.4 ppb a day: 540 + 140 ns.
            assert!(in_an_hour.abs() < 700.0, "seed {seed}: {in_an_hour}");
            assert!(in_four.abs() < 4_500.0, "seed {seed}: {in_four}");
        }
    }
}
