//! Work lists in the order of values by a model.
//!
//! Such a value changes with the day and with what the customer does, so no row could keep it. A list is
//! valued once a day and remembered; asked again, only the customers are valued anew of whom something was
//! told since. What is remembered is never more than what the rows say: it is thrown away when in doubt.
//!
//! A long list takes seconds to value, so that is done [before](Rankings::prepare) somebody asks.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows};
use retention_domain::ledger::{Assumptions, Valuation};
use uuid::Uuid;

use super::moved::{self, Told};
use super::{ORDER, WORK};
use crate::read_model::worth::{self, Worth};

/// How many lists are remembered, and how many customers on all of them.
const LISTS: usize = 128;
const CUSTOMERS: usize = 1_000_000;

/// The lists that were asked for last.
///
/// To value one takes a while, so each has a lock of its own: who asks for another list does not wait for it, and
/// who asks for the same one finds it valued.
#[derive(Debug, Default)]
pub(crate) struct Rankings(Mutex<Vec<Arc<Slot>>>);

/// Where a list is remembered.
#[derive(Debug)]
struct Slot {
    list: List,
    /// How many customers are on it.
    size: AtomicUsize,
    ranking: Mutex<Option<Ranking>>,
}

/// An owner, who may be nobody, and a currency.
pub(crate) type ListOf = (String, Currency);

/// Whose list it is, and by what it is valued.
#[derive(Debug, Clone, PartialEq)]
struct List {
    owner: String,
    currency: Currency,
    model: Option<u32>,
    assumptions: Assumptions,
}

/// A list, valued.
#[derive(Debug)]
struct Ranking {
    list: List,
    /// When it was asked for last.
    now: Time,
    told: Told,
    values: HashMap<Uuid, Valued>,
    /// By value, negated, so that the largest is first.
    order: BTreeSet<(i64, Uuid)>,
    /// Customers with something dated ahead, by when that will count.
    ahead: BTreeSet<(Time, Uuid)>,
}

/// What a customer is worth, negated, and when the next of what is dated ahead will count.
#[derive(Debug, Clone, Copy)]
struct Valued {
    value: i64,
    ahead: Option<Time>,
}

impl Rankings {
    /// Up to `limit` customers of a list behind a place, with their values negated.
    pub(super) fn page(
        &self,
        rows: &dyn Rows,
        (owner, currency): (&str, Currency),
        (valuation, now): (&Valuation, Time),
        behind: Option<(i64, Uuid)>,
        limit: usize,
    ) -> Result<Vec<(i64, Uuid)>, Error> {
        let list = List {
            owner: owner.to_owned(),
            currency,
            model: valuation.model(),
            assumptions: valuation.assumptions,
        };
        let slot = self.slot(list);
        let mut held = lock(&slot.ranking);
        // Taken out, so that a failure leaves nothing behind that is half brought up.
        let mut found = held.take();
        let is_usable = match &mut found {
            Some(ranking) => ranking.bring_up(rows, valuation, now)?,
            None => false,
        };
        let ranking = match found.filter(|_| is_usable) {
            Some(ranking) => ranking,
            None => Ranking::new(rows, slot.list.clone(), valuation, now)?,
        };
        let page = ranking.behind(behind, limit);
        slot.size.store(ranking.values.len(), Ordering::Relaxed);
        *held = Some(ranking);
        drop(held);
        forget(&mut lock(&self.0));
        Ok(page)
    }

    /// The lists that may be asked for next: others first, as many as there is room for, and then those that are
    /// remembered, so that whoever was asked for last stays the last to be forgotten.
    pub(crate) fn to_prepare(&self, rows: &dyn Rows, worth: &Worth) -> Result<Vec<ListOf>, Error> {
        let (known, size) = {
            let known = lock(&self.0);
            let of = |slot: &Arc<Slot>| (slot.list.owner.clone(), slot.list.currency);
            let all: Vec<ListOf> = known.iter().map(of).collect();
            (all, size(&known))
        };
        let mut room = LISTS.saturating_sub(known.len());
        let (mut lists, mut after) = (Vec::new(), None);
        // Long lists forget others, which would then be valued over and over again.
        while room > 0
            && size < CUSTOMERS / 2
            && let Some(of) = next_list(rows, after.as_ref())?
        {
            if worth.is_by_model(of.1) && !known.contains(&of) {
                lists.push(of.clone());
                room -= 1;
            }
            after = Some(of);
        }
        lists.extend(known);
        Ok(lists)
    }

    /// Values one of them, if it is by a model. One that is valued already is brought up, which costs next to nothing.
    pub(crate) fn prepare(
        &self,
        rows: &dyn Rows,
        worth: &Worth,
        now: Time,
        (owner, currency): &ListOf,
    ) -> Result<(), Error> {
        let Some(valuation) = worth.model(*currency) else {
            return Ok(());
        };
        let page = self.page(rows, (owner, *currency), (valuation, now), None, 0);
        page.map(drop)
    }

    /// The owners of the lists that are valued, with the customers on them, the one asked for last at the end.
    #[cfg(test)]
    pub(super) fn valued(&self) -> Vec<(String, usize)> {
        let known = lock(&self.0);
        let valued = known.iter().filter_map(|slot| {
            let ranking = lock(&slot.ranking);
            let customers = ranking.as_ref()?.values.len();
            Some((slot.list.owner.clone(), customers))
        });
        valued.collect()
    }

