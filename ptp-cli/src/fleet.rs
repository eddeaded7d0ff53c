//! Publishers on this machine, one per node, for whoever wants to subscribe.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use ptp_events::NodeName;
use ptp_events::publisher::{Options, Publisher};
use tokio::time::Instant;

use crate::args::LiveArgs;

/// Publishers by node.
pub(crate) struct Fleet(BTreeMap<NodeName, Publisher>);

impl Fleet {
    /// Binds a publisher per node, in this order, and tells where: a line of name and URL each.
    pub(crate) async fn bind<'a>(
        nodes: impl IntoIterator<Item = &'a NodeName>,
        args: &LiveArgs,
        out: &mut dyn Write,
    ) -> anyhow::Result<Self> {
        let mut publishers: BTreeMap<NodeName, Publisher> = BTreeMap::new();
        for node in nodes {
            if publishers.contains_key(node) {
                continue;
            }
            let next = u16::try_from(publishers.len()).context("there are too many nodes")?;
            let port = if args.port == 0 { 0 } else { args.port.saturating_add(next) };
            let addr = SocketAddr::new(args.address, port);
            let publisher = Publisher::bind(addr, node.clone(), Options::default())
                .await
                .with_context(|| format!("cannot listen on {addr}"))?;
            writeln!(out, "{node} {}", publisher.url())?;
            publishers.insert(node.clone(), publisher);
        }
        out.flush()?;
        Ok(Self(publishers))
    }

    /// Waits until each has a subscriber, at most this long.
    pub(crate) async fn subscribed(&self, at_most: Duration) {
        let begun = Instant::now();
        while self.0.values().any(|p| p.subscriptions().is_empty()) && begun.elapsed() < at_most {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn get(&self, node: &NodeName) -> Option<&Publisher> {
        self.0.get(node)
    }

    pub(crate) fn get_mut(&mut self, node: &NodeName) -> Option<&mut Publisher> {
        self.0.get_mut(node)
    }

    /// Ends them all.
    pub(crate) async fn stop(&mut self) {
        for publisher in self.0.values_mut() {
            publisher.stop().await;
        }
    }
}
