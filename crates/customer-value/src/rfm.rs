//! From purchases to recency, frequency and spend: what the models look at.
//!
//! A purchase is a *day* with at least one transaction: two receipts on one day are one decision to buy.
//! The first day is the acquisition; everything after it is repeat. A history is a sum over facts, so facts
//! may arrive late, in any order, and two histories of one person may be merged.

use std::collections::BTreeMap;

use crate::Refusal;
use crate::recency::Cell;

/// The days on which one customer bought, and for how much. Days count from any fixed epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PurchaseDays {
    days: BTreeMap<i32, Day>,
}

/// A day counts while it has a purchase that was not refunded in full; one of 0.00 counts too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Day {
    purchases: u64,
    amount_minor: i64,
}

/// A refund of what was never bought, or of more than is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the refund exceeds what was bought up to its day")]
pub struct OverRefunded;

/// A customer as of a day. Amounts are in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// First and last purchase day, and the number of purchase days after the first.
    pub cell: Cell,
    /// Spent on the first day.
    pub first_spend_minor: i64,
    /// Spent on the repeat days.
    pub repeat_spend_minor: i64,
}

impl PurchaseDays {
    /// One purchase of `amount_minor` on `day`, also a back-dated one.
    pub fn record(&mut self, day: i32, amount_minor: i64) {
        let entry = self.days.entry(day).or_default();
        entry.purchases += 1;
        entry.amount_minor = entry.amount_minor.saturating_add(amount_minor);
    }

    /// A purchase of `day` was taken back in full: `amount_minor` is what was left of it. The day
    /// no longer counts when this was its only purchase.
    pub fn reverse_whole(&mut self, day: i32, amount_minor: i64) -> Result<(), OverRefunded> {
        let entry = self.days.get_mut(&day).ok_or(OverRefunded)?;
        entry.purchases -= 1;
        entry.amount_minor = entry.amount_minor.saturating_sub(amount_minor);
        if entry.purchases == 0 {
            self.days.remove(&day);
        }
        Ok(())
    }

    /// A part of a purchase of `day` was paid back: the day still counts, its amount falls.
    pub fn reverse_part(&mut self, day: i32, amount_minor: i64) -> Result<(), OverRefunded> {
        let entry = self.days.get_mut(&day).ok_or(OverRefunded)?;
        entry.amount_minor = entry.amount_minor.saturating_sub(amount_minor);
        Ok(())
    }

    /// A refund that names no purchase, as files have them: taken from the purchases of `day`, and what
    /// is left of it from the days before, the latest first. A day whose whole amount is paid back no
    /// longer counts.
    pub fn refund(&mut self, day: i32, amount_minor: i64) -> Result<(), OverRefunded> {
        let bought: i64 = self.days.range(..=day).fold(0, |sum: i64, (_, d)| {
            sum.saturating_add(d.amount_minor.max(0))
        });
        if amount_minor > bought {
            return Err(OverRefunded);
        }
        let mut left = amount_minor;
        while left > 0 {
            let Some((&latest, entry)) = self
                .days
                .range_mut(..=day)
                .rfind(|(_, d)| d.amount_minor > 0)
            else {
                return Err(OverRefunded);
            };
            let taken = left.min(entry.amount_minor);
            entry.amount_minor -= taken;
            left -= taken;
            if entry.amount_minor == 0 {
                self.days.remove(&latest);
            }
        }
        Ok(())
    }

    /// Adds the history of another identity of the same customer.
    pub fn merge(&mut self, other: &Self) {
        for (day, theirs) in &other.days {
            let ours = self.days.entry(*day).or_default();
            ours.purchases += theirs.purchases;
            ours.amount_minor = ours.amount_minor.saturating_add(theirs.amount_minor);
        }
    }

    /// What was known at the end of the day `as_of`. The caller leaves out facts that it does not know yet;
    /// purchases of later days are left out here.
    ///
    /// [`Refusal::NotFoundAsOf`] when there was no purchase up to then.
    pub fn as_of(&self, as_of: i32) -> Result<Summary, Refusal> {
        let mut known = self.days.range(..=as_of);
        let (&first_day, first) = known.next().ok_or(Refusal::NotFoundAsOf)?;
        let (mut last_day, mut repeats, mut repeat_spend_minor) = (first_day, 0, 0_i64);
        for (&day, entry) in known {
            last_day = day;
            repeats += 1;
            repeat_spend_minor = repeat_spend_minor.saturating_add(entry.amount_minor);
        }
        Ok(Summary {
            cell: Cell::of_days(first_day, last_day, repeats),
            first_spend_minor: first.amount_minor,
            repeat_spend_minor,
        })
    }

