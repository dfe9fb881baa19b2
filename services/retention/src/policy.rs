//! Policies: when something has happened, something else must follow.

pub(crate) mod open_relationship;
