//! How much is written for what the services tell each other.

use std::sync::Arc;
use std::time::Duration;

use eventsourcing::SystemClock;
use journal::simulator::{Faults, Simulator};
use journal::{Event, Kind, TopicSpec, Topics as _};
use journal_embedded::{EmbeddedOptions, EmbeddedTopics};
use runtime::mutant::{self, Mutant};
use runtime::{Fold, Foreign, PublicFold};
use tokio::time::{Instant, sleep};

use crate::replica::{append, ask, exchanging, log, plant, start, start_by, write};
use crate::tally::{Command, Happened, tally_stream};
use crate::world::Replica;

const EVENTS: &str = "patron.left.events";

/// Public, and of no meaning to whoever is told.
fn of_no_meaning() -> Event {
    Event {
        public: true,
        ..Happened::Counted.event()
    }
}

#[tokio::test(start_paused = true)]
async fn what_means_nothing_here_is_recorded_together_and_nobody_waits_for_it() {
    const TOLD: u64 = 20;
    let (log, client) = log(1);
    let left = start(&log, &client, exchanging("left")).await.unwrap();
    let right = start(&log, &client, exchanging("right")).await.unwrap();
    let before = log.records("patron.right.journal", 0).len();
    for n in 0..TOLD {
        let one = append(tally_stream("one"), n, vec![of_no_meaning()]);
        plant(&log, "left", 100 + u128::from(n), vec![one]);
        left.barrier().await.unwrap();
        sleep(Duration::from_millis(5)).await;
    }

    let asked = Instant::now();
    right.receive_all().await.unwrap();
    assert!(asked.elapsed() < Duration::from_millis(100));
    assert_eq!(right.received().unwrap(), [0], "they wait for company");

    while right.received().unwrap() != [TOLD] {
        sleep(Duration::from_millis(10)).await;
    }
    let written = log.records("patron.right.journal", 0).len() - before;
    assert!((1..=2).contains(&written), "{written} commits");
}

#[tokio::test(start_paused = true)]
async fn what_has_a_meaning_takes_along_what_waited() {
    let (log, client) = log(1);
    let left = start(&log, &client, exchanging("left")).await.unwrap();
    let right = start(&log, &client, exchanging("right")).await.unwrap();
    let told = vec![of_no_meaning(), of_no_meaning()];
    plant(
        &log,
        "left",
        100,
        vec![append(tally_stream("one"), 0, told)],
    );
    left.barrier().await.unwrap();
    right.receive_all().await.unwrap();

    let told = vec![Happened::Added(3).event()];
    plant(
        &log,
        "left",
        101,
        vec![append(tally_stream("one"), 2, told)],
    );
    left.barrier().await.unwrap();
    // Published, and then taken: all of it is waited for.
    while log.records("patron.left.events", 0).len() < 3 {
        sleep(Duration::from_millis(1)).await;
    }
    right.receive_all().await.unwrap();
    assert_eq!(right.received().unwrap(), [3]);
}

#[tokio::test(start_paused = true)]
async fn two_instances_do_not_go_on_publishing_everything_twice() {
    const COMMANDS: usize = 200;
    let (log, client) = log(1);
    let other = log.client("b", Faults::none());
    let left = start(&log, &client, exchanging("left")).await.unwrap();
    let options = runtime::Options {
        seed: Some(8),
        ..exchanging("left")
    };
    let twin = start(&log, &other, options).await.unwrap();
    for n in 0..COMMANDS {
        let id = 1 + n as u128;
        let command = if n % 2 == 0 {
            Command::Add(1)
        } else {
            Command::Take(1)
        };
        ask(&left, command, id).await.unwrap();
        sleep(Duration::from_millis(200)).await;
    }
    twin.barrier().await.unwrap();
    let published = left.totals().unwrap().1;
    let written = log.records("patron.left.events", 0).len() as u64;
    assert!(written >= published, "{written} of {published}");
    assert!(
        written < published + published / 4,
        "{written} for {published}"
    );
}

