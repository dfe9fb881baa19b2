//! Prospects, their touches and conversions.

use acquisition_domain::id::TouchpointId;
use acquisition_domain::promise::{Promise, PromiseTerms, Proposed};
use acquisition_domain::prospect::{
    CloseReason, Closing, Consent, ConsentStatus, Conversion, FirstPurchase, Kind, State, Touch,
    TouchKind, Touchpoint, Utm,
};
use patron_proto::acquisition::v1 as proto;
use patron_proto::types::v1 as types;
use server::{
    Wrong, from_timestamp, money, money_out, pairs, parse, parse_optional, present, timestamp,
};
use uuid::Uuid;

use super::{optional_campaign, small, small_out, time};
use crate::read_model::prospects::StateNumber;

pairs!(kind_out, kind: Kind = proto::ProspectKind {
    Person = Person, Organisation = Organisation,
});
pairs!(touch_kind_out, touch_kind: TouchKind = proto::TouchpointKind {
    Impression = Impression, Click = Click, Visit = Visit, Email = Email, Call = Call,
    Meeting = Meeting, Demo = Demo, Event = Event, Referral = Referral, Other = Other,
});
pairs!(close_reason_out, close_reason: CloseReason = proto::CloseReason {
    NoNeed = NoNeed, NoBudget = NoBudget, NoDecision = NoDecision,
    LostToCompetitor = LostToCompetitor, Unreachable = Unreachable,
    Duplicate = Duplicate, Other = Other,
});

pub(crate) const fn state_out(state: State) -> i32 {
    match state {
        State::Absent => proto::ProspectState::Unspecified as i32,
        State::Anonymous => proto::ProspectState::Anonymous as i32,
        State::Identified => proto::ProspectState::Identified as i32,
        State::Qualified => proto::ProspectState::Qualified as i32,
        State::Converted => proto::ProspectState::Converted as i32,
        State::Closed => proto::ProspectState::Closed as i32,
        State::Merged { .. } => proto::ProspectState::Merged as i32,
    }
}

/// The state that a list is asked for; nothing for all.
pub(crate) fn state_filter(field: &str, number: i32) -> Result<Option<StateNumber>, Wrong> {
    let state = proto::ProspectState::try_from(number)
        .map_err(|_| Wrong::new(field, format!("{number} is no state")))?;
    Ok(match state {
        proto::ProspectState::Unspecified => None,
        proto::ProspectState::Anonymous => Some(State::Anonymous.into()),
        proto::ProspectState::Identified => Some(State::Identified.into()),
        proto::ProspectState::Qualified => Some(State::Qualified.into()),
        proto::ProspectState::Converted => Some(State::Converted.into()),
        proto::ProspectState::Closed => Some(State::Closed.into()),
        proto::ProspectState::Merged => Some(State::Merged { into: Uuid::nil() }.into()),
    })
}

/// The parts of a message that are a touch.
pub(crate) struct Touched<'a> {
    pub(crate) campaign: &'a str,
    pub(crate) presentation_id: &'a str,
    pub(crate) channel: &'a str,
    pub(crate) kind: i32,
    pub(crate) utm: Option<&'a proto::Utm>,
}

pub(crate) fn touch(touched: &Touched<'_>) -> Result<Touch, Wrong> {
    Ok(Touch {
        campaign: optional_campaign("campaign", touched.campaign)?,
        presentation_id: parse_optional("presentation_id", touched.presentation_id)?,
        channel: touched.channel.to_owned(),
        kind: touch_kind("kind", touched.kind)?,
        utm: touched.utm.map(|utm| Utm {
            source: utm.source.clone(),
            medium: utm.medium.clone(),
            campaign: utm.campaign.clone(),
            term: utm.term.clone(),
            content: utm.content.clone(),
        }),
    })
}

/// How a touch was, as clients and absorbed touches write it.
pub(crate) fn touch_of(written: &proto::Touchpoint) -> Result<Touch, Wrong> {
    touch(&Touched {
        campaign: &written.campaign,
        presentation_id: &written.presentation_id,
        channel: &written.channel,
        kind: written.kind,
        utm: written.utm.as_ref(),
    })
}

/// The same, with its time, which must be there.
pub(crate) fn touchpoint(written: &proto::Touchpoint) -> Result<Touchpoint, Wrong> {
    Ok(Touchpoint {
        touch: touch_of(written)?,
        occurred_at: time("touchpoint.occurred_at", written.occurred_at.as_ref())?,
    })
}

pub(crate) fn touchpoint_out(id: &TouchpointId, touchpoint: &Touchpoint) -> proto::Touchpoint {
    let touch = &touchpoint.touch;
    proto::Touchpoint {
        touchpoint_id: id.to_string(),
        campaign: text(touch.campaign.as_ref()),
        presentation_id: text(touch.presentation_id.as_ref()),
        channel: touch.channel.clone(),
        kind: touch_kind_out(touch.kind),
        occurred_at: Some(timestamp(touchpoint.occurred_at)),
        utm: touch.utm.as_ref().map(utm_out),
    }
}

