//! Finds publishers by the pods of linuxptp-daemon (docs/protocol.md §7).
//!
//! There is one publisher per node that runs such a pod. What was found stays valid while the
//! API server does not answer: the publishers themselves are still there.

mod pods;
mod version;

use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::pods::Pods;
use super::UrlTemplate;
use crate::reconcile::{Backoff, Jitter};
use crate::target::Target;

/// How long to wait for the operator's configuration, which we can do without.
const VERSION_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// How often to look whether the version of the API has changed.
    pub version_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespace: "openshift-ptp".to_owned(),
            selector: "app=linuxptp-daemon".to_owned(),
            template: UrlTemplate::default(),
            backoff: Backoff::default(),
            version_every: Duration::from_mins(5),
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
    },
    /// Not following; tried again. What was found before stays.
    Failing {
        /// We may not list or watch pods there; someone must grant that.
        forbidden: bool,
        /// Why, for people.
        why: String,
    },
}

/// What discovery has found.
#[derive(Debug)]
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
    Client::try_default().await
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
        // Before the first targets, which would otherwise be tried out and then change.
        self.read_version().await;
        let every = self.settings.version_every;
        let mut version_due = tokio::time::interval_at(Instant::now() + every, every);
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
                _ = version_due.tick() => {
                    if self.read_version().await && self.pods.is_listed() {
                        self.publish();
                    }
                    if self.pods.is_listed() && self.is_calm() {
                        self.say_watching();
                    }
                }
            }
        }
    }

    /// Whether that changed anything.
    async fn read_version(&mut self) -> bool {
        let reading = version::read(&self.client, &self.settings.namespace);
        // Pods are not followed meanwhile.
        let version = tokio::time::timeout(VERSION_TIMEOUT, reading).await;
        self.pods.set_version(version.ok().flatten())
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
        self.set_status(Status::Watching { publishers: self.targets().len() });
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

    async fn handle_error(&mut self, error: &watcher::Error) {
        if self.is_calm() {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        self.failed_at = Some(Instant::now());
        let forbidden = matches!(api_code(error), Some(401 | 403));
        // Lists are allowed then, and each retry makes one: slow, but better than nothing.
        self.may_not_watch = forbidden && !matches!(error, watcher::Error::InitialListFailed(_));
        // The API server closes watches now and then, and restarts; once is nothing to report.
        // 410 says that a watch's resource version is too old: nothing is wrong, listing helps.
        let harmless = api_code(error) == Some(410) || (self.failures == 1 && !forbidden);
        if !harmless || !self.pods.is_listed() {
            self.set_status(Status::Failing { forbidden, why: chain(error) });
        }
        let wait = self.settings.backoff.delay(self.failures, Jitter::default());
        tokio::time::sleep(wait).await;
    }
}

fn api_code(error: &watcher::Error) -> Option<u16> {
    use watcher::Error::{InitialListFailed, WatchError, WatchFailed, WatchStartFailed};
    match error {
        InitialListFailed(kube::Error::Api(status))
        | WatchStartFailed(kube::Error::Api(status))
        | WatchFailed(kube::Error::Api(status))
        | WatchError(status) => Some(status.code),
        _ => None,
    }
}

/// kube repeats a cause in the sentence before it; such repetitions are left out.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let sentence = error.to_string();
        if !text.contains(&sentence) {
            text.push_str(": ");
            text.push_str(&sentence);
        }
        cause = error.source();
    }
    text
}
