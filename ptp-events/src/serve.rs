//! Accepting HTTP connections, with limits on how long and how many.

mod paced;
mod peers;
mod trust;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use paced::Paced;
use peers::{Guest, Peers};
use trust::WithTrust;

pub use trust::Trust;

/// What a client may take of the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// How many connections may be open; further ones wait to be accepted.
    pub connections: usize,
    /// How many of them may be of clients that have not shown yet that they are known ([`Trust`]), all
    /// together and from one address; for a further one the oldest of these is closed.
    pub strangers: usize,
    /// See [`Self::strangers`].
    pub strangers_per_peer: usize,
    /// How long a connection of such a client may be kept between requests.
    pub stranger_idle: Duration,
    /// How long a request may take from its first byte to the answer's first byte, and how long
    /// a new connection may wait before its first request.
    pub request: Duration,
    /// How long a connection may be kept between requests.
    ///
    /// Go clients, such as cloud-event-proxy, do not repeat a POST whose connection is closed
    /// under it: an event sent at that instant is lost. So this is long.
    pub idle: Duration,
    /// How long running requests may take to finish once the server stops.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Two for each of some 2000 publishers.
            connections: 4096,
            strangers: 4096,
            strangers_per_peer: 4096,
            stranger_idle: Duration::from_hours(1),
            // Events have 600 bytes and come within 2 s or never (docs/protocol.md §3).
            request: Duration::from_secs(10),
            idle: Duration::from_hours(1),
            drain: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// Those of a receiver, whose clients show a token: strangers can hold only few places, and for no longer
    /// than a request takes.
    #[must_use]
    pub fn for_known_clients() -> Self {
        Self {
            strangers: 512,
            strangers_per_peer: 64,
            stranger_idle: Duration::from_secs(10),
            ..Self::default()
        }
    }
}

/// How long to wait when the system refuses to give us another connection, which is when file
/// descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The most that is read of a request's head.
const MAX_HEAD_BYTES: usize = 32 << 10;

/// Serves `router` on `listener` until `stop`, then lets running requests finish.
///
/// Dropping the future closes all its connections at once.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()> + Send,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let peers = Peers::new(limits.strangers, limits.strangers_per_peer);
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = async {
            // The semaphore is never closed; without a place there is nothing to accept.
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            if let Ok((stream, peer)) = listener.accept().await {
                Some((stream, peer.ip(), place))
            } else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                None
            }
        };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accepted => accepted,
        };
        if let Some((stream, peer, place)) = accepted {
            let guest = peers.let_in(peer);
            let connection = connection(stream, router.clone(), limits, guest, stopped.clone());
            connections.spawn(async move {
                connection.await;
                drop(place);
            });
        }
    }
    drop(listener);
    stopping.send_replace(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    // What has not finished by then is closed when `connections` is dropped.
    let _ = tokio::time::timeout(limits.drain, drained).await;
}

async fn connection(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    guest: Guest,
    mut stopped: watch::Receiver<bool>,
) {
    // Answers are a few bytes that someone waits for. An old kernel may refuse; that only delays.
    let _ = stream.set_nodelay(true);
    let leave = guest.leave();
    let trust = Trust::of(guest);
    let io = TokioIo::new(Paced::new(stream, limits, trust.clone()));
    let service = WithTrust { router, trust };
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            // `Paced` bounds this and more; hyper's own limit also counts the time between
            // requests.
            .header_read_timeout(limits.idle)
            // Heads of publishers have some 200 bytes; hyper's own limit is 400 KiB for each of
            // thousands of connections.
            .max_buf_size(MAX_HEAD_BYTES)
            .title_case_headers(true)
            .serve_connection(io, TowerToHyperService::new(service))
    );
    tokio::select! {
        // A client that broke the connection or the protocol is told by hyper what there is to tell.
        _ = connection.as_mut() => return,
        () = leave.notified() => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
