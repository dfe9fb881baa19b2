//! Acquisition through its gRPC edge, one file for each file of `src/api`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "in a test, what is not as it must be should panic where it is found"
)]

mod attribution;
mod batches;
mod business;
mod campaigns;
mod consents;
mod edge;
mod events;
mod funnel;
mod harness;
mod knowledge;
mod merging;
mod order;
mod personal;
mod propositions;
mod prospects;
mod retention;
mod retiring;
mod scorecards;
mod staying;
mod telling_late;
mod valuation;
