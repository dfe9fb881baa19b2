//! What any field must be: there, of a size, in a range, of the right sign and not in the future.

use eventsourcing::{Class, Explain, Time};
use money::{Currency, MAX_MINOR_UNITS, Money};

/// How far a client's clock may be ahead of ours.
pub const MAX_AHEAD_SECONDS: i64 = 300;
/// Characters of a name or of a short label, such as a channel, a source or a competitor.
pub const MAX_LABEL: usize = 200;
/// Characters of a statement, a claim or an expectation.
pub const MAX_STATEMENT: usize = 1_000;
/// Characters of a message or a note.
pub const MAX_MESSAGE: usize = 2_000;

/// A field that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A field that must be given was not.
    #[error("{field} is missing: give it")]
    Missing {
        /// The field's path.
        field: &'static str,
    },
    /// A text is longer than its field allows.
    #[error("{field} is longer than {limit} characters: shorten it")]
    TooLong {
        /// The field's path.
        field: &'static str,
        /// How many characters it may have.
        limit: usize,
    },
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
    /// Something is said to have happened later than now, beyond what clocks may differ.
    #[error("{field} {at} has not come yet: at most {latest} is accepted now")]
    FutureTime {
        /// The field's path.
        field: &'static str,
        /// What was given.
        at: Time,
        /// The latest moment that is accepted.
        latest: Time,
    },
    /// Two moments are in the wrong order.
    #[error("{field} {at} is too early: it must be {earliest} or later")]
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
    /// An amount is larger than any may be.
    #[error("{field} is more than {limit} {currency} in its minor units: split it")]
    TooLarge {
        /// The field's path.
        field: &'static str,
        /// The largest size, in minor units.
        limit: i64,
        /// The currency that these are of.
        currency: Currency,
    },
    /// An amount is in another currency than what it belongs to.
    #[error("{field} is in {given}: give an amount in {expected}")]
    CurrencyMismatch {
        /// The field's path.
        field: &'static str,
        /// The currency of what it belongs to.
        expected: Currency,
        /// The currency that was given.
        given: Currency,
    },
}

impl Explain for Invalid {
    fn class(&self) -> Class {
        match *self {
            Self::Missing { field }
            | Self::TooLong { field, .. }
            | Self::OutOfRange { field, .. }
            | Self::Repeated { field, .. }
            | Self::FutureTime { field, .. }
            | Self::TooEarly { field, .. }
            | Self::WrongSign { field, .. }
            | Self::TooLarge { field, .. }
            | Self::CurrencyMismatch { field, .. } => Class::Invalid { field },
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "MISSING",
            Self::TooLong { .. } => "TOO_LONG",
            Self::OutOfRange { .. } => "OUT_OF_RANGE",
            Self::Repeated { .. } => "REPEATED",
            Self::FutureTime { .. } => "FUTURE_TIME",
            Self::TooEarly { .. } => "TOO_EARLY",
            Self::WrongSign { .. } => "WRONG_SIGN",
            Self::TooLarge { .. } => "TOO_LARGE",
            Self::CurrencyMismatch { .. } => "CURRENCY_MISMATCH",
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Missing { .. } => vec![],
            Self::TooLong { limit, .. } => vec![("limit", limit.to_string())],
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
            } => vec![
                ("limit", limit.to_string()),
                ("currency", currency.to_string()),
            ],
            Self::CurrencyMismatch {
                expected, given, ..
            } => vec![
                ("expected", expected.to_string()),
                ("given", given.to_string()),
            ],
        }
    }
}

/// When something happened, as far as the client said, and the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// The moment of the command.
    pub now: Time,
    /// The moment the client gave; left out, it happened now.
    pub occurred_at: Option<Time>,
}

impl When {
    /// Now, as nothing else was said.
    pub const fn now(now: Time) -> Self {
        Self {
            now,
            occurred_at: None,
        }
    }

