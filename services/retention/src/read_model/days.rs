//! Whom a day may concern: customers in the order of the moment from which on it does, so that nobody has to
//! look at all of them.
//!
//! An entry may be there for nothing: what a day really brings is for the domain to say. But nobody whom a
//! day brings something is missing.

use std::fmt;
use std::str::FromStr;

use eventsourcing::{Days, Time};
use journal::Partition;
use money::Currency;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::Customer;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::customers;

/// Customers by the moment of what they await.
const AWAITING: Table<(u32, i64, Uuid), ()> = Table::new("awaiting");
/// Customers by the beginning of their silence. How long it may last is not for events to say.
const SILENT: Table<Quiet, ()> = Table::new("silent");
/// Customers who pay month by month, by their last purchase: not silent, but a model looks at them.
const PAYING: Table<Quiet, ()> = Table::new("paying");
/// Where a customer stands in the others.
const MARKS: Table<Uuid, Marks> = Table::new("day");

/// Rows that are looked at in one go.
const PAGE: usize = 256;

/// Partition, currency, since when nothing was bought, and who.
type Quiet = (u32, String, i64, Uuid);

/// The moments of a customer, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Marks {
    awaits: Option<i64>,
    bought_nothing_since: Option<i64>,
    /// Whether it pays month by month.
    pays: bool,
}

/// The tick's view of the rows: one partition, on one day.
pub(crate) struct Day<'a> {
    /// The partition.
    pub(crate) partition: Partition,
    /// 00:00 of the day.
    pub(crate) midnight: Time,
    /// After which silence a customer of this currency is looked at; without an answer, never.
    pub(crate) inactivity: &'a dyn Fn(Currency) -> Option<Days>,
    /// Whether those who pay month by month are looked at too, which only a model does.
    pub(crate) by_model: &'a dyn Fn(Currency) -> bool,
    /// Whether the day brings this customer anything.
    pub(crate) concerns: &'a dyn Fn(Uuid, &Customer) -> Result<bool, Error>,
}

/// Somebody whom a day concerns, by the entry that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Concerned {
    /// Something is due since that moment.
    Awaiting(i64, Uuid),
    /// A customer of that currency has bought nothing since that moment.
    Silent(String, i64, Uuid),
    /// The same of one who pays month by month.
    Paying(String, i64, Uuid),
}

impl Concerned {
    pub(crate) const fn customer(&self) -> Uuid {
        match self {
            Self::Awaiting(_, customer)
            | Self::Silent(_, _, customer)
            | Self::Paying(_, _, customer) => *customer,
        }
    }
}

impl Marks {
    /// The row among the quiet, and its table.
    fn quiet(
        self,
        (partition, id): (u32, Uuid),
        code: &str,
    ) -> Option<(&'static Table<Quiet, ()>, Quiet)> {
        let table = if self.pays { &PAYING } else { &SILENT };
        let since = self.bought_nothing_since?;
        Some((table, (partition, code.to_owned(), since, id)))
    }
}

/// Whom the day concerns: those who await something, then the silent, then those who pay, in order, behind `after`, at most
/// `limit`. Each customer once.
pub(crate) fn concerned(
    rows: &dyn Rows,
    day: &Day<'_>,
    after: Option<Concerned>,
    limit: usize,
) -> Result<Vec<Concerned>, Error> {
    let mut found = Vec::new();
    let mut after = after;
    loop {
        let page = page(rows, day, after.as_ref())?;
        let Some(last) = page.last().cloned() else {
            return Ok(found);
        };
        for candidate in page {
            if is_concerned(rows, day, &candidate)? {
                found.push(candidate);
            }
            if found.len() == limit {
                return Ok(found);
            }
        }
        after = Some(last);
    }
}

fn is_concerned(rows: &dyn Rows, day: &Day<'_>, candidate: &Concerned) -> Result<bool, Error> {
    let id = candidate.customer();
    if !matches!(candidate, Concerned::Awaiting(..)) {
        let awaits = MARKS.get(rows, &id)?.and_then(|marks| marks.awaits);
        if awaits.is_some_and(|moment| moment <= day.midnight.micros()) {
            return Ok(false);
        }
    }
    let state = customers::get(rows, id)?;
    state.map_or(Ok(false), |state| (day.concerns)(id, &state))
}

/// Entries from behind `after` on, a few; none when there are no more.
fn page(
    rows: &dyn Rows,
    day: &Day<'_>,
    after: Option<&Concerned>,
) -> Result<Vec<Concerned>, Error> {
    let behind = |code: &String, since: i64, id| Some((day.partition, code.clone(), since, id));
    let (awaited, silent, paying) = match after {
        None => (Some(None), None, None),
        Some(Concerned::Awaiting(moment, id)) => {
            (Some(Some((day.partition, *moment, *id))), None, None)
        }
        Some(Concerned::Silent(code, since, id)) => (None, behind(code, *since, *id), None),
        Some(Concerned::Paying(code, since, id)) => (None, None, behind(code, *since, *id)),
    };
    if let Some(last) = awaited {
        let waiting = awaiting(rows, day, last)?;
        if !waiting.is_empty() {
            return Ok(waiting);
        }
    }
    if paying.is_none() {
        let longest = |currency| (day.inactivity)(currency);
        let found = quiet(rows, day, &SILENT, &longest, silent)?;
        if !found.is_empty() {
            let found = found.into_iter();
            return Ok(found
                .map(|(_, code, since, id)| Concerned::Silent(code, since, id))
                .collect());
        }
    }
    let longest = |currency| (day.by_model)(currency).then_some(Days(0));
    let found = quiet(rows, day, &PAYING, &longest, paying)?.into_iter();
    Ok(found
        .map(|(_, code, since, id)| Concerned::Paying(code, since, id))
        .collect())
}

