//! `FitModel`: everything that is there is taken in, fitted beside the threads that serve, and recorded.
//! The same request again fits nothing, and is answered with its model whatever was fitted since.

use eventsourcing::Time;
use journal::Position;
use money::Currency;
use patron_proto::retention::v1 as proto;
use read_model::{Error, Rows};
use retention_domain::ledger::model::{FitModel, Fitted, Unfitted};
use retention_domain::ledger::{Command, Ledger, Model};
use runtime::Work;
use server::{Call, Known, Page, from_timestamp, parse, refusal, unavailable};
use tokio::time::timeout_at;
use tonic::{Response, Status};
use uuid::Uuid;

use super::{Ledgers, answered, fault, is_stale};
use crate::read_model::equity::{books, fit};
use crate::wire::ledger::ledger_name;
use crate::wire::model::{model_out, read_name};
use crate::wire::small;

/// How many weeks a model is checked on, unless somebody says otherwise.
const HOLDOUT_WEEKS: u32 = 13;

impl Ledgers {
    pub(super) async fn fit(
        &self,
        call: &Call,
        message: &proto::FitModelRequest,
    ) -> Result<Response<proto::Model>, Status> {
        let currency = ledger_name("parent", &message.parent)?;
        let now = self.desk.engine.clock().now();
        let as_of = message.as_of.as_ref().map_or(now, from_timestamp);
        let weeks = message.holdout_weeks;
        let weeks = weeks
            .map(|weeks| small("holdout_weeks", weeks))
            .transpose()?;
        let weeks = weeks.unwrap_or(HOLDOUT_WEEKS);
        Ledger::may_fit(as_of, weeks, now).map_err(|refused| refusal(&refused))?;
        let request_id: Uuid = parse("request_id", &message.request_id)?;
        let fitted = self
            .fitted(call, (currency, request_id), (as_of, weeks))
            .await?;
        let make = move |work: &Work<'_>| {
            let fitted = fitted.clone()?.map(Box::new);
            let now = work.now();
            Some(Command::FitModel(FitModel { fitted, now }))
        };
        let answer = move |rows: &dyn Rows| -> Result<Option<proto::Model>, Error> {
            let number = match books::fitted_by(rows, currency, request_id)? {
                Some(number) => number,
                // Who only asks whether it would be possible sees the model that it would be.
                None => books::ledger(rows, currency)?.models,
            };
            let model = books::model(rows, currency, number)?;
            model
                .map(|model| shown(rows, currency, &model, now))
                .transpose()
        };
        answered(self.execute(call, message, currency, make, answer).await?)
    }

    /// Fits, once it is this fit's turn, to all that anybody was told of; nothing, if this request did before.
    async fn fitted(
        &self,
        call: &Call,
        (currency, request_id): (Currency, Uuid),
        asked: (Time, u32),
    ) -> Result<Option<Result<Fitted, Unfitted>>, Status> {
        let store = self.desk.engine.store().clone();
        let known = store.read(|rows| books::fitted_by(rows, currency, request_id));
        let known = known.map_err(|error| unavailable(&error.to_string()))?;
        if known.is_some() {
            return Ok(None);
        }
        let turn = self.fitting.acquire();
        let turn = match call.deadline {
            Some(deadline) => timeout_at(deadline, turn)
                .await
                .map_err(|_| unavailable("another fit is running: retry with more time"))?,
            None => turn.await,
        };
        let _turn = turn.map_err(|error| fault(&error))?;
        let here = server::heard_all(&self.desk.engine, call).await?;
        let fitting = tokio::task::spawn_blocking(move || {
            let input = store.read(|rows| {
                // Another instance may have been asked before, or this one while others fitted.
                match books::fitted_by(rows, currency, request_id)? {
                    Some(_) => Ok(None),
                    None => read(rows, currency, asked, here).map(Some),
                }
            })?;
            Ok::<_, Error>(input.as_ref().map(fit::fit))
        });
        let fitted = fitting.await.map_err(|error| fault(&error))?;
        fitted.map_err(|error| unavailable(&error.to_string()))
    }

    pub(super) async fn model(
        &self,
        call: &Call,
        message: &proto::GetModelRequest,
    ) -> Result<Response<proto::Model>, Status> {
        let (currency, number) = read_name("name", &message.name)?;
        let now = self.desk.engine.clock().now();
        let read = |rows: &dyn Rows| {
            let model = books::model(rows, currency, number)?;
            model
                .map(|model| shown(rows, currency, &model, now))
                .transpose()
        };
        self.desk
            .read(call, &message.min_position, &message.name, read)
            .await
    }

    pub(super) async fn models(
        &self,
        call: &Call,
        message: &proto::ListModelsRequest,
    ) -> Result<Response<proto::ListModelsResponse>, Status> {
        let currency = ledger_name("parent", &message.parent)?;
        let asked = ["models", &message.parent];
        let page = Page::parse(message.page_size, &message.page_token, &asked)?;
        let before = page.after_text()?.map(|text| text.parse()).transpose();
        let before = before
            .map_err(|_| server::invalid("page_token", "is not a token of an earlier page"))?;
        let now = self.desk.engine.clock().now();
        let read = |rows: &dyn Rows| {
            let found = books::models(rows, currency, before, page.wanted())?;
            let paged = page.cut(found, |model| model.number.to_string().into_bytes());
            let models = paged.rows.iter();
            let models = models.map(|model| shown(rows, currency, model, now));
            Ok(Some(proto::ListModelsResponse {
                models: models.collect::<Result<_, Error>>()?,
                next_page_token: paged.next_page_token,
            }))
        };
        self.desk
            .read(call, &message.min_position, &message.parent, read)
            .await
    }
}

fn read(
    rows: &dyn Rows,
    currency: Currency,
    asked: (Time, u32),
    here: Position,
) -> Result<fit::Input, Error> {
    fit::input(rows, currency, asked, Known::Before(here))
}

fn shown(
    rows: &dyn Rows,
    currency: Currency,
    model: &Model,
    now: Time,
) -> Result<proto::Model, Error> {
    let stale = is_stale(rows, currency, model, now)?;
    Ok(model_out(currency, model, stale))
}
