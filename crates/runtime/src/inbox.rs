//! Takes the other service's public events into this service's own journal, each exactly once or not at all.
//!
//! An event, its outcome and its effects are one commit, which expects the inbox stream at the version that
//! was read. Two instances may receive the same partition: the rule lets one of them through, and the other
//! finds the event taken.
//!
//! An event that means nothing here is recorded as well, for a later release that has a use for it, but nobody
//! waits for that: it is held back for a moment, so that many of them cost one commit.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use eventsourcing::Time;
use journal::{Commit, Error, Event, Log, Partition, Stored, StreamId};
use patron_proto::journal::v1::{Applied, Parked, Received, Refused, Skipped, received::Outcome};
use prost::Message as _;
use read_model::Scratch;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::applier::{RECEIVED, inbox_stream};
use crate::execute::NotJudged;
use crate::foreign::{Fold, PublicFold};
use crate::mutant::Mutant;
use crate::rows::{INBOX, InboxRow, PARKED};
use crate::waiters::Verdict;
use crate::{ApplyError, Engine, Foreign, Receipt, Service, Work};

/// How many foreign events one commit takes at most.
const BATCH: usize = 256;
const PATIENCE: Duration = Duration::from_secs(10);
/// How long events that mean nothing here wait for company.
const HELD: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(100);
/// For an instance of the newer release to take what this one cannot.
const LONG_PAUSE: Duration = Duration::from_secs(5);

/// The inbox of one foreign partition.
#[derive(Debug)]
pub(crate) struct Inbox<S: Service> {
    pub(crate) engine: Arc<Engine<S>>,
    pub(crate) foreign: Arc<dyn Log>,
    pub(crate) partition: Partition,
}

/// Why receiving cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halted {
    #[error(transparent)]
    Log(#[from] Error),
    #[error(transparent)]
    Store(#[from] read_model::Error),
    #[error(
        "{topic} partition {partition} now carries events of journal {found}, so far it was {known}; a receiver follows one journal (docs/errors/foreign-history.md)"
    )]
    OtherJournal {
        topic: String,
        partition: Partition,
        found: Uuid,
        known: Uuid,
    },
    #[error(transparent)]
    Stream(#[from] journal::InvalidStream),
    #[error(
        "an event concerns {0}, of which this release cannot read all: an instance of the newer release takes it (docs/errors/unknown-event.md)"
    )]
    Unreadable(StreamId),
    #[error("an event could not be taken: {0}")]
    Fault(String),
}

