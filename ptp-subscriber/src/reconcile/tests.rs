//! The reconciler against a publisher that is a few lines long, in virtual time.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use ptp_events::{ApiVersion, NodeName, Resource, Subscription, SubscriptionId};

use super::*;

const BASE: &str = "http://agent:8080/event";
const CALLBACK: &str = "http://agent:8080/event/abc";
/// Begins like ours, but is someone else's.
const STRANGER: &str = "http://agent:8080/eventually";

/// A publisher, and what it does wrong now.
#[expect(clippy::struct_excessive_bools, reason = "each is a trouble of its own, on or off")]
struct Proxy {
    node: NodeName,
    list: Vec<Subscription>,
    next_id: u32,
    up: bool,
    has_publishers: bool,
    has_health: bool,
    accepts_duplicates: bool,
    accepts: bool,
    has_data: bool,
    version: ApiVersion,
    actions: usize,
    deleted: Vec<String>,
}

impl Proxy {
    fn new() -> Self {
        Self {
            node: NodeName::new("n1").unwrap(),
            list: Vec::new(),
            next_id: 0,
            up: true,
            has_publishers: true,
            has_health: true,
            accepts_duplicates: false,
            accepts: true,
            has_data: true,
            version: ApiVersion::V2,
            actions: 0,
            deleted: Vec::new(),
        }
    }

    fn subscribe(&mut self, endpoint: &str, address: &str) -> SubscriptionId {
        self.next_id += 1;
        let id = SubscriptionId::new(&format!("id-{}", self.next_id)).unwrap();
        self.list.push(Subscription {
            address: address.to_owned(),
            endpoint: endpoint.to_owned(),
            id: id.clone(),
            location: None,
        });
        id
    }

    fn address(&self, resource: &Resource) -> String {
        resource.address(&self.node, self.version)
    }

    fn count(&self, endpoint: &str) -> usize {
        let of = |entry: &&Subscription| entry.endpoint == endpoint;
        self.list.iter().filter(of).count()
    }

    fn answer(&mut self, action: Action, version: ApiVersion) -> Result<Answer, Failure> {
        self.actions += 1;
        let status = |status| Failure { status, why: "no".to_owned() };
        if !self.up {
            return Err(status(None));
        }
        if version != self.version {
            return Err(status(Some(404)));
        }
        match action {
            Action::Probe(_) | Action::ListSubscriptions => {
                Ok(Answer::Subscriptions(self.list.clone()))
            }
            Action::CheckHealth if self.has_health => Ok(Answer::Done),
            Action::ListPublishers if self.has_publishers => {
                let mut offered = Self { list: Vec::new(), ..Self::new() };
                for resource in &Resource::ALL {
                    offered.subscribe("dummy", &resource.address(&self.node, version));
                }
                Ok(Answer::Publishers(offered.list))
            }
            Action::CheckHealth | Action::ListPublishers => Err(status(Some(404))),
            Action::Create { address, .. } => {
                let same =
                    |entry: &Subscription| entry.endpoint == CALLBACK && entry.address == address;
                if !self.accepts {
                    Err(status(Some(404)))
                } else if self.list.iter().any(same) && !self.accepts_duplicates {
                    Err(status(Some(409)))
                } else {
                    Ok(Answer::Created(self.subscribe(CALLBACK, &address)))
                }
            }
            Action::Delete { id } => {
                let gone = self.list.extract_if(.., |entry| entry.id == id);
                self.deleted.extend(gone.map(|entry| entry.endpoint));
                Ok(Answer::Done)
            }
            Action::PullCurrentState { address, .. } => {
                let known = self.list.iter().any(|entry| entry.address == address);
                Ok(Answer::State { found: known && self.has_data })
            }
        }
    }
}

struct Run {
    reconciler: Reconciler,
    proxy: Proxy,
    now: Instant,
    changes: Vec<Change>,
}

impl Run {
    fn new(proxy: Proxy, node: Option<&str>) -> Self {
        let now = Instant::now();
        let wanted = DesiredState {
            callback: CALLBACK.to_owned(),
            callback_base: BASE.to_owned(),
            resources: Resource::ALL.to_vec(),
            node: node.map(|node| NodeName::new(node).unwrap()),
        };
        Self {
            reconciler: Reconciler::new(wanted, Pace::default(), now),
            proxy,
            now,
            changes: Vec::new(),
        }
    }

    /// Lets time pass from one due time to the next.
    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            while let Some(action) = self.reconciler.poll_action(self.now) {
                assert_eq!(self.reconciler.poll_action(self.now), None, "one at a time");
                let answer = self.proxy.answer(action, self.reconciler.version());
                self.now += Duration::from_millis(1);
                self.reconciler.handle_answer(answer, self.now, Jitter::from_bits(30_000));
            }
            while let Some(change) = self.reconciler.poll_change() {
                self.changes.push(change);
            }
            let Some(due) = self.reconciler.poll_timeout() else {
                return;
            };
            if due > end {
                self.now = self.now.max(end);
                return;
            }
            self.now = self.now.max(due);
        }
    }

    fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }
}

