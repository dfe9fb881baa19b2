//! What happens, as it happens: accepted public events as a stream that can be resumed.

use std::collections::VecDeque;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::stream::{self, Stream, StreamExt as _};
use journal::{Offset, Partition, Position};
use prost_types::{Any, Timestamp};
use runtime::{Accepted, AcceptedTail, Engine, Service, event_id};
use tonic::Status;

use crate::status::{invalid, unavailable};
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
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The event.
    pub event: Any,
    /// Leads on from here.
    pub resume_token: String,
}

/// Where a watcher is: the next offset of each partition, and how many events of the commit there it has
/// seen already.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    position: Position,
    inside: Option<(Partition, u32)>,
}

impl Place {
    fn token(&self) -> String {
        let inside = self
            .inside
            .map(|(partition, seen)| format!("{partition}.{seen}"));
        let text = format!("{}/{}", self.position, inside.unwrap_or_default());
        URL_SAFE_NO_PAD.encode(text)
    }

    fn read(token: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let (position, inside) = text.split_once('/')?;
        let inside = match inside {
            "" => None,
            inside => {
                let (partition, seen) = inside.split_once('.')?;
                Some((partition.parse().ok()?, seen.parse().ok()?))
            }
        };
        Some(Self {
            position: position.parse().ok()?,
            inside,
        })
    }
}

/// Watches the events of a service. The stream ends when the service stops.
///
/// # Errors
/// INVALID_ARGUMENT for a token that is none, or of another journal.
pub fn watch<S: Service>(
    engine: &Arc<Engine<S>>,
    watching: Watching,
) -> Result<impl Stream<Item = Result<Watched, Status>> + Send + 'static, Status> {
    let now = engine.position();
    let place = if !watching.resume_token.is_empty() {
        let place = Place::read(&watching.resume_token);
        place
            .filter(|place| {
                place.position.journal == now.journal
                    && place.position.offsets.len() == now.offsets.len()
            })
            .ok_or_else(|| {
                invalid(
                    "resume_token",
                    "is no token of an earlier event of this service",
                )
            })?
    } else if watching.from_start {
        let offsets = vec![0; now.offsets.len()];
        Place {
            position: Position { offsets, ..now },
            inside: None,
        }
    } else {
        Place {
            position: now,
            inside: None,
        }
    };
    let tails = (0..).zip(&place.position.offsets);
    let merged = stream::select_all(
        tails.map(|(partition, offset)| commits(engine.accepted_from(partition, *offset)).boxed()),
    );
    let stop = engine.stopping().clone();
    let state = Watcher {
        merged,
        place,
        watching,
        waiting: VecDeque::new(),
    };
    let events = stream::unfold(state, |mut state| async move {
        let event = state.next().await?;
        Some((event, state))
    });
    Ok(events.take_until(async move { stop.cancelled().await }))
}

type Commits = stream::BoxStream<'static, Result<Accepted, String>>;

struct Watcher {
    merged: stream::SelectAll<Commits>,
    place: Place,
    watching: Watching,
    waiting: VecDeque<Watched>,
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
        let partition = accepted.partition;
        let seen = match self.place.inside {
            Some((inside, seen)) if inside == partition => seen,
            _ => 0,
        };
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
                self.place.inside = Some((partition, index));
                self.set(partition, accepted.offset);
                self.waiting.push_back(Watched {
                    event_id: event_id(accepted.commit.commit_id, at),
                    kind: event.kind.clone(),
                    subject: subject.to_owned(),
                    recorded_at: timestamp(accepted.time),
                    event: Any {
                        type_url: format!("type.googleapis.com/{}", event.kind),
                        value: event.payload.to_vec(),
                    },
                    resume_token: self.place.token(),
                });
            }
        }
        self.place.inside = None;
        self.set(partition, accepted.offset + 1);
    }

    fn set(&mut self, partition: Partition, offset: Offset) {
        if let Some(place) = self.place.position.offsets.get_mut(partition as usize) {
            *place = offset;
        }
    }
}

fn commits(tail: AcceptedTail) -> impl Stream<Item = Result<Accepted, String>> {
    stream::unfold(Some(tail), |tail| async move {
        let mut tail = tail?;
        match tail.next().await {
            Ok(accepted) => Some((Ok(accepted), Some(tail))),
            Err(error) => Some((Err(error.to_string()), None)),
        }
    })
}

#[cfg(test)]
mod tests {
    use journal::Position;
    use uuid::Uuid;

    use super::Place;

    #[test]
    fn a_token_leads_back_to_its_place() {
        let position = Position {
            journal: Uuid::from_u128(7),
            offsets: vec![3, 0, 9],
        };
        for inside in [None, Some((2, 5))] {
            let place = Place {
                position: position.clone(),
                inside,
            };
            assert_eq!(Place::read(&place.token()), Some(place));
        }
        assert_eq!(Place::read("nonsense"), None);
    }
}
