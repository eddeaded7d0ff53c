//! The receiver, on a thread of its own: what reads the API, diagnoses or tells people cannot keep it waiting.

use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use ptp_events::server::{Limits, serve};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How many file descriptors are wanted: some 4,000 connections and what else is open.
const FILES: u64 = 16_384;

/// A receiver that runs.
#[derive(Debug)]
pub(crate) struct Receiving {
    thread: JoinHandle<()>,
    /// Cancelled when the thread ends, however it does.
    gone: CancellationToken,
}

impl Receiving {
    /// Serves `events` on `listener` until `stop`, and lets running requests finish for `drain`.
    pub(crate) fn start(
        listener: TcpListener,
        events: Router,
        drain: Duration,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let router = events.route("/health", axum::routing::get(|| async { "OK" }));
        let limits = Limits { drain, ..Limits::for_known_clients() };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the receiver's runtime")?;
        let listener = listener.into_std().context("cannot hand the receiver its port")?;
        let gone = CancellationToken::new();
        let ending = gone.clone().drop_guard();
        let thread = std::thread::Builder::new()
            .name("receiver".to_owned())
            .spawn(move || {
                let _ending = ending;
                runtime.block_on(async move {
                    match TcpListener::from_std(listener) {
                        Ok(listener) => serve(listener, router, limits, stop.cancelled()).await,
                        Err(error) => tracing::error!(%error, "the receiver has no port"),
                    }
                });
            })
            .context("cannot start the receiver's thread")?;
        Ok(Self { thread, gone })
    }

    /// Returns once it has ended, which it should not by itself.
    pub(crate) async fn gone(&self) {
        self.gone.cancelled().await;
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(self) {
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}

/// Raises the limit on open files as far as the system lets us; says so where that is not far.
pub(crate) fn raise_file_limit() {
    match rlimit::increase_nofile_limit(FILES) {
        Ok(files) if files >= FILES => {}
        Ok(files) => tracing::warn!(files, wanted = FILES, "few files may be open"),
        Err(error) => tracing::warn!(%error, "cannot raise the limit on open files"),
    }
}