#[test]
fn subscribes_to_everything_and_pulls_it() {
    let mut run = Run::new(Proxy::new(), None);
    run.seconds(1);
    assert!(run.reconciler.is_settled());
    assert_eq!(run.proxy.count(CALLBACK), 7);
    assert_eq!(run.changes[0], Change::Node(NodeName::new("n1").unwrap()));
    assert_eq!(run.changes[1], Change::Reachable { blind_since: None });
    // Probe, health, publishers, list; then seven creations and seven pulls.
    assert_eq!(run.proxy.actions, 4 + 14);
}

#[test]
fn adopts_what_exists_and_removes_only_what_is_stale_and_ours() {
    let mut proxy = Proxy::new();
    let lock = proxy.address(&Resource::LockState);
    proxy.subscribe(CALLBACK, &lock);
    proxy.subscribe("http://agent:8080/event/old-token", &lock);
    proxy.subscribe(CALLBACK, "/cluster/node/other/sync/ptp-status/lock-state");
    proxy.subscribe(STRANGER, &lock);
    proxy.subscribe("http://someone:9000/event", &lock);
    let mut run = Run::new(proxy, Some("n1"));
    run.seconds(1);
    assert_eq!(run.proxy.deleted, ["http://agent:8080/event/old-token", CALLBACK]);
    assert_eq!(run.proxy.count(CALLBACK), 7);
    assert_eq!(run.proxy.count(STRANGER), 1);
    assert!(
        run.changes.contains(&Change::Subscribed { resource: Resource::LockState, adopted: true })
    );
}

#[test]
fn what_was_forgotten_is_made_again_and_the_gap_is_known() {
    let mut run = Run::new(Proxy::new(), None);
    run.seconds(100);
    let before = run.now;
    run.proxy.list.clear();
    run.changes.clear();
    run.seconds(40);
    assert_eq!(run.proxy.count(CALLBACK), 7);
    let Change::Lost { blind_since, .. } = run.changes[0] else {
        panic!("{:?}", run.changes);
    };
    assert!(blind_since <= before && before - blind_since < Duration::from_secs(31));
}

#[test]
fn an_outage_is_reported_once_with_the_gap() {
    let mut run = Run::new(Proxy::new(), None);
    run.seconds(10);
    run.changes.clear();
    run.proxy.up = false;
    let before = run.proxy.actions;
    run.seconds(3600);
    let tries = run.proxy.actions - before;
    assert!((60..=200).contains(&tries), "{tries} tries in an hour");
    assert_eq!(run.changes, [Change::Unreachable { why: "no".to_owned() }]);
    run.proxy.up = true;
    run.seconds(61);
    assert!(matches!(run.changes[1], Change::Reachable { blind_since: Some(_) }));
}

#[test]
fn a_publisher_without_health_and_publishers_needs_a_node() {
    let rewrite = || Proxy {
        has_health: false,
        has_publishers: false,
        accepts_duplicates: true,
        ..Proxy::new()
    };
    let mut run = Run::new(rewrite(), Some("n1"));
    run.seconds(300);
    assert_eq!(run.proxy.count(CALLBACK), 7);
    let mut run = Run::new(rewrite(), None);
    run.seconds(300);
    assert_eq!(run.proxy.count(CALLBACK), 0);
    assert!(
        matches!(&run.changes[..], [Change::Unreachable { why }] if why.contains("which node"))
    );
}

#[test]
fn the_wrong_node_is_not_subscribed_to() {
    let mut run = Run::new(Proxy::new(), Some("n2"));
    run.seconds(300);
    assert_eq!(run.proxy.count(CALLBACK), 0);
    assert!(
        matches!(&run.changes[..], [Change::Unreachable { why }] if why == "speaks for node `n1`, not for `n2`")
    );
}

#[test]
fn an_old_publisher_is_spoken_to_in_v1() {
    let mut run = Run::new(Proxy { version: ApiVersion::V1, ..Proxy::new() }, None);
    run.seconds(10);
    assert_eq!(run.proxy.count(CALLBACK), 7);
    assert_eq!(run.reconciler.version(), ApiVersion::V1);
}

#[test]
fn a_publisher_that_changes_its_version_is_followed() {
    let mut run = Run::new(Proxy { version: ApiVersion::V1, ..Proxy::new() }, None);
    for version in [ApiVersion::V1, ApiVersion::V2, ApiVersion::V1] {
        run.proxy = Proxy { version, ..Proxy::new() };
        run.seconds(120);
        assert_eq!(run.reconciler.version(), version);
        assert!(run.reconciler.is_settled());
        assert_eq!(run.proxy.count(CALLBACK), 7);
    }
}

#[test]
fn refused_subscriptions_are_retried_more_and_more_slowly() {
    let mut run = Run::new(Proxy { accepts: false, ..Proxy::new() }, None);
    run.seconds(600);
    let refused = |change: &&Change| matches!(change, Change::NotSubscribed { .. });
    assert_eq!(run.changes.iter().filter(refused).count(), 7);
    // Ten minutes: about 15 tries for each of seven, and 20 rounds of three.
    assert!(run.proxy.actions < 7 * 20 + 30 * 3, "{}", run.proxy.actions);
    run.proxy.accepts = true;
    run.seconds(61);
    assert!(run.reconciler.is_settled());
}

