//! Chance that is the same for everyone who has the seed.
//!
//! Every draw is made of integer arithmetic, `+ - * /` and square roots, which IEEE 754 defines to
//! the last bit: logarithms and sines differ between platforms, and a recording must not.

use rand::rngs::ChaCha8Rng;
use rand::{Rng as _, SeedableRng as _};

/// A stream of random draws.
#[derive(Debug)]
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    /// The stream that `seed` and `stream` name; different streams are independent.
    ///
    /// A stream per node and per purpose keeps one draw more here from changing everything there.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// From 0 (included) to 1 (excluded).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From `low` (included) to `high` (excluded).
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number from `low` to `high`, both included.
    pub(crate) fn whole(&mut self, low: u32, high: u32) -> u32 {
        let choices = u64::from(high - low) + 1;
        let step = u32::try_from(self.bits() % choices).unwrap_or(0);
        low + step
    }

    /// True in the share `probability` of all draws.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of the choices, which must not be empty.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let last = u32::try_from(choices.len() - 1).unwrap_or(0);
        choices[self.whole(0, last) as usize]
    }

    /// Either sign, equally likely.
    pub(crate) fn sign(&mut self) -> f64 {
        self.pick(&[-1.0, 1.0])
    }

    /// Normally distributed with mean 0 and standard deviation 1, cut off at ±6.
    ///
    /// The sum of twelve uniform draws of 16 bits (Irwin–Hall) has variance 1 by itself.
    pub(crate) fn normal(&mut self) -> f64 {
        let mut sum = 0_u32;
        for _ in 0..3 {
            let bits = self.bits();
            sum += [0, 16, 32, 48].iter().map(|shift| (bits >> shift & 0xffff) as u32).sum::<u32>();
        }
        f64::from(sum) / 65_536.0 - 6.0
    }

    /// A delay with a heavy tail and this median, at most a thousand times as long.
    ///
    /// Log-logistic with shape 2: one in a hundred is more than ten times the median.
    pub(crate) fn delay(&mut self, median: f64) -> f64 {
        let u = self.unit();
        median * (u / (1.0 - u).max(1e-6)).sqrt().max(0.2)
    }

    /// Puts `items` in a random order (Fisher–Yates).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            let other = self.whole(0, u32::try_from(end).unwrap_or(0)) as usize;
            items.swap(end, other);
        }
    }
}

/// The sine of `turns` full turns, to 0.1 %, the same on every platform (Bhaskara's formula).
pub(crate) fn sine(turns: f64) -> f64 {
    let phase = turns - turns.floor();
    let (half, sign) = if phase < 0.5 { (phase * 2.0, 1.0) } else { (phase * 2.0 - 1.0, -1.0) };
    let product = half * (1.0 - half);
    sign * 16.0 * product / (5.0 - 4.0 * product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_draws_have_mean_zero_and_variance_one() {
        let mut random = Random::new(1, 0);
        let draws: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn delays_have_the_median_asked_for() {
        let mut random = Random::new(2, 0);
        let mut draws: Vec<f64> = (0..9_999).map(|_| random.delay(1.5)).collect();
        draws.sort_by(f64::total_cmp);
        assert!((draws[4_999] - 1.5).abs() < 0.1, "{}", draws[4_999]);
    }

    #[test]
    fn the_sine_is_one() {
        for step in 0..100 {
            let turns = f64::from(step) / 50.0;
            let exact = (turns * std::f64::consts::TAU).sin();
            assert!((sine(turns) - exact).abs() < 0.002, "{turns}");
        }
    }

    #[test]
    fn streams_differ_and_repeat() {
        let draw = |stream| Random::new(7, stream).bits();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
