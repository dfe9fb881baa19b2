//! The course of a relationship as the journal holds it: notice, owners, lines, consents, actions that were done.

use patron_proto::retention::v1 as proto;
use retention_domain::action::Completed;
use retention_domain::owner::Assignment;
use retention_domain::relationship::Notice;
use retention_domain::{Event, consent, recurring};
use server::{Wrong, money_out, parse, parse_optional, present, timestamp};
use uuid::Uuid;

use super::{own_action, same};
use crate::wire::action::{outcome, outcome_out};
use crate::wire::purchase::{amount, optional_amount};
use crate::wire::relationship::{
    cause, cause_out, consent_in, consent_out, optional_reason, optional_reason_out,
};
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

pub(super) fn assigned_out(customer: String, assignment: &Assignment) -> proto::OwnerAssigned {
    proto::OwnerAssigned {
        customer,
        occurred_at: Some(timestamp(assignment.effective_at)),
        owner: assignment.owner.to_string(),
        territory: text(assignment.territory.as_ref()),
    }
}

pub(super) fn assigned(customer: Uuid, read: &proto::OwnerAssigned) -> Result<Event, Wrong> {
    same(customer, &read.customer)?;
    Ok(Event::OwnerAssigned(Assignment {
        owner: parse("owner", &read.owner)?,
        territory: parse_optional("territory", &read.territory)?,
        effective_at: time("occurred_at", read.occurred_at.as_ref())?,
    }))
}

pub(super) fn recurring_out(customer: String, set: &recurring::Set) -> proto::RecurringRevenueSet {
    proto::RecurringRevenueSet {
        customer,
        occurred_at: Some(timestamp(set.effective_at)),
        line_id: set.line_id.to_string(),
        monthly: Some(money_out(set.monthly)),
        previous: Some(money_out(set.previous)),
    }
}

pub(super) fn recurring(customer: Uuid, read: &proto::RecurringRevenueSet) -> Result<Event, Wrong> {
    same(customer, &read.customer)?;
    Ok(Event::RecurringRevenueSet(recurring::Set {
        line_id: parse("line_id", &read.line_id)?,
        monthly: amount("monthly", read.monthly.as_ref())?,
        previous: amount("previous", read.previous.as_ref())?,
        effective_at: time("occurred_at", read.occurred_at.as_ref())?,
    }))
}

pub(super) fn consented_out(customer: String, changed: &consent::Changed) -> proto::ConsentChanged {
    proto::ConsentChanged {
        customer,
        occurred_at: Some(timestamp(changed.consent.at)),
        consent: Some(consent_out(&changed.purpose, &changed.consent)),
    }
}

pub(super) fn consented(customer: Uuid, read: &proto::ConsentChanged) -> Result<Event, Wrong> {
    same(customer, &read.customer)?;
    let (purpose, consent) = consent_in("consent", present("consent", read.consent.as_ref())?)?;
    Ok(Event::ConsentChanged(consent::Changed { purpose, consent }))
}

pub(super) fn completed_out(customer: &str, completed: &Completed) -> proto::ActionCompleted {
    proto::ActionCompleted {
        action: format!("{customer}/actions/{}", completed.action_id),
        occurred_at: Some(timestamp(completed.completed_at)),
        outcome: outcome_out(completed.succeeded),
        cost: completed.cost.map(money_out),
    }
}

pub(super) fn completed(customer: Uuid, read: &proto::ActionCompleted) -> Result<Event, Wrong> {
    Ok(Event::ActionCompleted(Completed {
        action_id: own_action(customer, &read.action)?,
        succeeded: outcome("outcome", read.outcome)?,
        cost: optional_amount("cost", read.cost.as_ref())?,
        completed_at: time("occurred_at", read.occurred_at.as_ref())?,
    }))
}
