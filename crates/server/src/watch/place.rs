//! Where a watcher is, and the token that leads back there.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use eventsourcing::Time;
use journal::{Offset, Partition, Position};

/// The next offset of each partition, and what a stream that starts there has to know of what is before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) position: Position,
    /// How many events of the commit at the next offset were seen already. Several partitions can be inside a
    /// commit at once: after a resume, one of them is left alone while commits of another come in.
    pub(crate) seen: BTreeMap<Partition, u32>,
    /// The recorded time of the record before the next one of each partition.
    pub(crate) recorded_at: Vec<Time>,
}

impl Place {
    /// Between two commits.
    pub(crate) fn at(position: Position, recorded_at: Vec<Time>) -> Self {
        Self {
            position,
            seen: BTreeMap::new(),
            recorded_at,
        }
    }

    /// Before the first record of all.
    pub(crate) fn start(now: &Position) -> Self {
        let partitions = now.offsets.len();
        let first = Position {
            journal: now.journal,
            offsets: vec![0; partitions],
        };
        Self::at(first, vec![Time::default(); partitions])
    }

    pub(crate) fn token(&self) -> String {
        let seen = self.seen.iter();
        let seen = seen.map(|(partition, seen)| format!("{partition}.{seen}"));
        let times = self.recorded_at.iter();
        let times = times.map(|time| time.micros().to_string());
        let (seen, times): (Vec<_>, Vec<_>) = (seen.collect(), times.collect());
        let text = format!("{}/{}/{}", self.position, seen.join(","), times.join(","));
        URL_SAFE_NO_PAD.encode(text)
    }

    /// Tokens of earlier releases end after the events seen; a stream that goes on from one of them knows
    /// recorded times only from there on.
    pub(crate) fn read(token: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let (position, rest) = text.split_once('/')?;
        let position: Position = position.parse().ok()?;
        let partitions = position.offsets.len();
        let (seen, times) = rest.split_once('/').unwrap_or((rest, ""));
        let mut known = BTreeMap::new();
        for part in parts(seen) {
            let (partition, seen) = part.split_once('.')?;
            let partition: Partition = partition.parse().ok()?;
            let is_there = usize::try_from(partition).is_ok_and(|index| index < partitions);
            if !is_there || known.insert(partition, seen.parse().ok()?).is_some() {
                return None;
            }
        }
        let times = parts(times).map(|time| time.parse().ok().map(Time::from_micros));
        let mut recorded_at = times.collect::<Option<Vec<Time>>>()?;
        if recorded_at.is_empty() {
            recorded_at = vec![Time::default(); partitions];
        }
        (recorded_at.len() == partitions).then_some(Self {
            position,
            seen: known,
            recorded_at,
        })
    }

    /// How many events of the commit at `offset` were seen already.
    pub(crate) fn seen_of(&self, partition: Partition, offset: Offset) -> u32 {
        let seen = self.seen.get(&partition).copied().unwrap_or_default();
        if self.position.get(partition) == offset {
            seen
        } else {
            0
        }
    }

    /// Moves inside the commit at `offset`, after its first `seen` events.
    pub(crate) fn inside(&mut self, partition: Partition, offset: Offset, seen: u32) {
        self.set(partition, offset);
        self.seen.insert(partition, seen);
    }

    /// Moves behind the commit at `offset`.
    pub(crate) fn behind(&mut self, partition: Partition, offset: Offset) {
        self.set(partition, offset + 1);
        self.seen.remove(&partition);
    }

    /// Tells the recorded time of the commit where `partition` is.
    pub(crate) fn recorded(&mut self, partition: Partition, at: Time) {
        if let Some(known) = self.recorded_at.get_mut(partition as usize) {
            *known = at;
        }
    }

    fn set(&mut self, partition: Partition, offset: Offset) {
        if let Some(place) = self.position.offsets.get_mut(partition as usize) {
            *place = offset;
        }
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use eventsourcing::Time;
    use journal::Position;
    use uuid::Uuid;

    use super::Place;

    fn position() -> Position {
        Position {
            journal: Uuid::from_u128(7),
            offsets: vec![3, 0, 9],
        }
    }

    fn token(rest: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}{rest}", position()))
    }

    #[test]
    fn a_token_leads_back_to_its_place() {
        let times = [1, 0, 2].map(Time::from_days).to_vec();
        for seen in [vec![], vec![(2, 5)], vec![(0, 1), (2, 5)]] {
            let place = Place {
                seen: seen.into_iter().collect(),
                ..Place::at(position(), times.clone())
            };
            assert_eq!(Place::read(&place.token()), Some(place));
        }
    }

    #[test]
    fn a_token_of_an_earlier_release_is_still_read() {
        let unknown = vec![Time::default(); 3];
        for (old, seen) in [("/", vec![]), ("/2.5", vec![(2, 5)])] {
            let place = Place::read(&token(old)).unwrap();
            assert_eq!(place.position, position());
            assert_eq!(place.seen, seen.into_iter().collect::<BTreeMap<_, _>>());
            assert_eq!(place.recorded_at, unknown);
        }
    }

    #[test]
    fn what_is_no_token_is_not_read() {
        assert_eq!(Place::read("nonsense"), None);
        let wrong = [
            "",
            "/3.1",
            "/0.x",
            "/0",
            "/0.1,0.2",
            "//1,2",
            "//1,2,3,4",
            "//1,2,x",
        ];
        for wrong in wrong {
            assert_eq!(Place::read(&token(wrong)), None, "{wrong}");
        }
    }
}
