//! The value that needs no model: what a customer brings in a year, kept at one rate, discounted at another.

use money::{Rate, div_half_even};

/// The assumptions of the method SIMPLE, both annual and both in `[0, 1)`.
///
/// Gupta & Lehmann (2003), "Customers as assets": with a constant yearly margin m, a constant retention
/// rate r and a discount rate d, the margins after today are worth `m r/(1+d) + m r²/(1+d)² + …`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Simple {
    /// The share of customers that is still there a year later.
    pub retention: Rate,
    /// What a year of waiting costs.
    pub discount: Rate,
}

impl Simple {
    /// `V = m r / (1 + d - r)`, in minor units, of a customer whose trailing 365 days brought
    /// `margin_minor` of contribution margin.
    ///
    /// Exact on decimals and then rounded half to even; never below 0, because nobody has to keep a
    /// customer who costs money. A value beyond 64 bits, or a series that does not converge
    /// (r >= 1 + d), is `i64::MAX`.
    pub fn value(self, margin_minor: i64) -> i64 {
        let kept = i128::from(margin_minor.max(0)) * self.retention.scaled().max(0);
        if kept == 0 {
            return 0;
        }
        let lost = Rate::SCALE + self.discount.scaled() - self.retention.scaled();
        if lost <= 0 {
            return i64::MAX;
        }
        div_half_even(kept, lost).map_or(i64::MAX, |value| i64::try_from(value).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use money::Rate;
    use proptest::prelude::*;

    use super::Simple;

    fn simple(retention: u16, discount: u16) -> Simple {
        Simple {
            retention: Rate::per_mille(retention),
            discount: Rate::per_mille(discount),
        }
    }

    #[test]
    fn three_quarters_kept_at_a_quarter_is_worth_one_and_a_half_margins() {
        assert_eq!(simple(750, 250).value(20_000), 30_000);
        assert_eq!(simple(800, 200).value(20_000), 40_000);
        assert_eq!(
            simple(750, 250).value(i64::MAX / 2),
            6_917_529_027_641_081_854
        );
    }

    #[test]
    fn it_is_computed_on_decimals_and_not_on_binary_fractions() {
        // 2 x 0.7 / 0.4 is 3.5 exactly, which goes to the even 4; binary fractions give 3.4999… and 3.
        assert_eq!(simple(700, 100).value(2), 4);
        // 1.5 goes to 2, 4.5 goes to 4.
        assert_eq!(simple(750, 250).value(1), 2);
        assert_eq!(simple(750, 250).value(3), 4);
    }

    #[test]
    fn a_customer_who_costs_money_is_worth_nothing_and_not_less() {
        assert_eq!(simple(750, 250).value(-20_000), 0);
        assert_eq!(simple(750, 250).value(0), 0);
        assert_eq!(simple(0, 250).value(20_000), 0);
    }

    #[test]
    fn what_does_not_converge_or_fit_is_the_largest_amount() {
        assert_eq!(simple(1_000, 0).value(1), i64::MAX);
        assert_eq!(simple(999, 0).value(i64::MAX), i64::MAX);
    }

    proptest! {
        #[test]
        fn it_grows_with_margin_and_retention_and_falls_with_the_discount(
            margin in 0_i64..1_000_000_000, r in 0_u16..999, d in 0_u16..999,
        ) {
            let value = simple(r, d).value(margin);
            prop_assert!(simple(r, d).value(margin + 1) >= value);
            prop_assert!(simple(r + 1, d).value(margin) >= value);
            prop_assert!(simple(r, d + 1).value(margin) <= value);
        }
    }
}
