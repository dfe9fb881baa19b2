//! Views of acquisition: one a file, each a function of the journal alone.
//!
//! | table | file | key | value |
//! |---|---|---|---|
//! | `proposition` | `propositions.rs` | proposition | its state |
//! | `spend` | `propositions.rs` | (proposition, campaign, spend) | the spend |
//! | `campaign` | `propositions.rs` | (proposition, campaign) | what it cost, minor units |
//! | `prospect` | `prospects.rs` | prospect | its state |
//! | `prospect-in` | `prospects.rs` | (state, prospect) | nothing |
//! | `touch` | `prospects.rs` | (prospect, touchpoint) | the touch |
//! | `touch-late` | `prospects.rs` | (prospect, touchpoint) | recorded after the conversion |
//! | `absorbed` | `prospects.rs` | (prospect, merged prospect, touchpoint) | the touch, as it counts |
//! | `merged` | `merges.rs` | (prospect, merged prospect) | nothing |
//! | `absorption` | `merges.rs` | merged prospect | whether it is merged, and absorbed |
//! | `absorption-due` | `merges.rs` | merged prospect | it is still to be absorbed |
//! | `customer` | `customers.rs` | customer | when it was lost and won back |
//! | `payment` | `customers.rs` | (customer, place told) | a purchase or a reversal |
//! | `purchase` | `customers.rs` | (customer, purchase) | its place told |
//! | `assumed` | `valuation.rs` | (currency, place told) | assumptions of a ledger |
//! | `model` | `valuation.rs` | (currency, place told) | a model that values may rest on |
//! | `promise` | `customers.rs` | (customer, promise) | what became of it |
//! | `identified` | `identities.rs` | (partition, offset, index) | a prospect whose identities changed there |
//! | `erasure-due` | `erasures.rs` | prospect | its keys are still to be destroyed |
//! | `erasure-merged` | `erasures.rs` | merged prospect | it is still to be erased with the one that goes on |
//! | `credit` | `credit.rs` | (touch point, customer) | touched before the conversion |
//! | `named` | `credit.rs` | (touch point, customer) | named at the conversion |
//! | `assessed` | `flags.rs` | (proposition, presentation, customer, promise) | an assessment |
//! | `flag-counts` | `flags.rs` | (proposition, presentation) | assessments that count towards a flag |
//! | `flag-due` | `flags.rs` | (proposition, presentation) | a flag is due |
//! | `journey` | `journeys.rs` | (prospect, µs, version, place) | what happened to the prospect |
//! | `offer` | `offers.rs` | proposition | its benefits, once published |
//! | `offer-shown` | `offers.rs` | (proposition, presentation) | what it claims, and its flags |
//! | `offer-run` | `offers.rs` | (proposition, campaign) | what it shows, and its start |
//! | `cost` | `offers.rs` | (proposition, campaign, spend) | what it cost or brought back |
//!
//! Reports read what keeps where the journal took it (`Recorded`), so that they answer as of any moment and with
//! the knowledge of any moment: `attribution.rs`, `funnel.rs`, `scorecard.rs`, `benefits.rs`.

pub(crate) mod credit;
pub(crate) mod customers;
pub(crate) mod erasures;
pub(crate) mod figures;
pub(crate) mod flags;
pub(crate) mod identities;
pub(crate) mod merges;
pub(crate) mod propositions;
pub(crate) mod prospects;
pub(crate) mod scorecard;

pub(crate) mod attribution;
pub(crate) mod benefits;
pub(crate) mod funnel;
pub(crate) mod journeys;
pub(crate) mod offers;
pub(crate) mod period;
pub(crate) mod point;
pub(crate) mod promises;
pub(crate) mod valuation;
