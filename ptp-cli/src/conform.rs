//! `ptp-cli conform`: what was recorded, judged against published requirements.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ptp_conform::{
    ClockKind, Conformance, Gatherer, Judgement, NodeConformance, Proof, REQUIREMENTS, Verdict,
};
use ptp_events::Input;
use ptp_events::daemon::DaemonSettings;
use ptp_events::observation::Evidence;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::args::{ConformArgs, ConformFormat};
use crate::input;
use crate::pods::Pods;
use crate::reading::{How, Started};
use crate::refused::InputError;
use crate::source::STDIN;
use crate::sources;
use crate::{Outcome, interrupt, journal};

/// How far out of order events may come, as for a diagnosis.
const WINDOW: Duration = Duration::from_secs(2);
pub(crate) fn run(args: &ConformArgs, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    interrupt::watch();
    if args.list {
        list(out)?;
        return Ok(Outcome::Healthy);
    }
    let (gatherer, whole) = match &args.journal {
        Some(path) => (of_journal(path)?, true),
        None => of_files(args)?,
    };
    let mut judged = gatherer.judge(&args.kind);
    if let Some((node, _)) = args.kind.iter().find(|(node, _)| !is_known(&judged, node.as_str())) {
        let known = judged.nodes.iter().map(|node| node.node.to_string()).collect();
        return Err(InputError::UnknownNode { name: node.to_string(), known }.into());
    }
    let failed = judged.nodes.iter().flat_map(|node| &node.judgements);
    let failed = failed.filter(|judgement| judgement.verdict == Verdict::Fail).count();
    let seen = judged.nodes.iter().flat_map(|node| &node.judgements);
    let seen = seen.filter(|judgement| judgement.verdict != Verdict::NotObservable).count();
    if args.failed {
        for node in &mut judged.nodes {
            node.judgements.retain(|judgement| judgement.verdict == Verdict::Fail);
        }
    }
    match args.format {
        ConformFormat::Human => human(&judged, args.failed, out)?,
        ConformFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &judged)?;
            writeln!(out)?;
        }
        ConformFormat::Junit => junit(&judged, out)?,
    }
    out.flush()?;
    if failed > 0 {
        return Ok(Outcome::Findings);
    }
    if !whole || seen == 0 {
        anstream::eprintln!("not everything could be judged: this is no pass");
        return Ok(Outcome::Unsure);
    }
    Ok(Outcome::Healthy)
}

fn is_known(judged: &Conformance, name: &str) -> bool {
    judged.nodes.iter().any(|node| node.node.as_str() == name)
}

/// What is in files, and whether all of it could be read.
fn of_files(args: &ConformArgs) -> Result<(Gatherer, bool), InputError> {
    let files = match args.files.as_slice() {
        [] if io::stdin().is_terminal() => return Err(InputError::NothingNamed),
        [] => vec![PathBuf::from(STDIN)],
        named => named.to_vec(),
    };
    let mut sources = sources::find(&files, args.node_name.as_ref())?;
    if let Some(path) = &args.pods {
        sources.pods.extend(Pods::load(path)?);
    }
    // What cannot be read twice is sorted at once.
    let mut sort = !input::can_reread(&sources.list);
    let complete = sources.whole;
    loop {
        let daemon = DaemonSettings { verbatim: true, ..DaemonSettings::default() };
        let how = How { window: WINDOW, sort, strict: false };
        let started = Started::begin(&mut sources, &daemon, how)?;
        let mut gatherer = Gatherer::default();
        for (at, metrics) in started.scrapes() {
            gatherer.handle_metrics(metrics, *at);
        }
        let mut any = !started.scrapes().is_empty();
        let ended = started.each(|recorded| {
            any = true;
            gatherer.handle_evidence(&recorded.evidence, recorded.origin, recorded.time());
        })?;
        let Some(ended) = ended else {
            sort = true;
            continue;
        };
        if !any {
            return Err((ended.refusal)());
        }
        return Ok((gatherer, ended.whole && complete));
    }
}

