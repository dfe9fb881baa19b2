//! Relationships: where they come from, what was agreed to, how they end.

use patron_proto::retention::v1 as proto;
use patron_proto::types::v1 as types;
use retention_domain::consent::{Consent, Consents, Status};
use retention_domain::relationship::{Cause, Loss, Notice, Origin, Reason, Source, State};
use retention_domain::text::Label;
use server::{Wrong, pairs, parse, parse_optional, timestamp};

use super::{campaign_name, proposition_name, text, time};

pairs!(state_out, state: State = proto::CustomerState {
    Active = Active, Leaving = Leaving, Lost = Lost,
});
pairs!(cause_out, cause: Cause = proto::LossCause {
    Voluntary = Voluntary, PaymentFailure = PaymentFailure, Inactivity = Inactivity,
    OurDecision = OurDecision, Ceased = Ceased,
});
pairs!(reason_out, reason: Reason = proto::LossReason {
    Price = Price, PromiseBroken = PromiseBroken, Competitor = Competitor,
    NoLongerNeeded = NoLongerNeeded, Service = Service, Other = Other,
});
pairs!(status_out, status: Status = types::ConsentStatus {
    Granted = Granted, Denied = Denied, Withdrawn = Withdrawn,
});

/// A reason that may be left out.
pub(crate) fn optional_reason(field: &str, number: i32) -> Result<Option<Reason>, Wrong> {
    if number == proto::LossReason::Unspecified as i32 {
        return Ok(None);
    }
    reason(field, number).map(Some)
}

/// A loss reason as protobuf writes it.
pub(crate) fn optional_reason_out(reason: Option<Reason>) -> i32 {
    reason.map_or(proto::LossReason::Unspecified as i32, reason_out)
}

/// The parts of a message that say where a customer comes from.
pub(crate) struct Came<'a> {
    pub(crate) source: i32,
    pub(crate) external_id: &'a str,
    pub(crate) proposition: &'a str,
    pub(crate) campaign: &'a str,
    pub(crate) presentation_id: &'a str,
}

/// Where a customer comes from.
pub(crate) fn origin(came: &Came<'_>) -> Result<Origin, Wrong> {
    let import = proto::CustomerSource::Import as i32;
    let source = if came.source == import {
        Source::Import {
            external_id: parse("external_id", came.external_id)?,
        }
    } else if came.source == proto::CustomerSource::Prospect as i32 {
        Source::Prospect
    } else {
        return Err(Wrong::new("source", "must be said"));
    };
    let proposition = Some(came.proposition).filter(|name| !name.is_empty());
    Ok(Origin {
        source,
        proposition: proposition
            .map(|name| proposition_name("proposition", name))
            .transpose()?,
        campaign: campaign_name("campaign", came.campaign)?,
        presentation_id: parse_optional("presentation_id", came.presentation_id)?,
    })
}

/// A source as protobuf writes it, with the external id of an import.
pub(crate) fn source_out(source: &Source) -> (i32, String) {
    match source {
        Source::Prospect => (proto::CustomerSource::Prospect as i32, String::new()),
        Source::Import { external_id } => (
            proto::CustomerSource::Import as i32,
            external_id.to_string(),
        ),
    }
}

/// The consents in force among those given.
pub(crate) fn consents(given: &[types::Consent]) -> Result<Consents, Wrong> {
    let given = given.iter();
    given.map(|given| consent_in("consents", given)).collect()
}

/// What was said, and about which purpose.
pub(crate) fn consent_in(field: &str, given: &types::Consent) -> Result<(Label, Consent), Wrong> {
    let field = |name: &str| format!("{field}.{name}");
    let consent = Consent {
        status: status(&field("status"), given.status)?,
        at: time(&field("at"), given.at.as_ref())?,
        evidence: evidence(&field("evidence"), &given.evidence)?,
    };
    Ok((parse(&field("purpose"), &given.purpose)?, consent))
}

/// Where a consent is written down; a blank says nowhere.
pub(crate) fn evidence(field: &str, text: &str) -> Result<Option<Label>, Wrong> {
    parse_optional(field, text.trim())
}

/// The consents in force, by purpose.
pub(crate) fn consents_out(consents: &Consents) -> Vec<types::Consent> {
    consents
        .iter()
        .map(|(purpose, consent)| consent_out(purpose, consent))
        .collect()
}

/// What was said about a purpose.
pub(crate) fn consent_out(purpose: &Label, consent: &Consent) -> types::Consent {
    types::Consent {
        purpose: purpose.to_string(),
        status: status_out(consent.status),
        at: Some(timestamp(consent.at)),
        evidence: text(consent.evidence.as_ref()),
    }
}

/// Why a customer was lost.
pub(crate) fn loss_out(loss: &Loss) -> proto::Loss {
    proto::Loss {
        cause: cause_out(loss.cause),
        reason: optional_reason_out(loss.reason),
        competitor: text(loss.competitor.as_ref()),
        broken_promise_ids: loss
            .broken_promise_ids
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}

/// Why a customer will be lost, and when.
pub(crate) fn notice_out(notice: &Notice) -> proto::Notice {
    proto::Notice {
        notice_at: Some(timestamp(notice.notice_at)),
        effective_at: Some(timestamp(notice.effective_at)),
        cause: cause_out(notice.cause),
        reason: optional_reason_out(notice.reason),
        competitor: text(notice.competitor.as_ref()),
    }
}
