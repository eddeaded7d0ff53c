//! One round: is it well, what does it offer, what are we subscribed to.

use std::time::Instant;

use ptp_events::{ApiVersion, NodeName, Resource, Subscription};

use super::{Action, Answer, Change, Failure, Jitter, Reach, Reconciler, Slot};

/// The steps of a round, in order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// Only while the version of the API is not known.
    Probe(ApiVersion),
    Health,
    Publishers,
    Subscriptions,
}

impl Step {
    pub(super) const FIRST: Self = Self::Probe(ApiVersion::V2);
}

impl Reconciler {
    pub(super) fn next_step(&mut self) -> Action {
        if let (Step::Probe(_), Some(_)) = (self.step, self.version) {
            self.step = Step::Health;
        }
        match self.step {
            Step::Probe(version) => Action::Probe(version),
            Step::Health => Action::CheckHealth,
            Step::Publishers => Action::ListPublishers,
            Step::Subscriptions => Action::ListSubscriptions,
        }
    }

    pub(super) fn handle_step(
        &mut self,
        action: &Action,
        answer: Result<Answer, Failure>,
        now: Instant,
        jitter: Jitter,
    ) {
        let next = match (action, answer) {
            (Action::Probe(version), Ok(_)) => {
                self.version = Some(*version);
                Ok(Step::Health)
            }
            (Action::Probe(ApiVersion::V2), Err(failure)) if failure.is_not_found() => {
                Ok(Step::Probe(ApiVersion::V1))
            }
            (Action::CheckHealth, Ok(_)) => Ok(Step::Publishers),
            // The daemon's rewrite has neither (docs/protocol.md §6).
            (Action::CheckHealth, Err(failure)) if failure.is_not_found() => Ok(Step::Publishers),
            (Action::ListPublishers, Err(failure)) if failure.is_not_found() => {
                self.assume_resources(now).map(|()| Step::Subscriptions)
            }
            (Action::ListPublishers, Ok(Answer::Publishers(offered))) => {
                self.offered_resources(&offered, now).map(|()| Step::Subscriptions)
            }
            (Action::ListSubscriptions, Ok(Answer::Subscriptions(list))) => {
                self.compare(&list, now);
                Ok(Step::FIRST)
            }
            (_, Err(failure)) => Err(failure.why),
            (action, Ok(answer)) => Err(format!("{answer:?} is no answer to {action:?}")),
        };
        match next {
            Ok(Step::FIRST) => {
                self.answered(now);
                self.failures = 0;
                self.step = Step::FIRST;
                self.round_at = now + jitter.shorten(self.pace.check);
            }
            Ok(step) => self.step = step,
            Err(why) => {
                // It answers, and not as it did: another release may run there by now, so the next
                // round tries both versions.
                self.version = None;
                self.give_up_round(why, now, jitter);
            }
        }
    }

    /// Starts again after a while.
    pub(super) fn give_up_round(&mut self, why: String, now: Instant, jitter: Jitter) {
        self.step = Step::FIRST;
        self.failures = self.failures.saturating_add(1);
        self.round_at = now + self.pace.backoff.delay(self.failures, jitter);
        let last = match self.reach {
            Reach::Down(_) => return,
            Reach::Up(last) => Some(last),
            Reach::Unknown => None,
        };
        self.reach = Reach::Down(last);
        self.changes.push_back(Change::Unreachable { why });
    }

    pub(super) fn answered(&mut self, now: Instant) {
        match self.reach {
            Reach::Up(_) => {}
            Reach::Unknown => self.changes.push_back(Change::Reachable { blind_since: None }),
            Reach::Down(blind_since) => {
                self.changes.push_back(Change::Reachable { blind_since });
            }
        }
        self.reach = Reach::Up(now);
    }

