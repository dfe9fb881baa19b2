//! Policies: when something has happened, something else must follow.

pub(crate) mod absorb_prospect;
pub(crate) mod erase;
pub(crate) mod flag_presentation;
