//! Recordings: events kept in a file, with or without when and how they came.
//!
//! [`Reader`] reads all of these, mixed if need be, and [`Writer`] writes the second:
//!
//! - one event per line (JSON Lines), or JSON arrays of events, on one line or on many;
//! - `{"received":"…","origin":"push","node":"…","event":{…}}` per line;
//! - recorded HTTP requests: `{"t_ns":…,"body":"{…}"}` per line;
//! - log lines with an event inside: `… received event {…}`, also with escaped quotes;
//! - lines of linuxptp-daemon, bare, after a time, or as `{"t_ns":…,"line":"…"}`, when the reader is
//!   told whose they are ([`Reader::with_daemon`]).
//!
//! ```
//! use ptp_events::recording::Reader;
//!
//! let log = br#"level=info msg="started"
//! received event {"specversion":"1.0","id":"1","source":"/sync/sync-status/sync-state","type":"event.sync.sync-status.synchronization-state-change","time":"2026-11-23T06:40:30Z","data":{"version":"1.0","values":[{"ResourceAddress":"/cluster/node/n1/sync/sync-status/sync-state","data_type":"notification","value_type":"enumeration","value":"LOCKED"}]}}
//! "#;
//! let events: Result<Vec<_>, _> = Reader::new(&log[..]).collect();
//! let events = events?;
//! assert_eq!(events[0].evidence.node().as_str(), "n1");
//! assert_eq!(events[0].line, 2);
//! # Ok::<(), ptp_events::recording::ReadError>(())
//! ```

mod batch;
mod compression;
mod entry;
mod form;
mod item;
mod joined;
mod logged;
mod merge;
mod nested;
mod pieces;
mod reader;
mod sequence;
mod splitter;
mod writer;

use serde::{Deserialize, Serialize};

use crate::observation::Evidence;
use crate::{Received, Stamped};

pub use batch::{Batch, Batches, Decoded};
pub use compression::decompress;
pub use merge::Merge;
pub use reader::{LineProblem, ReadError, Reader};
pub use sequence::Sequence;
pub use writer::Writer;

/// How an event came to us.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Origin {
    /// The publisher posted it because something changed.
    Push,
    /// The publisher posted it because we subscribed.
    Initial,
    /// We asked for the current state.
    Pull,
    /// The recording does not say.
    #[default]
    Unknown,
}

/// What one record of a recording tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recorded {
    /// What was said, or seen.
    pub evidence: Evidence,
    /// When it was received, if the recording knows.
    pub received: Option<Received>,
    /// How it came.
    pub origin: Origin,
    /// The line it starts on, counted from 1.
    pub line: u64,
}

impl Recorded {
    /// When it was received, or else when the node says it happened; 1970 when neither is known,
    /// which readers refuse ([`LineProblem::NoTime`]).
    #[must_use]
    pub fn time(&self) -> Received {
        let stamped = || self.evidence.stamped().map(Stamped::assume_received);
        self.received.or_else(stamped).unwrap_or(Received::from_nanos(0))
    }
}
