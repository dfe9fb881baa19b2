//! Months of the calendar, in UTC.

use std::fmt;

use eventsourcing::Time;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

/// A month of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month(Date);

impl Month {
    /// The month in which a moment lies; the nearest that the calendar has for one beyond it.
    pub(crate) fn of(moment: Time) -> Self {
        let stamp = jiff::Timestamp::from_microsecond(moment.micros());
        let stamp = stamp.unwrap_or(if moment.micros() < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        Self(stamp.to_zoned(TimeZone::UTC).date().first_of_month())
    }

    /// So many months later.
    pub(crate) fn plus(self, months: u32) -> Self {
        let span = jiff::Span::new().months(months);
        Self(self.0.saturating_add(span).first_of_month())
    }

    /// Its first moment.
    pub(crate) fn start(self) -> Time {
        let days = self.0.since((jiff::Unit::Day, date(1970, 1, 1)));
        Time::from_days(days.map_or(i64::MAX / 86_400_000_000, |days| days.get_days().into()))
    }
}

/// `2026-01`.
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::Time;

    use super::Month;

    #[test]
    fn months_follow_each_other_over_the_year_and_begin_at_midnight() {
        let last = Month::of(Time::from_seconds(1_767_225_599));
        assert_eq!(last.to_string(), "2025-12");
        assert_eq!(last.plus(1).start(), Time::from_seconds(1_767_225_600));
        assert_eq!(last.plus(3).to_string(), "2026-03");
        assert_eq!(Month::of(last.plus(1).start()).to_string(), "2026-01");
        assert_eq!(Month::of(Time::from_seconds(-1)).to_string(), "1969-12");
    }
}
