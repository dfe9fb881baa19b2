//! `ClosePeriod`: first everything that is there is taken in, then it is measured, then it is closed or not.

use journal::Position;
use money::Currency;
use patron_proto::retention::v1 as proto;
use read_model::{Error, Rows};
use retention_domain::ledger::{ClosePeriod, Command, Measured, Refusal};
use runtime::{Failure, Work};
use server::{Call, Known, parse};
use tonic::{Response, Status};

use super::{Ledgers, answered, fault, shown};
use crate::read_model::equity::books;
use crate::read_model::equity::measure::{Measurement, Scope, Unmeasured, cut, measure};
use crate::wire::ledger::ledger_name;
use crate::wire::time;

/// How often a period is measured again when others close periods of the same ledger meanwhile.
const ATTEMPTS: usize = 4;

impl Ledgers {
    pub(super) async fn close(
        &self,
        call: &Call,
        message: &proto::ClosePeriodRequest,
    ) -> Result<Response<proto::EquityStatement>, Status> {
        let currency = ledger_name("parent", &message.parent)?;
        let asked = ClosePeriod {
            statement_id: parse("statement_id", &message.statement_id)?,
            start: time("start", message.start.as_ref())?,
            end: time("end", message.end.as_ref())?,
            now: self.desk.engine.clock().now(),
            measured: None,
        };
        let mut attempt = 1;
        loop {
            // Where the journal ends once all that anybody was told of is in it: there the period is cut.
            let here = server::heard_all(&self.desk.engine, call).await?;
            let measured = self.measured(currency, asked.clone(), here).await?;
            let outcome = self.close_as(call, message, currency, &asked, measured);
            let outcome = outcome.await?;
            let overtaken = matches!(outcome, Err(Failure::Refused(Refusal::Superseded)));
            if !overtaken || attempt == ATTEMPTS {
                return answered(outcome);
            }
            attempt += 1;
        }
    }

    /// Measures the period on the rows as they are now, beside the threads that serve; nothing if it could
    /// not be closed anyway.
    async fn measured(
        &self,
        currency: Currency,
        asked: ClosePeriod,
        here: Position,
    ) -> Result<Option<Measured>, Status> {
        let store = self.desk.engine.store().clone();
        let measuring = tokio::task::spawn_blocking(move || {
            store.read(|rows| measured(rows, currency, &asked, here))
        });
        let measured = measuring.await.map_err(|error| fault(&error))?;
        measured.map_err(|why| fault(&why))
    }

    async fn close_as(
        &self,
        call: &Call,
        message: &proto::ClosePeriodRequest,
        currency: Currency,
        asked: &ClosePeriod,
        measured: Option<Measured>,
    ) -> Result<Result<runtime::Answer<Option<proto::EquityStatement>>, Failure<Refusal>>, Status>
    {
        let statement_id = asked.statement_id.clone();
        let command = ClosePeriod {
            measured,
            ..asked.clone()
        };
        let make = move |work: &Work<'_>| {
            let now = work.now();
            let command = command.clone();
            Some(Command::ClosePeriod(Box::new(ClosePeriod {
                now,
                ..command
            })))
        };
        let answer = move |rows: &dyn Rows| -> Result<_, Error> {
            let closed = books::statement(rows, currency, &statement_id)?;
            closed
                .map(|closed| shown(rows, currency, &closed))
                .transpose()
        };
        self.execute(call, message, currency, make, answer).await
    }
}

fn measured(
    rows: &dyn Rows,
    currency: Currency,
    asked: &ClosePeriod,
    here: Position,
) -> Result<Option<Measured>, Unmeasured> {
    let ledger = books::ledger(rows, currency)?;
    if ledger.may_close(asked).is_err() {
        return Ok(None);
    }
    let before = match &ledger.last {
        Some(last) => books::ending_at(rows, currency, last.end)?,
        None => None,
    };
    let known = Known::Before(here);
    let cut = cut(&known);
    let span = (asked.start, asked.end);
    let scope = Scope::following(rows, currency, before.as_ref(), span, known)?;
    let Measurement {
        figures,
        movements_digest,
    } = measure(rows, &scope)?;
    Ok(Some(Measured {
        follows: ledger.last.map(|last| last.statement_id),
        figures,
        assumptions: scope.period.after.assumptions,
        model: scope.period.after.model(),
        cut,
        movements_digest,
    }))
}
