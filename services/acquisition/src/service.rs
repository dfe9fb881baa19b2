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
const SCHEMA: u32 = 10;

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

    fn concerns(&self, event: &Foreign) -> bool {
        told::concerns(&event.kind)
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
    let told = match received.outcome {
        Some(Outcome::Applied(_)) => {
            told::read(&received.r#type, received.schema, &received.payload)?
        }
        // An older release skipped what it had no use for, and some of that is of use now.
        Some(Outcome::Skipped(_)) => {
            told::read(&received.r#type, received.schema, &received.payload).unwrap_or_default()
        }
        Some(Outcome::Refused(_) | Outcome::Parked(_)) | None => None,
    };
    told.map_or(Ok(()), |told| {
        let applied = told::apply(rows, fact.recorded(), received.sequence, &told);
        applied.map_err(ApplyError::from)
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use eventsourcing::Time;
    use patron_proto::journal::v1::Skipped;
    use patron_proto::retention::v1::{Assumptions, AssumptionsSet, ValueMethod};
    use read_model::Store;
    use server::Known;

    use super::*;
    use crate::read_model::valuation::Valuation;

    /// The annual retention rate in use after an older release skipped an event of this kind with these bytes.
    fn rate_after(kind: &str, payload: Vec<u8>) -> f64 {
        let received = Received {
            sequence: 1,
            r#type: format!("patron.retention.v1.{kind}"),
            schema: 1,
            payload: payload.into(),
            outcome: Some(Outcome::Skipped(Skipped {})),
            ..Received::default()
        };
        let event = journal::Event {
            kind: "patron.journal.v1.Received".to_owned(),
            schema: 1,
            public: false,
            payload: Bytes::from(received.encode_to_vec()),
        };
        let fact = Fact {
            stream: &StreamId::new("inbox/patron.retention.events/0").unwrap(),
            version: 1,
            partition: 0,
            offset: 7,
            index: 0,
            commit_id: Uuid::nil(),
            recorded_at: Time::from_seconds(1),
            event: &event,
        };
        let store = Store::in_memory();
        let mut tx = store.begin().unwrap();
        Acquisition.apply(&mut tx, &fact).unwrap();
        store.commit(tx).unwrap();
        let known = Known::At(Time::from_seconds(1));
        let currency = "EUR".parse().unwrap();
        let valuation = store.read(|rows| Valuation::known(rows, currency, &known));
        let assumptions = valuation.unwrap().basis.assumptions;
        assumptions.annual_retention_rate.to_f64()
    }

    #[test]
    fn what_an_older_release_skipped_is_known_to_this_one() {
        let set = AssumptionsSet {
            ledger: "ledgers/EUR".to_owned(),
            occurred_at: None,
            assumptions: Some(Assumptions {
                method: ValueMethod::Simple as i32,
                annual_retention_rate: 0.8,
                ..Assumptions::default()
            }),
        };
        let told = rate_after("AssumptionsSet", set.encode_to_vec());
        assert!((told - 0.8).abs() < 1e-12);
        // What it cannot read stays skipped, and what is of no use too.
        let unreadable = rate_after("AssumptionsSet", vec![0xff]);
        assert!((unreadable - 0.75).abs() < 1e-12);
        let useless = rate_after("PeriodClosed", set.encode_to_vec());
        assert!((useless - 0.75).abs() < 1e-12);
    }
}
