//! How a prospect came, step by step.

use patron_proto::acquisition::v1 as proto;
use read_model::{Error, Rows};
use server::{Call, Page, timestamp};
use tonic::{Response, Status};
use uuid::Uuid;

use super::Prospects;
use crate::read_model::prospects::{self, Passed};
use crate::wire::{self, prospect_id, small_out};

impl Prospects {
    pub(super) async fn journey(
        &self,
        call: &Call,
        message: &proto::GetJourneyRequest,
    ) -> Result<Response<proto::Journey>, Status> {
        let id = prospect_id("name", &message.name)?;
        let asked = ["journey", &message.name];
        let page = Page::parse(message.page_size, &message.page_token, &asked)?;
        let read = |rows: &dyn Rows| journey(rows, id, &page);
        self.0
            .read(call, &message.min_position, &message.name, read)
            .await
    }
}

/// A page of it. A prospect has 10,000 touches at most, so all of them are put in order for each page.
fn journey(rows: &dyn Rows, id: Uuid, page: &Page) -> Result<Option<proto::Journey>, Error> {
    let Some(state) = prospects::get(rows, id)? else {
        return Ok(None);
    };
    let journey = prospects::journey(rows, id)?;
    let total_size = small_out(u32::try_from(journey.len()).unwrap_or(u32::MAX));
    let later = journey.into_iter().filter(|passed| {
        let after = page.after.as_deref();
        after.is_none_or(|after| place(passed).as_slice() > after)
    });
    let paged = page.cut(later.take(page.wanted()).collect(), place);
    let conversion = state.conversion.as_ref();
    Ok(Some(proto::Journey {
        prospect: format!("prospects/{id}"),
        steps: paged.rows.iter().filter_map(step).collect(),
        total_size,
        converted_at: conversion.map(|done| timestamp(done.converted_at)),
        into: wire::resource::into(&state).unwrap_or_default(),
        next_page_token: paged.next_page_token,
    }))
}

/// Where a step stands: bytes in the order of the journey.
fn place(passed: &Passed) -> Vec<u8> {
    // With its first bit turned, a negative number comes before a positive one.
    let (at, place) = passed.order();
    let micros = at.micros() ^ i64::MIN;
    let mut bytes = micros.to_be_bytes().to_vec();
    bytes.extend_from_slice(&place.to_be_bytes());
    bytes
}

pub(super) fn step(passed: &Passed) -> Option<proto::JourneyStep> {
    let touchpoint_id = passed.touchpoint_id.parse().ok()?;
    let from = passed.from.map(|from| format!("prospects/{from}"));
    Some(proto::JourneyStep {
        touchpoint: Some(wire::prospect::touchpoint_out(
            &touchpoint_id,
            &passed.touchpoint,
        )),
        absorbed_from: from.unwrap_or_default(),
        late: passed.late,
        after_conversion: passed.after_conversion,
    })
}
