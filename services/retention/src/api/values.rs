//! `ValueService`.

mod stream;

use std::pin::Pin;

use eventsourcing::{Days, Time};
use futures::Stream;
use money::{Currency, Money};
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::value_service_server::ValueService;
use read_model::{Error, Rows};
use retention_domain::ledger::model::Flag;
use retention_domain::ledger::statement::{Standing, What};
use retention_domain::ledger::{Assumptions, Method, Model, Refusal, Valuation};
use retention_domain::margin::TRAILING;
use server::{
    Known, Moment, invalid, money_out, not_found, refusal, reply_at, timestamp, unavailable,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::desk::Desk;
use crate::read_model::customers;
use crate::read_model::equity::facts::Kept;
use crate::read_model::equity::{books, bought, facts};
use crate::wire::ledger::{assumptions_out, method_out, optional_method};
use crate::wire::model::{flag_out, optional_name, purchases_out, spend_out};
use crate::wire::relationship::state_out;
use crate::wire::{customer_id, small, small_out};

/// For how many days purchases are expected, unless somebody says otherwise.
const WITHIN: Days = Days(91);
/// For how many at most.
const MAX_WITHIN: u32 = 3_650;

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
        let asked = Asked {
            method: optional_method("method", message.method)?,
            within: within(message.within_days)?,
        };
        self.0.expect(&call, id).await?;
        let engine = &self.0.engine;
        let moment = server::moment(engine, &call, server::asked!(message)).await?;
        let read = engine.store().read(|rows| valued(rows, id, &moment, asked));
        let value = read
            .map_err(|error| unavailable(&error.to_string()))?
            .ok_or_else(|| not_found(&message.name))?
            .map_err(|refused| refusal(&refused))?;
        Ok(reply_at(value, &engine.position()))
    }

    type StreamCustomerValuesStream =
        Pin<Box<dyn Stream<Item = Result<proto::StreamCustomerValuesResponse, Status>> + Send>>;

    async fn stream_customer_values(
        &self,
        request: Request<proto::StreamCustomerValuesRequest>,
    ) -> Result<Response<Self::StreamCustomerValuesStream>, Status> {
        let (call, message) = server::open(request)?;
        self.stream(&call, &message).await
    }
}

/// How a value is asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// Nothing for the one in force.
    method: Option<Method>,
    within: Days,
}

fn within(days: Option<i32>) -> Result<Days, Status> {
    let days = days.map(|days| small("within_days", days)).transpose()?;
    match days {
        None => Ok(WITHIN),
        Some(days) if (1..=MAX_WITHIN).contains(&days) => Ok(Days(days)),
        Some(_) => Err(invalid("within_days", "must be from 1 to 3650")),
    }
}

/// What a ledger's customers are valued with at a moment, and all that is to be said about it.
struct Basis {
    currency: Currency,
    /// As they were set, whatever method is asked for.
    assumptions: Assumptions,
    valuation: Valuation,
    model: Option<Model>,
    flags: Vec<Flag>,
}

impl Basis {
    /// Nothing but a refusal if there is no model for the method.
    fn of(
        rows: &dyn Rows,
        currency: Currency,
        moment: &Moment,
        method: Option<Method>,
    ) -> Result<Result<Self, Refusal>, Error> {
        let assumptions = books::assumed(rows, currency, &moment.known)?.unwrap_or_default();
        let method = method.unwrap_or(assumptions.method);
        let wanted = Assumptions {
            method,
            ..assumptions
        };
        let (mut model, mut flags) = (None, Vec::new());
        if method == Method::MbgNbd {
            let Some(found) = books::usable_model(rows, currency, &moment.known)? else {
                return Ok(Err(no_model(rows, currency, &moment.known)?));
            };
            let purchases = bought::known(rows, currency, &moment.known)?;
            flags = found.fitted.flags_at(moment.as_of, purchases);
            model = Some(found);
        }
        let valuation = Valuation::new(wanted, model.as_ref(), currency);
        Ok(Ok(Self {
            currency,
            assumptions,
            valuation,
            model,
            flags,
        }))
    }

