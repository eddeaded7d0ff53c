//! A thousand publishers at once.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use ptp_events::publisher::{Options, Publisher};
use ptp_subscriber::driver::Settings;

use crate::fixture::{Subscriber, node, publisher};
use crate::kubernetes::{ApiServer, Cluster, pod};

/// From the moment we ask the API server what pods there are. Each publisher has seven resources
/// and calls back for each, so this is some 24 000 requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_publishers_are_discovered_and_subscribed_to_within_thirty_seconds() {
    // As in a cluster: each at an address of its own, all at one port.
    let port = publisher("port").await.addr().port();
    let mut publishers = Vec::new();
    let mut cluster = Cluster::default();
    for number in 0..1000u16 {
        let [high, low] = number.to_be_bytes();
        let (name, ip) = (format!("node{number}"), Ipv4Addr::new(127, 1, high, low));
        cluster.pods.push(pod(&format!("pod{number}"), &name, &ip.to_string()));
        let bound = Publisher::bind((ip, port), node(&name), Options::default()).await;
        publishers.push(bound.unwrap());
    }
    let server = ApiServer::start(cluster).await;
    let patient = |settings: &mut Settings| settings.leave_within = Duration::from_secs(30);
    let mut subscriber = Subscriber::start_with(Vec::new(), patient).await;
    let began = Instant::now();
    let mut found = server.discover(&format!("http://{{podIP}}:{port}"));
    // They are served in turn, so all are done at about the same time.
    let done = async {
        found.targets.wait_for(|targets| targets.len() == publishers.len()).await.unwrap();
        subscriber.targets.send_replace(found.targets.borrow().clone());
        println!("1000 publishers discovered in {:.2} s", began.elapsed().as_secs_f64());
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
