//! A moment in UTC, in whole microseconds, and whole days.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A moment in UTC: microseconds since 1970-01-01T00:00:00Z, leap seconds ignored.
///
/// Microseconds, because that is what people's clocks are worth, and because it leaves an `i64` enough
/// room for every year that protobuf's `Timestamp` can name (0001 to 9999).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Time(i64);

/// A number of whole days of 24 hours.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Days(pub u32);

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

impl Time {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The moment `micros` microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The moment `seconds` seconds after the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// 00:00 UTC of the day `days` days after 1970-01-01.
    pub const fn from_days(days: i64) -> Self {
        Self(days.saturating_mul(MICROS_PER_DAY))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The UTC day it falls on: days since 1970-01-01.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(MICROS_PER_DAY)
    }

    /// `days` days later, or the last moment there is.
    #[must_use]
    pub const fn plus_days(self, days: Days) -> Self {
        Self(
            self.0
                .saturating_add(MICROS_PER_DAY.saturating_mul(days.0 as i64)),
        )
    }

    /// `days` days earlier, or the first moment there is.
    #[must_use]
    pub const fn minus_days(self, days: Days) -> Self {
        Self(
            self.0
                .saturating_sub(MICROS_PER_DAY.saturating_mul(days.0 as i64)),
        )
    }

    /// `seconds` seconds later (earlier when negative), or the last (first) moment there is.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(
            self.0
                .saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)),
        )
    }
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC, with as many decimals as are needed: `1997-09-30T00:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.day());
        let rest = self.0.rem_euclid(MICROS_PER_DAY);
        let (seconds, micros) = (rest / MICROS_PER_SECOND, rest % MICROS_PER_SECOND);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if micros != 0 {
            let digits = format!("{micros:06}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

/// Year, month and day of a day number, in the proleptic Gregorian calendar.
///
/// Counts in eras of 400 years that start on 1 March, so that the leap day is the last of a year.
const fn civil(days_since_epoch: i64) -> (i64, i64, i64) {
    const DAYS_PER_ERA: i64 = 146_097;
    const EPOCH_FROM_ERA_ZERO: i64 = 719_468;
    let shifted = days_since_epoch + EPOCH_FROM_ERA_ZERO;
    let era = shifted.div_euclid(DAYS_PER_ERA);
    let day_of_era = shifted.rem_euclid(DAYS_PER_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Days, Time};

    #[test]
    fn it_reads_as_rfc_3339() {
        assert_eq!(Time::EPOCH.to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(
            Time::from_seconds(951_782_400).to_string(),
            "2000-02-29T00:00:00Z"
        );
        assert_eq!(
            Time::from_micros(-1).to_string(),
            "1969-12-31T23:59:59.999999Z"
        );
        assert_eq!(
            Time::from_micros(1_500_000).to_string(),
            "1970-01-01T00:00:01.5Z"
        );
    }

    #[test]
    fn a_moment_before_midnight_belongs_to_the_day_before() {
        assert_eq!(Time::from_micros(-1).day(), -1);
        assert_eq!(Time::EPOCH.day(), 0);
    }

    proptest! {
        #[test]
        fn days_forward_and_back_meet(micros in -1_i64 << 50..1_i64 << 50, days in 0_u32..40_000) {
            let time = Time::from_micros(micros);
            prop_assert_eq!(time.plus_days(Days(days)).minus_days(Days(days)), time);
            prop_assert_eq!(time.plus_days(Days(days)).day(), time.day() + i64::from(days));
        }
    }
}
