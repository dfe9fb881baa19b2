//! One day in one partition.

use std::fmt;
use std::time::Duration;

use eventsourcing::Time;
use journal::{InvalidStream, Partition, StreamId};
use read_model::{Error, Rows};
use uuid::Uuid;

use crate::Todo;
use crate::mutant::Mutant;
use crate::rows::{POSITIONS, TICKS};

/// The namespace of the request ids of ticks.
pub(super) const NAMESPACE: Uuid = Uuid::from_u128(0x7061_7472_6f6e_4000_8000_0000_7469_636b);

/// The tick of one day in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tick {
    /// The day: days since 1970-01-01, UTC.
    pub day: i64,
    /// The partition.
    pub partition: Partition,
}

impl Tick {
    /// 00:00 UTC of its day.
    pub const fn midnight(self) -> Time {
        Time::from_days(self.day)
    }

    /// The id of the command for one item that is due: the same whoever performs it.
    pub fn request_id(self, todo: &Todo) -> Uuid {
        Uuid::new_v5(&NAMESPACE, format!("{self}/{}", todo.0).as_bytes())
    }

    /// The stream that `TickBegun` and `TickDone` stand on: `tick/2026-03-01/~7`.
    pub(super) fn stream(self) -> Result<StreamId, InvalidStream> {
        StreamId::pinned(format!("tick/{}", self.date()), self.partition)
    }

    /// Whether the day has come by recorded time.
    pub(super) fn has_come(self, rows: &dyn Rows) -> Result<bool, Error> {
        let recorded = recorded(rows, self.partition)?;
        Ok(self.missing(recorded).is_zero() || Mutant::TickByOwnClock.is())
    }

    /// Whether it is done, by these rows.
    pub(super) fn is_done(self, rows: &dyn Rows) -> Result<bool, Error> {
        let row = TICKS.get(rows, &self.partition)?;
        Ok(row.is_some_and(|row| row.done >= Some(self.day)))
    }

    /// How long after `now` the day comes; nothing if it has come.
    pub(super) fn missing(self, now: Time) -> Duration {
        let micros = self.midnight().micros().saturating_sub(now.micros());
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    fn date(self) -> String {
        let midnight = self.midnight().to_string();
        midnight
            .split_once('T')
            .map_or(midnight.clone(), |(date, _)| date.to_owned())
    }
}

impl fmt::Display for Tick {
    /// `2026-03-01/~7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/~{}", self.date(), self.partition)
    }
}

/// Recorded time of a partition: the latest time that the log gave to a record there.
pub(super) fn recorded(rows: &dyn Rows, partition: Partition) -> Result<Time, Error> {
    let position = POSITIONS.get(rows, &partition)?.unwrap_or_default();
    Ok(Time::from_micros(position.recorded_at))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use eventsourcing::Time;

    use super::Tick;
    use crate::Todo;

    const TICK: Tick = Tick {
        day: 20_513,
        partition: 7,
    };

    #[test]
    fn its_stream_is_pinned_to_its_partition() {
        let stream = TICK.stream().unwrap();
        assert_eq!(stream.as_str(), "tick/2026-03-01/~7");
        assert_eq!(stream.pin(), Some(7));
    }

    #[test]
    fn it_comes_at_midnight_and_not_before() {
        let midnight = Time::from_days(20_513);
        let before = Time::from_micros(midnight.micros() - 1);
        assert_eq!(TICK.missing(before), Duration::from_micros(1));
        assert_eq!(TICK.missing(midnight), Duration::ZERO);
        assert_eq!(TICK.missing(midnight.plus_seconds(5)), Duration::ZERO);
    }

    #[test]
    fn each_item_has_an_id_of_its_own_on_each_day() {
        let next = Tick {
            day: TICK.day + 1,
            ..TICK
        };
        let (one, other) = (Todo("one".to_owned()), Todo("other".to_owned()));
        assert_ne!(TICK.request_id(&one), TICK.request_id(&other));
        assert_ne!(TICK.request_id(&one), next.request_id(&one));
        assert_eq!(TICK.request_id(&one), TICK.request_id(&one));
    }
}
