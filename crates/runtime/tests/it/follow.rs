//! What follows in the toy service: by a policy when a tally was flagged, and every day.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use journal::{InvalidStream, StreamId};
use read_model::{Error, Rows};
use runtime::{ApplyError, Daily, Engine, Policy, Request, Stop, Tick, Todo, Work};
use uuid::Uuid;

use crate::tally::{AGES, Command, ECHOES_DUE, Happened, Pair, Refusal, Tallies, tally_stream};

/// Whenever a tally was flagged it says so once more: "when A then B" at its smallest.
#[derive(Debug)]
pub(crate) struct Echo;

impl Policy<Tallies> for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn due(&self, rows: &dyn Rows, limit: usize) -> Result<Vec<Todo>, Error> {
        let due = ECHOES_DUE.scan(rows, &(), None, limit)?;
        let name = |((key, flag), ()): ((String, u64), ())| Todo(format!("{key}/{flag}"));
        Ok(due.into_iter().map(name).collect())
    }

    fn perform(
        &self,
        engine: Arc<Engine<Tallies>>,
        todo: Todo,
    ) -> BoxFuture<'static, Result<(), String>> {
        async move {
            let (key, flag) = todo.0.split_once('/').ok_or("no such thing to do")?;
            let flag: u64 = flag.parse().map_err(|_| "no such thing to do")?;
            let stream = tally_stream(key);
            let pair = Pair {
                key: key.to_owned(),
                partner: key.to_owned(),
            };
            let request_id = Uuid::new_v5(&Uuid::NAMESPACE_OID, todo.0.as_bytes());
            let request = Request {
                fingerprint: [7; 16],
                ..Command::Flag.request(&pair, request_id)
            };
            let decide = move |work: &mut Work<'_>| -> Result<(), Stop<Refusal>> {
                work.emit(&stream, Happened::Echoed(flag).event())
                    .map_err(Stop::from)
            };
            let done = engine.execute(request, decide, |_| Ok(())).await;
            done.map(|_| ()).map_err(|failure| format!("{failure:?}"))
        }
        .boxed()
    }
}

/// Whether no policy has anything to do.
pub(crate) fn is_idle(store: &read_model::Store) -> Result<bool, Error> {
    store.read(|rows| Ok(ECHOES_DUE.scan(rows, &(), None, 1)?.is_empty()))
}

/// Every tally lives through every day.
#[derive(Debug)]
pub(crate) struct Aging;

impl Daily<Tallies> for Aging {
    fn name(&self) -> &'static str {
        "aging"
    }

    fn due(
        &self,
        rows: &dyn Rows,
        tick: Tick,
        after: Option<&Todo>,
        limit: usize,
    ) -> Result<Vec<Todo>, Error> {
        let after = after.map(|todo| (tick.partition, todo.0.clone()));
        let ages = AGES.scan(rows, &(tick.partition,), after.as_ref(), usize::MAX)?;
        let due = ages.into_iter().filter(|(_, age)| *age < tick.day);
        Ok(due.take(limit).map(|((_, key), _)| Todo(key)).collect())
    }

    fn stream(&self, todo: &Todo) -> Result<StreamId, InvalidStream> {
        Ok(tally_stream(&todo.0))
    }

    fn perform(&self, work: &mut Work<'_>, tick: Tick, todo: &Todo) -> Result<(), ApplyError> {
        let age = AGES.get(work.rows(), &(tick.partition, todo.0.clone()))?;
        if age.is_some_and(|age| age < tick.day) {
            let aged = Happened::Aged(tick.day);
            work.emit(&tally_stream(&todo.0), aged.event())?;
        }
        Ok(())
    }
}
