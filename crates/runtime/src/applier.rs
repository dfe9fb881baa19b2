//! Folds the journal into rows: the only writer of the read model, and the only judge of commits.

use std::sync::Arc;

use eventsourcing::Time;
use journal::{
    Commit, Decoded, Entry, InvalidStream, Partition, Placement, Reason, Stored, StreamId,
    Verdict as Rule,
};
use prost::Message as _;
use read_model::{RowsMut, Store};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::marks;
use crate::mutant::Mutant;
use crate::progress::Progress;
use crate::recent::Recent;
use crate::rows::{
    EXPIRIES, IGNORED, INBOX, InboxRow, POSITIONS, PositionRow, REQUESTS, REQUESTS_REMEMBERED,
    RequestRow, UNREADABLE, VERSIONS,
};
use crate::tailer::Feed;
use crate::waiters::{Verdict, Waiters};
use crate::work::UNCHANGED;
use crate::{Accepted, ApplyError, Fact, Service};

/// What `Received` is called in a commit.
pub(crate) const RECEIVED: &str = "patron.journal.v1.Received";

/// Records folded in one step when there is a backlog. Without one, a step is a single record.
const STEP: usize = 1_024;

/// Every so many accepted commits of a partition, expired request ids are cleared away: more of them than
/// those commits added, and boundedly many.
const CLEARED_EVERY: u64 = 64;
const CLEARED_AT_ONCE: usize = 256;

/// Why applying cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fatal {
    #[error(
        "partition {partition} goes on at offset {found} where {expected} was due: history is missing, and skipping it would make every answer wrong (docs/errors/journal-gap.md)"
    )]
    Gap {
        partition: Partition,
        expected: u64,
        found: u64,
    },
    #[error(
        "partition {partition} offset {offset} has format {format}: a newer release wrote this; run that release here too (docs/errors/newer-format.md)"
    )]
    NewerFormat {
        partition: Partition,
        offset: u64,
        format: u32,
    },
    #[error(transparent)]
    Store(#[from] read_model::Error),
}

/// The fold of one replica.
#[derive(Debug)]
pub(crate) struct Applier<S> {
    pub(crate) service: Arc<S>,
    pub(crate) store: Store,
    pub(crate) placement: Placement,
    pub(crate) positions: Vec<PositionRow>,
    pub(crate) progress: Progress,
    pub(crate) recent: Recent,
    pub(crate) waiters: Arc<Waiters>,
}

/// What became of the commits of a step.
#[derive(Debug, Default)]
struct Judged {
    verdicts: Vec<(Uuid, Verdict)>,
    /// Those of one partition that were accepted, with the sizes of their records.
    accepted: Vec<(usize, Arc<Accepted>)>,
}

impl<S: Service> Applier<S> {
    /// Folds whatever comes until the tailers are gone.
    pub(crate) async fn run(mut self, mut feed: mpsc::Receiver<Feed>) -> Result<(), Fatal> {
        while let Some(first) = feed.recv().await {
            let mut feeds = vec![first];
            let mut records = feeds.iter().map(|feed| feed.records.len()).sum::<usize>();
            while records < STEP
                && let Ok(more) = feed.try_recv()
            {
                records += more.records.len();
                feeds.push(more);
            }
            self.step(&feeds)?;
        }
        Ok(())
    }

    /// Folds these records in one atomic step, then tells who waits.
    pub(crate) fn step(&mut self, feeds: &[Feed]) -> Result<(), Fatal> {
        let mut judged = Judged::default();
        let mut recent = Vec::with_capacity(feeds.len());
        let mut applied = Vec::with_capacity(feeds.len());
        let mut tx = self.store.begin()?;
        for feed in feeds {
            let mut position = self
                .positions
                .get(feed.partition as usize)
                .cloned()
                .unwrap_or_default();
            for stored in &feed.records {
                self.record(&mut tx, feed.partition, &mut position, stored, &mut judged)?;
            }
            recent.push(std::mem::take(&mut judged.accepted));
            POSITIONS.put(&mut tx, &feed.partition, &position)?;
            applied.push((feed.partition, position.next));
            if let Some(known) = self.positions.get_mut(feed.partition as usize) {
                *known = position;
            }
        }
        self.progress.announce(&applied);
        self.store.commit(tx)?;
        self.progress.advance(&applied);
        for ((partition, next), accepted) in applied.into_iter().zip(recent) {
            self.recent.grow(partition, next, accepted);
        }
        for (commit_id, verdict) in judged.verdicts {
            self.waiters.resolve(commit_id, verdict);
        }
        Ok(())
    }

