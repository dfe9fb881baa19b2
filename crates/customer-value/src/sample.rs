//! Customers laid out for a likelihood: each distinct time and each distinct x is worked on once.

use std::ops::Range;

use crate::recency::{Recency, Unit};
use crate::special::real;
use crate::{BadRow, Histogram};

/// The data of a fit, in one order whatever order they came in.
///
/// By the day, the logarithms of a likelihood are needed once a day and not once a customer; with
/// continuous times nothing is shared, and the same code is as fast as a plain loop.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Every distinct tx and T, ascending; by the day, also the days between.
    pub(crate) times: Vec<f64>,
    /// Every distinct x, ascending.
    pub(crate) frequencies: Vec<Frequency>,
    /// Every distinct T, ascending.
    pub(crate) exposures: Vec<Exposure>,
    /// Every distinct (x, tx, T), ascending by x.
    pub(crate) cells: Vec<Packed>,
    customers: u64,
    repeaters: u64,
    repeat_purchases: u64,
}

/// All customers with one number of repeat purchases.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frequency {
    pub(crate) x: u32,
    pub(crate) customers: f64,
    /// Where their cells are.
    pub(crate) cells: Range<usize>,
}

/// What all customers of one age add up to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exposure {
    /// Index into `times`.
    pub(crate) t: u32,
    pub(crate) customers: f64,
    pub(crate) repeat_purchases: f64,
}

/// A cell whose times are indices into `times`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Packed {
    pub(crate) tx: u32,
    pub(crate) t: u32,
    pub(crate) count: f64,
}

/// One customer, or several alike, on the way into a sample.
#[derive(Clone, Copy)]
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
        // The cells of a histogram are distinct and in one order; a stable sort keeps it.
        rows.sort_by_key(|row| row.x);
        let times = (0..=oldest)
            .map(|day| unit.from_days(f64::from(day)))
            .collect();
        Ok(Self::pack(times, &rows))
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
        let mut rows: Vec<Row> = customers
            .iter()
            .map(|c| Row {
                x: c.x(),
                tx: index(c.tx()),
                t: index(c.t()),
                count: 1,
            })
            .collect();
        rows.sort_unstable_by_key(|row| (row.x, row.t, row.tx));
        rows.dedup_by(|next, kept| {
            let same = (next.x, next.t, next.tx) == (kept.x, kept.t, kept.tx);
            if same {
                kept.count += next.count;
            }
            same
        });
        Self::pack(times, &rows)
    }

    /// Lays out distinct rows that are sorted by x.
    fn pack(times: Vec<f64>, rows: &[Row]) -> Self {
        let mut sample = Self {
            exposures: exposures(times.len(), rows),
            frequencies: Vec::new(),
            cells: Vec::with_capacity(rows.len()),
            customers: rows.iter().map(|row| row.count).sum(),
            repeaters: rows.iter().filter(|r| r.x > 0).map(|row| row.count).sum(),
            repeat_purchases: rows.iter().map(|r| u64::from(r.x) * r.count).sum(),
            times,
        };
        for alike in rows.chunk_by(|a, b| a.x == b.x) {
            let start = sample.cells.len();
            sample.cells.extend(alike.iter().map(|row| Packed {
                tx: row.tx,
                t: row.t,
                count: real(row.count),
            }));
            sample.frequencies.push(Frequency {
                x: alike.first().map_or(0, |row| row.x),
                customers: real(alike.iter().map(|row| row.count).sum()),
                cells: start..sample.cells.len(),
            });
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

fn exposures(times: usize, rows: &[Row]) -> Vec<Exposure> {
    let mut by_age = vec![(0_u64, 0_u64); times];
    for row in rows {
        if let Some((customers, repeat_purchases)) = by_age.get_mut(row.t as usize) {
            *customers += row.count;
            *repeat_purchases += u64::from(row.x) * row.count;
        }
    }
    (0..)
        .zip(by_age)
        .filter(|(_, (customers, _))| *customers > 0)
        .map(|(t, (customers, repeat_purchases))| Exposure {
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
        assert_eq!(sample.frequencies[0].cells, 0..1);
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
