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

use prost_types::Timestamp;
use retention_domain::input::When;
use runtime::Work;
use server::from_timestamp;

/// When something happened: when the client says, else now.
fn when(work: &Work<'_>, said: Option<&Timestamp>) -> When {
    When {
        now: work.now(),
        occurred_at: said.map(from_timestamp),
    }
}
