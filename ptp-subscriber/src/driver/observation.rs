//! What the driver reports.

use bytes::Bytes;
use ptp_events::{Event, NodeName, Received, Resource};

use crate::target::PublisherName;

/// Something seen by talking to a publisher.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Of whom.
    pub publisher: PublisherName,
    /// When; by the receiver's clock, so strictly increasing together with what was posted.
    pub received: Received,
    /// What.
    pub what: What,
}

/// What was seen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum What {
    /// The current state of a resource; its origin is `Origin::Pull`.
    Pulled {
        /// The event, about the publisher's own node.
        event: Box<Event>,
        /// The bytes it was decoded from.
        raw: Bytes,
    },
    /// The publisher answers.
    Reachable {
        /// Since when it had not: what happened between may have been missed. `None` when we
        /// have not talked to it before; what was missed then began with whatever came last.
        blind_since: Option<Received>,
    },
    /// The publisher does not answer, or not as it should.
    Unreachable {
        /// Why not, for people.
        why: String,
    },
    /// Discovery no longer has the publisher; nothing more will be seen of it.
    Gone,
    /// The node the publisher speaks for.
    Node(NodeName),
    /// We are subscribed.
    Subscribed {
        /// To what.
        resource: Resource,
        /// The subscription was there already.
        adopted: bool,
    },
    /// The publisher has forgotten our subscription; it is made again.
    Lost {
        /// To what.
        resource: Resource,
        /// When it was last known to be there: what happened since may have been missed.
        blind_since: Received,
    },
    /// The publisher does not accept a subscription; tried again later.
    NotSubscribed {
        /// To what.
        resource: Resource,
        /// Why not, for people.
        why: String,
    },
    /// A subscription has been wanted and not there for a minute; said once, until it was there again.
    Missing {
        /// To what.
        resource: Resource,
        /// Since when: what happened since may have been missed.
        since: Received,
        /// What the publisher answered last, if it did.
        why: Option<String>,
    },
    /// The current state of a resource cannot be read.
    NoState {
        /// Of what.
        resource: Resource,
        /// Why not, for people.
        why: String,
    },
}