#[test]
fn a_subscription_that_is_not_there_for_a_minute_is_told_once_and_again_after_it_was_there() {
    let mut run = Run::new(Proxy { accepts: false, ..Proxy::new() }, None);
    let missing = |run: &Run| {
        let all = run.changes.iter().filter(|change| matches!(change, Change::Missing { .. }));
        all.count()
    };
    run.seconds(54);
    assert_eq!(missing(&run), 0);
    run.seconds(3);
    assert_eq!(missing(&run), 7);
    let first = run.changes.iter().find(|change| matches!(change, Change::Missing { .. }));
    assert!(matches!(first, Some(Change::Missing { why: Some(_), .. })), "{first:?}");
    run.seconds(600);
    assert_eq!(missing(&run), 7);
    run.proxy.accepts = true;
    run.seconds(61);
    run.proxy.accepts = false;
    run.proxy.list.clear();
    run.seconds(150);
    assert_eq!(missing(&run), 14);
}

#[test]
fn data_that_disappears_is_a_reason_to_look() {
    let mut run = Run::new(Proxy::new(), None);
    run.seconds(61);
    run.proxy.list.clear();
    run.changes.clear();
    // The next pull comes before the next look at the list, and notices.
    run.seconds(59);
    assert!(run.reconciler.is_settled());
    assert_eq!(run.proxy.count(CALLBACK), 7);
}

#[test]
fn leaving_removes_ours_alone() {
    let mut proxy = Proxy::new();
    proxy.subscribe("http://someone:9000/event", "/a");
    let mut run = Run::new(proxy, None);
    run.seconds(1);
    // An action whose answer never came.
    run.seconds(60);
    run.reconciler.handle_leave();
    run.seconds(1);
    assert_eq!(run.proxy.count(CALLBACK), 0);
    assert_eq!(run.proxy.list.len(), 1);
}

/// What may happen to a publisher.
#[derive(Clone, Debug)]
enum Trouble {
    Forgets,
    Up(bool),
    Accepts(bool),
    Data(bool),
    Others(u8),
    OldOnes(u8),
    Passes(u16),
}

fn arb_trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        Just(Trouble::Forgets),
        any::<bool>().prop_map(Trouble::Up),
        any::<bool>().prop_map(Trouble::Accepts),
        any::<bool>().prop_map(Trouble::Data),
        (1u8..4).prop_map(Trouble::Others),
        (1u8..4).prop_map(Trouble::OldOnes),
        (0u16..200).prop_map(Trouble::Passes),
    ]
}

proptest! {
    /// Whatever happened: two quiet minutes later we are subscribed, once to each, nobody else
    /// was touched, and the publisher was not pestered.
    #[test]
    fn it_always_comes_to_rest(
        troubles in proptest::collection::vec(arb_trouble(), 0..40),
        duplicates: bool,
        health: bool,
    ) {
        let proxy = Proxy { accepts_duplicates: duplicates, has_health: health, ..Proxy::new() };
        let mut run = Run::new(proxy, Some("n1"));
        let mut others = 0;
        for trouble in troubles {
            match trouble {
                Trouble::Forgets => {
                    run.proxy.list.clear();
                    others = 0;
                }
                Trouble::Up(up) => run.proxy.up = up,
                Trouble::Accepts(accepts) => run.proxy.accepts = accepts,
                Trouble::Data(data) => run.proxy.has_data = data,
                Trouble::Others(count) => {
                    for _ in 0..count {
                        let address = run.proxy.address(&Resource::Gnss);
                        run.proxy.subscribe(STRANGER, &address);
                        others += 1;
                    }
                }
                Trouble::OldOnes(count) => {
                    for _ in 0..count {
                        let address = run.proxy.address(&Resource::Gnss);
                        run.proxy.subscribe("http://agent:8080/event/old", &address);
                    }
                }
                Trouble::Passes(seconds) => run.seconds(seconds.into()),
            }
        }
        run.proxy.up = true;
        run.proxy.accepts = true;
        run.seconds(150);
        prop_assert!(run.reconciler.is_settled());
        let mut ours: Vec<_> = run.proxy.list.iter().filter(|e| e.endpoint != STRANGER).collect();
        ours.sort_by_key(|entry| &entry.address);
        ours.dedup_by_key(|entry| &entry.address);
        prop_assert_eq!(ours.len(), 7);
        prop_assert_eq!(run.proxy.list.len(), 7 + others);
        prop_assert!(run.proxy.deleted.iter().all(|endpoint| endpoint != STRANGER));
        // Quiet: one round of three every 15 to 30 s, and seven pulls a minute.
        let before = run.proxy.actions;
        run.seconds(600);
        prop_assert!(run.proxy.actions - before < 3 * 45 + 7 * 11 + 30);
    }
}
