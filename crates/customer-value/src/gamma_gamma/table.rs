//! The input of a spend fit: how many customers have each (x, repeat spend), in one currency.

use money::{Currency, Money};

use crate::Refusal;

/// `(x, repeat spend in minor units) -> count` in ascending order, of customers with repeat purchases and
/// positive spend; others teach nothing about spend and are left out.
///
/// Whole numbers, so tables of partitions add up and the bits of a fit do not depend on the split.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpendTable {
    currency: Option<Currency>,
    rows: Vec<(u32, i64, u64)>,
}

impl SpendTable {
    /// Counts customers by their repeat purchase days and what these came to.
    ///
    /// [`Refusal::MixedCurrency`] unless every amount has the same currency.
    pub fn of(customers: impl IntoIterator<Item = (u32, Money)>) -> Result<Self, Refusal> {
        let mut table = Self::default();
        let mut rows = Vec::new();
        for (x, spend) in customers {
            table.agree(Some(spend.currency))?;
            if x > 0 && spend.minor_units > 0 {
                rows.push((x, spend.minor_units));
            }
        }
        rows.sort_unstable();
        table.rows = rows
            .chunk_by(|a, b| a == b)
            .filter_map(|alike| {
                let (x, minor_units) = *alike.first()?;
                Some((x, minor_units, u64::try_from(alike.len()).ok()?))
            })
            .collect();
        Ok(table)
    }

    /// Adds the customers of another partition.
    pub fn merge(&mut self, other: &Self) -> Result<(), Refusal> {
        self.agree(other.currency)?;
        self.rows.extend_from_slice(&other.rows);
        self.collapse();
        Ok(())
    }

    /// The currency of all amounts; `None` of an empty table.
    pub const fn currency(&self) -> Option<Currency> {
        self.currency
    }

    /// How many customers count.
    pub fn customers(&self) -> u64 {
        self.rows.iter().map(|(.., count)| count).sum()
    }

    /// (x, repeat spend in major units, count), ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, f64, u64)> + '_ {
        let decimals = self.currency.map_or(0, |currency| currency.decimals());
        let unit = (0..decimals).fold(1.0, |unit, _| unit * 10.0);
        self.in_minor_units()
            .map(move |(x, minor, count)| (x, minor / unit, count))
    }

    /// (x, repeat spend in minor units, count), ascending.
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 minor units")]
    pub(super) fn in_minor_units(&self) -> impl Iterator<Item = (u32, f64, u64)> + '_ {
        self.rows
            .iter()
            .map(|(x, minor, count)| (*x, *minor as f64, *count))
    }

    fn agree(&mut self, currency: Option<Currency>) -> Result<(), Refusal> {
        match (self.currency, currency) {
            (Some(ours), Some(theirs)) if ours != theirs => Err(Refusal::MixedCurrency),
            (None, theirs) => {
                self.currency = theirs;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn collapse(&mut self) {
        self.rows.sort_unstable();
        self.rows.dedup_by(|next, kept| {
            let same = (next.0, next.1) == (kept.0, kept.1);
            if same {
                kept.2 += next.2;
            }
            same
        });
    }
}

#[cfg(test)]
mod tests {
    use money::Money;

    use super::SpendTable;
    use crate::Refusal;

    fn money(code: &str, minor: i64) -> Money {
        Money::new(code.parse().unwrap(), minor)
    }

    #[test]
    fn e29_amounts_of_two_currencies_are_refused() {
        let mixed = [(1, money("EUR", 100)), (0, money("USD", 0))];
        assert_eq!(SpendTable::of(mixed), Err(Refusal::MixedCurrency));
        let mut euros = SpendTable::of([(1, money("EUR", 100))]).unwrap();
        let dollars = SpendTable::of([(1, money("USD", 100))]).unwrap();
        assert_eq!(euros.merge(&dollars), Err(Refusal::MixedCurrency));
        assert_eq!(euros.customers(), 1);
    }

    #[test]
    fn e25_customers_without_positive_repeat_spend_are_left_out() {
        let table = SpendTable::of([
            (0, money("EUR", 0)),
            (2, money("EUR", 0)),
            (2, money("EUR", 500)),
            (2, money("EUR", 500)),
        ])
        .unwrap();
        assert_eq!(table.iter().collect::<Vec<_>>(), [(2, 5.0, 2)]);
    }

    #[test]
    fn tables_add_over_partitions() {
        let all = [(1, 100), (2, 300), (1, 100), (3, 900)].map(|(x, m)| (x, money("JPY", m)));
        let mut sum = SpendTable::default();
        for one in all {
            sum.merge(&SpendTable::of([one]).unwrap()).unwrap();
        }
        assert_eq!(sum, SpendTable::of(all).unwrap());
        assert_eq!(sum.iter().next(), Some((1, 100.0, 2)));
    }
}
