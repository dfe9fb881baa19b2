//! The gRPC services, one a file. A method: parse, execute, reply.

pub(crate) mod campaigns;
pub(crate) mod events;
pub(crate) mod propositions;
pub(crate) mod prospects;
pub(crate) mod reports;

use acquisition_domain::input::When;
use prost_types::Timestamp;
use runtime::Work;
use server::from_timestamp;

/// When something happened: when the client says, else now.
fn when(work: &Work<'_>, said: Option<&Timestamp>) -> When {
    When {
        now: work.now(),
        occurred_at: said.map(from_timestamp),
    }
}
