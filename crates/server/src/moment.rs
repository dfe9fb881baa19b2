//! What a report is asked for: as of which moment of the business, and with whose knowledge.
//!
//! Business time says which facts had happened; knowledge says which of them had been recorded. The same
//! pair gives the same answer for ever: facts that are told later, rebuilds and other instances change
//! nothing of it.

use eventsourcing::Time;
use journal::Position;
use prost_types::Timestamp;
use read_model::Key as _;
use runtime::{Engine, Recorded, Service};
use tonic::Status;

use crate::status::invalid;
use crate::{Call, from_timestamp, timestamp};

/// Recorded times younger than this may still get company from a clock that is behind.
const SETTLED_AFTER_SECONDS: i64 = 60;

/// The fields of a request that say which moment is meant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// Business time; absent: now.
    pub as_of: Option<&'a Timestamp>,
    /// Recorded time, at least 60 s old.
    pub known_at: Option<&'a Timestamp>,
    /// The token of an earlier answer. With neither of both: all that is recorded now.
    pub known_at_position: &'a str,
}

/// The [`Asked`] of a request that has these three fields, as those for reports do.
#[macro_export]
macro_rules! asked {
    ($message:expr) => {
        $crate::Asked {
            as_of: $message.as_of.as_ref(),
            known_at: $message.known_at.as_ref(),
            known_at_position: &$message.known_at_position,
        }
    };
}

/// A moment to report on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Facts count that happened at this time or before.
    pub as_of: Time,
    /// And of these, the ones that were known.
    pub known: Known,
}

/// What was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// All that was recorded at this time or before.
    At(Time),
    /// All that was recorded before this position.
    Before(Position),
}

impl Known {
    /// Whether a fact that was recorded there was known.
    pub fn includes(&self, recorded: &Recorded) -> bool {
        match self {
            Self::At(time) => recorded.at <= *time,
            Self::Before(position) => recorded.offset < position.get(recorded.partition),
        }
    }

    /// The token that asks for the same knowledge again; empty if it was asked for by time.
    pub fn token(&self) -> String {
        match self {
            Self::At(_) => String::new(),
            Self::Before(position) => position.to_string(),
        }
    }
}

impl Moment {
    /// Whether a fact counts that happened then and was recorded there.
    pub fn includes(&self, occurred_at: Time, recorded: &Recorded) -> bool {
        occurred_at <= self.as_of && self.known.includes(recorded)
    }
}

/// Reads which moment a report is asked for, and waits until this replica's rows hold all of it.
///
/// # Errors
/// INVALID_ARGUMENT for a time that is ahead or not yet settled, for both kinds of knowledge at once, or
/// for a token that is none or is of another journal; UNAVAILABLE when the rows are not there before the
/// caller's deadline.
pub async fn moment<S: Service>(
    engine: &Engine<S>,
    call: &Call,
    asked: Asked<'_>,
) -> Result<Moment, Status> {
    let now = engine.clock().now();
    let as_of = asked.as_of.map_or(now, from_timestamp);
    if as_of > now {
        return Err(invalid(
            "as_of",
            "lies ahead; a report is about what has been",
        ));
    }
    let asked_known = known(asked, now)?;
    let here = crate::caught_up(engine, call).await?;
    match asked_known {
        Some(Known::Before(position)) if position.journal != here.journal => {
            let what = "is of another journal; take the token of an earlier answer of this service";
            Err(invalid("known_at_position", what))
        }
        Some(Known::Before(position)) if !here.covers(&position) => {
            let what = "is beyond the end of the journal; take the token of an earlier answer";
            Err(invalid("known_at_position", what))
        }
        Some(known) => Ok(Moment { as_of, known }),
        None => Ok(Moment {
            as_of,
            known: Known::Before(here),
        }),
    }
}

/// The moment that all pages of one list share: kept in their tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MomentOfPages {
    as_of: Time,
    known: String,
}

impl MomentOfPages {
    /// To be kept in a page token.
    pub fn of(moment: &Moment) -> Self {
        Self {
            as_of: moment.as_of,
            known: moment.known.token(),
        }
    }

