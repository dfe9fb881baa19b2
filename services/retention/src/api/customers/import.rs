//! `OpenRelationship`: a customer is imported from another system, which knows it by an id of its own.

use eventsourcing::{Sealed, Time};
use patron_proto::retention::v1 as proto;
use retention_domain::Command;
use retention_domain::person::Who;
use retention_domain::purchase::FirstPurchase;
use retention_domain::relationship::{OpenRelationship, Opening, OpeningPromise, Origin, Source};
use retention_domain::text::Label;
use server::{Wrong, currency, from_timestamp, parse, parse_optional};
use uuid::Uuid;
use vault::Field;

use crate::margin_rate;
use crate::wire::person::Said;
use crate::wire::promise::{Promised, promise_id, terms};
use crate::wire::purchase::{amount, optional_amount};
use crate::wire::relationship::consents;
use crate::wire::{campaign_name, imported_id, proposition_name};

/// A customer to import.
#[derive(Clone)]
pub(super) struct Import {
    external_id: Label,
    /// Without the moment, which may be left out, the command is not complete.
    acquired_at: Option<Time>,
    opening: Opening,
    said: Said,
    promises: Vec<OpeningPromise>,
    first_purchase: Option<FirstPurchase>,
}

impl Import {
    /// The customer's id.
    pub(super) fn customer(&self) -> Uuid {
        imported_id(&self.external_id)
    }

    /// What is said of who it is, to be sealed.
    pub(super) fn texts(&self) -> Vec<(Field, String)> {
        self.said.texts()
    }

    /// The command at a moment, with those texts sealed.
    pub(super) fn command(&self, now: Time, boxes: Vec<Sealed>) -> Command {
        let acquired_at = self.acquired_at.unwrap_or(now);
        Command::OpenRelationship(Box::new(OpenRelationship {
            opening: Opening {
                acquired_at,
                who: self.said.who(boxes),
                ..self.opening.clone()
            },
            promises: self.promises.clone(),
            first_purchase: self.first_purchase.clone(),
            now,
        }))
    }
}

/// Reads the request.
pub(super) fn read(message: &proto::OpenRelationshipRequest) -> Result<Import, Wrong> {
    let external_id: Label = parse("external_id", &message.external_id)?;
    let first_purchase = message.first_purchase.as_ref();
    let acquired_at = acquired_at(message)?;
    let named = Some(message.proposition.as_str()).filter(|name| !name.is_empty());
    let opening = Opening {
        origin: Origin {
            source: Source::Import {
                external_id: external_id.clone(),
            },
            proposition: named
                .map(|name| proposition_name("proposition", name))
                .transpose()?,
            campaign: campaign_name("campaign", &message.campaign)?,
            presentation_id: parse_optional("presentation_id", &message.presentation_id)?,
        },
        acquired_at: acquired_at.unwrap_or_default(),
        currency: currency("currency_code", &message.currency_code)?,
        consents: consents(&message.consents)?,
        who: Who::default(),
    };
    Ok(Import {
        external_id,
        acquired_at,
        opening,
        said: Said::read(&message.identities, &message.display_name)?,
        promises: promises(message)?,
        first_purchase: first_purchase.map(first).transpose()?,
    })
}

/// When the relationship began: as it is said, or else at the first purchase, which happens then.
fn acquired_at(message: &proto::OpenRelationshipRequest) -> Result<Option<Time>, Wrong> {
    let said = message.acquired_at.as_ref().map(from_timestamp);
    let bought = message.first_purchase.as_ref();
    let bought = bought
        .and_then(|purchase| purchase.occurred_at.as_ref())
        .map(from_timestamp);
    match (said, bought) {
        (Some(said), Some(bought)) if said != bought => {
            let what = "is the moment when the relationship began: leave it out, or record this purchase later";
            Err(Wrong::new("first_purchase.occurred_at", what))
        }
        _ => Ok(said.or(bought)),
    }
}

fn promises(message: &proto::OpenRelationshipRequest) -> Result<Vec<OpeningPromise>, Wrong> {
    let request_id: Uuid = parse("request_id", &message.request_id)?;
    if !message.promises.is_empty() && message.proposition.is_empty() {
        return Err(Wrong::new(
            "proposition",
            "is required with promises, which belong to it",
        ));
    }
    let promises = message.promises.iter().enumerate();
    let promise = |(n, written)| -> Result<OpeningPromise, Wrong> {
        Ok(OpeningPromise {
            promise_id: promise_id(written, request_id, n)?,
            terms: terms(&Promised {
                terms: written,
                proposition: &message.proposition,
                presentation_id: &message.presentation_id,
                made_by: "",
            })?,
        })
    };
    promises.map(promise).collect()
}

fn first(purchase: &proto::Purchase) -> Result<FirstPurchase, Wrong> {
    let margin = purchase.contribution_margin.as_ref();
    Ok(FirstPurchase {
        purchase_id: parse("first_purchase.purchase_id", &purchase.purchase_id)?,
        amount: amount("first_purchase.amount", purchase.amount.as_ref())?,
        contribution_margin: optional_amount("first_purchase.contribution_margin", margin)?,
        default_margin_rate: margin_rate::before_any(),
    })
}