/// What an agent kept: what was pushed to it and what it asked for.
fn of_journal(path: &Path) -> Result<Gatherer, InputError> {
    let mut gatherer = Gatherer::default();
    journal::each(path, |input, received| {
        if let (Input::Event { origin, .. }, Some(Ok(event))) = (input, input.event()) {
            gatherer.handle_evidence(&Evidence::Event(event), *origin, received);
        }
    })?;
    Ok(gatherer)
}

fn list(out: &mut dyn Write) -> io::Result<()> {
    for kind in [ClockKind::TGm, ClockKind::TBc, ClockKind::TTsc] {
        writeln!(out, "{}", kind.as_str().to_uppercase())?;
        let rows = REQUIREMENTS.iter().filter(|(of, _)| *of == kind).flat_map(|(_, rows)| *rows);
        for row in rows {
            writeln!(out, "  {:<17}{}", row.id, row.must)?;
        }
        writeln!(out)?;
    }
    out.flush()
}

const RED: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();

fn human(judged: &Conformance, failed: bool, out: &mut dyn Write) -> io::Result<()> {
    for node in &judged.nodes {
        let NodeConformance { node: name, kind, judgements, .. } = node;
        let Some(kind) = kind else { continue };
        let count = |verdict| judgements.iter().filter(|j| j.verdict == verdict).count();
        writeln!(out, "{name}, {}", kind.as_str().to_uppercase())?;
        if !failed {
            writeln!(
                out,
                "{} failed, {} held, {} held as far as can be seen, {} inconclusive, {} not observable",
                count(Verdict::Fail),
                count(Verdict::Pass),
                count(Verdict::Partly),
                count(Verdict::Inconclusive),
                count(Verdict::NotObservable)
            )?;
        }
        writeln!(out)?;
        for judgement in judgements {
            tell(judgement, out)?;
        }
        writeln!(out)?;
    }
    let unknown: Vec<&str> = judged
        .nodes
        .iter()
        .filter(|node| node.kind.is_none())
        .map(|node| node.node.as_str())
        .collect();
    if let Some(first) = unknown.first() {
        writeln!(
            out,
            "not judged, as nothing shows whether they are a T-GM, T-BC or T-TSC: {}; \
             say --kind {first}=t-bc",
            unknown.join(", ")
        )?;
    }
    Ok(())
}

fn tell(judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    let Judgement { requirement, must, verdict, seen, failures, note, .. } = judgement;
    let style = if *verdict == Verdict::Fail { RED } else { anstyle::Style::new() };
    writeln!(out, "  {style}{:<15}{style:#} {requirement:<16} {must}", verdict.as_str())?;
    for Proof { at, says, source, .. } in failures {
        writeln!(out, "{:>35}{at} {says} ({source})", "")?;
    }
    if failures.len() < *seen && !failures.is_empty() {
        writeln!(out, "{:>35}seen {seen} times", "")?;
    }
    if let Some(note) = note {
        writeln!(out, "{:>35}{note}", "")?;
    }
    Ok(())
}

fn junit(judged: &Conformance, out: &mut dyn Write) -> io::Result<()> {
    let mut report = quick_junit::Report::new("ptp-cli conform");
    for node in &judged.nodes {
        let mut suite = TestSuite::new(node.node.as_str());
        for judgement in &node.judgements {
            let told = |proof: &Proof| format!("{} {} ({})", proof.at, proof.says, proof.source);
            let failures: Vec<String> = judgement.failures.iter().map(told).collect();
            let status = match judgement.verdict {
                Verdict::Fail => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(judgement.must).set_description(failures.join("\n"));
                    status
                }
                Verdict::NotObservable | Verdict::Inconclusive => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(judgement.note.clone().unwrap_or_default());
                    status
                }
                _ => TestCaseStatus::success(),
            };
            let mut case = TestCase::new(judgement.requirement, status);
            case.set_classname(judgement.must);
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    report.serialize(&mut *out).map_err(io::Error::other)?;
    writeln!(out)
}
