//! States as the resources that clients see.

use acquisition_domain::campaign::Campaign;
use acquisition_domain::id::{CampaignName, PresentationId, PropositionId};
use acquisition_domain::presentation::{Cause, Flag, Presentation};
use acquisition_domain::proposition::Proposition;
use acquisition_domain::prospect::{Prospect, State};
use money::Money;
use patron_proto::acquisition::v1 as proto;
use server::{Opener, money_out, timestamp};
use uuid::Uuid;
use vault::Field;

use super::prospect::text;
use super::small_out;
use crate::wire;

/// How a version is written in an etag.
pub(crate) fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// A proposition, with its presentations if they are wanted.
pub(crate) fn proposition(
    id: &PropositionId,
    state: &Proposition,
    version: u64,
    full: bool,
) -> proto::Proposition {
    let presentations = state.presentations.iter().filter(|_| full);
    proto::Proposition {
        name: format!("propositions/{id}"),
        display_name: state.content.display_name.clone(),
        state: wire::proposition::state_out(state.state),
        problems: wire::proposition::problems_out(&state.content),
        benefits: wire::proposition::benefits_out(&state.content),
        differentiators: wire::proposition::differentiators_out(&state.content),
        presentations: presentations
            .map(|(presentation_id, shown)| presentation(id, presentation_id, shown, version))
            .collect(),
        revision: small_out(state.revision),
        etag: etag(version),
    }
}

/// A presentation.
pub(crate) fn presentation(
    id: &PropositionId,
    presentation_id: &PresentationId,
    presentation: &Presentation,
    version: u64,
) -> proto::Presentation {
    proto::Presentation {
        name: format!("propositions/{id}/presentations/{presentation_id}"),
        channel: presentation.pitch.channel.clone(),
        message: presentation.pitch.message.clone(),
        claims: wire::proposition::claims_out(&presentation.pitch.claims),
        flag: presentation.flag.as_ref().map(flag),
        etag: etag(version),
    }
}

fn flag(flag: &Flag) -> proto::PresentationFlag {
    let reason = match &flag.cause {
        Cause::BrokenPromises {
            kept,
            broken,
            kept_rate_upper,
        } => format!(
            "{kept} of {} promises kept; even the upper end of the 95 % interval is {:.1} %",
            kept + broken,
            kept_rate_upper * 100.0
        ),
        Cause::ByHand { note } => note.clone(),
    };
    proto::PresentationFlag {
        flagged_at: Some(timestamp(flag.flagged_at)),
        reason,
    }
}

/// A campaign and what it has cost.
pub(crate) fn campaign(
    name: &CampaignName,
    campaign: &Campaign,
    spent_minor_units: Option<i64>,
    version: u64,
) -> proto::Campaign {
    let plan = &campaign.plan;
    proto::Campaign {
        name: name.to_string(),
        state: wire::campaign::state_out(campaign.state),
        presentation_ids: plan
            .presentation_ids
            .iter()
            .map(ToString::to_string)
            .collect(),
        starts_at: Some(timestamp(plan.starts_at)),
        ends_at: Some(timestamp(plan.ends_at)),
        currency_code: plan.currency.to_string(),
        budget: plan.budget.map(money_out),
        spend: spent_minor_units.map(|spent| money_out(Money::new(plan.currency, spent))),
        started_at: campaign.started_at.map(timestamp),
        ended_at: campaign.ended_at.map(timestamp),
        etag: etag(version),
    }
}

/// A prospect.
pub(crate) fn prospect(
    id: Uuid,
    state: &Prospect,
    version: u64,
    opener: &Opener,
) -> proto::Prospect {
    let origin = state.origin.as_ref();
    let is_erased = state.erased_at.is_some();
    let note = state.note.as_ref();
    let closing = state.closing.as_ref();
    let name = state.display_name.as_ref();
    let qualified = state.qualification.as_ref();
    proto::Prospect {
        name: format!("prospects/{id}"),
        kind: origin.map_or(0, |origin| wire::prospect::kind_out(origin.kind)),
        source: origin
            .map(|origin| origin.source.clone())
            .unwrap_or_default(),
        state: wire::prospect::state_out(state.state),
        create_time: origin.map(|origin| timestamp(origin.created_at)),
        touchpoint_count: small_out(state.touch_count),
        first_touch_at: state.first_touch_at.map(timestamp),
        proposition: qualified
            .map(|qualified| format!("propositions/{}", qualified.proposition_id))
            .unwrap_or_default(),
        problem_id: text(qualified.map(|qualified| &qualified.problem_id)),
        conversion: state
            .conversion
            .as_ref()
            .map(|done| wire::prospect::conversion_out(id, done)),
        closing: closing.map(|closing| {
            let note = opener.show_of(is_erased && note.is_some(), Field::Note, note);
            wire::prospect::closing_out(closing, note)
        }),
        etag: etag(version),
        into: into(state).unwrap_or_default(),
        consents: state
            .consents
            .values()
            .map(wire::prospect::consent_out)
            .collect(),
        display_name: opener.show_of(is_erased, Field::Name, name),
        identities: wire::personal::identities_shown(&state.identities, opener),
        erased_at: state.erased_at.map(timestamp),
    }
}

/// The prospect into which one was merged, as a resource name.
pub(crate) fn into(state: &Prospect) -> Option<String> {
    match state.state {
        State::Merged { into } => Some(format!("prospects/{into}")),
        State::Absent
        | State::Anonymous
        | State::Identified
        | State::Qualified
        | State::Converted
        | State::Closed => None,
    }
}
