//! One purchase of a batch, and what has to happen for it to be recorded.

use eventsourcing::{Aggregate as _, Time};
use patron_proto::retention::v1 as proto;
use read_model::{Error, Rows};
use retention_domain::consent::Consents;
use retention_domain::input::When;
use retention_domain::person::Who;
use retention_domain::purchase::RecordPurchase;
use retention_domain::relationship::{OpenRelationship, Opening, Origin, Source};
use retention_domain::text::Label;
use retention_domain::{Command, Customer, Event, PartId};
use runtime::Stop;
use server::{Wrong, from_timestamp, parse, present};
use tonic::Status;
use uuid::Uuid;

use crate::api::customers::purchases::recording;
use crate::desk::Halt;
use crate::margin_rate;
use crate::read_model::customers;
use crate::wire::{customer_id, imported_id};

/// One purchase of a batch.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// With it, an unknown customer is imported.
    external_id: Option<Label>,
    acquired_at: Option<Time>,
    occurred_at: Option<Time>,
    /// The command but for its moment.
    record: RecordPurchase,
}

impl Item {
    /// Reads an item, and whose it is.
    pub(super) fn read(sent: &proto::PurchaseItem) -> Result<(Uuid, Self), Status> {
        server::validate(sent)?;
        let (customer, external_id) = customer(sent)?;
        let written = present("purchase", sent.purchase.as_ref())?;
        let item = Self {
            external_id,
            acquired_at: sent.acquired_at.as_ref().map(from_timestamp),
            occurred_at: written.occurred_at.as_ref().map(from_timestamp),
            record: recording(written, When::now(Time::EPOCH))?,
        };
        Ok((customer, item))
    }

    /// The command that imports the customer, who buys in the currency of this purchase.
    fn open(&self, external_id: &Label, now: Time) -> Command {
        let origin = Origin {
            source: Source::Import {
                external_id: external_id.clone(),
            },
            proposition: None,
            campaign: None,
            presentation_id: None,
        };
        Command::OpenRelationship(Box::new(OpenRelationship {
            opening: Opening {
                origin,
                acquired_at: self.acquired_at.or(self.occurred_at).unwrap_or(now),
                currency: self.record.amount.currency,
                consents: Consents::default(),
                who: Who::default(),
            },
            promises: Vec::new(),
            first_purchase: None,
            now,
        }))
    }
}

/// The customer as it is before these items, with all that deciding about them looks at.
pub(super) fn load(rows: &dyn Rows, customer: Uuid, items: &[Item]) -> Result<Customer, Error> {
    let purchases = items.iter().map(|item| &item.record.purchase_id);
    let parts: Vec<PartId> = purchases.cloned().map(PartId::Purchase).collect();
    customers::load(rows, customer, &parts)
}

/// What has to happen for an item to be recorded; nothing, if it is recorded already. It happens to the state, so
/// that the next item is decided on what this one leaves.
pub(super) fn decide(
    rows: &dyn Rows,
    state: &mut Customer,
    item: &Item,
    now: Time,
) -> Result<Vec<Event>, Halt> {
    let when = When {
        now,
        occurred_at: item.occurred_at,
    };
    let mut record = Command::RecordPurchase(RecordPurchase {
        when,
        ..item.record.clone()
    });
    margin_rate::put_in_force(rows, &mut record)?;
    let unknown = item.external_id.as_ref();
    let Some(external_id) = unknown.filter(|_| state.relationship.is_none()) else {
        let events = state.decide(record).map_err(Stop::Refused)?;
        for event in &events {
            state.evolve(event);
        }
        return Ok(events);
    };
    // The customer is opened with its purchase, or not at all.
    let mut opened = state.clone();
    let mut events = opened
        .decide(item.open(external_id, now))
        .map_err(Stop::Refused)?;
    for event in &events {
        opened.evolve(event);
    }
    let bought = opened.decide(record).map_err(Stop::Refused)?;
    for event in &bought {
        opened.evolve(event);
    }
    events.extend(bought);
    *state = opened;
    Ok(events)
}

/// The customer, by name or by the id in the system it comes from.
fn customer(sent: &proto::PurchaseItem) -> Result<(Uuid, Option<Label>), Wrong> {
    match (sent.parent.as_str(), sent.external_id.as_str()) {
        ("", "") => Err(Wrong::new("parent", "is required, or else external_id")),
        (parent, "") => Ok((customer_id("parent", parent)?, None)),
        ("", external_id) => {
            let external_id: Label = parse("external_id", external_id)?;
            Ok((imported_id(&external_id), Some(external_id)))
        }
        _ => Err(Wrong::new(
            "external_id",
            "says who it is as parent does: give one of the two",
        )),
    }
}
