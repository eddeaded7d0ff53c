//! What is asked of the API server, and within which limits.
//!
//! Every call names the right it needs, so that a refusal can say what to grant. The rights are in
//! deploy/cluster-tools and deploy/cluster-exec, and a test holds them against these calls.

use std::time::Duration;

use futures_util::AsyncReadExt as _;
use http_body_util::{BodyExt as _, Limited};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ApiResource, AttachParams, DynamicObject, ListParams, LogParams};
use kube::core::{GroupVersionKind, Status};
use kube::{Api, Client};
use ptp_events::deployment::{DAEMON_CONTAINER, DAEMON_LABEL};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio_util::sync::CancellationToken;

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of a log is read, in bytes.
pub(super) const LONGEST_LOG: usize = 1 << 20;
/// How much of a command's output is read, in bytes; of its errors a quarter of that.
const LONGEST_OUTPUT: usize = 1 << 18;
/// How much of a page of metrics is read, in bytes.
const LONGEST_METRICS: usize = 1 << 20;
/// How many objects a list is asked for at once, and at most.
const PAGE: u32 = 250;
const MOST_OBJECTS: usize = 2000;

/// A right, as RBAC names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Right {
    /// `get`, `list` or `create`.
    pub verb: &'static str,
    /// Such as `pods/log`.
    pub resource: &'static str,
    /// The API group; empty for the core one.
    pub group: &'static str,
    /// The part of deploy/ that grants it.
    pub component: &'static str,
}

const fn tools(verb: &'static str, resource: &'static str, group: &'static str) -> Right {
    Right { verb, resource, group, component: "deploy/cluster-tools" }
}

const GROUP: &str = "ptp.openshift.io";
const LIST_PODS: Right = tools("list", "pods", "");
const GET_LOG: Right = tools("get", "pods/log", "");
const GET_PROXY: Right = tools("get", "pods/proxy", "");
/// A websocket is opened with GET; API servers from 1.35 on ask for `create` besides.
const EXEC: Right = Right {
    verb: "get, create",
    resource: "pods/exec",
    group: "",
    component: "deploy/cluster-exec",
};

/// Why the cluster gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// We may not ask that.
    #[error(
        "the cluster does not let us: the verb {} on {} (API group `{}`) in namespace {namespace} \
         is not granted; {} grants it",
        right.verb, right.resource, right.group, right.component
    )]
    Forbidden {
        /// What is missing.
        right: Right,
        /// Where.
        namespace: String,
    },
    /// It does not know who we are.
    #[error(
        "the API server does not accept our credentials: {said}; a token may have expired, or be of \
         another cluster"
    )]
    Unauthorized {
        /// What it said.
        said: String,
    },
    /// The connection to a container ended before its command did.
    #[error("{what}: the connection ended before the command did, so nothing is known of it")]
    CutOff {
        /// What was asked for.
        what: String,
    },
    /// There is no such thing.
    #[error("{what}: not found in namespace {namespace}")]
    NotFound {
        /// What was asked for.
        what: String,
        /// Where.
        namespace: String,
    },
    /// The API server refused otherwise.
    #[error("the API server refused {what} with status {code}: {said}")]
    Refused {
        /// What was asked for.
        what: String,
        /// The status of its answer.
        code: u16,
        /// What it said.
        said: String,
    },
    /// It took too long.
    #[error("{what} took longer than {} s and was given up", PATIENCE.as_secs())]
    TooSlow {
        /// What was asked for.
        what: String,
    },
    /// No connection, or an answer that cannot be read.
    #[error("{what} cannot be read from the API server")]
    Unreadable {
        /// What was asked for.
        what: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A cluster's API server, and where linuxptp-daemon runs in it.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    namespace: String,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// Which part of a log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// How many of its last lines.
    pub tail: u32,
    /// How many seconds back.
    pub since: Option<u32>,
    /// Of the container before the last restart.
    pub previous: bool,
}

/// A log, or as much of it as is read.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub text: String,
    /// Whether it goes on: what is missing are the latest lines.
    pub cut: bool,
}

/// What a command said.
#[derive(Clone, Debug, Default)]
pub(super) struct Output {
    pub stdout: String,
    pub stderr: String,
    /// Its status; none when its output was cut, as it was still running then.
    pub exit: Option<i32>,
    /// Whether there was more.
    pub cut: bool,
}

impl Output {
    /// The first line that says anything, of errors first.
    pub(super) fn first_line(&self) -> &str {
        let lines = self.stderr.lines().chain(self.stdout.lines()).map(str::trim);
        let mut lines = lines.filter(|line| !line.is_empty());
        lines.next().unwrap_or("the command ended and said nothing")
    }
}

