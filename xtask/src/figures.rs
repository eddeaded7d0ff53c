//! The engine must not know the simulator's figures: what it is scored on would be the answer in hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::root;

/// Where its physics are.
const SIMULATOR: [&str; 6] = [
    "ptp-sim/src/clock.rs",
    "ptp-sim/src/gnss.rs",
    "ptp-sim/src/os_clock.rs",
    "ptp-sim/src/oscillator.rs",
    "ptp-sim/src/servo.rs",
    "ptp-sim/src/world.rs",
];
const ENGINE: &str = "ptp-diagnostics/src";

pub(crate) fn check(files: &[PathBuf], complaints: &mut Vec<String>) {
    let mut simulated = BTreeMap::new();
    for (place, figure) in SIMULATOR.iter().flat_map(|file| figures(files, file)) {
        simulated.entry(figure).or_insert(place);
    }
    for (place, figure) in figures(files, ENGINE) {
        if let Some(of_simulator) = simulated.get(&figure) {
            let figure = f64::from_bits(figure);
            complaints.push(format!(
                "{place}: {figure} is a figure of the simulator ({of_simulator}); take what a data sheet or a \
                 standard says, and name it"
            ));
        }
    }
}

/// The telling figures below a folder, as bits, and where each is.
fn figures(files: &[PathBuf], folder: &str) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    let rust = |file: &&PathBuf| {
        file.starts_with(folder)
            && file.extension().is_some_and(|ext| ext == "rs")
            && !is_test(file)
    };
    for file in files.iter().filter(rust) {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if line.starts_with("#[cfg(test)]") {
                break;
            }
            let code = line.split("//").next().unwrap_or_default();
            for figure in literals(code).filter(|figure| tells(*figure)) {
                found.push((format!("{}:{}", file.display(), number + 1), figure.to_bits()));
            }
        }
    }
    found
}

fn is_test(file: &Path) -> bool {
    file.iter().any(|part| part == "tests" || part == "tests.rs")
}

/// The literals of floating-point numbers in a line of code.
fn literals(code: &str) -> impl Iterator<Item = f64> {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    code.split(move |c: char| !part(c)).filter_map(|word| {
        let word: String = word.chars().filter(|c| *c != '_').collect();
        let is_number = word.starts_with(|c: char| c.is_ascii_digit());
        let is_float = word.contains('.') || word.contains('e');
        word.parse().ok().filter(|_| is_number && is_float)
    })
}

/// Whether a number says something: round ones, shares and lengths of time are everybody's.
fn tells(figure: f64) -> bool {
    if figure % 60.0 == 0.0 {
        return false;
    }
    let digits = format!("{figure:e}");
    let mantissa = digits.split('e').next().unwrap_or_default().replace('.', "");
    let is_power_of_ten = mantissa == "1";
    !is_power_of_ten && (figure < 0.05 || mantissa.len() >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_telling_figures_count() {
        let of = |code: &str| literals(code).filter(|f| tells(*f)).collect::<Vec<_>>();
        assert_eq!(
            of("Kind { drift: 1.5e-3, white: 0.2, walk: 1.1e-2, bend: 7e-6 },"),
            [0.0015, 0.011, 7e-6]
        );
        assert_eq!(of("let x = 0.5 * 1e-2 + 1000.0 / 60.0 + a.0 + 1.4826;"), [1.4826]);
        assert_eq!(of("86_400 + 12"), [] as [f64; 0]);
    }
}
