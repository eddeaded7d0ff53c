//! Whether the client of a connection has shown that it is known.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use tower_service::Service;

use super::peers::Guest;

/// A connection's handle on it, among the extensions of each of its requests.
#[derive(Clone, Debug)]
pub struct Trust(Arc<State>);

#[derive(Debug)]
struct State {
    is_known: AtomicBool,
    /// The place it holds as long as it is a stranger.
    guest: Mutex<Option<Guest>>,
}

impl Trust {
    pub(super) fn of(guest: Guest) -> Self {
        let guest = Mutex::new(Some(guest));
        Self(Arc::new(State { is_known: AtomicBool::new(false), guest }))
    }

    /// Notes that the client is known: it showed a token, say.
    pub fn grant(&self) {
        if !self.0.is_known.swap(true, Ordering::Relaxed) {
            self.0.guest.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }

    /// Whether it was granted before.
    #[must_use]
    pub fn is_granted(&self) -> bool {
        self.0.is_known.load(Ordering::Relaxed)
    }
}

/// A router whose requests know their connection's trust.
#[derive(Clone)]
pub(super) struct WithTrust {
    pub(super) router: Router,
    pub(super) trust: Trust,
}

impl Service<Request<Incoming>> for WithTrust {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.trust.clone());
        Box::pin(self.router.call(request.map(Body::new)))
    }
}
