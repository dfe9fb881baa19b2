//! The services as processes on a real broker: under faults, at their end, and when Kafka is not as it was.
//!
//! Each test has brokers of its own, one test at a time. Where Java or Maven is missing they say so and pass.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "in a test, what is not as it must be should panic where it is found"
)]

mod alone;
mod bench;
mod chaos;
mod clients;
mod console;
mod crowd;
mod disk;
mod histories;
mod offer;
mod people;
mod settings;
mod stopping;
mod strays;
