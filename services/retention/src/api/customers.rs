//! `CustomerService`.

mod actions;
mod erasing;
mod import;
mod list;
pub(super) mod purchases;
mod relationship;

use eventsourcing::{Sealed, Time};
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::customer_service_server::CustomerService;
use read_model::{Error, Rows};
use retention_domain::relationship::EndRelationship;
use retention_domain::{Command, Customer};
use runtime::{Work, version};
use server::{Opener, parse, parse_optional};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{batch, when};
use crate::desk::Desk;
use crate::read_model::{customers, worth};
use crate::wire;
use crate::wire::customer_id;
use crate::wire::relationship::{cause, optional_reason};

/// `CustomerService`.
#[derive(Debug, Clone)]
pub(crate) struct Customers(pub(crate) Desk);

#[tonic::async_trait]
impl CustomerService for Customers {
    async fn open_relationship(
        &self,
        request: Request<proto::OpenRelationshipRequest>,
    ) -> Result<Response<proto::Customer>, Status> {
        let (call, message) = server::open(request)?;
        let import = import::read(&message)?;
        let id = import.customer();
        let texts = import.texts();
        let make = move |work: &Work<'_>, boxes: Vec<Sealed>| import.command(work.now(), boxes);
        self.0
            .on_person(&call, &message, id, texts, make, basic)
            .await
    }

    async fn record_purchase(
        &self,
        request: Request<proto::RecordPurchaseRequest>,
    ) -> Result<Response<proto::Purchase>, Status> {
        let (call, message) = server::open(request)?;
        purchases::record(&self.0, call, message).await
    }

    async fn batch_record_purchases(
        &self,
        request: Request<proto::BatchRecordPurchasesRequest>,
    ) -> Result<Response<proto::BatchRecordPurchasesResponse>, Status> {
        let (call, message) = server::open_batch(request);
        batch::record(&self.0, call, message).await
    }

    async fn reverse_purchase(
        &self,
        request: Request<proto::ReversePurchaseRequest>,
    ) -> Result<Response<proto::Purchase>, Status> {
        let (call, message) = server::open(request)?;
        purchases::reverse(&self.0, call, message).await
    }

