//! One client's way to both services: every command is sent until something final is heard, with the same
//! request id, each time at another instance.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use journal::Position;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::history::{Answer, Book, Op, Read};
use crate::instance::{Both, Service};

/// What clients call themselves in `patron-actor`.
pub(crate) const ACTOR: &str = "chaos";

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Where the instances are, and when the run began and when clients give up.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// Their instances.
    pub(crate) instances: Both<Vec<Channel>>,
    /// All times are since this moment.
    pub(crate) began: Instant,
    /// Whoever has no answer by then never gets one.
    pub(crate) gives_up: Instant,
}

/// One client.
#[derive(Debug)]
pub(crate) struct Session {
    around: Surroundings,
    book: Rc<Book>,
    pub(crate) chance: StdRng,
    known: HashMap<String, u64>,
    positions: Both<Option<Position>>,
}

/// A resource that may say which version of which stream it shows.
pub(crate) trait Shown {
    /// The etag, or nothing where the resource has none.
    fn etag(&self) -> Option<&str> {
        None
    }
}

/// A channel that connects when it is used, as often as it takes.
pub(crate) fn channel(url: &str) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned())?
        .connect_timeout(Duration::from_secs(1))
        .tcp_nodelay(true);
    Ok(endpoint.connect_lazy())
}

impl Session {
    /// A client whose choices follow from `seed`.
    pub(crate) fn new(around: Surroundings, book: Rc<Book>, seed: u64) -> Self {
        Self {
            around,
            book,
            chance: StdRng::seed_from_u64(seed),
            known: HashMap::new(),
            positions: Both::default(),
        }
    }

    /// A new request id.
    pub(crate) fn request_id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.chance.random()).into_uuid()
    }

    /// True in so many of a hundred cases.
    pub(crate) fn in_percent(&mut self, percent: u32) -> bool {
        self.chance.random_range(0..100) < percent
    }

    /// The last version of a stream that this client was told.
    pub(crate) fn known(&self, root: &str) -> u64 {
        self.known.get(root).copied().unwrap_or_default()
    }

    /// Sends a command until something final is heard. Some that are done are sent once more.
    pub(crate) async fn command<M: Clone, R: Shown>(
        &mut self,
        ask: Ask<M>,
        call: impl AsyncFn(Channel, Request<M>) -> Result<Response<R>, Status>,
    ) -> Option<R> {
        let number = self.book.open(Op {
            service: ask.service,
            what: ask.what,
            root: ask.root.clone(),
            request_id: ask.request_id,
            asked: self.around.began.elapsed(),
            sent: 0,
            slept: Duration::ZERO,
            heard: None,
            answers: Vec::new(),
            trouble: String::new(),
        });
        let answer = self.until_heard(number, &ask, &call).await;
        if answer.is_some() && self.in_percent(10) {
            // As if the answer had been lost on its way.
            return self.until_heard(number, &ask, &call).await;
        }
        answer
    }

    async fn until_heard<M: Clone, R: Shown>(
        &mut self,
        number: usize,
        ask: &Ask<M>,
        call: &impl AsyncFn(Channel, Request<M>) -> Result<Response<R>, Status>,
    ) -> Option<R> {
        let mut pause = FIRST_PAUSE;
        let mut at = self.chance.random_range(0..2_usize);
        while Instant::now() < self.around.gives_up {
            let instances = self.around.instances.of(ask.service);
            let channel = instances.get(at % instances.len())?.clone();
            self.book.note(number, |op| op.sent += 1);
            let heard = self.attempt(ask, channel, call).await;
            let now = self.around.began.elapsed();
            match heard {
                Ok((answer, value)) => {
                    self.book.note(number, |op| {
                        op.heard.get_or_insert(now);
                        op.answers.push(answer);
                    });
                    return value;
                }
                Err(trouble) => {
                    self.book.note(number, |op| {
                        op.trouble = trouble;
                        if op.heard.is_none() {
                            op.slept += pause;
                        }
                    });
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    at += 1;
                }
            }
        }
        None
    }

    /// One attempt: what was heard, or why it has to be tried again.
    async fn attempt<M: Clone, R: Shown>(
        &mut self,
        ask: &Ask<M>,
        channel: Channel,
        call: &impl AsyncFn(Channel, Request<M>) -> Result<Response<R>, Status>,
    ) -> Result<(Answer, Option<R>), String> {
        let request = request(ask.message.clone());
        // The server keeps the deadline; a server that is stopped keeps nothing.
        let result = timeout(ATTEMPT + Duration::from_secs(1), call(channel, request)).await;
        match result {
            Err(_) => Err("no answer in time".to_owned()),
            Ok(Ok(response)) => {
                let position = position(&response).ok_or("an answer without a position")?;
                let version = response.get_ref().etag().and_then(version);
                self.learn(ask, version, &position);
                let value = response.into_inner();
                Ok((Answer::Done { version, position }, Some(value)))
            }
            Ok(Err(status)) => refused(&status, ask.etag).map(|answer| (answer, None)),
        }
    }

    /// Reads a stream, not behind what this client knows; nothing where no instance is up to that now.
    pub(crate) async fn query<M, R: Shown>(
        &mut self,
        service: Service,
        root: &str,
        message: impl FnOnce(String) -> M,
        call: impl AsyncFn(Channel, Request<M>) -> Result<Response<R>, Status>,
    ) -> Option<R> {
        let least = self.known(root);
        let position = self.positions.of(service).as_ref();
        let message = message(position.map(ToString::to_string).unwrap_or_default());
        let instances = self.around.instances.of(service);
        let at = self.chance.random_range(0..instances.len());
        let channel = instances.get(at)?.clone();
        let request = request(message);
        let response = timeout(ATTEMPT, call(channel, request)).await.ok()?.ok()?;
        if let Some(found) = response.get_ref().etag().and_then(version) {
            let root = root.to_owned();
            self.known.insert(root.clone(), found.max(least));
            self.book.read(Read { root, least, found });
        }
        Some(response.into_inner())
    }

    fn learn<M>(&mut self, ask: &Ask<M>, version: Option<u64>, position: &Position) {
        if let (Some(root), Some(version)) = (&ask.root, version) {
            let known = self.known(root).max(version);
            self.known.insert(root.clone(), known);
        }
        let place = self.positions.of_mut(ask.service);
        let merged = place.as_ref().and_then(|known| known.merge(position));
        *place = merged.or_else(|| Some(position.clone()));
    }
}

