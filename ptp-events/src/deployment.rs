//! How OpenShift deploys linuxptp-daemon (docs/protocol.md §7).

/// The namespace.
pub const NAMESPACE: &str = "openshift-ptp";
/// The label of its pods, of which each node has one.
pub const DAEMON_LABEL: &str = "app=linuxptp-daemon";
/// The container in which linuxptp runs.
pub const DAEMON_CONTAINER: &str = "linuxptp-daemon-container";
/// The container that publishes events.
pub const PROXY_CONTAINER: &str = "cloud-event-proxy";
