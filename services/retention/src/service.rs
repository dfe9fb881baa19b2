//! Retention as the engine sees it: how events become rows, and what acquisition's events mean.

use journal::StreamId;
use money::Currency;
use read_model::RowsMut;
use runtime::{ApplyError, Fact, Foreign, Receipt, Service, Work};
use server::Wrong;
use uuid::Uuid;

use crate::policy::open_relationship;
use crate::read_model::equity::books;
use crate::{told, wire};

/// The layout of the rows. Raise it when a row changes its meaning or its bytes.
const SCHEMA: u32 = 11;

/// The retention service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Retention;

impl Service for Retention {
    fn name(&self) -> &'static str {
        "retention"
    }

    fn schema(&self) -> u32 {
        SCHEMA
    }

    fn apply(&self, rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<(), ApplyError> {
        match fact.stream.collection() {
            "customers" => {
                let id: Uuid = server::parse("stream", fact.stream.id())?;
                let event = wire::event::read(id, fact.event)?;
                Ok(crate::read_model::of_customer(
                    rows,
                    id,
                    &event,
                    fact.recorded(),
                )?)
            }
            "ledgers" => {
                let currency: Currency = server::parse("stream", fact.stream.id())?;
                let event = wire::ledger_event::read(currency, fact.event)?;
                let (version, recorded) = (fact.version, fact.recorded());
                Ok(books::apply(rows, currency, &event, version, recorded)?)
            }
            // What a conversion causes here is in the same commit, in a customer's stream.
            "inbox" => told::spend::apply(rows, fact),
            _ => {
                let stream = fact.stream;
                Err(ApplyError::Unreadable(format!(
                    "no stream of retention: {stream}"
                )))
            }
        }
    }

    fn concerns(&self, event: &Foreign) -> bool {
        told::concerns(&event.kind)
    }

    fn receive(&self, work: &mut Work<'_>, event: &Foreign) -> Result<Receipt, ApplyError> {
        if let Some(receipt) = told::spend::receive(event) {
            return Ok(receipt);
        }
        if let Some(receipt) = told::person::receive(work, event)? {
            return Ok(receipt);
        }
        match told::read(&event.kind, event.schema, &event.payload) {
            Ok(Some(conversion)) => open_relationship::perform(work, conversion, event.time),
            Ok(None) => Ok(Receipt::Skipped),
            Err(wrong) => Ok(Receipt::Parked(wrong.to_string())),
        }
    }
}

/// The stream of a ledger.
pub(crate) fn ledger_stream(currency: Currency) -> Result<StreamId, Wrong> {
    StreamId::new(format!("ledgers/{currency}")).map_err(|error| Wrong::new("name", error))
}

/// The stream of a customer.
pub(crate) fn customer_stream(id: Uuid) -> Result<StreamId, Wrong> {
    StreamId::new(format!("customers/{id}")).map_err(|error| Wrong::new("name", error))
}
