//! What each customer left, purchase by purchase, with what was taken back: added to, never changed.

use eventsourcing::Time;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::Event;
use retention_domain::margin::TRAILING;
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::customers;

/// By customer, time of the purchase in microseconds, purchase and reversal (empty for the purchase itself).
const MARGINS: Table<(Uuid, i64, String, String), Margin> = Table::new("margin");

/// A margin that a purchase left, or (negative) that went with a reversal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Margin {
    /// In minor units of the customer's currency.
    pub(crate) amount: i64,
    /// When the purchase was made, or taken back.
    pub(crate) at: Time,
    /// When the purchase was made that it belongs to.
    pub(crate) bought_at: Time,
    /// Its place in the journal.
    pub(crate) recorded: Recorded,
}

/// The first moment whose purchases count a year later.
pub(crate) fn opens(as_of: Time) -> Time {
    Time::from_micros(as_of.minus_days(TRAILING).micros().saturating_add(1))
}

/// The margins of a customer's purchases from one moment, included, to another, included.
pub(crate) fn bought(
    rows: &dyn Rows,
    id: Uuid,
    from: Time,
    to: Time,
    limit: usize,
) -> Result<Vec<Margin>, Error> {
    let at = |micros: i64| (id, micros, String::new(), String::new());
    let (start, end) = (at(from.micros()), at(to.micros().saturating_add(1)));
    let found = MARGINS.range(rows, &start, &end, limit)?;
    Ok(found.into_iter().map(|(_, margin)| margin).collect())
}

/// The margin of the year that ends with a moment, in minor units, of the facts that are known.
pub(crate) fn trailing(
    rows: &dyn Rows,
    id: Uuid,
    as_of: Time,
    known: impl Fn(&Recorded) -> bool,
) -> Result<i64, Error> {
    let found = bought(rows, id, opens(as_of), as_of, usize::MAX)?;
    let counts = |margin: &&Margin| margin.at <= as_of && known(&margin.recorded);
    Ok(sum(found.iter().filter(counts)))
}

/// The sum of these margins.
pub(crate) fn sum<'a>(margins: impl Iterator<Item = &'a Margin>) -> i64 {
    margins.fold(0, |sum, margin| sum.saturating_add(margin.amount))
}

/// Lets an event happen; what it left, if it is about money.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    id: Uuid,
    event: &Event,
    recorded: Recorded,
) -> Result<Option<Margin>, Error> {
    let (purchase_id, reversal_id, margin) = if let Event::PurchaseRecorded(bought) = event {
        let margin = Margin {
            amount: bought.contribution_margin.minor_units,
            at: bought.occurred_at,
            bought_at: bought.occurred_at,
            recorded,
        };
        (&bought.purchase_id, String::new(), margin)
    } else if let Event::PurchaseReversed(taken) = event
        && let Some(purchase) = customers::purchase(rows, id, &taken.purchase_id)?
    {
        let margin = Margin {
            amount: taken.contribution_margin.minor_units.saturating_neg(),
            at: taken.occurred_at,
            bought_at: purchase.occurred_at,
            recorded,
        };
        (&taken.purchase_id, taken.reversal_id.to_string(), margin)
    } else {
        return Ok(None);
    };
    let bought_at = margin.bought_at.micros();
    let key = (id, bought_at, purchase_id.to_string(), reversal_id);
    MARGINS.put(rows, &key, &margin)?;
    Ok(Some(margin))
}

#[cfg(test)]
mod tests;
