//! Protobuf to domain and back: the only place that knows both.
//!
//! What a client sends and what the journal holds are read by the same functions. A client is told which
//! field is wrong; an event that cannot be read closes its stream until a release that can read it runs.

pub(crate) mod action;
pub(crate) mod event;
pub(crate) mod ledger;
pub(crate) mod ledger_event;
pub(crate) mod model;
pub(crate) mod person;
pub(crate) mod promise;
pub(crate) mod purchase;
pub(crate) mod relationship;
pub(crate) mod report;
pub(crate) mod resource;
pub(crate) mod risk;

use eventsourcing::Time;
use prost_types::Timestamp;
use retention_domain::id::{BenefitId, PromiseId};
use retention_domain::text::Label;
use server::{Wrong, from_timestamp, parse, resource_id};
use uuid::Uuid;

/// The id in `customers/{customer}`.
pub(crate) fn customer_id(field: &str, name: &str) -> Result<Uuid, Wrong> {
    let [id] = resource_id(field, name, ["customers"])?;
    uuid(field, id)
}

/// The namespace of ids that are made from ids of other systems. It never changes: it makes an import
/// meet the customers of the import before.
const IMPORTED: Uuid = Uuid::from_u128(0x7061_7472_6f6e_4000_8000_696d_706f_7274);

/// The id of an imported customer.
pub(crate) fn imported_id(external_id: &Label) -> Uuid {
    Uuid::new_v5(&IMPORTED, external_id.as_str().as_bytes())
}

/// The ids in `customers/{customer}/promises/{promise}`.
pub(crate) fn promise_name(field: &str, name: &str) -> Result<(Uuid, PromiseId), Wrong> {
    let [customer, promise] = resource_id(field, name, ["customers", "promises"])?;
    Ok((uuid(field, customer)?, parse(field, promise)?))
}

/// A UUID in the one form that resource names have. Other forms of it would be other streams.
fn uuid(field: &str, text: &str) -> Result<Uuid, Wrong> {
    let id: Uuid = parse(field, text)?;
    if id.hyphenated().to_string() == text {
        Ok(id)
    } else {
        Err(Wrong::new(
            field,
            "has a UUID that is not in lower case with hyphens",
        ))
    }
}

/// The name of a proposition: `propositions/{proposition}`.
pub(crate) fn proposition_name(field: &str, name: &str) -> Result<Label, Wrong> {
    foreign_name(field, name, ["propositions"])
}

/// The name of a campaign, if there is one: `propositions/{proposition}/campaigns/{campaign}`.
pub(crate) fn campaign_name(field: &str, name: &str) -> Result<Option<Label>, Wrong> {
    if name.is_empty() {
        return Ok(None);
    }
    foreign_name(field, name, ["propositions", "campaigns"]).map(Some)
}

/// A name of acquisition. Whether it names anything is not known here; that it is a name is, because
/// acquisition must be able to read it in our events.
fn foreign_name<const N: usize>(
    field: &str,
    name: &str,
    collections: [&str; N],
) -> Result<Label, Wrong> {
    for id in resource_id(field, name, collections)? {
        // All ids of acquisition follow one rule, that of its benefits among them.
        parse::<BenefitId>(field, id)?;
    }
    parse(field, name)
}

/// A moment that must be there.
pub(crate) fn time(field: &str, timestamp: Option<&Timestamp>) -> Result<Time, Wrong> {
    server::present(field, timestamp).map(from_timestamp)
}

/// A small number that protobuf keeps signed.
pub(crate) fn small(field: &str, number: i32) -> Result<u32, Wrong> {
    u32::try_from(number).map_err(|_| Wrong::new(field, "must not be negative"))
}

/// A small number as protobuf keeps it.
pub(crate) fn small_out(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A text that may be missing, as protobuf writes it.
pub(crate) fn text<T: ToString>(text: Option<&T>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{campaign_name, customer_id, proposition_name};

    const ID: &str = "0b0e6f5e-7c55-4d0c-9f50-3f3ad5b3a2c1";

    #[test]
    fn a_customer_has_one_name() {
        assert!(customer_id("name", &format!("customers/{ID}")).is_ok());
        let upper = format!("customers/{}", ID.to_uppercase());
        let short = format!("customers/{}", ID.replace('-', ""));
        for wrong in [&upper, &short, ID, "customers/", "prospects/a"] {
            assert!(customer_id("name", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_of_acquisition_are_names_that_acquisition_can_read() {
        assert!(proposition_name("proposition", "propositions/van-repair").is_ok());
        for wrong in [
            "van-repair",
            "propositions/Van",
            "propositions/a/campaigns/b",
            "",
        ] {
            assert!(proposition_name("proposition", wrong).is_err(), "{wrong}");
        }
        assert_eq!(campaign_name("campaign", ""), Ok(None));
        assert!(campaign_name("campaign", "propositions/a/campaigns/b").is_ok_and(|c| c.is_some()));
        assert!(campaign_name("campaign", "campaigns/b").is_err());
    }
}
