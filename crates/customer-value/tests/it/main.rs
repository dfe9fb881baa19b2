//! The crate against the reference tables and the stated edge cases.
//!
//! `cfg(test)` tells the lints that helpers of tests are tests too.

#[cfg(test)]
mod edge_cases;
#[cfg(test)]
mod fit;
#[cfg(test)]
mod forecast;
#[cfg(test)]
mod holdout;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod sbg;
#[cfg(test)]
mod spend;
#[cfg(test)]
mod support;
