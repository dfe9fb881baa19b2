//! `ReportService`.

use eventsourcing::Time;
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::report_service_server::ReportService;
use read_model::Key as _;
use server::{Moment, MomentOfPages, Page, asked, currency, invalid, moment, timestamp};
use tonic::{Request, Response, Status};

use super::period;
use crate::desk::Desk;
use crate::read_model::reports::cohorts::{self, Measure, Question};
use crate::read_model::reports::{gaps, retention};
use crate::wire::proposition_name;
use crate::wire::report::{
    cohorts_out, gap_out, gaps_by, measure, retention_out, rows_by_or_month,
};

/// Rows of a cohort table.
const MOST_ROWS: usize = 1_000;
const MONTHS: u32 = 12;
const MOST_MONTHS: i32 = 60;

/// `ReportService`.
#[derive(Debug, Clone)]
pub(crate) struct Reports(pub(crate) Desk);

#[tonic::async_trait]
impl ReportService for Reports {
    async fn get_retention_report(
        &self,
        request: Request<proto::GetRetentionReportRequest>,
    ) -> Result<Response<proto::RetentionReport>, Status> {
        let (call, message) = server::open(request)?;
        let moment = moment(&self.0.engine, &call, asked!(message)).await?;
        let period = period(message.start.as_ref(), message.end.as_ref(), moment.as_of)?;
        server::aside(&self.0.engine, move |rows| {
            let report = retention::report(rows, period, &moment)?;
            Ok(retention_out(period, &report, &moment))
        })
        .await
        .map(Response::new)
    }

    async fn get_cohort_table(
        &self,
        request: Request<proto::GetCohortTableRequest>,
    ) -> Result<Response<proto::CohortTable>, Status> {
        let (call, message) = server::open(request)?;
        let moment = moment(&self.0.engine, &call, asked!(message)).await?;
        let question = question(&message, moment.as_of)?;
        let answered = server::aside(&self.0.engine, move |rows| {
            let cohorts = cohorts::cohorts(rows, &question, &moment)?;
            Ok((cohorts, moment))
        });
        let (cohorts, moment) = answered.await?;
        if cohorts.rows.len() > MOST_ROWS {
            let what = format!(
                "spans {} rows, more than {MOST_ROWS}: narrow it",
                cohorts.rows.len()
            );
            return Err(invalid("start", &what));
        }
        Ok(Response::new(cohorts_out(&question, &cohorts, &moment)))
    }

    async fn list_promise_gaps(
        &self,
        request: Request<proto::ListPromiseGapsRequest>,
    ) -> Result<Response<proto::ListPromiseGapsResponse>, Status> {
        let (call, message) = server::open(request)?;
        let by = gaps_by("dimension", message.dimension)?;
        let proposition = Some(message.proposition.as_str()).filter(|name| !name.is_empty());
        let proposition = proposition.map(|name| proposition_name("proposition", name));
        let proposition = proposition.transpose()?.map(|name| name.to_string());
        let dimension = message.dimension.to_string();
        let known_at = message.known_at.as_ref().map(ToString::to_string);
        let known_at = known_at.unwrap_or_default();
        let question = ["gaps", &dimension, &message.proposition, &known_at];
        let page = Page::parse(message.page_size, &message.page_token, &question)?;
        let after = page.after.as_deref().map(read_after).transpose()?;
        let before = after.as_ref().map(|(moment, _)| moment);
        let asked = asked!(message);
        let moment = MomentOfPages::again(before, &self.0.engine, &call, asked).await?;
        let first = after.map_or(0, |(_, last)| last.saturating_add(1));
        let answered = server::aside(&self.0.engine, move |rows| {
            let gaps = gaps::gaps(rows, by, proposition.as_deref(), &moment)?;
            Ok((gaps, moment))
        });
        let (gaps, moment) = answered.await?;
        let lines = (0_u64..).zip(gaps).filter(|(place, _)| *place >= first);
        let paged = page.cut(lines.take(page.wanted()).collect(), |(place, _)| {
            write_after(&moment, *place)
        });
        let gaps = paged.rows.iter();
        Ok(Response::new(proto::ListPromiseGapsResponse {
            gaps: gaps.map(|(_, (name, gap))| gap_out(name, gap)).collect(),
            next_page_token: paged.next_page_token,
            as_of: Some(timestamp(moment.as_of)),
            known_at_position: moment.known.token(),
        }))
    }
}

/// A page token of the gaps: the moment of all pages, and the last line's place.
fn write_after(moment: &Moment, place: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    MomentOfPages::of(moment).encode(&mut bytes);
    place.encode(&mut bytes);
    bytes
}

fn read_after(mut bytes: &[u8]) -> Result<(MomentOfPages, u64), Status> {
    let moment = MomentOfPages::decode(&mut bytes);
    let place = u64::decode(&mut bytes).filter(|_| bytes.is_empty());
    let after = moment.zip(place);
    after.ok_or_else(|| invalid("page_token", "is not a token of an earlier page"))
}

fn question(message: &proto::GetCohortTableRequest, as_of: Time) -> Result<Question, Status> {
    let measure = measure("measure", message.measure)?;
    let currency = Some(message.currency_code.as_str())
        .filter(|code| !code.is_empty())
        .map(|code| currency("currency_code", code))
        .transpose()?;
    if currency.is_none() && matches!(measure, Measure::Revenue | Measure::Margin) {
        let what =
            "is required for REVENUE and MARGIN: amounts of different currencies are never added";
        return Err(invalid("currency_code", what));
    }
    let months = match message.months {
        0 => MONTHS,
        months @ 1..=MOST_MONTHS => months.unsigned_abs(),
        _ => return Err(invalid("months", "must be 1 to 60")),
    };
    Ok(Question {
        measure,
        by: rows_by_or_month("dimension", message.dimension)?,
        currency,
        period: period(message.start.as_ref(), message.end.as_ref(), as_of)?,
        months,
    })
}
