//! A thousand publishers at once.

use std::time::{Duration, Instant};

use ptp_subscriber::driver::Settings;

use crate::fixture::{Subscriber, publisher, target};

/// Each has seven resources and calls back for each, so this is some 24 000 requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_publishers_are_subscribed_to_within_thirty_seconds() {
    let mut publishers = Vec::new();
    for number in 0..1000 {
        publishers.push(publisher(&format!("node{number}")).await);
    }
    let targets = publishers.iter().map(|publisher| target(publisher, None));
    let began = Instant::now();
    let patient = |settings: &mut Settings| settings.leave_within = Duration::from_secs(30);
    let mut subscriber = Subscriber::start_with(targets.collect(), patient).await;
    // They are served in turn, so all are done at about the same time.
    let done = async {
        for publisher in &publishers {
            while publisher.subscriptions().len() < 7 {
                subscriber.drain();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    // Thirty seconds is what users get. Without optimisation all of it is the HTTP stack's own
    // work, and takes as long as the machine's other work makes it.
    let limit = if cfg!(debug_assertions) { 60 } else { 30 };
    tokio::time::timeout(Duration::from_secs(limit), done).await.unwrap();
    let took = began.elapsed();
    println!("1000 publishers subscribed in {:.1} s", took.as_secs_f64());
    let began = Instant::now();
    subscriber.stop().await;
    let left: usize = publishers.iter().map(|publisher| publisher.subscriptions().len()).sum();
    println!("and left in {:.1} s; {left} subscriptions remain", began.elapsed().as_secs_f64());
    assert_eq!(left, 0);
}
