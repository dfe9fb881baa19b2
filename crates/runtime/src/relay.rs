//! Publishes the accepted public events of one partition, densely numbered.
//!
//! Any number of relays may run: all of them number alike, because the number is a count over the journal,
//! and readers fold by number. Records that are on their way together may arrive in another order, and then
//! readers leave some of them out. So a relay looks where its records came to stand: one behind the other, right
//! behind the last record it knows, they are taken by every reader. Otherwise it folds the public partition to
//! its end, as at its start, and goes on from there. It folds it every now and then in any case, for a log that
//! lost the end of what it had acknowledged.
//!
//! Two relays of the same partition would write everything twice. One that meets events of another's may give
//! way, by chance: it then waits a moment before it sends, and sends only what is still missing.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::stream::FuturesOrdered;
use futures::{FutureExt as _, StreamExt as _, future, poll};
use journal::{Append, Decoded, Entry, Error, ErrorKind, Log, Offset, Partition, Record, Tail};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::foreign::{Place, Source};
use crate::mutant::Mutant;
use crate::{Accepted, AcceptedTail, Engine, Fold, Foreign, PublicFold, Service, event_id};

/// How many events are on their way at once.
const WINDOW: usize = 256;
const PAUSE: Duration = Duration::from_millis(100);
/// For how long what was told of appends may go unread.
const UNREAD: Duration = Duration::from_secs(30);
/// How long a relay that gives way waits for another: as long as this, and up to as long again.
const WAY: u64 = 40;

/// The relay of one partition.
#[derive(Debug)]
pub(crate) struct Relay<S: Service> {
    pub(crate) engine: Arc<Engine<S>>,
    pub(crate) public: Arc<dyn Log>,
    pub(crate) partition: Partition,
}

/// The public partition as far as it was read.
#[derive(Default)]
struct Folded {
    /// At hand while there is something to read.
    tail: Option<Box<dyn Tail>>,
    /// The next offset to read.
    next: Offset,
    fold: PublicFold,
    /// The last event that every reader takes.
    last: Option<Last>,
    /// Whether there was an event twice since somebody looked.
    met: bool,
}

/// An event as the journal knows it.
#[derive(Debug, Clone)]
struct Last {
    event_id: String,
    /// Its place in the journal.
    place: (Offset, u32),
}

impl From<Foreign> for Last {
    fn from(event: Foreign) -> Self {
        Self {
            place: (event.journal_offset, event.journal_index),
            event_id: event.event_id,
        }
    }
}

/// What was published since the public partition was read, by what was told of the appends.
#[derive(Debug)]
struct Told {
    /// The offset behind it.
    next: Offset,
    sequence: u64,
    last: Last,
    /// When it is read after all.
    until: Instant,
}

/// Events to be sent together.
#[derive(Debug)]
struct Window {
    records: Vec<Record>,
    /// The number of the last of them; without any, of the one before.
    sequence: u64,
    last: Option<Last>,
}

/// Why a relay stops for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Log(#[from] Error),
    #[error(
        "{topic} partition {partition} was published from another journal ({found}) than this one ({here}); give each journal its own public topic (docs/errors/foreign-history.md)"
    )]
    Foreign {
        topic: String,
        partition: Partition,
        found: String,
        here: Uuid,
    },
}

