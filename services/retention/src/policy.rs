//! Policies: when something has happened, something else must follow.

pub(crate) mod destroy_keys;
pub(crate) mod live_days;
pub(crate) mod open_relationship;
