//! Resource addresses: which node, and which of its clocks.

/// An address taken apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Address<'a> {
    /// Absent where the publisher left it out (`synce1/ens7f0/ExtQL`).
    pub node: Option<&'a str>,
    /// What follows the node, without a leading slash.
    pub rest: &'a str,
}

/// Takes an address apart, in any of the forms publishers use.
///
/// - `/cluster/node/NODE/ens1fx/master` (cloud-event-proxy)
/// - `/./node/NODE/sync/…`, `/./NODE/sync/…` (StarlingX; O-RAN's relative form)
/// - `/./NODE/INSTANCE/sync/…` (StarlingX, of one of several instances: `/./controller-0/ptp-inst1/…`)
/// - `/CLUSTER/SITE/NODE/sync/…` (O-RAN's full form: the node stands before `sync`)
/// - `synce1/ens7f0/ExtQL` (cloud-event-proxy's quality level without a prefix)
pub(crate) fn split(address: &str) -> Address<'_> {
    let no_node = Address { node: None, rest: address };
    let Some(path) = address.strip_prefix('/') else {
        return no_node;
    };
    let cut = memchr::memchr(b'/', path.as_bytes());
    let Some(after_cluster) = cut.map(|at| &path[at + 1..]) else {
        return no_node;
    };
    if let Some(named) = after_cluster.strip_prefix("node/") {
        let cut = memchr::memchr(b'/', named.as_bytes());
        let (node, rest) = cut.map_or((named, ""), |at| (&named[..at], &named[at + 1..]));
        return Address { node: Some(node), rest };
    }
    // Without the word `node`, only `sync` shows where the node ends.
    match after_cluster.find("/sync/") {
        Some(end) => {
            let before = &after_cluster[..end];
            // Relative to this cluster and site, so the node comes first and may have instances.
            if path.starts_with("./")
                && let Some((node, _)) = before.split_once('/')
                && node != "."
            {
                return Address { node: Some(node), rest: &after_cluster[node.len() + 1..] };
            }
            let node = before.rsplit('/').next().unwrap_or(before);
            Address { node: Some(node), rest: &after_cluster[end + 1..] }
        }
        None => no_node,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, node: Option<&str>, rest: &str) {
        assert_eq!(split(address), Address { node, rest });
    }

    #[test]
    fn every_publishers_form() {
        check("/cluster/node/node1/ens1fx/master", Some("node1"), "ens1fx/master");
        check("/cluster/node/n/CLOCK_REALTIME", Some("n"), "CLOCK_REALTIME");
        check("/cluster/node/n//master", Some("n"), "/master");
        check("/cluster/node/n", Some("n"), "");
        check(
            "/./node/controller-0/sync/sync-status/sync-state",
            Some("controller-0"),
            "sync/sync-status/sync-state",
        );
        check(
            "/./controller-0/sync/ptp-status/lock-state",
            Some("controller-0"),
            "sync/ptp-status/lock-state",
        );
        check(
            "/east/site7/du-3/sync/sync-status/sync-state",
            Some("du-3"),
            "sync/sync-status/sync-state",
        );
        check(
            "/./controller-0/synce-inst1/sync/synce-status/lock-state",
            Some("controller-0"),
            "synce-inst1/sync/synce-status/lock-state",
        );
        check("/././sync/sync-status/sync-state", Some("."), "sync/sync-status/sync-state");
        check("synce1/ens7f0/ExtQL", None, "synce1/ens7f0/ExtQL");
        check("", None, "");
        check("/", None, "/");
    }
}
