//! What a log shows of a clock beyond its state: how its servo steers, what became of its port, what
//! its processes complain of. Most clocks are known by events alone, and have none of it.

use std::collections::VecDeque;
use std::time::Duration;

use ptp_events::observation::{
    Dpll, Observed, PortChange, PortEvent, PortState, Remark, Sample, Servo,
};
use ptp_events::{ClockIdentity, EventId, Offset, Received};

use super::swing::Swing;
use super::{Fact, Said};

/// Complaints this far apart are not one story.
const ONE_STORY: Duration = Duration::from_mins(10);
/// How many ports of a clock are told apart.
const MOST_PORTS: usize = 16;
/// How many facts are kept.
const MOST_FACTS: usize = 32;
/// How many distances between samples make a cadence.
const CADENCE_SAMPLES: usize = 8;
/// Over which time what is usual is averaged, in s, and of how many samples at least; and of how many
/// the median shows what is so now: one bad sample and the servo's answer are few.
const USUAL_S: f64 = 3_840.0;
const USUAL_LEAST: u32 = 32;
const NOW: usize = 16;

/// A complaint that was heard, perhaps again and again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Complaint {
    /// What it is.
    pub remark: Remark,
    /// When it was first heard, of those that are one story.
    pub first: Received,
    /// When it was last heard.
    pub last: Received,
    /// How often it was told; a log that repeats it is told of once in ten seconds.
    pub count: u32,
}

/// A run of samples in which something did not change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Run {
    /// The first sample.
    pub since: Received,
    /// The last one.
    pub last: Received,
    /// How many.
    pub samples: u32,
    /// The offset at the first and at the last, in nanoseconds.
    pub from_ns: i64,
    /// See [`Self::from_ns`].
    pub to_ns: i64,
}

impl Run {
    const fn new(at: Received, offset: i64) -> Self {
        Self { since: at, last: at, samples: 1, from_ns: offset, to_ns: offset }
    }

    const fn push(&mut self, at: Received, offset: i64) {
        self.last = at;
        self.samples += 1;
        self.to_ns = offset;
    }
}

/// How much offsets vary, usually and now.
#[derive(Clone, Copy, Debug, Default)]
struct Noise {
    usual: f64,
    latest: [f64; NOW],
    count: u32,
}

impl Noise {
    fn push(&mut self, rms: f64, passed: Duration) {
        self.latest[self.count as usize % NOW] = rms;
        self.count = self.count.saturating_add(1);
        // What is far above the usual is not what becomes usual.
        if self.count < USUAL_LEAST || rms <= self.usual * 3.0 {
            let share = passed.as_secs_f64() / USUAL_S;
            let share = if self.count <= USUAL_LEAST { 1.0 / f64::from(self.count) } else { share };
            self.usual += (rms - self.usual) * share.min(1.0);
        }
    }
}

/// What was seen of a clock at first hand.
#[derive(Clone, Debug, Default)]
pub struct FirstHand {
    ports: Vec<(PortChange, Received)>,
    /// When a port that followed was lost, and why.
    lost: Option<(Received, PortEvent)>,
    dpll: Option<(Dpll, Received)>,
    time_of_day: Option<(bool, Received)>,
    complaints: Vec<Complaint>,
    /// The frequency correction, whether the servo steers by it, and since when both have not changed.
    frequency: Option<((i64, bool), Run)>,
    /// Samples with an offset and a delay of exactly nothing.
    nothing: Option<Run>,
    /// Samples with a delay below nothing.
    negative: Option<Run>,
    /// Samples that are decades off.
    decades: Option<Run>,
    /// Samples with a correction that no crystal needs, and the latest of these.
    runaway: Option<(i64, Run)>,
    /// The latest offset that was a power of two, and which.
    rolled_over: Option<(Received, u32)>,
    /// Whether any offset came with the delay of a path.
    has_path: bool,
    last_sample: Option<Received>,
    /// The latest distances between samples, in turn, and how many there were.
    gaps: [Duration; CADENCE_SAMPLES],
    gaps_seen: usize,
    noise: Noise,
    swing: Swing,
    second_jumps: VecDeque<(Received, i64)>,
    far: VecDeque<(Received, i64)>,
    masters: VecDeque<(Received, ClockIdentity)>,
    facts: VecDeque<Fact>,
}

