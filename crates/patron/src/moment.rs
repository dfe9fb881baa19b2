//! As of which moment a report is asked for, and over which period.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use prost_types::Timestamp;

/// Business time and knowledge.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Moment {
    /// What had happened by then, such as 2026-01-31T12:00:00Z [default: now].
    #[arg(long, value_name = "TIME", value_parser = time)]
    as_of: Option<jiff::Timestamp>,
    /// With what was recorded by then, at least a minute ago [default: all that is].
    #[arg(long, value_name = "TIME", value_parser = time)]
    known_at: Option<jiff::Timestamp>,
    /// The same by the token of an earlier answer (`known_at_position` in its JSON).
    #[arg(long, value_name = "TOKEN", conflicts_with = "known_at")]
    known_at_position: Option<String>,
}

impl Moment {
    pub(crate) fn as_of(&self) -> Option<Timestamp> {
        self.as_of.map(timestamp)
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

/// The last moment before a day begins: what is asked for as of then ends with the day before.
pub(crate) fn last_moment_before(day: Date) -> anyhow::Result<Timestamp> {
    let midnight = midnight(day)?;
    Ok(Timestamp {
        seconds: midnight.seconds - 1,
        nanos: 999_999_000,
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
    use super::{day, midnight, time, timestamp};

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
    fn a_day_begins_at_midnight_utc_and_a_moment_is_itself() {
        let day = midnight(jiff::civil::date(2026, 1, 1)).unwrap();
        assert_eq!((day.seconds, day.nanos), (1_767_225_600, 0));
        let before = timestamp("1969-12-31T23:59:59.5Z".parse().unwrap());
        assert_eq!((before.seconds, before.nanos), (-1, 500_000_000));
    }
}
