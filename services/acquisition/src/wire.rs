//! Protobuf to domain and back: the only place that knows both.
//!
//! What a client sends and what the journal holds are read by the same functions. A client is told which
//! field is wrong; an event that cannot be read closes its stream until a release that can read it runs.

pub(crate) mod campaign;
pub(crate) mod event;
pub(crate) mod personal;
pub(crate) mod proposition;
pub(crate) mod prospect;
pub(crate) mod resource;

use acquisition_domain::id::{CampaignName, PropositionId};
use eventsourcing::Time;
use prost_types::Timestamp;
use server::{Wrong, from_timestamp, parse, resource_id};
use uuid::Uuid;

/// The id in `propositions/{proposition}`.
pub(crate) fn proposition_id(field: &str, name: &str) -> Result<PropositionId, Wrong> {
    let [id] = resource_id(field, name, ["propositions"])?;
    parse(field, id)
}

/// The id in `prospects/{prospect}`.
pub(crate) fn prospect_id(field: &str, name: &str) -> Result<Uuid, Wrong> {
    let [id] = resource_id(field, name, ["prospects"])?;
    parse(field, id)
}

/// The ids in `propositions/{proposition}/campaigns/{campaign}`.
pub(crate) fn campaign_name(field: &str, name: &str) -> Result<CampaignName, Wrong> {
    let [proposition_id, campaign_id] = resource_id(field, name, ["propositions", "campaigns"])?;
    Ok(CampaignName {
        proposition_id: parse(field, proposition_id)?,
        campaign_id: parse(field, campaign_id)?,
    })
}

/// The ids in such a name, if there is one.
pub(crate) fn optional_campaign(field: &str, name: &str) -> Result<Option<CampaignName>, Wrong> {
    if name.is_empty() {
        Ok(None)
    } else {
        campaign_name(field, name).map(Some)
    }
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
