//! A page of the work list: by currency, value at stake with the largest first, and customer.
//!
//! The rows are in the order of margins. Margins that come to the same value are read together, so that
//! customers of equal value are in the order of their ids whatever their margins.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows};
use uuid::Uuid;

use super::{CHANGES, ORDER, Rankings, WORK, changing};
use crate::read_model::worth::Worth;

/// A customer on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) currency: Currency,
    /// What is at stake, in minor units.
    pub(crate) at_stake: i64,
    /// The place of the row, behind which the next page begins.
    pub(crate) place: Place,
}

/// A place on a list: a customer among those whose value is that of this margin, or, where a model is used,
/// this value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) currency: Currency,
    /// Negated, as it is in the keys; the largest margin of that value, or the value.
    pub(crate) margin: i64,
    pub(crate) id: Uuid,
}

/// Whose list is asked for, and as of when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) owner: &'a str,
    pub(crate) worth: &'a Worth,
    pub(crate) now: Time,
    /// Of what is valued by a model.
    pub(crate) rankings: &'a Rankings,
}

/// Up to `limit` rows of an owner's list at a moment, behind a place.
pub(crate) fn page(
    rows: &dyn Rows,
    asked: Asked<'_>,
    after: Option<Place>,
    limit: usize,
) -> Result<Vec<Row>, Error> {
    let Asked {
        owner, worth, now, ..
    } = asked;
    let list = List::of(rows, owner, now)?;
    let mut found = Vec::new();
    let mut group = match after {
        Some(place) => Some((place.currency, place.margin)),
        None => list.behind(None)?,
    };
    let mut behind = after.map(|place| place.id);
    while let Some((currency, largest)) = group {
        if let Some(valuation) = worth.model(currency) {
            let start = behind.map(|id| (largest, id));
            let rest = limit - found.len();
            let (of, by) = ((owner, currency), (valuation, now));
            let page = asked.rankings.page(rows, of, by, start, rest)?;
            found.extend(page.into_iter().map(|place| by_model(currency, place)));
            if found.len() >= limit {
                break;
            }
            behind = None;
            group = list.behind(Some((currency, i64::MAX)))?;
            continue;
        }
        let value = worth.of_margin(currency, largest.saturating_neg());
        let mut ids = BTreeSet::new();
        let mut margin = largest;
        loop {
            ids.extend(list.customers(currency, margin, behind, limit)?);
            group = list.behind(Some((currency, margin)))?;
            match group {
                Some((same, next))
                    if same == currency
                        && worth.of_margin(same, next.saturating_neg()) == value =>
                {
                    margin = next;
                }
                _ => break,
            }
        }
        let row = |id| Row {
            id,
            currency,
            at_stake: value.unwrap_or_default(),
            place: Place {
                currency,
                margin: largest,
                id,
            },
        };
        found.extend(ids.into_iter().take(limit - found.len()).map(row));
        if found.len() >= limit {
            break;
        }
        behind = None;
    }
    Ok(found)
}

/// A row whose place is its value, negated, because a model is used.
const fn by_model(currency: Currency, (margin, id): (i64, Uuid)) -> Row {
    Row {
        id,
        currency,
        at_stake: margin.saturating_neg(),
        place: Place {
            currency,
            margin,
            id,
        },
    }
}

/// The rows of an owner, with those replaced that changed by themselves since they were written.
struct List<'a> {
    rows: &'a dyn Rows,
    owner: &'a str,
    changed: BTreeSet<Uuid>,
    fresh: BTreeMap<(Currency, i64), BTreeSet<Uuid>>,
}

impl<'a> List<'a> {
    fn of(rows: &'a dyn Rows, owner: &'a str, now: Time) -> Result<Self, Error> {
        let mut changed = BTreeSet::new();
        let mut fresh: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for partition in partitions(rows)? {
            for id in changing(rows, partition, now)? {
                let Some(mut entry) = WORK.get(rows, &id)? else {
                    continue;
                };
                if entry.owners.contains(owner) {
                    entry.stake = entry.stake.at(rows, id, now)?;
                    changed.insert(id);
                    let key = (entry.currency, entry.order());
                    fresh.entry(key).or_default().insert(id);
                }
            }
        }
        Ok(Self {
            rows,
            owner,
            changed,
            fresh,
        })
    }

    /// The first currency and margin behind these.
    fn behind(&self, last: Option<(Currency, i64)>) -> Result<Option<(Currency, i64)>, Error> {
        let start = last.map_or(Bound::Unbounded, Bound::Excluded);
        let fresh = self.fresh.range((start, Bound::Unbounded)).next();
        let fresh = fresh.map(|(key, _)| *key);
        let mut after = last.map(|(currency, margin)| self.key(currency, margin, Uuid::max()));
        loop {
            let prefix = (self.owner.to_owned(),);
            let next = ORDER.scan(self.rows, &prefix, after.as_ref(), 1)?;
            let Some((key, ())) = next.into_iter().next() else {
                return Ok(fresh);
            };
            let (_, currency, margin, id) = &key;
            if !self.changed.contains(id)
                && let Ok(currency) = currency.parse::<Currency>()
            {
                let stored = (currency, *margin);
                return Ok(Some(fresh.map_or(stored, |fresh| fresh.min(stored))));
            }
            after = Some(key);
        }
    }

    /// The first customers with this margin, behind this one.
    fn customers(
        &self,
        currency: Currency,
        margin: i64,
        behind: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Uuid>, Error> {
        let start = behind.map_or(Bound::Unbounded, Bound::Excluded);
        let fresh = self.fresh.get(&(currency, margin)).into_iter();
        let fresh = fresh.flat_map(|ids| ids.range((start, Bound::Unbounded)).copied());
        let after = behind.map(|id| self.key(currency, margin, id));
        let prefix = (self.owner.to_owned(), currency.to_string(), margin);
        let wanted = limit.saturating_add(self.changed.len());
        let stored = ORDER.scan(self.rows, &prefix, after.as_ref(), wanted)?;
        let stored = stored.into_iter().map(|((.., id), ())| id);
        let stored = stored.filter(|id| !self.changed.contains(id));
        Ok(stored.chain(fresh).collect())
    }

    fn key(&self, currency: Currency, margin: i64, id: Uuid) -> (String, String, i64, Uuid) {
        (self.owner.to_owned(), currency.to_string(), margin, id)
    }
}

/// The partitions of which some margin will change by itself.
fn partitions(rows: &dyn Rows) -> Result<Vec<u32>, Error> {
    let mut found = Vec::new();
    let mut from = 0;
    let end = (u32::MAX, i64::MAX, Uuid::max());
    while let Some(((partition, _, _), ())) = CHANGES
        .range(rows, &(from, i64::MIN, Uuid::nil()), &end, 1)?
        .into_iter()
        .next()
    {
        found.push(partition);
        from = partition.saturating_add(1);
    }
    Ok(found)
}
