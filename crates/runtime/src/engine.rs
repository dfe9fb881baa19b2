//! A running replica: its log, its rows, and the tasks between them.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eventsourcing::Clock;
use futures::FutureExt as _;
use journal::{Genesis, Kind, Log, Offset, Placement, Position, TopicSpec, Topics};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use read_model::{Rows, Store};
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::applier::Applier;
use crate::inbox::Inbox;
use crate::locks::StreamLocks;
use crate::patience::patiently;
use crate::progress::Progress;
use crate::received::Heard;
use crate::recent::Recent;
use crate::relay::Relay;
use crate::rows::{INBOX, POSITIONS};
use crate::waiters::Waiters;
use crate::{Options, Policy, Service, checkpoint, policies, tailer};

/// Feeds on their way to the applier: enough to keep it busy, little enough to stay small.
const FEEDS: usize = 64;

/// How long the parts of a replica have to end after they were told to.
const SETTLING: Duration = Duration::from_secs(1);

pub(crate) const SHUTTING_DOWN: &str = "it is shutting down";

/// A running replica of one service.
#[derive(Debug)]
pub struct Engine<S: Service> {
    service: Arc<S>,
    pub(crate) log: Arc<dyn Log>,
    /// The other service's public topic, if this replica receives it.
    pub(crate) foreign: Option<Arc<dyn Log>>,
    /// How far each partition of it was read.
    pub(crate) heard: Vec<watch::Sender<Heard>>,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) placement: Placement,
    pub(crate) progress: Progress,
    pub(crate) recent: Recent,
    pub(crate) waiters: Arc<Waiters>,
    pub(crate) locks: StreamLocks,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) options: Options,
    /// Commands under way, and their appends.
    pub(crate) commands: TaskTracker,
    /// The parts of the replica.
    parts: TaskTracker,
    genesis: Genesis,
    /// The ends that were there at the start: beyond them this replica is ready.
    pub(crate) targets: Vec<Offset>,
    pub(crate) fault: watch::Sender<Option<String>>,
    /// The replica is leaving: nothing new begins.
    stop: CancellationToken,
    /// It has left: nothing more is read. Commands under way need the reader until their end.
    applied_enough: CancellationToken,
    chance: Mutex<StdRng>,
    pub(crate) clock_moved: Arc<Notify>,
}

/// Why a query was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// The position that it asked for is of another journal: asking again does not help.
    #[error("min_position is of another journal")]
    OtherJournal,
    /// This replica cannot answer now, for this reason.
    #[error("{0}")]
    NotYet(String),
}