impl Cluster {
    /// The cluster behind `client`, whose linuxptp-daemon runs in `namespace`.
    #[must_use]
    pub fn new(client: Client, namespace: &str) -> Self {
        Self { client, namespace: namespace.to_owned() }
    }

    /// Where linuxptp-daemon runs.
    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The daemon's pods, of one node if asked, and whether there are more than we look at.
    pub(super) async fn daemons(
        &self,
        node: Option<&str>,
    ) -> Result<(Vec<Pod>, bool), ClusterError> {
        let mut params = ListParams::default().labels(DAEMON_LABEL).limit(PAGE);
        if let Some(node) = node {
            params = params.fields(&format!("spec.nodeName={node}"));
        }
        self.list(&self.pods(), params, LIST_PODS, "the daemon's pods").await
    }

    /// The objects of a kind of `ptp.openshift.io/v1`, and whether there are more than we look at.
    pub(super) async fn resources<T: DeserializeOwned>(
        &self,
        kind: &str,
        right: Right,
    ) -> Result<(Vec<T>, bool), ClusterError> {
        let (objects, more) =
            self.list(&self.dynamic(kind), ListParams::default().limit(PAGE), right, kind).await?;
        let objects = objects.into_iter().map(|object| read(object, kind));
        Ok((objects.collect::<Result<_, _>>()?, more))
    }

    /// One object of a kind of `ptp.openshift.io/v1`.
    pub(super) async fn resource<T: DeserializeOwned>(
        &self,
        kind: &str,
        right: Right,
        name: &str,
    ) -> Result<T, ClusterError> {
        let what = format!("{kind} {name}");
        let object = self.call(&what, right, self.dynamic(kind).get(name)).await?;
        read(object, kind)
    }

    fn dynamic(&self, kind: &str) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(GROUP, "v1", kind));
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    async fn list<K>(
        &self,
        api: &Api<K>,
        mut params: ListParams,
        right: Right,
        what: &str,
    ) -> Result<(Vec<K>, bool), ClusterError>
    where
        K: Clone + std::fmt::Debug + DeserializeOwned,
    {
        let mut items = Vec::new();
        loop {
            let page = self.call(what, right, api.list(&params)).await?;
            items.extend(page.items);
            let next = page.metadata.continue_.filter(|next| !next.is_empty());
            let Some(next) = next else { return Ok((items, false)) };
            if items.len() >= MOST_OBJECTS {
                items.truncate(MOST_OBJECTS);
                return Ok((items, true));
            }
            params = params.continue_token(&next);
        }
    }

    /// A part of a container's log, with the time of each line before it.
    pub(super) async fn log(
        &self,
        pod: &str,
        container: &str,
        part: Part,
    ) -> Result<Log, ClusterError> {
        let what = format!("the log of {pod}/{container}");
        let params = LogParams {
            container: Some(container.to_owned()),
            tail_lines: Some(part.tail.into()),
            limit_bytes: i64::try_from(LONGEST_LOG).ok(),
            since_seconds: part.since.map(Into::into),
            previous: part.previous,
            timestamps: true,
            ..LogParams::default()
        };
        let pods = self.pods();
        let reading = async {
            let stream = pods.log_stream(pod, &params).await?;
            let mut bytes = Vec::new();
            // The server was told the limit; one that does not keep to it is not waited for.
            let mut limited = stream.take(LONGEST_LOG as u64);
            limited.read_to_end(&mut bytes).await.map_err(kube::Error::ReadEvents)?;
            Ok(bytes)
        };
        let bytes: Vec<u8> = self.call(&what, GET_LOG, reading).await?;
        let cut = bytes.len() >= LONGEST_LOG;
        Ok(Log { text: String::from_utf8_lossy(&bytes).into_owned(), cut })
    }

    /// The metrics of a pod, fetched by the API server.
    pub(super) async fn proxied_metrics(&self, pod: &str) -> Result<String, ClusterError> {
        let what = format!("the metrics of {pod}");
        let path = format!("/api/v1/namespaces/{}/pods/{pod}:9091/proxy/metrics", self.namespace);
        let asking = async {
            let request = ::http::Request::get(path).body(kube::client::Body::empty());
            let answer = self.client.send(request.map_err(kube::Error::HttpError)?).await?;
            let code = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), LONGEST_METRICS).collect().await;
            let bytes = body.map_err(kube::Error::Service)?.to_bytes();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if (200..300).contains(&code) {
                return Ok(text);
            }
            let said: String = text.trim().chars().take(200).collect();
            let status = serde_json::from_slice::<Status>(&bytes);
            let status = status.unwrap_or_else(|_| Status::failure(&said, "Proxy").with_code(code));
            Err(kube::Error::Api(status.boxed()))
        };
        self.call(&what, GET_PROXY, asking).await
    }

    /// Runs a command in the daemon's container: a program and its arguments, never a shell.
    pub(super) async fn exec(&self, pod: &str, command: &[&str]) -> Result<Output, ClusterError> {
        let what = format!("`{}` on {pod}", command.join(" "));
        let params = AttachParams {
            container: Some(DAEMON_CONTAINER.to_owned()),
            stdin: false,
            stdout: true,
            stderr: true,
            tty: false,
            max_stdout_buf_size: Some(LONGEST_OUTPUT),
            max_stderr_buf_size: Some(LONGEST_OUTPUT / 4),
            ..AttachParams::default()
        };
        let pods = self.pods();
        let running = async {
            let mut process = pods.exec(pod, command.iter().copied(), &params).await?;
            let status = process.take_status();
            let (stdout, stderr) = (process.stdout(), process.stderr());
            let full = CancellationToken::new();
            let ((stdout, more), (stderr, more_errors)) = tokio::join!(
                limited(stdout, LONGEST_OUTPUT, &full),
                limited(stderr, LONGEST_OUTPUT / 4, &full)
            );
            let cut = more || more_errors;
            let status = match status {
                // Cut short it still runs, and has no status yet.
                Some(status) if !cut => status.await,
                _ => None,
            };
            // Dropped, the connection is closed.
            drop(process);
            let exit = match &status {
                // An API server upgrades the connection before it has reached the kubelet, and tells
                // here what went wrong then (observed: 1.36).
                Some(status) => Some(exit_code(status).ok_or_else(|| refused(status))?),
                None => None,
            };
            Ok(Output { stdout, stderr, exit, cut })
        };
        let output = self.call(&what, EXEC, running).await?;
        if output.exit.is_none() && !output.cut {
            return Err(ClusterError::CutOff { what });
        }
        Ok(output)
    }

    /// Waits for an answer within the limit, and tells what went wrong in our words.
    async fn call<T>(
        &self,
        what: &str,
        right: Right,
        asking: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, ClusterError> {
        let what = || what.to_owned();
        let Ok(outcome) = tokio::time::timeout(PATIENCE, asking).await else {
            return Err(ClusterError::TooSlow { what: what() });
        };
        let namespace = || self.namespace.clone();
        outcome.map_err(|error| match error {
            kube::Error::Api(status) if status.code == 401 => {
                ClusterError::Unauthorized { said: status.message.chars().take(300).collect() }
            }
            kube::Error::Api(status) if status.code == 403 => {
                ClusterError::Forbidden { right, namespace: namespace() }
            }
            kube::Error::Api(status) if status.code == 404 => {
                ClusterError::NotFound { what: what(), namespace: namespace() }
            }
            kube::Error::Api(status) => ClusterError::Refused {
                what: what(),
                code: status.code,
                said: status.message.chars().take(300).collect(),
            },
            other => ClusterError::Unreadable { what: what(), source: Box::new(other) },
        })
    }
}

