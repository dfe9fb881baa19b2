//! Reports as of a moment: computed from rows that are only added to, so that the same question has the same
//! answer for ever.

pub(crate) mod cohorts;
pub(crate) mod gaps;
pub(crate) mod retention;
#[cfg(test)]
mod tests;

use server::Moment;

use super::lives::{Life, Turn};

/// What is reported where there is no name.
pub(crate) const NONE: &str = "(none)";

/// A life as it was known at a moment; nothing if nothing was known of it.
fn known(mut life: Life, moment: &Moment) -> Option<Life> {
    life.turns
        .retain(|Turn { at, recorded, .. }| moment.includes(*at, recorded));
    moment
        .includes(life.acquired_at, &life.recorded)
        .then_some(life)
}