pub(crate) fn utm_out(utm: &Utm) -> proto::Utm {
    proto::Utm {
        source: utm.source.clone(),
        medium: utm.medium.clone(),
        campaign: utm.campaign.clone(),
        term: utm.term.clone(),
        content: utm.content.clone(),
    }
}

pairs!(consent_status_out, consent_status: ConsentStatus = types::ConsentStatus {
    Granted = Granted, Denied = Denied, Withdrawn = Withdrawn,
});

pub(crate) fn consent(consent: &types::Consent) -> Result<Consent, Wrong> {
    Ok(Consent {
        purpose: consent.purpose.clone(),
        status: consent_status("consents.status", consent.status)?,
        at: time("consents.at", consent.at.as_ref())?,
        evidence: consent.evidence.clone(),
    })
}

pub(crate) fn consent_out(consent: &Consent) -> types::Consent {
    types::Consent {
        purpose: consent.purpose.clone(),
        status: consent_status_out(consent.status),
        at: Some(timestamp(consent.at)),
        evidence: consent.evidence.clone(),
    }
}

/// A promise as somebody asks for it.
pub(crate) fn proposed(written: &types::PromiseTerms) -> Result<Proposed, Wrong> {
    Ok(Proposed {
        promise_id: parse_optional("promises.promise_id", &written.promise_id)?,
        terms: terms(written)?,
    })
}

fn terms(terms: &types::PromiseTerms) -> Result<PromiseTerms, Wrong> {
    Ok(PromiseTerms {
        benefit_id: parse("promises.benefit_id", &terms.benefit_id)?,
        expectation: terms.expectation.clone(),
        expected_score: small("promises.expected_score", terms.expected_score)?,
        importance: small("promises.importance", terms.importance)?,
        due_at: terms.due_at.as_ref().map(from_timestamp),
    })
}

pub(crate) fn promise(written: &types::PromiseTerms) -> Result<Promise, Wrong> {
    Ok(Promise {
        promise_id: parse("promises.promise_id", &written.promise_id)?,
        terms: terms(written)?,
    })
}

pub(crate) fn promise_out(promise: &Promise) -> types::PromiseTerms {
    let terms = &promise.terms;
    types::PromiseTerms {
        promise_id: promise.promise_id.to_string(),
        benefit_id: terms.benefit_id.to_string(),
        expectation: terms.expectation.clone(),
        expected_score: small_out(terms.expected_score),
        importance: small_out(terms.importance),
        due_at: terms.due_at.map(timestamp),
    }
}

pub(crate) fn first_purchase(purchase: &proto::FirstPurchase) -> Result<FirstPurchase, Wrong> {
    let amount = present("first_purchase.amount", purchase.amount.as_ref())?;
    let margin = purchase.contribution_margin.as_ref();
    Ok(FirstPurchase {
        amount: money("first_purchase.amount", amount)?,
        contribution_margin: margin
            .map(|margin| money("first_purchase.contribution_margin", margin))
            .transpose()?,
    })
}

pub(crate) fn first_purchase_out(purchase: &FirstPurchase) -> proto::FirstPurchase {
    proto::FirstPurchase {
        amount: Some(money_out(purchase.amount)),
        contribution_margin: purchase.contribution_margin.map(money_out),
    }
}

pub(crate) fn conversion_out(prospect: Uuid, conversion: &Conversion) -> proto::Conversion {
    proto::Conversion {
        converted_at: Some(timestamp(conversion.converted_at)),
        customer: format!("customers/{prospect}"),
        proposition: format!("propositions/{}", conversion.proposition_id),
        revision: small_out(conversion.revision),
        campaign: campaign_of(conversion),
        presentation_id: text(conversion.presentation_id.as_ref()),
        problem_id: conversion.problem_id.to_string(),
        promises: conversion.promises.iter().map(promise_out).collect(),
        first_purchase: conversion.first_purchase.as_ref().map(first_purchase_out),
        currency_code: conversion.currency.to_string(),
    }
}

pub(crate) fn closing_out(closing: &Closing, note: String) -> proto::Closing {
    proto::Closing {
        reason: close_reason_out(closing.reason),
        competitor: closing.competitor.clone().unwrap_or_default(),
        note,
    }
}

/// The resource name of the campaign that a conversion names, or nothing.
pub(crate) fn campaign_of(conversion: &Conversion) -> String {
    let proposition = &conversion.proposition_id;
    let campaign = conversion.campaign_id.as_ref();
    campaign
        .map(|id| format!("propositions/{proposition}/campaigns/{id}"))
        .unwrap_or_default()
}

/// An id that may be missing, as protobuf writes it.
pub(crate) fn text<T: ToString>(id: Option<&T>) -> String {
    id.map(ToString::to_string).unwrap_or_default()
}
