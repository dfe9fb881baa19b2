//! Follows one partition: leases it, takes what comes, and leases it again after what may pass.

use std::sync::Arc;

use futures::FutureExt as _;
use journal::{BoxFuture, Error, Offset, Partition, Stored, Tail};

use crate::log::KafkaLog;
use crate::observer::Observer;
use crate::place::{Fault, Place};
use crate::reader::{Lease, Leased, Readers, closed};

/// Reads one partition, from a place on, for ever.
pub(crate) struct KafkaTail {
    place: Place,
    readers: Arc<Readers>,
    observer: Observer,
    state: State,
}

enum State {
    /// To be leased.
    Idle,
    /// Leased, with the queue once it came.
    Reading(Lease, Option<Leased>),
    /// The broker has no such place; why, is to be found out.
    Refused,
    /// It stays where it is.
    Stuck(Error),
}

impl KafkaTail {
    pub(crate) fn new(log: &KafkaLog, partition: Partition, from: Offset) -> Self {
        let mut tail = Self {
            place: Place::new(&log.topic, partition, from, log.is_compacted),
            readers: Arc::clone(&log.readers),
            observer: log.observer.clone(),
            state: State::Idle,
        };
        match log.check(partition) {
            // Begun here and not at the first read, so that records are under way meanwhile.
            Ok(()) => tail.lease(),
            Err(error) => tail.state = State::Stuck(error),
        }
        tail
    }

    fn lease(&mut self) {
        let (partition, from) = self.place.begin();
        self.state = match self.readers.lease(partition, from) {
            Ok(lease) => State::Reading(lease, None),
            Err(error) => State::Stuck(error),
        };
    }

    async fn read(&mut self) -> Result<Vec<Stored>, Error> {
        loop {
            match &mut self.state {
                State::Idle => self.lease(),
                State::Reading(lease, came) => match take(&mut self.place, lease, came).await {
                    Ok(batch) => return Ok(batch),
                    Err(Fault::NoSuchPlace) => self.give_back(State::Refused),
                    Err(Fault::Told(error)) if error.is_retryable() => {
                        self.give_back(State::Idle);
                        return Err(error);
                    }
                    Err(Fault::Told(error)) => self.give_back(State::Stuck(error)),
                },
                State::Refused => {
                    let end = self.observer.end(&self.place.topic, self.place.partition);
                    self.state = State::Stuck(self.place.refusal(end.await?));
                }
                State::Stuck(error) => return Err(error.clone()),
            }
        }
    }

    fn give_back(&mut self, next: State) {
        if let State::Reading(lease, leased) = &mut self.state {
            lease.give_back(leased.take());
        }
        self.state = next;
    }
}

impl Tail for KafkaTail {
    fn next(&mut self) -> BoxFuture<'_, Result<Vec<Stored>, Error>> {
        self.read().boxed()
    }
}

impl Drop for KafkaTail {
    fn drop(&mut self) {
        self.give_back(State::Idle);
    }
}

/// Waits until there is a record. A future that is dropped has taken nothing: records are taken at once, and
/// there is no waiting between that and handing them out.
async fn take(
    place: &mut Place,
    lease: &mut Lease,
    came: &mut Option<Leased>,
) -> Result<Vec<Stored>, Fault> {
    let leased = match came {
        Some(leased) => leased,
        None => came.insert(lease.come().await.map_err(Fault::Told)?),
    };
    loop {
        let batch = place.take(leased)?;
        if !batch.is_empty() {
            return Ok(batch);
        }
        if leased.sign.is_closed() {
            return Err(Fault::Told(closed()));
        }
        leased.sign.wait().await;
    }
}
