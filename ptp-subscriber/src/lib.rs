//! Keeping subscribed to every node's publisher.
//!
//! Nothing is here yet. It will hold discovery (a static list, a Kubernetes watch), the reconcile
//! loop of docs/protocol.md §3, and the receiver's driver; see ARCHITECTURE.md.
