//! The vault over a log.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test, what is not as it must be should panic where it is found"
)]

mod vault;
