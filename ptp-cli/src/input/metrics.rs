//! Files of metrics: all of them together are one history.

use std::io::{BufRead, Read};
use std::path::PathBuf;
use std::time::Duration;

use ptp_events::metrics::{History, MAX_HISTORY_BYTES, Metrics, MetricsError};
use ptp_events::recording::{Origin, ReadError, Recorded};
use ptp_events::{Received, Stamped};

use crate::refused::InputError;

/// How often a scrape is taken where nothing tells: Prometheus' usual interval in OpenShift.
const USUAL: Duration = Duration::from_secs(30);
/// From here on two scrapes are two visits, and not one interval.
const LONGEST: Duration = Duration::from_mins(5);

/// What the metrics in all files tell.
#[derive(Default)]
pub(super) struct Gathered {
    history: History,
    /// The first of the files.
    first: Option<usize>,
}

impl Gathered {
    /// Whether the next of `input` are metrics.
    pub(super) fn are_next(input: &mut impl BufRead) -> bool {
        // What cannot be read says so when it is read.
        let head = input.fill_buf().unwrap_or_default();
        let head = &head[..head.len().min(4096)];
        History::looks_like(&String::from_utf8_lossy(head))
    }

    /// Reads a file of metrics, the `index`th, which was `written` then.
    pub(super) fn read(
        &mut self,
        index: usize,
        path: PathBuf,
        input: impl Read,
        written: Option<Received>,
    ) -> Result<(), InputError> {
        let mut bytes = Vec::new();
        let most = u64::try_from(MAX_HISTORY_BYTES).unwrap_or(u64::MAX);
        if let Err(source) = input.take(most + 1).read_to_end(&mut bytes) {
            return Err(InputError::Open { path, source });
        }
        let text = String::from_utf8_lossy(&bytes);
        let told = |source: MetricsError| InputError::Metrics { path: path.clone(), source };
        let history = History::parse(&text).map_err(told)?;
        if history.scrapes().is_empty() {
            return Ok(());
        }
        if history.passed_over() > 0 {
            anstream::eprintln!(
                "warning: `{}`: {} lines are no metrics",
                path.display(),
                history.passed_over()
            );
        }
        let written = written.map_or(0, Received::as_nanos);
        self.history.extend(history, Stamped::from_nanos(written));
        self.first.get_or_insert(index);
        Ok(())
    }

    /// How often was looked, if there is anything.
    pub(super) fn interval(&self) -> Option<Duration> {
        self.first?;
        Some(self.history.interval().filter(|every| *every <= LONGEST).unwrap_or(USUAL))
    }

    /// The scrapes themselves.
    pub(super) fn scrapes(&self) -> Vec<(Received, Metrics)> {
        let timed = self.history.scrapes().iter();
        timed.filter_map(|(at, scrape)| Some(((*at)?.assume_received(), scrape.clone()))).collect()
    }

    /// What they tell, as that of the first file.
    pub(super) fn finish(self) -> Option<(usize, Told)> {
        let evidence = self.history.into_evidence().map(|(at, evidence)| {
            Ok(Recorded {
                evidence,
                received: Some(at.assume_received()),
                origin: Origin::Pull,
                line: 0,
            })
        });
        Some((self.first?, Box::new(evidence)))
    }
}

pub(super) type Told = Box<dyn Iterator<Item = Result<Recorded, ReadError>> + Send>;