impl FirstHand {
    /// Takes in what was seen; true when it is worth telling.
    pub(super) fn push(&mut self, at: Received, event: &EventId, observed: &Observed) -> bool {
        let news = match observed {
            Observed::Sample(sample) => {
                self.sampled_at(at, sample);
                false
            }
            Observed::Port(change) => {
                self.changed_port(at, change);
                true
            }
            Observed::Dpll(dpll) => self.changed_dpll(at, *dpll),
            Observed::TimeOfDay { available } => {
                let before = self.time_of_day.map(|(available, _)| available);
                if before != Some(*available) {
                    self.time_of_day = Some((*available, at));
                }
                before != Some(*available)
            }
            Observed::Remark(remark) => self.heard(at, *remark),
            Observed::Process { .. } => true,
            _ => false,
        };
        if news {
            if self.facts.len() == MOST_FACTS {
                self.facts.pop_front();
            }
            let said = Said::Seen(observed.clone());
            self.facts.push_back(Fact { at, event: event.clone(), said });
        }
        news
    }

    fn changed_port(&mut self, at: Received, change: &PortChange) {
        let same = |(known, _): &&mut (PortChange, Received)| known.port == change.port;
        if let Some(known) = self.ports.iter_mut().find(same) {
            *known = (change.clone(), at);
        } else if self.ports.len() < MOST_PORTS {
            self.ports.push((change.clone(), at));
        }
        if change.from == PortState::Slave && change.to != PortState::Slave {
            self.lost = Some((at, change.why));
        }
    }

    fn changed_dpll(&mut self, at: Received, dpll: Dpll) -> bool {
        match self.dpll {
            Some((before, _)) if before == dpll => false,
            Some((before, since))
                if before.is_locked() == dpll.is_locked() && before.pps == dpll.pps =>
            {
                self.dpll = Some((dpll, since));
                false
            }
            _ => {
                self.dpll = Some((dpll, at));
                true
            }
        }
    }

    fn heard(&mut self, at: Received, remark: Remark) -> bool {
        let known = self.complaints.iter_mut().find(|complaint| complaint.remark == remark);
        let fresh = Complaint { remark, first: at, last: at, count: 1 };
        match known {
            Some(known) if at.since(known.last) <= ONE_STORY => {
                known.last = at;
                known.count += 1;
                false
            }
            Some(known) => {
                *known = fresh;
                true
            }
            None => {
                self.complaints.push(fresh);
                true
            }
        }
    }

    fn sampled_at(&mut self, at: Received, sample: &Sample) {
        let offset = sample.offset.as_nanos();
        let passed = self.last_sample.map(|last| at.since(last));
        if let Some(passed) = passed {
            self.gaps[self.gaps_seen % CADENCE_SAMPLES] = passed;
            self.gaps_seen += 1;
        }
        if let Some(spread) = sample.spread.filter(|_| !is_level(sample)) {
            self.noise.push(spread as f64, passed.unwrap_or_default());
        }
        if sample.spread.is_none() {
            self.swing.push(at, offset, sample.in_range);
        }
        self.has_path |= sample.delay.is_some();
        self.last_sample = Some(at);
        let run = |run: &mut Option<Run>, is_so: bool| match run {
            Some(run) if is_so => run.push(at, offset),
            _ => *run = is_so.then(|| Run::new(at, offset)),
        };
        run(&mut self.nothing, offset == 0 && sample.delay == Some(0));
        run(&mut self.decades, offset.unsigned_abs() >= TEN_YEARS_NS);
        run(&mut self.negative, sample.delay.is_some_and(|delay| delay < 0));
        match (&mut self.runaway, sample.frequency.filter(|f| f.unsigned_abs() > NO_CRYSTAL_PPB)) {
            (Some((latest, run)), Some(frequency)) => {
                *latest = frequency;
                run.push(at, offset);
            }
            (known, frequency) => *known = frequency.map(|f| (f, Run::new(at, offset))),
        }
        let worst = sample.peak.unwrap_or(sample.offset).magnitude();
        if let Some(power) = power_of_two(worst) {
            self.rolled_over = Some((at, power));
        }
        // In s0 a servo collects samples and does not steer yet (linuxptp, pi.c, `pi_sample`).
        let steers = sample.servo != Some(Servo::Unlocked);
        match (&mut self.frequency, sample.frequency.map(|frequency| (frequency, steers))) {
            (Some((before, run)), Some(now)) if *before == now => run.push(at, offset),
            (known, Some(now)) => *known = Some((now, Run::new(at, offset))),
            (_, None) => {}
        }
        self.measured(at, sample.offset);
    }

