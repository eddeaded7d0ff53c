//! End-to-end tests across the crates.
//!
//! A virtual workspace owns no `tests/` folder, so this is a package. Nothing is here yet: what
//! crosses crates today is tested by `ptp-cli`.
