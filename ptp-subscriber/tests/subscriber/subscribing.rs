//! One publisher and its moods.

use ptp_events::client::{Client, Tls, connections};
use ptp_events::publisher::{Options, Quirk};
use ptp_events::recording::Origin;
use ptp_events::{ApiVersion, Event, Instance, Reading, Resource, SyncState};
use ptp_subscriber::driver::What;
use ptp_subscriber::gate::Outcome;

use crate::fixture::{Subscriber, eventually, lock_state, publisher, publisher_with, target};

#[tokio::test]
async fn what_a_publisher_says_comes_in_by_all_three_ways() {
    let publisher = publisher("node1").await;
    let mut subscriber = Subscriber::start(vec![target(&publisher, None)]).await;
    eventually("subscribed", || publisher.subscriptions().len() == 7).await;
    publisher.publish(&lock_state("node1", "LOCKED")).await;
    eventually("pulled", || {
        let observed = &subscriber.drain().all_observed;
        observed.iter().any(|seen| matches!(seen.what, What::Pulled { .. }))
    })
    .await;
    let accepted = &subscriber.all_accepted;
    let initial = accepted.iter().filter(|a| a.origin == Origin::Initial);
    assert_eq!(initial.count(), 7);
    let push = accepted.iter().find(|a| a.origin == Origin::Push).unwrap();
    assert_eq!(push.event.readings[0].state, Some(SyncState::Locked));
    assert_eq!(push.publisher.as_str(), publisher.url());
    assert_eq!(push.raw, push.event.to_vec());
    assert!(accepted.is_sorted_by(|a, b| a.received < b.received));
    assert_eq!(subscriber.gate.count(Outcome::Accepted), 8);
    let known = |what: &What| matches!(what, What::Node(node) if node.as_str() == "node1");
    assert!(subscriber.all_observed.iter().any(|seen| known(&seen.what)));
    subscriber.stop().await;
    assert_eq!(publisher.subscriptions(), [], "removed on stop");
}

#[tokio::test]
async fn a_restarted_publisher_is_subscribed_to_again() {
    let mut publisher = publisher("node1").await;
    let mut subscriber = Subscriber::start(vec![target(&publisher, None)]).await;
    eventually("subscribed", || publisher.subscriptions().len() == 7).await;
    let ids = |publisher: &ptp_events::publisher::Publisher| {
        let mut ids: Vec<_> = publisher.subscriptions().into_iter().map(|s| s.id).collect();
        ids.sort();
        ids
    };
    let before = ids(&publisher);
    publisher.restart(true).await.unwrap();
    let seen = publisher.requests();
    eventually("looked at", || publisher.requests() > seen + 4).await;
    assert_eq!(ids(&publisher), before, "kept subscriptions are adopted");

    publisher.restart(false).await.unwrap();
    eventually("subscribed again", || publisher.subscriptions().len() == 7).await;
    assert_ne!(ids(&publisher), before);
    eventually("the gap is reported", || {
        let observed = &subscriber.drain().all_observed;
        observed.iter().filter(|seen| matches!(seen.what, What::Lost { .. })).count() == 7
    })
    .await;
    for seen in &subscriber.all_observed {
        if let What::Lost { blind_since, .. } = seen.what {
            assert!(blind_since < seen.received);
        }
    }
}

#[tokio::test]
async fn a_publisher_that_comes_up_late_or_goes_away_is_noticed() {
    let mut publisher = publisher("node1").await;
    publisher.stop().await;
    let mut subscriber = Subscriber::start(vec![target(&publisher, None)]).await;
    eventually("unreachable", || {
        let observed = &subscriber.drain().all_observed;
        matches!(observed.first(), Some(seen) if matches!(seen.what, What::Unreachable { .. }))
    })
    .await;
    publisher.start().await.unwrap();
    eventually("subscribed", || publisher.subscriptions().len() == 7).await;
    publisher.stop().await;
    publisher.start().await.unwrap();
    publisher.stop().await;
    eventually("gone", || {
        let observed = &subscriber.drain().all_observed;
        let gone = |what: &What| matches!(what, What::Unreachable { .. });
        observed.iter().filter(|seen| gone(&seen.what)).count() >= 2
    })
    .await;
    publisher.start().await.unwrap();
    eventually("back", || {
        let observed = &subscriber.drain().all_observed;
        observed.iter().any(|seen| matches!(seen.what, What::Reachable { blind_since: Some(_) }))
    })
    .await;
}

#[tokio::test]
async fn other_consumers_are_left_alone() {
    let publisher = publisher_with("node1", Options::rewrite()).await;
    let client =
        Client::new(connections(&Tls::platform()).unwrap(), &publisher.url(), ApiVersion::V2)
            .unwrap();
    let address = publisher.address(&Resource::LockState);
    for number in 0..10 {
        let endpoint = format!("http://127.0.0.1:9/consumer-{number}");
        client.create(&endpoint, &address).await.unwrap();
    }
    let others = publisher.subscriptions();
    let subscriber = Subscriber::start(vec![target(&publisher, Some("node1"))]).await;
    // Left behind by an earlier life with another secret.
    let stale = format!("{}/event/stale", subscriber.callback_base);
    client.create(&stale, &address).await.unwrap();
    eventually("stale is removed", || {
        let subscriptions = publisher.subscriptions();
        subscriptions.len() == 17 && !subscriptions.iter().any(|s| s.endpoint == stale)
    })
    .await;
    subscriber.stop().await;
    assert_eq!(publisher.subscriptions(), others);
}

