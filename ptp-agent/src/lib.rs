//! The in-cluster service.
//!
//! Nothing is here yet. It will hold configuration, the journal, the HTTP API, alerting and MCP
//! around the same engine that `ptp-cli diagnose` runs; see ARCHITECTURE.md.