impl<S: Service> Inbox<S> {
    /// Receives until it is stopped.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), Halted> {
        let mut batch = BATCH;
        loop {
            let round = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                round = self.round(&mut batch) => round,
            };
            let pause = match round {
                // Others were faster, or a commit was lost: look again at what was taken.
                Ok(()) => PAUSE,
                Err(Halted::Log(error)) if error.is_retryable() => {
                    tracing::warn!(%error, partition = self.partition, "the inbox waits for the log");
                    PAUSE
                }
                Err(error @ Halted::Unreadable(_)) => {
                    tracing::error!(%error, partition = self.partition, "the inbox waits");
                    batch = 1;
                    LONG_PAUSE
                }
                Err(error) => return Err(error),
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// From what was taken last on, until a commit does not stand.
    async fn round(&self, batch: &mut usize) -> Result<(), Halted> {
        let taken = self.taken()?;
        let mut fold = PublicFold::after(taken.sequence);
        let mut journal = taken.journal;
        let mut tail = self.foreign.tail(self.partition, taken.next);
        let mut held = Held::default();
        self.engine.hears(self.partition, |heard| {
            heard.next = heard.next.max(taken.next);
        });
        loop {
            let records = match held.until {
                None => tail.next().await?,
                Some(until) => match timeout_at(until, tail.next()).await {
                    Ok(records) => records?,
                    Err(_) => Vec::new(),
                },
            };
            let events = self.fold(&records, &mut fold, &mut journal)?;
            self.heard(&records, &events);
            let mut events = held.with(events, |event| self.engine.service().concerns(event));
            while !events.is_empty() {
                let rest = events.split_off(events.len().min(*batch));
                if !self.take(&events).await? {
                    // Somebody wrote to one of the aggregates: one by one the others get through.
                    *batch = 1;
                    return Ok(());
                }
                events = rest;
            }
            *batch = BATCH;
        }
    }

    /// Tells who waits for the other service how far it was read, and up to which event something is to come.
    fn heard(&self, records: &[Stored], events: &[Foreign]) {
        let service = self.engine.service();
        let concerning = events.iter().rev().find(|event| service.concerns(event));
        let Some(last) = records.last() else { return };
        self.engine.hears(self.partition, |heard| {
            heard.next = heard.next.max(last.offset + 1);
            if let Some(event) = concerning {
                heard.sequence = heard.sequence.max(event.sequence);
            }
        });
    }

    /// The events among these records that are due.
    fn fold(
        &self,
        records: &[Stored],
        fold: &mut PublicFold,
        journal: &mut Option<Uuid>,
    ) -> Result<Vec<Foreign>, Halted> {
        let topic = self.foreign.topic();
        let partition = self.partition;
        let mut events = Vec::new();
        let mut ahead = 0_u64;
        for stored in records {
            let Some(event) = Foreign::read(topic, partition, stored) else {
                let offset = stored.offset;
                tracing::warn!(
                    topic,
                    partition,
                    offset,
                    "a record that is no event, ignored"
                );
                continue;
            };
            self.same_journal(journal, &event)?;
            let folded = fold.take(event.sequence);
            if folded == Fold::Next || Mutant::AnySequence.is() {
                events.push(event);
            } else if folded == Fold::Ahead {
                ahead += 1;
            }
        }
        if ahead > 0 {
            let last = fold.last();
            tracing::warn!(
                topic,
                partition,
                ahead,
                last,
                "events came before the one that is due; their relay will send all of them again"
            );
        }
        Ok(events)
    }

    /// One commit that takes these events with their effects; `false` if it does not stand.
    async fn take(&self, events: &[Foreign]) -> Result<bool, Halted> {
        let Some(commit) = self.decide(events)? else {
            return Ok(false);
        };
        let deadline = Instant::now() + PATIENCE;
        let (topic, partition) = (self.foreign.topic(), self.partition);
        match self.engine.write(partition, commit, deadline).await {
            Ok(Verdict::Accepted { .. }) => Ok(true),
            Err(NotJudged::TooLarge(bytes)) if events.len() == 1 => Err(Halted::Fault(format!(
                "the event at offset {} of {topic} partition {partition} needs a commit of {bytes} bytes",
                events.first().map_or(0, |event| event.offset)
            ))),
            Ok(Verdict::Ignored) | Err(NotJudged::TooLarge(_)) => Ok(false),
            Err(NotJudged::NotWritten(why)) => {
                tracing::warn!(
                    topic,
                    partition,
                    why,
                    "what was received could not be written"
                );
                Ok(false)
            }
            Err(NotJudged::Unknown) => {
                tracing::warn!(
                    topic,
                    partition,
                    "whether what was received was written is unknown"
                );
                Ok(false)
            }
        }
    }

    /// The commit, or nothing if the first of these events is not the one that is due.
    fn decide(&self, events: &[Foreign]) -> Result<Option<Commit>, Halted> {
        let inbox = inbox_stream(self.foreign.topic(), self.partition)?;
        let engine = &self.engine;
        let now = engine.clock().now();
        engine.store().read(|snapshot| {
            let taken = INBOX.get(snapshot, &self.partition)?.unwrap_or_default();
            let Some(first) = events.first() else {
                return Ok(None);
            };
            if first.sequence != taken.sequence + 1 && !Mutant::AnySequence.is() {
                return Ok(None);
            }
            let mut scratch = Scratch::new(snapshot);
            let service = engine.service();
            let commit_id = engine.new_id();
            let mut work = Work::on(
                &mut scratch,
                service,
                &inbox,
                self.partition,
                commit_id,
                now,
            )?;
            for event in events {
                self.receive(&mut work, &inbox, event)?;
            }
            Ok(Some(Commit {
                commit_id,
                request_id: Uuid::new_v5(&first.journal, first.event_id.as_bytes()),
                fingerprint: [0; 16],
                actor: engine.options().actor.clone(),
                time: now,
                trace_context: String::new(),
                appends: work.into_appends(),
            }))
        })
    }

    /// Lets one event have its effects, and records what became of it.
    fn receive(
        &self,
        work: &mut Work<'_>,
        inbox: &StreamId,
        event: &Foreign,
    ) -> Result<(), Halted> {
        let fault = |error: ApplyError| Halted::Fault(error.to_string());
        let queue = (self.partition, event.subject.clone());
        let receipt = if PARKED.get(work.rows(), &queue)?.is_some() {
            Receipt::Parked("an earlier event of the same subject is parked".to_owned())
        } else {
            self.engine.service().receive(work, event).map_err(fault)?
        };
        if let Some(stream) = work.unreadable() {
            return Err(Halted::Unreadable(stream.clone()));
        }
        work.emit(inbox, received(event, receipt)).map_err(fault)
    }

    fn taken(&self) -> Result<InboxRow, read_model::Error> {
        let row = self
            .engine
            .store()
            .read(|rows| INBOX.get(rows, &self.partition))?;
        Ok(row.unwrap_or_default())
    }

    fn same_journal(&self, known: &mut Option<Uuid>, event: &Foreign) -> Result<(), Halted> {
        match *known {
            None => *known = Some(event.journal),
            Some(known) if known == event.journal => {}
            Some(known) => {
                return Err(Halted::OtherJournal {
                    topic: event.topic.clone(),
                    partition: self.partition,
                    found: event.journal,
                    known,
                });
            }
        }
        Ok(())
    }
}

/// Events that mean nothing here, until there is a reason to record them.
#[derive(Debug, Default)]
struct Held {
    events: Vec<Foreign>,
    until: Option<Instant>,
}

impl Held {
    /// What is to be recorded now, with these events: nothing while all of them can wait.
    fn with(&mut self, events: Vec<Foreign>, concerns: impl Fn(&Foreign) -> bool) -> Vec<Foreign> {
        let now = Instant::now();
        let is_due = self.until.is_some_and(|until| until <= now) || events.iter().any(concerns);
        self.events.extend(events);
        if is_due || self.events.len() >= BATCH {
            self.until = None;
            return std::mem::take(&mut self.events);
        }
        if !self.events.is_empty() {
            self.until.get_or_insert(now + HELD);
        }
        Vec::new()
    }
}

/// The event that records a foreign one.
pub(crate) fn received(event: &Foreign, receipt: Receipt) -> Event {
    let outcome = match receipt {
        Receipt::Applied => Outcome::Applied(Applied {}),
        Receipt::Skipped => Outcome::Skipped(Skipped {}),
        Receipt::Refused(reason) => Outcome::Refused(Refused { reason }),
        Receipt::Parked(reason) => Outcome::Parked(Parked { reason }),
    };
    let received = Received {
        source: event.topic.clone(),
        sequence: event.sequence,
        event_id: event.event_id.clone(),
        r#type: event.kind.clone(),
        schema: event.schema,
        subject: event.subject.clone(),
        time: Some(timestamp(event.time)),
        recorded_at: Some(timestamp(event.recorded_at)),
        offset: event.offset,
        journal_uuid: event.journal.to_string(),
        payload: event.payload.clone(),
        outcome: Some(outcome),
    };
    let payload = Bytes::from(received.encode_to_vec());
    Event {
        kind: RECEIVED.to_owned(),
        schema: 1,
        public: false,
        payload,
    }
}

fn timestamp(time: Time) -> prost_types::Timestamp {
    let micros = time.micros();
    let nanos = i32::try_from(micros.rem_euclid(1_000_000)).unwrap_or(0) * 1_000;
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos,
    }
}