    async fn end_relationship(
        &self,
        request: Request<proto::EndRelationshipRequest>,
    ) -> Result<Response<proto::Customer>, Status> {
        let (call, message) = server::open(request)?;
        let id = customer_id("name", &message.name)?;
        let request_id: Uuid = parse("request_id", &message.request_id)?;
        let cause = cause("cause", message.cause)?;
        let reason = optional_reason("reason", message.reason)?;
        let competitor = parse_optional("competitor", &message.competitor)?;
        let ended_at = message.ended_at;
        let make = move |work: &Work<'_>| {
            Command::EndRelationship(EndRelationship {
                request_id,
                cause,
                reason,
                competitor: competitor.clone(),
                when: when(work, ended_at.as_ref()),
            })
        };
        self.0.on_customer(&call, &message, id, make, basic).await
    }

    async fn win_back_customer(
        &self,
        request: Request<proto::WinBackCustomerRequest>,
    ) -> Result<Response<proto::Customer>, Status> {
        let (call, message) = server::open(request)?;
        let id = customer_id("name", &message.name)?;
        let won_back_at = message.won_back_at;
        let make = move |work: &Work<'_>| Command::WinBack {
            when: when(work, won_back_at.as_ref()),
        };
        self.0.on_customer(&call, &message, id, make, basic).await
    }

    async fn get_customer(
        &self,
        request: Request<proto::GetCustomerRequest>,
    ) -> Result<Response<proto::Customer>, Status> {
        let (call, message) = server::open(request)?;
        let id = customer_id("name", &message.name)?;
        let view = self.view(message.view);
        let read = |rows: &dyn Rows, opener: &Opener| {
            let Some(state) = customers::get(rows, id)? else {
                return Ok(None);
            };
            view.show(rows, id, &state, opener)
        };
        self.0
            .read_person(&call, id, &message.min_position, &message.name, read)
            .await
    }

    async fn list_customers(
        &self,
        request: Request<proto::ListCustomersRequest>,
    ) -> Result<Response<proto::ListCustomersResponse>, Status> {
        let (call, message) = server::open(request)?;
        let view = self.view(message.view);
        list::list(&self.0, call, message, view).await
    }

    async fn list_purchases(
        &self,
        request: Request<proto::ListPurchasesRequest>,
    ) -> Result<Response<proto::ListPurchasesResponse>, Status> {
        let (call, message) = server::open(request)?;
        purchases::list(&self.0, call, message).await
    }

    async fn list_actions(
        &self,
        request: Request<proto::ListActionsRequest>,
    ) -> Result<Response<proto::ListActionsResponse>, Status> {
        let (call, message) = server::open(request)?;
        actions::list(&self.0, call, message).await
    }

    async fn assign_owner(
        &self,
        request: Request<proto::AssignOwnerRequest>,
    ) -> Result<Response<proto::Customer>, Status> {
        let (call, message) = server::open(request)?;
        relationship::assign_owner(&self.0, call, message).await
    }

    async fn give_notice(
        &self,
        request: Request<proto::GiveNoticeRequest>,
    ) -> Result<Response<proto::Customer>, Status> {
        let (call, message) = server::open(request)?;
        relationship::give_notice(&self.0, call, message).await
    }

    async fn withdraw_notice(
        &self,
        request: Request<proto::WithdrawNoticeRequest>,
    ) -> Result<Response<proto::Customer>, Status> {
        let (call, message) = server::open(request)?;
        relationship::withdraw_notice(&self.0, call, message).await
    }

    async fn set_recurring_revenue(
        &self,
        request: Request<proto::SetRecurringRevenueRequest>,
    ) -> Result<Response<proto::Customer>, Status> {
        let (call, message) = server::open(request)?;
        relationship::set_recurring_revenue(&self.0, call, message).await
    }

    async fn set_consent(
        &self,
        request: Request<proto::SetConsentRequest>,
    ) -> Result<Response<proto::Customer>, Status> {
        let (call, message) = server::open(request)?;
        relationship::set_consent(&self.0, call, message).await
    }

    async fn propose_action(
        &self,
        request: Request<proto::ProposeActionRequest>,
    ) -> Result<Response<proto::Action>, Status> {
        let (call, message) = server::open(request)?;
        actions::propose(&self.0, call, message).await
    }

    async fn complete_action(
        &self,
        request: Request<proto::CompleteActionRequest>,
    ) -> Result<Response<proto::Action>, Status> {
        let (call, message) = server::open(request)?;
        actions::complete(&self.0, call, message).await
    }

    async fn cancel_action(
        &self,
        request: Request<proto::CancelActionRequest>,
    ) -> Result<Response<proto::Action>, Status> {
        let (call, message) = server::open(request)?;
        actions::cancel(&self.0, call, message).await
    }

    async fn erase_customer(
        &self,
        request: Request<proto::EraseCustomerRequest>,
    ) -> Result<Response<proto::Customer>, Status> {
        let (call, message) = server::open(request)?;
        self.erase(&call, &message).await
    }

    async fn export_customer(
        &self,
        request: Request<proto::ExportCustomerRequest>,
    ) -> Result<Response<proto::CustomerExport>, Status> {
        let (call, message) = server::open(request)?;
        self.export(&call, &message).await
    }
}

impl Customers {
    fn view(&self, view: i32) -> View {
        if view == proto::CustomerView::Full as i32 {
            let as_of = self.0.engine.clock().now();
            View::Full { as_of }
        } else {
            View::Basic
        }
    }
}

/// How much of a customer to show.
#[derive(Debug, Clone, Copy)]
enum View {
    Basic,
    /// With its value at a moment.
    Full {
        as_of: Time,
    },
}

impl View {
    fn show(
        self,
        rows: &dyn Rows,
        id: Uuid,
        state: &Customer,
        opener: &Opener,
    ) -> Result<Option<proto::Customer>, Error> {
        let version = version(rows, &format!("customers/{id}"))?;
        match self {
            Self::Basic => Ok(wire::resource::basic(id, state, version, opener)),
            Self::Full { as_of } => {
                let value = worth::of_customer(rows, id, state, as_of)?;
                Ok(wire::resource::full(
                    id,
                    state,
                    version,
                    (value, as_of),
                    opener,
                ))
            }
        }
    }
}

/// The customer that a command was about.
fn basic(rows: &dyn Rows, id: Uuid, opener: &Opener) -> Result<Option<proto::Customer>, Error> {
    let Some(state) = customers::get(rows, id)? else {
        return Ok(None);
    };
    View::Basic.show(rows, id, &state, opener)
}
