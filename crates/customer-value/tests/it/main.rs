//! The crate against the reference tables and the stated edge cases.

mod fit;
mod forecast;
mod holdout;
mod sbg;
mod spend;
mod support;