impl<S: Service> Engine<S> {
    /// Opens log and rows, checks that they belong together, and starts to apply.
    ///
    /// # Errors
    /// A sentence for the operator: what is wrong and what to do.
    pub async fn start(
        service: Arc<S>,
        topics: &dyn Topics,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Arc<Self>, String> {
        let say = |error: &dyn std::fmt::Display| error.to_string();
        let log = topics.open(&spec(&options.journal_topic, Kind::Journal, &options));
        let log = log.await.map_err(|error| say(&error))?;
        let exchange = Exchange::open(topics, &options)
            .await
            .map_err(|error| say(&error))?;
        let chance = options
            .seed
            .map_or_else(|| StdRng::from_rng(&mut rand::rng()), StdRng::seed_from_u64);
        let genesis = patiently(async || Ok(journal::establish(&log, identity(&options)).await?));
        let genesis = genesis.await.map_err(|error| say(&error))?;
        let store = open_store(&*service, &options).map_err(|error| say(&error))?;
        let positions = patiently(async || checkpoint::resume(&log, &store, &genesis).await);
        let positions = positions.await.map_err(|error| say(&error))?;
        let targets = patiently(async || checkpoint::ends(&log, &genesis).await);
        let targets = targets.await.map_err(|error| say(&error))?;
        let next: Vec<Offset> = positions.iter().map(|position| position.next).collect();
        let engine = Arc::new(Self {
            service,
            log,
            foreign: exchange.foreign.clone(),
            heard: next.iter().map(|_| watch::Sender::default()).collect(),
            store,
            clock,
            placement: genesis.placement(),
            progress: Progress::at(next.clone()),
            recent: Recent::at(next.iter().copied(), options.recent_commits),
            waiters: Arc::default(),
            locks: StreamLocks::default(),
            permits: Arc::new(Semaphore::new(options.max_in_flight)),
            commands: TaskTracker::new(),
            parts: TaskTracker::new(),
            genesis,
            targets,
            fault: watch::Sender::new(None),
            stop: CancellationToken::new(),
            applied_enough: CancellationToken::new(),
            chance: Mutex::new(chance),
            clock_moved: Arc::default(),
            options,
        });
        engine.announce(&next);
        let applier = Applier {
            service: Arc::clone(&engine.service),
            store: engine.store.clone(),
            placement: engine.placement,
            positions,
            progress: engine.progress.clone(),
            recent: engine.recent.clone(),
            waiters: Arc::clone(&engine.waiters),
        };
        engine.start_applying(applier, &next);
        engine.start_exchange(&exchange);
        engine.start_retiring();
        Ok(engine)
    }

    fn announce(&self, next: &[Offset]) {
        let behind: u64 = self
            .targets
            .iter()
            .zip(next)
            .map(|(target, next)| target.saturating_sub(*next))
            .sum();
        let service = self.service.name();
        let journal = self.genesis.cluster_uuid;
        tracing::info!(service, %journal, behind, "the replica starts");
    }

    fn start_applying(self: &Arc<Self>, applier: Applier<S>, next: &[Offset]) {
        let (feed, fed) = mpsc::channel(FEEDS);
        for (partition, next) in (0..).zip(next) {
            let tail = tailer::tail(
                Arc::clone(&self.log),
                partition,
                *next,
                feed.clone(),
                self.applied_enough.clone(),
            );
            self.watch_over("tailer", tail);
        }
        self.watch_over("applier", applier.run(fed));
    }

    fn start_exchange(self: &Arc<Self>, exchange: &Exchange) {
        for partition in 0..self.genesis.partitions {
            if let Some(public) = &exchange.public {
                let (engine, public) = (Arc::clone(self), Arc::clone(public));
                let relay = Relay {
                    engine,
                    public,
                    partition,
                };
                self.watch_over("relay", relay.run(self.stop.clone()));
            }
            if let Some(foreign) = &exchange.foreign {
                let (engine, foreign) = (Arc::clone(self), Arc::clone(foreign));
                let inbox = Inbox {
                    engine,
                    foreign,
                    partition,
                };
                self.watch_over("inbox", inbox.run(self.stop.clone()));
            }
        }
    }

    /// Starts to perform a policy.
    pub fn start_policy(self: &Arc<Self>, policy: Arc<dyn Policy<S>>) {
        self.watch_over(
            "policy",
            policies::run(Arc::clone(self), policy, self.stop.clone()),
        );
    }

    /// Runs a part of the replica; if it fails, the replica is no longer ready and says why.
    pub(crate) fn watch_over<E: std::fmt::Display + Send + 'static>(
        self: &Arc<Self>,
        part: &'static str,
        work: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let engine = Arc::downgrade(self);
        self.parts.spawn(async move {
            let ended = AssertUnwindSafe(work).catch_unwind().await;
            let fault = match ended {
                Ok(Ok(())) => return,
                Ok(Err(error)) => format!("the {part} stopped: {error}"),
                Err(_) => format!("the {part} panicked"),
            };
            if let Some(engine) = engine.upgrade() {
                tracing::error!(service = engine.service.name(), fault, "not ready any more");
                engine.fault.send_if_modified(|known| {
                    let first = known.is_none();
                    known.get_or_insert(fault);
                    first
                });
            }
        });
    }

    /// Runs something of the service beside the replica, whose end waits for it: it ends when
    /// [`stopping`](Self::stopping) says so.
    pub fn run_beside(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.parts.spawn(work);
    }