    /// Takes in an offset, however it was told.
    pub(super) fn measured(&mut self, at: Received, offset: Offset) {
        let push = |list: &mut VecDeque<_>, what| {
            if list.len() == MOST_FACTS {
                list.pop_front();
            }
            list.push_back((at, what));
        };
        if let Some(seconds) = offset.whole_seconds() {
            push(&mut self.second_jumps, seconds);
        }
        if offset.magnitude() >= FAR_NS {
            push(&mut self.far, offset.as_nanos());
        }
    }

    /// The latest change of each port.
    #[must_use]
    pub fn ports(&self) -> &[(PortChange, Received)] {
        &self.ports
    }

    /// When a port that followed was last lost, and why.
    #[must_use]
    pub const fn lost(&self) -> Option<(Received, PortEvent)> {
        self.lost
    }

    /// The DPLL's state, and since when it is locked or not, or has its pulse or not.
    #[must_use]
    pub const fn dpll(&self) -> Option<(Dpll, Received)> {
        self.dpll
    }

    /// Whether there is a time of day, and since when.
    #[must_use]
    pub const fn time_of_day(&self) -> Option<(bool, Received)> {
        self.time_of_day
    }

    /// The complaint `remark`, if it was heard.
    #[must_use]
    pub fn complaint(&self, remark: Remark) -> Option<Complaint> {
        self.complaints.iter().find(|complaint| complaint.remark == remark).copied()
    }

    /// The frequency correction, in parts per billion, and the samples since it last changed.
    #[must_use]
    pub fn frequency(&self) -> Option<(i64, Run)> {
        self.frequency.map(|((frequency, _), run)| (frequency, run))
    }

    /// The same of a servo that steers.
    #[must_use]
    pub fn steered(&self) -> Option<(i64, Run)> {
        self.frequency().filter(|_| self.frequency.is_some_and(|((_, steers), _)| steers))
    }

    /// The samples since the frequency correction has been more than any crystal needs, and the latest, in
    /// parts per billion.
    #[must_use]
    pub const fn runaway(&self) -> Option<(i64, Run)> {
        self.runaway
    }

    /// The latest offset that was a power of two nanoseconds, and the exponent.
    #[must_use]
    pub const fn rolled_over(&self) -> Option<(Received, u32)> {
        self.rolled_over
    }

    /// The samples since offset and delay have been exactly nothing, if they are.
    #[must_use]
    pub const fn nothing(&self) -> Option<Run> {
        self.nothing
    }

    /// The samples since the delay has been below nothing, if it is.
    #[must_use]
    pub const fn negative_delay(&self) -> Option<Run> {
        self.negative
    }

    /// The samples since the offset has been ten years and more, if it is.
    #[must_use]
    pub const fn decades(&self) -> Option<Run> {
        self.decades
    }

    /// When an offset was last measured.
    #[must_use]
    pub const fn last_sample(&self) -> Option<Received> {
        self.last_sample
    }

