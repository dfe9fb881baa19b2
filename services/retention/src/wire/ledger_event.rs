//! The events of ledgers as the journal holds them, for ever.

use money::Currency;
use patron_proto::retention::v1 as proto;
use prost::{Message, Name};
use retention_domain::ledger::{Closed, Event, Figures, Model};
use server::{Wrong, parse, present, timestamp};

use super::ledger::{
    assumptions, assumptions_out, counts, counts_out, ledger_name, lines, lines_out, memo, memo_out,
};
use super::model::{fit, fit_out, optional_name, read_name};
use super::{small, small_out, time};

#[cfg(test)]
mod tests;

/// The package of the events.
const PACKAGE: &str = "patron.retention.v1.";
/// The schema of every event that this release writes.
const SCHEMA: u32 = 1;

/// What happened to a ledger, as the journal holds it.
pub(crate) fn write(currency: Currency, event: &Event) -> journal::Event {
    let ledger = format!("ledgers/{currency}");
    match event {
        Event::AssumptionsSet {
            assumptions,
            set_at,
        } => public(&proto::AssumptionsSet {
            ledger,
            occurred_at: Some(timestamp(*set_at)),
            assumptions: Some(assumptions_out(assumptions)),
        }),
        Event::PeriodClosed(closed) => public(&closed_out(ledger, currency, closed)),
        Event::ModelFitted(model) => public(&proto::ModelFitted {
            ledger,
            occurred_at: Some(timestamp(model.fitted_at)),
            number: small_out(model.number),
            fit: Some(fit_out(model)),
        }),
    }
}

/// Reads what happened to this ledger.
///
/// # Errors
/// If this release does not know the kind or schema, or a part is missing, ill-formed or of another ledger.
pub(crate) fn read(currency: Currency, event: &journal::Event) -> Result<Event, Wrong> {
    let kind = event.kind.strip_prefix(PACKAGE).unwrap_or_default();
    match (kind, event.schema) {
        ("AssumptionsSet", SCHEMA) => assumptions_set(currency, &message(event)?),
        ("PeriodClosed", SCHEMA) => closed(currency, &message(event)?),
        ("ModelFitted", SCHEMA) => model_fitted(currency, &message(event)?),
        _ => {
            let what = format!("schema {} is unknown to this release", event.schema);
            Err(Wrong::new(&event.kind, what))
        }
    }
}

fn public<M: Message + Name>(message: &M) -> journal::Event {
    journal::Event {
        kind: M::full_name(),
        schema: SCHEMA,
        public: true,
        payload: message.encode_to_vec().into(),
    }
}

fn message<M: Message + Default>(event: &journal::Event) -> Result<M, Wrong> {
    M::decode(event.payload.clone()).map_err(|error| Wrong::new(&event.kind, error))
}

/// The event must name the ledger in whose stream it stands.
fn same(currency: Currency, name: &str) -> Result<(), Wrong> {
    if ledger_name("ledger", name)? == currency {
        Ok(())
    } else {
        Err(Wrong::new("ledger", "is another one than the stream's"))
    }
}

fn assumptions_set(currency: Currency, read: &proto::AssumptionsSet) -> Result<Event, Wrong> {
    same(currency, &read.ledger)?;
    Ok(Event::AssumptionsSet {
        assumptions: assumptions("assumptions", read.assumptions.as_ref())?,
        set_at: time("occurred_at", read.occurred_at.as_ref())?,
    })
}

fn closed_out(ledger: String, currency: Currency, closed: &Closed) -> proto::PeriodClosed {
    let figures = &closed.figures;
    proto::PeriodClosed {
        ledger,
        occurred_at: Some(timestamp(closed.closed_at)),
        statement_id: closed.statement_id.to_string(),
        start: Some(timestamp(closed.start)),
        end: Some(timestamp(closed.end)),
        counts: Some(counts_out(&figures.counts)),
        lines: Some(lines_out(currency, &figures.lines)),
        memo: Some(memo_out(currency, &figures.memo)),
        assumptions: Some(assumptions_out(&closed.assumptions)),
        cut: closed.cut.clone(),
        algorithm: closed.algorithm,
        movements_digest: closed.movements_digest.to_vec(),
        model: optional_name(currency, closed.model),
    }
}

fn model_fitted(currency: Currency, read: &proto::ModelFitted) -> Result<Event, Wrong> {
    same(currency, &read.ledger)?;
    let (fitted, algorithm) = fit(read.fit.as_ref())?;
    Ok(Event::ModelFitted(Box::new(Model {
        number: small("number", read.number)?,
        fitted_at: time("occurred_at", read.occurred_at.as_ref())?,
        algorithm,
        fitted,
    })))
}

/// The number of a model of this ledger, if one is named.
fn model_of(currency: Currency, name: &str) -> Result<Option<u32>, Wrong> {
    if name.is_empty() {
        return Ok(None);
    }
    let (of, number) = read_name("model", name)?;
    if of == currency {
        Ok(Some(number))
    } else {
        Err(Wrong::new(
            "model",
            "is of another ledger than the stream's",
        ))
    }
}

fn closed(currency: Currency, read: &proto::PeriodClosed) -> Result<Event, Wrong> {
    same(currency, &read.ledger)?;
    let digest = read.movements_digest.as_slice().try_into();
    Ok(Event::PeriodClosed(Box::new(Closed {
        statement_id: parse("statement_id", &read.statement_id)?,
        closed_at: time("occurred_at", read.occurred_at.as_ref())?,
        start: time("start", read.start.as_ref())?,
        end: time("end", read.end.as_ref())?,
        figures: Figures {
            counts: counts(present("counts", read.counts.as_ref())?),
            lines: lines(currency, present("lines", read.lines.as_ref())?)?,
            memo: memo(currency, present("memo", read.memo.as_ref())?)?,
        },
        assumptions: assumptions("assumptions", read.assumptions.as_ref())?,
        model: model_of(currency, &read.model)?,
        cut: read.cut.clone(),
        algorithm: read.algorithm,
        movements_digest: digest
            .map_err(|_| Wrong::new("movements_digest", "is not 32 bytes long"))?,
    })))
}
