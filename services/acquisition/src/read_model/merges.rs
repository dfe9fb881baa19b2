//! Which prospects were merged into which, and which of them are still to be absorbed.
//!
//! A merge happens to the source, the absorption to the prospect that goes on, and the two may lie in
//! different partitions. So each leaves its own mark on the source's row, in whatever order they come.

use acquisition_domain::prospect::Event;
use read_model::{Error, Rows, RowsMut, Table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::prospects;

const MERGED: Table<(Uuid, Uuid), ()> = Table::new("merged");
const ABSORPTIONS: Table<Uuid, Absorption> = Table::new("absorption");
const DUE: Table<Uuid, ()> = Table::new("absorption-due");

/// What is known of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Absorption {
    merged: bool,
    /// Its last part is absorbed.
    done: bool,
}

/// Sources that are merged and not absorbed yet.
pub(crate) fn due(rows: &dyn Rows, limit: usize) -> Result<Vec<Uuid>, Error> {
    let due = DUE.scan(rows, &(), None, limit)?;
    Ok(due.into_iter().map(|(source, ())| source).collect())
}

/// The prospects that were merged into this one directly.
pub(crate) fn sources(rows: &dyn Rows, id: Uuid) -> Result<Vec<Uuid>, Error> {
    let found = MERGED.scan(rows, &(id,), None, usize::MAX)?;
    Ok(found.into_iter().map(|((_, source), ())| source).collect())
}

/// How many touches a prospect has, with those of all that are merged into it and not absorbed yet.
pub(crate) fn touches(rows: &dyn Rows, id: Uuid) -> Result<u32, Error> {
    let mut count = 0_u32;
    let mut all = vec![id];
    while let Some(id) = all.pop() {
        let state = prospects::get(rows, id)?.unwrap_or_default();
        count = count.saturating_add(state.touch_count);
        for source in sources(rows, id)? {
            if DUE.contains(rows, &source)? {
                all.push(source);
            }
        }
    }
    Ok(count)
}

/// Lets an event of a prospect happen.
pub(crate) fn apply(rows: &mut dyn RowsMut, id: Uuid, event: &Event) -> Result<(), Error> {
    match event {
        Event::Merged { into, .. } => {
            MERGED.put(rows, &(*into, id), &())?;
            mark(rows, id, |absorption| absorption.merged = true)
        }
        Event::Absorbed {
            from, part, parts, ..
        } if part == parts => mark(rows, *from, |absorption| absorption.done = true),
        Event::Absorbed { .. }
        | Event::Created { .. }
        | Event::TouchpointRecorded { .. }
        | Event::Qualified { .. }
        | Event::Converted { .. }
        | Event::Closed { .. }
        | Event::Identified { .. }
        | Event::Reopened { .. }
        | Event::ConsentChanged { .. }
        | Event::Erased { .. }
        | Event::KeysDestroyed { .. } => Ok(()),
    }
}

fn mark(
    rows: &mut dyn RowsMut,
    source: Uuid,
    change: impl FnOnce(&mut Absorption),
) -> Result<(), Error> {
    let mut absorption = ABSORPTIONS.get(rows, &source)?.unwrap_or_default();
    change(&mut absorption);
    if absorption.merged && !absorption.done {
        DUE.put(rows, &source, &())?;
    } else {
        DUE.delete(rows, &source);
    }
    ABSORPTIONS.put(rows, &source, &absorption)
}

#[cfg(test)]
mod tests {
    use acquisition_domain::prospect::{Event, Kind, Origin, Touch, TouchKind, Touchpoint};
    use eventsourcing::Time;
    use read_model::{Error, Rows, Store};
    use uuid::Uuid;

    use super::{due, sources, touches};
    use crate::read_model::{merges, prospects};

    const ROOT: Uuid = Uuid::from_u128(1);
    const MIDDLE: Uuid = Uuid::from_u128(2);
    const LEAF: Uuid = Uuid::from_u128(3);

    fn created() -> Event {
        Event::Created {
            origin: Origin {
                kind: Kind::Person,
                source: "fair".to_owned(),
                created_at: Time::EPOCH,
            },
        }
    }

