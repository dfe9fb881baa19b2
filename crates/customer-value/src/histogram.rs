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
        customers.sort_unstable();
        let cells = customers
            .chunk_by(|a, b| a == b)
            .filter_map(|same| Some((*same.first()?, u64::try_from(same.len()).ok()?)))
            .collect();
        Self { cells }
    }
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
