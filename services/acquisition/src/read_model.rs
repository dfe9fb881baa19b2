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
//! | `customer` | `customers.rs` | customer | what became of the conversion |
//! | `purchase` | `customers.rs` | (customer, µs, purchase) | amount and margin |
//! | `reversal` | `customers.rs` | (customer, µs, purchase, reversal) | amount and margin taken back |
//! | `promise` | `customers.rs` | (customer, promise) | what became of it |
//! | `credit` | `credit.rs` | (proposition, campaign, customer) | credited by the last touch |
//! | `named` | `credit.rs` | (proposition, campaign, customer) | named at the conversion |
//! | `assessed` | `flags.rs` | (proposition, presentation, customer, promise) | an assessment |
//! | `flag-counts` | `flags.rs` | (proposition, presentation) | assessments that count towards a flag |
//! | `flag-due` | `flags.rs` | (proposition, presentation) | a flag is due |

pub(crate) mod credit;
pub(crate) mod customers;
pub(crate) mod flags;
pub(crate) mod merges;
pub(crate) mod propositions;
pub(crate) mod prospects;
pub(crate) mod scorecard;