fn awaiting(
    rows: &dyn Rows,
    day: &Day<'_>,
    after: Option<(u32, i64, Uuid)>,
) -> Result<Vec<Concerned>, Error> {
    let entries = AWAITING.scan(rows, &(day.partition,), after.as_ref(), PAGE)?;
    let due = entries
        .into_iter()
        .take_while(|((_, moment, _), ())| *moment <= day.midnight.micros());
    Ok(due
        .map(|((_, moment, id), ())| Concerned::Awaiting(moment, id))
        .collect())
}

/// Those who have bought nothing for longer than their currency allows, currency by currency.
fn quiet(
    rows: &dyn Rows,
    day: &Day<'_>,
    table: &Table<Quiet, ()>,
    longest: &dyn Fn(Currency) -> Option<Days>,
    mut after: Option<Quiet>,
) -> Result<Vec<Quiet>, Error> {
    let mut currency = match &after {
        Some((_, code, ..)) => Some(code.clone()),
        None => currency_behind(rows, day.partition, table, None)?,
    };
    while let Some(code) = currency {
        if let Some(longest) = code.parse().ok().and_then(longest) {
            let before = day.midnight.minus_days(longest).micros();
            let prefix = (day.partition, code.clone());
            let entries = table.scan(rows, &prefix, after.take().as_ref(), PAGE)?;
            let too_long = entries.into_iter().map(|(key, ())| key);
            let found: Vec<Quiet> = too_long
                .take_while(|(_, _, since, _)| *since < before)
                .collect();
            if !found.is_empty() {
                return Ok(found);
            }
        }
        after = None;
        currency = currency_behind(rows, day.partition, table, Some(code))?;
    }
    Ok(Vec::new())
}

/// The next currency in which somebody is in that table.
fn currency_behind(
    rows: &dyn Rows,
    partition: Partition,
    table: &Table<Quiet, ()>,
    code: Option<String>,
) -> Result<Option<String>, Error> {
    let last = code.map(|code| (partition, code, i64::MAX, Uuid::max()));
    let next = table.scan(rows, &(partition,), last.as_ref(), 1)?;
    Ok(next.into_iter().next().map(|((_, code, _, _), ())| code))
}

/// Something has happened to a customer at `now`; this is its state after it.
pub(crate) fn changed(
    rows: &mut dyn RowsMut,
    (partition, now): (Partition, Time),
    id: Uuid,
    state: &Customer,
) -> Result<(), Error> {
    let Some(relationship) = &state.relationship else {
        return Ok(());
    };
    let before = MARKS.get(rows, &id)?.unwrap_or_default();
    let marks = Marks {
        awaits: state.awaits(now).map(Time::micros),
        bought_nothing_since: state.bought_nothing_since().map(Time::micros),
        pays: state.monthly_revenue() > 0,
    };
    if marks == before {
        return Ok(());
    }
    if marks.awaits != before.awaits {
        let key = |moment| (partition, moment, id);
        if let Some(moment) = before.awaits {
            AWAITING.delete(rows, &key(moment));
        }
        if let Some(moment) = marks.awaits {
            AWAITING.put(rows, &key(moment), &())?;
        }
    }
    let code = relationship.currency.to_string();
    if let Some((table, key)) = before.quiet((partition, id), &code) {
        table.delete(rows, &key);
    }
    if let Some((table, key)) = marks.quiet((partition, id), &code) {
        table.put(rows, &key, &())?;
    }
    MARKS.put(rows, &id, &marks)
}

impl fmt::Display for Concerned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Awaiting(moment, id) => write!(f, "awaiting/{moment}/{id}"),
            Self::Silent(currency, since, id) => write!(f, "silent/{currency}/{since}/{id}"),
            Self::Paying(currency, since, id) => write!(f, "paying/{currency}/{since}/{id}"),
        }
    }
}

/// That a text does not name somebody whom a day concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it names nobody whom a day concerns")]
pub(crate) struct NotConcerned;

impl FromStr for Concerned {
    type Err = NotConcerned;

    fn from_str(text: &str) -> Result<Self, NotConcerned> {
        let parts: Vec<&str> = text.split('/').collect();
        let number = |text: &str| text.parse().map_err(|_| NotConcerned);
        let id = |text: &str| text.parse().map_err(|_| NotConcerned);
        match parts.as_slice() {
            ["awaiting", moment, customer] => Ok(Self::Awaiting(number(moment)?, id(customer)?)),
            ["silent", currency, since, customer] => {
                let currency = (*currency).to_owned();
                Ok(Self::Silent(currency, number(since)?, id(customer)?))
            }
            ["paying", currency, since, customer] => {
                let currency = (*currency).to_owned();
                Ok(Self::Paying(currency, number(since)?, id(customer)?))
            }
            _ => Err(NotConcerned),
        }
    }
}

#[cfg(test)]
mod tests;
