//! MCP, served by the agent beside its API, or on a laptop against an agent elsewhere.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use clap::Args;
use ptp_api::{Answered, Answering, Client, ClientError, Http, Method, Secret, Transport};
use ptp_diagnostics::ChangeKind;
use ptp_events::client::Tls;
use ptp_events::deployment::NAMESPACE;
use ptp_mcp::{Caller, Cluster, Context, HttpOptions};
use ptp_subscriber::discovery::kubernetes;
use tokio::sync::broadcast::error::RecvError;
use tower::ServiceExt as _;

use crate::api::{Access, Problem};
use crate::engine_task::{EngineTask, Notification};

/// The longest answer of our own API that is read, in bytes.
const LONGEST: usize = 32 << 20;
/// Where an agent is when nothing else is said: at the end of a forwarded port.
const USUAL_URL: &str = "http://127.0.0.1:8081";

/// The API in this process; whoever reaches us was let in already.
#[derive(Clone, Debug)]
pub struct Here(pub Router);

impl Transport for Here {
    fn ask(&self, method: Method, target: String, body: Option<String>) -> Answering<'_> {
        let router = self.0.clone();
        Box::pin(async move {
            let unreadable = |target| ClientError::Unreadable { target, source: None };
            let body = body.map_or_else(Body::empty, Body::from);
            let request = axum::http::Request::builder().method(method.as_str()).uri(&target);
            let Ok(request) = request.body(body) else { return Err(unreadable(target)) };
            let Ok(answer) = router.oneshot(request).await;
            let status = answer.status().as_u16();
            match to_bytes(answer.into_body(), LONGEST).await {
                Ok(body) => Ok(Answered { status, body: body.to_vec() }),
                Err(_) => Err(unreadable(target)),
            }
        })
    }
}

/// The route `/mcp`, which lets in whoever may read, and notes whether they may change things. Unlike the
/// API's, the method says nothing: every request is a POST.
pub fn routes(context: Arc<Context>, access: Access, options: HttpOptions) -> Router {
    let service = ptp_mcp::service(context, options);
    Router::new().nest_service("/mcp", service).layer(middleware::from_fn_with_state(access, guard))
}

async fn guard(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    let may_change = access.may_change(request.headers());
    if !may_change && !access.may_read(request.headers()) {
        let detail = "this needs a token, as `Authorization: Bearer TOKEN`";
        let mut response = Problem::new(StatusCode::UNAUTHORIZED, detail).into_response();
        let challenge = header::HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        return response;
    }
    request.extensions_mut().insert(Caller { may_change });
    next.run(request).await
}

/// Tells subscribers of what the engine task tells, until that ends or we do.
pub async fn follow_engine(engine: EngineTask, context: Arc<Context>) {
    let mut notifications = engine.notifications.subscribe();
    drop(engine);
    loop {
        let notification = tokio::select! {
            () = context.shutdown.cancelled() => return,
            notification = notifications.recv() => notification,
        };
        match notification {
            Ok(Notification { change, incident, .. }) => {
                for change in ptp_mcp::changes_of(change == ChangeKind::Opened, &incident) {
                    // Without subscribers there is nobody to tell.
                    let _ = context.changes.send(change);
                }
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

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
    #[arg(long, env = "PTP_NAMESPACE", default_value = NAMESPACE, value_name = "NAME")]
    pub ptp_namespace: String,

    /// Offer `exec_ptp_command`: commands from a list, which only read, on the cluster's nodes
    #[arg(long, env = "PTP_AGENT_MCP_EXEC")]
    pub mcp_exec: bool,

    /// Print the page about all tools, in Markdown, and stop
    #[arg(long)]
    pub page: bool,
}

/// Serves on standard input and output until that ends.
///
/// # Errors
/// When the agent's URL is none, the cluster cannot be found, or output fails.
pub async fn run(options: Options) -> anyhow::Result<()> {
    if options.page {
        #[expect(clippy::print_stdout, reason = "it is the answer")]
        {
            print!("{}", ptp_mcp::markdown());
        }
        return Ok(());
    }
    let token = options.token.filter(|token| !token.is_empty()).map(Secret::from);
    let cluster = cluster(&options.ptp_namespace).await;
    let url = options.url.filter(|url| !url.is_empty());
    let url = url.or_else(|| cluster.is_none().then(|| USUAL_URL.to_owned()));
    let tls = Tls::with_ca_file(options.ca_file.filter(|file| !file.as_os_str().is_empty()));
    let agent = url.map(|url| Http::new(&url, token.clone(), &tls)).transpose()?;
    let mut context = Context::new(agent.clone().map(|agent| Client::new(Arc::new(agent))));
    context.secrets.extend(token);
    context.may_change = options.allow_changes;
    context.cluster = cluster;
    context.may_run_commands = options.mcp_exec;
    let context = Arc::new(context);
    let following =
        agent.map(|agent| tokio::spawn(ptp_mcp::follow_stream(agent, Arc::clone(&context))));
    let outcome = ptp_mcp::serve_stdio(context).await;
    if let Some(following) = following {
        following.abort();
    }
    Ok(outcome?)
}

/// The cluster that KUBECONFIG names, or that we run in. That there is none is no mistake, unless
/// one was named.
async fn cluster(namespace: &str) -> Option<Cluster> {
    match kubernetes::client().await {
        Ok(client) => Some(Cluster::new(client, namespace)),
        Err(error) => {
            if std::env::var_os("KUBECONFIG").is_some_and(|path| !path.is_empty()) {
                let error = ptp_events::chain(&error);
                tracing::warn!(error, "KUBECONFIG names no cluster; its tools are not there");
            }
            None
        }
    }
}
