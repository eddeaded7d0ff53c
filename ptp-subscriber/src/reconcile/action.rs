//! What is done, what comes of it, and what becomes known by it.

use std::time::Instant;

use ptp_events::{ApiVersion, NodeName, Resource, Subscription, SubscriptionId};

/// Something to do with a publisher.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub enum Action {
    /// List the subscriptions in this version of the API, to see whether it is spoken.
    Probe(ApiVersion),
    /// `GET /health`
    CheckHealth,
    /// `GET /publishers`
    ListPublishers,
    /// `GET /subscriptions`
    ListSubscriptions,
    /// `POST /subscriptions`
    Create {
        /// What for.
        resource: Resource,
        /// Its exact address.
        address: String,
    },
    /// `DELETE /subscriptions/{id}`
    Delete {
        /// Which; always one of ours.
        id: SubscriptionId,
    },
    /// `GET {address}/CurrentState`
    PullCurrentState {
        /// Of what.
        resource: Resource,
        /// Its exact address.
        address: String,
        /// Its node, which some answers leave out.
        node: NodeName,
    },
}

/// What a publisher answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Done, and there is no more to say.
    Done,
    /// What it offers.
    Publishers(Vec<Subscription>),
    /// Everyone's subscriptions.
    Subscriptions(Vec<Subscription>),
    /// The new subscription's id.
    Created(SubscriptionId),
    /// The current state; the event itself goes elsewhere.
    State {
        /// Whether there was one.
        found: bool,
    },
}

/// Why an action failed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Failure {
    /// The status answered; `None` when there was no answer at all.
    pub status: Option<u16>,
    /// The reason, for people.
    pub why: String,
}

impl Failure {
    pub(super) const fn is_unreachable(&self) -> bool {
        self.status.is_none()
    }

    pub(super) fn is_not_found(&self) -> bool {
        self.status == Some(404)
    }

    pub(super) fn is_conflict(&self) -> bool {
        self.status == Some(409)
    }
}

/// Something that has become known about a publisher.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// It answers.
    Reachable {
        /// When it had answered last, if it ever did: what happened since may have been missed.
        blind_since: Option<Instant>,
    },
    /// It does not answer, or not as it should.
    Unreachable {
        /// Why not, for people.
        why: String,
    },
    /// The node it speaks for.
    Node(NodeName),
    /// We are subscribed.
    Subscribed {
        /// To what.
        resource: Resource,
        /// The subscription was there already.
        adopted: bool,
    },
    /// It has forgotten our subscription.
    Lost {
        /// To what.
        resource: Resource,
        /// When it was last known to be there: what happened since may have been missed.
        blind_since: Instant,
    },
    /// It does not accept a subscription; tried again later.
    NotSubscribed {
        /// To what.
        resource: Resource,
        /// Why not, for people.
        why: String,
    },
    /// A subscription has been wanted and not there for longer than [`super::Pace::patience`]; said once,
    /// until it was there again.
    Missing {
        /// To what.
        resource: Resource,
        /// Since when.
        since: Instant,
        /// What the publisher answered last, if it did.
        why: Option<String>,
    },
    /// Its answer to CurrentState cannot be used.
    NoState {
        /// Of what.
        resource: Resource,
        /// Why not, for people.
        why: String,
    },
}
