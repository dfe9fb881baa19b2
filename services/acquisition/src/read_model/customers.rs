//! What became of the customers that acquisition created, as retention tells it.
//!
//! Fed by the received events alone. A customer and everything here about it lie in one partition, so the
//! order of events is the order in which they happened. Nothing is changed, only added, and everything keeps
//! where the journal took it.

use std::collections::HashMap;

use acquisition_domain::id::{BenefitId, PresentationId, PropositionId};
use customer_value::PurchaseDays;
use eventsourcing::{Days, Time};
use read_model::{Error, Rows, RowsMut, Table};
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use server::{Known, Moment};
use uuid::Uuid;

const CUSTOMERS: Table<Uuid, Customer> = Table::new("customer");
const PAYMENTS: Table<(Uuid, u64), Booked> = Table::new("payment");
const PURCHASES: Table<(Uuid, String), u64> = Table::new("purchase");
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
    payment: Payment,
}

/// A purchase or a reversal: what a value looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Payment {
    at: Time,
    paid: Paid,
    /// Of a reversal.
    back: Option<Back>,
}

/// What was taken back. Whether that leaves anything of it depends on the moment that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Back {
    /// The place of the purchase among all that was told.
    purchase: u64,
    bought_at: Time,
}

/// A promise of the conversion and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Promise {
    pub(crate) recorded: Recorded,
    pub(crate) made_at: Time,
    /// When retention found it past its date, if it did, and where the journal took that.
    pub(crate) overdue: Option<(Time, Recorded)>,
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

    /// Whether it was open by that moment and had been found past its date: by a day on which the customer was not
    /// lost.
    pub(crate) fn is_overdue(&self, moment: &Moment) -> bool {
        let found = self.overdue.as_ref();
        let found = found.is_some_and(|(at, recorded)| moment.includes(*at, recorded));
        found && self.fate(moment).is_none()
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

/// What a customer paid and got back, as far as was known, with its places, in the order told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account(Vec<(u64, Payment)>);

/// Reads what a customer paid and got back.
pub(crate) fn account(rows: &dyn Rows, id: Uuid, known: &Known) -> Result<Account, Error> {
    let booked = PAYMENTS.scan(rows, &(id,), None, usize::MAX)?.into_iter();
    let booked = booked.filter(|(_, booked)| known.includes(&booked.recorded));
    Ok(Account(
        booked
            .map(|((_, told), booked)| (told, booked.payment))
            .collect(),
    ))
}

impl Account {
    fn until(&self, as_of: Time) -> impl Iterator<Item = &(u64, Payment)> {
        let all = self.0.iter();
        all.filter(move |(_, payment)| payment.at <= as_of)
    }

    /// The margin of everything up to a moment, with its time; of what came back it is negative.
    pub(crate) fn margins(&self, as_of: Time) -> impl Iterator<Item = (Time, i64)> {
        self.until(as_of)
            .map(|(_, payment)| (payment.at, payment.signed()))
    }

    /// The contribution margin of the 365 days up to a moment: purchases in them, less what of these was
    /// taken back by then.
    pub(crate) fn trailing_margin(&self, as_of: Time) -> i64 {
        let opens = as_of.minus_days(Days(365));
        let counted = self
            .until(as_of)
            .filter(|(_, payment)| payment.bought_at() > opens);
        counted.fold(0, |sum: i64, (_, payment)| {
            sum.saturating_add(payment.signed())
        })
    }

    /// The days of purchases up to a moment with their margins, as models look at them.
    pub(crate) fn days(&self, as_of: Time) -> PurchaseDays {
        let mut days = PurchaseDays::default();
        // What is left of the amount of each purchase, by its place.
        let mut left: HashMap<u64, i64> = HashMap::new();
        for (told, payment) in self.until(as_of) {
            let bought_on = day(payment.bought_at());
            let Paid { amount, margin } = payment.paid;
            let Some(back) = payment.back else {
                left.insert(*told, amount);
                days.record(bought_on, margin);
                continue;
            };
            // A reversal comes after its purchase; if that does not count, there is nothing to take back.
            let Some(left) = left.get_mut(&back.purchase) else {
                continue;
            };
            *left = left.saturating_sub(amount);
            let _ = if *left == 0 {
                days.reverse_whole(bought_on, margin)
            } else {
                days.reverse_part(bought_on, margin)
            };
        }
        days
    }
}

impl Payment {
    /// When what was paid, or given back, had been bought.
    fn bought_at(&self) -> Time {
        self.back.map_or(self.at, |back| back.bought_at)
    }

    fn signed(&self) -> i64 {
        match self.back {
            None => self.paid.margin,
            Some(_) => self.paid.margin.saturating_neg(),
        }
    }
}

/// The UTC day of a moment, in the numbers that models count with.
pub(crate) fn day(at: Time) -> i32 {
    let day = at.day();
    i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX })
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

