//! What the port promises, held against a real broker.
//!
//! The broker is the one that `PATRON_TEST_KAFKA` names, or one that `scripts/kafka` starts; the tests that
//! kill or pause a broker always start their own. Where neither is possible they say so and pass.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail like tests and say what they do without a broker"
)]

mod broker;
mod closing;
mod contract;
mod faults;
mod history;
mod opening;
