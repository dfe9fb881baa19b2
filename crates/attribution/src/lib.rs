//! Which touches earn the credit for a conversion.
//!
//! Attribution divides what happened; it does not say what would have happened otherwise. Seven rules are
//! offered because they disagree, and where they disagree a business learns what it does not know.
//!
//! - one journey at a time ([`Rule::shares`]): FIRST, LAST, LINEAR, `TIME_DECAY`, POSITION, and SHAPLEY, whose closed
//!   form needs no coalitions;
//! - all journeys together ([`markov::Chain`]): MARKOV, which also learns from journeys that did not convert.
//!
//! A [`report`] adds exact credits and rounds money once, so that no cent is lost.

pub mod markov;
pub mod report;
pub mod rule;
pub mod touch;

mod solve;

pub use report::{Credit, Journey, Report, attribute};
pub use rule::{HalfLife, Rule};
pub use touch::{Occurred, Touch, path};
