//! A faithful cloud-event-proxy, for tests, demos and replay.
//!
//! It answers as the real one was observed to (docs/protocol.md §2 and §3), down to empty error
//! bodies, the literal `null` and subscriptions that are accepted and never served.
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use ptp_events::{NodeName, publisher::{Options, Publisher}};
//!
//! let node = NodeName::new("node1").expect("a node name");
//! let publisher = Publisher::bind("127.0.0.1:0", node, Options::default()).await?;
//! println!("subscribe at {}", publisher.url());
//! # Ok(())
//! # }
//! ```

mod bodies;
mod push;
mod routes;
mod store;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::task::JoinHandle;

use crate::serve::{Limits, serve};
use crate::{ApiVersion, Event, NodeName, Resource, Subscription};

use push::Pusher;
use store::Store;

/// How a publisher differs from cloud-event-proxy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Quirk {
    /// There is no `/health`.
    NoHealth,
    /// There is no `/publishers`.
    NoPublishers,
    /// The same subscription can be made twice: no 409.
    AcceptsDuplicates,
    /// Nothing is sent to a new subscriber, so nothing is checked either.
    NoInitialNotification,
    /// Subscriptions have no `UriLocation`.
    NoLocation,
    /// CurrentState is answered although nobody subscribes.
    CurrentStateForAll,
    /// CurrentState is an array of events, one for each instance (StarlingX, docs/protocol.md §6).
    CurrentStateIsArray,
}

/// What kind of publisher to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The version of the API.
    pub version: ApiVersion,
    /// Differences from cloud-event-proxy.
    pub quirks: Vec<Quirk>,
}

impl Options {
    /// The proxy's rewrite inside linuxptp-daemon (docs/protocol.md §6).
    #[must_use]
    pub fn rewrite() -> Self {
        Self {
            version: ApiVersion::V2,
            quirks: vec![
                Quirk::NoHealth,
                Quirk::NoPublishers,
                Quirk::AcceptsDuplicates,
                Quirk::NoInitialNotification,
                Quirk::NoLocation,
                Quirk::CurrentStateForAll,
            ],
        }
    }

    fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }
}

/// What the handlers of one publisher share.
struct Shared {
    addr: SocketAddr,
    node: NodeName,
    options: Options,
    /// The answer of `/publishers`, whose ids stay the same as long as it runs.
    offered: Vec<Subscription>,
    store: Mutex<Store>,
    pusher: Pusher,
    /// Held while events go out: the proxy serves its consumers one after the other.
    pushing: tokio::sync::Mutex<()>,
    requests: AtomicU64,
    /// Of those, the ones for CurrentState.
    asked: AtomicU64,
    /// The status new subscriptions are refused with; 0 is none.
    refusing: AtomicU16,
}

impl Shared {
    fn store(&self) -> MutexGuard<'_, Store> {
        // A panic elsewhere leaves the store as good as it was.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends an event to everyone subscribed to its resource's exact address.
    async fn publish(&self, event: &Event) {
        let body = bodies::pushed(event, self.options.version);
        let address = event.resource.address(&self.node, self.options.version);
        let _turn = self.pushing.lock().await;
        let endpoints = {
            let mut store = self.store();
            store.remember(event);
            store.endpoints_of(&address)
        };
        for endpoint in endpoints {
            match self.pusher.post(&endpoint, body.clone()).await {
                // Any status counts as delivered.
                Some(_status) => self.store().delivered(&endpoint),
                None => self.store().undelivered(&endpoint),
            }
        }
    }
}

/// A publisher that runs until it is stopped or dropped.
pub struct Publisher {
    shared: Arc<Shared>,
    serving: Option<JoinHandle<()>>,
}

impl Publisher {
    /// Starts a publisher for `node` on an address; port 0 picks a free one.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(
        addr: impl ToSocketAddrs,
        node: NodeName,
        options: Options,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            addr,
            offered: bodies::offered(&node, addr.port(), options.version),
            node,
            options,
            store: Mutex::default(),
            pusher: Pusher::new(),
            pushing: tokio::sync::Mutex::default(),
            requests: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            refusing: AtomicU16::new(0),
        });
        let mut publisher = Self { shared, serving: None };
        publisher.serve(listener);
        Ok(publisher)
    }

    fn serve(&mut self, listener: TcpListener) {
        let router = routes::router(&self.shared);
        let limits = Limits {
            // The proxy does not wait for its clients when it ends.
            drain: Duration::ZERO,
            ..Limits::default()
        };
        let forever = std::future::pending();
        self.serving = Some(tokio::spawn(serve(listener, router, limits, forever)));
    }

    /// The address it listens on; stays the same when restarted.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.shared.addr
    }

    /// The URL to give to a client, without the API's path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.shared.addr)
    }

    /// The node it speaks for.
    #[must_use]
    pub fn node(&self) -> &NodeName {
        &self.shared.node
    }

    /// The address of one of its resources.
    #[must_use]
    pub fn address(&self, resource: &Resource) -> String {
        resource.address(&self.shared.node, self.shared.options.version)
    }

    /// Everyone's subscriptions.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.shared.store().subscriptions().to_vec()
    }

    /// How many requests it has answered since it was bound.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// How many times it was asked for CurrentState since it was bound or restarted.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.shared.asked.load(Ordering::Relaxed)
    }

    /// Sends an event to its subscribers, one after the other, and returns when all were tried.
    pub async fn publish(&self, event: &Event) {
        self.shared.publish(event).await;
    }

    /// Takes note of an event for CurrentState without sending it.
    pub fn remember(&self, event: &Event) {
        self.shared.store().remember(event);
    }

    /// Removes all subscriptions, as any client's `DELETE /subscriptions` does.
    pub fn forget_subscriptions(&self) {
        self.shared.store().clear();
    }

    /// Refuses new subscriptions with this status from now on, as one does whose plugin is not
    /// loaded yet (404); `None` accepts them again.
    pub fn refuse_subscriptions(&self, status: Option<u16>) {
        let status = status.unwrap_or(0);
        self.shared.refusing.store(status, Ordering::Relaxed);
    }

    /// Stops serving and closes all connections; a no-op when stopped.
    pub async fn stop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            // Cancelled is what we asked for; it also means that the port is free.
            let _ = serving.await;
        }
    }

    /// Starts serving again at the same address, with the subscriptions it had.
    ///
    /// # Errors
    /// When the address has been taken meanwhile.
    pub async fn start(&mut self) -> io::Result<()> {
        if self.serving.is_none() {
            let listener = TcpListener::bind(self.shared.addr).await?;
            self.serve(listener);
        }
        Ok(())
    }

    /// Restarts the process: no data until new data comes, and subscriptions only if kept.
    ///
    /// The real one keeps them in a file, which a pod without a volume loses.
    ///
    /// # Errors
    /// When the address has been taken meanwhile.
    pub async fn restart(&mut self, keep_subscriptions: bool) -> io::Result<()> {
        self.stop().await;
        {
            let mut store = self.shared.store();
            store.forget_data();
            self.shared.asked.store(0, Ordering::Relaxed);
            if !keep_subscriptions {
                store.clear();
            }
        }
        self.start().await
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}
