//! Waiting until everything that the other service has published is taken in here.

use journal::{Log, Offset, Partition, StreamId};

use crate::foreign::PublicFold;
use crate::rows::INBOX;
use crate::{Engine, Foreign, Service};

impl<S: Service> Engine<S> {
    /// Waits until every event that the other service has published by now is in this service's journal, with
    /// its effects, and in the rows.
    ///
    /// Events that were published twice, or before one that is still missing, are not waited for: they are not
    /// taken in either.
    pub async fn receive_all(&self) -> Result<(), journal::Error> {
        for partition in 0..self.placement().partitions() {
            self.receive_partition(partition).await?;
        }
        Ok(())
    }

    /// The same for what can concern `stream`: a stream has the same partition in both services.
    pub async fn receive_all_of(&self, stream: &StreamId) -> Result<(), journal::Error> {
        self.receive_partition(self.placement().partition_of(stream))
            .await
    }

    async fn receive_partition(&self, partition: Partition) -> Result<(), journal::Error> {
        let Some(foreign) = self.foreign.as_deref() else {
            return Ok(());
        };
        let end = foreign.end(partition).await?;
        let last = self.last_due(foreign, partition, end).await?;
        loop {
            // Asked for before the look, so that an advance right after it is not missed.
            let changed = self.progress().changed();
            if self.received_row(partition)?.0 >= last {
                return Ok(());
            }
            changed.await;
        }
    }

    /// The sequence number that will have been taken when everything before `end` was.
    async fn last_due(
        &self,
        foreign: &dyn Log,
        partition: Partition,
        end: Offset,
    ) -> Result<u64, journal::Error> {
        let (sequence, next) = self.received_row(partition)?;
        if next >= end {
            return Ok(sequence);
        }
        let mut fold = PublicFold::after(sequence);
        let mut tail = foreign.tail(partition, next);
        let mut at = next;
        while at < end {
            for stored in tail.next().await? {
                at = stored.offset + 1;
                if let Some(event) = Foreign::read(foreign.topic(), partition, &stored) {
                    fold.take(event.sequence);
                }
            }
        }
        Ok(fold.last())
    }

    /// The last sequence number taken of a partition, and the offset after it.
    fn received_row(&self, partition: Partition) -> Result<(u64, Offset), journal::Error> {
        let row = self.store().read(|rows| INBOX.get(rows, &partition));
        let row = row.map_err(|error| {
            journal::Error::new(journal::ErrorKind::Internal, error.to_string())
        })?;
        let row = row.unwrap_or_default();
        Ok((row.sequence, row.next))
    }
}