    /// The purchase days of `(after, until]` with their amounts in minor units: what a holdout looks at.
    pub fn between(&self, after: i32, until: i32) -> impl Iterator<Item = (i32, i64)> + '_ {
        self.days
            .range(after.saturating_add(1)..=until.max(after.saturating_add(1)))
            .filter(move |(day, _)| **day <= until)
            .map(|(day, entry)| (*day, entry.amount_minor))
    }

    /// The first purchase day of all, if there is one.
    pub fn first_day(&self) -> Option<i32> {
        self.days.keys().next().copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{OverRefunded, PurchaseDays, Summary};
    use crate::Refusal;

    fn history(purchases: &[(i32, i64)]) -> PurchaseDays {
        let mut days = PurchaseDays::default();
        for (day, amount) in purchases {
            days.record(*day, *amount);
        }
        days
    }

    /// (x, first day, last day, first spend, repeat spend)
    fn figures(days: &PurchaseDays, as_of: i32) -> (u32, i32, i32, i64, i64) {
        let Summary {
            cell,
            first_spend_minor,
            repeat_spend_minor,
        } = days.as_of(as_of).unwrap();
        (
            cell.x(),
            cell.first_day(),
            cell.last_day(),
            first_spend_minor,
            repeat_spend_minor,
        )
    }

    #[test]
    fn e12_two_purchases_on_one_day_are_one_purchase_day() {
        let days = history(&[(0, 100), (7, 200), (7, 50)]);
        assert_eq!(figures(&days, 30), (1, 0, 7, 100, 250));
    }

    #[test]
    fn e13_a_second_transaction_on_the_first_day_is_no_repeat() {
        let days = history(&[(0, 100), (0, 11)]);
        assert_eq!(figures(&days, 30), (0, 0, 0, 111, 0));
    }

    #[test]
    fn e14_a_free_purchase_counts_as_a_day() {
        let days = history(&[(0, 100), (9, 0)]);
        assert_eq!(figures(&days, 30), (1, 0, 9, 100, 0));
    }

    #[test]
    fn e15_a_back_dated_purchase_is_put_where_it_belongs() {
        let mut days = history(&[(10, 100), (20, 200)]);
        days.record(15, 50);
        assert_eq!(figures(&days, 30), (2, 10, 20, 100, 250));
        days.record(5, 7);
        assert_eq!(figures(&days, 30), (3, 5, 20, 7, 350));
    }

    #[test]
    fn e16_a_full_refund_takes_the_day_back_and_a_partial_one_the_money() {
        let mut days = history(&[(0, 100), (10, 200), (20, 300)]);
        days.reverse_part(20, 100).unwrap();
        assert_eq!(figures(&days, 30), (2, 0, 20, 100, 400));
        days.reverse_whole(20, 200).unwrap();
        assert_eq!(figures(&days, 30), (1, 0, 10, 100, 200));
        assert_eq!(days.reverse_whole(20, 200), Err(OverRefunded));
    }

    #[test]
    fn a_day_with_another_purchase_survives_a_full_refund() {
        let mut days = history(&[(0, 100), (10, 200), (10, 0)]);
        days.reverse_whole(10, 200).unwrap();
        assert_eq!(figures(&days, 30), (1, 0, 10, 100, 0));
    }

    #[test]
    fn a_refund_without_a_purchase_takes_the_latest_days_first() {
        let mut days = history(&[(0, 100), (10, 200), (20, 300)]);
        assert_eq!(days.refund(15, 301), Err(OverRefunded));
        days.refund(25, 350).unwrap();
        assert_eq!(figures(&days, 30), (1, 0, 10, 100, 150));
    }

    #[test]
    fn e21_nobody_is_a_customer_before_the_first_purchase() {
        assert_eq!(history(&[(10, 1)]).as_of(9), Err(Refusal::NotFoundAsOf));
        assert_eq!(figures(&history(&[(10, 1)]), 10), (0, 10, 10, 1, 0));
    }

    #[test]
    fn the_days_of_a_period_exclude_its_start_and_include_its_end() {
        let days = history(&[(0, 1), (10, 2), (20, 3), (30, 4)]);
        assert_eq!(days.between(10, 30).collect::<Vec<_>>(), [(20, 3), (30, 4)]);
        assert_eq!(days.between(30, 30).count(), 0);
        assert_eq!(days.between(30, 10).count(), 0);
    }

    proptest! {
        #[test]
        fn order_and_identity_of_the_facts_change_nothing(
            facts in prop::collection::vec((0_i32..60, 0_i64..1_000), 1..40), cut in 0_usize..40, seed in any::<u64>(),
        ) {
            let whole = history(&facts);
            let cut = cut.min(facts.len());
            let mut merged = history(&facts[cut..]);
            merged.merge(&history(&facts[..cut]));
            prop_assert_eq!(&merged, &whole);
            let mut turned = facts.clone();
            turned.rotate_left(usize::try_from(seed % 40).unwrap() % facts.len());
            prop_assert_eq!(&history(&turned), &whole);
            let total: i64 = facts.iter().map(|(_, amount)| amount).sum();
            let (.., first, repeat) = figures(&whole, 60);
            prop_assert_eq!(first + repeat, total);
        }
    }
}
