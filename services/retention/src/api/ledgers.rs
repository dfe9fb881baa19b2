//! `LedgerService`.

mod close;
mod movements;
mod preview;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use eventsourcing::{Aggregate as _, Time};
use money::Currency;
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::ledger_service_server::LedgerService;
use read_model::{Error, Rows};
use retention_domain::ledger::{Command, Refusal, SetAssumptions, StatementId};
use runtime::{Answer, Failure, Stop, Work, version};
use server::{Call, Page, Wrong, from_failure, reply_found};
use tonic::{Request, Response, Status};

use crate::desk::Desk;
use crate::read_model::equity::books;
use crate::service::ledger_stream;
use crate::wire;
use crate::wire::ledger::{ledger_name, ledger_out, optional_method, rate, statement_out};
use crate::wire::small;

/// `LedgerService`.
#[derive(Debug, Clone)]
pub(crate) struct Ledgers {
    desk: Desk,
    /// Statements that were measured again since the start, and came out the same.
    verified: Arc<Mutex<BTreeSet<StatementKey>>>,
}

/// A statement among those of all ledgers.
type StatementKey = (Currency, StatementId);

#[tonic::async_trait]
impl LedgerService for Ledgers {
    async fn set_assumptions(
        &self,
        request: Request<proto::SetAssumptionsRequest>,
    ) -> Result<Response<proto::Ledger>, Status> {
        let (call, message) = server::open(request)?;
        let currency = ledger_name("name", &message.name)?;
        let command = assumptions(&message)?;
        let make = move |work: &Work<'_>| {
            let now = work.now();
            Command::SetAssumptions(SetAssumptions { now, ..command })
        };
        let answer = move |rows: &dyn Rows| ledger(rows, currency).map(Some);
        answered(
            self.execute(&call, &message, currency, make, answer)
                .await?,
        )
    }

    async fn get_ledger(
        &self,
        request: Request<proto::GetLedgerRequest>,
    ) -> Result<Response<proto::Ledger>, Status> {
        let (call, message) = server::open(request)?;
        let currency = ledger_name("name", &message.name)?;
        let read = |rows: &dyn Rows| ledger(rows, currency).map(Some);
        self.desk
            .read(&call, &message.min_position, &message.name, read)
            .await
    }

    async fn close_period(
        &self,
        request: Request<proto::ClosePeriodRequest>,
    ) -> Result<Response<proto::EquityStatement>, Status> {
        let (call, message) = server::open(request)?;
        self.close(&call, &message).await
    }

    async fn get_equity_statement(
        &self,
        request: Request<proto::GetEquityStatementRequest>,
    ) -> Result<Response<proto::EquityStatement>, Status> {
        let (call, message) = server::open(request)?;
        if !message.name.contains("/statements/") {
            return self.preview(&call, &message).await;
        }
        let (currency, id) = wire::ledger::statement_name("name", &message.name)?;
        if message.as_of.is_some() || message.start.is_some() {
            let what =
                "is for a preview, whose name is the ledger's; a closed statement has its period";
            return Err(server::invalid("as_of", what));
        }
        let read = |rows: &dyn Rows| {
            let closed = books::statement(rows, currency, &id)?;
            Ok(closed.map(|closed| statement_out(currency, &closed)))
        };
        self.desk
            .read(&call, &message.min_position, &message.name, read)
            .await
    }

    async fn list_statements(
        &self,
        request: Request<proto::ListStatementsRequest>,
    ) -> Result<Response<proto::ListStatementsResponse>, Status> {
        let (call, message) = server::open(request)?;
        let currency = ledger_name("parent", &message.parent)?;
        let asked = ["statements", &message.parent];
        let page = Page::parse(message.page_size, &message.page_token, &asked)?;
        let after = page
            .after_text()?
            .map(|micros| moment(&micros))
            .transpose()?;
        let read = |rows: &dyn Rows| {
            let found = books::statements(rows, currency, after, page.wanted())?;
            let key = |end: Time| end.micros().to_string().into_bytes();
            let paged = page.cut(found, |closed| key(closed.end));
            let rows = paged.rows.iter();
            Ok(Some(proto::ListStatementsResponse {
                statements: rows.map(|closed| statement_out(currency, closed)).collect(),
                next_page_token: paged.next_page_token,
            }))
        };
        self.desk
            .read(&call, &message.min_position, &message.parent, read)
            .await
    }

    async fn list_equity_movements(
        &self,
        request: Request<proto::ListEquityMovementsRequest>,
    ) -> Result<Response<proto::ListEquityMovementsResponse>, Status> {
        let (call, message) = server::open(request)?;
        self.movements(&call, &message).await
    }
}

