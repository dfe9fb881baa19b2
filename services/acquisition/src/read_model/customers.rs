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

/// By customer and number of the page: what was told of it, in the order told. A scorecard reads all that there is
/// to each of its customers, so it stands together; in pages, because it grows.
const TOLD: Table<(Uuid, u32), Vec<Told>> = Table::new("customer");
const PROMISES: Table<(Uuid, String), Promise> = Table::new("promise");

/// How many facts a page holds: a new fact writes its page anew.
const PAGE: usize = 32;
/// The namespace of the numbers of purchases.
const PURCHASES: Uuid = Uuid::from_u128(0x7061_7472_6f6e_4000_8000_7075_7263_6861);

/// A fact that retention told of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    recorded: Recorded,
    at: Time,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum What {
    /// It was lost, or won back.
    Turned { active: bool },
    /// A purchase was made. Its number is made of its id, which is longer.
    Bought { purchase: Uuid, paid: Paid },
    /// A purchase was taken back, or a part of it.
    Reversed { purchase: Uuid, back: Paid },
}

/// What retention told of a customer, from the beginning of the relationship on, in the order told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Customer(Vec<Told>);

/// An amount and its margin, in minor units of the customer's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paid {
    pub(crate) amount: i64,
    pub(crate) margin: i64,
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
        let turns = self.0.iter().rev().filter_map(|told| match told.what {
            What::Turned { active } => Some((told, active)),
            What::Bought { .. } | What::Reversed { .. } => None,
        });
        let mut told = turns.filter(|(turn, _)| turn.at <= at && known.includes(&turn.recorded));
        told.next().is_none_or(|(_, active)| active)
    }

    /// What it paid and got back, as far as was known.
    pub(crate) fn account(&self, known: &Known) -> Account {
        let mut account = Account {
            bought: Vec::new(),
            reversed: Vec::new(),
        };
        for told in self.0.iter().filter(|told| known.includes(&told.recorded)) {
            match told.what {
                What::Turned { .. } => {}
                What::Bought { purchase, paid } => account.bought.push((told.at, purchase, paid)),
                What::Reversed { purchase, back } => {
                    account.reversed.push((told.at, purchase, back));
                }
            }
        }
        account
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
    let pages = TOLD.scan(rows, &(id,), None, usize::MAX)?;
    Ok(Customer(
        pages.into_iter().flat_map(|(_, page)| page).collect(),
    ))
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
    bought: Vec<(Time, Uuid, Paid)>,
    /// With the purchase that was taken back.
    reversed: Vec<(Time, Uuid, Paid)>,
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
    let what = What::Turned { active };
    tell(rows, id, Told { recorded, at, what })
}

/// A purchase was made.
pub(crate) fn bought(
    rows: &mut dyn RowsMut,
    id: Uuid,
    recorded: Recorded,
    (at, purchase): (Time, &str),
    paid: Paid,
) -> Result<(), Error> {
    let purchase = number_of(purchase);
    let what = What::Bought { purchase, paid };
    tell(rows, id, Told { recorded, at, what })
}

/// A purchase was taken back, or a part of it.
pub(crate) fn reversed(
    rows: &mut dyn RowsMut,
    id: Uuid,
    recorded: Recorded,
    (at, purchase): (Time, &str),
    back: Paid,
) -> Result<(), Error> {
    let purchase = number_of(purchase);
    let what = What::Reversed { purchase, back };
    tell(rows, id, Told { recorded, at, what })
}

fn number_of(purchase: &str) -> Uuid {
    Uuid::new_v5(&PURCHASES, purchase.as_bytes())
}

fn tell(rows: &mut dyn RowsMut, id: Uuid, told: Told) -> Result<(), Error> {
    let last = TOLD.scan_rev(rows, &(id,), None, 1)?;
    let (number, mut page) = match last.into_iter().next() {
        None => (0, Vec::new()),
        Some(((_, number), page)) if page.len() < PAGE => (number, page),
        Some(((_, number), _)) => (number.saturating_add(1), Vec::new()),
    };
    page.push(told);
    TOLD.put(rows, &(id, number), &page)
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
