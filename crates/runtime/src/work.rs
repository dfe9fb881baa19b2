//! One decision in the making: what it read, what it wants to happen, and the rows as they would then be.

use eventsourcing::Time;
use journal::{AppendTo, Event, Offset, Partition, StreamId};
use read_model::{Rows, RowsMut};
use uuid::Uuid;

use crate::applier::{RECEIVED, fold_received};
use crate::marks;
use crate::mutant::Mutant;
use crate::rows::{UNREADABLE, VERSIONS};
use crate::{ApplyError, Fact, Service};

/// What `Unchanged` is called in a commit: an event without meaning that makes an OK a fact.
pub(crate) const UNCHANGED: &str = "patron.journal.v1.Unchanged";

/// One decision in the making.
///
/// The rows are a scratch copy on top of one snapshot. [`emit`](Self::emit) applies each event to it at
/// once, with the same code that the applier will use, so that a later part of the decision sees what an
/// earlier part did. Streams whose version was looked at are guarded: if one of them moves before the
/// commit stands, the decision is taken again.
pub struct Work<'a> {
    rows: &'a mut dyn RowsMut,
    service: &'a dyn Service,
    partition: Partition,
    commit_id: Uuid,
    now: Time,
    /// Whether it is never written, and answered from these rows.
    validates_only: bool,
    streams: Vec<Tracked>,
    unreadable: Option<StreamId>,
}

#[derive(Debug)]
struct Tracked {
    stream: StreamId,
    expected: u64,
    events: Vec<Event>,
}

impl std::fmt::Debug for Work<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Work")
            .field("partition", &self.partition)
            .field("streams", &self.streams)
            .finish_non_exhaustive()
    }
}

impl<'a> Work<'a> {
    /// A decision whose root is `root`: that stream comes first in the commit.
    pub(crate) fn on(
        rows: &'a mut dyn RowsMut,
        service: &'a dyn Service,
        root: &StreamId,
        partition: Partition,
        commit_id: Uuid,
        now: Time,
    ) -> Result<Self, read_model::Error> {
        let mut work = Self {
            rows,
            service,
            partition,
            commit_id,
            now,
            validates_only: false,
            streams: Vec::new(),
            unreadable: None,
        };
        work.version(root)?;
        Ok(work)
    }

    /// The same, but nothing of it is written if it `validates_only`.
    pub(crate) const fn validating(mut self, validates_only: bool) -> Self {
        self.validates_only = validates_only;
        self
    }

    /// The present, for the whole of this decision.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// The commit that this decision will be, if it stands.
    pub const fn commit_id(&self) -> Uuid {
        self.commit_id
    }

    /// The rows as they are with the events emitted so far. Reading them guards nothing: use it for facts
    /// of other aggregates, which a decision may see a little late.
    pub fn rows(&self) -> &dyn Rows {
        self.rows
    }

    /// The version of `stream`, which the decision from now on rests on.
    pub fn version(&mut self, stream: &StreamId) -> Result<u64, read_model::Error> {
        if let Some(tracked) = self
            .streams
            .iter()
            .find(|tracked| tracked.stream == *stream)
        {
            return Ok(tracked.version());
        }
        let name = stream.to_string();
        let expected = VERSIONS.get(self.rows, &name)?.unwrap_or(0);
        if self.unreadable.is_none() && UNREADABLE.contains(self.rows, &name)? {
            self.unreadable = Some(stream.clone());
        }
        self.streams.push(Tracked {
            stream: stream.clone(),
            expected,
            events: Vec::new(),
        });
        Ok(expected)
    }

    /// Lets `event` happen to `stream`.
    pub fn emit(&mut self, stream: &StreamId, event: Event) -> Result<(), ApplyError> {
        self.happen(stream, event, true)
    }

    /// Lets one of the last events of a decision happen: the decision looks at no rows after it. So it is not
    /// folded here, which is half the work of a command, unless somebody who only validates is to be answered.
    pub fn conclude(&mut self, stream: &StreamId, event: Event) -> Result<(), ApplyError> {
        let folds = self.validates_only;
        self.happen(stream, event, folds)
    }

    fn happen(&mut self, stream: &StreamId, event: Event, folds: bool) -> Result<(), ApplyError> {
        let version = self.version(stream)? + 1;
        let index = u32::try_from(self.events()).unwrap_or(u32::MAX);
        let fact = Fact {
            stream,
            version,
            partition: self.partition,
            offset: Offset::MAX,
            index,
            commit_id: self.commit_id,
            request_id: Uuid::nil(),
            recorded_at: self.now,
            event: &event,
        };
        if folds && event.kind == RECEIVED {
            fold_received(self.rows, &fact)?;
        }
        if folds && !marks::fold(self.rows, &fact)? {
            self.service.apply(self.rows, &fact)?;
        }
        if let Some(tracked) = self
            .streams
            .iter_mut()
            .find(|tracked| tracked.stream == *stream)
        {
            tracked.events.push(event);
        }
        Ok(())
    }

    /// A stream that this decision rests on, although this release cannot read all of it: whatever was
    /// decided is worth nothing.
    pub(crate) const fn unreadable(&self) -> Option<&StreamId> {
        self.unreadable.as_ref()
    }

    /// How many events were emitted so far.
    pub fn events(&self) -> usize {
        self.streams
            .iter()
            .map(|tracked| tracked.events.len())
            .sum()
    }

    /// What the commit appends. A decision without events on its root still leaves one there: `Unchanged`.
    ///
    /// So each accepted commit moves the stream under which its request is remembered, and a repeat that
    /// was decided by a replica which does not know of it yet cannot be accepted as well.
    pub(crate) fn into_appends(mut self) -> Vec<AppendTo> {
        if let Some(root) = self.streams.first_mut()
            && root.events.is_empty()
        {
            root.events.push(unchanged());
        }
        self.streams
            .into_iter()
            .filter(|tracked| !(Mutant::NoGuard.is() && tracked.events.is_empty()))
            .map(|tracked| AppendTo {
                stream: tracked.stream,
                expected_version: tracked.expected,
                events: tracked.events,
            })
            .collect()
    }
}

impl Tracked {
    fn version(&self) -> u64 {
        self.expected + self.events.len() as u64
    }
}

fn unchanged() -> Event {
    Event {
        kind: UNCHANGED.to_owned(),
        schema: 1,
        public: false,
        payload: bytes::Bytes::new(),
    }
}
