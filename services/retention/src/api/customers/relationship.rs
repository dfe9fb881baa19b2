//! The course of a relationship: owner, notice, recurring revenue, consent.

use patron_proto::retention::v1 as proto;
use retention_domain::Command;
use retention_domain::consent::SetConsent;
use retention_domain::id::LineId;
use retention_domain::owner::{AssignOwner, Territory};
use retention_domain::recurring::SetRecurringRevenue;
use retention_domain::relationship::GiveNotice;
use retention_domain::text::Label;
use runtime::Work;
use server::{Call, parse, parse_optional};
use tonic::{Response, Status};
use uuid::Uuid;

use super::basic;
use crate::api::when;
use crate::desk::Desk;
use crate::wire::purchase::amount;
use crate::wire::relationship::{cause, evidence, optional_reason, status};
use crate::wire::{customer_id, time};

pub(super) async fn assign_owner(
    desk: &Desk,
    call: Call,
    message: proto::AssignOwnerRequest,
) -> Result<Response<proto::Customer>, Status> {
    let id = customer_id("name", &message.name)?;
    let owner: Label = parse("owner", &message.owner)?;
    let territory: Option<Territory> = parse_optional("territory", &message.territory)?;
    let effective_at = message.effective_at;
    let make = move |work: &Work<'_>| {
        Command::AssignOwner(AssignOwner {
            owner: owner.clone(),
            territory: territory.clone(),
            when: when(work, effective_at.as_ref()),
        })
    };
    desk.on_customer(&call, &message, id, make, basic).await
}

pub(super) async fn give_notice(
    desk: &Desk,
    call: Call,
    message: proto::GiveNoticeRequest,
) -> Result<Response<proto::Customer>, Status> {
    let id = customer_id("name", &message.name)?;
    let request_id: Uuid = parse("request_id", &message.request_id)?;
    let effective_at = time("effective_at", message.effective_at.as_ref())?;
    let cause = cause("cause", message.cause)?;
    let reason = optional_reason("reason", message.reason)?;
    let competitor = parse_optional("competitor", &message.competitor)?;
    let notice_at = message.notice_at;
    let make = move |work: &Work<'_>| {
        Command::GiveNotice(GiveNotice {
            request_id,
            effective_at,
            cause,
            reason,
            competitor: competitor.clone(),
            when: when(work, notice_at.as_ref()),
        })
    };
    desk.on_customer(&call, &message, id, make, basic).await
}

pub(super) async fn withdraw_notice(
    desk: &Desk,
    call: Call,
    message: proto::WithdrawNoticeRequest,
) -> Result<Response<proto::Customer>, Status> {
    let id = customer_id("name", &message.name)?;
    let withdrawn_at = message.withdrawn_at;
    let make = move |work: &Work<'_>| Command::WithdrawNotice {
        when: when(work, withdrawn_at.as_ref()),
    };
    desk.on_customer(&call, &message, id, make, basic).await
}

pub(super) async fn set_recurring_revenue(
    desk: &Desk,
    call: Call,
    message: proto::SetRecurringRevenueRequest,
) -> Result<Response<proto::Customer>, Status> {
    let id = customer_id("name", &message.name)?;
    let line_id: LineId = parse("line_id", &message.line_id)?;
    let monthly = amount("monthly", message.monthly.as_ref())?;
    let effective_at = message.effective_at;
    let make = move |work: &Work<'_>| {
        Command::SetRecurringRevenue(SetRecurringRevenue {
            line_id: line_id.clone(),
            monthly,
            when: when(work, effective_at.as_ref()),
        })
    };
    desk.on_customer(&call, &message, id, make, basic).await
}

pub(super) async fn set_consent(
    desk: &Desk,
    call: Call,
    message: proto::SetConsentRequest,
) -> Result<Response<proto::Customer>, Status> {
    let id = customer_id("name", &message.name)?;
    let purpose: Label = parse("purpose", &message.purpose)?;
    let status = status("status", message.status)?;
    let evidence = evidence("evidence", &message.evidence)?;
    let at = message.at;
    let make = move |work: &Work<'_>| {
        Command::SetConsent(SetConsent {
            purpose: purpose.clone(),
            status,
            evidence: evidence.clone(),
            when: when(work, at.as_ref()),
        })
    };
    desk.on_customer(&call, &message, id, make, basic).await
}
