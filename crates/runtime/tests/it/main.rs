//! Tests of the engine as a whole: over a simulated log, and over real folders.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::print_stdout,
    reason = "in a test, what is not as it must be should panic where it is found"
)]

mod checker;
mod clients;
mod exchange;
mod follow;
mod history;
mod journals;
mod layouts;
mod lifecycle;
mod losses;
mod mutants;
mod parked;
mod policies;
mod releases;
mod replica;
mod simulation;
mod tails;
mod tally;
mod ticks;
mod world;
