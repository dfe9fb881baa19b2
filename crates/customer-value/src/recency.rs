//! A customer as the models see one: x repeat purchases, the last at age tx, observed until age T.

use crate::BadRow;

/// Days in one unit of model time. Rates, and the parameter alpha, are per unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// One day.
    Days,
    /// Seven days exactly, not rounded to two decimals as some published tables are.
    Weeks,
}

impl Unit {
    /// `days` in this unit.
    pub fn from_days(self, days: f64) -> f64 {
        match self {
            Self::Days => days,
            Self::Weeks => days / 7.0,
        }
    }

    /// The singular that reports use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Days => "day",
            Self::Weeks => "week",
        }
    }
}

/// A history by the day: first and last purchase day and how many purchase days followed the first.
///
/// The days do not depend on `as_of`, so a table of cells can be kept and added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    first_day: i32,
    last_day: i32,
    x: u32,
}

impl Cell {
    /// A history with `x` repeat days, the last of them on `last_day`.
    pub fn new(first_day: i32, last_day: i32, x: u32) -> Result<Self, BadRow> {
        let span = i64::from(last_day) - i64::from(first_day);
        match (span, x) {
            (..0, _) => Err(BadRow::Negative),
            (1.., 0) => Err(BadRow::LastWithoutRepeat),
            (0, 1..) => Err(BadRow::RepeatWithoutLast),
            (span, x) if i64::from(x) > span => Err(BadRow::TooManyDays),
            _ => Ok(Self::of_days(first_day, last_day, x)),
        }
    }

    /// A cell counted from a set of days, which cannot be wrong.
    pub(crate) const fn of_days(first_day: i32, last_day: i32, x: u32) -> Self {
        Self {
            first_day,
            last_day,
            x,
        }
    }

    /// The day of the first purchase.
    pub const fn first_day(self) -> i32 {
        self.first_day
    }

    /// The day of the last purchase.
    pub const fn last_day(self) -> i32 {
        self.last_day
    }

    /// How many purchase days followed the first.
    pub const fn x(self) -> u32 {
        self.x
    }

    /// The same history as seen at the end of the day `as_of`: only T depends on it.
    pub fn seen(self, as_of: i32, unit: Unit) -> Result<Recency, BadRow> {
        let (tx_days, t_days) = self.ages(as_of)?;
        Ok(Recency {
            x: self.x,
            tx: unit.from_days(f64::from(tx_days)),
            t: unit.from_days(f64::from(t_days)),
        })
    }

    /// tx and T in days.
    pub(crate) fn ages(self, as_of: i32) -> Result<(u32, u32), BadRow> {
        let age = |day: i32| u32::try_from(i64::from(day) - i64::from(self.first_day));
        let t = age(as_of).map_err(|_| BadRow::Negative)?;
        let tx = age(self.last_day).map_err(|_| BadRow::Negative)?;
        if tx > t {
            return Err(BadRow::LastAfterAsOf);
        }
        Ok((tx, t))
    }
}

/// A history in model time, continuous: x repeat purchases, the last at age `tx`, observed until age `t`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recency {
    x: u32,
    tx: f64,
    t: f64,
}

impl Recency {
    /// A history in any unit of time. What cannot be true is rejected, never clamped.
    pub fn new(x: u32, tx: f64, t: f64) -> Result<Self, BadRow> {
        if !tx.is_finite() || !t.is_finite() {
            return Err(BadRow::NotFinite);
        }
        if tx < 0.0 || t < 0.0 {
            return Err(BadRow::Negative);
        }
        if tx > t {
            return Err(BadRow::LastAfterAsOf);
        }
        match (x, tx > 0.0) {
            (0, true) => Err(BadRow::LastWithoutRepeat),
            (1.., false) => Err(BadRow::RepeatWithoutLast),
            _ => Ok(Self { x, tx, t }),
        }
    }

    /// A customer acquired at the end of `as_of`: x = 0, T = 0.
    pub const fn newcomer() -> Self {
        Self {
            x: 0,
            tx: 0.0,
            t: 0.0,
        }
    }

    /// The number of repeat purchases.
    pub const fn x(self) -> u32 {
        self.x
    }

    /// The age at the last purchase.
    pub const fn tx(self) -> f64 {
        self.tx
    }

    /// The age at the end of the observation.
    pub const fn t(self) -> f64 {
        self.t
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Recency, Unit};
    use crate::BadRow;

    #[test]
    fn e11_a_row_that_cannot_be_true_is_rejected_and_never_clamped() {
        assert_eq!(Recency::new(1, 5.0, 4.0), Err(BadRow::LastAfterAsOf));
        assert_eq!(Recency::new(0, 0.0, -1.0), Err(BadRow::Negative));
        assert_eq!(Recency::new(0, 1.0, 4.0), Err(BadRow::LastWithoutRepeat));
        assert_eq!(Recency::new(2, 0.0, 4.0), Err(BadRow::RepeatWithoutLast));
        assert_eq!(Recency::new(2, f64::NAN, 4.0), Err(BadRow::NotFinite));
        assert_eq!(Recency::new(2, 1.0, f64::INFINITY), Err(BadRow::NotFinite));
        assert_eq!(Cell::new(3, 2, 0), Err(BadRow::Negative));
        assert_eq!(Cell::new(3, 3, 1), Err(BadRow::RepeatWithoutLast));
        assert_eq!(Cell::new(3, 4, 0), Err(BadRow::LastWithoutRepeat));
        assert_eq!(Cell::new(3, 5, 3), Err(BadRow::TooManyDays));
        let cell = Cell::new(3, 5, 2).unwrap();
        assert_eq!(cell.seen(2, Unit::Days), Err(BadRow::Negative));
        assert_eq!(cell.seen(4, Unit::Days), Err(BadRow::LastAfterAsOf));
    }

    #[test]
    fn a15_only_the_age_depends_on_as_of() {
        let cell = Cell::new(-3, 11, 2).unwrap();
        let (early, late) = (
            cell.seen(11, Unit::Weeks).unwrap(),
            cell.seen(18, Unit::Weeks).unwrap(),
        );
        assert_eq!(early, Recency::new(2, 2.0, 2.0).unwrap());
        assert_eq!(late, Recency::new(2, 2.0, 3.0).unwrap());
    }
}
