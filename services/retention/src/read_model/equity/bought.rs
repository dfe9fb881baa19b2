//! How many purchases of a currency were known when: a model goes stale as they grow.

use eventsourcing::Time;
use money::Currency;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::Event;
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use server::Known;

/// By currency, partition and offset: the purchases that the partition holds up to there.
const BOUGHT: Table<(String, u32, u64), Count> = Table::new("bought");

/// Purchases up to a record, and when that was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    purchases: u64,
    at: Time,
}

/// How many purchases of a currency were known.
pub(crate) fn known(rows: &dyn Rows, currency: Currency, known: &Known) -> Result<u64, Error> {
    let code = currency.to_string();
    let mut sum = 0;
    let mut from = 0;
    let end = (code.clone(), u32::MAX, u64::MAX);
    loop {
        let next = BOUGHT.range(rows, &(code.clone(), from, 0), &end, 1)?;
        let Some(((_, partition, _), _)) = next.into_iter().next() else {
            return Ok(sum);
        };
        let count = match known {
            Known::Before(position) => before(rows, &code, partition, position.get(partition))?,
            Known::At(time) => at(rows, &code, partition, *time)?,
        };
        sum += count.map_or(0, |(_, count)| count.purchases);
        from = partition.saturating_add(1);
    }
}

/// The last record of a partition before an offset.
fn before(
    rows: &dyn Rows,
    code: &str,
    partition: u32,
    offset: u64,
) -> Result<Option<(u64, Count)>, Error> {
    let behind = (code.to_owned(), partition, offset);
    let prefix = (code.to_owned(), partition);
    let found = BOUGHT.scan_rev(rows, &prefix, Some(&behind), 1)?;
    Ok(found
        .into_iter()
        .next()
        .map(|((_, _, offset), count)| (offset, count)))
}

/// The last record of a partition at a time or before. Recorded time never steps back, so it is found by
/// halves.
fn at(
    rows: &dyn Rows,
    code: &str,
    partition: u32,
    time: Time,
) -> Result<Option<(u64, Count)>, Error> {
    let last = before(rows, code, partition, u64::MAX)?;
    let Some((offset, count)) = last else {
        return Ok(None);
    };
    if count.at <= time {
        return Ok(last);
    }
    // Everything before `low` is early enough, and what is last before `high` is too late.
    let (mut low, mut high) = (0, offset.saturating_add(1));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match before(rows, code, partition, middle)? {
            Some((offset, count)) if count.at > time => high = offset.saturating_add(1),
            _ => low = middle,
        }
    }
    before(rows, code, partition, low)
}

/// Counts an event, if it is a purchase.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    event: &Event,
    recorded: Recorded,
) -> Result<(), Error> {
    let Event::PurchaseRecorded(bought) = event else {
        return Ok(());
    };
    let (code, partition) = (bought.amount.currency.to_string(), recorded.partition);
    let so_far = before(rows, &code, partition, u64::MAX)?;
    let count = Count {
        purchases: so_far.map_or(0, |(_, count)| count.purchases) + 1,
        at: recorded.at,
    };
    BOUGHT.put(rows, &(code, partition, recorded.offset), &count)
}

#[cfg(test)]
mod tests {
    use journal::Position;
    use read_model::Store;
    use runtime::Recorded;
    use server::Known;
    use uuid::Uuid;

    use super::{apply, known};
    use crate::story::{bought_in, day, parsed};

    #[test]
    fn purchases_are_counted_as_they_were_known() {
        let store = Store::in_memory();
        let mut tx = store.begin().unwrap();
        // Two partitions; a record may hold several purchases, and days are recorded in order.
        let told = [
            (0, 3),
            (0, 3),
            (0, 5),
            (1, 4),
            (0, 9),
            (0, 10),
            (0, 15),
            (1, 20),
        ];
        for (n, (partition, offset)) in told.into_iter().enumerate() {
            let event = bought_in("EUR", &format!("p{n}"), 100, 100);
            let at = day(1_000 + i64::try_from(offset).unwrap());
            let recorded = Recorded {
                partition,
                offset,
                at,
            };
            apply(&mut tx, &event, recorded).unwrap();
        }
        store.commit(tx).unwrap();
        let count = |knowledge: &Known| {
            let count = |code: &str| store.read(|rows| known(rows, parsed(code), knowledge));
            (count("EUR").unwrap(), count("USD").unwrap())
        };
        for limit in 0..22 {
            let mut position = Position::start(Uuid::nil(), 2);
            position.advance(0, limit);
            position.advance(1, limit);
            let expected = told.iter().filter(|(_, offset)| *offset < limit).count();
            let expected = (u64::try_from(expected).unwrap(), 0);
            assert_eq!(count(&Known::Before(position)), expected, "before {limit}");
            // The same by time: the day of a record is its offset.
            let time = day(1_000 + i64::try_from(limit).unwrap() - 1);
            assert_eq!(count(&Known::At(time)), expected, "before day {limit}");
        }
    }
}
