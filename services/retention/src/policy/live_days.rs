//! R5: a day has come, so notices take effect, promises are overdue, silence ends, and risks are assessed.

use eventsourcing::{Aggregate as _, Days};
use journal::{InvalidStream, StreamId};
use money::Currency;
use read_model::{Error, Rows};
use retention_domain::Command;
use retention_domain::day::LiveDay;
use runtime::{ApplyError, Daily, Tick, Todo, Work};
use server::parse;
use uuid::Uuid;

use crate::read_model::customers;
use crate::read_model::days::{self, Concerned, Day};
use crate::service::{Retention, customer_stream};
use crate::settings::Settings;
use crate::wire;

/// R5.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LiveDays {
    pub(crate) settings: Settings,
}

impl LiveDays {
    /// How long a customer of this currency may be silent; without an answer, for ever.
    fn inactivity(self, _: &dyn Rows, _: Currency) -> Option<Days> {
        self.settings.inactivity_days
    }

    /// The command of a day for one customer. No model says yet how likely it is alive.
    fn command(self, rows: &dyn Rows, currency: Currency, tick: Tick, request_id: Uuid) -> Command {
        Command::LiveDay(LiveDay {
            request_id,
            midnight: tick.midnight(),
            inactivity: self.inactivity(rows, currency),
            p_alive: None,
        })
    }
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
        let day = Day {
            partition: tick.partition,
            midnight: tick.midnight(),
            inactivity: &|currency| self.inactivity(rows, currency),
            concerns: &|id, state| {
                let currency = state.relationship.as_ref().map(|known| known.currency);
                currency.is_some_and(|currency| {
                    let command = self.command(rows, currency, tick, id);
                    state.decide(command).is_ok_and(|events| !events.is_empty())
                })
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
        let currency = relationship.currency;
        let command = self.command(work.rows(), currency, tick, tick.request_id(todo));
        // A refusal is an answer too: the day brings nothing.
        for event in state.decide(command).unwrap_or_default() {
            work.emit(&stream, wire::event::write(id, &event))?;
        }
        Ok(())
    }
}
