//! What a field of a command must be: in its range, of the right sign and currency, at a possible time.

mod when;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;

use eventsourcing::{Class, Explain, Time};
use money::{Currency, Money};

/// The largest amount or margin of one purchase, in minor units, to either side of 0.
pub use money::MAX_MINOR_UNITS;
pub use when::{MAX_AHEAD_SECONDS, When};
pub(crate) use when::{not_before, past};

/// A field that is missing or wrong, whatever the customer's state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A number is outside its scale.
    #[error("{field} is {value}: give a number from {min} to {max}")]
    OutOfRange {
        /// The field's path.
        field: &'static str,
        /// What was given.
        value: u32,
        /// The smallest number it may be.
        min: u32,
        /// The largest number it may be.
        max: u32,
    },
    /// An id occurs twice in a list.
    #[error("{field} names {id} twice: name it once")]
    Repeated {
        /// The path of the id in the list.
        field: &'static str,
        /// The id.
        id: String,
    },
    /// Something is said to have happened later than now, by more than clocks may differ.
    #[error("{field} {at} has not come yet: give a time up to {latest}")]
    FutureTime {
        /// The field's path.
        field: &'static str,
        /// What was given.
        at: Time,
        /// The latest moment that is accepted.
        latest: Time,
    },
    /// Something is said to have happened before what it follows from.
    #[error("{field} {at} is too early: give {earliest} or later")]
    TooEarly {
        /// The field's path.
        field: &'static str,
        /// What was given.
        at: Time,
        /// The earliest moment that is accepted.
        earliest: Time,
    },
    /// An amount has the wrong sign.
    #[error("{field} is {amount}: give an amount {wanted}")]
    WrongSign {
        /// The field's path.
        field: &'static str,
        /// What was given.
        amount: Money,
        /// What it should be, in words.
        wanted: &'static str,
    },
    /// An amount is larger than any purchase.
    #[error("{field} is more than {limit} {currency} in its minor units: split the purchase")]
    TooLarge {
        /// The field's path.
        field: &'static str,
        /// The largest size, in minor units.
        limit: i64,
        /// The currency that these are of.
        currency: Currency,
    },
    /// An amount is in another currency than the customer's.
    #[error("{field} is in {given}: give an amount in {expected}, the currency of this customer")]
    CurrencyMismatch {
        /// The field's path.
        field: &'static str,
        /// The customer's currency.
        expected: Currency,
        /// The currency that was given.
        given: Currency,
    },
    /// A share of a whole is none.
    #[error("{field} is not a share: give a number from 0 to 1")]
    NoShare {
        /// The field's path.
        field: &'static str,
    },
    /// A customer leaves for a reason.
    #[error("reason is missing: say why the customer left")]
    NoReason,
    /// People buy expectations: somebody who was promised nothing has not been converted.
    #[error("promises is empty: give the promises with which the customer was won")]
    NoPromise,
}

impl Explain for Invalid {
    fn class(&self) -> Class {
        match *self {
            Self::OutOfRange { field, .. }
            | Self::Repeated { field, .. }
            | Self::FutureTime { field, .. }
            | Self::TooEarly { field, .. }
            | Self::WrongSign { field, .. }
            | Self::TooLarge { field, .. }
            | Self::CurrencyMismatch { field, .. }
            | Self::NoShare { field } => Class::Invalid { field },
            Self::NoReason => Class::Invalid { field: "reason" },
            Self::NoPromise => Class::Invalid { field: "promises" },
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::OutOfRange { .. } => "OUT_OF_RANGE",
            Self::Repeated { .. } => "REPEATED",
            Self::FutureTime { .. } => "FUTURE_TIME",
            Self::TooEarly { .. } => "TOO_EARLY",
            Self::WrongSign { .. } => "WRONG_SIGN",
            Self::TooLarge { .. } => "TOO_LARGE",
            Self::CurrencyMismatch { .. } => "CURRENCY_MISMATCH",
            Self::NoShare { .. } => "NO_SHARE",
            Self::NoReason => "NO_REASON",
            Self::NoPromise => "NO_PROMISE",
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::OutOfRange {
                value, min, max, ..
            } => vec![
                ("value", value.to_string()),
                ("min", min.to_string()),
                ("max", max.to_string()),
            ],
            Self::Repeated { id, .. } => vec![("id", id.clone())],
            Self::FutureTime { at, latest, .. } => {
                vec![("at", at.to_string()), ("latest", latest.to_string())]
            }
            Self::TooEarly { at, earliest, .. } => {
                vec![("at", at.to_string()), ("earliest", earliest.to_string())]
            }
            Self::WrongSign { amount, .. } => vec![("amount", amount.to_string())],
            Self::TooLarge {
                limit, currency, ..
            } => {
                vec![
                    ("limit", limit.to_string()),
                    ("currency", currency.to_string()),
                ]
            }
            Self::CurrencyMismatch {
                expected, given, ..
            } => {
                vec![
                    ("expected", expected.to_string()),
                    ("given", given.to_string()),
                ]
            }
            Self::NoShare { .. } | Self::NoReason | Self::NoPromise => vec![],
        }
    }
}

/// A number on its scale.
pub(crate) fn within(
    field: &'static str,
    value: u32,
    range: &RangeInclusive<u32>,
) -> Result<(), Invalid> {
    if range.contains(&value) {
        return Ok(());
    }
    let (min, max) = (*range.start(), *range.end());
    Err(Invalid::OutOfRange {
        field,
        value,
        min,
        max,
    })
}

/// Ids of which none occurs twice.
pub(crate) fn distinct<'a, I: Ord + Display + 'a>(
    field: &'static str,
    ids: impl IntoIterator<Item = &'a I>,
) -> Result<(), Invalid> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(Invalid::Repeated {
                field,
                id: id.to_string(),
            });
        }
    }
    Ok(())
}

/// The minor units of an amount in the customer's currency and of a size that a purchase can have.
pub(crate) fn minor_units(
    field: &'static str,
    amount: Money,
    currency: Currency,
) -> Result<i64, Invalid> {
    if amount.currency != currency {
        let (expected, given) = (currency, amount.currency);
        return Err(Invalid::CurrencyMismatch {
            field,
            expected,
            given,
        });
    }
    bounded(field, amount.minor_units, currency)
}

/// The minor units of such an amount that is 0 or more.
pub(crate) fn not_negative(
    field: &'static str,
    amount: Money,
    currency: Currency,
) -> Result<i64, Invalid> {
    let minor_units = minor_units(field, amount, currency)?;
    if minor_units < 0 {
        return Err(Invalid::WrongSign {
            field,
            amount,
            wanted: "of 0 or more",
        });
    }
    Ok(minor_units)
}

/// Minor units of a size that a purchase can have.
pub(crate) fn bounded(
    field: &'static str,
    minor_units: i64,
    currency: Currency,
) -> Result<i64, Invalid> {
    if !Money::new(currency, minor_units).is_bounded() {
        return Err(Invalid::TooLarge {
            field,
            limit: MAX_MINOR_UNITS,
            currency,
        });
    }
    Ok(minor_units)
}