    /// Takes the exact addresses from the publisher, for one node.
    fn offered_resources(&mut self, offered: &[Subscription], now: Instant) -> Result<(), String> {
        let mut entries = Vec::new();
        for entry in offered {
            if let (Some(node), Some(resource)) = (entry.node(), entry.resource()) {
                entries.push((node, resource, &entry.address));
            }
        }
        let speaks_for = |node: &NodeName| entries.iter().any(|entry| entry.0 == *node);
        let node = match (&self.wanted.node, entries.first()) {
            (_, None) => return self.assume_resources(now),
            (Some(expected), Some(_)) if speaks_for(expected) => expected.clone(),
            (Some(expected), Some((found, ..))) => {
                return Err(format!("speaks for node `{found}`, not for `{expected}`"));
            }
            (None, Some((found, ..))) => match entries.iter().find(|entry| entry.0 != *found) {
                None => found.clone(),
                Some((other, ..)) => {
                    return Err(format!("speaks for node `{found}` and for `{other}`"));
                }
            },
        };
        let mut found = Vec::new();
        for resource in &self.wanted.resources {
            let entry = entries.iter().find(|entry| entry.0 == node && entry.1 == *resource);
            if let Some((_, _, address)) = entry {
                found.push((resource.clone(), (*address).clone()));
            }
        }
        self.set_node(node);
        self.set_slots(found, now);
        Ok(())
    }

    /// Builds the addresses, for publishers that do not list them.
    fn assume_resources(&mut self, now: Instant) -> Result<(), String> {
        let Some(node) = self.wanted.node.clone() else {
            return Err("does not say which node it speaks for, and nobody else did".to_owned());
        };
        let version = self.version.unwrap_or_default();
        let assumed = self.wanted.resources.iter();
        let assumed =
            assumed.map(|resource| (resource.clone(), resource.address(&node, version))).collect();
        self.set_node(node);
        self.set_slots(assumed, now);
        Ok(())
    }

    fn set_node(&mut self, node: NodeName) {
        // Said once even when it was known before, so that whoever listens need not know it.
        if self.slots.is_empty() || self.node.as_ref() != Some(&node) {
            self.changes.push_back(Change::Node(node.clone()));
        }
        self.node = Some(node);
    }

    fn set_slots(&mut self, wanted: Vec<(Resource, String)>, now: Instant) {
        let mut slots = Vec::with_capacity(wanted.len());
        for (resource, address) in wanted {
            let known = self
                .slots
                .iter()
                .position(|slot| slot.resource == resource && slot.address == address);
            slots.push(match known {
                Some(at) => self.slots.swap_remove(at),
                None => Slot::new(resource, address, now),
            });
        }
        // What is no longer wanted is stale in the list that follows.
        self.slots = slots;
    }

    /// Compares what there is with what shall be.
    pub(super) fn compare(&mut self, list: &[Subscription], now: Instant) {
        self.stale.clear();
        for slot in &mut self.slots {
            let mut ours = list.iter().filter(|entry| {
                entry.endpoint == self.wanted.callback && entry.address == slot.address
            });
            // Of duplicates, which the daemon's rewrite accepts, the one we know stays.
            let known = ours.clone().find(|entry| slot.is(&entry.id));
            match known.or_else(|| ours.next()) {
                Some(entry) => {
                    if slot.hold(entry.id.clone(), now) {
                        self.changes.push_back(Change::Subscribed {
                            resource: slot.resource.clone(),
                            adopted: true,
                        });
                    }
                }
                None => {
                    if let Some(blind_since) = slot.lose(now) {
                        self.changes.push_back(Change::Lost {
                            resource: slot.resource.clone(),
                            blind_since,
                        });
                    }
                }
            }
        }
        let ours = list.iter().filter(|entry| self.wanted.owns(&entry.endpoint));
        let stale = ours.filter(|entry| !self.slots.iter().any(|slot| slot.is(&entry.id)));
        self.stale = stale.map(|entry| entry.id.clone()).collect();
    }
}
