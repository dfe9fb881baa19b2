//! One command, step by step: decide on a snapshot, append, and answer after one's own applier judged it.

use std::sync::Arc;
use std::time::Duration;

use journal::{Append, Commit, MAX_COMMIT_BYTES, Offset, Partition, Position, Record, StreamId};
use read_model::{Rows, Scratch};
use tokio::sync::TryAcquireError;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::engine::SHUTTING_DOWN;
use crate::mutant::Mutant;
use crate::rows::{POSITIONS, REQUESTS, REQUESTS_REMEMBERED, UNREADABLE, VERSIONS};
use crate::waiters::Verdict;
use crate::{ApplyError, Engine, Service, Work};

/// Who asks for what, beside the decision itself.
#[derive(Debug, Clone)]
pub struct Request {
    /// The stream of the aggregate that the command addresses.
    pub root: StreamId,
    /// The same id again means the same command again.
    pub request_id: Uuid,
    /// A hash of the request as sent, without personal fields.
    pub fingerprint: [u8; 16],
    /// The version that the caller believes the root to have.
    pub etag: Option<u64>,
    /// Only asks whether it would be possible.
    pub validate_only: bool,
    /// Who asks, for the record.
    pub actor: String,
    /// W3C trace context, or empty.
    pub trace_context: String,
    /// Until when the caller waits.
    pub deadline: Option<Instant>,
}

/// What a command comes to.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// What `answer` read from the rows.
    pub value: T,
    /// Where this replica stands with the answer: a later query with it sees at least as much.
    pub position: Position,
    /// Whether the request had taken effect before and nothing new was written.
    pub replayed: bool,
}

/// Why a decision ends without events.
#[derive(Debug)]
pub enum Stop<R> {
    /// The domain says no.
    Refused(R),
    /// The rows could not be read.
    Fault(String),
}

/// Why a command has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure<R> {
    /// The domain says no.
    #[error("refused")]
    Refused(R),
    /// The request id was used for something else.
    #[error("this request_id was used for a different request: use a new one for each new request")]
    RequestIdReused,
    /// The etag is not the resource's present one.
    #[error("the etag is not the present one, \"{current}\": load the resource again and retry")]
    StaleEtag {
        /// The root's present version.
        current: u64,
    },
    /// Others changed the same thing each time.
    #[error("others changed the same resource {attempts} times meanwhile: retry")]
    Conflict {
        /// How often it was decided.
        attempts: u32,
    },
    /// Too many commands are under way.
    #[error("too many requests are under way here: retry after a pause")]
    Overloaded,
    /// This instance cannot serve now.
    #[error("this instance is not ready: {0}")]
    NotReady(String),
    /// The stream has an event of a newer release.
    #[error("this release cannot read all of {stream}: ask an instance of the newer release")]
    Unreadable {
        /// The stream.
        stream: String,
    },
    /// The commit would be larger than a log takes.
    #[error(
        "the change needs {bytes} bytes, more than one commit may have ({MAX_COMMIT_BYTES}): split it"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Nothing was written.
    #[error("nothing was written ({0}): retry")]
    NotWritten(String),
    /// Nothing was written before the deadline.
    #[error("the deadline passed before anything was written")]
    Deadline,
    /// It may or may not have been written.
    #[error("the outcome is unknown: retry with the same request_id to learn it")]
    OutcomeUnknown,
    /// A fault of this instance.
    #[error("a fault of this instance: {0}")]
    Internal(String),
}

impl<R> From<read_model::Error> for Stop<R> {
    fn from(error: read_model::Error) -> Self {
        Self::Fault(error.to_string())
    }
}

impl<R> From<ApplyError> for Stop<R> {
    fn from(error: ApplyError) -> Self {
        Self::Fault(error.to_string())
    }
}

/// What one look at one snapshot came to.
enum Attempt<T, R> {
    Replayed(T),
    Valid(T),
    No(Failure<R>),
    Draft(Box<Commit>),
}

const LONGEST_JITTER_MILLIS: u64 = 20;

impl<S: Service> Engine<S> {
    /// Executes one command: `decide` on the rows of one moment, then `answer` from the rows after it.
    ///
    /// `decide` may run several times and must not keep anything from one run to the next. The work goes
    /// on when the returned future is dropped: a caller who goes away does not cut a write in half.
    pub async fn execute<T, R, D, A>(
        self: &Arc<Self>,
        request: Request,
        decide: D,
        answer: A,
    ) -> Result<Answer<T>, Failure<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
        D: Fn(&mut Work<'_>) -> Result<(), Stop<R>> + Send + Sync + 'static,
        A: Fn(&dyn Rows) -> Result<T, read_model::Error> + Send + Sync + 'static,
    {
        if let Err(why) = self.ready() {
            return Err(Failure::NotReady(why));
        }
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(TryAcquireError::NoPermits) => return Err(Failure::Overloaded),
            Err(TryAcquireError::Closed) => {
                return Err(Failure::NotReady(SHUTTING_DOWN.to_owned()));
            }
        };
        let engine = Arc::clone(self);
        let work = self.commands.spawn(async move {
            let _permit = permit;
            engine.run(&request, &decide, &answer).await
        });
        work.await
            .unwrap_or_else(|error| Err(Failure::Internal(error.to_string())))
    }