/// How many events of `left` every reader takes.
fn taken(log: &Simulator) -> u64 {
    let mut fold = PublicFold::default();
    let records = log.records(EVENTS, 0);
    let events = records
        .iter()
        .filter_map(|stored| Foreign::read(EVENTS, 0, stored));
    let next = events.filter(|event| fold.take(event.sequence) == Fold::Next);
    next.count() as u64
}

/// Publishes events that come to stand in an order of their own, and says how many were taken soon after.
async fn published_out_of_order(told: u64) -> u64 {
    let (log, client) = log(1);
    let left = start(&log, &client, exchanging("left")).await.unwrap();
    client.set_faults(Faults::slow());
    let events = (0..told).map(|_| of_no_meaning()).collect();
    plant(
        &log,
        "left",
        100,
        vec![append(tally_stream("one"), 0, events)],
    );
    left.barrier().await.unwrap();
    sleep(Duration::from_secs(5)).await;
    taken(&log)
}

#[tokio::test(start_paused = true)]
async fn what_came_to_stand_in_another_order_is_sent_again() {
    assert_eq!(published_out_of_order(20).await, 20);
    // Whoever takes an acknowledgement for an order does not notice.
    mutant::activate(Some(Mutant::RelayTrustsDelivery));
    assert!(published_out_of_order(20).await < 20);
    mutant::activate(None);
}

/// A relay that has published something, and then, by what it was told, something more.
async fn published() -> (Simulator, Replica) {
    let (log, client) = log(1);
    let left = start(&log, &client, exchanging("left")).await.unwrap();
    for n in 0..3 {
        ask(&left, Command::Add(1), 1 + n).await.unwrap();
        sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(log.records(EVENTS, 0).len(), 3);
    (log, left)
}

#[tokio::test(start_paused = true)]
async fn a_public_topic_that_lost_its_end_stops_its_relay() {
    let (log, left) = published().await;
    log.cut_back(EVENTS, 0, 2);
    ask(&left, Command::Add(1), 10).await.unwrap();
    let why = left.failed().await;
    assert!(why.contains("its last records are gone"), "{why}");
    drop(left);
    // At its next start it publishes what is missing.
    let client = log.client("again", Faults::none());
    let again = start(&log, &client, exchanging("left")).await.unwrap();
    again.barrier().await.unwrap();
    while taken(&log) < 4 {
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn many_events_at_once_are_published_once_each() {
    const TOLD: u64 = 1_000;
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock);
    let options = EmbeddedOptions::new(Arc::<SystemClock>::clone(&clock));
    let topics = EmbeddedTopics::open(folder.path(), options);
    let topics = topics.await.unwrap();
    let left = start_by(clock, "left", &topics, exchanging("left")).await;
    let left = left.unwrap();
    for n in 0..4 {
        let told = (0..TOLD / 4).map(|_| of_no_meaning()).collect();
        let one = append(tally_stream("one"), n * TOLD / 4, told);
        write(&topics, "left", n.into(), vec![one]).await;
    }
    left.barrier().await.unwrap();
    let published = TopicSpec {
        name: EVENTS.to_owned(),
        partitions: 1,
        kind: Kind::Public,
    };
    let published = topics.open(&published).await.unwrap();
    while published.end(0).await.unwrap() < TOLD {
        tokio::task::yield_now().await;
    }
    left.drain(Instant::now() + Duration::from_secs(10)).await;
    assert_eq!(published.end(0).await.unwrap(), TOLD);
}

#[tokio::test(start_paused = true)]
async fn a_public_topic_that_lost_its_end_and_grew_again_stops_its_relay_soon() {
    for (end, planted) in [(0, 3), (2, 5)] {
        let (log, left) = published().await;
        log.cut_back(EVENTS, 0, end);
        for _ in 0..planted {
            log.plant(EVENTS, 0, journal::Record::value("a stranger's"));
        }
        let asked = Instant::now();
        ask(&left, Command::Add(1), 10).await.unwrap();
        let why = left.failed().await;
        assert!(why.contains("its last records are gone"), "{why}");
        assert!(asked.elapsed() < Duration::from_secs(90));
    }
}
