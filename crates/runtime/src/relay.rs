//! Publishes the accepted public events of one partition, densely numbered.
//!
//! Any number of relays may run: all of them number alike, because the number is a count over the journal,
//! and readers fold by number. After any doubt a relay folds the public partition again and goes on from
//! there, never from what it believes it sent.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use journal::{Append, Decoded, Entry, Error, Log, Offset, Partition, Record};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::foreign::{Place, Source};
use crate::mutant::Mutant;
use crate::{Accepted, Engine, Fold, Foreign, PublicFold, Service, event_id};

/// How many events are on their way at once.
const WINDOW: usize = 256;
const PAUSE: Duration = Duration::from_millis(100);

/// The relay of one partition.
#[derive(Debug)]
pub(crate) struct Relay<S: Service> {
    pub(crate) engine: Arc<Engine<S>>,
    pub(crate) public: Arc<dyn Log>,
    pub(crate) partition: Partition,
}

/// The folded end of the public partition: the last event that every reader takes.
#[derive(Debug, Clone, Default)]
struct Folded {
    fold: PublicFold,
    last: Option<Foreign>,
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
        loop {
            let round = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                round = self.round() => round,
            };
            match round {
                // Something was not delivered for certain: fold again.
                Ok(()) => {}
                Err(Refused::Log(error)) if error.is_retryable() => {
                    tracing::warn!(%error, partition = self.partition, "the relay waits for the log");
                }
                Err(error) => return Err(error),
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// From the folded end on, until a delivery is in doubt.
    async fn round(&self) -> Result<(), Refused> {
        let folded = self.folded_end().await?;
        self.check(folded.last.as_ref()).await?;
        let mut sequence = folded.fold.last();
        let done = folded
            .last
            .as_ref()
            .map(|last| (last.journal_offset, last.journal_index));
        let from = done.map_or(0, |(offset, _)| offset);
        let mut commits = self.engine.accepted_from(self.partition, from);
        loop {
            let mut window = Vec::new();
            while window.is_empty() || (commits.has_read() && window.len() < WINDOW) {
                let accepted = commits.next().await?;
                self.records(&accepted, done, &mut sequence, &mut window);
            }
            let sent = window
                .into_iter()
                .map(|record| self.public.append(self.partition, record));
            if join_all(sent)
                .await
                .iter()
                .any(|outcome| *outcome != Append::Written)
            {
                return Ok(());
            }
        }
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

    /// Folds the public partition from the last known place to its end.
    async fn folded_end(&self) -> Result<Folded, Refused> {
        let end = self.public.end(self.partition).await?;
        let mut folded = Folded::default();
        let mut next = 0;
        let mut tail = self.public.tail(self.partition, next);
        while next < end {
            for stored in tail.next().await? {
                next = stored.offset + 1;
                if next > end {
                    break;
                }
                let Some(event) = Foreign::read(self.public.topic(), self.partition, &stored)
                else {
                    continue;
                };
                if Mutant::RelayFromLastRecord.is() {
                    folded.fold = PublicFold::after(event.sequence);
                    folded.last = Some(event);
                } else if folded.fold.take(event.sequence) == Fold::Next {
                    folded.last = Some(event);
                }
            }
        }
        Ok(folded)
    }

    /// Checks that this journal holds the last published event where that says it stands.
    async fn check(&self, last: Option<&Foreign>) -> Result<(), Refused> {
        let Some(last) = last else { return Ok(()) };
        let here = self.engine.journal_id();
        let refuse = |found: String| Refused::Foreign {
            topic: self.public.topic().to_owned(),
            partition: self.partition,
            found,
            here,
        };
        if last.journal != here {
            return Err(refuse(last.journal.to_string()));
        }
        self.engine
            .applied(self.partition, last.journal_offset + 1)
            .await;
        let log = self.engine.log();
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
            _ => Err(refuse(format!(
                "no event {} at offset {}",
                last.event_id, last.journal_offset
            ))),
        }
    }
}
