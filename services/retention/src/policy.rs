//! Policies: when something has happened, something else must follow.

pub(crate) mod live_days;
pub(crate) mod open_relationship;
