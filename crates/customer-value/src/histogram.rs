//! The input of a fit: how many customers have each history.
//!
//! A histogram is a sum of whole numbers, so partitions can count on their own and be added in any order;
//! it lists its cells in one order, so whatever is computed from it has the same bits.

use crate::recency::Cell;

/// `(first_day, last_day, x) -> count`, in ascending order of the cell, without zeros.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    cells: Vec<(Cell, u64)>,
}

impl Histogram {
    /// Adds all customers of another partition.
    pub fn merge(&mut self, other: &Self) {
        let mut cells = Vec::with_capacity(self.cells.len().max(other.cells.len()));
        let (mut ours, mut theirs) = (self.cells.iter().peekable(), other.cells.iter().peekable());
        while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
            match a.0.cmp(&b.0) {
                std::cmp::Ordering::Less => cells.extend(ours.next()),
                std::cmp::Ordering::Greater => cells.extend(theirs.next()),
                std::cmp::Ordering::Equal => {
                    cells.push((a.0, a.1 + b.1));
                    ours.next();
                    theirs.next();
                }
            }
        }
        cells.extend(ours);
        cells.extend(theirs);
        self.cells = cells;
    }

    /// The cells with their counts, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Cell, u64)> + '_ {
        self.cells.iter().copied()
    }

    /// How many customers there are.
    pub fn customers(&self) -> u64 {
        self.cells.iter().map(|(_, count)| count).sum()
    }

    fn collapse(mut cells: Vec<(Cell, u64)>) -> Self {
        cells.sort_unstable_by_key(|(cell, _)| *cell);
        cells.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        cells.retain(|(_, count)| *count > 0);
        cells.shrink_to_fit();
        Self { cells }
    }
}

impl FromIterator<Cell> for Histogram {
    fn from_iter<I: IntoIterator<Item = Cell>>(customers: I) -> Self {
        let mut customers: Vec<Cell> = customers.into_iter().collect();
        let cells = count_packed(&customers).unwrap_or_else(|| {
            customers.sort_unstable();
            count(&customers)
        });
        Self { cells }
    }
}

/// Counts sorted customers.
fn count<T: Copy + PartialEq>(sorted: &[T]) -> Vec<(T, u64)> {
    sorted
        .chunk_by(|a, b| a == b)
        .filter_map(|same| Some((*same.first()?, u64::try_from(same.len()).ok()?)))
        .collect()
}

/// Sorts and counts customers as single numbers, several times faster than as triples; `None` in the unlikely case that
/// the days and counts do not fit into 64 bits together.
fn count_packed(customers: &[Cell]) -> Option<Vec<(Cell, u64)>> {
    let first = customers.iter().map(|cell| cell.first_day()).min()?;
    let parts = |cell: &Cell| {
        let (since, span) = (
            cell.first_day().wrapping_sub(first).cast_unsigned(),
            cell.last_day()
                .wrapping_sub(cell.first_day())
                .cast_unsigned(),
        );
        (since, span, cell.x())
    };
    let all = customers
        .iter()
        .map(parts)
        .fold((0, 0, 0), |all, (since, span, x)| {
            (all.0 | since, all.1 | span, all.2 | x)
        });
    let width = |part: u32| u32::BITS - part.leading_zeros();
    let (span_bits, x_bits) = (width(all.1), width(all.2));
    if width(all.0) + span_bits + x_bits >= u64::BITS {
        return None;
    }
    let mut keys: Vec<u64> = customers
        .iter()
        .map(|cell| {
            let (since, span, x) = parts(cell);
            (u64::from(since) << (span_bits + x_bits)) | (u64::from(span) << x_bits) | u64::from(x)
        })
        .collect();
    keys.sort_unstable();
    let low = |key: u64, bits: u32| u32::try_from(key & ((1 << bits) - 1)).unwrap_or(u32::MAX);
    let unpack = |key: u64| {
        let first_day = first.wrapping_add(low(key >> (span_bits + x_bits), 32).cast_signed());
        let last_day = first_day.wrapping_add(low(key >> x_bits, span_bits).cast_signed());
        Cell::of_days(first_day, last_day, low(key, x_bits))
    };
    Some(
        count(&keys)
            .into_iter()
            .map(|(key, n)| (unpack(key), n))
            .collect(),
    )
}

impl FromIterator<(Cell, u64)> for Histogram {
    fn from_iter<I: IntoIterator<Item = (Cell, u64)>>(counted: I) -> Self {
        Self::collapse(counted.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Cell, Histogram};

    #[test]
    fn it_counts_and_forgets_zeros() {
        let cell = |x| Cell::new(0, i32::try_from(x).unwrap(), x).unwrap();
        let histogram: Histogram = [(cell(2), 3), (cell(1), 0), (cell(0), 1), (cell(2), 4)]
            .into_iter()
            .collect();
        assert_eq!(
            histogram.iter().collect::<Vec<_>>(),
            [(cell(0), 1), (cell(2), 7)]
        );
        assert_eq!(histogram.customers(), 8);
    }

    #[test]
    fn days_of_all_times_are_counted_one_way_or_the_other() {
        let ends = [i32::MIN, -1, 0, 1, i32::MAX];
        let pairs = ends
            .iter()
            .flat_map(|first| ends.iter().map(move |last| (*first, *last)));
        let cells: Vec<Cell> = pairs
            .filter(|(first, last)| first <= last)
            .flat_map(|(first, last)| [0, 1, u32::MAX].map(|x| Cell::of_days(first, last, x)))
            .collect();
        // All together they do not fit into 64 bits; each group alone does.
        assert_eq!(super::count_packed(&cells), None);
        let mut sum = Histogram::default();
        for cell in &cells {
            sum.merge(&[*cell, *cell].into_iter().collect());
        }
        let twice: Histogram = cells.iter().chain(&cells).copied().collect();
        assert_eq!(sum, twice);
        assert!(twice.iter().all(|(_, count)| count == 2));
    }

    proptest! {
        #[test]
        fn it_adds_over_partitions(
            customers in prop::collection::vec((0_i32..5, 0_u32..4), 0..60),
            partition in prop::collection::vec(0_usize..7, 60),
        ) {
            let cells: Vec<Cell> = customers
                .iter()
                .map(|(first, x)| Cell::new(*first, first + i32::try_from(*x).unwrap() * 2, *x).unwrap())
                .collect();
            let whole: Histogram = cells.iter().copied().collect();
            let mut sum = Histogram::default();
            for part in 0..7 {
                let own = cells.iter().zip(&partition).filter(|(_, p)| **p == part);
                sum.merge(&own.map(|(cell, _)| *cell).collect());
            }
            prop_assert_eq!(&sum, &whole);
            let counted: Histogram = cells.into_iter().map(|cell| (cell, 1)).collect();
            prop_assert_eq!(counted, whole);
        }
    }
}
