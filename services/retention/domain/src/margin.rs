//! What purchases left after their own costs: by default, after reversals, and over the trailing year.

use eventsourcing::{Days, Time};
use money::{Currency, Money, Rate, div_half_even};

use crate::input::{Invalid, bounded, minor_units};
use crate::purchase::{MarginSource, Purchase};

/// How long a purchase counts as present: a year, whatever the calendar says.
pub const TRAILING: Days = Days(365);

/// The margin of the trailing year, in minor units: of the purchases with
/// `as_of - 365 days < occurred_at <= as_of`, each less its reversals dated up to `as_of`.
///
/// This is m in the value of a customer, V = m r / (1 + d - r).
pub fn trailing<'a>(purchases: impl IntoIterator<Item = &'a Purchase>, as_of: Time) -> i64 {
    let after = as_of.minus_days(TRAILING);
    purchases
        .into_iter()
        .filter(|purchase| after < purchase.occurred_at && purchase.occurred_at <= as_of)
        .map(|purchase| purchase.margin_left_at(as_of))
        .fold(0, i64::saturating_add)
}

impl Purchase {
    /// Its margin less that of the reversals dated up to `as_of`, in minor units.
    pub fn margin_left_at(&self, as_of: Time) -> i64 {
        self.reversals
            .values()
            .filter(|reversal| reversal.occurred_at <= as_of)
            .fold(self.contribution_margin, |left, reversal| {
                left.saturating_sub(reversal.contribution_margin)
            })
    }
}

/// The margin of a purchase as given, or else the rate's share of what was paid, half to even.
/// Amounts come with the names of their fields.
pub(crate) fn of_purchase(
    (paid_field, paid): (&'static str, i64),
    (given_field, given): (&'static str, Option<Money>),
    rate: Rate,
    currency: Currency,
) -> Result<(i64, MarginSource), Invalid> {
    if let Some(given) = given {
        return Ok((
            minor_units(given_field, given, currency)?,
            MarginSource::Given,
        ));
    }
    let margin = rate.of(paid).unwrap_or(i64::MAX);
    Ok((
        bounded(paid_field, margin, currency)?,
        MarginSource::Default,
    ))
}

/// The margin of a reversal as given, or else its share of the purchase's, half to even.
///
/// The reversal that takes the last of the amount takes the last of the margin, so that roundings never
/// leave a cent of margin on a purchase that is gone.
pub(crate) fn of_reversal(
    purchase: &Purchase,
    taken_back: i64,
    given: Option<Money>,
    currency: Currency,
) -> Result<(i64, MarginSource), Invalid> {
    let field = "contribution_margin";
    let (margin, source) = match given {
        Some(given) => (minor_units(field, given, currency)?, MarginSource::Given),
        None => (share(purchase, taken_back), MarginSource::Default),
    };
    bounded(
        field,
        purchase.margin_reversed.saturating_add(margin),
        currency,
    )?;
    Ok((margin, source))
}

fn share(purchase: &Purchase, taken_back: i64) -> i64 {
    let last = purchase
        .contribution_margin
        .saturating_sub(purchase.margin_reversed);
    if taken_back >= purchase.remaining() {
        return last;
    }
    let exact = i128::from(purchase.contribution_margin) * i128::from(taken_back);
    div_half_even(exact, i128::from(purchase.amount))
        .and_then(|share| i64::try_from(share).ok())
        .unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use eventsourcing::Time;

    use super::trailing;
    use crate::purchase::{MarginSource, Purchase, Reversal};
    use crate::story::{day, parsed};

    /// A purchase with a margin, reversed by these margins on these days.
    fn purchase(margin: i64, occurred_at: Time, reversals: &[(i64, i64)]) -> Purchase {
        let margin_source = MarginSource::Given;
        let reversal = |&(contribution_margin, number)| Reversal {
            amount: 0,
            contribution_margin,
            margin_source,
            occurred_at: day(number),
        };
        Purchase {
            amount: 0,
            contribution_margin: margin,
            margin_source,
            occurred_at,
            reversals: (0..)
                .zip(reversals)
                .map(|(n, said)| (parsed(&format!("r{n}")), reversal(said)))
                .collect::<BTreeMap<_, _>>(),
            amount_reversed: 0,
            margin_reversed: 0,
        }
    }

    #[test]
    fn a_purchase_counts_for_365_days_and_not_a_microsecond_more() {
        let as_of = day(1_000);
        let just_after = Time::from_micros(day(635).micros() + 1);
        let ahead = Time::from_micros(as_of.micros() + 1);
        for (occurred_at, counted) in [(day(635), 0), (just_after, 7), (as_of, 7), (ahead, 0)] {
            assert_eq!(
                trailing([&purchase(7, occurred_at, &[])], as_of),
                counted,
                "{occurred_at}"
            );
        }
    }

    #[test]
    fn a_reversal_counts_from_its_own_day() {
        let purchases = [purchase(100, day(900), &[(30, 950), (20, 1_001)])];
        assert_eq!(trailing(&purchases, day(949)), 100);
        assert_eq!(trailing(&purchases, day(950)), 70);
        assert_eq!(trailing(&purchases, day(1_001)), 50);
    }

    #[test]
    fn a_reversal_goes_with_its_purchase() {
        let purchases = [
            purchase(100, day(500), &[(100, 990)]),
            purchase(5, day(990), &[]),
        ];
        assert_eq!(trailing(&purchases, day(1_000)), 5);
    }

    #[test]
    fn who_bought_nothing_left_nothing() {
        assert_eq!(trailing(&[], day(1_000)), 0);
    }
}
