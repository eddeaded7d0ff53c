//! Keeps subscribed to all publishers at once, and reports what it sees.

mod observation;
mod publisher;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ptp_events::client::{Authorities, Tls, TlsError, connections};
use ptp_events::{ReceiveClock, Resource};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::directory::Directory;
use crate::reconcile::Pace;
use crate::target::{PublisherName, Target};

pub use observation::{Observation, What};

/// How often the CA file is read again: the authorities of a cluster rotate.
const AUTHORITIES_EVERY: Duration = Duration::from_mins(1);

/// How to subscribe.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// The URL under which publishers reach our receiver, without `/event`.
    ///
    /// No two agents may have the same one unless they also have the same token secret: each
    /// would take the other's subscriptions for its own from an earlier life, and remove them.
    pub callback_base: String,
    /// What to subscribe to.
    pub resources: Vec<Resource>,
    /// How often to do what.
    pub pace: Pace,
    /// How many publishers may be talked to at once.
    pub concurrency: usize,
    /// Whether our subscriptions are removed when we stop. A publisher that still sends to
    /// someone who has gone delays its other consumers by 2 s each time (docs/protocol.md §3);
    /// an agent that only restarts misses fewer events when they stay.
    pub remove_on_stop: bool,
    /// How long that may take.
    pub leave_within: Duration,
    /// Whom to trust where a publisher speaks HTTPS.
    pub tls: Tls,
}

impl Settings {
    /// The usual settings for a callback URL such as `http://ptp-agent.ptp.svc:8080`.
    #[must_use]
    pub fn new(callback_base: &str) -> Self {
        Self {
            callback_base: callback_base.trim_end_matches('/').to_owned(),
            resources: Resource::ALL.to_vec(),
            pace: Pace::default(),
            // Enough that some publishers that do not answer hold nobody up for long, and few
            // enough that a thousand that start together do not all wait for their turn to end.
            concurrency: 64,
            remove_on_stop: true,
            leave_within: Duration::from_secs(5),
            tls: Tls::platform(),
        }
    }
}

/// What all publishers' tasks share.
struct Shared {
    settings: Settings,
    directory: Directory,
    clock: ReceiveClock,
    http: RwLock<reqwest::Client>,
    places: Semaphore,
    out: mpsc::Sender<Observation>,
}

impl Shared {
    fn http(&self) -> reqwest::Client {
        self.http.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Trusts what the CA file says now, if that is not what it said; a file that cannot be read or
    /// used changes nothing, as it may be half written.
    async fn trust_anew(&self, trusted: Authorities) -> Authorities {
        let tls = self.settings.tls.clone();
        let before = trusted.clone();
        let read = tokio::task::spawn_blocking(move || {
            let found = tls.read().ok().filter(|found| *found != before)?;
            Some((connections(&tls).ok()?, found))
        });
        match read.await {
            Ok(Some((http, found))) => {
                *self.http.write().unwrap_or_else(PoisonError::into_inner) = http;
                found
            }
            Ok(None) => trusted,
            Err(error) => {
                unwind(Err(error));
                trusted
            }
        }
    }
}

struct Running {
    target: Target,
    gone: CancellationToken,
    task: AbortHandle,
}

/// Why a publisher's task ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ending {
    /// Its target has gone.
    Gone,
    /// Everything stops.
    Stop,
}

/// Subscribes to `targets`, as they come and go, until `stop`; then returns within
/// [`Settings::leave_within`].
///
/// The receiver must be serving before this starts: publishers call back while we subscribe.
/// When `out` is full, pulling and subscribing wait for it; what publishers push does not come
/// this way. `clock` must be the receiver's.
///
/// # Errors
/// When the CA file cannot be used, or HTTP connections not be set up at all.
///
/// # Panics
/// When the task of a publisher panicked.
pub async fn run(
    mut targets: watch::Receiver<Vec<Target>>,
    settings: Settings,
    directory: Directory,
    clock: ReceiveClock,
    out: mpsc::Sender<Observation>,
    stop: CancellationToken,
) -> Result<(), TlsError> {
    let mut trusted = settings.tls.read()?;
    let mut look_again = tokio::time::interval(AUTHORITIES_EVERY);
    let shared = Arc::new(Shared {
        places: Semaphore::new(settings.concurrency),
        http: RwLock::new(connections(&settings.tls)?),
        settings,
        directory,
        clock,
        out,
    });
    let mut fleet = Fleet {
        shared: Arc::clone(&shared),
        running: HashMap::new(),
        tasks: JoinSet::new(),
        stop: stop.clone(),
    };
    let mut watching = true;
    fleet.follow(targets.borrow_and_update().clone());
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            changed = targets.changed(), if watching => match changed {
                Ok(()) => fleet.follow(targets.borrow_and_update().clone()),
                // A fixed list: nobody will change it any more.
                Err(_) => watching = false,
            },
            Some(ended) = fleet.tasks.join_next() => unwind(ended),
            _ = look_again.tick(), if shared.settings.tls.ca_file().is_some() => {
                trusted = shared.trust_anew(trusted).await;
            }
        }
    }
    fleet.leave().await;
    Ok(())
}

/// A task of ours that panicked is a bug that must not stay hidden in a quiet publisher.
fn unwind(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

/// The tasks, one per publisher.
struct Fleet {
    shared: Arc<Shared>,
    running: HashMap<PublisherName, Running>,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Fleet {
    /// Starts and stops tasks so that there is one for each target.
    fn follow(&mut self, targets: Vec<Target>) {
        let wanted: HashMap<_, _> =
            targets.into_iter().map(|target| (target.name.clone(), target)).collect();
        let directory = &self.shared.directory;
        self.running.retain(|name, running| {
            match wanted.get(name) {
                Some(target) if *target == running.target => return true,
                // Its successor adopts the subscriptions, so it must not remove them.
                Some(_) => running.task.abort(),
                None => {
                    directory.remove(name);
                    running.gone.cancel();
                }
            }
            false
        });
        for (name, target) in wanted {
            if self.running.contains_key(&name) {
                continue;
            }
            directory.insert(name.clone(), target.node.clone());
            let gone = CancellationToken::new();
            let (ending_gone, ending_stop) = (gone.clone(), self.stop.clone());
            let ending = async move {
                tokio::select! {
                    () = ending_gone.cancelled() => Ending::Gone,
                    () = ending_stop.cancelled() => Ending::Stop,
                }
            };
            let shared = Arc::clone(&self.shared);
            let task = publisher::run(shared, target.clone(), ending);
            let task = self.tasks.spawn(task);
            let running = Running { target, gone, task };
            self.running.insert(name, running);
        }
    }

    async fn leave(mut self) {
        let left = async {
            while let Some(ended) = self.tasks.join_next().await {
                unwind(ended);
            }
        };
        // What has not left by then is aborted when `tasks` is dropped.
        let _ = tokio::time::timeout(self.shared.settings.leave_within, left).await;
    }
}
