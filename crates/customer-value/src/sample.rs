//! Customers laid out for a likelihood: each distinct time and each distinct x is worked on once.

use crate::recency::{Recency, Unit};
use crate::special::real;
use crate::{BadRow, Histogram};

/// The data of a fit, in one order whatever order they came in.
///
/// By the day, the logarithms of a likelihood are needed once a day and not once a customer; with
/// continuous times nothing is shared, and the same code is as fast as a plain loop.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Every distinct tx and T, ascending.
    pub(crate) times: Vec<f64>,
    /// Every distinct x, ascending, with its number of customers.
    pub(crate) frequencies: Vec<(u32, f64)>,
    /// Every distinct T, ascending.
    pub(crate) exposures: Vec<Exposure>,
    /// Every distinct (x, tx, T), ascending by x.
    pub(crate) cells: Vec<Packed>,
    /// How many of the first cells have x = 0.
    pub(crate) one_time: usize,
    customers: u64,
    repeaters: u64,
    repeat_purchases: u64,
}

/// What all customers of one age add up to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exposure {
    /// Index into `times`.
    pub(crate) t: u32,
    pub(crate) customers: f64,
    pub(crate) repeat_purchases: f64,
}

/// A cell whose numbers are indices into `frequencies` and `times`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Packed {
    pub(crate) x: u32,
    pub(crate) tx: u32,
    pub(crate) t: u32,
    pub(crate) count: f64,
}

/// One customer, or several alike, on the way into a sample.
#[derive(Clone, Copy, PartialEq)]
struct Row {
    x: u32,
    tx: u32,
    t: u32,
    count: u64,
}

impl Sample {
    /// The customers of `histogram` as seen at the end of the day `as_of`.
    ///
    /// A cell with a purchase after `as_of` is a [`BadRow`]: build the histogram as of the same day.
    pub fn by_day(histogram: &Histogram, as_of: i32, unit: Unit) -> Result<Self, BadRow> {
        let mut rows = Vec::with_capacity(histogram.iter().len());
        let mut oldest = 0;
        for (cell, count) in histogram.iter() {
            let (tx, t) = cell.ages(as_of)?;
            oldest = oldest.max(t);
            rows.push(Row {
                x: cell.x(),
                tx,
                t,
                count,
            });
        }
        let times = (0..=oldest)
            .map(|day| unit.from_days(f64::from(day)))
            .collect();
        Ok(Self::pack(times, rows))
    }

    /// Customers with times of any kind, in the unit that alpha shall be per.
    pub fn continuous(customers: &[Recency]) -> Self {
        let mut times: Vec<f64> = customers.iter().flat_map(|c| [c.tx(), c.t()]).collect();
        times.sort_unstable_by(f64::total_cmp);
        times.dedup();
        let index = |time: f64| {
            let place = times.partition_point(|other| *other < time);
            u32::try_from(place).unwrap_or(u32::MAX)
        };
        let rows = customers
            .iter()
            .map(|c| Row {
                x: c.x(),
                tx: index(c.tx()),
                t: index(c.t()),
                count: 1,
            })
            .collect();
        Self::pack(times, rows)
    }

    fn pack(times: Vec<f64>, mut rows: Vec<Row>) -> Self {
        rows.sort_unstable_by_key(|row| (row.x, row.t, row.tx));
        rows.dedup_by(|next, kept| {
            let same = (next.x, next.t, next.tx) == (kept.x, kept.t, kept.tx);
            if same {
                kept.count += next.count;
            }
            same
        });
        let mut sample = Self {
            exposures: exposures(&rows),
            frequencies: Vec::new(),
            cells: Vec::with_capacity(rows.len()),
            one_time: rows.partition_point(|row| row.x == 0),
            customers: rows.iter().map(|row| row.count).sum(),
            repeaters: rows.iter().filter(|r| r.x > 0).map(|row| row.count).sum(),
            repeat_purchases: rows.iter().map(|r| u64::from(r.x) * r.count).sum(),
            times,
        };
        for (index, alike) in rows.chunk_by(|a, b| a.x == b.x).enumerate() {
            let (mut customers, x) = (0, alike.first().map_or(0, |row| row.x));
            for row in alike {
                customers += row.count;
                sample.cells.push(Packed {
                    x: u32::try_from(index).unwrap_or(u32::MAX),
                    tx: row.tx,
                    t: row.t,
                    count: real(row.count),
                });
            }
            sample.frequencies.push((x, real(customers)));
        }
        sample
    }

    /// How many customers there are.
    pub const fn customers(&self) -> u64 {
        self.customers
    }

    /// How many of them came back at least once.
    pub const fn repeaters(&self) -> u64 {
        self.repeaters
    }

    /// The sum of x.
    pub const fn repeat_purchases(&self) -> u64 {
        self.repeat_purchases
    }

    /// The sum of T, in units of time.
    pub(crate) fn exposure(&self) -> f64 {
        self.exposures
            .iter()
            .filter_map(|e| Some(e.customers * self.times.get(e.t as usize)?))
            .sum()
    }
}

fn exposures(rows: &[Row]) -> Vec<Exposure> {
    let mut by_age: Vec<(u32, u64, u64)> = rows
        .iter()
        .map(|row| (row.t, row.count, u64::from(row.x) * row.count))
        .collect();
    by_age.sort_unstable();
    by_age.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
            kept.2 += next.2;
        }
        same
    });
    by_age
        .into_iter()
        .map(|(t, customers, repeat_purchases)| Exposure {
            t,
            customers: real(customers),
            repeat_purchases: real(repeat_purchases),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Sample;
    use crate::{BadRow, Cell, Histogram, Recency, Unit};

    #[test]
    fn customers_alike_become_one_cell() {
        let alike = Recency::new(2, 1.5, 3.0).unwrap();
        let other = Recency::new(0, 0.0, 3.0).unwrap();
        let sample = Sample::continuous(&[alike, other, alike]);
        assert_eq!(sample.cells.len(), 2);
        assert_eq!(sample.one_time, 1);
        assert_eq!(sample.times, [0.0, 1.5, 3.0]);
        assert_eq!(
            (
                sample.customers(),
                sample.repeaters(),
                sample.repeat_purchases()
            ),
            (3, 2, 4)
        );
        assert!((sample.exposure() - 9.0).abs() < 1e-12);
    }

    #[test]
    fn a_purchase_after_as_of_is_not_ignored() {
        let histogram: Histogram = [Cell::new(0, 9, 1).unwrap()].into_iter().collect();
        assert_eq!(
            Sample::by_day(&histogram, 8, Unit::Weeks).unwrap_err(),
            BadRow::LastAfterAsOf
        );
    }
}
