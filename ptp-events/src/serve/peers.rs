//! How many connections strangers hold, all together and from one address.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The strangers that are in, the longest first.
///
/// A place is never refused: who has been in longest without showing that he is known makes room. Who is known
/// shows it with his first request, which takes milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Peers {
    inside: Arc<Mutex<VecDeque<Inside>>>,
    most: usize,
    most_per_peer: usize,
}

#[derive(Debug)]
struct Inside {
    peer: IpAddr,
    leave: Arc<Notify>,
}

impl Peers {
    pub(super) fn new(most: usize, most_per_peer: usize) -> Self {
        Self { inside: Arc::default(), most, most_per_peer }
    }

    /// A place for a stranger from `peer`; another one loses his where there is no more room.
    pub(super) fn let_in(&self, peer: IpAddr) -> Guest {
        let mut inside = lock(&self.inside);
        let of_peer = inside.iter().filter(|other| other.peer == peer).count();
        let at = if of_peer >= self.most_per_peer {
            inside.iter().position(|other| other.peer == peer)
        } else {
            (inside.len() >= self.most).then_some(0)
        };
        if let Some(longest) = at.and_then(|at| inside.remove(at)) {
            longest.leave.notify_one();
        }
        let leave = Arc::new(Notify::new());
        inside.push_back(Inside { peer, leave: Arc::clone(&leave) });
        Guest { inside: Arc::clone(&self.inside), leave }
    }
}

fn lock(inside: &Mutex<VecDeque<Inside>>) -> MutexGuard<'_, VecDeque<Inside>> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stranger's place; free again when dropped.
#[derive(Debug)]
pub(super) struct Guest {
    inside: Arc<Mutex<VecDeque<Inside>>>,
    leave: Arc<Notify>,
}

impl Guest {
    /// Is told when the place is given to somebody else.
    pub(super) fn leave(&self) -> Arc<Notify> {
        Arc::clone(&self.leave)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        lock(&self.inside).retain(|other| !Arc::ptr_eq(&other.leave, &self.leave));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether somebody was told to leave.
    async fn left(guest: &Guest) -> bool {
        let told = tokio::time::timeout(std::time::Duration::ZERO, guest.leave.notified()).await;
        told.is_ok()
    }

    #[tokio::test]
    async fn who_has_been_in_longest_makes_room() {
        let peers = Peers::new(3, 2);
        let ip = |last| IpAddr::from([10, 0, 0, last]);
        let first = peers.let_in(ip(1));
        let second = peers.let_in(ip(1));
        let third = peers.let_in(ip(1));
        assert!(left(&first).await, "two from one address");
        assert!(!left(&second).await);
        let fourth = peers.let_in(ip(2));
        assert!(!left(&second).await, "there is room for three");
        let _fifth = peers.let_in(ip(3));
        assert!(left(&second).await, "and not for four");
        drop((third, fourth));
        drop((first, second));
        assert_eq!(lock(&peers.inside).len(), 1, "nothing is kept of who left");
    }
}
