//! Waiting until everything that the other service has published is taken in here.

use journal::{Offset, Partition, StreamId};

use crate::rows::INBOX;
use crate::{Engine, Service};

/// How far the inbox of a partition has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Heard {
    /// The next offset to read.
    pub(crate) next: Offset,
    /// The number of the last event before that which means something here.
    pub(crate) sequence: u64,
}

impl<S: Service> Engine<S> {
    /// Waits until every event that the other service has published by now, and that means something here, is in
    /// this service's journal, with its effects, and in the rows.
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
        let (Some(foreign), Some(inbox)) =
            (self.foreign.as_deref(), self.heard.get(partition as usize))
        else {
            return Ok(());
        };
        let end = foreign.end(partition).await?;
        let mut read = inbox.subscribe();
        // The sender is this engine's own, so it is there for as long as somebody asks.
        let read = read.wait_for(|heard| heard.next >= end).await;
        let last = read.map_or(0, |heard| heard.sequence);
        loop {
            // Asked for before the look, so that an advance right after it is not missed.
            let changed = self.progress().changed();
            if self.received_sequence(partition)? >= last {
                return Ok(());
            }
            changed.await;
        }
    }

    /// Moves on how far the inbox of a partition has read.
    pub(crate) fn hears(&self, partition: Partition, read: impl FnOnce(&mut Heard)) {
        if let Some(heard) = self.heard.get(partition as usize) {
            heard.send_modify(read);
        }
    }

    /// The last sequence number taken of a partition.
    fn received_sequence(&self, partition: Partition) -> Result<u64, journal::Error> {
        let row = self.store().read(|rows| INBOX.get(rows, &partition));
        let row = row.map_err(|error| {
            journal::Error::new(journal::ErrorKind::Internal, error.to_string())
        })?;
        Ok(row.unwrap_or_default().sequence)
    }
}
