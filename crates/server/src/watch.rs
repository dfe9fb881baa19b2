//! What happens, as it happens: accepted public events as a stream that can be resumed.

mod place;

use std::collections::VecDeque;
use std::sync::Arc;

use futures::stream::{self, Stream, StreamExt as _};
use journal::Position;
use prost_types::{Any, Timestamp};
use runtime::{Accepted, AcceptedTail, Engine, Service, event_id};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

use self::place::Place;
use crate::status::{invalid, too_many_watchers, unavailable};
use crate::timestamp;

/// What somebody wants to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watching {
    /// Only these kinds; all if empty.
    pub types: Vec<String>,
    /// Only this resource; all if empty.
    pub subject: String,
    /// After the event that carried this token.
    pub resume_token: String,
    /// Without a token: from the first event on, else from now on.
    pub from_start: bool,
}

/// An event as a watcher sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// Its identity.
    pub event_id: String,
    /// Its kind.
    pub kind: String,
    /// The resource that it happened to.
    pub subject: String,
    /// When it was recorded. Never earlier than an event before it in its partition.
    pub recorded_at: Timestamp,
    /// The event.
    pub event: Any,
    /// Leads on from here.
    pub resume_token: String,
}

/// How many watch one service of an instance at once, unless said otherwise: each that is behind reads the
/// journal for itself.
const WATCHERS: usize = 64;

/// The places for those who watch a service. Clones share them.
#[derive(Debug, Clone)]
pub struct Watchers {
    free: Arc<Semaphore>,
    places: usize,
}

impl Default for Watchers {
    fn default() -> Self {
        Self::new(WATCHERS)
    }
}

impl Watchers {
    /// So many at once.
    pub fn new(places: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(places)),
            places,
        }
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit, Status> {
        let place = Arc::clone(&self.free).try_acquire_owned();
        place.map_err(|_| too_many_watchers(self.places))
    }
}

/// Watches the events of a service. The stream ends when the service stops; dropped, it leaves its place to
/// another.
///
/// # Errors
/// INVALID_ARGUMENT for a token that is none, or of another journal; RESOURCE_EXHAUSTED when all places are
/// taken.
pub fn watch<S: Service>(
    engine: &Arc<Engine<S>>,
    watchers: &Watchers,
    watching: Watching,
) -> Result<impl Stream<Item = Result<Watched, Status>> + Send + 'static, Status> {
    let place = start(engine, &watching)?;
    let taken = watchers.enter()?;
    let tails = (0..).zip(place.position.offsets.iter().zip(&place.recorded_at));
    let tails = tails.map(|(partition, (offset, recorded_at))| {
        let tail = engine.accepted_from(partition, *offset);
        commits(tail.recorded_after(*recorded_at)).boxed()
    });
    let stop = engine.stopping().clone();
    let state = Watcher {
        merged: stream::select_all(tails),
        place,
        watching,
        waiting: VecDeque::new(),
        _taken: taken,
    };
    let events = stream::unfold(state, |mut state| async move {
        let event = state.next().await?;
        Some((event, state))
    });
    Ok(events.take_until(async move { stop.cancelled().await }))
}

fn start<S: Service>(engine: &Engine<S>, watching: &Watching) -> Result<Place, Status> {
    let now = engine.position();
    if !watching.resume_token.is_empty() {
        let place = Place::read(&watching.resume_token).filter(|place| {
            let Position { journal, offsets } = &place.position;
            *journal == now.journal && offsets.len() == now.offsets.len()
        });
        let what = "is no token of an earlier event of this service";
        return place.ok_or_else(|| invalid("resume_token", what));
    }
    if watching.from_start {
        return Ok(Place::start(&now));
    }
    let standing = engine.standing();
    let (position, recorded_at) = standing.map_err(|error| unavailable(&error.to_string()))?;
    Ok(Place::at(position, recorded_at))
}

type Commits = stream::BoxStream<'static, Result<Arc<Accepted>, String>>;

struct Watcher {
    merged: stream::SelectAll<Commits>,
    place: Place,
    watching: Watching,
    waiting: VecDeque<Watched>,
    _taken: OwnedSemaphorePermit,
}

impl Watcher {
    async fn next(&mut self) -> Option<Result<Watched, Status>> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(Ok(event));
            }
            match self.merged.next().await? {
                Ok(accepted) => self.take(&accepted),
                Err(error) => return Some(Err(unavailable(&error))),
            }
        }
    }

    /// Puts the events of one commit that are wanted in line.
    fn take(&mut self, accepted: &Accepted) {
        let (partition, offset) = (accepted.partition, accepted.offset);
        let seen = self.place.seen_of(partition, offset);
        self.place.recorded(partition, accepted.recorded_at);
        let mut index = 0;
        for append in &accepted.commit.appends {
            for event in &append.events {
                let at = index;
                index += 1;
                let subject = append.stream.as_str();
                let wanted = event.public
                    && at >= seen
                    && (self.watching.types.is_empty()
                        || self.watching.types.contains(&event.kind))
                    && (self.watching.subject.is_empty() || self.watching.subject == subject);
                if !wanted {
                    continue;
                }
                self.place.inside(partition, offset, index);
                self.waiting.push_back(Watched {
                    event_id: event_id(accepted.commit.commit_id, at),
                    kind: event.kind.clone(),
                    subject: subject.to_owned(),
                    recorded_at: timestamp(accepted.recorded_at),
                    event: Any {
                        type_url: format!("type.googleapis.com/{}", event.kind),
                        value: event.payload.to_vec(),
                    },
                    resume_token: self.place.token(),
                });
            }
        }
        self.place.behind(partition, offset);
    }
}

fn commits(tail: AcceptedTail) -> impl Stream<Item = Result<Arc<Accepted>, String>> {
    stream::unfold(Some(tail), |tail| async move {
        let mut tail = tail?;
        match tail.next().await {
            Ok(accepted) => Some((Ok(accepted), Some(tail))),
            Err(error) => Some((Err(error.to_string()), None)),
        }
    })
}

#[cfg(test)]
mod tests;
