//! The books of each currency: assumptions, models, and the periods that were closed.

use std::ops::ControlFlow;

use eventsourcing::{Aggregate as _, Time};
use money::Currency;
use read_model::{Error, Rows, RowsMut, Table};
use retention_domain::ledger::{
    Assumptions, Closed, Event, Ledger, Method, Model, StatementId, Valuation,
};
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use server::Known;
use uuid::Uuid;

const BOOKS: Table<String, Ledger> = Table::new("books");
const STATEMENTS: Table<(String, i64), Kept> = Table::new("statement");
const ASSUMED: Table<(String, u64), Assumed> = Table::new("assumed");
const MODELS: Table<(String, u32), Fitted> = Table::new("model");
/// Models by the request that asked for the fit: the same request again is answered with the same model.
const FITS: Table<(String, Uuid), u32> = Table::new("fit");

/// A closed period and its place in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) closed: Closed,
    pub(crate) recorded: Recorded,
}

/// Assumptions and their place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Assumed {
    assumptions: Assumptions,
    recorded: Recorded,
}

/// A model and its place in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Fitted {
    model: Model,
    recorded: Recorded,
}

/// The state of a ledger.
pub(crate) fn ledger(rows: &dyn Rows, currency: Currency) -> Result<Ledger, Error> {
    Ok(BOOKS.get(rows, &currency.to_string())?.unwrap_or_default())
}

/// The assumptions that are in force now.
pub(crate) fn in_force(rows: &dyn Rows, currency: Currency) -> Result<Assumptions, Error> {
    Ok(ledger(rows, currency)?.assumptions)
}

/// The currencies whose ledgers have a history.
pub(crate) fn currencies(rows: &dyn Rows) -> Result<Vec<Currency>, Error> {
    let found = BOOKS.scan(rows, &(), None, usize::MAX)?;
    // Only codes of currencies are ever written.
    let codes = found.into_iter().map(|(code, _)| code);
    Ok(codes.filter_map(|code| code.parse().ok()).collect())
}

/// What customers are valued with now.
pub(crate) fn valuation(rows: &dyn Rows, currency: Currency) -> Result<Valuation, Error> {
    let ledger = ledger(rows, currency)?;
    let model = asked_for(ledger.assumptions, || match ledger.usable_model {
        Some(number) => model(rows, currency, number),
        None => Ok(None),
    })?;
    Ok(Valuation::new(ledger.assumptions, model.as_ref(), currency))
}

/// What customers were valued with, by what was known.
pub(crate) fn valuation_known(
    rows: &dyn Rows,
    currency: Currency,
    known: &Known,
) -> Result<Valuation, Error> {
    let assumptions = assumed(rows, currency, known)?.unwrap_or_default();
    let model = asked_for(assumptions, || usable_model(rows, currency, known))?;
    Ok(Valuation::new(assumptions, model.as_ref(), currency))
}

/// What customers are valued with at the end of a closed period.
pub(crate) fn valuation_of(
    rows: &dyn Rows,
    currency: Currency,
    closed: &Closed,
) -> Result<Valuation, Error> {
    let model = model_of(rows, currency, closed)?;
    let valuation = Valuation::new(closed.assumptions, model.as_ref(), currency);
    Ok(valuation.under(closed.algorithm))
}

/// The model behind a statement, if there is one.
pub(crate) fn model_of(
    rows: &dyn Rows,
    currency: Currency,
    closed: &Closed,
) -> Result<Option<Model>, Error> {
    match closed.model {
        Some(number) => model(rows, currency, number),
        None => Ok(None),
    }
}

/// The model, if the method asks for one.
fn asked_for(
    assumptions: Assumptions,
    model: impl FnOnce() -> Result<Option<Model>, Error>,
) -> Result<Option<Model>, Error> {
    match assumptions.method {
        Method::Simple => Ok(None),
        Method::MbgNbd => model(),
    }
}

/// The model of this number.
pub(crate) fn model(
    rows: &dyn Rows,
    currency: Currency,
    number: u32,
) -> Result<Option<Model>, Error> {
    let fitted = MODELS.get(rows, &(currency.to_string(), number))?;
    Ok(fitted.map(|fitted| fitted.model))
}

/// The number of the model that a request came to, if it has taken effect.
pub(crate) fn fitted_by(
    rows: &dyn Rows,
    currency: Currency,
    request_id: Uuid,
) -> Result<Option<u32>, Error> {
    FITS.get(rows, &(currency.to_string(), request_id))
}

/// The last model that values may rest on, by what was known.
pub(crate) fn usable_model(
    rows: &dyn Rows,
    currency: Currency,
    known: &Known,
) -> Result<Option<Model>, Error> {
    last_of(rows, currency, known, |model| model.fitted.is_usable())
}

