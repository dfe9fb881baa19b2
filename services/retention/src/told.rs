//! What acquisition tells: of its public events, that a prospect was converted; and what that cost.

pub(crate) mod person;
pub(crate) mod spend;

use patron_proto::acquisition::v1 as proto;
use patron_proto::types::v1 as types;
use prost::Message as _;
use retention_domain::purchase::FirstPurchase;
use retention_domain::relationship::{Opening, OpeningPromise, Origin, Source};
use server::{Wrong, currency, parse, parse_optional, resource_id};
use uuid::Uuid;

use crate::margin_rate;
use crate::wire::person::who;
use crate::wire::promise::{Promised, terms};
use crate::wire::purchase::{amount, optional_amount};
use crate::wire::relationship::consents;
use crate::wire::{campaign_name, customer_id, proposition_name, time};

/// The kind of event that opens a relationship.
const CONVERTED: &str = "patron.acquisition.v1.ProspectConverted";

/// A prospect became a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conversion {
    /// The customer, who has the prospect's id.
    pub(crate) customer: Uuid,
    /// How the relationship begins.
    pub(crate) opening: Opening,
    /// What was promised.
    pub(crate) promises: Vec<OpeningPromise>,
    /// What was bought at once.
    pub(crate) first_purchase: Option<FirstPurchase>,
}

/// Whether events of this kind mean something to retention.
pub(crate) fn concerns(kind: &str) -> bool {
    [CONVERTED, spend::SPENT, person::ERASED, person::CONSENT].contains(&kind)
}

/// Reads an event of acquisition. `None` if it is of another kind. A first purchase that comes
/// without a margin gets the default one.
///
/// # Errors
/// If it does and this release cannot read it.
pub(crate) fn read(kind: &str, schema: u32, payload: &[u8]) -> Result<Option<Conversion>, Wrong> {
    if kind != CONVERTED {
        return Ok(None);
    }
    if schema != 1 {
        return Err(Wrong::new(
            kind,
            format!("schema {schema} is unknown to this release"),
        ));
    }
    let event = proto::ProspectConverted::decode(payload);
    let event = event.map_err(|error| Wrong::new(kind, error))?;
    let customer = customer(&event)?;
    let bought = event.first_purchase.as_ref();
    let bought = bought.map(|bought| first_purchase(customer, bought));
    let promises = event
        .promises
        .iter()
        .map(|written| promise(&event, written));
    Ok(Some(Conversion {
        customer,
        opening: opening(&event)?,
        promises: promises.collect::<Result<_, _>>()?,
        first_purchase: bought.transpose()?,
    }))
}

/// The customer has the id of the prospect, and so lies in the same partition of both services.
fn customer(event: &proto::ProspectConverted) -> Result<Uuid, Wrong> {
    let customer = customer_id("customer", &event.customer)?;
    let [prospect] = resource_id("prospect", &event.prospect, ["prospects"])?;
    if parse::<Uuid>("prospect", prospect)? == customer {
        Ok(customer)
    } else {
        Err(Wrong::new("customer", "has another id than the prospect"))
    }
}

fn opening(event: &proto::ProspectConverted) -> Result<Opening, Wrong> {
    Ok(Opening {
        origin: Origin {
            source: Source::Prospect,
            proposition: Some(proposition_name("proposition", &event.proposition)?),
            campaign: campaign_name("campaign", &event.campaign)?,
            presentation_id: parse_optional("presentation_id", &event.presentation_id)?,
        },
        acquired_at: time("occurred_at", event.occurred_at.as_ref())?,
        currency: currency("currency_code", &event.currency_code)?,
        consents: consents(&event.consents)?,
        who: who(
            &event.identities,
            &event.identity_kinds,
            event.display_name.as_ref(),
        )?,
    })
}

fn promise(
    event: &proto::ProspectConverted,
    written: &types::PromiseTerms,
) -> Result<OpeningPromise, Wrong> {
    Ok(OpeningPromise {
        promise_id: parse("promises.promise_id", &written.promise_id)?,
        terms: terms(&Promised {
            terms: written,
            proposition: &event.proposition,
            presentation_id: &event.presentation_id,
            made_by: "",
        })?,
    })
}

/// The id is made of the prospect's, who is converted once.
fn first_purchase(customer: Uuid, bought: &proto::FirstPurchase) -> Result<FirstPurchase, Wrong> {
    let margin = bought.contribution_margin.as_ref();
    Ok(FirstPurchase {
        purchase_id: parse("first_purchase", &format!("first-{customer}"))?,
        amount: amount("first_purchase.amount", bought.amount.as_ref())?,
        contribution_margin: optional_amount("first_purchase.contribution_margin", margin)?,
        default_margin_rate: margin_rate::before_any(),
    })
}

#[cfg(test)]
mod tests;
