//! Purchases one by one: recorded, reversed, listed.

use patron_proto::retention::v1 as proto;
use read_model::{Error, Rows};
use retention_domain::Command;
use retention_domain::id::{PurchaseId, ReversalId};
use retention_domain::input::When;
use retention_domain::purchase::{RecordPurchase, ReversePurchase};
use runtime::Work;
use server::{Call, Opener, Page, Wrong, parse, present};
use tonic::{Response, Status};
use uuid::Uuid;

use crate::api::when;
use crate::desk::Desk;
use crate::margin_rate;
use crate::read_model::customers;
use crate::wire::customer_id;
use crate::wire::purchase::{amount, optional_amount, purchase_out};

pub(super) async fn record(
    desk: &Desk,
    call: Call,
    message: proto::RecordPurchaseRequest,
) -> Result<Response<proto::Purchase>, Status> {
    let id = customer_id("parent", &message.parent)?;
    let written = present("purchase", message.purchase.as_ref())?;
    let occurred_at = written.occurred_at;
    // The moment is only known once the command is decided.
    let unset = When::now(eventsourcing::Time::EPOCH);
    let command = recording(written, unset)?;
    let shown = shown(command.purchase_id.clone());
    let make = move |work: &Work<'_>| {
        let when = when(work, occurred_at.as_ref());
        Command::RecordPurchase(RecordPurchase {
            when,
            ..command.clone()
        })
    };
    desk.on_customer(&call, &message, id, make, shown).await
}

/// The command that records a purchase.
pub(crate) fn recording(written: &proto::Purchase, when: When) -> Result<RecordPurchase, Wrong> {
    let margin = written.contribution_margin.as_ref();
    Ok(RecordPurchase {
        purchase_id: parse("purchase.purchase_id", &written.purchase_id)?,
        amount: amount("purchase.amount", written.amount.as_ref())?,
        contribution_margin: optional_amount("purchase.contribution_margin", margin)?,
        default_margin_rate: margin_rate::before_any(),
        when,
    })
}

pub(super) async fn reverse(
    desk: &Desk,
    call: Call,
    message: proto::ReversePurchaseRequest,
) -> Result<Response<proto::Purchase>, Status> {
    let id = customer_id("parent", &message.parent)?;
    let purchase_id: PurchaseId = parse("purchase_id", &message.purchase_id)?;
    let written = present("reversal", message.reversal.as_ref())?;
    let reversal_id: ReversalId = parse("reversal.reversal_id", &written.reversal_id)?;
    let paid_back = amount("reversal.amount", written.amount.as_ref())?;
    let margin = written.contribution_margin.as_ref();
    let contribution_margin = optional_amount("reversal.contribution_margin", margin)?;
    let occurred_at = written.occurred_at;
    let shown = shown(purchase_id.clone());
    let make = move |work: &Work<'_>| {
        Command::ReversePurchase(ReversePurchase {
            purchase_id: purchase_id.clone(),
            reversal_id: reversal_id.clone(),
            amount: paid_back,
            contribution_margin,
            when: when(work, occurred_at.as_ref()),
        })
    };
    desk.on_customer(&call, &message, id, make, shown).await
}

pub(super) async fn list(
    desk: &Desk,
    call: Call,
    message: proto::ListPurchasesRequest,
) -> Result<Response<proto::ListPurchasesResponse>, Status> {
    let id = customer_id("parent", &message.parent)?;
    let asked = ["purchases", &message.parent];
    let page = Page::parse(message.page_size, &message.page_token, &asked)?;
    let after = page.after_text()?;
    let read = |rows: &dyn Rows| {
        let state = customers::get(rows, id)?;
        let Some(relationship) = state.and_then(|state| state.relationship) else {
            return Ok(None);
        };
        let currency = relationship.currency;
        let found = customers::purchases(rows, id, after, page.wanted())?;
        let paged = page.cut(found, |(id, _)| id.as_str().as_bytes().to_vec());
        let rows = paged.rows.iter();
        Ok(Some(proto::ListPurchasesResponse {
            purchases: rows
                .map(|(id, purchase)| purchase_out(id, purchase, currency))
                .collect(),
            next_page_token: paged.next_page_token,
        }))
    };
    desk.read_of(&call, id, &message.min_position, &message.parent, read)
        .await
}

/// Reads the purchase that a command was about.
fn shown(
    purchase_id: PurchaseId,
) -> impl Fn(&dyn Rows, Uuid, &Opener) -> Result<Option<proto::Purchase>, Error> {
    move |rows, id, _| {
        let state = customers::get(rows, id)?;
        let Some(relationship) = state.and_then(|state| state.relationship) else {
            return Ok(None);
        };
        let purchase = customers::purchase(rows, id, &purchase_id)?;
        Ok(purchase.map(|purchase| purchase_out(&purchase_id, &purchase, relationship.currency)))
    }
}