    /// The value of a customer, by the facts that count. Nothing before it was one.
    fn value(
        &self,
        id: Uuid,
        facts: &[Kept],
        moment: &Moment,
        within: Days,
    ) -> Option<proto::CustomerValue> {
        let since = moment.as_of.minus_days(TRAILING);
        let mut standing = Standing::at(moment.as_of).for_valuation(&self.valuation);
        let mut purchases = 0;
        for kept in facts {
            let fact = kept.fact;
            if moment.includes(fact.at, &kept.recorded) {
                standing.take(&fact);
                let is_purchase = matches!(fact.what, What::Bought { .. });
                purchases += i64::from(is_purchase && fact.at > since);
            }
        }
        let state = standing.state?;
        let money = |minor_units| Some(money_out(Money::new(self.currency, minor_units)));
        let score = self.valuation.score(&standing, within);
        let score = score.filter(|_| standing.is_active());
        let by_model = self.model.as_ref();
        Some(proto::CustomerValue {
            customer: format!("customers/{id}"),
            value: money(self.valuation.value(&standing)),
            meaning: self.meaning(&standing, moment.as_of),
            method: method_out(self.valuation.method()),
            as_of: Some(timestamp(moment.as_of)),
            state: state_out(state),
            trailing_margin: money(standing.margin),
            trailing_purchases: purchases,
            assumptions: Some(assumptions_out(&self.assumptions)),
            known_at_position: moment.known.token(),
            model: optional_name(self.currency, self.valuation.model()),
            purchases: by_model.map(|model| purchases_out(&model.fitted.purchases)),
            spend: by_model.map(|model| spend_out(&model.fitted.spend)),
            model_as_of: by_model.map(|model| timestamp(model.fitted.as_of)),
            flags: self.flags.iter().copied().map(flag_out).collect(),
            repeat_purchase_days: score.map(|score| small_out(score.repeat_days)),
            p_alive: score.map(|score| score.p_alive),
            p_buy_within: score.map(|score| score.p_buy_within),
            expected_purchases: score.map(|score| score.expected_purchases),
            discounted_purchases: score.map(|score| score.discounted_purchases),
            expected_spend: score.map(|score| score.expected_spend),
            within_days: by_model.map(|_| small_out(within.0)),
        })
    }

    /// What the figure is, in one sentence.
    fn meaning(&self, standing: &Standing, as_of: Time) -> String {
        const WHAT: &str = "residual contribution margin before acquisition cost";
        let Assumptions {
            annual_retention_rate,
            annual_discount_rate,
            horizon_months,
            ..
        } = self.assumptions;
        if !standing.is_active() {
            return format!(
                "{WHAT}, as of {as_of}: the customer is lost, and worth nothing until it is won back"
            );
        }
        let Some(number) = self.valuation.model() else {
            let margin = Money::new(self.currency, standing.margin);
            return format!(
                "{WHAT}, by SIMPLE as of {as_of}: m r / (1 + d - r) with m = {margin} in the 365 days before, r = {annual_retention_rate} kept and d = {annual_discount_rate} discounted a year, without a horizon, never below 0"
            );
        };
        let name = optional_name(self.currency, Some(number));
        format!(
            "{WHAT}, by MBG_NBD as of {as_of}: purchase days expected over {horizon_months} months by {name}, d = {annual_discount_rate} discounted a year, times the margin expected of each; 0 before the first purchase"
        )
    }
}

/// Why there is no model that values may rest on.
fn no_model(rows: &dyn Rows, currency: Currency, known: &Known) -> Result<Refusal, Error> {
    let worse = books::last_model(rows, currency, known)?;
    Ok(
        worse.map_or(Refusal::NoModel, |model| Refusal::WorseThanNaive {
            number: model.number,
        }),
    )
}

/// What a customer was worth, or why that cannot be said. Nothing if there is no such customer.
fn valued(
    rows: &dyn Rows,
    id: Uuid,
    moment: &Moment,
    asked: Asked,
) -> Result<Option<Result<proto::CustomerValue, Refusal>>, Error> {
    let state = customers::get(rows, id)?;
    let Some(relationship) = state.and_then(|state| state.relationship) else {
        return Ok(None);
    };
    let currency = relationship.currency;
    let basis = match Basis::of(rows, currency, moment, asked.method)? {
        Ok(basis) => basis,
        Err(refused) => return Ok(Some(Err(refused))),
    };
    let facts = facts::of_customer(rows, currency, id)?;
    let as_of = moment.as_of;
    let value = basis.value(id, &facts, moment, asked.within);
    Ok(Some(value.ok_or(Refusal::NotFoundAsOf { as_of })))
}
