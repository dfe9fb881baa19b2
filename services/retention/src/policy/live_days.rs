//! R5: a day has come, so notices take effect, promises are overdue, silence ends, and risks are assessed.

use std::collections::BTreeMap;

use eventsourcing::{Aggregate as _, Days, Time};
use journal::{InvalidStream, StreamId};
use money::{Currency, Rate};
use read_model::{Error, Rows};
use retention_domain::Command;
use retention_domain::day::LiveDay;
use retention_domain::ledger::statement::Standing;
use runtime::{ApplyError, Daily, Tick, Todo, Work};
use server::parse;
use uuid::Uuid;

use crate::read_model::customers;
use crate::read_model::days::{self, Concerned, Day};
use crate::read_model::equity::{books, facts};
use crate::read_model::worth::Worth;
use crate::service::{Retention, customer_stream};
use crate::wire;

/// R5.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LiveDays;

/// What a day is lived by: how long customers may be silent, as the ledger of their currency says, and what
/// models say of them.
struct Terms {
    silence: BTreeMap<Currency, Option<Days>>,
    worth: Worth,
}

impl Terms {
    fn in_force(rows: &dyn Rows) -> Result<Self, Error> {
        let mut silence = BTreeMap::new();
        for currency in books::currencies(rows)? {
            let assumptions = books::in_force(rows, currency)?;
            silence.insert(currency, assumptions.inactivity_days.map(Days));
        }
        Ok(Self {
            silence,
            worth: Worth::in_force(rows)?,
        })
    }

    /// Of customers of this currency; without an answer, for ever.
    fn silence(&self, currency: Currency) -> Option<Days> {
        self.silence.get(&currency).copied().flatten()
    }

    /// After which silence a customer must be looked at. Where a model is used, every day of it counts.
    fn looked_at_after(&self, currency: Currency) -> Option<Days> {
        if self.worth.is_by_model(currency) {
            return Some(Days(0));
        }
        self.silence(currency)
    }

    /// The chance that a customer still is one, as the last model says; nothing by SIMPLE.
    fn p_alive(
        &self,
        rows: &dyn Rows,
        who: (Currency, Uuid),
        midnight: Time,
    ) -> Result<Option<Rate>, Error> {
        let Some(valuation) = self.worth.model(who.0) else {
            return Ok(None);
        };
        let standing = Standing::at(midnight).for_valuation(valuation);
        let standing = facts::standing(rows, who, standing, |kept| kept.fact.at <= midnight)?;
        Ok(valuation.p_alive(&standing).and_then(share))
    }

    /// The command of a day for one customer.
    fn command(
        &self,
        rows: &dyn Rows,
        who: (Currency, Uuid),
        tick: Tick,
        request_id: Uuid,
    ) -> Result<Command, Error> {
        let midnight = tick.midnight();
        Ok(Command::LiveDay(LiveDay {
            request_id,
            midnight,
            inactivity: self.silence(who.0),
            p_alive: self.p_alive(rows, who, midnight)?,
        }))
    }
}

/// A chance as a decimal that events can hold.
fn share(chance: f64) -> Option<Rate> {
    Rate::from_f64((chance * 1e12).round() / 1e12)
}

impl Daily<Retention> for LiveDays {
    fn name(&self) -> &'static str {
        "live-days"
    }

    fn due(
        &self,
        rows: &dyn Rows,
        tick: Tick,
        after: Option<&Todo>,
        limit: usize,
    ) -> Result<Vec<Todo>, Error> {
        // What is behind the last one is asked for with a key that was given out here.
        let after = after.and_then(|todo| todo.0.parse::<Concerned>().ok());
        let terms = Terms::in_force(rows)?;
        let day = Day {
            partition: tick.partition,
            midnight: tick.midnight(),
            inactivity: &|currency| terms.looked_at_after(currency),
            by_model: &|currency| terms.worth.is_by_model(currency),
            concerns: &|id, state| {
                let Some(relationship) = &state.relationship else {
                    return Ok(false);
                };
                let who = (relationship.currency, id);
                let command = terms.command(rows, who, tick, id)?;
                Ok(state.decide(command).is_ok_and(|events| !events.is_empty()))
            },
        };
        let concerned = days::concerned(rows, &day, after, limit)?.into_iter();
        Ok(concerned.map(|entry| Todo(entry.to_string())).collect())
    }

    fn stream(&self, todo: &Todo) -> Result<StreamId, InvalidStream> {
        let customer = todo.0.rsplit('/').next().unwrap_or_default();
        StreamId::new(format!("customers/{customer}"))
    }

    fn perform(&self, work: &mut Work<'_>, tick: Tick, todo: &Todo) -> Result<(), ApplyError> {
        let concerned: Concerned = parse("todo", &todo.0)?;
        let id = concerned.customer();
        let stream = customer_stream(id)?;
        let state = customers::load(work.rows(), id, &[])?;
        let Some(relationship) = &state.relationship else {
            return Ok(());
        };
        let who = (relationship.currency, id);
        let terms = Terms::in_force(work.rows())?;
        let command = terms.command(work.rows(), who, tick, tick.request_id(todo))?;
        // A refusal is an answer too: the day brings nothing.
        for event in state.decide(command).unwrap_or_default() {
            work.emit(&stream, wire::event::write(id, &event))?;
        }
        Ok(())
    }
}