impl Ledgers {
    pub(crate) fn new(desk: Desk) -> Self {
        Self {
            desk,
            verified: Arc::default(),
        }
    }

    /// Executes a command on a ledger: `make` makes it, `answer` reads the reply.
    async fn execute<M, T>(
        &self,
        call: &Call,
        message: &M,
        currency: Currency,
        make: impl Fn(&Work<'_>) -> Command + Send + Sync + 'static,
        answer: impl Fn(&dyn Rows) -> Result<Option<T>, Error> + Send + Sync + 'static,
    ) -> Result<Result<Answer<Option<T>>, Failure<Refusal>>, Status>
    where
        M: server::Command,
        T: Send + 'static,
    {
        let stream = ledger_stream(currency)?;
        let request = server::request(call, message, stream.clone())?;
        let decide = move |work: &mut Work<'_>| -> Result<(), Stop<Refusal>> {
            let command = make(work);
            let state = books::ledger(work.rows(), currency)?;
            for event in state.decide(command).map_err(Stop::Refused)? {
                work.emit(&stream, wire::ledger_event::write(currency, &event))?;
            }
            Ok(())
        };
        Ok(self.desk.engine.execute(request, decide, answer).await)
    }
}

/// The reply to a command on a ledger.
fn answered<T>(
    outcome: Result<Answer<Option<T>>, Failure<Refusal>>,
) -> Result<Response<T>, Status> {
    reply_found(outcome.map_err(|failure| from_failure(&failure))?)
}

/// A fault of this instance, as a status.
fn fault(what: &dyn std::fmt::Display) -> Status {
    from_failure(&Failure::<Refusal>::Internal(what.to_string()))
}

/// A ledger as it is now. Every currency has one.
fn ledger(rows: &dyn Rows, currency: Currency) -> Result<proto::Ledger, Error> {
    let state = books::ledger(rows, currency)?;
    let version = version(rows, &format!("ledgers/{currency}"))?;
    Ok(ledger_out(currency, &state, version))
}

/// The command that sets assumptions, but for its moment.
fn assumptions(message: &proto::SetAssumptionsRequest) -> Result<SetAssumptions, Wrong> {
    let share = |field, value: Option<f64>| value.map(|value| rate(field, value)).transpose();
    let number = |field, value: Option<i32>| value.map(|value| small(field, value)).transpose();
    Ok(SetAssumptions {
        method: optional_method("method", message.method)?,
        annual_discount_rate: share("annual_discount_rate", message.annual_discount_rate)?,
        annual_retention_rate: share("annual_retention_rate", message.annual_retention_rate)?,
        default_margin_rate: share("default_margin_rate", message.default_margin_rate)?,
        horizon_months: number("horizon_months", message.horizon_months)?,
        inactivity_days: number("inactivity_days", message.inactivity_days)?,
        now: Time::EPOCH,
    })
}

/// The moment in a page token.
fn moment(micros: &str) -> Result<Time, Status> {
    let micros = micros.parse().map(Time::from_micros);
    micros.map_err(|_| server::invalid("page_token", "is not a token of an earlier page"))
}
