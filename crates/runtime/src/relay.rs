//! Publishes the accepted public events of one partition, densely numbered.
//!
//! Any number of relays may run: all of them number alike, because the number is a count over the journal,
//! and readers fold by number. Records that are on their way together may arrive in another order, and then
//! readers leave some of them out. So a relay looks where its records came to stand (`published.rs`), and goes on
//! only from what every reader takes.
//!
//! Two relays of the same partition would write everything twice. One that meets events of another's may give
//! way, by chance: it then waits a moment before it sends, and sends only what is still missing.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::future::{self, Either};
use futures::stream::FuturesOrdered;
use futures::{StreamExt as _, poll};
use journal::{Append, Decoded, Entry, Error, Log, Offset, Partition, Record};
use tokio::task::unconstrained;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::foreign::{Place, Source};
use crate::mutant::Mutant;
use crate::published::{Last, Published, Refused};
use crate::{Accepted, AcceptedTail, Engine, Foreign, Service, event_id};

/// How many events are on their way at once.
const BATCH: usize = 256;
const PAUSE: Duration = Duration::from_millis(100);
/// How long a relay that gives way waits for another: as long as this, and up to as long again.
const WAY: u64 = 40;

/// The relay of one partition.
#[derive(Debug)]
pub(crate) struct Relay<S: Service> {
    pub(crate) engine: Arc<Engine<S>>,
    pub(crate) public: Arc<dyn Log>,
    pub(crate) partition: Partition,
}

/// Events to be sent together.
#[derive(Debug)]
struct Batch {
    events: Vec<(Last, Record)>,
    /// The number of the last of them; without any, of the one before.
    sequence: u64,
}

impl<S: Service> Relay<S> {
    /// Publishes until it is stopped.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), Refused> {
        let journal = self.engine.journal_id();
        let mut published = Published::new(&self.public, self.partition, journal);
        loop {
            let round = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                round = self.round(&mut published) => round,
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

    /// From what every reader takes on, until a batch did not arrive as it was sent.
    async fn round(&self, published: &mut Published) -> Result<(), Refused> {
        published.follow().await?;
        if let Some(last) = published.last().cloned()
            && !self.holds(&last).await?
        {
            let Last { event_id, place } = last;
            return Err(published.refuse(format!("no event {event_id} at offset {}", place.0)));
        }
        let from = published.last().map_or(0, |last| last.place.0);
        let mut commits = self.engine.accepted_from(self.partition, from);
        let mut gives_way = false;
        loop {
            if published.due().is_some_and(|due| due <= Instant::now()) {
                published.look().await?;
            }
            let done = published.last().map(|last| last.place);
            let coming = self.batch(&mut commits, done, published.sequence());
            let mut batch = match published.due() {
                None => coming.await?,
                // While it waits it has taken nothing.
                Some(due) => match timeout_at(due, coming).await {
                    Ok(batch) => batch?,
                    Err(_) => continue,
                },
            };
            if gives_way {
                let pause = WAY + self.engine.random(WAY);
                tokio::time::sleep(Duration::from_millis(pause)).await;
                let before = published.sequence();
                published.follow().await?;
                let sent = usize::try_from(published.sequence().saturating_sub(before));
                let sent = sent.unwrap_or(usize::MAX).min(batch.events.len());
                batch.events.drain(..sent);
                // Whatever the other one leaves to be done is this one's from now on.
                gives_way = batch.events.is_empty();
            }
            if batch.events.is_empty() {
                continue;
            }
            let (events, records): (Vec<Last>, Vec<Record>) = batch.events.into_iter().unzip();
            if self.send(records, published.next()).await {
                published.tell(&events);
                continue;
            }
            gives_way = published.follow().await? && self.engine.random(2) == 0;
            if published.sequence() < batch.sequence {
                return Ok(());
            }
        }
    }

    /// Sends records at once and in their order: a log keeps the order in which appends are first polled,
    /// and `join_all` would poll many backwards. Whether they stand one behind the other from `next` on; otherwise
    /// what the appends came to is of no interest: the fold tells what stands there.
    async fn send(&self, records: Vec<Record>, next: Offset) -> bool {
        let mut under_way = FuturesOrdered::new();
        for record in records {
            // A task's budget would leave the later ones of many unpolled.
            let sending = self.public.append(self.partition, record);
            let mut sending = unconstrained(sending);
            under_way.push_back(match poll!(&mut sending) {
                Poll::Ready(appended) => Either::Left(future::ready(appended)),
                Poll::Pending => Either::Right(sending),
            });
        }
        let mut behind = Some(next);
        while let Some(appended) = under_way.next().await {
            let trusts = Mutant::RelayTrustsDelivery.is() && appended.is_written();
            behind = behind.filter(|next| trusts || appended == Append::Written(Some(*next)));
            behind = behind.map(|next| next + 1);
        }
        behind.is_some()
    }

    /// The next public events after `done`, numbered from behind `sequence`: waits for the first, and takes what
    /// is at hand with it.
    async fn batch(
        &self,
        commits: &mut AcceptedTail,
        done: Option<(Offset, u32)>,
        sequence: u64,
    ) -> Result<Batch, Error> {
        let mut batch = Batch {
            events: Vec::new(),
            sequence,
        };
        while batch.events.is_empty() {
            let accepted = commits.next().await?;
            self.records(&accepted, done, &mut batch);
        }
        // Nothing is awaited from here on: what was taken would be lost if this was dropped.
        while batch.events.len() < BATCH
            && let Some(accepted) = commits.next_read()?
        {
            self.records(&accepted, done, &mut batch);
        }
        Ok(batch)
    }

    /// The records of one commit that come after `done`.
    fn records(&self, accepted: &Accepted, done: Option<(Offset, u32)>, batch: &mut Batch) {
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
                batch.sequence += 1;
                let place = Place {
                    offset: at.0,
                    index: at.1,
                    sequence: batch.sequence,
                };
                let commit = &accepted.commit;
                let record = Foreign::record(&source, commit, &append.stream, event, place);
                let event = Last {
                    event_id: event_id(commit.commit_id, at.1),
                    place: at,
                };
                batch.events.push((event, record));
            }
        }
    }

    /// Whether this journal holds an event where it says it stands.
    async fn holds(&self, last: &Last) -> Result<bool, Error> {
        let (offset, index) = last.place;
        let log = self.engine.log();
        // A tail would wait for a record that is not there.
        if log.end(self.partition).await? <= offset {
            return Ok(false);
        }
        let records = log.tail(self.partition, offset).next().await?;
        let found = records
            .first()
            .map(|stored| journal::decode(&stored.record.value));
        let Some(Decoded::Entry(Entry::Commit(commit))) = found else {
            return Ok(false);
        };
        Ok(event_id(commit.commit_id, index) == last.event_id)
    }
}