/// A purchase was made; `told` is its place among all that was told.
pub(crate) fn bought(
    rows: &mut dyn RowsMut,
    (id, told): (Uuid, u64),
    recorded: Recorded,
    (at, purchase): (Time, &str),
    paid: Paid,
) -> Result<(), Error> {
    PURCHASES.put(rows, &(id, purchase.to_owned()), &told)?;
    let payment = Payment {
        at,
        paid,
        back: None,
    };
    PAYMENTS.put(rows, &(id, told), &Booked { recorded, payment })
}

/// A purchase was taken back, or a part of it.
pub(crate) fn reversed(
    rows: &mut dyn RowsMut,
    (id, told): (Uuid, u64),
    recorded: Recorded,
    (at, purchase): (Time, &str),
    paid: Paid,
) -> Result<(), Error> {
    let Some(place) = PURCHASES.get(rows, &(id, purchase.to_owned()))? else {
        return Ok(());
    };
    let Some(bought) = PAYMENTS.get(rows, &(id, place))? else {
        return Ok(());
    };
    let back = Back {
        purchase: place,
        bought_at: bought.payment.at,
    };
    let payment = Payment {
        at,
        paid,
        back: Some(back),
    };
    PAYMENTS.put(rows, &(id, told), &Booked { recorded, payment })
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

/// A promise was found past its date.
pub(crate) fn overdue(
    rows: &mut dyn RowsMut,
    id: Uuid,
    promise: &str,
    found: (Time, Recorded),
) -> Result<(), Error> {
    let key = (id, promise.to_owned());
    let Some(mut known) = PROMISES.get(rows, &key)? else {
        return Ok(());
    };
    known.overdue = Some(found);
    PROMISES.put(rows, &key, &known)
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

#[cfg(test)]
mod tests {
    use eventsourcing::Time;
    use read_model::Store;
    use runtime::Recorded;
    use server::Known;
    use uuid::Uuid;

    use super::{Paid, account, bought, reversed};

    const ROSA: Uuid = Uuid::from_u128(1);

    fn recorded() -> Recorded {
        Recorded {
            partition: 0,
            offset: 0,
            at: Time::EPOCH,
        }
    }

    fn paid(amount: i64) -> Paid {
        Paid {
            amount,
            margin: amount / 2,
        }
    }

    #[test]
    fn whether_all_was_taken_back_is_a_question_of_the_moment() {
        let store = Store::in_memory();
        let mut tx = store.begin().unwrap();
        let day = Time::from_days;
        bought(&mut tx, (ROSA, 1), recorded(), (day(1), "p"), paid(100)).unwrap();
        // The reversal that is told last, and takes the rest, was dated first.
        for (told, at, amount) in [(2, 10, 60), (3, 5, 40)] {
            let of = (ROSA, told);
            reversed(&mut tx, of, recorded(), (day(at), "p"), paid(amount)).unwrap();
        }
        store.commit(tx).unwrap();
        let account = store
            .read(|rows| account(rows, ROSA, &Known::At(Time::EPOCH)))
            .unwrap();
        for (at, purchases, margin) in [(4, 1, 50), (7, 1, 30), (10, 0, 0)] {
            let days = account.days(day(at));
            let bought = days.as_of(super::day(day(at)));
            assert_eq!(bought.is_ok(), purchases == 1, "day {at}");
            assert_eq!(account.trailing_margin(day(at)), margin, "day {at}");
        }
    }
}
