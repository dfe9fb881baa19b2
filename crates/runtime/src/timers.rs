//! The daily tick: what must follow when a day has come is done, and done once however many instances run.
//!
//! ```text
//!   a partition of the journal, in order          its recorded time
//!   TickBegun 2026-03-01 by A                      2026-03-01 00:00:00.2    the day has come
//!   the commands of the items that are due         …                        in any order
//!   TickDone 2026-03-01                            …                        after all of them
//! ```
//! Every partition has its ticks to itself: the stream `tick/<date>/~<partition>`, in the order of the dates,
//! from the day after the [`Daily`] was activated there. After a time in which nobody ran, the days follow
//! each other without a pause.
//!
//! **When a day has come.** Two clocks have to have reached its 00:00 UTC. The instance's own says when to
//! try, and can be set by hand. The recorded time of the partition decides: the latest time that the log gave
//! to a record, which is part of the history and the same for every replica. On Kafka that is the brokers'
//! clock (`LogAppendTime`), with the embedded log and the one in memory the clock that they were given, in the
//! simulator its own clock less some jitter. A quiet partition has no recent record, so a tick begins with
//! one of its own, `TickBegun`: if the log dates it before the day, the instance's clock is ahead, and it
//! tries again later. So whoever works on a tick has read all that was recorded before its day, and what is
//! due by that is complete.
//!
//! **Why once.** An item's command has a request id made of date and item, so a repeat is recognised; and it
//! rests on the tick's stream, so that it stands before `TickDone` or not at all, also when it was
//! decided by an instance that slept for weeks. An instance that dies half-way leaves a tick without
//! `TickDone`: another one, which has waited for a while, does what is still due. Two at work at the same
//! moment are only a waste, so an instance that sees another one's `TickBegun` waits that long.

mod start;
mod tick;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use journal::{InvalidStream, Partition, StreamId};
use read_model::Rows;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use tick::Tick;

use crate::mutant::Mutant;
use crate::rows::{ACTIVATIONS, TICKS};
use crate::turns::AT_ONCE;
use crate::{ApplyError, Engine, Failure, Request, Service, Stop, Todo, Work, activation, marks};

/// What must follow when a day has come.
pub trait Daily<S: Service>: Debug + Send + Sync + 'static {
    /// Its name, for the log and for its activation. A service has one of these at most.
    fn name(&self) -> &'static str;

    /// What is due on the day of the tick in its partition, in order, behind `after`, at most `limit` items.
    ///
    /// It is asked again when an instance died or an item failed, so what was done must be due no longer.
    /// Whatever becomes due while the tick is under way may be left to the next one.
    fn due(
        &self,
        rows: &dyn Rows,
        tick: Tick,
        after: Option<&Todo>,
        limit: usize,
    ) -> Result<Vec<Todo>, read_model::Error>;

    /// The stream that an item's command addresses. It lies in the partition of the tick.
    fn stream(&self, todo: &Todo) -> Result<StreamId, InvalidStream>;

    /// Decides what happens to one item. It may be due no longer; then nothing happens, and that is no error.
    /// An error is tried again, and the tick is not done before it has succeeded.
    fn perform(&self, work: &mut Work<'_>, tick: Tick, todo: &Todo) -> Result<(), ApplyError>;
}

const PAGE: usize = 256;
/// How often a clock that may be set by hand is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// When the log's clock is behind, its records are dated anew at least this often.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The ticks of one partition, as one instance works on them.
#[derive(Debug)]
pub(crate) struct Timer<S: Service> {
    pub(crate) engine: Arc<Engine<S>>,
    pub(crate) daily: Arc<dyn Daily<S>>,
    pub(crate) partition: Partition,
    /// This life of this instance.
    pub(crate) instance: Uuid,
}

