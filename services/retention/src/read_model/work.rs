//! The work list: the customers of each owner for whom something is to be done, the largest stake first.
//!
//! Values by a model are in no order that rows could keep: `ranking.rs`. For SIMPLE,
//! rows are kept in the order of the margin at stake, which the value follows, so that a page costs the
//! same wherever it is. A margin changes without an event when a purchase is a year old; whose does so
//! next is kept as well. Rows of a partition are brought up to its recorded time by its events, and a
//! page brings the few that changed since up to its own present.

mod moved;
mod page;
mod ranking;
mod stake;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::Customer;
use retention_domain::promise::Promise;
use retention_domain::risk::Band;
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::margins::Margin;
pub(crate) use page::{Asked, Place, Row, page};
pub(crate) use ranking::Rankings;
use stake::Stake;

const WORK: Table<Uuid, Entry> = Table::new("work");
/// By owner, currency, the margin at stake (negated, so that the largest is first) and customer.
const ORDER: Table<(String, String, i64, Uuid), ()> = Table::new("work-order");
/// By partition, the microsecond when the margin changes by itself, and customer.
const CHANGES: Table<(u32, i64, Uuid), ()> = Table::new("work-changes");

/// A customer for whom something is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// Whose list it is on; the empty owner is nobody.
    owners: BTreeSet<String>,
    currency: Currency,
    stake: Stake,
    partition: u32,
}

impl Entry {
    /// Where it stands among those of its currency. Who costs money is not worth less than nothing.
    fn order(&self) -> i64 {
        self.stake.margin.max(0).saturating_neg()
    }

    fn put(&self, rows: &mut dyn RowsMut, id: Uuid) -> Result<(), Error> {
        for owner in &self.owners {
            let key = (owner.clone(), self.currency.to_string(), self.order(), id);
            ORDER.put(rows, &key, &())?;
        }
        if let Some(at) = self.stake.changes_at {
            CHANGES.put(rows, &(self.partition, at.micros(), id), &())?;
        }
        WORK.put(rows, &id, self)
    }

    fn delete(&self, rows: &mut dyn RowsMut, id: Uuid) {
        for owner in &self.owners {
            let key = (owner.clone(), self.currency.to_string(), self.order(), id);
            ORDER.delete(rows, &key);
        }
        if let Some(at) = self.stake.changes_at {
            CHANGES.delete(rows, &(self.partition, at.micros(), id));
        }
        WORK.delete(rows, &id);
    }
}

/// A customer stands as it does in `state` now.
pub(crate) fn changed(
    rows: &mut dyn RowsMut,
    id: Uuid,
    state: &Customer,
    recorded: Recorded,
) -> Result<(), Error> {
    let before = WORK.get(rows, &id)?;
    let owners = owners(state);
    let relationship = state.relationship.as_ref();
    let after = match relationship.filter(|_| !owners.is_empty()) {
        None => None,
        Some(relationship) => Some(Entry {
            owners,
            currency: relationship.currency,
            stake: match &before {
                Some(known) => known.stake,
                None => Stake::measured(rows, id, recorded.at)?,
            },
            partition: recorded.partition,
        }),
    };
    if before == after {
        return Ok(());
    }
    if let Some(before) = before {
        before.delete(rows, id);
    }
    after.map_or(Ok(()), |after| after.put(rows, id))
}

/// A customer left a margin just now. Its partition was [brought up](bring_up) before that was noted.
pub(crate) fn left(
    rows: &mut dyn RowsMut,
    id: Uuid,
    margin: &Margin,
    recorded: Recorded,
) -> Result<(), Error> {
    let Some(entry) = WORK.get(rows, &id)? else {
        return Ok(());
    };
    entry.delete(rows, id);
    let stake = entry.stake.at(rows, id, recorded.at)?.with(margin);
    Entry { stake, ..entry }.put(rows, id)
}

/// Something has happened to a customer, and is in all its rows here.
pub(crate) fn moved(rows: &mut dyn RowsMut, id: Uuid, recorded: Recorded) -> Result<(), Error> {
    moved::note(rows, id, recorded)
}

/// Brings the margins of a partition that change by themselves up to its recorded time.
pub(crate) fn bring_up(rows: &mut dyn RowsMut, recorded: Recorded) -> Result<(), Error> {
    let to = recorded.at;
    for id in changing(rows, recorded.partition, to)? {
        if let Some(entry) = WORK.get(rows, &id)? {
            let stake = entry.stake.at(rows, id, to)?;
            entry.delete(rows, id);
            Entry { stake, ..entry }.put(rows, id)?;
        }
    }
    Ok(())
}

/// The customers of a partition whose margins have changed by themselves up to a moment.
fn changing(rows: &dyn Rows, partition: u32, to: Time) -> Result<Vec<Uuid>, Error> {
    let start = (partition, i64::MIN, Uuid::nil());
    let end = (partition, to.micros().saturating_add(1), Uuid::nil());
    let found = CHANGES.range(rows, &start, &end, usize::MAX)?;
    Ok(found.into_iter().map(|((_, _, id), ())| id).collect())
}

/// On whose lists a customer is: on that of whoever looks after it, if there is something to be done, and
/// on that of whoever should take one of the actions.
fn owners(state: &Customer) -> BTreeSet<String> {
    let Some(relationship) = &state.relationship else {
        return BTreeSet::new();
    };
    let actions = state.open_actions.values();
    let overdue = state.promises.values().any(Promise::is_noted_overdue);
    let reason = !state.open_actions.is_empty()
        || state.risk.band > Band::Low
        || (overdue && !relationship.is_lost());
    let assignment = relationship.assignment.as_ref();
    let owner = assignment.map(|assignment| assignment.owner.to_string());
    let owner = reason.then(|| owner.unwrap_or_default());
    let others = actions.filter_map(|action| action.owner.as_ref());
    owner
        .into_iter()
        .chain(others.map(ToString::to_string))
        .collect()
}
