//! Equity: the facts that customers are valued by, what was spent to win them, and the books of each currency.
//!
//! | table | file | key | value |
//! |---|---|---|---|
//! | `equity` | `facts.rs` | (currency, customer, page) | up to 32 facts with what was paid, in the order of the journal |
//! | `spent` | `spend.rs` | (currency, event) | an amount spent to win customers, or taken back |
//! | `books` | `books.rs` | currency | the state of the ledger |
//! | `statement` | `books.rs` | (currency, end in µs) | a closed period |
//! | `assumed` | `books.rs` | (currency, version) | assumptions from then on |
//! | `model` | `books.rs` | (currency, number) | a model that was fitted |
//! | `bought` | `bought.rs` | (currency, partition, offset) | how many purchases there were by then |
//!
//! Facts, spends, assumptions, models and statements are only ever added, each with its place in the journal, so that
//! any earlier state of knowledge can be measured again.

pub(crate) mod books;
pub(crate) mod bought;
pub(crate) mod facts;
pub(crate) mod fit;
pub(crate) mod measure;
pub(crate) mod spend;
#[cfg(test)]
mod tests;
