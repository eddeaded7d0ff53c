//! Which publishers we know, by token, and which nodes they speak for.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ptp_events::recording::Origin;
use ptp_events::server::Refusal;
use ptp_events::{Event, NodeName, Resource};

use crate::target::PublisherName;
use crate::token::{Fingerprint, TokenKey};

/// What to do with events posted without a token, as by subscriptions made by other means.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Untokened {
    /// Refuse them.
    #[default]
    Refuse,
    /// Take them as from the publisher that speaks for their node, if there is one.
    ByNode,
}

/// What driver and gate both know. Clones share it.
#[derive(Clone, Debug)]
pub struct Directory {
    key: TokenKey,
    untokened: Untokened,
    entries: Arc<RwLock<Entries>>,
}

#[derive(Default)]
struct Entries {
    /// By what is computed of a token that was presented.
    publishers: HashMap<Fingerprint, Entry>,
    /// The same of each publisher's own token, which takes some microseconds to compute.
    tokens: HashMap<PublisherName, Fingerprint>,
    /// Who speaks for a node.
    speakers: HashMap<NodeName, PublisherName>,
}

impl std::fmt::Debug for Entries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.publishers.values().map(|entry| &entry.name)).finish()
    }
}

impl Entries {
    fn named(&mut self, name: &PublisherName) -> Option<&mut Entry> {
        let fingerprint = self.tokens.get(name)?;
        self.publishers.get_mut(fingerprint)
    }
}

struct Entry {
    name: PublisherName,
    /// Unknown until configured or learned.
    node: Option<NodeName>,
    /// We are subscribing to this now, so an event about it may be its first notification.
    creating: Option<Resource>,
}

/// Whose event it is, and how it came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Admission {
    pub(crate) publisher: PublisherName,
    pub(crate) origin: Origin,
}

impl Directory {
    /// An empty directory.
    #[must_use]
    pub fn new(key: TokenKey, untokened: Untokened) -> Self {
        Self { key, untokened, entries: Arc::default() }
    }

    /// The token to put into the publisher's callback URL.
    #[must_use]
    pub fn token(&self, publisher: &PublisherName) -> String {
        self.key.token(publisher)
    }

    /// How many publishers it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().publishers.len()
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        // Each change is a single assignment: a panic elsewhere leaves nothing half done.
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a publisher in, with the node it speaks for if that is known.
    pub fn insert(&self, name: PublisherName, node: Option<NodeName>) {
        let fingerprint = self.key.fingerprint(&self.key.token(&name));
        let mut entries = self.write();
        // One that only moved goes on posting meanwhile.
        let learned = |entries: &Entries| entries.publishers.get(&fingerprint)?.node.clone();
        let node = node.or_else(|| learned(&entries));
        if let Some(node) = &node {
            entries.speakers.insert(node.clone(), name.clone());
        }
        entries.tokens.insert(name.clone(), fingerprint);
        let entry = Entry { name, node, creating: None };
        entries.publishers.insert(fingerprint, entry);
    }

    /// Shuts a publisher out.
    pub fn remove(&self, name: &PublisherName) {
        let mut entries = self.write();
        if let Some(fingerprint) = entries.tokens.remove(name) {
            entries.publishers.remove(&fingerprint);
        }
        entries.speakers.retain(|_, speaker| speaker != name);
    }

    /// Takes note of the node a publisher speaks for.
    pub(crate) fn learn_node(&self, name: &PublisherName, node: &NodeName) {
        let mut entries = self.write();
        let Some(entry) = entries.named(name) else {
            return;
        };
        if entry.node.as_ref() != Some(node) {
            entry.node = Some(node.clone());
            entries.speakers.retain(|_, speaker| speaker != name);
            entries.speakers.insert(node.clone(), name.clone());
        }
    }

    /// Takes note of what we are subscribing to now.
    pub(crate) fn set_creating(&self, name: &PublisherName, creating: Option<Resource>) {
        if let Some(entry) = self.write().named(name) {
            entry.creating = creating;
        }
    }

