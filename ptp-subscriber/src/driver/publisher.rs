//! The task that looks after one publisher.

use std::convert::Infallible;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use ptp_events::client::{Client, ClientError};
use ptp_events::{Event, Received};

use super::{Ending, Observation, Shared, What};
use crate::reconcile::{Action, Answer, Change, DesiredState, Failure, Jitter, Reconciler};
use crate::target::Target;

/// Runs until `ending`, or until nobody listens any more.
pub(super) async fn run(
    shared: Arc<Shared>,
    target: Target,
    ending: impl Future<Output = Ending> + Send,
) {
    let settings = &shared.settings;
    let callback_base = format!("{}/event", settings.callback_base);
    let wanted = DesiredState {
        callback: format!("{callback_base}/{}", shared.directory.token(&target.name)),
        callback_base,
        resources: settings.resources.clone(),
        node: target.node.clone(),
    };
    let mut task = PublisherTask {
        callback: wanted.callback.clone(),
        reconciler: Reconciler::new(wanted, settings.pace, Instant::now()),
        shared: &shared,
        target: &target,
    };
    let ended = tokio::select! {
        Err(Unheard) = task.keep_subscribed() => return,
        ending = ending => ending,
    };
    shared.directory.set_creating(&target.name, None);
    if ended == Ending::Gone && task.report(What::Gone).await.is_err() {
        return;
    }
    if settings.remove_on_stop {
        // The deadline of the whole is not enough: a target may go while the others stay.
        let _ = tokio::time::timeout(settings.leave_within, task.leave()).await;
    }
}

/// Nobody listens to observations any more.
struct Unheard;

struct PublisherTask<'a> {
    shared: &'a Shared,
    target: &'a Target,
    callback: String,
    reconciler: Reconciler,
}

impl PublisherTask<'_> {
    async fn keep_subscribed(&mut self) -> Result<Infallible, Unheard> {
        loop {
            let action = self.reconciler.poll_action(Instant::now());
            while let Some(change) = self.reconciler.poll_change() {
                self.report_change(change).await?;
            }
            if let Some(action) = action {
                self.work_off(action).await?;
            } else {
                match self.reconciler.poll_timeout() {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    // Nothing will ever be due; only the ending is left to wait for.
                    None => std::future::pending().await,
                }
            }
        }
    }

    /// Does this action and all that are due after it.
    ///
    /// In one go, so that they share a connection, and so that of many publishers each is done
    /// soon rather than all at the end.
    async fn work_off(&mut self, first: Action) -> Result<(), Unheard> {
        // The semaphore is never closed; if it were, nobody would be held up.
        let _place = self.shared.places.acquire().await;
        let mut next = Some(first);
        while let Some(action) = next {
            let (answer, events) = self.perform(action).await;
            self.reconciler.handle_answer(answer, Instant::now(), jitter());
            for (event, raw) in events {
                self.report(What::Pulled { event: Box::new(event), raw }).await?;
            }
            while let Some(change) = self.reconciler.poll_change() {
                self.report_change(change).await?;
            }
            next = self.reconciler.poll_action(Instant::now());
        }
        Ok(())
    }

    async fn leave(&mut self) {
        let _place = self.shared.places.acquire().await;
        self.reconciler.handle_leave();
        while let Some(action) = self.reconciler.poll_action(Instant::now()) {
            let (answer, _) = self.perform(action).await;
            self.reconciler.handle_answer(answer, Instant::now(), jitter());
        }
    }

    async fn report(&self, what: What) -> Result<(), Unheard> {
        let observation = Observation {
            publisher: self.target.name.clone(),
            received: self.shared.clock.stamp(),
            what,
        };
        self.shared.out.send(observation).await.map_err(|_| Unheard)
    }

    async fn report_change(&self, change: Change) -> Result<(), Unheard> {
        let what = match change {
            Change::Reachable { blind_since } => {
                What::Reachable { blind_since: blind_since.map(|at| self.received(at)) }
            }
            Change::Unreachable { why } => What::Unreachable { why },
            Change::Node(node) => {
                self.shared.directory.learn_node(&self.target.name, &node);
                What::Node(node)
            }
            Change::Subscribed { resource, adopted } => What::Subscribed { resource, adopted },
            Change::Lost { resource, blind_since } => {
                What::Lost { resource, blind_since: self.received(blind_since) }
            }
            Change::NotSubscribed { resource, why } => What::NotSubscribed { resource, why },
            Change::Missing { resource, since, why } => {
                What::Missing { resource, since: self.received(since), why }
            }
            Change::NoState { resource, why } => What::NoState { resource, why },
        };
        self.report(what).await
    }

    /// The receive time of something in the past.
    fn received(&self, at: Instant) -> Received {
        self.shared.clock.stamp().before(at.elapsed())
    }

    /// Does it, and says what came of it; pulled events come besides.
    async fn perform(&self, action: Action) -> (Result<Answer, Failure>, Vec<(Event, Bytes)>) {
        let (http, url) = (self.shared.http(), &self.target.url);
        let client = match Client::new(http, url, self.reconciler.version()) {
            Ok(client) => client,
            Err(error) => return (Err(failure(&error)), Vec::new()),
        };
        if let Action::PullCurrentState { address, node, .. } = &action {
            return match client.current_state(address, node).await {
                Ok(events) => match events.iter().find(|(event, _)| event.node != *node) {
                    Some((event, _)) => (Err(wrong_node(event)), Vec::new()),
                    None => {
                        let found = events.iter().any(|(event, _)| !event.is_placeholder());
                        (Ok(Answer::State { found }), events)
                    }
                },
                Err(error) => (Err(failure(&error)), Vec::new()),
            };
        }
        let answer = self.call(&client, action).await;
        (answer.map_err(|error| failure(&error)), Vec::new())
    }

    async fn call(&self, client: &Client, action: Action) -> Result<Answer, ClientError> {
        match action {
            Action::Probe(_) | Action::ListSubscriptions => {
                client.subscriptions().await.map(Answer::Subscriptions)
            }
            Action::CheckHealth => client.health().await.map(|()| Answer::Done),
            Action::ListPublishers => client.publishers().await.map(Answer::Publishers),
            Action::Create { resource, address } => {
                let directory = &self.shared.directory;
                directory.set_creating(&self.target.name, Some(resource));
                let created = client.create(&self.callback, &address).await;
                directory.set_creating(&self.target.name, None);
                created.map(|subscription| Answer::Created(subscription.id))
            }
            Action::Delete { id } => client.delete(&id).await.map(|_| Answer::Done),
            Action::PullCurrentState { .. } => Ok(Answer::State { found: false }),
        }
    }
}

/// Random enough to spread retries; each `RandomState` differs from the last.
fn jitter() -> Jitter {
    let bits = RandomState::new().build_hasher().finish();
    Jitter::from_bits(u16::try_from(bits & 0xffff).unwrap_or_default())
}

fn wrong_node(event: &Event) -> Failure {
    Failure {
        status: Some(200),
        why: format!("the current state is that of node `{}`", event.node),
    }
}

fn failure(error: &ClientError) -> Failure {
    let mut why = ptp_events::chain(error);
    if let Some(hint) = error.hint() {
        why.push_str(" (");
        why.push_str(&hint);
        why.push(')');
    }
    let status = match error {
        error if error.is_unreachable() => None,
        error => error.status().or(Some(200)),
    };
    Failure { status, why }
}
