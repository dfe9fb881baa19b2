//! The command line as its users run it: real processes, real files, real ports.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what is not as it must be should panic where it is found"
)]

mod again;
mod base;
mod demo;
mod import;
mod inbox;
mod killed;
mod ledger;
mod mistakes;
mod operating;
mod privacy;
mod prospects;
mod reports;
mod services;
mod work;
