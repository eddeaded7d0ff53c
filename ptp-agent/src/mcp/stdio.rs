//! `ptp-agent mcp`: the server on standard input and output, for a client on the same machine.

use std::collections::HashSet;
use std::sync::Arc;

use clap::Args;
use rmcp::RoleServer;
use rmcp::model::{
    ClientCapabilities, ClientNotification, Implementation, InitializeRequestParams,
    JsonRpcMessage, ProtocolVersion, RequestId,
};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage, serve_directly};
use rmcp::transport::{Transport, async_rw::AsyncRwTransport, stdio};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Reach, Remote, Server, Source, changes, page};
use crate::secret::Secret;

/// What `ptp-agent mcp` is told.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// URL of the agent's API
    #[arg(
        long = "agent",
        env = "PTP_AGENT_URL",
        default_value = "http://127.0.0.1:8081",
        value_name = "URL"
    )]
    pub url: String,

    /// Show the agent this token (its read or write token)
    #[arg(
        long = "agent-token",
        env = "PTP_AGENT_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub token: Option<String>,

    /// Offer the tools that change things; the token must be the write token
    #[arg(long, env = "PTP_AGENT_MCP_ALLOW_CHANGES")]
    pub allow_changes: bool,

    /// Print the page about all tools, in Markdown, and stop
    #[arg(long)]
    pub page: bool,
}

/// Serves until standard input ends.
///
/// # Errors
/// When the agent's URL is none, the cluster cannot be found, or output fails.
pub async fn run(options: Options) -> anyhow::Result<()> {
    if options.page {
        #[expect(clippy::print_stdout, reason = "it is the answer")]
        {
            print!("{}", page::markdown());
        }
        return Ok(());
    }
    let token = options.token.filter(|token| !token.is_empty()).map(Secret::from);
    let remote = Remote::new(&options.url, token.clone())?;
    let mut reach = Reach::new(Source::There(remote.clone()));
    reach.secrets.extend(token);
    reach.may_change = options.allow_changes;
    let end = reach.shutdown.clone();
    let reach = Arc::new(reach);
    let watching = tokio::spawn(changes::from_stream(remote, Arc::clone(&reach)));
    let outcome = serve(Server::new(reach), end).await;
    watching.abort();
    outcome
}

/// Answers requests that come without a handshake too, so that a line from a shell is enough.
async fn serve(server: Server, end: CancellationToken) -> anyhow::Result<()> {
    let client = Implementation::new("unknown", "0");
    let mut peer = InitializeRequestParams::new(ClientCapabilities::default(), client);
    // Who says nothing speaks the newest revision with a handshake.
    peer.protocol_version = ProtocolVersion::V_2025_11_25;
    let (input, output) = stdio();
    let transport = Drained::new(AsyncRwTransport::new_server(input, output), end);
    serve_directly(server, transport, Some(peer)).waiting().await?;
    Ok(())
}

/// A transport whose end waits until every request that came has its answer.
struct Drained<T> {
    inner: T,
    open: Arc<watch::Sender<HashSet<RequestId>>>,
    /// Cancelled when the input ends, which ends the streams that would go on for ever.
    end: CancellationToken,
    ended: bool,
}

impl<T> Drained<T> {
    fn new(inner: T, end: CancellationToken) -> Self {
        Self { inner, open: Arc::new(watch::Sender::new(HashSet::new())), end, ended: false }
    }
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for Drained<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send + 'static {
        let answered = match &item {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            _ => None,
        };
        let sending = self.inner.send(item);
        let open = Arc::clone(&self.open);
        async move {
            let outcome = sending.await;
            if let Some(id) = answered {
                open.send_modify(|open| {
                    open.remove(&id);
                });
            }
            outcome
        }
    }

    /// May be dropped and called again: nothing is kept but in `self`.
    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        if !self.ended {
            if let Some(message) = self.inner.receive().await {
                self.note(&message);
                return Some(message);
            }
            self.ended = true;
            self.end.cancel();
        }
        let _ = self.open.subscribe().wait_for(HashSet::is_empty).await;
        None
    }

    fn close(&mut self) -> impl Future<Output = Result<(), T::Error>> + Send {
        self.inner.close()
    }
}

impl<T> Drained<T> {
    fn note(&self, message: &RxJsonRpcMessage<RoleServer>) {
        match message {
            JsonRpcMessage::Request(request) => self.open.send_modify(|open| {
                open.insert(request.id.clone());
            }),
            // What was cancelled gets no answer.
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) =
                    &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.open.send_modify(|open| {
                        open.remove(id);
                    });
                }
            }
            _ => {}
        }
    }
}