/// The last known model that is as it should be.
fn last_of(
    rows: &dyn Rows,
    currency: Currency,
    known: &Known,
    wanted: impl Fn(&Model) -> bool,
) -> Result<Option<Model>, Error> {
    let mut before = None;
    loop {
        let prefix = (currency.to_string(),);
        let last = MODELS.scan_rev(rows, &prefix, before.as_ref(), 1)?;
        let Some((key, fitted)) = last.into_iter().next() else {
            return Ok(None);
        };
        if known.includes(&fitted.recorded) && wanted(&fitted.model) {
            return Ok(Some(fitted.model));
        }
        before = Some(key);
    }
}

/// The last model of all, by what was known.
pub(crate) fn last_model(
    rows: &dyn Rows,
    currency: Currency,
    known: &Known,
) -> Result<Option<Model>, Error> {
    last_of(rows, currency, known, |_| true)
}

/// Models, the last one first, from the one before `before`.
pub(crate) fn models(
    rows: &dyn Rows,
    currency: Currency,
    before: Option<u32>,
    limit: usize,
) -> Result<Vec<Model>, Error> {
    let before = before.map(|number| (currency.to_string(), number));
    let found = MODELS.scan_rev(rows, &(currency.to_string(),), before.as_ref(), limit)?;
    Ok(found.into_iter().map(|(_, fitted)| fitted.model).collect())
}

/// The assumptions that had been recorded last by what was known; nothing before the first.
pub(crate) fn assumed(
    rows: &dyn Rows,
    currency: Currency,
    known: &Known,
) -> Result<Option<Assumptions>, Error> {
    let mut found = None;
    ASSUMED.visit(rows, &(currency.to_string(),), |_, assumed| {
        if known.includes(&assumed.recorded) {
            found = Some(assumed.assumptions);
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// The statement of this id.
pub(crate) fn statement(
    rows: &dyn Rows,
    currency: Currency,
    id: &StatementId,
) -> Result<Option<Closed>, Error> {
    let ledger = ledger(rows, currency)?;
    let Some((_, end)) = ledger.closed.get(id) else {
        return Ok(None);
    };
    ending_at(rows, currency, *end)
}

/// The statement whose period ended at this moment.
pub(crate) fn ending_at(
    rows: &dyn Rows,
    currency: Currency,
    end: Time,
) -> Result<Option<Closed>, Error> {
    let kept = STATEMENTS.get(rows, &(currency.to_string(), end.micros()))?;
    Ok(kept.map(|kept| kept.closed))
}

/// The last statement that had been recorded by what was known.
pub(crate) fn last(
    rows: &dyn Rows,
    currency: Currency,
    known: &Known,
) -> Result<Option<Closed>, Error> {
    let all = STATEMENTS.scan_rev(rows, &(currency.to_string(),), None, usize::MAX)?;
    let last = all
        .into_iter()
        .find(|(_, kept)| known.includes(&kept.recorded));
    Ok(last.map(|(_, kept)| kept.closed))
}

/// Statements in the order of their periods, from the first one that ends after `after`.
pub(crate) fn statements(
    rows: &dyn Rows,
    currency: Currency,
    after: Option<Time>,
    limit: usize,
) -> Result<Vec<Closed>, Error> {
    let after = after.map(|end| (currency.to_string(), end.micros()));
    let found = STATEMENTS.scan(rows, &(currency.to_string(),), after.as_ref(), limit)?;
    Ok(found.into_iter().map(|(_, kept)| kept.closed).collect())
}

/// Lets an event happen to a ledger: the one that leaves its stream at `version`, of a request.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    currency: Currency,
    event: &Event,
    (version, request_id): (u64, Uuid),
    recorded: Recorded,
) -> Result<(), Error> {
    let code = currency.to_string();
    let mut state = ledger(rows, currency)?;
    state.evolve(event);
    match event {
        Event::AssumptionsSet { assumptions, .. } => {
            let assumed = Assumed {
                assumptions: *assumptions,
                recorded,
            };
            ASSUMED.put(rows, &(code.clone(), version), &assumed)?;
        }
        Event::PeriodClosed(closed) => {
            let kept = Kept {
                closed: Closed::clone(closed),
                recorded,
            };
            STATEMENTS.put(rows, &(code.clone(), closed.end.micros()), &kept)?;
        }
        Event::ModelFitted(model) => {
            let fitted = Fitted {
                model: Model::clone(model),
                recorded,
            };
            MODELS.put(rows, &(code.clone(), model.number), &fitted)?;
            FITS.put(rows, &(code.clone(), request_id), &model.number)?;
        }
    }
    BOOKS.put(rows, &code, &state)
}
