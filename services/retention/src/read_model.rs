//! Views of retention: one a file, each a function of the journal alone.
//!
//! | table | file | key | value |
//! |---|---|---|---|
//! | `customer` | `customers.rs` | customer | its state |
//! | `purchase` | `customers.rs` | (customer, purchase) | the purchase with its reversals |
//! | `action` | `customers.rs` | (customer, action) | an action that came to an end |
//! | `erasure-due` | `erasures.rs` | customer | its keys are still to be destroyed |
//! | `life` | `lives.rs` | customer | when it was active, what won it, why it left |
//! | `recurring` | `recurring.rs` | (customer, offset) | what a line brings from when on |
//! | `score` | `scores.rs` | (customer, promise, offset) | what the customer said of the promise |
//! | `promised` | `ledger.rs` | (customer, promise, number) | what was told of the promise, and its place in the journal |
//! | `awaiting` | `days.rs` | (partition, µs, customer) | a day from then on may bring something |
//! | `silent` | `days.rs` | (partition, currency, µs, customer) | bought nothing since |
//! | `day` | `days.rs` | customer | its place in the two |
//! | `margin` | `margins.rs` | (customer, µs, purchase, reversal) | a margin and its place in the journal |
//! | `held`, `placed` | `holdings.rs` | (owner or territory, customer) | nothing |
//! | `course` | `holdings.rs` | customer | owners and states, with their places in the journal |
//! | `marked` | `listing.rs` | (mark, value, customer) | nothing |
//! | `marks` | `listing.rs` | customer | its marks |
//! | `news` | `news.rs` | (owner, µs, customer, number) | what has changed in the owner's work |
//! | `news-count` | `news.rs` | customer | how many news there are of it |
//! | `work` | `work.rs` | customer | whose lists it is on, and what is at stake |
//! | `work-order` | `work.rs` | (owner, currency, margin, customer) | nothing |
//! | `work-changes` | `work.rs` | (partition, µs, customer) | nothing |
//! | `work-moved` | `work/moved.rs` | (partition, offset, customer) | nothing |
//! | `work-last` | `work/moved.rs` | customer | its last event, by partition and offset |
//!
//! Those of the books are in `equity.rs`.
//!
//! Everything of one customer lies in one partition, and so in one order.

use read_model::{Error, RowsMut};
use retention_domain::Event;
use runtime::Recorded;
use uuid::Uuid;

pub(crate) mod book;
pub(crate) mod customers;
pub(crate) mod days;
pub(crate) mod equity;
pub(crate) mod erasures;
pub(crate) mod holdings;
pub(crate) mod ledger;
pub(crate) mod listing;
pub(crate) mod lives;
pub(crate) mod margins;
pub(crate) mod month;
pub(crate) mod news;
pub(crate) mod recurring;
pub(crate) mod relations;
pub(crate) mod reports;
pub(crate) mod scoreboard;
pub(crate) mod scores;
pub(crate) mod work;
pub(crate) mod worth;

/// Lets an event happen to a customer, in every view of it.
pub(crate) fn of_customer(
    rows: &mut dyn RowsMut,
    id: Uuid,
    event: &Event,
    recorded: Recorded,
) -> Result<(), Error> {
    let before = news::owner_before(rows, id, event)?;
    let state = customers::apply(rows, id, event)?;
    news::apply(rows, id, before, &state, event, recorded)?;
    erasures::apply(rows, id, event)?;
    lives::apply(rows, id, event, recorded)?;
    recurring::apply(rows, id, event, recorded)?;
    ledger::apply(rows, id, event, recorded)?;
    scores::apply(rows, id, &state, event, recorded)?;
    days::changed(rows, (recorded.partition, recorded.at), id, &state)?;
    relations::apply(rows, id, event, recorded)?;
    equity::bought::apply(rows, event, recorded)?;
    equity::facts::apply(rows, id, event, recorded)
}
