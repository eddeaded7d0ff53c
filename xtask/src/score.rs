//! `cargo xtask score`: how good the diagnosis is, over labelled scenarios.
//!
//! Every kind of scenario of `ptp-sim` is drawn from some seeds and fed to the engine in the order
//! it was received; what the engine said is then held against what really happened. The engine is
//! improved on the development seeds; the scoring seeds are only ever reported.

mod calibration;
mod matching;
mod page;
mod play;
mod source;
mod tally;

use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ptp_sim::{KINDS, Kind};

use self::play::Outcome;
use self::source::Source;
use self::tally::Tally;
use crate::{Failure, root};

/// The least that `--check` accepts, in total over the quick development seeds.
const FLOOR: &str = include_str!("score/floor.txt");

#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
struct Options {
    seeds: Vec<u64>,
    scoring: bool,
    quick: bool,
    check: bool,
    explain: bool,
    kind: Option<String>,
    source: String,
}

impl Options {
    fn parse(args: &[&str]) -> Result<Self, Failure> {
        let mut options = Self { source: Source::default().name().to_owned(), ..Self::default() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match *arg {
                "--quick" => options.quick = true,
                "--check" => options.check = true,
                "--explain" => options.explain = true,
                "--seeds" => match args.next() {
                    Some(&"dev") => options.scoring = false,
                    Some(&"score") => options.scoring = true,
                    _ => return Err("--seeds is `dev` or `score`".into()),
                },
                "--kind" => {
                    options.kind = args.next().map(|kind| (*kind).to_owned());
                    if options.kind.is_none() {
                        return Err("--kind needs the name of one".into());
                    }
                }
                "--source" => {
                    options.source = args.next().map(|name| (*name).to_owned()).unwrap_or_default();
                }
                other => return Err(format!("unknown option `{other}`").into()),
            }
        }
        let first = if options.scoring { 1000 } else { 0 };
        let count = if options.quick { 2 } else { 10 };
        options.seeds = (first..first + count).collect();
        Ok(options)
    }
}

/// Scores, prints, and writes the page or checks the floor.
pub(crate) fn run(args: &[&str]) -> Result<(), Failure> {
    let options = Options::parse(args)?;
    // A simulated day is some million steps: in a debug build this would take half an hour.
    if cfg!(debug_assertions) {
        let mut command = Command::new("cargo");
        command.args(["run", "--quiet", "--release", "--package", "xtask", "--", "score"]);
        return crate::run(command.args(args));
    }
    let kinds: Vec<&Kind> = match &options.kind {
        Some(name) => vec![Kind::find(name)?],
        None => KINDS.iter().collect(),
    };
    let sources = Source::parse(&options.source)?;
    if sources != [Source::Events] {
        return compare(&sources, &kinds, &options);
    }
    let outcomes = play_all(&kinds, &options.seeds, Source::Events);
    explain(&outcomes, &options);
    let rows: Vec<(&str, Tally)> =
        kinds.iter().zip(&outcomes).map(|(kind, runs)| (kind.name, Tally::of(runs))).collect();
    let total = Tally::of(outcomes.iter().flatten());
    let calibration = total.calibration.table();
    print!("{}\n{calibration}\n{}", page::table(&rows, &total), page::forecasts(&rows, &total));
    if options.scoring && !options.quick && options.kind.is_none() {
        std::fs::write(root().join("docs/quality.md"), page::page(&rows, &total))?;
    }
    if options.check { check(&total) } else { Ok(()) }
}

/// The outcomes per kind, in the order of `seeds`. Days take long, so all cores take part.
fn play_all(kinds: &[&Kind], seeds: &[u64], source: Source) -> Vec<Vec<Outcome>> {
    let jobs: Vec<(usize, u64)> =
        (0..kinds.len()).flat_map(|kind| seeds.iter().map(move |seed| (kind, *seed))).collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(jobs.len()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((kind, seed)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = play::play(kinds[*kind], *seed, source);
                    if let Ok(mut done) = done.lock() {
                        done.push((*kind, *seed, outcome));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(kind, seed, _)| (*kind, *seed));
    let mut outcomes: Vec<Vec<Outcome>> = kinds.iter().map(|_| Vec::new()).collect();
    for (kind, _, outcome) in done {
        outcomes[kind].push(outcome);
    }
    outcomes
}

/// Prints what went wrong in each scenario, if that is wanted.
fn explain(outcomes: &[Vec<Outcome>], options: &Options) {
    if options.explain {
        for line in outcomes.iter().flatten().flat_map(|outcome| &outcome.remarks) {
            println!("{line}");
        }
    }
}

/// Scores by each of `sources`, and prints a row for each.
fn compare(sources: &[Source], kinds: &[&Kind], options: &Options) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for source in sources {
        let kinds: Vec<_> = kinds.iter().copied().filter(|kind| source.tells_of(kind)).collect();
        let outcomes = play_all(&kinds, &options.seeds, *source);
        explain(&outcomes, options);
        let total = Tally::of(outcomes.iter().flatten());
        if options.explain {
            let runs = kinds.iter().zip(&outcomes);
            let by_kind: Vec<_> = runs.map(|(kind, runs)| (kind.name, Tally::of(runs))).collect();
            print!("{}", page::table(&by_kind, &total));
        }
        rows.push((source.name(), total));
    }
    print!("{}", page::sources(&rows));
    if options.check { check_sources(&rows) } else { Ok(()) }
}

/// The least that every source must reach: recall, precision and top-1.
const LEAST_OF_A_SOURCE: f64 = 0.98;

fn check_sources(rows: &[(&str, Tally)]) -> Result<(), Failure> {
    let mut complaints = Vec::new();
    for (source, tally) in rows {
        let figures =
            [("recall", tally.recall()), ("precision", tally.precision()), ("top-1", tally.top1())];
        for (figure, got) in figures {
            let got = got.unwrap_or(0.0);
            if got < LEAST_OF_A_SOURCE {
                complaints.push(format!("{figure} of {source} is {got:.3}"));
            }
        }
        if tally.quiet_alerts > 0 {
            complaints
                .push(format!("{} alerts of {source} while all was well", tally.quiet_alerts));
        }
    }
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("; ").into()) }
}

/// Compares with the recorded floor: lines of `figure = number`, where alerts and errors are at most.
fn check(total: &Tally) -> Result<(), Failure> {
    let mut complaints = Vec::new();
    for line in FLOOR.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let (figure, limit) = line.split_once('=').ok_or("floor.txt: a line without `=`")?;
        let (figure, limit) = (figure.trim(), limit.trim().parse::<f64>()?);
        let (got, most) = match figure {
            "recall" => (total.recall(), false),
            "precision" => (total.precision(), false),
            "top-1" => (total.top1(), false),
            "alerts-per-fault" => (total.alerts_per_fault(), true),
            "forecast-error" => (total.measured.error(), true),
            "forecast-error-with-declared" => (total.informed.error(), true),
            "calibration-error" => (total.calibration.error(), true),
            "quiet-alerts" => (Some(f64::from(total.quiet_alerts)), true),
            other => return Err(format!("floor.txt: no figure is called `{other}`").into()),
        };
        let got = got.unwrap_or(0.0);
        if (most && got > limit) || (!most && got < limit) {
            complaints.push(format!("{figure} is {got:.3}, the recorded figure is {limit}"));
        }
    }
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("; ").into()) }
}
