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
//! | `awaiting` | `days.rs` | (partition, µs, customer) | a day from then on may bring something |
//! | `silent` | `days.rs` | (partition, currency, µs, customer) | bought nothing since |
//! | `day` | `days.rs` | customer | its place in the two |
//!
//! Everything of one customer lies in one partition, and so in one order. `ledger` is fed by all of them:
//! its rows are sums, which come out the same in any order.

pub(crate) mod customers;
pub(crate) mod days;
pub(crate) mod ledger;
pub(crate) mod lives;
pub(crate) mod payments;
pub(crate) mod scoreboard;
