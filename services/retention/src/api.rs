//! The gRPC services, one a file. A method: parse, execute, reply.

pub(crate) mod batch;
pub(crate) mod customers;
pub(crate) mod events;
pub(crate) mod ledgers;
pub(crate) mod promises;
pub(crate) mod reports;
pub(crate) mod scoreboard;
pub(crate) mod values;
pub(crate) mod work;

use eventsourcing::Time;
use prost_types::Timestamp;
use retention_domain::input::When;
use runtime::Work;
use server::{from_timestamp, invalid};
use tonic::Status;

use crate::read_model::scoreboard::Period;

/// When something happened: when the client says, else now.
fn when(work: &Work<'_>, said: Option<&Timestamp>) -> When {
    When {
        now: work.now(),
        occurred_at: said.map(from_timestamp),
    }
}

/// A period; without an end, or with a later one, everything up to a moment, that moment included.
fn period(
    start: Option<&Timestamp>,
    end: Option<&Timestamp>,
    as_of: Time,
) -> Result<Period, Status> {
    let just_after = Time::from_micros(as_of.micros().saturating_add(1));
    let period = Period {
        start: start.map(from_timestamp),
        end: end.map_or(just_after, from_timestamp).min(just_after),
    };
    if period.start.is_some_and(|start| start >= period.end) {
        return Err(invalid("end", "must be later than start"));
    }
    Ok(period)
}
