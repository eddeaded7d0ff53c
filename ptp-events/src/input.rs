//! What an engine is given, and a journal keeps.

use crate::recording::Origin;
use crate::{DecodeError, Event, NodeName, Received};

/// Something an engine is given.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Input {
    /// An event.
    Event {
        /// How it came.
        origin: Origin,
        /// Whom we asked, for bodies that do not say.
        node: Option<NodeName>,
        /// As it was received.
        body: Vec<u8>,
    },
    /// A node cannot be observed.
    Blind {
        /// Which.
        node: NodeName,
        /// Why not.
        why: String,
    },
    /// What a node said from `since` until now may have been missed; it can be observed.
    Missed {
        /// Which.
        node: NodeName,
        /// Since when.
        since: Received,
        /// Why.
        why: String,
    },
    /// A node left; nothing more is expected of it.
    Gone {
        /// Which.
        node: NodeName,
    },
    /// Nobody was listening until now.
    Resumed,
    /// A node can be observed again.
    Sighted {
        /// Which.
        node: NodeName,
    },
}

impl Input {
    /// The event in it, decoded; `None` when it is no event.
    #[must_use]
    pub fn event(&self) -> Option<Result<Event, DecodeError>> {
        match self {
            Self::Event { node: Some(node), body, .. } => Some(Event::from_slice_of(body, node)),
            Self::Event { body, .. } => Some(Event::from_slice(body)),
            _ => None,
        }
    }

    /// How many bytes it holds beside its own fields.
    #[must_use]
    pub const fn weight(&self) -> usize {
        match self {
            Self::Event { body, .. } => body.len(),
            Self::Blind { why, .. } | Self::Missed { why, .. } => why.len(),
            Self::Gone { .. } | Self::Resumed | Self::Sighted { .. } => 0,
        }
    }
}
