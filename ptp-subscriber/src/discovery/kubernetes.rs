//! Finds publishers by the pods of linuxptp-daemon (docs/protocol.md §7).
//!
//! There is one publisher per node that runs such a pod. What was found stays valid while the
//! API server does not answer: the publishers themselves are still there.

mod pods;

use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use http::HeaderValue;
use http::header::USER_AGENT;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use ptp_events::deployment::{DAEMON_LABEL, NAMESPACE};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::pods::Pods;
use super::UrlTemplate;
use crate::reconcile::{Backoff, Jitter};
use crate::target::Target;

/// How often it is looked whether errors are over.
const CALM_EVERY: Duration = Duration::from_secs(30);

/// Where to look.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// The daemon's namespace.
    pub namespace: String,
    /// The daemon's label.
    pub selector: String,
    /// From a pod to its publisher's URL.
    pub template: UrlTemplate,
    /// After errors of the API server.
    pub backoff: Backoff,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespace: NAMESPACE.to_owned(),
            selector: DAEMON_LABEL.to_owned(),
            template: UrlTemplate::default(),
            backoff: Backoff::default(),
        }
    }
}

/// How discovery is doing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// The API server has not answered yet.
    #[default]
    Starting,
    /// Following the pods.
    Watching {
        /// How many publishers there are.
        publishers: usize,
        /// How many pods are theirs; one that has no address yet is no publisher.
        pods: usize,
    },
    /// Not following; tried again. What was found before stays.
    Failing {
        /// What kind of trouble it is.
        trouble: Trouble,
        /// Why, for people, and what mends it.
        why: String,
    },
}

/// What keeps discovery from following the pods.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Trouble {
    /// We may not list or watch pods there (403); someone must grant that.
    Forbidden,
    /// It is not known who we are (401): a token has expired, or is of another cluster.
    Unauthorized,
    /// The API server does not answer, or not with what it should.
    Other,
}

/// What discovery has found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Found {
    /// For [`crate::driver::run`].
    pub targets: watch::Receiver<Vec<Target>>,
    /// For people and probes.
    pub status: watch::Receiver<Status>,
}

/// A client of the cluster we run in, or of the one that `KUBECONFIG` names.
///
/// # Errors
/// When there is neither.
pub async fn client() -> Result<Client, kube::Error> {
    let config = kube::Config::infer().await.map_err(kube::Error::InferConfig)?;
    client_of(config)
}

/// A client with this configuration, which says who asks: an audit log shows it.
///
/// # Errors
/// When the configuration cannot be used.
pub fn client_of(mut config: kube::Config) -> Result<Client, kube::Error> {
    let name = concat!("ptp-agent/", env!("CARGO_PKG_VERSION"));
    config.headers.push((USER_AGENT, HeaderValue::from_static(name)));
    Client::try_from(config)
}

/// Starts to follow the pods; the future does the following, until `stop`.
pub fn discover(
    client: Client,
    settings: Settings,
    stop: CancellationToken,
) -> (Found, impl Future<Output = ()> + Send) {
    let (targets, targets_receiver) = watch::channel(Vec::new());
    let (status, status_receiver) = watch::channel(Status::default());
    let found = Found { targets: targets_receiver, status: status_receiver };
    let discovery = Discovery {
        pods: Pods::default(),
        client,
        settings,
        targets,
        status,
        failures: 0,
        failed_at: None,
        may_not_watch: false,
    };
    let running = async move {
        // Nothing is half done when this is dropped.
        let _ = stop.run_until_cancelled(Box::pin(discovery.run())).await;
    };
    (found, running)
}

struct Discovery {
    pods: Pods,
    client: Client,
    settings: Settings,
    targets: watch::Sender<Vec<Target>>,
    status: watch::Sender<Status>,
    failures: u32,
    failed_at: Option<Instant>,
    /// The last watch was forbidden although the list before it was not.
    may_not_watch: bool,
}