    /// How far apart offsets are measured, at most; `None` when they are not regular, as where only
    /// those out of range are written down.
    #[must_use]
    pub fn cadence(&self) -> Option<Duration> {
        let longest = *self.gaps.iter().max()?;
        let shortest = *self.gaps.iter().min()?;
        (self.gaps_seen >= CADENCE_SAMPLES && longest <= shortest * 2).then_some(longest)
    }

    /// How many times as much offsets vary as they usually do, and by how many nanoseconds (root mean
    /// square), where that is written down.
    #[must_use]
    pub fn noise(&self) -> Option<(f64, f64)> {
        let Noise { usual, mut latest, count } = self.noise;
        (count >= USUAL_LEAST && usual > 0.0).then(|| {
            latest.sort_unstable_by(f64::total_cmp);
            let now = latest[NOW / 2];
            (now / usual.max(1.0), now)
        })
    }

    /// Since when successive offsets go to and fro by more than a servo that settles makes them, and by how
    /// many nanoseconds, where each of them is written down.
    #[must_use]
    pub fn swing(&self, threshold_ns: u64) -> Option<(Received, u64)> {
        self.swing.over(threshold_ns)
    }

    /// Whether the clock is steered by a pulse, and not over a path: ts2phc prints no delay.
    #[must_use]
    pub const fn is_by_pulse(&self) -> bool {
        self.frequency.is_some() && !self.has_path
    }

    /// Whether any offset came with the delay of a path.
    #[must_use]
    pub const fn has_path(&self) -> bool {
        self.has_path
    }

    /// Notes which master was chosen.
    pub(super) fn chose(&mut self, at: Received, master: ClockIdentity) {
        if self.masters.len() == MOST_FACTS {
            self.masters.pop_front();
        }
        self.masters.push_back((at, master));
    }

    /// The masters that were chosen, one after the other, and when.
    #[must_use]
    pub const fn masters(&self) -> &VecDeque<(Received, ClockIdentity)> {
        &self.masters
    }

    /// Offsets that were whole seconds, to the millisecond, and when.
    #[must_use]
    pub const fn second_jumps(&self) -> &VecDeque<(Received, i64)> {
        &self.second_jumps
    }

    /// Offsets of a millisecond and more, in nanoseconds, and when.
    #[must_use]
    pub const fn far(&self) -> &VecDeque<(Received, i64)> {
        &self.far
    }

    pub(crate) const fn facts(&self) -> &VecDeque<Fact> {
        &self.facts
    }
}

/// More than any crystal is off: 500 ppm, the most that the kernel steers a clock by (adjtimex(2)), is five
/// times what the worst ones are.
const NO_CRYSTAL_PPB: u64 = 500_000;

/// The least power of two that is taken for a counter's: 2^24 ns are 17 ms, which no path and no servo makes.
const LEAST_POWER: u32 = 24;

/// The power of two that an offset is, to a microsecond or a millionth: a counter of the card overflowed, or
/// its halves were put together wrongly.
fn power_of_two(nanos: u64) -> Option<u32> {
    let nearest = (nanos as f64).log2().round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 64")]
    let power = nearest as u32;
    let exact = 1_u64.checked_shl(power)?;
    let apart = nanos.abs_diff(exact);
    (power >= LEAST_POWER && apart <= 1_000.max(exact / 1_000_000)).then_some(power)
}

/// From here on an offset is no error but another epoch: no leap second or time zone is ten years.
pub(crate) const TEN_YEARS_NS: u64 = 315_576_000_000_000_000;

/// Whether the root mean square of several offsets is that of an offset that stays, rather than of
/// noise: the greatest of eight samples of normal noise is twice it, of a constant it is the same.
pub(super) fn is_level(sample: &Sample) -> bool {
    let peak = sample.peak.map_or(0, Offset::magnitude);
    sample.is_size
        && sample.spread.is_some_and(|rms| peak.saturating_mul(2) < rms.saturating_mul(3))
}

/// No path, servo or oscillator moves a locked clock by a millisecond from one second to the next: a
/// network's path delay is below it, and an oscillator off by 1 ppm takes a quarter of an hour.
const FAR_NS: u64 = 1_000_000;
