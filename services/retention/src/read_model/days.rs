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
const SILENT: Table<(u32, String, i64, Uuid), ()> = Table::new("silent");
/// Where a customer stands in the other two.
const MARKS: Table<Uuid, Marks> = Table::new("day");

/// Rows that are looked at in one go.
const PAGE: usize = 256;

/// The moments of a customer, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Marks {
    awaits: Option<i64>,
    silent_since: Option<i64>,
}

/// The tick's view of the rows: one partition, on one day.
pub(crate) struct Day<'a> {
    /// The partition.
    pub(crate) partition: Partition,
    /// 00:00 of the day.
    pub(crate) midnight: Time,
    /// After which silence a customer of this currency is looked at; without an answer, never.
    pub(crate) inactivity: &'a dyn Fn(Currency) -> Option<Days>,
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
}

impl Concerned {
    pub(crate) const fn customer(&self) -> Uuid {
        match self {
            Self::Awaiting(_, customer) | Self::Silent(_, _, customer) => *customer,
        }
    }
}

/// Whom the day concerns: those who await something, then the silent, in order, behind `after`, at most
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
    if matches!(candidate, Concerned::Silent(..)) {
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
    let (mut currency, mut after) = match after {
        Some(Concerned::Silent(currency, since, id)) => {
            let key = (day.partition, currency.clone(), *since, *id);
            (Some(currency.clone()), Some(key))
        }
        Some(Concerned::Awaiting(moment, id)) => {
            let waiting = awaiting(rows, day, Some((day.partition, *moment, *id)))?;
            if !waiting.is_empty() {
                return Ok(waiting);
            }
            (currency_behind(rows, day.partition, None)?, None)
        }
        None => {
            let waiting = awaiting(rows, day, None)?;
            if !waiting.is_empty() {
                return Ok(waiting);
            }
            (currency_behind(rows, day.partition, None)?, None)
        }
    };
    while let Some(code) = currency {
        let silent = silent(rows, day, &code, after.take().as_ref())?;
        if !silent.is_empty() {
            return Ok(silent);
        }
        currency = currency_behind(rows, day.partition, Some(code))?;
    }
    Ok(Vec::new())
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

fn silent(
    rows: &dyn Rows,
    day: &Day<'_>,
    code: &str,
    after: Option<&(u32, String, i64, Uuid)>,
) -> Result<Vec<Concerned>, Error> {
    let longest = code.parse().ok().and_then(day.inactivity);
    let Some(longest) = longest else {
        return Ok(Vec::new());
    };
    let before = day.midnight.minus_days(longest).micros();
    let prefix = (day.partition, code.to_owned());
    let entries = SILENT.scan(rows, &prefix, after, PAGE)?;
    let too_long = entries
        .into_iter()
        .take_while(|((_, _, since, _), ())| *since < before);
    Ok(too_long
        .map(|((_, code, since, id), ())| Concerned::Silent(code, since, id))
        .collect())
}

/// The next currency in which somebody is silent.
fn currency_behind(
    rows: &dyn Rows,
    partition: Partition,
    code: Option<String>,
) -> Result<Option<String>, Error> {
    let last = code.map(|code| (partition, code, i64::MAX, Uuid::max()));
    let next = SILENT.scan(rows, &(partition,), last.as_ref(), 1)?;
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
        silent_since: state.silent_since().map(Time::micros),
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
    if marks.silent_since != before.silent_since {
        let key = |since| (partition, relationship.currency.to_string(), since, id);
        if let Some(since) = before.silent_since {
            SILENT.delete(rows, &key(since));
        }
        if let Some(since) = marks.silent_since {
            SILENT.put(rows, &key(since), &())?;
        }
    }
    MARKS.put(rows, &id, &marks)
}

impl fmt::Display for Concerned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Awaiting(moment, id) => write!(f, "awaiting/{moment}/{id}"),
            Self::Silent(currency, since, id) => write!(f, "silent/{currency}/{since}/{id}"),
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
            _ => Err(NotConcerned),
        }
    }
}

#[cfg(test)]
mod tests;