impl Discovery {
    async fn run(mut self) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.settings.namespace);
        let config = watcher::Config::default().labels(&self.settings.selector);
        let mut events = pin!(watcher::watcher(pods.clone(), config.clone()));
        let mut calm_due = tokio::time::interval(CALM_EVERY.min(self.settings.backoff.most * 3));
        loop {
            tokio::select! {
                event = events.try_next() => match event {
                    Ok(Some(event)) => self.handle_event(event),
                    // Watchers do not end; if one did, asking it again would not help.
                    Ok(None) => return,
                    Err(error) => {
                        self.handle_error(&error).await;
                        // Polled again, a watcher would go on in silence until a pod changes, and
                        // nobody could tell whether it is well. A new one lists first.
                        events.set(watcher::watcher(pods.clone(), config.clone()));
                    }
                },
                _ = calm_due.tick() => {
                    if self.pods.is_listed() && self.is_calm() {
                        self.say_watching();
                    }
                }
            }
        }
    }

    fn handle_event(&mut self, event: Event<Pod>) {
        let watching = match event {
            Event::Init => {
                self.pods.begin();
                false
            }
            Event::InitApply(pod) => {
                self.pods.list(&pod);
                return;
            }
            Event::InitDone => {
                self.pods.finish();
                !self.may_not_watch
            }
            Event::Apply(pod) => {
                self.pods.apply(&pod);
                true
            }
            Event::Delete(pod) => {
                self.pods.delete(&pod);
                true
            }
        };
        if self.pods.is_listed() {
            self.publish();
        }
        // After the targets, so that who hears of it finds them.
        if watching {
            self.say_watching();
        }
    }

    fn targets(&self) -> Vec<Target> {
        let Settings { namespace, template, .. } = &self.settings;
        self.pods.targets(namespace, template)
    }

    fn publish(&self) {
        let targets = self.targets();
        self.targets.send_if_modified(|current| {
            let modified = *current != targets;
            *current = targets;
            modified
        });
    }

    fn say_watching(&mut self) {
        self.may_not_watch = false;
        let (publishers, pods) = (self.targets().len(), self.pods.count());
        self.set_status(Status::Watching { publishers, pods });
    }

    /// Whether there has been no error for longer than we wait after one.
    fn is_calm(&self) -> bool {
        let calm = self.settings.backoff.most * 2;
        self.failed_at.is_none_or(|at| at.elapsed() > calm)
    }

    fn set_status(&self, status: Status) {
        self.status.send_if_modified(|current| {
            let modified = *current != status;
            *current = status;
            modified
        });
    }

    /// What went wrong, in the API server's words where it has any, and what mends it.
    fn why(&self, error: &watcher::Error, trouble: Trouble) -> String {
        let namespace = &self.settings.namespace;
        let verb = match error {
            watcher::Error::InitialListFailed(_) => "list",
            _ => "watch",
        };
        let said = api_status(error).map(|status| status.message.chars().take(300).collect());
        let said: String = said.unwrap_or_else(|| ptp_events::chain(error));
        match trouble {
            Trouble::Forbidden => format!(
                "we may not {verb} pods in namespace {namespace}: {said}; a Role there must grant \
                 `list` and `watch` on `pods`"
            ),
            Trouble::Unauthorized => format!(
                "the API server does not accept our credentials: {said}; a token may have expired, \
                 or be of another cluster"
            ),
            Trouble::Other => format!("cannot {verb} pods in namespace {namespace}: {said}"),
        }
    }

    async fn handle_error(&mut self, error: &watcher::Error) {
        if self.is_calm() {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(Instant::now());
        let trouble = match api_status(error).map(|status| status.code) {
            Some(403) => Trouble::Forbidden,
            Some(401) => Trouble::Unauthorized,
            _ => Trouble::Other,
        };
        let forbidden = trouble == Trouble::Forbidden;
        // Lists are allowed then, and each retry makes one: slow, but better than nothing.
        self.may_not_watch = forbidden && !matches!(error, watcher::Error::InitialListFailed(_));
        // The API server closes watches now and then, and restarts; once is nothing to report.
        // 410 says that a watch's resource version is too old: nothing is wrong, listing helps.
        let code = api_status(error).map(|status| status.code);
        let passes = self.failures == 1 && trouble == Trouble::Other;
        if !(code == Some(410) || passes) || !self.pods.is_listed() {
            self.set_status(Status::Failing { trouble, why: self.why(error, trouble) });
        }
        let wait = self.settings.backoff.delay(self.failures, Jitter::default());
        tokio::time::sleep(wait).await;
    }
}

fn api_status(error: &watcher::Error) -> Option<&kube::core::Status> {
    use watcher::Error::{InitialListFailed, WatchError, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(kube::Error::Api(status))
        | WatchStartFailed(kube::Error::Api(status))
        | WatchFailed(kube::Error::Api(status))
        | WatchError(status) => Some(status),
        _ => None,
    }
}
