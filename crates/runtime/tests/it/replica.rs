//! Small scenes with one replica or two: what the tests about a replica's life have in common.

use std::path::Path;
use std::sync::Arc;

use eventsourcing::{Clock, Time};
use journal::simulator::{Client, Disk, Faults, Simulator};
use journal::{AppendTo, Commit, Event, Kind, Record, StreamId, TopicSpec, Topics};
use runtime::{Answer, Engine, Failure, Options, Request};
use uuid::Uuid;

use crate::tally::{Command, Pair, Refusal, Tallies};
use crate::world::Replica;

pub(crate) type Heard = Result<Answer<u64>, Failure<Refusal>>;

/// One partition, and nothing but the journal: no exchange.
pub(crate) fn alone(name: &str) -> Options {
    Options {
        public_topic: None,
        inbox_topic: None,
        ..exchanging(name)
    }
}

pub(crate) fn exchanging(name: &str) -> Options {
    let other = if name == "left" { "right" } else { "left" };
    Options {
        partitions: 1,
        // Everybody falls behind now and then.
        recent_commits: 4,
        seed: Some(7),
        ..Options::for_pair(name, other)
    }
}

pub(crate) fn on_disk(dir: &Path) -> Options {
    Options {
        data: Some(dir.to_owned()),
        ..alone("left")
    }
}

pub(crate) fn log(seed: u64) -> (Simulator, Client) {
    let log = Simulator::new(seed, Disk::Safe, Time::from_days(20_000));
    let client = log.client("a", Faults::none());
    (log, client)
}

pub(crate) async fn start(
    log: &Simulator,
    topics: &dyn Topics,
    options: Options,
) -> Result<Replica, String> {
    let name = if options.journal_topic.contains("left") {
        "left"
    } else {
        "right"
    };
    start_by(log.clock(), name, topics, options).await
}

/// The same on any log.
pub(crate) async fn start_by(
    clock: Arc<dyn Clock>,
    name: &'static str,
    topics: &dyn Topics,
    options: Options,
) -> Result<Replica, String> {
    let replica = Engine::start(Arc::new(Tallies { name }), topics, clock, options).await?;
    replica.until_ready().await?;
    Ok(replica)
}

pub(crate) fn pair() -> Pair {
    Pair {
        key: "one".to_owned(),
        partner: "two".to_owned(),
    }
}

pub(crate) fn request(command: Command, id: u128) -> Request {
    command.request(&pair(), Uuid::from_u128(id))
}

pub(crate) async fn ask(replica: &Replica, command: Command, id: u128) -> Heard {
    send(replica, command, request(command, id)).await
}

pub(crate) async fn send(replica: &Replica, command: Command, request: Request) -> Heard {
    let root = request.root.to_string();
    replica
        .execute(
            request,
            move |work| command.decide(&pair(), work),
            move |rows| runtime::version(rows, &root),
        )
        .await
}

/// A commit that somebody else wrote.
pub(crate) fn plant(log: &Simulator, name: &str, id: u128, appends: Vec<AppendTo>) {
    log.plant(&format!("patron.{name}.journal"), 0, commit(id, appends));
}

fn commit(id: u128, appends: Vec<AppendTo>) -> Record {
    let commit = Commit {
        commit_id: Uuid::from_u128(id),
        request_id: Uuid::from_u128(id),
        fingerprint: [0; 16],
        actor: "somebody else".to_owned(),
        time: Time::EPOCH,
        trace_context: String::new(),
        appends,
    };
    Record::value(journal::encode_commit(&commit))
}

/// Somebody else's commit comes to the journal as commits do, with what may happen to its time.
pub(crate) async fn write(topics: &dyn Topics, name: &str, id: u128, appends: Vec<AppendTo>) {
    let journal = TopicSpec {
        name: format!("patron.{name}.journal"),
        partitions: 1,
        kind: Kind::Journal,
    };
    let log = topics.open(&journal).await.unwrap();
    assert!(log.append(0, commit(id, appends)).await.is_written());
}

pub(crate) fn append(stream: StreamId, expected_version: u64, events: Vec<Event>) -> AppendTo {
    AppendTo {
        stream,
        expected_version,
        events,
    }
}

/// An event that only a newer release can read.
pub(crate) fn of_a_newer_release() -> Event {
    Event {
        kind: "test.FromTheFuture".to_owned(),
        schema: 9,
        public: true,
        payload: Vec::new().into(),
    }
}