    /// The moment it happened; refused under the name `field` when that is in the future.
    pub fn happened(self, field: &'static str) -> Result<Time, Invalid> {
        let at = self.occurred_at.unwrap_or(self.now);
        let latest = self.now.plus_seconds(MAX_AHEAD_SECONDS);
        if at > latest {
            return Err(Invalid::FutureTime { field, at, latest });
        }
        Ok(at)
    }

    /// Whether a command repeated later may mean what happened at `recorded`: it does unless it says
    /// another moment.
    pub fn may_mean(self, recorded: Time) -> bool {
        self.occurred_at.is_none_or(|at| at == recorded)
    }
}

/// A text that must be given, of at most `limit` characters.
pub(crate) fn required(field: &'static str, text: &str, limit: usize) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::Missing { field });
    }
    optional(field, text, limit)
}

/// A text of at most `limit` characters.
pub(crate) fn optional(field: &'static str, text: &str, limit: usize) -> Result<(), Invalid> {
    if text.chars().count() > limit {
        return Err(Invalid::TooLong { field, limit });
    }
    Ok(())
}

/// An amount in `expected`, of the currency that the rest is in, and of a size that amounts may have.
pub(crate) fn amount_in(
    field: &'static str,
    amount: Money,
    expected: Currency,
) -> Result<(), Invalid> {
    if amount.currency != expected {
        return Err(Invalid::CurrencyMismatch {
            field,
            expected,
            given: amount.currency,
        });
    }
    if !amount.is_bounded() {
        return Err(Invalid::TooLarge {
            field,
            limit: MAX_MINOR_UNITS,
            currency: amount.currency,
        });
    }
    Ok(())
}

/// An amount of 0 or more.
pub(crate) fn not_negative(field: &'static str, amount: Money) -> Result<(), Invalid> {
    if amount.minor_units < 0 {
        return Err(Invalid::WrongSign {
            field,
            amount,
            wanted: "of 0 or more",
        });
    }
    Ok(())
}

/// An amount above 0.
pub(crate) fn positive(field: &'static str, amount: Money) -> Result<(), Invalid> {
    if amount.minor_units <= 0 {
        return Err(Invalid::WrongSign {
            field,
            amount,
            wanted: "above 0",
        });
    }
    Ok(())
}

/// Ids of which none occurs twice.
pub(crate) fn distinct<'a, I: Ord + std::fmt::Display + 'a>(
    field: &'static str,
    ids: impl IntoIterator<Item = &'a I>,
) -> Result<(), Invalid> {
    let mut seen = std::collections::BTreeSet::new();
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

#[cfg(test)]
mod tests {
    use eventsourcing::Time;

    use super::{Invalid, When, optional, required};

    #[test]
    fn a_clock_may_be_five_minutes_ahead_and_no_more() {
        let now = Time::from_days(1);
        let at = |seconds| When {
            now,
            occurred_at: Some(now.plus_seconds(seconds)),
        };
        assert_eq!(at(300).happened("occurred_at"), Ok(now.plus_seconds(300)));
        assert_eq!(
            at(301).happened("occurred_at"),
            Err(Invalid::FutureTime {
                field: "occurred_at",
                at: now.plus_seconds(301),
                latest: now.plus_seconds(300),
            })
        );
    }

    #[test]
    fn what_has_no_time_happened_now() {
        assert_eq!(
            When::now(Time::from_days(1)).happened("occurred_at"),
            Ok(Time::from_days(1))
        );
    }

    #[test]
    fn a_limit_counts_characters_and_not_bytes() {
        assert_eq!(optional("note", "ééé", 3), Ok(()));
        assert_eq!(
            optional("note", "éééé", 3),
            Err(Invalid::TooLong {
                field: "note",
                limit: 3
            })
        );
    }

    #[test]
    fn blanks_are_no_text() {
        assert_eq!(
            required("note", " \n", 9),
            Err(Invalid::Missing { field: "note" })
        );
    }
}