impl<S: Service> Relay<S> {
    /// Publishes until it is stopped.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), Refused> {
        let mut folded = Folded::default();
        loop {
            let round = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                round = self.round(&mut folded) => round,
            };
            match round {
                Ok(()) => {}
                Err(Refused::Log(error)) if error.is_retryable() => {
                    tracing::warn!(%error, partition = self.partition, "the relay waits for the log");
                }
                Err(error) => return Err(error),
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// From the folded end on, until a window did not arrive as it was sent, or it is time to look.
    async fn round(&self, folded: &mut Folded) -> Result<(), Refused> {
        self.follow(folded).await?;
        self.check(folded.last.as_ref()).await?;
        let from = folded.last.as_ref().map_or(0, |last| last.place.0);
        let mut commits = self.engine.accepted_from(self.partition, from);
        let mut told: Option<Told> = None;
        let mut gives_way = false;
        loop {
            let is_due = |told: &Told| told.until <= Instant::now();
            if told.as_ref().is_some_and(is_due) && !Mutant::RelayTrustsDelivery.is() {
                let believed = told.take().map_or(0, |told| told.sequence);
                self.follow(folded).await?;
                if folded.fold.last() < believed {
                    return Ok(());
                }
            }
            let last = told.as_ref().map(|told| &told.last);
            let done = last.or(folded.last.as_ref()).map(|last| last.place);
            let sequence = told
                .as_ref()
                .map_or(folded.fold.last(), |told| told.sequence);
            let coming = self.window(&mut commits, done, sequence);
            let mut window = match &told {
                None => coming.await?,
                Some(told) => match timeout_at(told.until, coming).await {
                    Ok(window) => window?,
                    Err(_) => continue,
                },
            };
            if gives_way {
                let pause = WAY + self.engine.random(WAY);
                tokio::time::sleep(Duration::from_millis(pause)).await;
                self.follow(folded).await?;
                let sent = usize::try_from(folded.fold.last().saturating_sub(sequence));
                let sent = sent.unwrap_or(usize::MAX).min(window.records.len());
                window.records.drain(..sent);
                // Whatever the other one leaves to be done is this one's from now on.
                gives_way = window.records.is_empty();
            }
            if window.records.is_empty() {
                continue;
            }
            let next = told.as_ref().map_or(folded.next, |told| told.next);
            let Window {
                records,
                sequence,
                last,
            } = window;
            if let (Some(behind), Some(last)) = (self.send(records, next).await, last) {
                folded.tail = None;
                let until = told.map_or_else(|| Instant::now() + UNREAD, |told| told.until);
                told = Some(Told {
                    next: behind,
                    sequence,
                    last,
                    until,
                });
                continue;
            }
            told = None;
            folded.met = false;
            self.follow(folded).await?;
            gives_way = folded.met && self.engine.random(2) == 0;
            if folded.fold.last() < sequence {
                return Ok(());
            }
        }
    }

    /// Sends records at once and in their order: a log keeps the order in which appends are first polled,
    /// and `join_all` would poll many backwards. Tells the offset behind them if they stand one behind the other
    /// from `next` on. Otherwise what the appends came to is of no interest: the fold tells what stands there.
    async fn send(&self, records: Vec<Record>, next: Offset) -> Option<Offset> {
        let mut under_way = FuturesOrdered::new();
        for record in records {
            let mut sending = self.public.append(self.partition, record);
            under_way.push_back(match poll!(&mut sending) {
                Poll::Ready(appended) => future::ready(appended).boxed(),
                Poll::Pending => sending,
            });
        }
        let mut behind = Some(next);
        while let Some(appended) = under_way.next().await {
            let trusts = Mutant::RelayTrustsDelivery.is() && appended.is_written();
            behind = behind.filter(|next| trusts || appended == Append::Written(Some(*next)));
            behind = behind.map(|next| next + 1);
        }
        behind
    }

    /// The next public events after `done`: waits for the first, and takes what is at hand with it.
    async fn window(
        &self,
        commits: &mut AcceptedTail,
        done: Option<(Offset, u32)>,
        sequence: u64,
    ) -> Result<Window, Error> {
        let mut window = Window {
            records: Vec::new(),
            sequence,
            last: None,
        };
        while window.records.len() < WINDOW {
            let accepted = if window.records.is_empty() {
                commits.next().await?
            } else {
                match commits.next_read().await? {
                    Some(accepted) => accepted,
                    None => break,
                }
            };
            self.records(&accepted, done, &mut window);
        }
        Ok(window)
    }

    /// The records of one commit that come after `done`.
    fn records(&self, accepted: &Accepted, done: Option<(Offset, u32)>, window: &mut Window) {
        let name = format!("/patron/{}", self.engine.service().name());
        let source = Source {
            name: &name,
            journal: self.engine.journal_id(),
        };
        let mut index = 0;
        for append in &accepted.commit.appends {
            for event in &append.events {
                let at = (accepted.offset, index);
                index += 1;
                if !event.public || done.is_some_and(|done| at <= done) {
                    continue;
                }
                window.sequence += 1;
                let place = Place {
                    offset: at.0,
                    index: at.1,
                    sequence: window.sequence,
                };
                let commit = &accepted.commit;
                let record = Foreign::record(&source, commit, &append.stream, event, place);
                window.records.push(record);
                window.last = Some(Last {
                    event_id: event_id(commit.commit_id, at.1),
                    place: at,
                });
            }
        }
    }

    /// Folds the public partition up to its present end.
    async fn follow(&self, folded: &mut Folded) -> Result<(), Refused> {
        let end = self.public.end(self.partition).await?;
        if folded.next > end {
            return Err(self.cut_off(folded.next, end).into());
        }
        while folded.next < end {
            let tail = folded
                .tail
                .get_or_insert_with(|| self.public.tail(self.partition, folded.next));
            for stored in tail.next().await? {
                folded.next = stored.offset + 1;
                let topic = self.public.topic();
                let Some(event) = Foreign::read(topic, self.partition, &stored) else {
                    continue;
                };
                if event.journal != self.engine.journal_id() {
                    return Err(self.refuse(event.journal.to_string()));
                }
                if Mutant::RelayFromLastRecord.is() {
                    folded.fold = PublicFold::after(event.sequence);
                    folded.last = Some(event.into());
                } else {
                    match folded.fold.take(event.sequence) {
                        Fold::Next => folded.last = Some(event.into()),
                        Fold::Duplicate => folded.met = true,
                        Fold::Ahead => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// Checks that this journal holds the last published event where that says it stands.
    async fn check(&self, last: Option<&Last>) -> Result<(), Refused> {
        let Some(last) = last else { return Ok(()) };
        let (offset, index) = last.place;
        let missing = || self.refuse(format!("no event {} at offset {}", last.event_id, offset));
        let log = self.engine.log();
        // A tail would wait for a record that is not there.
        if log.end(self.partition).await? <= offset {
            return Err(missing());
        }
        let records = log.tail(self.partition, offset).next().await?;
        let found = records
            .first()
            .map(|stored| journal::decode(&stored.record.value));
        match found {
            Some(Decoded::Entry(Entry::Commit(commit)))
                if event_id(commit.commit_id, index) == last.event_id =>
            {
                Ok(())
            }
            _ => Err(missing()),
        }
    }

    fn cut_off(&self, known: Offset, end: Offset) -> Error {
        let (topic, partition) = (self.public.topic(), self.partition);
        let what = format!(
            "{topic} partition {partition} ends at offset {end}, and records up to {known} were acknowledged"
        );
        Error::new(ErrorKind::Truncated, what)
    }

    fn refuse(&self, found: String) -> Refused {
        Refused::Foreign {
            topic: self.public.topic().to_owned(),
            partition: self.partition,
            found,
            here: self.engine.journal_id(),
        }
    }
}
