//! `ptp-cli simulate`: recordings of faults that never happened, with the truth beside them.

#[cfg(feature = "live")]
mod serve;

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ptp_sim::{KINDS, Kind, LogForm, Mess, Plan, PlanError, Scenario, UnknownKind};

use crate::args::SimulateArgs;
use crate::{Outcome, output, topology};

/// How often a served node's CurrentState is brought up to date.
const POLLED_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_secs(10);

/// Why there is no recording.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SimulateError {
    #[error(transparent)]
    Kind(#[from] UnknownKind),
    #[error("cannot read the scenario in `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot play the scenario in `{}`", path.display())]
    Plan { path: PathBuf, source: PlanError },
    #[error("cannot write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl SimulateError {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Kind(unknown) => Some(match nearest(&unknown.name) {
                Some(kind) => format!("did you mean `{kind}`? `ptp-cli simulate --list` names all"),
                None => "`ptp-cli simulate --list` names the kinds".to_owned(),
            }),
            Self::Plan { .. } => {
                Some("`ptp-cli simulate --help` shows a scenario in TOML".to_owned())
            }
            _ => None,
        }
    }
}

/// The kind whose name shares the most with what was typed, if any shares a word.
fn nearest(typed: &str) -> Option<&'static str> {
    let shared = |kind: &&Kind| {
        let words = kind.name.split('-');
        words.filter(|word| typed.contains(word)).count()
    };
    let best = KINDS.iter().rev().max_by_key(shared)?;
    (shared(&best) > 0).then_some(best.name)
}

pub(crate) fn run(args: &SimulateArgs, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    if args.list {
        let width = KINDS.iter().map(|kind| kind.name.len() + 2).max().unwrap_or(0);
        for kind in KINDS {
            writeln!(out, "{:<width$}{}", kind.name, kind.summary)?;
        }
        out.flush()?;
        return Ok(Outcome::Healthy);
    }
    let (kind, mut plan) = plan(args)?;
    if args.serve {
        // Recordings are spoilt on their way; a live network speaks for itself.
        plan.mess = Mess::default();
        plan.poll_every = Some(POLLED_EVERY);
    }
    let scenario = play(args, kind, &plan)?;
    if let Some(path) = &args.write_topology {
        topology::save(path, args.force, &plan.topology)?;
    }
    if let Some(form) = args.log {
        let log = logs(args, kind, &plan, form.into())?;
        match &args.output {
            None => out.write_all(log.as_bytes())?,
            Some(path) => {
                let write = |file: &mut dyn Write| file.write_all(log.as_bytes());
                save(path, args.force, &scenario, &write)?;
                let (lines, faults) = (log.lines().count(), scenario.truth.faults.len());
                let label = label_path(path);
                let (path, label) = (path.display(), label.display());
                writeln!(out, "{path}: {lines} lines; {label}: {faults} faults")?;
            }
        }
        out.flush()?;
        return Ok(Outcome::Healthy);
    }
    match &args.output {
        None if args.serve => {}
        None => {
            scenario.write(&mut *out)?;
        }
        Some(path) => {
            let write = |file: &mut dyn Write| scenario.write(file).map(drop);
            save(path, args.force, &scenario, &write)?;
            let (events, faults) = (scenario.events.len(), scenario.truth.faults.len());
            let label = label_path(path);
            let (path, label) = (path.display(), label.display());
            writeln!(out, "{path}: {events} events; {label}: {faults} faults")?;
        }
    }
    if args.serve {
        #[cfg(feature = "live")]
        serve::run(&plan, &scenario, &args.live, out)?;
        #[cfg(not(feature = "live"))]
        crate::live::serve(&args.live)?;
    }
    out.flush()?;
    Ok(Outcome::Healthy)
}

/// What to play, and of which kind it is if it is of one.
fn plan(args: &SimulateArgs) -> Result<(Option<&'static Kind>, Plan), SimulateError> {
    let Some(path) = &args.scenario else {
        let kind = Kind::find(args.kind.as_deref().unwrap_or_default())?;
        return Ok((Some(kind), kind.plan(args.seed)));
    };
    let text = fs::read_to_string(path)
        .map_err(|source| SimulateError::Read { path: path.clone(), source })?;
    let plan = Plan::from_toml(&text)
        .map_err(|source| SimulateError::Plan { path: path.clone(), source })?;
    Ok((None, plan))
}

fn play(args: &SimulateArgs, kind: Option<&Kind>, plan: &Plan) -> Result<Scenario, SimulateError> {
    let played = match kind {
        Some(kind) => kind.play(plan, args.seed),
        None => Scenario::play(plan, args.seed),
    };
    let path = args.scenario.clone().unwrap_or_default();
    played.map_err(|source| SimulateError::Plan { path, source })
}

/// The logs of all nodes, line by line as they were written, as `journalctl -o short-iso` prints them.
fn logs(
    args: &SimulateArgs,
    kind: Option<&Kind>,
    plan: &Plan,
    form: LogForm,
) -> Result<String, SimulateError> {
    let mut log = String::new();
    let mut sink = |line: ptp_sim::LogLine<'_>| {
        let at = jiff::Timestamp::from_nanosecond(line.at.as_nanos().into());
        // The simulator's own times are within what a time stamp can hold.
        let at = at.unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00");
        let _ = writeln!(log, "{at} {} linuxptp-daemon[1]: {}", line.node, line.text);
    };
    let played = match kind {
        Some(kind) => kind.play_log(plan, args.seed, form, &mut sink),
        None => Scenario::play_log(plan, args.seed, form, &mut sink),
    };
    let path = args.scenario.clone().unwrap_or_default();
    played.map_err(|source| SimulateError::Plan { path, source })?;
    Ok(log)
}

/// Writes a recording or a log, and the label beside it.
fn save(
    path: &Path,
    force: bool,
    scenario: &Scenario,
    write: &dyn Fn(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    let label = label_path(path);
    let failed = |path: &Path, source| SimulateError::Write { path: path.to_owned(), source };
    // A label that is there already must not leave half of a pair.
    output::check(&label, force)?;
    let mut recording = output::create(path, force)?;
    let mut beside = output::create(&label, force)?;
    let written = write(&mut recording).and_then(|()| recording.finish());
    written.map_err(|source| failed(path, source))?;
    let json = scenario.truth.to_json() + "\n";
    beside
        .write_all(json.as_bytes())
        .and_then(|()| beside.finish())
        .map_err(|source| failed(&label, source))?;
    Ok(())
}

/// `FILE.jsonl`, also compressed, has its label in `FILE.label.json`.
fn label_path(recording: &Path) -> PathBuf {
    let compressed = recording.extension().is_some_and(|end| end == "gz" || end == "zst");
    let plain = if compressed { recording.with_extension("") } else { recording.to_owned() };
    plain.with_extension("label.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_answered_with_a_kind() {
        assert_eq!(nearest("gnss-outage"), Some("gnss-outage-short"));
        assert_eq!(nearest("path"), Some("path-loss"));
        assert_eq!(nearest("xyz"), None);
    }

    #[test]
    fn the_label_lies_beside_the_recording() {
        for name in ["/tmp/a.b.jsonl", "/tmp/a.b.jsonl.gz"] {
            assert_eq!(label_path(Path::new(name)), Path::new("/tmp/a.b.label.json"));
        }
    }
}
