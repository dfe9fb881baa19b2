//! The rules of keeping customers: relationships, promises, purchases, actions. Pure.
//!
//! One aggregate, the [`Customer`], decides about commands and evolves by events:
//!
//! - its [relationship]: how it began, that it was lost and why, that it was won back;
//! - its [purchases](purchase), with what was taken back of them, and the [margin] they left;
//! - the [promises](promise) that were made to it: kept, broken, repaired or waived;
//! - the [actions](action) that somebody should take to keep it;
//! - the [risk] that it is lost, and its [owner], who should not let it come to that;
//! - what it pays [month by month](recurring), and what it [allows](consent);
//! - what a [day] brings although nobody did anything.
//!
//! Personal data comes here sealed, and no rule looks into it: who a customer [is](person), and what was said
//! of a promise. It is forgotten by destroying its keys, so what is here is safe to keep for ever. The state is stored with serde; the events have a format of their own, mapped elsewhere.

pub mod action;
pub mod consent;
mod customer;
pub mod day;
pub mod id;
pub mod input;
pub mod ledger;
pub mod margin;
pub mod owner;
pub mod person;
pub mod promise;
#[cfg(test)]
mod properties;
pub mod purchase;
pub mod recurring;
mod refusal;
pub mod relationship;
pub mod risk;
#[cfg(test)]
mod story;
pub mod text;

pub use customer::{Command, Customer, Event, PartId};
pub use refusal::{Refusal, Thing};
