//! As of which moment a report is asked for, and over which period.
//!
//! `--as-of DAY` means the same in every command: all that happened on that day counts. Periods are half-open:
//! what follows `--as-of 2026-06-30` is a period that starts on 2026-07-01.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use prost_types::Timestamp;

use crate::show::now;

/// What `--as-of` means, in every command that has it.
pub(crate) const AS_OF: &str = "What had happened by the end of this day, such as 2026-06-30, or by this \
     moment, such as 2026-06-30T12:00:00Z [default: now]";

/// As of when something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AsOf {
    /// The end of the day that begins then.
    Day(jiff::Timestamp),
    /// That moment.
    At(jiff::Timestamp),
}

/// As of when, as somebody wrote it.
///
/// # Errors
/// A sentence that says how a day and a moment are written.
pub(crate) fn as_of(text: &str) -> Result<AsOf, String> {
    let begins = |day: Date| day.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    match day(text) {
        Ok(day) => begins(day)
            .map(AsOf::Day)
            .map_err(|error| error.to_string()),
        Err(either) => match time(text) {
            Ok(at) => Ok(AsOf::At(at)),
            Err(or) => Err(format!("{either}, {or}")),
        },
    }
}

impl AsOf {
    /// As services take it; nothing for now.
    pub(crate) fn of(given: Option<Self>) -> Option<Timestamp> {
        given.and_then(|as_of| as_of.at(&now()))
    }

    /// Of a day the last microsecond; of today nothing, which is now, as the rest of it is still to come.
    fn at(self, now: &Timestamp) -> Option<Timestamp> {
        let begins = match self {
            Self::At(at) => return Some(timestamp(at)),
            Self::Day(begins) => begins.as_second(),
        };
        let today = begins..begins + SECONDS_A_DAY;
        (!today.contains(&now.seconds)).then(|| Timestamp {
            seconds: today.end - 1,
            nanos: 999_999_000,
        })
    }
}

const SECONDS_A_DAY: i64 = 86_400;

/// Business time and knowledge.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Moment {
    #[arg(long, value_name = "DAY", value_parser = as_of, help = AS_OF)]
    as_of: Option<AsOf>,
    /// With what was recorded by then, at least a minute ago [default: all that is].
    #[arg(long, value_name = "TIME", value_parser = time)]
    known_at: Option<jiff::Timestamp>,
    /// The same by the token of an earlier answer (`known_at_position` in its JSON).
    #[arg(long, value_name = "TOKEN", conflicts_with = "known_at")]
    known_at_position: Option<String>,
}

impl Moment {
    pub(crate) fn as_of(&self) -> Option<Timestamp> {
        AsOf::of(self.as_of)
    }

    pub(crate) fn known_at(&self) -> Option<Timestamp> {
        self.known_at.map(timestamp)
    }

    pub(crate) fn token(&self) -> String {
        self.known_at_position.clone().unwrap_or_default()
    }
}

/// A period of whole days.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Period {
    /// The first day of the period, such as 2026-01-01 [default: the beginning of time].
    #[arg(long, value_name = "DAY", value_parser = day)]
    start: Option<Date>,
    /// The day after the last one of the period [default: up to now].
    #[arg(long, value_name = "DAY", value_parser = day)]
    end: Option<Date>,
}

impl Period {
    pub(crate) fn start(&self) -> anyhow::Result<Option<Timestamp>> {
        self.start.map(midnight).transpose()
    }

    pub(crate) fn end(&self) -> anyhow::Result<Option<Timestamp>> {
        self.end.map(midnight).transpose()
    }
}

/// A day that somebody wrote.
///
/// # Errors
/// A sentence that says how a day is written.
pub(crate) fn day(text: &str) -> Result<Date, String> {
    let day = text.parse().ok().filter(|_| text.len() == 10);
    day.ok_or_else(|| "a day is written as 2026-01-31".to_owned())
}

/// A moment that somebody wrote.
///
/// # Errors
/// A sentence that says how a moment is written.
pub(crate) fn time(text: &str) -> Result<jiff::Timestamp, String> {
    text.parse().map_err(|_| {
        "a moment is written as 2026-01-31T12:00:00Z, or with an offset as \
         2026-01-31T14:00:00+02:00"
            .to_owned()
    })
}

/// The beginning of a day.
pub(crate) fn midnight(day: Date) -> anyhow::Result<Timestamp> {
    Ok(timestamp(day.to_zoned(TimeZone::UTC)?.timestamp()))
}

fn timestamp(time: jiff::Timestamp) -> Timestamp {
    server::timestamp(eventsourcing::Time::from_micros(time.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::{as_of, day, midnight, time, timestamp};

    #[test]
    fn what_is_no_day_or_moment_is_told_how_one_is_written() {
        assert_eq!(day("2026-01-31"), Ok(jiff::civil::date(2026, 1, 31)));
        for wrong in [
            "",
            "31.01.2026",
            "2026-02-30",
            "20260131",
            "2026-01-31T12:00:00Z",
        ] {
            assert_eq!(day(wrong), Err("a day is written as 2026-01-31".to_owned()));
        }
        assert!(time("2026-01-31T14:00:00+02:00").is_ok());
        for wrong in ["", "now", "2026-01-31", "2026-01-31T12:00:00"] {
            let said = time(wrong).unwrap_err();
            assert!(said.starts_with("a moment is written as 2026-"), "{said}");
        }
    }

    #[test]
    fn as_of_a_day_is_its_last_microsecond_and_of_today_now() {
        let at = |seconds, nanos| Timestamp { seconds, nanos };
        let now = at(86_400 * 10 + 7, 5);
        let of = |text: &str| as_of(text).unwrap().at(&now);
        assert_eq!(of("1970-01-02"), Some(at(86_400 * 2 - 1, 999_999_000)));
        assert_eq!(of("1970-01-10"), Some(at(86_400 * 10 - 1, 999_999_000)));
        assert_eq!(of("1970-01-11"), None);
        // What lies ahead is for the service to refuse.
        assert_eq!(of("1970-01-12"), Some(at(86_400 * 12 - 1, 999_999_000)));
        assert_eq!(of("1970-01-02T00:00:01.5Z"), Some(at(86_401, 500_000_000)));
        let said = as_of("yesterday").unwrap_err();
        assert!(
            said.starts_with("a day is written as 2026-01-31, a moment"),
            "{said}"
        );
    }

    #[test]
    fn a_day_begins_at_midnight_utc_and_a_moment_is_itself() {
        let day = midnight(jiff::civil::date(2026, 1, 1)).unwrap();
        assert_eq!((day.seconds, day.nanos), (1_767_225_600, 0));
        let before = timestamp("1969-12-31T23:59:59.5Z".parse().unwrap());
        assert_eq!((before.seconds, before.nanos), (-1, 500_000_000));
    }
}
