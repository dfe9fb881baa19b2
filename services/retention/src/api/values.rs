//! `ValueService`.

use eventsourcing::Time;
use money::{Currency, Money};
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::value_service_server::ValueService;
use read_model::{Error, Rows};
use retention_domain::ledger::statement::{Standing, What};
use retention_domain::ledger::{Assumptions, Method, Refusal};
use retention_domain::margin::TRAILING;
use server::{Moment, money_out, not_found, refusal, reply_at, timestamp, unavailable};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::desk::Desk;
use crate::read_model::customers;
use crate::read_model::equity::{books, facts};
use crate::wire::customer_id;
use crate::wire::ledger::{assumptions_out, method_out, optional_method};
use crate::wire::relationship::state_out;

/// `ValueService`.
#[derive(Debug, Clone)]
pub(crate) struct Values(pub(crate) Desk);

#[tonic::async_trait]
impl ValueService for Values {
    async fn get_customer_value(
        &self,
        request: Request<proto::GetCustomerValueRequest>,
    ) -> Result<Response<proto::CustomerValue>, Status> {
        let (call, message) = server::open(request)?;
        let id = customer_id("name", &message.name)?;
        let method = optional_method("method", message.method)?;
        self.0.expect(&call, id).await?;
        let engine = &self.0.engine;
        let moment = server::moment(engine, &call, server::asked!(message)).await?;
        let read = engine.store().read(|rows| valued(rows, id, &moment));
        let valued = read
            .map_err(|error| unavailable(&error.to_string()))?
            .ok_or_else(|| not_found(&message.name))?;
        if method == Some(Method::MbgNbd) {
            return Err(refusal(&Refusal::NoModel));
        }
        let Some(state) = valued.standing.state else {
            let as_of = moment.as_of;
            return Err(refusal(&Refusal::NotFoundAsOf { as_of }));
        };
        let money = |minor_units| Some(money_out(Money::new(valued.currency, minor_units)));
        let value = proto::CustomerValue {
            customer: message.name,
            value: money(valued.standing.value(&valued.assumptions)),
            meaning: valued.meaning(moment.as_of),
            method: method_out(valued.assumptions.method),
            as_of: Some(timestamp(moment.as_of)),
            state: state_out(state),
            trailing_margin: money(valued.standing.margin),
            trailing_purchases: valued.purchases,
            assumptions: Some(assumptions_out(&valued.assumptions)),
            known_at_position: moment.known.token(),
        };
        Ok(reply_at(value, &engine.position()))
    }
}

/// A customer at a moment, with everything that its value is worked out from.
struct Valued {
    currency: Currency,
    standing: Standing,
    /// Of the trailing year.
    purchases: i64,
    assumptions: Assumptions,
}

/// Nothing if there is no such customer.
fn valued(rows: &dyn Rows, id: Uuid, moment: &Moment) -> Result<Option<Valued>, Error> {
    let state = customers::get(rows, id)?;
    let Some(relationship) = state.and_then(|state| state.relationship) else {
        return Ok(None);
    };
    let currency = relationship.currency;
    let since = moment.as_of.minus_days(TRAILING);
    let mut standing = Standing::at(moment.as_of);
    let mut purchases = 0;
    for kept in facts::of_customer(rows, currency, id)? {
        let fact = kept.fact;
        if moment.includes(fact.at, &kept.recorded) {
            standing.take(&fact);
            let is_purchase = matches!(fact.what, What::Bought { .. });
            purchases += i64::from(is_purchase && fact.at > since);
        }
    }
    let assumptions = books::assumed(rows, currency, &moment.known)?.unwrap_or_default();
    Ok(Some(Valued {
        currency,
        standing,
        purchases,
        assumptions,
    }))
}

impl Valued {
    /// What the figure is, in one sentence.
    fn meaning(&self, as_of: Time) -> String {
        let Assumptions {
            annual_retention_rate,
            annual_discount_rate,
            ..
        } = self.assumptions;
        if !self.standing.is_active() {
            return format!(
                "residual contribution margin before acquisition cost, as of {as_of}: the customer is lost, and worth nothing until it is won back"
            );
        }
        let margin = Money::new(self.currency, self.standing.margin);
        format!(
            "residual contribution margin before acquisition cost, by SIMPLE as of {as_of}: m r / (1 + d - r) with m = {margin} in the 365 days before, r = {annual_retention_rate} kept and d = {annual_discount_rate} discounted a year, without a horizon, never below 0"
        )
    }
}
