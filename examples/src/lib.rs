//! The examples are in `examples/`: `cargo run -p ptp-examples --example diagnose_file`.