    fn touched(number: u32) -> Event {
        let touch = Touch {
            campaign: None,
            presentation_id: None,
            channel: "fair".to_owned(),
            kind: TouchKind::Meeting,
            utm: None,
        };
        Event::TouchpointRecorded {
            touchpoint_id: format!("t{number}").parse().unwrap(),
            touchpoint: Touchpoint {
                touch,
                occurred_at: Time::EPOCH,
            },
        }
    }

    fn merged(into: Uuid) -> Event {
        Event::Merged {
            into,
            occurred_at: Time::EPOCH,
        }
    }

    fn absorbed(rows: &dyn Rows, from: Uuid, part: u32) -> Event {
        let touches = prospects::takeover(rows, from).unwrap();
        let half = touches.len() / 2;
        let touches = match part {
            1 => touches[..half].to_vec(),
            _ => touches[half..].to_vec(),
        };
        Event::Absorbed {
            from,
            part,
            parts: 2,
            touches,
            consents: vec![],
            occurred_at: Time::EPOCH,
        }
    }

    /// Three prospects with 1, 2 and 4 touches.
    fn family() -> Store {
        let store = Store::in_memory();
        for (id, count) in [(ROOT, 1), (MIDDLE, 2), (LEAF, 4)] {
            happen(&store, id, &created());
            (0..count).for_each(|number| happen(&store, id, &touched(number)));
        }
        store
    }

    fn happen(store: &Store, id: Uuid, event: &Event) {
        let mut tx = store.begin().unwrap();
        prospects::apply(&mut tx, id, event).unwrap();
        merges::apply(&mut tx, id, event).unwrap();
        store.commit(tx).unwrap();
    }

    fn read<T>(store: &Store, read: impl FnOnce(&dyn Rows) -> Result<T, Error>) -> T {
        store.read(|rows| read(rows)).unwrap()
    }

    #[test]
    fn what_is_merged_counts_before_it_is_absorbed_and_once_after() {
        let store = family();
        happen(&store, LEAF, &merged(MIDDLE));
        happen(&store, MIDDLE, &merged(ROOT));
        assert_eq!(read(&store, |rows| touches(rows, ROOT)), 7);
        assert_eq!(read(&store, |rows| due(rows, 9)), [MIDDLE, LEAF]);
        assert_eq!(read(&store, |rows| sources(rows, ROOT)), [MIDDLE]);
        for source in [MIDDLE, LEAF] {
            for part in [1, 2] {
                let event = read(&store, |rows| Ok(absorbed(rows, source, part)));
                happen(&store, ROOT, &event);
            }
        }
        assert_eq!(read(&store, |rows| touches(rows, ROOT)), 7);
        assert!(read(&store, |rows| due(rows, 9)).is_empty());
    }

    #[test]
    fn a_source_is_due_until_its_last_part_is_absorbed() {
        let store = family();
        happen(&store, LEAF, &merged(ROOT));
        let first = read(&store, |rows| Ok(absorbed(rows, LEAF, 1)));
        happen(&store, ROOT, &first);
        assert_eq!(read(&store, |rows| due(rows, 9)), [LEAF]);
        let last = read(&store, |rows| Ok(absorbed(rows, LEAF, 2)));
        happen(&store, ROOT, &last);
        assert!(read(&store, |rows| due(rows, 9)).is_empty());
    }

    #[test]
    fn the_order_between_partitions_does_not_matter() {
        let digest = |merge_first: bool| {
            let store = family();
            let parts = [1, 2].map(|part| read(&store, |rows| Ok(absorbed(rows, LEAF, part))));
            if merge_first {
                happen(&store, LEAF, &merged(ROOT));
            }
            for part in &parts {
                happen(&store, ROOT, part);
            }
            if !merge_first {
                happen(&store, LEAF, &merged(ROOT));
            }
            assert!(read(&store, |rows| due(rows, 9)).is_empty());
            store.digest()
        };
        assert_eq!(digest(true), digest(false));
    }
}
