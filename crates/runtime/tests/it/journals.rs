//! The checker's own reading of a journal: the acceptance rule written a second time, over plain maps.

use std::collections::{BTreeMap, HashSet};

use journal::{Commit, Decoded, Entry, Placement, StreamId};
use patron_proto::journal::v1::{Received, received::Outcome};
use prost::Message as _;

use crate::tally::{Happened, Mirror, Tally};
use crate::world::{SERVICES, World};

/// One partition of one journal, judged.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// The accepted commits with their offsets.
    pub(crate) accepted: Vec<(usize, Commit)>,
    /// The state before each offset, and after the last.
    pub(crate) states: Vec<State>,
    /// What was received, in order.
    pub(crate) received: Vec<Received>,
}

/// What a prefix of a partition adds up to.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) versions: BTreeMap<String, u64>,
    pub(crate) tallies: BTreeMap<String, Tally>,
    pub(crate) mirrors: BTreeMap<String, Mirror>,
    /// How many events were received.
    pub(crate) received: usize,
}

/// A public event, as the journal that published it has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) event_id: String,
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) payload: Vec<u8>,
}

impl Judged {
    /// With the state before each record.
    pub(crate) fn read(world: &World, service: usize, partition: u32) -> Self {
        Self::of(world, service, partition, true)
    }

    /// With the state at the end only.
    fn end(world: &World, service: usize, partition: u32) -> Self {
        Self::of(world, service, partition, false)
    }

    fn of(world: &World, service: usize, partition: u32, each: bool) -> Self {
        let placement = Placement::new(world.partitions, 0);
        let mut judged = Self::default();
        let mut state = State::default();
        for stored in world.log.records(&World::journal(service), partition) {
            if each {
                judged.states.push(state.clone());
            }
            let Decoded::Entry(Entry::Commit(commit)) = journal::decode(&stored.record.value)
            else {
                continue;
            };
            if state.accepts(&commit, partition, &placement) {
                state.take(&commit, &mut judged.received);
                let offset = usize::try_from(stored.offset).unwrap();
                judged.accepted.push((offset, commit));
            }
        }
        judged.states.push(state);
        judged
    }

    pub(crate) fn last(&self) -> &State {
        self.states.last().unwrap()
    }

    pub(crate) fn published(&self) -> Vec<Published> {
        let mut published = Vec::new();
        for (_, commit) in &self.accepted {
            let events = commit
                .appends
                .iter()
                .flat_map(|append| append.events.iter().map(|event| (&append.stream, event)));
            for (index, (stream, event)) in
                events.enumerate().filter(|(_, (_, event))| event.public)
            {
                published.push(Published {
                    event_id: format!("{}-{index}", commit.commit_id),
                    kind: event.kind.clone(),
                    subject: stream.to_string(),
                    payload: event.payload.to_vec(),
                });
            }
        }
        published
    }
}

impl State {
    fn accepts(&self, commit: &Commit, partition: u32, placement: &Placement) -> bool {
        let streams: HashSet<&StreamId> = commit.appends.iter().map(|a| &a.stream).collect();
        streams.len() == commit.appends.len()
            && commit
                .appends
                .iter()
                .any(|append| !append.events.is_empty())
            && commit.appends.iter().all(|append| {
                placement.partition_of(&append.stream) == partition
                    && self.version(&append.stream.to_string()) == append.expected_version
            })
    }

    pub(crate) fn version(&self, stream: &str) -> u64 {
        self.versions.get(stream).copied().unwrap_or_default()
    }

    pub(crate) fn tally(&self, key: &str) -> Tally {
        self.tallies.get(key).cloned().unwrap_or_default()
    }

    pub(crate) fn mirror(&self, key: &str) -> Mirror {
        self.mirrors.get(key).cloned().unwrap_or_default()
    }

    fn take(&mut self, commit: &Commit, all: &mut Vec<Received>) {
        for append in &commit.appends {
            let name = append.stream.to_string();
            for event in &append.events {
                *self.versions.entry(name.clone()).or_default() += 1;
                if event.kind == "patron.journal.v1.Received" {
                    let received = Received::decode(event.payload.clone()).unwrap();
                    self.receive(&received);
                    all.push(received);
                } else if let Some(happened) = Happened::read(&event.kind, &event.payload) {
                    let key = append.stream.id().to_owned();
                    if append.stream.collection() == "mirrors" {
                        self.mirrors.entry(key).or_default().apply(happened);
                    } else {
                        self.tallies.entry(key).or_default().apply(happened);
                    }
                }
            }
        }
    }

    fn receive(&mut self, received: &Received) {
        let told = Happened::read(&received.r#type, &received.payload).and_then(Happened::told);
        if let (Some(change), Some(Outcome::Refused(_))) = (told, &received.outcome) {
            let key = received.subject.trim_start_matches("tallies/").to_owned();
            self.mirrors.entry(key).or_default().refused += change;
        }
        self.received += 1;
    }
}

/// The first public event that the other service has not received, if there is one.
pub(crate) fn unreceived(world: &World) -> Option<String> {
    for service in 0..SERVICES.len() {
        for partition in 0..world.partitions {
            let published = Judged::end(world, service, partition).published().len();
            let other = Judged::end(world, 1 - service, partition);
            let received = other.received.len();
            if received < published {
                let (from, to) = (SERVICES[service], SERVICES[1 - service]);
                return Some(format!(
                    "{to} received {received} of {published} events of {from}, partition {partition}"
                ));
            }
        }
    }
    None
}
