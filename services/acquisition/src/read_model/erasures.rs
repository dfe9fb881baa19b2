//! What is left to do for people who are erased: their keys, and those who turned out to be the same person.
//!
//! A merge happens to the source and an erasure to the prospect that goes on, and the two may lie in different
//! partitions. Whether the source is due follows from both states, looked at whenever one of them changes.

use acquisition_domain::prospect::Event;
use read_model::{Error, Rows, RowsMut, Table};
use uuid::Uuid;

use super::{merges, prospects};

const KEYS: Table<Uuid, ()> = Table::new("erasure-due");
const MERGED: Table<Uuid, ()> = Table::new("erasure-merged");

/// Erased prospects whose keys are not known to be destroyed.
pub(crate) fn keys_due(rows: &dyn Rows, limit: usize) -> Result<Vec<Uuid>, Error> {
    let due = KEYS.scan(rows, &(), None, limit)?;
    Ok(due.into_iter().map(|(id, ())| id).collect())
}

/// Prospects that were merged into one that is erased, and are not erased themselves.
pub(crate) fn merged_due(rows: &dyn Rows, limit: usize) -> Result<Vec<Uuid>, Error> {
    let due = MERGED.scan(rows, &(), None, limit)?;
    Ok(due.into_iter().map(|(id, ())| id).collect())
}

/// Lets an event of a prospect happen, after it has changed the prospect and the merges.
pub(crate) fn apply(rows: &mut dyn RowsMut, id: Uuid, event: &Event) -> Result<(), Error> {
    match event {
        Event::Erased { .. } => {
            KEYS.put(rows, &id, &())?;
            MERGED.delete(rows, &id);
            for source in merges::sources(rows, id)? {
                look(rows, source, id)?;
            }
            Ok(())
        }
        Event::Merged { into, .. } => look(rows, id, *into),
        Event::KeysDestroyed { .. } => {
            KEYS.delete(rows, &id);
            Ok(())
        }
        Event::Created { .. }
        | Event::TouchpointRecorded { .. }
        | Event::Qualified { .. }
        | Event::Converted { .. }
        | Event::Closed { .. }
        | Event::Identified { .. }
        | Event::Reopened { .. }
        | Event::Absorbed { .. }
        | Event::ConsentChanged { .. } => Ok(()),
    }
}

fn look(rows: &mut dyn RowsMut, source: Uuid, into: Uuid) -> Result<(), Error> {
    let is_erased = |id| -> Result<bool, Error> {
        let state = prospects::get(rows, id)?;
        Ok(state.is_some_and(|state| state.erased_at.is_some()))
    };
    if is_erased(into)? && !is_erased(source)? {
        MERGED.put(rows, &source, &())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use acquisition_domain::prospect::{Event, Kind, Origin};
    use eventsourcing::Time;
    use read_model::Store;
    use uuid::Uuid;

    use super::{keys_due, merged_due};
    use crate::read_model::{erasures, merges, prospects};

    const ROOT: Uuid = Uuid::from_u128(1);
    const LEAF: Uuid = Uuid::from_u128(2);

    fn happen(store: &Store, id: Uuid, event: &Event) {
        let mut tx = store.begin().unwrap();
        prospects::apply(&mut tx, id, event).unwrap();
        merges::apply(&mut tx, id, event).unwrap();
        erasures::apply(&mut tx, id, event).unwrap();
        store.commit(tx).unwrap();
    }

    fn created() -> Event {
        Event::Created {
            origin: Origin {
                kind: Kind::Person,
                source: "fair".to_owned(),
                created_at: Time::EPOCH,
            },
        }
    }

    fn erased() -> Event {
        Event::Erased {
            erased_at: Time::EPOCH,
        }
    }

    fn merged() -> Event {
        Event::Merged {
            into: ROOT,
            occurred_at: Time::EPOCH,
        }
    }

    #[test]
    fn whoever_was_merged_into_somebody_erased_is_due_in_any_order() {
        let mut digests = Vec::new();
        for merge_first in [true, false] {
            let store = Store::in_memory();
            happen(&store, ROOT, &created());
            happen(&store, LEAF, &created());
            let mut events = [(LEAF, merged()), (ROOT, erased())];
            if !merge_first {
                events.reverse();
            }
            for (id, event) in &events {
                happen(&store, *id, event);
            }
            assert_eq!(store.read(|rows| merged_due(rows, 9)).unwrap(), [LEAF]);
            assert_eq!(store.read(|rows| keys_due(rows, 9)).unwrap(), [ROOT]);
            digests.push(store.digest());
            happen(&store, LEAF, &erased());
            assert!(store.read(|rows| merged_due(rows, 9)).unwrap().is_empty());
        }
        assert_eq!(digests[0], digests[1]);
    }

    #[test]
    fn keys_are_due_until_they_are_destroyed() {
        let store = Store::in_memory();
        happen(&store, ROOT, &created());
        happen(&store, ROOT, &erased());
        assert_eq!(store.read(|rows| keys_due(rows, 9)).unwrap(), [ROOT]);
        let destroyed_at = Time::EPOCH;
        happen(&store, ROOT, &Event::KeysDestroyed { destroyed_at });
        assert!(store.read(|rows| keys_due(rows, 9)).unwrap().is_empty());
    }
}
