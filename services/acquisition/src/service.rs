//! Acquisition as the engine sees it: how events become rows, and what retention's events mean.

use journal::StreamId;
use patron_proto::journal::v1::{Received, received::Outcome};
use prost::Message as _;
use read_model::RowsMut;
use runtime::{ApplyError, Fact, Foreign, Receipt, Service, Work};
use server::Wrong;
use uuid::Uuid;

use acquisition_domain::id::PropositionId;
use acquisition_domain::{proposition, prospect};
use eventsourcing::Aggregate as _;

use crate::read_model::{
    credit, erasures, flags, identities, journeys, merges, offers, propositions, prospects,
};
use crate::{told, wire};

/// The layout of the rows. Raise it when a row changes its meaning or its bytes.
const SCHEMA: u32 = 8;

/// The acquisition service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Acquisition;

impl Service for Acquisition {
    fn name(&self) -> &'static str {
        "acquisition"
    }

    fn schema(&self) -> u32 {
        SCHEMA
    }

    fn apply(&self, rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<(), ApplyError> {
        let id = fact.stream.id();
        match fact.stream.collection() {
            "propositions" => of_proposition(rows, id, fact),
            "prospects" => of_prospect(rows, id, fact),
            "inbox" => received(rows, fact),
            _ => Err(ApplyError::Unreadable(format!(
                "no stream of acquisition: {}",
                fact.stream
            ))),
        }
    }

    fn receive(&self, work: &mut Work<'_>, event: &Foreign) -> Result<Receipt, ApplyError> {
        match told::read(&event.kind, event.schema, &event.payload) {
            Ok(Some(told)) => hear(work, &told),
            Ok(None) => Ok(Receipt::Skipped),
            Err(wrong) => Ok(Receipt::Parked(wrong.to_string())),
        }
    }
}

/// X1: whom retention has erased is erased here, and what a customer allows or forbids there holds here.
/// Everything else that it tells are facts for views, which are folded from the record of the event.
fn hear(work: &mut Work<'_>, told: &told::Told) -> Result<Receipt, ApplyError> {
    let erased = told
        .erased()
        .map(|(id, erased_at)| (id, prospect::Command::HearErased { erased_at }));
    let consented = told.consented().map(|(id, consent)| {
        let consent = consent.clone();
        (id, prospect::Command::HearConsent { consent })
    });
    let Some((id, command)) = erased.or(consented) else {
        return Ok(Receipt::Applied);
    };
    let stream = prospect_stream(id)?;
    // Guarded even if nothing follows: whoever is created at this moment must not be missed.
    work.version(&stream)?;
    let state = prospects::load(work.rows(), id, &[])?;
    for event in state.decide(command).unwrap_or_default() {
        work.emit(&stream, wire::event::of_prospect(id, &event))?;
    }
    Ok(Receipt::Applied)
}

/// The stream of a proposition.
pub(crate) fn proposition_stream(id: &PropositionId) -> Result<StreamId, Wrong> {
    StreamId::new(format!("propositions/{id}")).map_err(|error| Wrong::new("name", error))
}

/// The stream of a prospect.
pub(crate) fn prospect_stream(id: Uuid) -> Result<StreamId, Wrong> {
    StreamId::new(format!("prospects/{id}")).map_err(|error| Wrong::new("name", error))
}

fn of_proposition(rows: &mut dyn RowsMut, id: &str, fact: &Fact<'_>) -> Result<(), ApplyError> {
    let id = server::parse("stream", id)?;
    let event = wire::event::proposition(fact.event)?;
    let state = propositions::apply(rows, &id, &event)?;
    offers::apply(rows, &id, fact.recorded(), &state, &event)?;
    if let proposition::Event::Presentation(event) = &event {
        flags::apply(rows, &id, event)?;
    }
    Ok(())
}

fn of_prospect(rows: &mut dyn RowsMut, id: &str, fact: &Fact<'_>) -> Result<(), ApplyError> {
    let id: Uuid = server::parse("stream", id)?;
    let event = wire::event::prospect(fact.event)?;
    let prospect = prospects::apply(rows, id, &event)?;
    merges::apply(rows, id, &event)?;
    identities::apply(rows, id, fact, &event)?;
    erasures::apply(rows, id, &event)?;
    let of = (id, prospect.conversion.is_some());
    journeys::apply(rows, of, fact.recorded(), &event)?;
    credit::apply(rows, id, &prospect, &event)?;
    Ok(())
}

fn received(rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<(), ApplyError> {
    let unreadable = |error: prost::DecodeError| ApplyError::Unreadable(error.to_string());
    let received = Received::decode(fact.event.payload.clone()).map_err(unreadable)?;
    if !matches!(received.outcome, Some(Outcome::Applied(_))) {
        return Ok(());
    }
    let told = told::read(&received.r#type, received.schema, &received.payload)?;
    told.map_or(Ok(()), |told| {
        told::apply(rows, fact.recorded(), &told).map_err(ApplyError::from)
    })
}
