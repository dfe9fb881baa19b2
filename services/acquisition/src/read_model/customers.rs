//! What became of the customers that acquisition created, as retention tells it.
//!
//! Fed by the received events alone. A customer and everything here about it lie in one partition, so the
//! order of events is the order in which they happened. Nothing is changed, only added, and everything keeps
//! where the journal took it.

use acquisition_domain::id::{BenefitId, PresentationId, PropositionId};
use eventsourcing::{Days, Time};
use read_model::{Error, Rows, RowsMut, Table};
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use server::{Known, Moment};
use uuid::Uuid;

const CUSTOMERS: Table<Uuid, Customer> = Table::new("customer");
const PURCHASES: Table<(Uuid, i64, String), Booked> = Table::new("purchase");
const REVERSALS: Table<(Uuid, i64, String, String), Booked> = Table::new("reversal");
const PROMISES: Table<(Uuid, String), Promise> = Table::new("promise");

/// Whether somebody is a customer, from the beginning of the relationship on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Customer {
    /// When it was lost and won back, in the order told.
    turns: Vec<Turn>,
}

/// A loss, or a win-back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Turn {
    recorded: Recorded,
    at: Time,
    active: bool,
}

/// An amount and its margin, in minor units of the customer's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paid {
    pub(crate) amount: i64,
    pub(crate) margin: i64,
}

/// A purchase or a reversal, and where the journal took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Booked {
    recorded: Recorded,
    paid: Paid,
}

/// A promise of the conversion and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Promise {
    pub(crate) recorded: Recorded,
    pub(crate) made_at: Time,
    pub(crate) due_at: Option<Time>,
    pub(crate) proposition_id: Option<PropositionId>,
    pub(crate) presentation_id: Option<PresentationId>,
    pub(crate) benefit_id: BenefitId,
    /// What was said of it, in the order told; empty while it is open.
    pub(crate) verdicts: Vec<Verdict>,
}

/// Something that was said of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) recorded: Recorded,
    pub(crate) at: Time,
    pub(crate) fate: Fate,
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
    /// Whether it had not been lost by that moment, or had been won back since, as far as was known.
    pub(crate) fn is_active_at(&self, at: Time, known: &Known) -> bool {
        let told = |turn: &&Turn| turn.at <= at && known.includes(&turn.recorded);
        let last = self.turns.iter().rfind(told);
        last.is_none_or(|turn| turn.active)
    }
}

impl Promise {
    /// What had become of it by that moment; nothing while it was open.
    pub(crate) fn fate(&self, moment: &Moment) -> Option<Fate> {
        let told = |said: &&Verdict| moment.includes(said.at, &said.recorded);
        self.verdicts.iter().rfind(told).map(|said| said.fate)
    }
}

/// A customer, active unless retention has told of a loss.
pub(crate) fn get(rows: &dyn Rows, id: Uuid) -> Result<Customer, Error> {
    Ok(CUSTOMERS.get(rows, &id)?.unwrap_or_default())
}

/// The promises of a customer's conversion that had been made by that moment.
pub(crate) fn promises(rows: &dyn Rows, id: Uuid, moment: &Moment) -> Result<Vec<Promise>, Error> {
    let found = PROMISES.scan(rows, &(id,), None, usize::MAX)?.into_iter();
    let made = found.filter(|(_, promise)| moment.includes(promise.made_at, &promise.recorded));
    Ok(made.map(|(_, promise)| promise).collect())
}

/// What a customer paid and got back, as far as was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    bought: Vec<(Time, String, Paid)>,
    /// With the purchase that was taken back.
    reversed: Vec<(Time, String, Paid)>,
}

/// Reads what a customer paid and got back.
pub(crate) fn account(rows: &dyn Rows, id: Uuid, known: &Known) -> Result<Account, Error> {
    let bought = PURCHASES.scan(rows, &(id,), None, usize::MAX)?.into_iter();
    let reversed = REVERSALS.scan(rows, &(id,), None, usize::MAX)?.into_iter();
    Ok(Account {
        bought: bought
            .filter(|(_, booked)| known.includes(&booked.recorded))
            .map(|((_, at, purchase), booked)| (Time::from_micros(at), purchase, booked.paid))
            .collect(),
        reversed: reversed
            .filter(|(_, booked)| known.includes(&booked.recorded))
            .map(|((_, at, purchase, _), booked)| (Time::from_micros(at), purchase, booked.paid))
            .collect(),
    })
}

impl Account {
    /// The margin of everything up to a moment, with its time; of what came back it is negative.
    pub(crate) fn margins(&self, as_of: Time) -> impl Iterator<Item = (Time, i64)> {
        let bought = self.bought.iter().map(|(at, _, paid)| (*at, paid.margin));
        let reversed = self
            .reversed
            .iter()
            .map(|(at, _, paid)| (*at, -paid.margin));
        bought.chain(reversed).filter(move |(at, _)| *at <= as_of)
    }

    /// The contribution margin of the 365 days up to a moment: purchases in them, less what of these was
    /// taken back by then.
    pub(crate) fn trailing_margin(&self, as_of: Time) -> i64 {
        let opens = as_of.minus_days(Days(365));
        let inside = |at: Time| opens < at && at <= as_of;
        let counted = || self.bought.iter().filter(|(at, ..)| inside(*at));
        let earned: i64 = counted().map(|(_, _, paid)| paid.margin).sum();
        let back = self.reversed.iter().filter(|(at, purchase, _)| {
            *at <= as_of && counted().any(|(_, counted, _)| counted == purchase)
        });
        earned - back.map(|(_, _, paid)| paid.margin).sum::<i64>()
    }
}

/// A relationship ended, or began again.
pub(crate) fn turned(
    rows: &mut dyn RowsMut,
    id: Uuid,
    recorded: Recorded,
    (at, active): (Time, bool),
) -> Result<(), Error> {
    let mut customer = get(rows, id)?;
    customer.turns.push(Turn {
        recorded,
        at,
        active,
    });
    CUSTOMERS.put(rows, &id, &customer)
}

/// A purchase was made.
pub(crate) fn bought(
    rows: &mut dyn RowsMut,
    id: Uuid,
    recorded: Recorded,
    (at, purchase): (Time, &str),
    paid: Paid,
) -> Result<(), Error> {
    let key = (id, at.micros(), purchase.to_owned());
    PURCHASES.put(rows, &key, &Booked { recorded, paid })
}

/// A purchase was taken back, or a part of it.
pub(crate) fn reversed(
    rows: &mut dyn RowsMut,
    id: Uuid,
    recorded: Recorded,
    (at, purchase, reversal): (Time, &str, &str),
    paid: Paid,
) -> Result<(), Error> {
    let key = (id, at.micros(), purchase.to_owned(), reversal.to_owned());
    REVERSALS.put(rows, &key, &Booked { recorded, paid })
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
    said: Verdict,
) -> Result<Option<Promise>, Error> {
    let key = (id, promise.to_owned());
    let Some(mut known) = PROMISES.get(rows, &key)? else {
        return Ok(None);
    };
    known.verdicts.push(said);
    PROMISES.put(rows, &key, &known)?;
    Ok(Some(known))
}
