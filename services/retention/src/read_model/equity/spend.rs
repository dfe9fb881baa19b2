//! What was spent to win customers, as acquisition tells it, by currency.

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows, RowsMut, Table};
use runtime::Recorded;
use serde::{Deserialize, Serialize};

use crate::told::spend::Spend;

const SPENT: Table<(String, String), Spent> = Table::new("spent");

/// An amount that was spent, negative when it was taken back, and its place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spent {
    pub(crate) incurred_at: Time,
    pub(crate) minor_units: i64,
    pub(crate) recorded: Recorded,
}

/// Everything that was spent in a currency.
pub(crate) fn all(rows: &dyn Rows, currency: Currency) -> Result<Vec<Spent>, Error> {
    let found = SPENT.scan(rows, &(currency.to_string(),), None, usize::MAX)?;
    Ok(found.into_iter().map(|(_, spent)| spent).collect())
}

/// Keeps a spend that acquisition told by the event of this id.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    event_id: String,
    spend: &Spend,
    recorded: Recorded,
) -> Result<(), Error> {
    let amount = spend.amount.minor_units;
    let spent = Spent {
        incurred_at: spend.incurred_at,
        minor_units: if spend.taken_back {
            amount.saturating_neg()
        } else {
            amount
        },
        recorded,
    };
    SPENT.put(rows, &(spend.amount.currency.to_string(), event_id), &spent)
}