    /// Whether a token, or none, could belong to somebody.
    pub(crate) fn knows(&self, token: Option<&str>) -> bool {
        match token {
            Some(token) => {
                let fingerprint = self.key.fingerprint(token);
                self.read().publishers.contains_key(&fingerprint)
            }
            None => self.untokened == Untokened::ByNode,
        }
    }

    /// Decides whether an event comes in.
    ///
    /// # Errors
    /// When its token is not one of ours, or its node is not its sender's.
    pub(crate) fn admit(&self, token: Option<&str>, event: &Event) -> Result<Admission, Refusal> {
        let fingerprint = token.map(|token| self.key.fingerprint(token));
        let entries = self.read();
        let Some(fingerprint) = fingerprint else {
            return match self.untokened {
                Untokened::Refuse => Err(Refusal::UnknownToken),
                Untokened::ByNode => match entries.speakers.get(&event.node) {
                    Some(name) => {
                        Ok(Admission { publisher: name.clone(), origin: Origin::Unknown })
                    }
                    None => Err(Refusal::WrongNode),
                },
            };
        };
        let entry = entries.publishers.get(&fingerprint).ok_or(Refusal::UnknownToken)?;
        // We subscribe only once the node is known, so there are no honest events before that.
        if entry.node.as_ref() != Some(&event.node) {
            return Err(Refusal::WrongNode);
        }
        let initial = entry.creating.as_ref() == Some(&event.resource) || event.is_placeholder();
        Ok(Admission {
            publisher: entry.name.clone(),
            origin: if initial { Origin::Initial } else { Origin::Push },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(node: &str) -> Event {
        let text = format!(
            r#"{{"id":"1","type":"event.sync.sync-status.synchronization-state-change","time":"2026-11-23T06:40:30Z","data":{{"values":[
                {{"ResourceAddress":"/cluster/node/{node}/sync/sync-status/sync-state","value":"LOCKED"}}]}}}}"#
        );
        Event::from_slice(text.as_bytes()).unwrap()
    }

    fn node(name: &str) -> NodeName {
        NodeName::new(name).unwrap()
    }

    #[test]
    fn a_token_opens_the_door_for_one_node() {
        let directory = Directory::new(TokenKey::new(&[1; 32]).unwrap(), Untokened::Refuse);
        let name = PublisherName::new("http://10.0.0.1:9043");
        let token = directory.token(&name);
        let admit = |node: &str| {
            let admission = directory.admit(Some(&token), &event(node));
            admission.map(|admission| admission.origin)
        };
        assert_eq!(admit("a"), Err(Refusal::UnknownToken));
        directory.insert(name.clone(), None);
        assert_eq!(admit("a"), Err(Refusal::WrongNode), "not known yet");
        directory.learn_node(&name, &node("a"));
        assert_eq!(admit("a"), Ok(Origin::Push));
        assert_eq!(admit("b"), Err(Refusal::WrongNode));
        directory.set_creating(&name, Some(Resource::SyncState));
        assert_eq!(admit("a"), Ok(Origin::Initial));
        // It moved, and goes on posting.
        directory.insert(name.clone(), None);
        assert_eq!(admit("a"), Ok(Origin::Push));
        directory.remove(&name);
        assert_eq!(admit("a"), Err(Refusal::UnknownToken));
    }

    #[test]
    fn events_without_a_token_come_in_by_node_only_if_allowed() {
        for (untokened, expect) in [
            (Untokened::Refuse, Err(Refusal::UnknownToken)),
            (Untokened::ByNode, Ok(PublisherName::new("p"))),
        ] {
            let directory = Directory::new(TokenKey::new(&[1; 32]).unwrap(), untokened);
            directory.insert(PublisherName::new("p"), Some(node("a")));
            let admission = directory.admit(None, &event("a"));
            assert_eq!(admission.map(|admission| admission.publisher), expect);
            assert!(directory.admit(None, &event("b")).is_err());
            assert!(directory.admit(Some("guessed"), &event("a")).is_err());
        }
    }
}
