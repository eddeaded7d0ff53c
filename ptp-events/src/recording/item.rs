//! What texts are made of, and what is known about an event before it is decoded.

use smol_str::SmolStr;

use super::{LineProblem, Origin, ReadError, Recorded};
use crate::{DecodeError, Event, NodeName, Received};

/// What one text was found to be.
#[derive(Debug)]
pub(super) enum Item {
    Recorded(Recorded),
    /// A line without an event in it; it may be one of linuxptp-daemon.
    Line {
        number: u64,
        text: String,
        /// When it was received, to the nanosecond.
        received: Option<Received>,
        /// When it was written, and on which node or by which pod, if what is around it tells.
        written: Option<Received>,
        whose: Option<SmolStr>,
    },
    /// The data of an event, without its attributes.
    Data {
        number: u64,
        text: String,
    },
    /// Text that claims to be neither.
    Nothing,
    Bad(ReadError),
}

/// What a text says about the events in it.
pub(super) struct Context {
    pub(super) received: Option<Received>,
    /// When it was logged; counts only for an event that says no time itself.
    pub(super) logged: Option<Received>,
    pub(super) origin: Origin,
    pub(super) node: Option<NodeName>,
    pub(super) line: u64,
}

impl Context {
    /// Of something logged, when and where, as far as that is known.
    pub(super) fn logged(line: u64, logged: Option<Received>, node: Option<&str>) -> Self {
        let node = node.and_then(|node| NodeName::new(node).ok());
        Self { received: None, logged, origin: Origin::Unknown, node, line }
    }

    /// One event.
    pub(super) fn read(&self, json: &[u8]) -> Result<Item, LineProblem> {
        let event = self.decode(json).map_err(|source| LineProblem::Event { source })?;
        self.recorded(event)
    }

    pub(super) fn recorded(&self, event: Event) -> Result<Item, LineProblem> {
        let logged = self.logged.filter(|_| event.stamped.is_none());
        let received = self.received.or(logged);
        if received.is_none() && event.stamped.is_none() {
            return Err(LineProblem::NoTime);
        }
        let (origin, line) = (self.origin, self.line);
        Ok(Item::Recorded(Recorded { evidence: event.into(), received, origin, line }))
    }

    pub(super) fn decode(&self, json: &[u8]) -> Result<Event, DecodeError> {
        match &self.node {
            Some(node) => Event::from_slice_of(json, node),
            None => Event::from_slice(json),
        }
    }
}