    /// Stops taking commands, lets those under way finish until `deadline`, and writes the rows out.
    pub async fn drain(&self, deadline: Instant) {
        self.permits.close();
        self.stop.cancel();
        self.commands.close();
        let finished = timeout_at(deadline, self.commands.wait()).await;
        self.applied_enough.cancel();
        self.parts.close();
        let ended = timeout(SETTLING, self.parts.wait()).await;
        if finished.is_err() || ended.is_err() {
            tracing::warn!(
                service = self.service.name(),
                "stopped before everything under way had finished; callers repeat with the same request_id"
            );
        }
        let store = self.store.clone();
        // A report that still reads can hold this up; the rows can be built anew, so nobody waits long.
        let flushed = timeout(SETTLING, spawn_blocking(move || store.flush())).await;
        let why = match flushed {
            Ok(Ok(Ok(()))) => return,
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        tracing::warn!(
            why,
            "the rows were not written out; the next start reads more of the journal"
        );
    }

    /// Reads from the rows, after they contain everything that `position` saw.
    ///
    /// # Errors
    /// When that position is of another journal or is not reached before `deadline`.
    pub async fn read<T>(
        &self,
        position: Option<&Position>,
        deadline: Option<Instant>,
        read: impl FnOnce(&dyn Rows) -> T,
    ) -> Result<(T, Position), Unread> {
        self.ready().map_err(Unread::NotYet)?;
        if let Some(position) = position {
            if position.journal != self.genesis.cluster_uuid {
                return Err(Unread::OtherJournal);
            }
            let deadline =
                deadline.unwrap_or_else(|| Instant::now() + self.options.default_deadline);
            timeout_at(deadline, self.progress.reach_all(&position.offsets))
                .await
                .map_err(|_| {
                    let what = "this instance has not caught up to min_position yet";
                    Unread::NotYet(what.to_owned())
                })?;
        }
        let read = self
            .store
            .read(|rows| Ok::<T, read_model::Error>(read(rows)));
        let value = read.map_err(|error| Unread::NotYet(error.to_string()))?;
        Ok((value, self.position()))
    }

    /// Where this replica stands. Asked after a read, it covers all that was read.
    pub fn position(&self) -> Position {
        Position {
            journal: self.genesis.cluster_uuid,
            offsets: self.progress.announced(),
        }
    }

    /// Waits until all that the journal holds now is applied, and says how far the rows are then: whoever
    /// reads them afterwards finds everything before that position, and perhaps more.
    pub async fn barrier(&self) -> Result<Position, journal::Error> {
        for partition in 0..self.genesis.partitions {
            let end = self.log.end(partition).await?;
            self.progress.reach(partition, end).await;
        }
        Ok(Position {
            journal: self.genesis.cluster_uuid,
            offsets: self.progress.offsets(),
        })
    }

    /// How far the foreign topic was received: the next offset of each partition.
    pub fn received(&self) -> Result<Vec<Offset>, read_model::Error> {
        (0..self.genesis.partitions)
            .map(|partition| {
                let row = self.store.read(|rows| INBOX.get(rows, &partition))?;
                Ok(row.unwrap_or_default().next)
            })
            .collect()
    }

    /// Commits accepted so far, and public events among them.
    pub fn totals(&self) -> Result<(u64, u64), read_model::Error> {
        self.store.read(|rows| {
            let positions = POSITIONS.scan(rows, &(), None, self.progress.offsets().len())?;
            Ok(positions
                .iter()
                .fold((0, 0), |(accepted, published), (_, position)| {
                    (accepted + position.accepted, published + position.published)
                }))
        })
    }

    /// The service.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// The rows.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The clock it was given.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Its settings.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// The identity of its journal.
    pub const fn journal_id(&self) -> Uuid {
        self.genesis.cluster_uuid
    }

    /// Which partition a stream is in.
    pub const fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Cancelled when the replica stops: streams to clients end with it.
    pub const fn stopping(&self) -> &CancellationToken {
        &self.stop
    }

    pub(crate) const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// How far the journal was when this replica started.
    pub(crate) fn targets(&self) -> &[Offset] {
        &self.targets
    }

    pub(crate) fn log(&self) -> &dyn Log {
        &*self.log
    }

    /// A number from 0 to `most`.
    pub(crate) fn random(&self, most: u64) -> u64 {
        self.chance
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .random_range(0..=most)
    }
}

/// The topics of public events, as far as this replica takes part.
struct Exchange {
    public: Option<Arc<dyn Log>>,
    foreign: Option<Arc<dyn Log>>,
}

impl Exchange {
    async fn open(topics: &dyn Topics, options: &Options) -> Result<Self, journal::Error> {
        let open = async |name: &Option<String>| match name {
            Some(name) => topics
                .open(&spec(name, Kind::Public, options))
                .await
                .map(Some),
            None => Ok(None),
        };
        Ok(Self {
            public: open(&options.public_topic).await?,
            foreign: open(&options.inbox_topic).await?,
        })
    }
}

/// A replica that nobody holds any more stops reading, drained or not.
impl<S: Service> Drop for Engine<S> {
    fn drop(&mut self) {
        self.stop.cancel();
        self.applied_enough.cancel();
    }
}

fn spec(name: &str, kind: Kind, options: &Options) -> TopicSpec {
    TopicSpec {
        name: name.to_owned(),
        partitions: options.partitions,
        kind,
    }
}

fn open_store<S: Service>(service: &S, options: &Options) -> Result<Store, read_model::Error> {
    match &options.data {
        None => Ok(Store::in_memory()),
        Some(dir) => Store::open(
            dir,
            &read_model::Options::new(service.name(), service.schema()),
        ),
    }
}

/// The identity that a new journal gets, if this replica is the first.
fn identity(options: &Options) -> Uuid {
    options
        .seed
        .map_or_else(Uuid::new_v4, |seed| Uuid::from_u128(u128::from(seed)))
}
