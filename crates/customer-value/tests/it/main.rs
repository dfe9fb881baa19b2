//! The crate against the reference tables and the stated edge cases.

mod fit;
mod forecast;
mod support;
