//! Views of retention: one a file, each a function of the journal alone.
//!
//! | table | file | key | value |
//! |---|---|---|---|
//! | `customer` | `customers.rs` | customer | its state |
//! | `purchase` | `customers.rs` | (customer, purchase) | the purchase with its reversals |
//! | `action` | `customers.rs` | (customer, action) | an action that came to an end |
//! | `life` | `lives.rs` | customer | when it was active |
//! | `paid` | `payments.rs` | (µs, customer, purchase) | amount and margin |
//! | `taken` | `payments.rs` | (µs, customer, purchase, reversal) | amount and margin taken back |
//! | `ledger` | `ledger.rs` | (proposition, benefit) | sums over promises |
//!
//! Those of the books are in `equity.rs`.
//!
//! Everything of one customer lies in one partition, and so in one order. `ledger` is fed by all of them:
//! its rows are sums, which come out the same in any order.

pub(crate) mod customers;
pub(crate) mod equity;
pub(crate) mod ledger;
pub(crate) mod lives;
pub(crate) mod payments;
pub(crate) mod scoreboard;