/// A command to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Ask<M> {
    pub(crate) service: Service,
    pub(crate) what: &'static str,
    pub(crate) root: Option<String>,
    pub(crate) request_id: Uuid,
    /// The version that the message expects, if it does.
    pub(crate) etag: Option<u64>,
    pub(crate) message: M,
}

/// A request that says who asks and how long it waits.
fn request<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.set_timeout(ATTEMPT);
    request.metadata_mut().insert(
        "patron-actor",
        tonic::metadata::MetadataValue::from_static(ACTOR),
    );
    request
}

fn position<R>(response: &Response<R>) -> Option<Position> {
    let token = response.metadata().get("patron-position")?;
    token.to_str().ok()?.parse().ok()
}

fn version(etag: &str) -> Option<u64> {
    etag.trim_matches('"').parse().ok()
}

/// What a status means to a client: something final, or to try again.
fn refused(status: &Status, etag: Option<u64>) -> Result<Answer, String> {
    let reason = server::reason(status);
    let said = format!("{:?} {reason} {}", status.code(), status.message());
    match (status.code(), reason.as_str()) {
        (Code::Aborted, "STALE_ETAG") => Ok(Answer::Stale {
            sent: etag.unwrap_or_default(),
            current: told(status).ok_or(said)?,
        }),
        (
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Aborted
            | Code::ResourceExhausted,
            _,
        )
        // These come from a connection that broke.
        | (Code::Internal | Code::Unknown, "") => Err(said),
        (_, "") => Ok(Answer::Refused(said)),
        (_, reason) => Ok(Answer::Refused(reason.to_owned())),
    }
}

/// The version that a stale etag was answered with.
fn told(status: &Status) -> Option<u64> {
    use tonic_types::StatusExt as _;
    let details = status.get_error_details();
    version(details.error_info()?.metadata.get("etag")?)
}
