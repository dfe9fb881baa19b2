//! The course of a relationship as the journal holds it: notice and its withdrawal.

use patron_proto::retention::v1 as proto;
use retention_domain::Event;
use retention_domain::relationship::Notice;
use server::{Wrong, parse_optional, timestamp};
use uuid::Uuid;

use super::same;
use crate::wire::relationship::{cause, cause_out, optional_reason, optional_reason_out};
use crate::wire::{text, time};

pub(super) fn notice_out(customer: String, notice: &Notice) -> proto::NoticeGiven {
    proto::NoticeGiven {
        customer,
        occurred_at: Some(timestamp(notice.notice_at)),
        effective_at: Some(timestamp(notice.effective_at)),
        cause: cause_out(notice.cause),
        reason: optional_reason_out(notice.reason),
        competitor: text(notice.competitor.as_ref()),
    }
}

pub(super) fn notice(customer: Uuid, read: &proto::NoticeGiven) -> Result<Event, Wrong> {
    same(customer, &read.customer)?;
    Ok(Event::NoticeGiven(Notice {
        notice_at: time("occurred_at", read.occurred_at.as_ref())?,
        effective_at: time("effective_at", read.effective_at.as_ref())?,
        cause: cause("cause", read.cause)?,
        reason: optional_reason("reason", read.reason)?,
        competitor: parse_optional("competitor", &read.competitor)?,
    }))
}

pub(super) fn withdrawn(customer: Uuid, read: &proto::NoticeWithdrawn) -> Result<Event, Wrong> {
    same(customer, &read.customer)?;
    let withdrawn_at = time("occurred_at", read.occurred_at.as_ref())?;
    Ok(Event::NoticeWithdrawn { withdrawn_at })
}
