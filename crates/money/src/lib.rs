//! Money that adds up: minor units, currencies, exact rates, splits that lose no cent.
//!
//! An amount is a whole number of its currency's minor units (cents of EUR, yen of JPY), so sums are exact.
//! Rates are decimals and not binary fractions: what a person writes as 0.7 is seven tenths here.
//! Every rounding in Patron happens in this crate, and always half to even.

pub mod allocate;
mod currency;
pub mod exact;
mod rate;
mod round;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use currency::{Currency, UnknownCurrency};
pub use exact::{Exact, Share};
pub use rate::Rate;
pub use round::{div_half_even, half_even};

/// The largest amount that anything may be told to cost or bring, in minor units, to either side of 0.
///
/// All services keep to this one bound, so that what one of them has accepted no other one refuses. A purchase
/// and all its reversals together weigh at most twice this, and 100,000 of them still fit into 64 bits.
pub const MAX_MINOR_UNITS: i64 = 40_000_000_000_000;

/// An amount of one currency, in its minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// ISO 4217.
    pub currency: Currency,
    /// In minor units: 12.34 EUR is 1234, 500 JPY is 500.
    pub minor_units: i64,
}

/// A sum or difference that does not fit, or of different currencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Amounts of different currencies are never added.
    #[error("amounts in {0} and {1} are never added together")]
    Currency(Currency, Currency),
    /// The sum is beyond 64 bits of minor units.
    #[error("the amount is too large")]
    Overflow,
}

impl Money {
    /// `minor_units` of `currency`.
    pub const fn new(currency: Currency, minor_units: i64) -> Self {
        Self {
            currency,
            minor_units,
        }
    }

    /// Whether it is at most [`MAX_MINOR_UNITS`] away from 0.
    pub const fn is_bounded(self) -> bool {
        self.minor_units.unsigned_abs() <= MAX_MINOR_UNITS.unsigned_abs()
    }

    /// The sum, if both are of one currency and it fits.
    pub fn checked_add(self, other: Self) -> Result<Self, Mismatch> {
        self.combine(other, i64::checked_add)
    }

    /// The difference, if both are of one currency and it fits.
    pub fn checked_sub(self, other: Self) -> Result<Self, Mismatch> {
        self.combine(other, i64::checked_sub)
    }

    fn combine(self, other: Self, op: fn(i64, i64) -> Option<i64>) -> Result<Self, Mismatch> {
        if self.currency != other.currency {
            return Err(Mismatch::Currency(self.currency, other.currency));
        }
        let minor_units = op(self.minor_units, other.minor_units).ok_or(Mismatch::Overflow)?;
        Ok(Self {
            currency: self.currency,
            minor_units,
        })
    }
}

impl fmt::Display for Money {
    /// In major units with the currency's decimals: `1234.50 EUR`, `500 JPY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor_units < 0 { "-" } else { "" };
        let minor = self.minor_units.unsigned_abs();
        let digits = self.currency.decimals();
        if digits == 0 {
            return write!(f, "{sign}{minor} {}", self.currency);
        }
        let unit = 10_u64.pow(digits);
        let width = digits as usize;
        write!(
            f,
            "{sign}{}.{:0width$} {}",
            minor / unit,
            minor % unit,
            self.currency
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Currency, MAX_MINOR_UNITS, Mismatch, Money};

    fn money(code: &str, minor_units: i64) -> Money {
        Money::new(code.parse().unwrap(), minor_units)
    }

    #[test]
    fn it_is_written_with_the_decimals_of_its_currency() {
        assert_eq!(money("EUR", 123_450).to_string(), "1234.50 EUR");
        assert_eq!(money("EUR", -5).to_string(), "-0.05 EUR");
        assert_eq!(money("JPY", 500).to_string(), "500 JPY");
        assert_eq!(money("KWD", 1_005).to_string(), "1.005 KWD");
    }

    #[test]
    fn the_bound_is_the_same_to_both_sides_and_included() {
        let is_bounded = |minor_units| money("EUR", minor_units).is_bounded();
        assert!(is_bounded(MAX_MINOR_UNITS) && is_bounded(-MAX_MINOR_UNITS));
        let beyond = [
            MAX_MINOR_UNITS + 1,
            -MAX_MINOR_UNITS - 1,
            i64::MIN,
            i64::MAX,
        ];
        assert!(!beyond.into_iter().any(is_bounded));
    }

    #[test]
    fn different_currencies_are_never_added() {
        let (eur, usd): (Currency, Currency) = ("EUR".parse().unwrap(), "USD".parse().unwrap());
        assert_eq!(
            money("EUR", 1).checked_add(money("USD", 1)),
            Err(Mismatch::Currency(eur, usd))
        );
        assert_eq!(
            money("EUR", 1).checked_add(money("EUR", 2)),
            Ok(money("EUR", 3))
        );
        assert_eq!(
            money("EUR", i64::MAX).checked_add(money("EUR", 1)),
            Err(Mismatch::Overflow)
        );
    }
}
