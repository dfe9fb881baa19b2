//! `ReportService`.

use patron_proto::acquisition::v1 as proto;
use patron_proto::acquisition::v1::report_service_server::ReportService;
use read_model::{Error, Rows};
use server::{asked, currency, invalid, moment, not_found};
use tonic::{Request, Response, Status};

use crate::desk::Desk;
use crate::read_model::scorecard::Basis;
use crate::read_model::{attribution, benefits, funnel, scorecard};
use crate::wire;

/// `ReportService`.
#[derive(Debug, Clone)]
pub(crate) struct Reports(pub(crate) Desk);

#[tonic::async_trait]
impl ReportService for Reports {
    async fn get_funnel(
        &self,
        request: Request<proto::GetFunnelRequest>,
    ) -> Result<Response<proto::Funnel>, Status> {
        let (call, message) = server::open(request)?;
        let by = wire::report::optional_by(message.dimension)?;
        let moment = moment(&self.0.engine, &call, asked!(message)).await?;
        let period =
            wire::report::period(message.start.as_ref(), message.end.as_ref(), moment.as_of)?;
        self.answer("funnel", move |rows| {
            let found = funnel::funnel(rows, period, by, &moment)?;
            Ok(Some(wire::report::funnel_out(period, by, &found, &moment)))
        })
        .await
    }

    async fn get_attribution(
        &self,
        request: Request<proto::GetAttributionRequest>,
    ) -> Result<Response<proto::AttributionReport>, Status> {
        let (call, message) = server::open(request)?;
        let moment = moment(&self.0.engine, &call, asked!(message)).await?;
        let question = wire::report::question(&message, moment.as_of)?;
        let answered = self.answer("attribution", move |rows| {
            let found = attribution::report(rows, &question, &moment)?;
            Ok(Some(found.map(|found| {
                wire::report::attribution_out(&message, &question, found, &moment)
            })))
        });
        let report = answered.await?.into_inner();
        report
            .map(Response::new)
            .map_err(|too_large| invalid("currency_code", &too_large.to_string()))
    }

    async fn get_presentation_scorecard(
        &self,
        request: Request<proto::GetPresentationScorecardRequest>,
    ) -> Result<Response<proto::PresentationScorecard>, Status> {
        let (call, message) = server::open(request)?;
        let name = wire::report::presentation_name("name", &message.name)?;
        let currency = currency("currency_code", &message.currency_code)?;
        let model = wire::report::model_of_one("model", message.model)?;
        let moment = moment(&self.0.engine, &call, asked!(message)).await?;
        self.answer(&message.name, move |rows| {
            let basis = Basis {
                model,
                moment: &moment,
            };
            let card = scorecard::of_presentation(rows, &name, currency, basis)?;
            Ok(card.map(|card| wire::scorecard::presentation_out(&name, &card, basis)))
        })
        .await
    }

    async fn get_benefit_scorecard(
        &self,
        request: Request<proto::GetBenefitScorecardRequest>,
    ) -> Result<Response<proto::BenefitScorecard>, Status> {
        let (call, message) = server::open(request)?;
        let name = wire::report::benefit_name("name", &message.name)?;
        let moment = moment(&self.0.engine, &call, asked!(message)).await?;
        self.answer(&message.name, move |rows| {
            let card = benefits::scorecard(rows, &name.0, &name.1, &moment)?;
            Ok(card.map(|card| wire::scorecard::benefit_out(&name, &card, &moment)))
        })
        .await
    }
}

impl Reports {
    /// Reads a report, NOT_FOUND by `name` if there is nothing.
    async fn answer<T: Send + 'static>(
        &self,
        name: &str,
        read: impl FnOnce(&dyn Rows) -> Result<Option<T>, Error> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let found = server::aside(&self.0.engine, read).await?;
        found.map(Response::new).ok_or_else(|| not_found(name))
    }
}
