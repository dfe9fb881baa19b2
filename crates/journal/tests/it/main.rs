//! The journal from outside: its logs, and its rule on histories that many writers make.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod genesis;
mod logs;
mod rule;
mod simulated;
