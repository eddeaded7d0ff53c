//! An agent's journal, diagnosed as the agent did: the same input, the same engine.

use std::path::Path;

use ptp_diagnostics::stability::Gatherer;
use ptp_diagnostics::{Engine, Report, Settings};
use ptp_events::journal::Journal;
use ptp_events::{Input, Received};

use crate::args::DiagnoseArgs;
use crate::refused::InputError;

/// How many entries are read at a time.
const BATCH: usize = 10_000;

/// Hands out all that was kept, in order.
pub(crate) fn each(path: &Path, mut take: impl FnMut(&Input, Received)) -> Result<(), InputError> {
    let journal = Journal::open_read_only(path)?;
    let mut seq = 0;
    loop {
        let entries = journal.after(seq, BATCH)?;
        let Some(last) = entries.last() else { return Ok(()) };
        seq = last.seq;
        for entry in entries {
            take(&entry.input, entry.received);
        }
    }
}

pub(crate) fn diagnose(
    path: &Path,
    args: &DiagnoseArgs,
    settings: &Settings,
) -> Result<Report, InputError> {
    let mut engine = Engine::new(settings.clone());
    let mut gatherer = args.stability.then(Gatherer::default);
    let mut malformed = 0;
    let mut span: Option<(Received, Received)> = None;
    let mut read = 0;
    each(path, |input, received| {
        read += 1;
        span = Some(span.map_or((received, received), |(a, b)| (a.min(received), b.max(received))));
        let too_early = args.since.is_some_and(|since| received < since);
        let too_late = args.until.is_some_and(|until| received >= until);
        if too_early || too_late {
            return;
        }
        if let (Some(gatherer), Some(Ok(event))) = (&mut gatherer, input.event()) {
            gatherer.handle_event(&event, received);
        }
        malformed += u64::from(engine.handle_input(input, received).is_err());
    })?;
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
