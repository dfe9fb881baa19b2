//! The books: periods closed by either method, and a model fitted between them.

use eventsourcing::{Days, Time};
use patron_proto::retention::v1 as ret;
use server::timestamp;
use tokio::time::Instant;

use super::draw::BOUGHT_DAYS;
use super::figures::Figures;
use crate::connect::{Retention, request_id, said};

const LEDGER: &str = "ledgers/EUR";
/// Periods closed by each method. The first has no opening to compare with, so the worst one counts.
const PERIODS: u16 = 3;
/// The days of a period: six of them cover what was bought.
const DAYS: u16 = 66;

/// The ledger on its way through the periods.
#[derive(Debug)]
pub(super) struct Books {
    retention: Retention,
    closed: u16,
    end: Time,
}

impl Books {
    pub(super) fn new(retention: Retention, now: Time) -> Self {
        let days = Days(BOUGHT_DAYS);
        Self {
            retention,
            closed: 0,
            end: Time::from_days(now.minus_days(days).day()),
        }
    }

    /// Closes a few periods, one after the other.
    pub(super) async fn close(
        &mut self,
        figures: &mut Figures,
        method: &str,
    ) -> anyhow::Result<()> {
        let begun = figures.start()?;
        let mut times = Vec::new();
        for _ in 0..PERIODS {
            let start = self.end;
            self.end = start.plus_days(Days(u32::from(DAYS)));
            self.closed += 1;
            let request = ret::ClosePeriodRequest {
                parent: LEDGER.to_owned(),
                statement_id: format!("period-{}", self.closed),
                start: Some(timestamp(start)),
                end: Some(timestamp(self.end)),
                request_id: request_id(),
                ..Default::default()
            };
            let started = Instant::now();
            let closed = self.retention.ledgers.close_period(request).await;
            closed.map_err(|status| said(&status))?;
            times.push(started.elapsed());
        }
        figures.took(&format!("closing a period {method}"), times, begun)
    }

    /// Fits a model to all that was bought.
    pub(super) async fn fit(&mut self, figures: &mut Figures) -> anyhow::Result<()> {
        let request = ret::FitModelRequest {
            parent: LEDGER.to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        let begun = figures.start()?;
        let started = Instant::now();
        let fitted = self.retention.ledgers.fit_model(request).await;
        fitted.map_err(|status| said(&status))?;
        figures.took("fitting a model", vec![started.elapsed()], begun)
    }
}

/// From now on the ledger's customers are valued by this method.
pub(super) async fn assume(retention: &Retention, method: ret::ValueMethod) -> anyhow::Result<()> {
    let request = ret::SetAssumptionsRequest {
        name: LEDGER.to_owned(),
        method: method as i32,
        request_id: request_id(),
        ..Default::default()
    };
    let set = retention.ledgers.clone().set_assumptions(request).await;
    set.map(|_| ()).map_err(|status| said(&status))
}
