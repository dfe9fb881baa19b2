//! Follows one partition: leases it, takes what comes, and leases it again after what may pass.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use journal::{BoxFuture, Error, ErrorKind, Offset, Partition, Stored, Tail};
use tokio::time::{Instant, sleep, timeout};

use crate::log::KafkaLog;
use crate::observer::Observer;
use crate::place::{Fault, Place};
use crate::reader::{Lease, Leased, Readers, closed};

/// How long a broker may lack the end of what was read.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(200);

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
    /// The broker said that it has no such place; whether that is so is being asked, and since when it is known.
    Refused(Option<Instant>, Asked),
    /// It stays where it is.
    Stuck(Error),
}

/// Where a partition begins and ends. The question goes on when a read is dropped.
type Asked = BoxFuture<'static, Result<(Offset, Offset), Error>>;

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
                    Err(Fault::NoSuchPlace) => {
                        let asked = self.ask();
                        self.give_back(State::Refused(None, asked));
                    }
                    Err(Fault::Told(error)) if error.is_retryable() => {
                        self.give_back(State::Idle);
                        return Err(error);
                    }
                    Err(Fault::Told(error)) => self.give_back(State::Stuck(error)),
                },
                State::Refused(since, asked) => {
                    let (since, told) = (*since, asked.await);
                    self.found_out(since, told)?;
                }
                State::Stuck(error) => return Err(error.clone()),
            }
        }
    }

    fn ask(&self) -> Asked {
        let (observer, topic) = (self.observer.clone(), Arc::clone(&self.place.topic));
        let partition = self.place.partition;
        let asked = async move {
            sleep(PAUSE).await;
            let start = observer.start_of(&topic, partition).await?;
            Ok((start, observer.end(&topic, partition).await?))
        };
        asked.boxed()
    }

    /// A broker that has just come back may not know its end yet: what it lacks now it may have in a moment.
    /// What was deleted at the beginning does not come back.
    fn found_out(
        &mut self,
        since: Option<Instant>,
        told: Result<(Offset, Offset), Error>,
    ) -> Result<(), Error> {
        let (start, end) = match told {
            Ok(told) => told,
            Err(error) => {
                self.state = State::Refused(None, self.ask());
                return Err(error);
            }
        };
        let is_lasting = since.is_some_and(|since| since.elapsed() >= PATIENCE);
        self.state = match self.place.refusal(start, end) {
            Some(error) if error.kind() == ErrorKind::Gap || is_lasting => State::Stuck(error),
            Some(_) => State::Refused(since.or_else(|| Some(Instant::now())), self.ask()),
            None => {
                let (topic, partition) = (&*self.place.topic, self.place.partition);
                tracing::warn!(topic, partition, "the broker has the place after all");
                State::Idle
            }
        };
        Ok(())
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
        let sign = leased.sign.wait();
        if place.is_unseen() {
            // Where the record before is gone and was the last one, one would wait for ever.
            let signed = timeout(PATIENCE, sign).await;
            signed.map_err(|_| Fault::NoSuchPlace)?;
        } else {
            sign.await;
        }
    }
}