    fn record(
        &self,
        rows: &mut dyn RowsMut,
        partition: Partition,
        position: &mut PositionRow,
        stored: &Stored,
        judged: &mut Judged,
    ) -> Result<(), Fatal> {
        let offset = stored.offset;
        if offset != position.next {
            return Err(Fatal::Gap {
                partition,
                expected: position.next,
                found: offset,
            });
        }
        position.next = offset + 1;
        position.recorded_at = position.recorded_at.max(stored.time.micros());
        position.last_record = record_hash(&stored.record.value);
        match journal::decode(&stored.record.value) {
            Decoded::UnknownFormat(format) => Err(Fatal::NewerFormat {
                partition,
                offset,
                format,
            }),
            // Nobody takes these for commits, in any release, so all replicas still agree.
            Decoded::Stray | Decoded::Malformed(_) => {
                position.stray += 1;
                tracing::warn!(partition, offset, "a record that is none of ours, ignored");
                Ok(())
            }
            // The one that counts was read at the start; later ones mean nothing.
            Decoded::Entry(Entry::Genesis(_)) => Ok(()),
            Decoded::Entry(Entry::Commit(commit)) => {
                let verdict = self.judge(rows, partition, position, offset, &commit)?;
                judged.verdicts.push((commit.commit_id, verdict));
                if matches!(verdict, Verdict::Accepted { .. }) {
                    let accepted = Accepted {
                        partition,
                        offset,
                        time: stored.time,
                        recorded_at: Time::from_micros(position.recorded_at),
                        commit,
                    };
                    let size = stored.record.size();
                    judged.accepted.push((size, Arc::new(accepted)));
                }
                Ok(())
            }
        }
    }

    fn judge(
        &self,
        rows: &mut dyn RowsMut,
        partition: Partition,
        position: &mut PositionRow,
        offset: u64,
        commit: &Commit,
    ) -> Result<Verdict, Fatal> {
        let verdict = journal::accept(commit, partition, &self.placement, |stream| {
            Ok::<_, read_model::Error>(VERSIONS.get(rows, &stream.to_string())?.unwrap_or(0))
        })?;
        let conflict = matches!(verdict, Rule::Ignored(Reason::Version { .. }));
        if verdict != Rule::Accepted && !(Mutant::NoVersionCheck.is() && conflict) {
            IGNORED.put(rows, &(partition, offset), &())?;
            return Ok(Verdict::Ignored);
        }
        position.accepted += 1;
        self.fold(rows, partition, position, offset, commit)?;
        let now = Time::from_micros(position.recorded_at);
        remember(rows, partition, now, commit)?;
        if position.accepted.is_multiple_of(CLEARED_EVERY) {
            forget(rows, partition, now.minus_days(REQUESTS_REMEMBERED))?;
        }
        Ok(Verdict::Accepted { offset })
    }

    fn fold(
        &self,
        rows: &mut dyn RowsMut,
        partition: Partition,
        position: &mut PositionRow,
        offset: u64,
        commit: &Commit,
    ) -> Result<(), Fatal> {
        let mut index = 0;
        for append in &commit.appends {
            let name = append.stream.to_string();
            let mut version = VERSIONS.get(rows, &name)?.unwrap_or(0);
            for event in &append.events {
                version += 1;
                let fact = Fact {
                    stream: &append.stream,
                    version,
                    partition,
                    offset,
                    index,
                    commit_id: commit.commit_id,
                    request_id: commit.request_id,
                    recorded_at: Time::from_micros(position.recorded_at),
                    event,
                };
                position.published += u64::from(event.public);
                index += 1;
                self.event(rows, &fact)?;
            }
            if !append.events.is_empty() {
                VERSIONS.put(rows, &name, &version)?;
            }
        }
        Ok(())
    }