/// Why a tick is not done yet.
#[derive(Debug, thiserror::Error)]
enum NotDone {
    /// By the log's time the day comes only after this.
    #[error("the clock of the log is {0:?} behind")]
    LogBehind(Duration),
    #[error("{0}")]
    Failed(String),
    #[error(transparent)]
    Store(#[from] read_model::Error),
}

/// Nothing is left to be done: another instance was faster.
#[derive(Debug, Clone, Copy)]
struct Over;

impl<S: Service> Timer<S> {
    /// Lives through one day after the other until it is stopped.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), read_model::Error> {
        let (name, here) = (self.daily.name(), [self.partition]);
        if !activation::activate(&self.engine, name, &here, &stop).await? {
            return Ok(());
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => Ok(()),
            ended = self.live() => ended,
        }
    }

    async fn live(&self) -> Result<(), read_model::Error> {
        let mut pause = FIRST_PAUSE;
        loop {
            let tick = self.engine.store().read(|rows| self.next(rows))?;
            self.reach(tick).await;
            let moved = self.engine.clock_moves();
            let wait = match self.tick(tick).await {
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    continue;
                }
                Err(NotDone::Store(error)) => return Err(error),
                Err(NotDone::LogBehind(by)) => by.min(LONGEST_WAIT),
                Err(error @ NotDone::Failed(_)) => {
                    tracing::warn!(daily = self.daily.name(), %tick, %error, "not done yet, trying again");
                    let wait = pause;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    wait
                }
            };
            tokio::select! {
                biased;
                () = moved => {}
                () = sleep(wait) => {}
            }
        }
    }

    /// The first tick that is not done.
    fn next(&self, rows: &dyn Rows) -> Result<Tick, read_model::Error> {
        let key = (self.daily.name().to_owned(), self.partition);
        let activated = ACTIVATIONS.get(rows, &key)?.map(|row| row.day);
        let done = TICKS.get(rows, &self.partition)?.and_then(|row| row.done);
        // It is activated before its first tick, so there is a day.
        let last = done.max(activated).unwrap_or(i64::MAX - 1);
        Ok(Tick {
            day: last + 1,
            partition: self.partition,
        })
    }

    /// Waits until this instance's clock has reached the day.
    async fn reach(&self, tick: Tick) {
        loop {
            let moved = self.engine.clock_moves();
            let missing = tick.missing(self.engine.clock().now());
            if missing.is_zero() {
                return;
            }
            tokio::select! {
                biased;
                () = moved => {}
                () = sleep(missing.min(LOOK)) => {}
            }
        }
    }

    async fn tick(&self, tick: Tick) -> Result<(), NotDone> {
        self.begin(tick).await?;
        let (row, recorded) = self.engine.store().read(|rows| {
            Ok::<_, read_model::Error>((
                TICKS.get(rows, &self.partition)?,
                tick::recorded(rows, self.partition)?,
            ))
        })?;
        let behind = tick.missing(recorded);
        if !behind.is_zero() && !Mutant::TickByOwnClock.is() {
            return Err(NotDone::LogBehind(behind));
        }
        if row.is_some_and(|row| row.begun == tick.day && row.by != self.instance) {
            self.leave_it_to_another(tick).await?;
        }
        if Mutant::TickDoneFirst.is() {
            self.finish(tick).await?;
        }
        self.perform_all(tick).await?;
        self.finish(tick).await
    }

    /// Writes that the tick begins, unless it has begun. The log gives that record its time.
    async fn begin(&self, tick: Tick) -> Result<(), NotDone> {
        let stream = tick.stream().map_err(failed)?;
        let request = self.request(stream.clone(), self.engine.new_id());
        let instance = self.instance;
        let decide = move |work: &mut Work<'_>| -> Result<(), Stop<Over>> {
            work.version(&stream)?;
            let row = TICKS.get(work.rows(), &tick.partition)?;
            let begun = row.is_some_and(|row| row.begun == tick.day);
            if tick.is_done(work.rows())? || (begun && tick.has_come(work.rows())?) {
                return Err(Stop::Refused(Over));
            }
            work.emit(&stream, marks::tick_begun(tick.day, instance))
                .map_err(Stop::from)
        };
        self.execute(request, decide).await
    }

    /// Somebody else has begun: waits for a while whether the tick gets done.
    async fn leave_it_to_another(&self, tick: Tick) -> Result<(), NotDone> {
        let done = async {
            loop {
                let changed = self.engine.progress().changed();
                if self.engine.store().read(|rows| tick.is_done(rows))? {
                    return Ok(());
                }
                changed.await;
            }
        };
        match timeout(self.engine.options().tick_patience, done).await {
            Ok(done) => done,
            Err(_) => Ok(()),
        }
    }

    async fn perform_all(&self, tick: Tick) -> Result<(), NotDone> {
        let mut after = None;
        let mut failures = Vec::new();
        loop {
            let due = self
                .engine
                .store()
                .read(|rows| self.daily.due(rows, tick, after.as_ref(), PAGE))?;
            let Some(last) = due.last().cloned() else {
                break;
            };
            after = Some(last);
            let outcomes = stream::iter(due).map(|todo| self.perform(tick, todo));
            let mut outcomes = outcomes.buffer_unordered(AT_ONCE);
            while let Some(outcome) = outcomes.next().await {
                failures.extend(outcome.err());
            }
            if self.engine.store().read(|rows| tick.is_done(rows))? {
                return Ok(());
            }
        }
        match failures.into_iter().next() {
            None => Ok(()),
            Some(first) => Err(first),
        }
    }

    async fn perform(&self, tick: Tick, todo: Todo) -> Result<(), NotDone> {
        let root = self.daily.stream(&todo).map_err(failed)?;
        let request = self.request(root, tick.request_id(&todo));
        let daily = Arc::clone(&self.daily);
        let decide = move |work: &mut Work<'_>| -> Result<(), Stop<Over>> {
            goes_on(work, tick)?;
            daily.perform(work, tick, &todo).map_err(Stop::from)
        };
        self.execute(request, decide).await
    }

    async fn finish(&self, tick: Tick) -> Result<(), NotDone> {
        let stream = tick.stream().map_err(failed)?;
        let request = self.request(stream.clone(), tick.request_id(&Todo(String::new())));
        let decide = move |work: &mut Work<'_>| -> Result<(), Stop<Over>> {
            goes_on(work, tick)?;
            work.emit(&stream, marks::tick_done(tick.day))
                .map_err(Stop::from)
        };
        self.execute(request, decide).await
    }

    fn request(&self, root: StreamId, request_id: Uuid) -> Request {
        Request {
            root,
            request_id,
            fingerprint: *tick::NAMESPACE.as_bytes(),
            etag: None,
            validate_only: false,
            actor: format!("policy/{}", self.daily.name()),
            trace_context: String::new(),
            deadline: None,
        }
    }

    /// Executes a command of a tick. That another instance was faster is as good.
    async fn execute(
        &self,
        request: Request,
        decide: impl Fn(&mut Work<'_>) -> Result<(), Stop<Over>> + Send + Sync + 'static,
    ) -> Result<(), NotDone> {
        match self.engine.execute(request, decide, |_| Ok(())).await {
            Ok(_) | Err(Failure::Refused(Over)) => Ok(()),
            Err(failure) => Err(failed(format!("{failure:?}"))),
        }
    }
}

/// Lets a decision rest on the tick: what it decides stands before `TickDone`, or not at all.
fn goes_on(work: &mut Work<'_>, tick: Tick) -> Result<(), Stop<Over>> {
    let stream = tick
        .stream()
        .map_err(|wrong| Stop::Fault(wrong.to_string()))?;
    work.version(&stream)?;
    if tick.is_done(work.rows())? {
        return Err(Stop::Refused(Over));
    }
    if !tick.has_come(work.rows())? {
        return Err(Stop::Fault(format!("{tick} has not come")));
    }
    Ok(())
}

fn failed(why: impl std::fmt::Display) -> NotDone {
    NotDone::Failed(why.to_string())
}
