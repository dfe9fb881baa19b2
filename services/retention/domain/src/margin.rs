//! What purchases left after their own costs: by default, and after reversals.

use eventsourcing::Days;
use money::{Currency, Money, Rate, div_half_even};

use crate::input::{Invalid, bounded, minor_units};
use crate::purchase::{MarginSource, Purchase};

/// How long a purchase counts as present: a year, whatever the calendar says.
pub const TRAILING: Days = Days(365);

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
