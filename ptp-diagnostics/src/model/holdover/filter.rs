//! A Kalman filter on phase, frequency and drift of a clock that is left to its oscillator.

/// What a kind of oscillator does once nothing corrects it; frequencies in ns/s, which is ppb, as standard
/// deviations.
#[derive(Clone, Copy, Debug)]
struct Kind {
    /// The frequency that the servo had not learnt when the reference was lost.
    frequency: f64,
    /// Its change: temperature and ageing, per second.
    drift: f64,
    /// White noise of frequency, per square root of a second.
    white: f64,
    /// Random walk and flicker of frequency, per square root of a second.
    walk: f64,
    /// How the drift itself changes with the time of day, per square root of a second.
    bend: f64,
}

/// What makers publish, for a room whose air changes by 6 °C an hour at most and by 10 °C a day.
const KINDS: [Kind; 2] = [
    // A precision TCXO, ±1 ppb/°C and an Allan deviation of 3e-11 over 10 s (SiTime SiT5357, data sheet):
    // 1 ppb/°C · 6 °C/h, 3e-11 · √10 s, half a degree within five minutes, and a quarter of a day in which
    // the drift turns round. A servo has not learnt what the last minutes changed.
    Kind { frequency: 1.0, drift: 1.7e-3, white: 0.095, walk: 2.9e-2, bend: 5e-6 },
    // An OCXO: ±10 µs in a day at a constant temperature (Tekron, NTS 03-G), which is a drift of
    // 2.7e-6 ns/s², and ±1 ppb a day where everything counts (Telcordia GR-1244, Stratum 3E, drift), which is
    // 1.2e-5 ns/s²: their middle. An Allan deviation of 1e-11 over 1 s. An oven lets through a hundredth of
    // what its air does to a TCXO.
    Kind { frequency: 0.1, drift: 5.7e-6, white: 1e-2, walk: 2.9e-4, bend: 5e-8 },
];

impl Kind {
    /// What its noises add to the covariance of phase, frequency and drift in so many seconds.
    fn noise_of(&self, dt: f64) -> [[f64; 3]; 3] {
        let (white, walk, bend) =
            (self.white * self.white, self.walk * self.walk, self.bend * self.bend);
        let (d2, d3, d4) = (dt * dt, dt.powi(3), dt.powi(4));
        let phase = white * dt + walk * d3 / 3.0 + bend * dt.powi(5) / 20.0;
        let cross = walk * d2 / 2.0 + bend * d4 / 8.0;
        let (far, near) = (bend * d3 / 6.0, bend * d2 / 2.0);
        [[phase, cross, far], [cross, walk * dt + bend * d3 / 3.0, near], [far, near, bend * dt]]
    }
}

/// The variance of one measurement: a boundary clock of class C adds 10 ns at most (ITU-T G.8273.2, 7.1.2,
/// `dTE_L`), a third of which is one standard deviation, and two or three of them are in a chain.
const NOISE: f64 = 30.0;
/// A measurement further off than this many standard deviations counts as if it were that far.
const OUTLIER: f64 = 3.0;

/// What is believed of one kind of oscillator, and how well that has explained what was measured.
#[derive(Clone, Copy, Debug)]
struct Belief {
    kind: Kind,
    /// Phase, frequency, drift.
    mean: [f64; 3],
    spread: [[f64; 3]; 3],
    /// Twice the negative logarithm of its likelihood.
    surprise: f64,
}

impl Belief {
    fn new(kind: Kind, phase: f64) -> Self {
        let spread = [
            [NOISE, 0.0, 0.0],
            [0.0, kind.frequency * kind.frequency, 0.0],
            [0.0, 0.0, kind.drift * kind.drift],
        ];
        Self { kind, mean: [phase, 0.0, 0.0], spread, surprise: 0.0 }
    }

    /// So many seconds pass.
    fn pass(&mut self, dt: f64) {
        let step = [[1.0, dt, dt * dt / 2.0], [0.0, 1.0, dt], [0.0, 0.0, 1.0]];
        let added = self.kind.noise_of(dt);
        let (mean, spread) = (self.mean, self.spread);
        self.mean = step.map(|row| (0..3).map(|k| row[k] * mean[k]).sum());
        let half = step.map(|row| {
            std::array::from_fn::<f64, 3, _>(|j| (0..3).map(|k| row[k] * spread[k][j]).sum())
        });
        self.spread = std::array::from_fn(|i| {
            std::array::from_fn(|j| {
                (0..3).map(|k| half[i][k] * step[j][k]).sum::<f64>() + added[i][j]
            })
        });
    }

    /// The phase so many seconds later, and its standard deviation: one cell of what [`Self::pass`]
    /// works out.
    fn phase_after(&self, dt: f64) -> (f64, f64) {
        let row = [1.0, dt, dt * dt / 2.0];
        let mean = (0..3).map(|k| row[k] * self.mean[k]).sum();
        let mut variance = self.kind.noise_of(dt)[0][0];
        for (i, a) in row.iter().enumerate() {
            for (j, b) in row.iter().enumerate() {
                variance += a * b * self.spread[i][j];
            }
        }
        (mean, variance.max(0.0).sqrt())
    }

    fn handle_measured(&mut self, nanos: f64) {
        let off = nanos - self.mean[0];
        let known = self.spread[0][0];
        // What is far off is taken for noisy: it moves the belief no further than the limit.
        let variance = (known + NOISE).max(off * off / (OUTLIER * OUTLIER));
        self.surprise += off * off / variance + variance.ln();
        let gain = self.spread.map(|row| row[0] / variance);
        let row = self.spread[0];
        for (i, gain) in gain.iter().enumerate() {
            self.mean[i] += gain * off;
            for (j, cell) in row.iter().enumerate() {
                self.spread[i][j] -= gain * cell;
            }
        }
    }
}

/// Beliefs about the same clock, one per kind of oscillator: which it has shows in what it does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter {
    beliefs: [Belief; KINDS.len()],
    /// When it was last told something, in s since the loss.
    last: f64,
    samples: usize,
}

impl Filter {
    /// The reference was lost when the offset was `phase` ns.
    pub(super) fn new(phase: f64) -> Self {
        Self { beliefs: KINDS.map(|kind| Belief::new(kind, phase)), last: 0.0, samples: 0 }
    }

    /// `nanos` were measured `t` seconds after the loss.
    pub(super) fn push(&mut self, t: f64, nanos: f64) {
        for belief in &mut self.beliefs {
            belief.pass((t - self.last).max(0.0));
            belief.handle_measured(nanos);
        }
        self.last = t;
        self.samples += 1;
    }

    /// How many measurements there were.
    pub(crate) const fn samples(&self) -> usize {
        self.samples
    }

    /// When the last one was, in s since the loss.
    pub(crate) const fn last(&self) -> f64 {
        self.last
    }

    /// The offset expected at `t` seconds, and its standard deviation; in ns.
    pub(crate) fn expected(&self, t: f64) -> (f64, f64) {
        let better = |a: &&Belief, b: &&Belief| a.surprise.total_cmp(&b.surprise);
        let belief = self.beliefs.iter().min_by(better).unwrap_or(&self.beliefs[0]);
        belief.phase_after((t - self.last).max(0.0))
    }
}
