//! Who on any work list was last told of when: whoever remembers a list asks here what it has missed.

use std::collections::BTreeMap;

use read_model::{Error, Rows, RowsMut, Table};
use runtime::Recorded;
use uuid::Uuid;

use super::WORK;

/// By partition and offset of the last event of a customer, and customer.
const MOVED: Table<(u32, u64, Uuid), ()> = Table::new("work-moved");
/// The same by customer. Whoever was on a list once stays here, so that leaving it is noticed.
const LAST: Table<Uuid, (u32, u64)> = Table::new("work-last");

/// How far each partition had told of customers on lists: the offset behind the last event.
pub(super) type Told = BTreeMap<u32, u64>;

/// Something has happened to a customer.
pub(super) fn note(rows: &mut dyn RowsMut, id: Uuid, recorded: Recorded) -> Result<(), Error> {
    let place = (recorded.partition, recorded.offset);
    match LAST.get(rows, &id)? {
        Some(last) if last == place => return Ok(()),
        Some((partition, offset)) => MOVED.delete(rows, &(partition, offset, id)),
        None if WORK.contains(rows, &id)? => {}
        None => return Ok(()),
    }
    MOVED.put(rows, &(place.0, place.1, id), &())?;
    LAST.put(rows, &id, &place)
}

/// How far each partition has told.
pub(super) fn told(rows: &dyn Rows) -> Result<Told, Error> {
    let mut told = Told::new();
    let mut from = 0;
    let end = (u32::MAX, u64::MAX, Uuid::max());
    loop {
        let first = MOVED.range(rows, &(from, 0, Uuid::nil()), &end, 1)?;
        let Some(((partition, ..), ())) = first.into_iter().next() else {
            return Ok(told);
        };
        let last = MOVED.scan_rev(rows, &(partition,), None, 1)?;
        told.extend(
            last.iter()
                .map(|((_, offset, _), ())| (partition, offset + 1)),
        );
        from = partition.saturating_add(1);
    }
}

/// Who was told of in a partition from an offset on.
pub(super) fn since(rows: &dyn Rows, partition: u32, from: u64) -> Result<Vec<Uuid>, Error> {
    let start = (partition, from, Uuid::nil());
    let end = (partition, u64::MAX, Uuid::max());
    let found = MOVED.range(rows, &start, &end, usize::MAX)?;
    Ok(found.into_iter().map(|((_, _, id), ())| id).collect())
}