    /// Adds it to the bytes of a token.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        (self.as_of.micros(), self.known.clone()).encode(bytes);
    }

    /// Takes it off the front of these bytes.
    pub fn decode(bytes: &mut &[u8]) -> Option<Self> {
        let (as_of, known) = <(i64, String)>::decode(bytes)?;
        let as_of = Time::from_micros(as_of);
        Some(Self { as_of, known })
    }

    /// The moment of a page: of the page before, if there was one.
    ///
    /// # Errors
    /// As [`moment`], and INVALID_ARGUMENT if the request asks for another moment than the page before.
    pub async fn again<S: Service>(
        before: Option<&Self>,
        engine: &Engine<S>,
        call: &Call,
        asked: Asked<'_>,
    ) -> Result<Moment, Status> {
        let Some(before) = before else {
            return moment(engine, call, asked).await;
        };
        let as_of = timestamp(before.as_of);
        let position = asked.known_at_position;
        let another = asked.as_of.is_some_and(|asked| *asked != as_of)
            || !(position.is_empty() || position == before.known);
        if another {
            return Err(invalid("page_token", "belongs to a list of another moment"));
        }
        let same = Asked {
            as_of: Some(&as_of),
            known_at_position: &before.known,
            ..asked
        };
        moment(engine, call, same).await
    }
}

/// The knowledge that is asked for; nothing for all that there is.
fn known(asked: Asked<'_>, now: Time) -> Result<Option<Known>, Status> {
    let token = asked.known_at_position;
    match asked.known_at.map(from_timestamp) {
        Some(_) if !token.is_empty() => {
            let what = "is given together with known_at; give one of both";
            Err(invalid("known_at_position", what))
        }
        Some(time) if time > now.plus_seconds(-SETTLED_AFTER_SECONDS) => {
            let what = "must be at least 60 seconds ago; leave it out for all that is known now";
            Err(invalid("known_at", what))
        }
        Some(time) => Ok(Some(Known::At(time))),
        None if token.is_empty() => Ok(None),
        None => {
            let what = "is not a position token; take known_at_position of an earlier answer";
            let position = token
                .parse()
                .map_err(|_| invalid("known_at_position", what))?;
            Ok(Some(Known::Before(position)))
        }
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::Time;
    use journal::Position;
    use prost_types::Timestamp;
    use runtime::Recorded;
    use uuid::Uuid;

    use super::{Asked, Known, Moment, known};

    const NOW: Time = Time::from_seconds(1_000_000);

    fn recorded(partition: u32, offset: u64, seconds: i64) -> Recorded {
        let at = Time::from_seconds(seconds);
        Recorded {
            partition,
            offset,
            at,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp { seconds, nanos: 0 }
    }

    #[test]
    fn knowledge_by_time_ends_with_that_time() {
        let known = Known::At(Time::from_seconds(10));
        assert!(known.includes(&recorded(0, 99, 10)));
        assert!(!known.includes(&recorded(0, 0, 11)));
        assert_eq!(known.token(), "");
    }

    #[test]
    fn knowledge_by_position_ends_before_it_in_each_partition() {
        let mut position = Position::start(Uuid::nil(), 2);
        position.advance(1, 5);
        let known = Known::Before(position.clone());
        assert!(known.includes(&recorded(1, 4, 10)));
        assert!(!known.includes(&recorded(1, 5, 10)));
        assert!(!known.includes(&recorded(0, 0, 10)));
        assert_eq!(known.token().parse(), Ok(position));
    }

    #[test]
    fn a_fact_counts_if_it_had_happened_and_was_known() {
        let moment = Moment {
            as_of: Time::from_seconds(20),
            known: Known::At(Time::from_seconds(30)),
        };
        assert!(moment.includes(Time::from_seconds(20), &recorded(0, 0, 30)));
        assert!(!moment.includes(Time::from_seconds(21), &recorded(0, 0, 30)));
        assert!(!moment.includes(Time::from_seconds(20), &recorded(0, 0, 31)));
    }

    #[test]
    fn a_recorded_time_must_be_settled() -> Result<(), tonic::Status> {
        let settled = at(1_000_000 - 60);
        let asked = |known_at| Asked {
            known_at,
            ..Asked::default()
        };
        let found = known(asked(Some(&settled)), NOW)?;
        assert_eq!(found, Some(Known::At(Time::from_seconds(999_940))));
        let young = known(asked(Some(&at(1_000_000 - 59))), NOW).map_err(|status| status.code());
        assert_eq!(young, Err(tonic::Code::InvalidArgument));
        Ok(())
    }

    #[test]
    fn one_kind_of_knowledge_at_a_time_and_only_real_tokens() {
        let token = Position::start(Uuid::nil(), 1).to_string();
        let code = |asked| known(asked, NOW).map_err(|status| status.code());
        let both = Asked {
            known_at: Some(&at(10)),
            known_at_position: &token,
            ..Asked::default()
        };
        assert_eq!(code(both), Err(tonic::Code::InvalidArgument));
        let wrong = Asked {
            known_at_position: "yesterday",
            ..Asked::default()
        };
        assert_eq!(code(wrong), Err(tonic::Code::InvalidArgument));
        assert_eq!(code(Asked::default()), Ok(None));
    }
}
