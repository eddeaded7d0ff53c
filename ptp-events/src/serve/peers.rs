//! How many connections strangers hold, all together and from one address.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The strangers that are in.
#[derive(Clone, Debug)]
pub(super) struct Peers {
    counts: Arc<Mutex<Counts>>,
    most: usize,
    most_per_peer: usize,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

impl Peers {
    pub(super) fn new(most: usize, most_per_peer: usize) -> Self {
        Self { counts: Arc::default(), most, most_per_peer }
    }

    /// A place for a stranger from `peer`, if there is one.
    pub(super) fn let_in(&self, peer: IpAddr) -> Option<Guest> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= self.most {
            return None;
        }
        let of_peer = counts.by_peer.entry(peer).or_default();
        if *of_peer >= self.most_per_peer {
            return None;
        }
        *of_peer += 1;
        counts.all += 1;
        Some(Guest { counts: Arc::clone(&self.counts), peer })
    }
}

/// A stranger's place; free again when dropped.
#[derive(Debug)]
pub(super) struct Guest {
    counts: Arc<Mutex<Counts>>,
    peer: IpAddr,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        if let Entry::Occupied(mut of_peer) = counts.by_peer.entry(self.peer) {
            *of_peer.get_mut() -= 1;
            if *of_peer.get() == 0 {
                of_peer.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_few_all_together_and_from_one_address() {
        let peers = Peers::new(3, 2);
        let ip = |last| IpAddr::from([10, 0, 0, last]);
        let first = peers.let_in(ip(1)).unwrap();
        let second = peers.let_in(ip(1)).unwrap();
        assert!(peers.let_in(ip(1)).is_none(), "two from one address");
        let third = peers.let_in(ip(2)).unwrap();
        assert!(peers.let_in(ip(3)).is_none(), "three in all");
        drop(first);
        let fourth = peers.let_in(ip(1));
        assert!(fourth.is_some());
        drop((fourth, second, third));
        assert!(peers.counts.lock().unwrap().by_peer.is_empty(), "nothing is kept of who left");
    }
}
