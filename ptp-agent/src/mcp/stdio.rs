//! `ptp-agent mcp`: the server on standard input and output, for a client on the same machine.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use ptp_events::client::Tls;
use ptp_subscriber::discovery::kubernetes;
use rmcp::RoleServer;
use rmcp::model::{
    ClientCapabilities, ClientNotification, Implementation, InitializeRequestParams,
    JsonRpcMessage, ProtocolVersion, RequestId,
};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage, serve_directly};
use rmcp::transport::{Transport, async_rw::AsyncRwTransport, stdio};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Cluster, Reach, Remote, Server, Source, changes, page};
use crate::secret::Secret;

/// Where an agent is when nothing else is said: at the end of a forwarded port.
const USUAL_URL: &str = "http://127.0.0.1:8081";

/// What `ptp-agent mcp` is told.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// URL of the agent's API; without it and without a cluster, the one at port 8081 here
    #[arg(long = "agent", env = "PTP_AGENT_URL", value_name = "URL")]
    pub url: Option<String>,

    /// Show the agent this token (its read or write token)
    #[arg(
        long = "agent-token",
        env = "PTP_AGENT_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub token: Option<String>,

    /// Certificate authorities to trust in an agent whose URL is https, in PEM; otherwise the system's
    #[arg(long = "agent-ca-file", env = "PTP_AGENT_CA_FILE", value_name = "FILE.pem")]
    pub ca_file: Option<PathBuf>,

    /// Offer the tools that change things; the token must be the write token
    #[arg(long, env = "PTP_AGENT_MCP_ALLOW_CHANGES")]
    pub allow_changes: bool,

    /// The namespace of linuxptp-daemon, in the cluster that KUBECONFIG names
    #[arg(long, env = "PTP_NAMESPACE", default_value = "openshift-ptp", value_name = "NAME")]
    pub ptp_namespace: String,

    /// Offer `exec_ptp_command`: commands from a list, which only read, on the cluster's nodes
    #[arg(long, env = "PTP_AGENT_MCP_EXEC")]
    pub mcp_exec: bool,

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
    let cluster = cluster(&options.ptp_namespace).await;
    let url = options.url.filter(|url| !url.is_empty());
    let url = url.or_else(|| cluster.is_none().then(|| USUAL_URL.to_owned()));
    let tls = Tls::with_ca_file(options.ca_file.filter(|file| !file.as_os_str().is_empty()));
    let remote = url.map(|url| Remote::new(&url, token.clone(), &tls)).transpose()?;
    let mut reach = Reach::new(remote.clone().map_or(Source::Nowhere, Source::There));
    reach.secrets.extend(token);
    reach.may_change = options.allow_changes;
    reach.cluster = cluster;
    reach.may_run_commands = options.mcp_exec;
    let end = reach.shutdown.clone();
    let reach = Arc::new(reach);
    let watching =
        remote.map(|remote| tokio::spawn(changes::from_stream(remote, Arc::clone(&reach))));
    let outcome = serve(Server::new(reach), end).await;
    if let Some(watching) = watching {
        watching.abort();
    }
    outcome
}

/// The cluster that KUBECONFIG names, or that we run in. That there is none is no mistake, unless
/// one was named.
async fn cluster(namespace: &str) -> Option<Cluster> {
    match kubernetes::client().await {
        Ok(client) => Some(Cluster::new(client, namespace)),
        Err(error) => {
            if std::env::var_os("KUBECONFIG").is_some_and(|path| !path.is_empty()) {
                let error = crate::store::chain(&error);
                tracing::warn!(error, "KUBECONFIG names no cluster; its tools are not there");
            }
            None
        }
    }
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
