//! Foreign events that wait for a release that can read them, and how they are taken after all.
//!
//! An event that was parked stands in the journal with that outcome; its rows here are a queue for each
//! subject. To retry is a command like any other, on the inbox stream that parked it: it takes the queue in
//! its order up to the first event that still cannot be read, and records each once more, under its old
//! number, with what became of it now. Two who retry at once are a conflict, of which one comes to nothing.

use std::sync::Arc;

use eventsourcing::Time;
use journal::Partition;
use patron_proto::journal::v1::Received;
use patron_proto::journal::v1::received::Outcome;
use prost::Message as _;
use read_model::{Error, Rows, RowsMut};

use crate::applier::inbox_stream;
use crate::execute::{Answer, Failure, Request, Stop};
use crate::inbox::received;
use crate::rows::{PARKED, QUEUE};
use crate::{Engine, Foreign, Receipt, Service, Work};

/// How many events one retry takes at most, and about how many bytes: what is left waits for the next one.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 256 * 1_024;

/// A foreign event that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEvent {
    /// The event. Where it stood in the other journal is not kept: that is 0.
    pub event: Foreign,
    /// Why it waits.
    pub reason: String,
}

/// Who retries what.
#[derive(Debug, Clone)]
pub struct Retry {
    /// The subject whose events are to be taken.
    pub subject: String,
    /// As in every command; its root is found here.
    pub request: Request,
}

/// Why nothing was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StillParked {
    /// No event of this subject waits.
    Nothing,
    /// The first of them cannot be read by this release either, for this reason.
    Unreadable(String),
}

/// The events that wait, by partition and number, behind `after`.
pub fn parked(
    rows: &dyn Rows,
    after: Option<(Partition, u64)>,
    limit: usize,
) -> Result<Vec<ParkedEvent>, Error> {
    let found = QUEUE.scan(rows, &(), after.as_ref(), limit)?;
    let events = found.into_iter();
    Ok(events
        .filter_map(|((partition, _), bytes)| read(partition, &bytes))
        .collect())
}

/// One event that waits.
pub fn parked_event(
    rows: &dyn Rows,
    partition: Partition,
    sequence: u64,
) -> Result<Option<ParkedEvent>, Error> {
    let found = QUEUE.get(rows, &(partition, sequence))?;
    Ok(found.and_then(|bytes| read(partition, &bytes)))
}

impl<R> Failure<R> {
    /// The same failure, its refusal told otherwise.
    pub fn map<T>(self, tell: impl FnOnce(R) -> T) -> Failure<T> {
        match self {
            Self::Refused(refusal) => Failure::Refused(tell(refusal)),
            Self::RequestIdReused => Failure::RequestIdReused,
            Self::StaleEtag { current } => Failure::StaleEtag { current },
            Self::Conflict { attempts } => Failure::Conflict { attempts },
            Self::Overloaded => Failure::Overloaded,
            Self::NotReady(why) => Failure::NotReady(why),
            Self::Unreadable { stream } => Failure::Unreadable { stream },
            Self::TooLarge { bytes } => Failure::TooLarge { bytes },
            Self::NotWritten(why) => Failure::NotWritten(why),
            Self::Deadline => Failure::Deadline,
            Self::OutcomeUnknown => Failure::OutcomeUnknown,
            Self::Internal(fault) => Failure::Internal(fault),
        }
    }
}

