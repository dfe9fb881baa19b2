//! A preview of the period that is open: the statement that would be closed, if it ended at that moment.

use eventsourcing::Time;
use patron_proto::retention::v1 as proto;
use read_model::Rows;
use server::{Call, Known, Moment, from_timestamp, invalid, min_position, reply_at, unavailable};
use tonic::{Response, Status};

use super::{Ledgers, fault};
use crate::read_model::equity::books;
use crate::read_model::equity::measure::{Scope, Unmeasured, cut, measure};
use crate::wire::ledger::{Measurement, ledger_name, measured_out};

/// Before anything happened.
const BEGINNING: Time = Time::from_micros(i64::MIN);

impl Ledgers {
    pub(super) async fn preview(
        &self,
        call: &Call,
        message: &proto::GetEquityStatementRequest,
    ) -> Result<Response<proto::EquityStatement>, Status> {
        let currency = ledger_name("name", &message.name)?;
        let engine = &self.desk.engine;
        let position = min_position(&message.min_position)?;
        let waited = engine.read(position.as_ref(), call.deadline, |_| ()).await;
        waited.map_err(|why| server::unread(&why))?;
        let Moment { as_of, known } = server::moment(engine, call, server::asked!(message)).await?;
        let start = message.start.as_ref().map(from_timestamp);
        let store = engine.store().clone();
        let measuring = tokio::task::spawn_blocking(move || {
            store.read(|rows| preview(rows, currency, start, as_of, &known))
        });
        let shown = measuring.await.map_err(|error| fault(&error))??;
        Ok(reply_at(shown, &engine.position()))
    }
}

fn preview(
    rows: &dyn Rows,
    currency: money::Currency,
    start: Option<Time>,
    as_of: Time,
    known: &Known,
) -> Result<proto::EquityStatement, No> {
    let before = books::last(rows, currency, known)?;
    // A period ends before its end, and what happened at this very moment is part of a preview.
    let end = Time::from_micros(as_of.micros().saturating_add(1));
    let start = match (&before, start) {
        (Some(before), Some(start)) if start != before.end => {
            let what = format!(
                "is not where the last period ended: leave it out, or give {}",
                before.end
            );
            return Err(No(invalid("start", &what)));
        }
        (Some(before), _) => Some(before.end),
        (None, start) => start,
    };
    if start.is_some_and(|start| end <= start) {
        let what = "is not within the open period: ask for a closed statement by its name";
        return Err(No(invalid("as_of", what)));
    }
    let span = (start.unwrap_or(BEGINNING), end);
    let scope = Scope::following(rows, currency, before.as_ref(), span, known.clone())?;
    let measured = measure(rows, &scope)?;
    let model = match scope.period.after.model() {
        Some(number) => books::model(rows, currency, number)?,
        None => None,
    };
    Ok(proto::EquityStatement {
        known_at_position: known.token(),
        ..measured_out(&Measurement {
            currency,
            start,
            end,
            figures: &measured.figures,
            assumptions: &scope.period.after.assumptions,
            cut: cut(known),
            digest: &measured.movements_digest,
            model: model.as_ref(),
        })
    })
}

/// Why there is no preview.
struct No(Status);

impl From<No> for Status {
    fn from(no: No) -> Self {
        no.0
    }
}

impl From<read_model::Error> for No {
    fn from(error: read_model::Error) -> Self {
        Self(unavailable(&error.to_string()))
    }
}

impl From<Unmeasured> for No {
    fn from(why: Unmeasured) -> Self {
        Self(fault(&why))
    }
}
