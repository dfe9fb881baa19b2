//! Publishes the accepted public events of one partition, densely numbered.
//!
//! Any number of relays may run: all of them number alike, because the number is a count over the journal,
//! and readers fold by number. What a relay believes of its appends does not count: records that are on
//! their way together may arrive in another order, and then readers leave some of them out. So after each
//! window a relay folds the public partition to its end, and goes on from there.
//!
//! Two relays of the same partition would write everything twice. One that meets events of another's may give
//! way, by chance: it then waits a moment before it sends, and sends only what is still missing.

use std::sync::Arc;
use std::time::Duration;

use futures::poll;
use journal::{Decoded, Entry, Error, Log, Offset, Partition, Record, Tail};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::foreign::{Place, Source};
use crate::mutant::Mutant;
use crate::{Accepted, AcceptedTail, Engine, Fold, Foreign, PublicFold, Service, event_id};

/// How many events are on their way at once.
const WINDOW: usize = 256;
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

/// The public partition as far as it was read.
struct Folded {
    tail: Box<dyn Tail>,
    /// The next offset to read.
    next: Offset,
    fold: PublicFold,
    /// The last event that every reader takes.
    last: Option<Foreign>,
    /// Whether there was an event twice since somebody looked.
    met: bool,
}

impl Folded {
    /// The place in the journal of the last event that was published for certain.
    fn done(&self) -> Option<(Offset, u32)> {
        self.last
            .as_ref()
            .map(|last| (last.journal_offset, last.journal_index))
    }
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
        // One tail for good: a new one could not tell that records it never saw were cut off.
        let mut folded = Folded {
            tail: self.public.tail(self.partition, 0),
            next: 0,
            fold: PublicFold::default(),
            last: None,
            met: false,
        };
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

    /// From the folded end on, until a window did not arrive as it was sent.
    async fn round(&self, folded: &mut Folded) -> Result<(), Refused> {
        self.follow(folded).await?;
        self.check(folded.last.as_ref()).await?;
        let from = folded.done().map_or(0, |(offset, _)| offset);
        let mut commits = self.engine.accepted_from(self.partition, from);
        let mut gives_way = false;
        loop {
            let before = folded.fold.last();
            let mut sequence = before;
            let mut window = self
                .window(&mut commits, folded.done(), &mut sequence)
                .await?;
            if gives_way {
                let pause = WAY + self.engine.random(WAY);
                tokio::time::sleep(Duration::from_millis(pause)).await;
                self.follow(folded).await?;
                let sent = usize::try_from(folded.fold.last().saturating_sub(before));
                window.drain(..sent.unwrap_or(usize::MAX).min(window.len()));
                // Whatever the other one leaves to be done is this one's from now on.
                gives_way = window.is_empty();
            }
            if window.is_empty() {
                continue;
            }
            folded.met = false;
            self.send(window).await;
            self.follow(folded).await?;
            gives_way |= folded.met && self.engine.random(2) == 0;
            if folded.fold.last() < sequence {
                return Ok(());
            }
        }
    }

    /// Sends a window at once and in its order: a log keeps the order in which appends are first polled,
    /// and `join_all` would poll a large window backwards. What each append comes to is of no interest:
    /// the fold tells what stands there.
    async fn send(&self, window: Vec<Record>) {
        let mut under_way = Vec::new();
        for record in window {
            let mut sending = self.public.append(self.partition, record);
            if poll!(&mut sending).is_pending() {
                under_way.push(sending);
            }
        }
        for sending in under_way {
            drop(sending.await);
        }
    }

    /// The next public events after `done`: waits for the first, and takes what is at hand with it.
    async fn window(
        &self,
        commits: &mut AcceptedTail,
        done: Option<(Offset, u32)>,
        sequence: &mut u64,
    ) -> Result<Vec<Record>, Error> {
        let mut window = Vec::new();
        while window.len() < WINDOW {
            let accepted = if window.is_empty() {
                commits.next().await?
            } else {
                match commits.next_read().await? {
                    Some(accepted) => accepted,
                    None => break,
                }
            };
            self.records(&accepted, done, sequence, &mut window);
        }
        Ok(window)
    }

    /// The records of one commit that come after `done`.
    fn records(
        &self,
        accepted: &Accepted,
        done: Option<(Offset, u32)>,
        sequence: &mut u64,
        window: &mut Vec<Record>,
    ) {
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
                *sequence += 1;
                let place = Place {
                    offset: at.0,
                    index: at.1,
                    sequence: *sequence,
                };
                window.push(Foreign::record(
                    &source,
                    &accepted.commit,
                    &append.stream,
                    event,
                    place,
                ));
            }
        }
    }

    /// Folds the public partition up to its present end.
    async fn follow(&self, folded: &mut Folded) -> Result<(), Refused> {
        let end = self.public.end(self.partition).await?;
        while folded.next < end {
            for stored in folded.tail.next().await? {
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
                    folded.last = Some(event);
                } else {
                    match folded.fold.take(event.sequence) {
                        Fold::Next => folded.last = Some(event),
                        Fold::Duplicate => folded.met = true,
                        Fold::Ahead => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// Checks that this journal holds the last published event where that says it stands.
    async fn check(&self, last: Option<&Foreign>) -> Result<(), Refused> {
        let Some(last) = last else { return Ok(()) };
        let missing = || {
            self.refuse(format!(
                "no event {} at offset {}",
                last.event_id, last.journal_offset
            ))
        };
        let log = self.engine.log();
        // A tail would wait for a record that is not there.
        if log.end(self.partition).await? <= last.journal_offset {
            return Err(missing());
        }
        let records = log.tail(self.partition, last.journal_offset).next().await?;
        let found = records
            .first()
            .map(|stored| journal::decode(&stored.record.value));
        match found {
            Some(Decoded::Entry(Entry::Commit(commit)))
                if event_id(commit.commit_id, last.journal_index) == last.event_id =>
            {
                Ok(())
            }
            _ => Err(missing()),
        }
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
