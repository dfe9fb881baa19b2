//! What a person may ask for: to be forgotten, and to be told what is known.

use patron_proto::retention::v1 as proto;
use read_model::{Error, Rows};
use retention_domain::Command;
use retention_domain::input::When;
use runtime::Work;
use server::{Call, Opener, Page, erased, unavailable};
use tonic::{Response, Status};
use uuid::Uuid;

use super::{Customers, View, basic};
use crate::policy::destroy_keys;
use crate::read_model::customers;
use crate::wire::action::action_out;
use crate::wire::customer_id;
use crate::wire::purchase::purchase_out;

impl Customers {
    pub(super) async fn erase(
        &self,
        call: &Call,
        message: &proto::EraseCustomerRequest,
    ) -> Result<Response<proto::Customer>, Status> {
        let id = customer_id("name", &message.name)?;
        let make = |work: &Work<'_>| Command::Erase {
            when: When::now(work.now()),
        };
        let answered = self.0.on_customer(call, message, id, make, basic).await?;
        if message.validate_only {
            return Ok(answered);
        }
        let destroyed = destroy_keys::destroy(&self.0.engine, &self.0.vault, id).await;
        destroyed.map_err(|why| {
            unavailable(&format!(
                "the erasure stands and goes on by itself, but the keys are not known to be destroyed yet ({why})"
            ))
        })?;
        let read = |rows: &dyn Rows, opener: &Opener| basic(rows, id, opener);
        self.0.read_people(call, "", &message.name, read).await
    }

    pub(super) async fn export(
        &self,
        call: &Call,
        message: &proto::ExportCustomerRequest,
    ) -> Result<Response<proto::CustomerExport>, Status> {
        let id = customer_id("name", &message.name)?;
        let page = Page::parse(
            message.page_size,
            &message.page_token,
            &["export", &message.name],
        )?;
        let after = page.after_text()?;
        let view = self.view(proto::CustomerView::Full as i32);
        let read =
            |rows: &dyn Rows, opener: &Opener| export(rows, id, view, (&page, &after), opener);
        let position = &message.min_position;
        let found = self.0.read_person(call, id, position, &message.name, read);
        let found = found.await?;
        let is_erased = |customer: &proto::Customer| customer.erased_at.is_some();
        if found.get_ref().customer.as_ref().is_some_and(is_erased) {
            return Err(erased(&message.name));
        }
        Ok(found)
    }
}

fn export(
    rows: &dyn Rows,
    id: Uuid,
    view: View,
    (page, after): (&Page, &Option<String>),
    opener: &Opener,
) -> Result<Option<proto::CustomerExport>, Error> {
    let Some(state) = customers::get(rows, id)? else {
        return Ok(None);
    };
    let Some(customer) = view.show(rows, id, &state, opener)? else {
        return Ok(None);
    };
    let Some(currency) = state.relationship.as_ref().map(|it| it.currency) else {
        return Ok(None);
    };
    let mut actions = Vec::new();
    if after.is_none() {
        let found = customers::actions(rows, id, None, usize::MAX)?.into_iter();
        actions.extend(found.map(|(action, it)| action_out(id, &action, &it, currency)));
    }
    let found = customers::purchases(rows, id, after.clone(), page.wanted())?;
    let paged = page.cut(found, |(purchase, _)| purchase.as_str().as_bytes().to_vec());
    let purchases = paged.rows.iter();
    Ok(Some(proto::CustomerExport {
        customer: Some(customer),
        purchases: purchases
            .map(|(purchase, it)| purchase_out(purchase, it, currency))
            .collect(),
        actions,
        next_page_token: paged.next_page_token,
    }))
}
