//! A thousand publishers at once.

use std::time::Instant;

use crate::fixture::{Subscriber, eventually, publisher, target};

/// Each has seven resources and calls back for each, so this is some 24 000 requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_publishers_are_subscribed_to_within_thirty_seconds() {
    let mut publishers = Vec::new();
    for number in 0..1000 {
        publishers.push(publisher(&format!("node{number}")).await);
    }
    let targets = publishers.iter().map(|publisher| target(publisher, None));
    let began = Instant::now();
    let mut subscriber = Subscriber::start_with(targets.collect(), |_| {}).await;
    let mut done = 0;
    while done < publishers.len() {
        eventually("one more", || {
            subscriber.drain();
            publishers[done].subscriptions().len() == 7
        })
        .await;
        done += 1;
    }
    let took = began.elapsed();
    println!("1000 publishers subscribed in {:.1} s", took.as_secs_f64());
    assert!(took.as_secs() < 30, "{took:?}");
    let began = Instant::now();
    subscriber.stop().await;
    assert!(publishers.iter().all(|publisher| publisher.subscriptions().is_empty()));
    println!("and left in {:.1} s", began.elapsed().as_secs_f64());
}
