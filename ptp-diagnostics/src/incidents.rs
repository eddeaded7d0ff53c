//! From findings to incidents: one per root cause, with a life of its own.

pub(crate) mod closing;
pub(crate) mod evidence;
pub(crate) mod explain;
pub(crate) mod filing;
pub(crate) mod finding;
pub(crate) mod incident;
pub(crate) mod index;
pub(crate) mod ledger;
