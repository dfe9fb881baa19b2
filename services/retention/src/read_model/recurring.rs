//! What each customer's lines brought from when on: added to, never changed.

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::Event;
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// By customer, and offset in the journal: a command sets one line.
const LINES: Table<(Uuid, u64), Set> = Table::new("recurring");

/// That a line brings another amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Set {
    pub(crate) line_id: String,
    pub(crate) monthly: i64,
    pub(crate) currency: Currency,
    pub(crate) at: Time,
    pub(crate) recorded: Recorded,
}

/// Everything that was set, by customer, in the order of the journal.
pub(crate) fn all(rows: &dyn Rows) -> Result<Vec<(Uuid, Set)>, Error> {
    let found = LINES.scan(rows, &(), None, usize::MAX)?;
    let found = found.into_iter();
    Ok(found.map(|((customer, _), set)| (customer, set)).collect())
}

/// Lets an event happen, if it is about a line.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: Uuid,
    event: &Event,
    recorded: Recorded,
) -> Result<(), Error> {
    let Event::RecurringRevenueSet(set) = event else {
        return Ok(());
    };
    let row = Set {
        line_id: set.line_id.to_string(),
        monthly: set.monthly.minor_units,
        currency: set.monthly.currency,
        at: set.effective_at,
        recorded,
    };
    LINES.put(rows, &(id, recorded.offset), &row)
}
