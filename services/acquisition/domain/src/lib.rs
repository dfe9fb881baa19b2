//! The rules of creating customers: propositions, campaigns, prospects. Pure.
//!
//! Two aggregates, each a state that decides about commands and evolves by events:
//!
//! - [`proposition::Proposition`]: problems, benefits and differentiators, with the
//!   [presentations](presentation) that claim the benefits and the [campaigns](campaign) that show them;
//! - [`prospect::Prospect`]: somebody who may become a customer, from the first touchpoint to the
//!   conversion, which carries [promises](promise).
//!
//! A rule holds inside one aggregate. What a prospect's conversion needs to know of a proposition comes
//! with the command, as an [`offer::Offer`]. Personal data never comes here: whether it was given does.
//! The states are stored with serde; the events have formats of their own, which are mapped elsewhere.

pub mod campaign;
pub mod id;
pub mod input;
pub mod offer;
pub mod presentation;
pub mod promise;
#[cfg(test)]
mod properties;
pub mod proposition;
pub mod prospect;
#[cfg(test)]
mod story;
