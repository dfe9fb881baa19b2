//! What a field of a command must be: in its range, of the right sign and currency, at a possible time.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;

use eventsourcing::{Class, Explain, Time};
use money::{Currency, Money};

/// How far the clock of whoever reports something may be ahead of ours.
pub const MAX_AHEAD_SECONDS: i64 = 300;
/// The largest amount or margin of one purchase, in minor units, to either side of 0.
///
/// No customer's totals overflow: a purchase and all its reversals together weigh at most twice this,
/// and 100,000 of them still fit into 64 bits.
pub const MAX_MINOR_UNITS: i64 = 40_000_000_000_000;

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
            | Self::CurrencyMismatch { field, .. } => Class::Invalid { field },
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
            Self::NoReason | Self::NoPromise => vec![],
        }
    }
}

/// When something happened as far as the command says, and the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// The present.
    pub now: Time,
    /// When it happened; left out, it happened now.
    pub occurred_at: Option<Time>,
}

impl When {
    /// It happened now.
    pub const fn now(now: Time) -> Self {
        Self {
            now,
            occurred_at: None,
        }
    }

    /// The moment it happened, which is `earliest` or later.
    ///
    /// What comes without a time happened now, and after what it follows from: that may have come from a
    /// clock slightly ahead of ours.
    pub(crate) fn happened_since(
        self,
        field: &'static str,
        earliest: Time,
    ) -> Result<Time, Invalid> {
        let Some(at) = self.occurred_at else {
            return Ok(self.now.max(earliest));
        };
        past(field, at, self.now)?;
        not_before(field, at, earliest)?;
        Ok(at)
    }

    /// Whether a command that comes again may speak of what happened at `recorded`: unless it gives
    /// another time, it does.
    pub(crate) fn may_mean(self, recorded: Time) -> bool {
        self.occurred_at.is_none_or(|at| at == recorded)
    }
}

/// A moment that has come, give or take what clocks may differ.
pub(crate) fn past(field: &'static str, at: Time, now: Time) -> Result<(), Invalid> {
    let latest = now.plus_seconds(MAX_AHEAD_SECONDS);
    if at > latest {
        return Err(Invalid::FutureTime { field, at, latest });
    }
    Ok(())
}

/// A moment that is `earliest` or later.
pub(crate) fn not_before(field: &'static str, at: Time, earliest: Time) -> Result<(), Invalid> {
    if at < earliest {
        return Err(Invalid::TooEarly {
            field,
            at,
            earliest,
        });
    }
    Ok(())
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

/// Minor units of a size that a purchase can have.
pub(crate) fn bounded(
    field: &'static str,
    minor_units: i64,
    currency: Currency,
) -> Result<i64, Invalid> {
    if minor_units.unsigned_abs() > MAX_MINOR_UNITS.unsigned_abs() {
        return Err(Invalid::TooLarge {
            field,
            limit: MAX_MINOR_UNITS,
            currency,
        });
    }
    Ok(minor_units)
}

#[cfg(test)]
mod tests {
    use eventsourcing::Time;

    use super::{Invalid, When};

    #[test]
    fn a_clock_may_be_five_minutes_ahead_and_no_more() {
        let now = Time::from_days(1);
        let ahead = |seconds| {
            let occurred_at = Some(now.plus_seconds(seconds));
            When { now, occurred_at }.happened_since("occurred_at", Time::EPOCH)
        };
        assert_eq!(ahead(300), Ok(now.plus_seconds(300)));
        let (field, at, latest) = ("occurred_at", now.plus_seconds(301), now.plus_seconds(300));
        assert_eq!(ahead(301), Err(Invalid::FutureTime { field, at, latest }));
    }

    #[test]
    fn what_comes_without_a_time_happened_now() {
        let now = Time::from_days(1);
        assert_eq!(
            When::now(now).happened_since("occurred_at", Time::EPOCH),
            Ok(now)
        );
    }

    #[test]
    fn what_comes_without_a_time_follows_what_a_fast_clock_recorded() {
        let now = Time::from_days(1);
        let recorded = now.plus_seconds(200);
        assert_eq!(
            When::now(now).happened_since("occurred_at", recorded),
            Ok(recorded)
        );
    }

    #[test]
    fn nothing_happens_before_what_it_follows_from() {
        let (now, at, earliest) = (Time::from_days(3), Time::from_days(1), Time::from_days(2));
        let (field, occurred_at) = ("occurred_at", Some(at));
        assert_eq!(
            When { now, occurred_at }.happened_since(field, earliest),
            Err(Invalid::TooEarly {
                field,
                at,
                earliest
            })
        );
    }

    #[test]
    fn a_repeated_command_without_a_time_means_what_was_recorded() {
        let (now, recorded) = (Time::from_days(2), Time::from_days(1));
        assert!(When::now(now).may_mean(recorded));
        assert!(
            When {
                now,
                occurred_at: Some(recorded)
            }
            .may_mean(recorded)
        );
        assert!(
            !When {
                now,
                occurred_at: Some(now)
            }
            .may_mean(recorded)
        );
    }
}