    async fn run<T, R, D, A>(
        self: &Arc<Self>,
        request: &Request,
        decide: &D,
        answer: &A,
    ) -> Result<Answer<T>, Failure<R>>
    where
        D: Fn(&mut Work<'_>) -> Result<(), Stop<R>>,
        A: Fn(&dyn Rows) -> Result<T, read_model::Error>,
    {
        let partition = self.placement.partition_of(&request.root);
        let deadline = request
            .deadline
            .unwrap_or_else(|| Instant::now() + self.options.default_deadline);
        let turn = timeout_at(deadline, self.locks.lock(&request.root)).await;
        let _turn = turn.map_err(|_| Failure::Deadline)?;

        let mut behind = !Mutant::NoBarrierBeforeRefusing.is();
        let mut attempts = 0;
        loop {
            match self.attempt(partition, request, decide, answer) {
                Attempt::Replayed(value) => return Ok(self.answered(value, true)),
                // This replica may lag behind the facts: catch up to the log's end and ask once more.
                Attempt::Valid(_) | Attempt::No(_) if behind => {
                    behind = false;
                    self.catch_up(partition, deadline).await?;
                }
                Attempt::Valid(value) => return Ok(self.answered(value, false)),
                Attempt::No(failure) => return Err(failure),
                Attempt::Draft(_) if Instant::now() >= deadline => return Err(Failure::Deadline),
                Attempt::Draft(commit) => {
                    attempts += 1;
                    let written = self.write(partition, *commit, deadline).await;
                    match written.map_err(Failure::from)? {
                        Verdict::Accepted { .. } => {
                            let value = self.store.read(|rows| answer(rows));
                            let value =
                                value.map_err(|error| Failure::Internal(error.to_string()))?;
                            return Ok(self.answered(value, false));
                        }
                        Verdict::Ignored if attempts >= self.options.max_attempts => {
                            return Err(Failure::Conflict { attempts });
                        }
                        Verdict::Ignored => tokio::time::sleep(self.jitter()).await,
                    }
                }
            }
        }
    }

    /// Steps 3 and 4: everything from one snapshot.
    fn attempt<T, R, D, A>(
        &self,
        partition: Partition,
        request: &Request,
        decide: &D,
        answer: &A,
    ) -> Attempt<T, R>
    where
        D: Fn(&mut Work<'_>) -> Result<(), Stop<R>>,
        A: Fn(&dyn Rows) -> Result<T, read_model::Error>,
    {
        let attempt = self
            .store
            .read(|snapshot| -> Result<Attempt<T, R>, read_model::Error> {
                if let Some(seen) = remembered(snapshot, partition, request)? {
                    return Ok(match seen {
                        Seen::Same => Attempt::Replayed(answer(snapshot)?),
                        Seen::Other => Attempt::No(Failure::RequestIdReused),
                    });
                }
                if UNREADABLE.contains(snapshot, &request.root.to_string())? {
                    let stream = request.root.to_string();
                    return Ok(Attempt::No(Failure::Unreadable { stream }));
                }
                let current = VERSIONS
                    .get(snapshot, &request.root.to_string())?
                    .unwrap_or(0);
                if request.etag.is_some_and(|etag| etag != current) {
                    return Ok(Attempt::No(Failure::StaleEtag { current }));
                }
                let mut scratch = Scratch::new(snapshot);
                let commit_id = self.new_id();
                let now = self.clock.now();
                let mut work = Work::on(
                    &mut scratch,
                    self.service(),
                    &request.root,
                    partition,
                    commit_id,
                    now,
                )?
                .validating(request.validate_only);
                let decided = decide(&mut work);
                if let Some(stream) = work.unreadable() {
                    let stream = stream.to_string();
                    return Ok(Attempt::No(Failure::Unreadable { stream }));
                }
                if let Err(stop) = decided {
                    return Ok(Attempt::No(match stop {
                        Stop::Refused(refusal) => Failure::Refused(refusal),
                        Stop::Fault(fault) => Failure::Internal(fault),
                    }));
                }
                if request.validate_only || (Mutant::NoUnchanged.is() && work.events() == 0) {
                    return Ok(Attempt::Valid(answer(work.rows())?));
                }
                let appends = work.into_appends();
                Ok(Attempt::Draft(Box::new(Commit {
                    commit_id,
                    request_id: request.request_id,
                    fingerprint: request.fingerprint,
                    actor: request.actor.clone(),
                    time: now,
                    trace_context: request.trace_context.clone(),
                    appends,
                })))
            });
        attempt.unwrap_or_else(|error| Attempt::No(Failure::Internal(error.to_string())))
    }

    /// Waits until this replica has applied all that the log holds now.
    async fn catch_up<R>(&self, partition: Partition, deadline: Instant) -> Result<(), Failure<R>> {
        let caught_up = timeout_at(deadline, async {
            let end = self.log.end(partition).await?;
            self.progress.reach(partition, end).await;
            Ok::<(), journal::Error>(())
        });
        match caught_up.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failure::NotReady(error.to_string())),
            Err(_) => Err(Failure::Deadline),
        }
    }

