//! What was parked is taken by a release that can read it: in order, once.

use std::sync::Arc;
use std::time::Duration;

use journal::simulator::{Client, Simulator};
use runtime::{
    ApplyError, Engine, Fact, Failure, Foreign, Options, Receipt, Request, Retry, Service,
    StillParked, Work, parked, verify,
};

use crate::replica::{append, exchanging, log, of_a_newer_release, plant, request, start};
use crate::tally::{Command, Happened, Tallies, mirror, tally_stream};
use crate::world::Replica;

/// What the event of a newer release adds.
const FUTURE: i64 = 5;
const SUBJECT: &str = "tallies/one";

/// A release that can read what the present one cannot.
#[derive(Debug, Clone, Copy)]
struct Newer(Tallies);

impl Service for Newer {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn schema(&self) -> u32 {
        self.0.schema()
    }

    fn apply(&self, rows: &mut dyn read_model::RowsMut, fact: &Fact<'_>) -> Result<(), ApplyError> {
        self.0.apply(rows, fact)
    }

    fn receive(&self, work: &mut Work<'_>, event: &Foreign) -> Result<Receipt, ApplyError> {
        if event.kind != of_a_newer_release().kind {
            return self.0.receive(work, event);
        }
        let known = Happened::Added(FUTURE).event();
        let read = Foreign {
            kind: known.kind,
            payload: known.payload,
            ..event.clone()
        };
        self.0.receive(work, &read)
    }
}

type Upgraded = Arc<Engine<Newer>>;

async fn upgraded(log: &Simulator, client: &Client, seed: u64) -> Upgraded {
    let newer = Newer(Tallies { name: "right" });
    let options = Options {
        seed: Some(seed),
        ..exchanging("right")
    };
    let started = Engine::start(Arc::new(newer), client, log.clock(), options).await;
    let replica = started.unwrap();
    replica.until_ready().await.unwrap();
    replica
}

/// Left tells something that right cannot read, then something that it can; both wait at right.
async fn two_that_wait() -> (Simulator, Client, Replica, Replica) {
    let (log, client) = log(1);
    let left = start(&log, &client, exchanging("left")).await.unwrap();
    let public = Happened::Added(1).event();
    let told = vec![of_a_newer_release(), public];
    plant(&log, "left", 9, vec![append(tally_stream("one"), 0, told)]);
    left.barrier().await.unwrap();
    let right = start(&log, &client, exchanging("right")).await.unwrap();
    until_received(&right, 2).await;
    (log, client, left, right)
}

async fn until_received<S: Service>(replica: &Arc<Engine<S>>, next: u64) {
    while replica.received().unwrap() != [next] {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn retry(id: u128) -> Retry {
    Retry {
        subject: SUBJECT.to_owned(),
        request: Request {
            root: tally_stream("one"),
            ..request(Command::Add(1), id)
        },
    }
}

fn sum<S: Service>(replica: &Arc<Engine<S>>) -> i64 {
    replica
        .store()
        .read(|rows| mirror(rows, "one"))
        .unwrap()
        .sum
}

fn wait<S: Service>(replica: &Arc<Engine<S>>) -> Vec<u64> {
    let waiting = replica.store().read(|rows| parked(rows, None, 10)).unwrap();
    waiting
        .iter()
        .map(|waiting| waiting.event.sequence)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_release_that_cannot_read_it_either_changes_nothing() {
    let (_log, _client, _left, right) = two_that_wait().await;
    assert_eq!(wait(&right), [1, 2]);
    let refused = right.retry_parked(retry(1)).await.unwrap_err();
    let why = StillParked::Unreadable(of_a_newer_release().kind);
    assert_eq!(refused, Failure::Refused(why));
    assert_eq!((sum(&right), wait(&right)), (0, vec![1, 2]));
}

#[tokio::test(start_paused = true)]
async fn after_an_upgrade_they_are_taken_in_their_order_and_once() {
    let (log, client, left, right) = two_that_wait().await;
    let newer = upgraded(&log, &client, 8).await;
    let answer = newer.retry_parked(retry(1)).await.unwrap();
    assert_eq!((answer.value, answer.replayed), (0, false));
    assert_eq!((sum(&newer), wait(&newer)), (FUTURE + 1, Vec::new()));

    let again = newer.retry_parked(retry(1)).await.unwrap();
    assert_eq!((again.value, again.replayed), (0, true));
    let another = newer.retry_parked(retry(2)).await.unwrap_err();
    assert_eq!(another, Failure::Refused(StillParked::Nothing));
    assert_eq!(sum(&newer), FUTURE + 1);

    // The subject is free again, and nothing that was taken before is taken now.
    let later = append(tally_stream("one"), 2, vec![Happened::Added(2).event()]);
    plant(&log, "left", 10, vec![later]);
    left.barrier().await.unwrap();
    until_received(&newer, 3).await;
    assert_eq!((sum(&newer), wait(&newer)), (FUTURE + 3, Vec::new()));

    // The old release folds what it could not decide.
    right.barrier().await.unwrap();
    assert_eq!(sum(&right), FUTURE + 3);
    let newest = Arc::new(Newer(Tallies { name: "right" }));
    assert!(verify(&newer, newest).await.unwrap().is_sound());
    assert_eq!(right.store().digest(), newer.store().digest());
}

#[tokio::test(start_paused = true)]
async fn of_two_who_retry_at_once_one_takes_them() {
    let (log, client, _left, _right) = two_that_wait().await;
    let (one, other) = (
        upgraded(&log, &client, 8).await,
        upgraded(&log, &client, 9).await,
    );
    let (first, second) = tokio::join!(one.retry_parked(retry(1)), other.retry_parked(retry(2)));
    let nothing = Err(Failure::Refused(StillParked::Nothing));
    let heard = [first, second].map(|heard| heard.map(|answer| answer.value));
    assert!(
        heard.contains(&Ok(0)) && heard.contains(&nothing),
        "{heard:?}"
    );
    one.barrier().await.unwrap();
    assert_eq!(sum(&one), FUTURE + 1);
}

#[tokio::test(start_paused = true)]
async fn a_subject_of_which_nothing_waits_is_told() {
    let (_log, _client, _left, right) = two_that_wait().await;
    let here = right.store().read(|rows| parked(rows, None, 10)).unwrap();
    let here = here.iter().map(|waiting| &waiting.event);
    let here: Vec<_> = here
        .map(|event| (event.partition, &*event.subject))
        .collect();
    assert_eq!(here, [(0, SUBJECT), (0, SUBJECT)]);
    let other = Retry {
        subject: "tallies/two".to_owned(),
        ..retry(4)
    };
    let refused = right.retry_parked(other).await.unwrap_err();
    assert_eq!(refused, Failure::Refused(StillParked::Nothing));
}
