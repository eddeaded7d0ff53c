//! An agent's journal, diagnosed as the agent did: the same input, the same engine.

use std::path::Path;

use ptp_diagnostics::stability::Gatherer;
use ptp_diagnostics::{Engine, Report, Settings};
use ptp_events::Received;
use ptp_events::journal::Journal;

use crate::args::DiagnoseArgs;
use crate::input::InputError;

/// How many entries are read at a time.
const BATCH: usize = 10_000;

pub(crate) fn diagnose(
    path: &Path,
    args: &DiagnoseArgs,
    settings: &Settings,
) -> Result<Report, InputError> {
    let journal = Journal::open_read_only(path)?;
    let mut engine = Engine::new(settings.clone());
    let mut gatherer = args.stability.then(Gatherer::default);
    let mut malformed = 0;
    let mut span: Option<(Received, Received)> = None;
    let mut read = 0;
    let mut seq = 0;
    loop {
        let entries = journal.after(seq, BATCH)?;
        let Some(last) = entries.last() else { break };
        seq = last.seq;
        for entry in entries {
            let time = entry.received;
            read += 1;
            span = Some(span.map_or((time, time), |(a, b)| (a.min(time), b.max(time))));
            let too_early = args.since.is_some_and(|since| entry.received < since);
            let too_late = args.until.is_some_and(|until| entry.received >= until);
            if too_early || too_late {
                continue;
            }
            if let (Some(gatherer), Some(Ok(event))) = (&mut gatherer, entry.input.event()) {
                gatherer.handle_event(&event, entry.received);
            }
            malformed += u64::from(engine.handle_input(&entry.input, entry.received).is_err());
        }
    }
    if let (Some((first, last)), None) = (span, engine.latest()) {
        return Err(InputError::NothingInRange { read, first, last });
    }
    if engine.latest().is_none() {
        let found = Some("nothing was recorded in this journal yet".to_owned());
        return Err(InputError::NoEvents { paths: vec![path.to_owned()], found });
    }
    engine.end(args.settle);
    let mut report = engine.report();
    report.input.malformed = malformed;
    report.stability = gatherer.map(|gatherer| gatherer.report(&report.nodes));
    Ok(report)
}