/// The right to look at objects of `ptp.openshift.io`.
pub(super) const fn objects(verb: &'static str, resource: &'static str) -> Right {
    tools(verb, resource, GROUP)
}

fn read<T: DeserializeOwned>(object: DynamicObject, kind: &str) -> Result<T, ClusterError> {
    let value = serde_json::to_value(object);
    value.and_then(serde_json::from_value).map_err(|source| ClusterError::Unreadable {
        what: format!("a {kind}"),
        source: Box::new(source),
    })
}

/// Reads to the end, or to the limit; whether there was more. Once one stream is `full` the
/// other gets no more either: both come over one connection, and nobody reads on.
async fn limited(
    stream: Option<impl AsyncRead + Unpin>,
    limit: usize,
    full: &CancellationToken,
) -> (String, bool) {
    let Some(stream) = stream else { return (String::new(), false) };
    let mut bytes = Vec::new();
    // What was read before a connection broke is worth showing.
    let mut stream = stream.take(limit as u64);
    let _ = full.run_until_cancelled(stream.read_to_end(&mut bytes)).await;
    let cut = bytes.len() >= limit;
    if cut {
        full.cancel();
    }
    (String::from_utf8_lossy(&bytes).into_owned(), cut)
}

/// What an API server says when no command was run at all.
fn refused(status: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Status) -> kube::Error {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let code = status.code.and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
    let told = Status::failure(&text(&status.message), &text(&status.reason)).with_code(code);
    kube::Error::Api(told.boxed())
}

/// The status of a process, as the container's runtime tells it.
fn exit_code(status: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Status) -> Option<i32> {
    if status.status.as_deref() == Some("Success") {
        return Some(0);
    }
    let causes = status.details.as_ref()?.causes.as_ref()?;
    let cause = causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"))?;
    cause.message.as_deref()?.parse().ok()
}