    /// Folds one event; one that this release cannot read closes its stream to commands here.
    fn event(&self, rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<(), Fatal> {
        if fact.event.kind == UNCHANGED {
            return Ok(());
        }
        let stream = fact.stream.to_string();
        if UNREADABLE.get(rows, &stream)?.is_some() {
            return Ok(());
        }
        if marks::fold(rows, fact)? {
            return Ok(());
        }
        if fact.event.kind == RECEIVED {
            fold_received(rows, fact)?;
        }
        match self.service.apply(rows, fact) {
            Ok(()) => Ok(()),
            Err(ApplyError::Store(error)) => Err(error.into()),
            Err(ApplyError::Unreadable(why)) => {
                tracing::error!(
                    stream,
                    kind = fact.event.kind,
                    schema = fact.event.schema,
                    why,
                    "an event of a newer release; its stream answers no commands here \
                     (docs/errors/unknown-event.md)"
                );
                UNREADABLE.put(rows, &stream, &why)?;
                Ok(())
            }
        }
    }
}

/// Remembers that this request took effect.
fn remember(
    rows: &mut dyn RowsMut,
    partition: Partition,
    recorded_at: Time,
    commit: &Commit,
) -> Result<(), read_model::Error> {
    let Some(root) = commit.appends.first() else {
        return Ok(());
    };
    let at = recorded_at.micros();
    let stream = root.stream.to_string();
    let request = RequestRow {
        fingerprint: commit.fingerprint,
        recorded_at: at,
    };
    REQUESTS.put(rows, &(stream.clone(), commit.request_id), &request)?;
    EXPIRIES.put(rows, &(partition, at, stream, commit.request_id), &())
}

/// Forgets the requests of a partition that were recorded before this moment.
fn forget(
    rows: &mut dyn RowsMut,
    partition: Partition,
    before: Time,
) -> Result<(), read_model::Error> {
    let oldest = EXPIRIES.scan(rows, &(partition,), None, CLEARED_AT_ONCE)?;
    for (key, ()) in oldest {
        let (_, at, stream, request_id) = &key;
        if *at >= before.micros() {
            break;
        }
        let request = (stream.clone(), *request_id);
        // The id may have been used again since, after it was forgotten.
        if REQUESTS
            .get(rows, &request)?
            .is_some_and(|row| row.recorded_at == *at)
        {
            REQUESTS.delete(rows, &request);
        }
        EXPIRIES.delete(rows, &key);
    }
    Ok(())
}

/// Moves the inbox on by one event, whatever became of it.
pub(crate) fn fold_received(
    rows: &mut dyn RowsMut,
    fact: &Fact<'_>,
) -> Result<(), read_model::Error> {
    use patron_proto::journal::v1::Received;

    let Ok(received) = Received::decode(fact.event.payload.clone()) else {
        return Ok(());
    };
    let known = INBOX.get(rows, &fact.partition)?.unwrap_or_default();
    // One that was parked and retried has an old number, and moves nothing on.
    if received.sequence > known.sequence {
        let row = InboxRow {
            sequence: received.sequence,
            next: received.offset + 1,
            journal: received.journal_uuid.parse().ok(),
        };
        INBOX.put(rows, &fact.partition, &row)?;
    }
    crate::parked::fold(rows, fact.partition, &received)
}

/// What the checkpoint recognises a record by.
pub(crate) fn record_hash(value: &[u8]) -> [u8; 16] {
    let mut hash = [0; 16];
    blake3::Hasher::new()
        .update(value)
        .finalize_xof()
        .fill(&mut hash);
    hash
}

/// The inbox stream of a foreign partition.
pub(crate) fn inbox_stream(topic: &str, partition: Partition) -> Result<StreamId, InvalidStream> {
    StreamId::pinned(format!("inbox/{topic}"), partition)
}

#[cfg(test)]
mod tests;
