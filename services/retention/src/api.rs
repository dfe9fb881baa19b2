//! The gRPC services, one a file. A method: parse, execute, reply.

pub(crate) mod batch;
pub(crate) mod customers;
pub(crate) mod events;
pub(crate) mod promises;
pub(crate) mod scoreboard;

use patron_proto::retention::v1 as proto;
use prost_types::Timestamp;
use retention_domain::input::When;
use runtime::Work;
use server::from_timestamp;

server::commands!(
    proto::ReversePurchaseRequest,
    proto::EndRelationshipRequest,
    proto::WinBackCustomerRequest,
    proto::AssessPromiseRequest,
    proto::RepairPromiseRequest,
    proto::WaivePromiseRequest;
    without_etag:
    proto::OpenRelationshipRequest,
    proto::RecordPurchaseRequest,
    proto::MakePromiseRequest,
);

/// When something happened: when the client says, else now.
fn when(work: &Work<'_>, said: Option<&Timestamp>) -> When {
    When { now: work.now(), occurred_at: said.map(from_timestamp) }
}
