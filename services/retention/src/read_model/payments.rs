//! What was paid and what was taken back, in the order of time over all customers.

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::{Customer, Event};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const PAID: Table<(i64, Uuid, String), Paid> = Table::new("paid");
const TAKEN: Table<(i64, Uuid, String, String), Taken> = Table::new("taken");

/// A purchase, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paid {
    pub(crate) currency: Currency,
    pub(crate) amount: i64,
    pub(crate) margin: i64,
}

/// A reversal, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Taken {
    pub(crate) currency: Currency,
    pub(crate) amount: i64,
    pub(crate) margin: i64,
    /// When the purchase was made that it belongs to.
    pub(crate) bought_at: Time,
}

/// The purchases from one moment, included, to another, excluded, each with its customer.
pub(crate) fn paid(rows: &dyn Rows, from: Time, to: Time) -> Result<Vec<(Uuid, Paid)>, Error> {
    let at = |time: Time| (time.micros(), Uuid::nil(), String::new());
    let found = PAID.range(rows, &at(from), &at(to), usize::MAX)?;
    Ok(found
        .into_iter()
        .map(|((_, customer, _), paid)| (customer, paid))
        .collect())
}

/// The reversals from one moment, included, to another, excluded, each with its customer.
pub(crate) fn taken(rows: &dyn Rows, from: Time, to: Time) -> Result<Vec<(Uuid, Taken)>, Error> {
    let at = |time: Time| (time.micros(), Uuid::nil(), String::new(), String::new());
    let found = TAKEN.range(rows, &at(from), &at(to), usize::MAX)?;
    Ok(found
        .into_iter()
        .map(|((_, customer, _, _), taken)| (customer, taken))
        .collect())
}

/// Lets an event happen, if it is about money. `state` is the customer's after it.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: Uuid,
    state: &Customer,
    event: &Event,
) -> Result<(), Error> {
    if let Event::PurchaseRecorded(recorded) = event {
        let key = (
            recorded.occurred_at.micros(),
            id,
            recorded.purchase_id.to_string(),
        );
        let paid = Paid {
            currency: recorded.amount.currency,
            amount: recorded.amount.minor_units,
            margin: recorded.contribution_margin.minor_units,
        };
        return PAID.put(rows, &key, &paid);
    }
    if let Event::PurchaseReversed(reversed) = event
        && let Some(purchase) = state.purchases.get(&reversed.purchase_id)
    {
        let (purchase_id, reversal_id) = (&reversed.purchase_id, &reversed.reversal_id);
        let at = reversed.occurred_at.micros();
        let key = (at, id, purchase_id.to_string(), reversal_id.to_string());
        let taken = Taken {
            currency: reversed.amount.currency,
            amount: reversed.amount.minor_units,
            margin: reversed.contribution_margin.minor_units,
            bought_at: purchase.occurred_at,
        };
        return TAKEN.put(rows, &key, &taken);
    }
    Ok(())
}