    /// The slot of a list, as the one that was asked for last.
    fn slot(&self, list: List) -> Arc<Slot> {
        let mut known = lock(&self.0);
        let place = known.iter().position(|slot| slot.list == list);
        let slot = place.map(|place| known.remove(place));
        let slot = slot.unwrap_or_else(|| {
            Arc::new(Slot {
                list,
                size: AtomicUsize::new(0),
                ranking: Mutex::default(),
            })
        });
        known.push(Arc::clone(&slot));
        forget(&mut known);
        slot
    }
}

/// How many customers are on these lists.
fn size(known: &[Arc<Slot>]) -> usize {
    let sizes = known.iter().map(|slot| slot.size.load(Ordering::Relaxed));
    sizes.sum()
}

/// The first list behind another one, by owner and currency.
fn next_list(rows: &dyn Rows, after: Option<&ListOf>) -> Result<Option<ListOf>, Error> {
    let behind = after.map(|(owner, currency)| {
        let currency = currency.to_string();
        (owner.clone(), currency, i64::MAX, Uuid::max())
    });
    let next = ORDER.scan(rows, &(), behind.as_ref(), 1)?;
    let next = next.into_iter().next();
    Ok(next.and_then(|((owner, currency, ..), ())| Some((owner, currency.parse().ok()?))))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets the lists that nobody has asked for the longest, if they are too many.
fn forget(known: &mut Vec<Arc<Slot>>) {
    while known.len() > LISTS || (known.len() > 1 && size(known) > CUSTOMERS) {
        known.remove(0);
    }
}

impl Ranking {
    fn new(rows: &dyn Rows, list: List, valuation: &Valuation, now: Time) -> Result<Self, Error> {
        let prefix = (list.owner.clone(), list.currency.to_string());
        let mut ranking = Self {
            list,
            now,
            told: moved::told(rows)?,
            values: HashMap::new(),
            order: BTreeSet::new(),
            ahead: BTreeSet::new(),
        };
        for ((.., id), ()) in ORDER.scan(rows, &prefix, None, usize::MAX)? {
            ranking.value(rows, id, valuation)?;
        }
        Ok(ranking)
    }

    /// Brings it up to these rows and this moment. False if that cannot be done: it is another day, or these
    /// rows are older than what is remembered.
    fn bring_up(
        &mut self,
        rows: &dyn Rows,
        valuation: &Valuation,
        now: Time,
    ) -> Result<bool, Error> {
        let told = moved::told(rows)?;
        let is_behind =
            |(partition, known): (&u32, &u64)| told.get(partition).is_none_or(|it| it < known);
        if now < self.now || now.day() != self.now.day() || self.told.iter().any(is_behind) {
            return Ok(false);
        }
        self.now = now;
        let mut changed = BTreeSet::new();
        for (partition, end) in &told {
            let from = self.told.get(partition).copied().unwrap_or_default();
            if from < *end {
                changed.extend(moved::since(rows, *partition, from)?);
            }
        }
        let due = self.ahead.range(..=(now, Uuid::max()));
        changed.extend(due.map(|(_, id)| *id));
        for id in changed {
            self.value(rows, id, valuation)?;
        }
        self.told = told;
        Ok(true)
    }

    /// Values a customer, if it is on this list now.
    fn value(&mut self, rows: &dyn Rows, id: Uuid, valuation: &Valuation) -> Result<(), Error> {
        if let Some(Valued { value, ahead }) = self.values.remove(&id) {
            self.order.remove(&(value, id));
            if let Some(at) = ahead {
                self.ahead.remove(&(at, id));
            }
        }
        let List {
            owner, currency, ..
        } = &self.list;
        let entry = WORK.get(rows, &id)?;
        if !entry.is_some_and(|it| it.owners.contains(owner) && it.currency == *currency) {
            return Ok(());
        }
        let (value, ahead) = worth::by_model(rows, (*currency, id), valuation, self.now)?;
        let value = value.saturating_neg();
        self.values.insert(id, Valued { value, ahead });
        self.order.insert((value, id));
        self.ahead.extend(ahead.map(|at| (at, id)));
        Ok(())
    }

    fn behind(&self, place: Option<(i64, Uuid)>, limit: usize) -> Vec<(i64, Uuid)> {
        let start = place.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.order.range((start, Bound::Unbounded));
        behind.take(limit).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::Time;
    use read_model::Store;
    use retention_domain::ledger::{Assumptions, Method, Valuation};

    use super::{List, Rankings, lock};
    use crate::story::model::model;
    use crate::story::parsed;

    #[test]
    fn while_one_list_is_valued_another_one_is_shown() {
        let assumptions = Assumptions {
            method: Method::MbgNbd,
            ..Assumptions::default()
        };
        let currency = parsed("EUR");
        let valuation = Valuation::new(assumptions, Some(&model(1)), currency);
        let rankings = Rankings::default();
        let slot = rankings.slot(List {
            owner: "rosa".to_owned(),
            currency,
            model: valuation.model(),
            assumptions,
        });
        let held = lock(&slot.ranking);
        assert!(rankings.0.try_lock().is_ok());
        let by = (&valuation, Time::from_days(100));
        let page =
            Store::in_memory().read(|rows| rankings.page(rows, ("li", currency), by, None, 10));
        assert_eq!(page.unwrap(), []);
        drop(held);
        assert_eq!(lock(&rankings.0).len(), 2);
    }
}
