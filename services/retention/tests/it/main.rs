//! Retention through its gRPC edge, one file for each file of `src/api`, and what it is told.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::unnecessary_wraps,
    reason = "helpers of tests fail as tests do, and give values as messages want them"
)]

mod actions;
mod batch;
mod books;
mod cdnow;
mod customers;
mod days;
mod events;
mod harness;
mod inbox;
mod ledgers;
mod listing;
mod models;
mod personal;
mod promises;
mod relationship;
mod reports;
mod sales;
mod scoreboard;
mod told;
mod values;
mod work;
