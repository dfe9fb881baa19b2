//! `LedgerService`.

mod close;
mod fit;
mod movements;
mod preview;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use eventsourcing::{Aggregate as _, Time};
use money::Currency;
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::ledger_service_server::LedgerService;
use read_model::{Error, Rows};
use retention_domain::ledger::{Closed, Command, Model, Refusal, SetAssumptions, StatementId};
use runtime::{Answer, Failure, Stop, Work, version};
use server::{Call, Known, Page, Wrong, from_failure, reply_found};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use crate::desk::Desk;
use crate::read_model::equity::{books, bought};
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
    /// A fit takes all the processors that there are, so one runs at a time.
    fitting: Arc<Semaphore>,
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
            Some(Command::SetAssumptions(SetAssumptions { now, ..command }))
        };
        let now = self.desk.engine.clock().now();
        let answer = move |rows: &dyn Rows| ledger(rows, currency, now).map(Some);
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
        let now = self.desk.engine.clock().now();
        let read = |rows: &dyn Rows| ledger(rows, currency, now).map(Some);
        self.desk
            .read(&call, &message.min_position, &message.name, read)
            .await
    }

    async fn fit_model(
        &self,
        request: Request<proto::FitModelRequest>,
    ) -> Result<Response<proto::Model>, Status> {
        let (call, message) = server::open(request)?;
        self.fit(&call, &message).await
    }

    async fn get_model(
        &self,
        request: Request<proto::GetModelRequest>,
    ) -> Result<Response<proto::Model>, Status> {
        let (call, message) = server::open(request)?;
        self.model(&call, &message).await
    }

    async fn list_models(
        &self,
        request: Request<proto::ListModelsRequest>,
    ) -> Result<Response<proto::ListModelsResponse>, Status> {
        let (call, message) = server::open(request)?;
        self.models(&call, &message).await
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
            closed
                .map(|closed| shown(rows, currency, &closed))
                .transpose()
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
            let statements = paged.rows.iter();
            let statements = statements.map(|closed| shown(rows, currency, closed));
            Ok(Some(proto::ListStatementsResponse {
                statements: statements.collect::<Result<_, Error>>()?,
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
            fitting: Arc::new(Semaphore::new(1)),
        }
    }

    /// Executes a command on a ledger: `make` makes it, or knows that there is nothing left to do, and `answer`
    /// reads the reply.
    async fn execute<M, T>(
        &self,
        call: &Call,
        message: &M,
        currency: Currency,
        make: impl Fn(&Work<'_>) -> Option<Command> + Send + Sync + 'static,
        answer: impl Fn(&dyn Rows) -> Result<Option<T>, Error> + Send + Sync + 'static,
    ) -> Result<Result<Answer<Option<T>>, Failure<Refusal>>, Status>
    where
        M: server::Command,
        T: Send + 'static,
    {
        let stream = ledger_stream(currency)?;
        let request = server::request(call, message, stream.clone())?;
        let decide = move |work: &mut Work<'_>| -> Result<(), Stop<Refusal>> {
            let Some(command) = make(work) else {
                return Ok(());
            };
            let state = books::ledger(work.rows(), currency)?;
            for event in state.decide(command).map_err(Stop::Refused)? {
                work.conclude(&stream, wire::ledger_event::write(currency, &event))?;
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
fn ledger(rows: &dyn Rows, currency: Currency, now: Time) -> Result<proto::Ledger, Error> {
    let state = books::ledger(rows, currency)?;
    let version = version(rows, &format!("ledgers/{currency}"))?;
    let model = match state.usable_model {
        Some(number) => books::model(rows, currency, number)?,
        None => None,
    };
    let refit_due = match model {
        Some(model) => is_stale(rows, currency, &model, now)?,
        None => false,
    };
    Ok(ledger_out(currency, &state, refit_due, version))
}

/// Whether a model is stale now.
fn is_stale(rows: &dyn Rows, currency: Currency, model: &Model, now: Time) -> Result<bool, Error> {
    let purchases = bought::known(rows, currency, &Known::At(Time::from_micros(i64::MAX)))?;
    Ok(model.fitted.is_stale(now, purchases))
}

/// A closed statement, with the model behind it.
fn shown(
    rows: &dyn Rows,
    currency: Currency,
    closed: &Closed,
) -> Result<proto::EquityStatement, Error> {
    let model = books::model_of(rows, currency, closed)?;
    Ok(statement_out(currency, closed, model.as_ref()))
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
