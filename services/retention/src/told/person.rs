//! X1: whom acquisition has erased is erased here, and what a person allows or forbids there holds here.

use eventsourcing::Aggregate as _;
use patron_proto::acquisition::v1 as proto;
use retention_domain::{Command, consent};
use runtime::{ApplyError, Foreign, Receipt, Work};
use server::{Wrong, parse, present, resource_id};
use uuid::Uuid;

use crate::read_model::customers;
use crate::service::customer_stream;
use crate::wire;
use crate::wire::relationship::consent_in;
use crate::wire::time;

/// The kinds of events that tell it.
pub(crate) const ERASED: &str = "patron.acquisition.v1.ProspectErased";
pub(crate) const CONSENT: &str = "patron.acquisition.v1.ConsentChanged";

/// Takes it over, if that is what was told. A prospect who never became a customer is nobody here.
pub(crate) fn receive(work: &mut Work<'_>, event: &Foreign) -> Result<Option<Receipt>, ApplyError> {
    let read = match event.kind.as_str() {
        ERASED => erased,
        CONSENT => consented,
        _ => return Ok(None),
    };
    if event.schema != 1 {
        let what = format!("schema {} is unknown to this release", event.schema);
        let wrong = Wrong::new(&event.kind, what);
        return Ok(Some(Receipt::Parked(wrong.to_string())));
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

fn message<M: prost::Message + Default>(event: &Foreign) -> Result<M, Wrong> {
    M::decode(event.payload.clone()).map_err(|error| Wrong::new(&event.kind, error))
}

fn customer(prospect: &str) -> Result<Uuid, Wrong> {
    let [id] = resource_id("prospect", prospect, ["prospects"])?;
    parse("prospect", id)
}

fn erased(event: &Foreign, work: &Work<'_>) -> Result<(Uuid, Command), Wrong> {
    let told: proto::ProspectErased = message(event)?;
    let command = Command::HearErased {
        erased_at: time("occurred_at", told.occurred_at.as_ref())?,
        now: work.now(),
    };
    Ok((customer(&told.prospect)?, command))
}

fn consented(event: &Foreign, _work: &Work<'_>) -> Result<(Uuid, Command), Wrong> {
    let told: proto::ConsentChanged = message(event)?;
    let (purpose, consent) = consent_in("consent", &present("consent", told.consent)?)?;
    let command = Command::HearConsent(consent::Changed { purpose, consent });
    Ok((customer(&told.prospect)?, command))
}
