//! X1: whom acquisition has erased is erased here.

use eventsourcing::Aggregate as _;
use patron_proto::acquisition::v1 as proto;
use prost::Message as _;
use retention_domain::Command;
use runtime::{ApplyError, Foreign, Receipt, Work};
use server::{Wrong, parse, resource_id};
use uuid::Uuid;

use crate::read_model::customers;
use crate::service::customer_stream;
use crate::wire;
use crate::wire::time;

const ERASED: &str = "patron.acquisition.v1.ProspectErased";

/// Takes it over, if that is what was told. A prospect who never became a customer is nobody here.
pub(crate) fn receive(work: &mut Work<'_>, event: &Foreign) -> Result<Option<Receipt>, ApplyError> {
    if event.kind != ERASED {
        return Ok(None);
    }
    let (id, command) = match read(event, work) {
        Ok(read) => read,
        Err(wrong) => return Ok(Some(Receipt::Parked(wrong.to_string()))),
    };
    let stream = customer_stream(id)?;
    // Guarded even if nothing follows: whoever becomes a customer at this moment must not be missed.
    work.version(&stream)?;
    let state = customers::load(work.rows(), id, &command.parts())?;
    for event in state.decide(command).unwrap_or_default() {
        work.emit(&stream, wire::event::write(id, &event))?;
    }
    Ok(Some(Receipt::Applied))
}

fn read(event: &Foreign, work: &Work<'_>) -> Result<(Uuid, Command), Wrong> {
    if event.schema != 1 {
        let what = format!("schema {} is unknown to this release", event.schema);
        return Err(Wrong::new(&event.kind, what));
    }
    let told = proto::ProspectErased::decode(event.payload.clone());
    let told = told.map_err(|error| Wrong::new(&event.kind, error))?;
    let [id] = resource_id("prospect", &told.prospect, ["prospects"])?;
    let command = Command::HearErased {
        erased_at: time("occurred_at", told.occurred_at.as_ref())?,
        now: work.now(),
    };
    Ok((parse("prospect", id)?, command))
}