#[tokio::test]
async fn the_rewrite_and_api_v1_are_understood() {
    let rewrite = publisher_with("rewrite", Options::rewrite()).await;
    let old = Options { version: ApiVersion::V1, ..Options::default() };
    let old = publisher_with("old", old).await;
    let targets = vec![target(&rewrite, Some("rewrite")), target(&old, None)];
    let mut subscriber = Subscriber::start(targets).await;
    eventually("both", || rewrite.subscriptions().len() == 7 && old.subscriptions().len() == 7)
        .await;
    rewrite.publish(&lock_state("rewrite", "HOLDOVER")).await;
    old.publish(&lock_state("old", "HOLDOVER")).await;
    let pushed = subscriber.drain().all_accepted.iter();
    let pushed: Vec<_> = pushed
        .filter(|accepted| accepted.origin == Origin::Push)
        .map(|accepted| accepted.event.node.as_str())
        .collect();
    assert_eq!(pushed, ["rewrite", "old"]);
}

#[tokio::test]
async fn every_event_of_an_array_is_pulled() {
    let options = Options { quirks: vec![Quirk::CurrentStateIsArray], ..Options::default() };
    let publisher = publisher_with("node1", options).await;
    let mut two = lock_state("node1", "HOLDOVER");
    let other = Instance::new("ens9fx/master").unwrap();
    two.readings.push(Reading { instance: other, ..two.readings[0].clone() });
    publisher.remember(&two);
    let mut subscriber = Subscriber::start(vec![target(&publisher, None)]).await;
    eventually("both pulled", || {
        let pulled = subscriber.drain().all_observed.iter().filter_map(|seen| match &seen.what {
            What::Pulled { event, raw } => {
                // Its own bytes and not those of the array.
                assert_eq!(Event::from_slice(raw).unwrap(), **event);
                Some(event.readings.clone())
            }
            _ => None,
        });
        let pulled: Vec<_> = pulled.flatten().collect();
        two.readings.iter().all(|reading| pulled.contains(reading))
    })
    .await;
    subscriber.stop().await;
}

#[tokio::test]
async fn nobody_speaks_for_anybody_else() {
    let publisher = publisher("node1").await;
    let mut subscriber = Subscriber::start(vec![target(&publisher, None)]).await;
    eventually("subscribed", || publisher.subscriptions().len() == 7).await;
    let before = subscriber.gate.count(Outcome::Accepted);
    publisher.publish(&lock_state("node2", "FREERUN")).await;
    assert_eq!(subscriber.gate.count(Outcome::WrongNode), 1);

    let http = connections(&Tls::platform()).unwrap();
    for path in ["/event", "/event/guessed"] {
        let url = format!("{}{path}", subscriber.callback_base);
        let body = lock_state("node1", "FREERUN").to_vec();
        let answer = http.post(url).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 404);
    }
    assert_eq!(subscriber.gate.count(Outcome::UnknownToken), 2);
    assert_eq!(subscriber.gate.count(Outcome::Accepted), before);
    assert!(subscriber.drain().all_accepted.iter().all(|a| a.event.node.as_str() == "node1"));
}

#[tokio::test]
async fn targets_come_move_and_go() {
    let (one, two) = (publisher("node1").await, publisher("node1").await);
    let mut subscriber = Subscriber::start(Vec::new()).await;
    subscriber.targets.send_replace(vec![target(&one, Some("node1"))]);
    eventually("come", || one.subscriptions().len() == 7).await;
    subscriber.targets.send_replace(vec![target(&two, Some("node1"))]);
    eventually("moved", || two.subscriptions().len() == 7).await;
    assert_eq!(subscriber.directory.len(), 1);
    subscriber.targets.send_replace(Vec::new());
    eventually("gone", || two.subscriptions().is_empty()).await;
    assert!(subscriber.directory.is_empty());
    eventually("reported", || {
        let observed = &subscriber.drain().all_observed;
        observed.iter().any(|seen| matches!(seen.what, What::Gone))
    })
    .await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_publisher_that_hangs() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let targets = ptp_subscriber::discovery::fixed([(url, None)]).borrow().clone();
    let subscriber = Subscriber::start_with(targets, |settings| {
        settings.leave_within = std::time::Duration::from_millis(200);
    })
    .await;
    let _open = silent.accept().await.unwrap();
    let began = std::time::Instant::now();
    subscriber.stop().await;
    assert!(began.elapsed() < std::time::Duration::from_secs(1));
}

#[tokio::test]
async fn a_publisher_that_knows_no_resources_yet_is_asked_again() {
    let publisher = publisher("node1").await;
    publisher.refuse_subscriptions(Some(404));
    let mut subscriber = Subscriber::start(vec![target(&publisher, None)]).await;
    eventually("said once for each", || {
        let observed = &subscriber.drain().all_observed;
        let refused = |what: &What| matches!(what, What::NotSubscribed { .. });
        observed.iter().filter(|seen| refused(&seen.what)).count() == 7
    })
    .await;
    publisher.refuse_subscriptions(None);
    eventually("subscribed", || publisher.subscriptions().len() == 7).await;
}