impl<S: Service> Engine<S> {
    /// Takes the parked events of a subject, in their order, up to the first that still cannot be read;
    /// answers how many still wait.
    ///
    /// # Errors
    /// Those of every command, and [`StillParked`] when not even the first could be taken.
    pub async fn retry_parked(
        self: &Arc<Self>,
        retry: Retry,
    ) -> Result<Answer<u64>, Failure<StillParked>> {
        let Retry { subject, request } = retry;
        let topic = self.options().inbox_topic.clone().unwrap_or_default();
        let home = journal::StreamId::new(subject.as_str());
        let home = home.map_err(|_| Failure::Refused(StillParked::Nothing))?;
        // Partition k of the one feeds partition k of the other.
        let partition = self.placement().partition_of(&home);
        let inbox = inbox_stream(&topic, partition);
        let inbox = inbox.map_err(|error| Failure::Internal(error.to_string()))?;
        let request = Request {
            root: inbox.clone(),
            ..request
        };
        let (engine, of) = (Arc::clone(self), subject.clone());
        let decide = move |work: &mut Work<'_>| {
            let (mut taken, mut bytes) = (0, 0);
            for waiting in queue(work.rows(), partition, &of)? {
                bytes += waiting.event.payload.len();
                if taken == BATCH || (taken > 0 && bytes > BATCH_BYTES) {
                    break;
                }
                let receipt = engine.service().receive(work, &waiting.event)?;
                if let Receipt::Parked(why) = receipt {
                    if taken == 0 {
                        return Err(Stop::Refused(StillParked::Unreadable(why)));
                    }
                    break;
                }
                work.emit(&inbox, received(&waiting.event, receipt))?;
                taken += 1;
            }
            if taken == 0 {
                return Err(Stop::Refused(StillParked::Nothing));
            }
            Ok(())
        };
        let left = move |rows: &dyn Rows| {
            let key = (partition, subject.clone());
            Ok(PARKED.get(rows, &key)?.unwrap_or(0))
        };
        self.execute(request, decide, left).await
    }
}

/// Folds what became of a foreign event into the queues.
pub(crate) fn fold(
    rows: &mut dyn RowsMut,
    partition: Partition,
    received: &Received,
) -> Result<(), Error> {
    let place = (partition, received.sequence);
    let key = (partition, received.subject.clone());
    let waits = matches!(received.outcome, Some(Outcome::Parked(_)));
    let waited = QUEUE.contains(rows, &place)?;
    if waits {
        QUEUE.put(rows, &place, &received.encode_to_vec())?;
    } else if waited {
        QUEUE.delete(rows, &place);
    }
    let count = PARKED.get(rows, &key)?.unwrap_or(0);
    let count = (count + u64::from(waits)).saturating_sub(u64::from(waited));
    if count > 0 {
        PARKED.put(rows, &key, &count)?;
    } else if waited {
        PARKED.delete(rows, &key);
    }
    Ok(())
}

/// The first events of a subject that wait, in their order: at least as many as one retry takes.
fn queue(rows: &dyn Rows, partition: Partition, subject: &str) -> Result<Vec<ParkedEvent>, Error> {
    let mut found = Vec::new();
    let mut after = None;
    while found.len() < BATCH {
        let page = QUEUE.scan(rows, &(partition,), after.as_ref(), BATCH)?;
        let Some((last, _)) = page.last() else {
            break;
        };
        after = Some(*last);
        let events = page.iter().filter_map(|(_, bytes)| read(partition, bytes));
        found.extend(events.filter(|waiting| waiting.event.subject == subject));
    }
    Ok(found)
}

fn read(partition: Partition, bytes: &[u8]) -> Option<ParkedEvent> {
    let received = Received::decode(bytes).ok()?;
    let reason = match received.outcome {
        Some(Outcome::Parked(parked)) => parked.reason,
        Some(Outcome::Applied(_) | Outcome::Skipped(_) | Outcome::Refused(_)) | None => {
            String::new()
        }
    };
    let event = Foreign {
        topic: received.source,
        partition,
        offset: received.offset,
        sequence: received.sequence,
        event_id: received.event_id,
        kind: received.r#type,
        schema: received.schema,
        subject: received.subject,
        time: time(received.time.as_ref()),
        recorded_at: time(received.recorded_at.as_ref()),
        journal: received.journal_uuid.parse().unwrap_or_default(),
        journal_offset: 0,
        journal_index: 0,
        payload: received.payload,
    };
    Some(ParkedEvent { event, reason })
}

fn time(timestamp: Option<&prost_types::Timestamp>) -> Time {
    let micros = timestamp.map_or(0, |at| at.seconds * 1_000_000 + i64::from(at.nanos / 1_000));
    Time::from_micros(micros)
}
