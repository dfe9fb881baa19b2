//! What became of the customers that acquisition created, as retention tells it.
//!
//! Fed by the received events alone. A customer and everything here about it lie in one partition, so the
//! order of events is the order in which they happened.

use acquisition_domain::id::{PresentationId, PropositionId};
use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows, RowsMut, Table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const CUSTOMERS: Table<Uuid, Customer> = Table::new("customer");
const PURCHASES: Table<(Uuid, i64, String), Paid> = Table::new("purchase");
const REVERSALS: Table<(Uuid, i64, String, String), Paid> = Table::new("reversal");
const PROMISES: Table<(Uuid, String), Promise> = Table::new("promise");

/// A customer as acquisition sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) acquired_at: Time,
    pub(crate) currency: Currency,
    /// When it was lost and won back, in the order told.
    pub(crate) turns: Vec<Turn>,
}

/// A loss, or a win-back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Turn {
    pub(crate) at: Time,
    pub(crate) active: bool,
}

/// An amount and its margin, in minor units of the customer's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paid {
    pub(crate) amount: i64,
    pub(crate) margin: i64,
}

/// A promise of the conversion and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Promise {
    pub(crate) made_at: Time,
    /// Only those are kept here.
    pub(crate) at_conversion: bool,
    pub(crate) due_at: Option<Time>,
    pub(crate) proposition_id: Option<PropositionId>,
    pub(crate) presentation_id: Option<PresentationId>,
    /// What was said of it, in the order told; empty while it is open.
    pub(crate) verdicts: Vec<(Time, Fate)>,
}

/// What became of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fate {
    Kept,
    Broken,
    Repaired,
    Waived,
}

impl Customer {
    /// Whether it was a customer at that moment.
    pub(crate) fn is_active_at(&self, at: Time) -> bool {
        let last = self.turns.iter().rfind(|turn| turn.at <= at);
        self.acquired_at <= at && last.is_none_or(|turn| turn.active)
    }
}

impl Promise {
    /// What had become of it by that moment; nothing while it was open.
    pub(crate) fn fate_at(&self, at: Time) -> Option<Fate> {
        let said = self.verdicts.iter().rfind(|(said_at, _)| *said_at <= at);
        said.map(|(_, fate)| *fate)
    }
}

/// A customer, if retention has told of it.
pub(crate) fn get(rows: &dyn Rows, id: Uuid) -> Result<Option<Customer>, Error> {
    CUSTOMERS.get(rows, &id)
}

/// The promises of a customer's conversion.
pub(crate) fn promises(rows: &dyn Rows, id: Uuid) -> Result<Vec<Promise>, Error> {
    let found = PROMISES.scan(rows, &(id,), None, usize::MAX)?;
    Ok(found.into_iter().map(|(_, promise)| promise).collect())
}

/// Everything that a customer paid and got back up to a moment, with its time; what came back is negative.
pub(crate) fn payments(rows: &dyn Rows, id: Uuid, as_of: Time) -> Result<Vec<(Time, Paid)>, Error> {
    let bought = PURCHASES.scan(rows, &(id,), None, usize::MAX)?.into_iter();
    let mut payments: Vec<(Time, Paid)> = bought
        .map(|((_, at, _), paid)| (Time::from_micros(at), paid))
        .collect();
    for ((_, at, _, _), back) in REVERSALS.scan(rows, &(id,), None, usize::MAX)? {
        let taken = Paid {
            amount: -back.amount,
            margin: -back.margin,
        };
        payments.push((Time::from_micros(at), taken));
    }
    payments.retain(|(at, _)| *at <= as_of);
    payments.sort_by_key(|(at, _)| *at);
    Ok(payments)
}

/// The contribution margin of the 365 days up to a moment: purchases in them, less what of these was taken
/// back by then.
pub(crate) fn trailing_margin(rows: &dyn Rows, id: Uuid, as_of: Time) -> Result<i64, Error> {
    let opens = as_of.minus_days(eventsourcing::Days(365));
    let inside = |at: i64| (opens.micros() + 1..=as_of.micros()).contains(&at);
    let bought = PURCHASES.scan(rows, &(id,), None, usize::MAX)?;
    let counted: Vec<&str> = bought
        .iter()
        .filter(|((_, at, _), _)| inside(*at))
        .map(|((_, _, purchase), _)| purchase.as_str())
        .collect();
    let earned: i64 = bought
        .iter()
        .filter(|((_, at, _), _)| inside(*at))
        .map(|(_, paid)| paid.margin)
        .sum();
    let mut back = 0;
    for ((_, at, purchase, _), paid) in REVERSALS.scan(rows, &(id,), None, usize::MAX)? {
        if at <= as_of.micros() && counted.contains(&purchase.as_str()) {
            back += paid.margin;
        }
    }
    Ok(earned - back)
}

/// A relationship began.
pub(crate) fn opened(
    rows: &mut dyn RowsMut,
    id: Uuid,
    acquired_at: Time,
    currency: Currency,
) -> Result<(), Error> {
    CUSTOMERS.put(
        rows,
        &id,
        &Customer {
            acquired_at,
            currency,
            turns: Vec::new(),
        },
    )
}

/// A relationship ended, or began again.
pub(crate) fn turned(rows: &mut dyn RowsMut, id: Uuid, turn: Turn) -> Result<(), Error> {
    let Some(mut customer) = CUSTOMERS.get(rows, &id)? else {
        return Ok(());
    };
    customer.turns.push(turn);
    CUSTOMERS.put(rows, &id, &customer)
}

/// A purchase was made.
pub(crate) fn bought(
    rows: &mut dyn RowsMut,
    id: Uuid,
    at: Time,
    purchase: &str,
    paid: Paid,
) -> Result<(), Error> {
    PURCHASES.put(rows, &(id, at.micros(), purchase.to_owned()), &paid)
}

/// A purchase was taken back, or a part of it.
pub(crate) fn reversed(
    rows: &mut dyn RowsMut,
    id: Uuid,
    at: Time,
    (purchase, reversal): (&str, &str),
    back: Paid,
) -> Result<(), Error> {
    let key = (id, at.micros(), purchase.to_owned(), reversal.to_owned());
    REVERSALS.put(rows, &key, &back)
}

/// A promise was made with the conversion.
pub(crate) fn promised(
    rows: &mut dyn RowsMut,
    id: Uuid,
    promise: &str,
    made: &Promise,
) -> Result<(), Error> {
    PROMISES.put(rows, &(id, promise.to_owned()), made)
}

/// Something was said of a promise; the promise as it is then, if it is one of a conversion.
pub(crate) fn judged(
    rows: &mut dyn RowsMut,
    id: Uuid,
    promise: &str,
    (at, fate): (Time, Fate),
) -> Result<Option<Promise>, Error> {
    let key = (id, promise.to_owned());
    let Some(mut known) = PROMISES.get(rows, &key)? else {
        return Ok(None);
    };
    known.verdicts.push((at, fate));
    PROMISES.put(rows, &key, &known)?;
    Ok(Some(known))
}
