//! Where received events go.

use std::future::Future;

use axum::body::Bytes;
use smol_str::SmolStr;

use super::Rejection;
use crate::{DecodeError, Event, Received};

/// What was posted to us in one request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery {
    /// The last segment of `/event/{token}`, as sent; not verified.
    pub token: Option<SmolStr>,
    /// Never empty; nearly always one.
    pub events: Vec<Posted>,
}

/// An event as it was posted to us.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Posted {
    /// The event as it was sent, byte for byte: the body, or an element of the array it was.
    pub raw: Bytes,
    /// When the body was complete; later events of one request are later.
    pub received: Received,
    /// The event decoded from it. May be a placeholder.
    pub event: Event,
}

/// Why a sink does not take an event.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The queue is full; answered 503.
    #[error("too busy to take the event")]
    Busy,
    /// Its sender posts more than it may; answered 429.
    #[error("too many events, or too large ones, from this sender")]
    TooMany,
    /// The event cannot be stored; answered 503.
    #[error("the event cannot be stored")]
    CannotStore,
    /// The token is missing, or not one we gave out; answered 404.
    #[error("no such receiver")]
    UnknownToken,
    /// The event speaks for a node its sender does not speak for; answered 403.
    #[error("the sender does not speak for this node")]
    WrongNode,
}

/// Takes events in.
pub trait Sink: Send + Sync + 'static {
    /// Whether anything posted with this token, or without one, may be taken at all; asked before
    /// the body is read.
    fn admits(&self, token: Option<&str>) -> bool {
        let _ = token;
        true
    }

    /// Takes what one request brought, all of it or nothing; returns when it is durably taken, as
    /// the publisher never repeats it.
    ///
    /// The publisher is waiting for the answer, and all its other consumers with it: no diagnosis
    /// and no waiting for others here. After 1.8 s the future is dropped and 503 answered.
    fn take(&self, delivery: Delivery) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Sees every body that is no event, to keep a few of them for whoever must find out why.
    fn malformed(&self, body: &[u8], error: &DecodeError) {
        let _ = (body, error);
    }

    /// Hears of every request that was rejected, its own refusals included, to count them.
    fn rejected(&self, rejection: &Rejection) {
        let _ = rejection;
    }
}