    /// Steps 7 and 8: appends, and waits for the verdict of this replica's own applier.
    pub(crate) async fn write(
        &self,
        partition: Partition,
        mut commit: Commit,
        deadline: Instant,
    ) -> Result<Verdict, NotJudged> {
        if Mutant::TornSnapshot.is() {
            self.tear(&mut commit).await;
        }
        let commit_id = commit.commit_id;
        let bytes = journal::encode_commit(&commit);
        if bytes.len() > MAX_COMMIT_BYTES {
            return Err(NotJudged::TooLarge(bytes.len()));
        }
        let verdict = self.waiters.register(commit_id);
        let appended = self
            .commands
            .spawn(self.log.append(partition, Record::value(bytes)));
        let judged = async {
            match appended.await {
                Ok(Append::NotWritten(why)) => return Err(NotJudged::NotWritten(why)),
                Ok(Append::Written(_)) if Mutant::AnswerAtDelivery.is() => {
                    return Ok(Verdict::Accepted {
                        offset: Offset::MAX,
                    });
                }
                // Whatever the log says, the record counts when it is read back.
                Ok(Append::Written(_) | Append::Unknown(_)) => {}
                // A task that broke off says nothing of the record it had handed over.
                Err(_) => return Err(NotJudged::Unknown),
            }
            verdict.await.map_err(|_| NotJudged::Unknown)
        };
        let outcome = timeout_at(deadline, judged)
            .await
            .unwrap_or(Err(NotJudged::Unknown));
        self.waiters.forget(commit_id);
        outcome
    }

    /// A mutant: takes the versions of a later moment than the state.
    async fn tear(&self, commit: &mut Commit) {
        tokio::time::sleep(Duration::from_millis(1)).await;
        for append in &mut commit.appends {
            let stream = append.stream.to_string();
            if let Ok(version) = self.store.read(|rows| VERSIONS.get(rows, &stream)) {
                append.expected_version = version.unwrap_or(0);
            }
        }
    }

    fn answered<T>(&self, value: T, replayed: bool) -> Answer<T> {
        Answer {
            value,
            position: self.position(),
            replayed,
        }
    }

    fn jitter(&self) -> Duration {
        Duration::from_millis(self.random(LONGEST_JITTER_MILLIS))
    }
}

/// Whether the request took effect within the last 30 days of recorded time.
fn remembered(
    rows: &dyn Rows,
    partition: Partition,
    request: &Request,
) -> Result<Option<Seen>, read_model::Error> {
    if Mutant::NoRequestIdLookup.is() {
        return Ok(None);
    }
    let Some(row) = REQUESTS.get(rows, &(request.root.to_string(), request.request_id))? else {
        return Ok(None);
    };
    let now = POSITIONS
        .get(rows, &partition)?
        .unwrap_or_default()
        .recorded_at;
    let forgotten = eventsourcing::Time::from_micros(now).minus_days(REQUESTS_REMEMBERED);
    if row.recorded_at < forgotten.micros() {
        return Ok(None);
    }
    let same = row.fingerprint == request.fingerprint;
    Ok(Some(if same { Seen::Same } else { Seen::Other }))
}

enum Seen {
    Same,
    Other,
}

/// Why an append has no verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotJudged {
    TooLarge(usize),
    NotWritten(String),
    Unknown,
}

impl<R> From<NotJudged> for Failure<R> {
    fn from(not_judged: NotJudged) -> Self {
        match not_judged {
            NotJudged::TooLarge(bytes) => Self::TooLarge { bytes },
            NotJudged::NotWritten(why) => Self::NotWritten(why),
            NotJudged::Unknown => Self::OutcomeUnknown,
        }
    }
}

impl<S: Service> Engine<S> {
    /// A new identifier; from the seed in a simulated run.
    pub(crate) fn new_id(&self) -> Uuid {
        let (high, low) = (self.random(u64::MAX), self.random(u64::MAX));
        let bytes = ((u128::from(high) << 64) | u128::from(low)).to_be_bytes();
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}
