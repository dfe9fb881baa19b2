//! The simulator: what it may do, what it must not, and that it does the same again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use eventsourcing::Time;
use futures::FutureExt as _;
use futures::future::join_all;
use journal::simulator::{Client, Disk, Faults, Simulator};
use journal::{Append, ErrorKind, Kind, Log, Record, Stored, TopicSpec, Topics};

const TOPIC: &str = "patron.test.journal";

async fn open(client: &Client) -> Arc<dyn Log> {
    let spec = TopicSpec {
        name: TOPIC.to_owned(),
        partitions: 2,
        kind: Kind::Journal,
    };
    client.open(&spec).await.unwrap()
}

/// What one client was told about a record of that value.
type Told = Vec<(String, Append)>;

/// Three clients append 40 records each: what they were told, and what stands in the log.
async fn run(seed: u64, faults: &Faults) -> (Told, Vec<Stored>) {
    let simulator = Simulator::new(seed, Disk::Safe, Time::from_days(10_000));
    let clients = (0..3).map(|client| {
        let way = simulator.client(format!("instance {client}"), faults.clone());
        async move {
            let log = open(&way).await;
            let mut told = Vec::new();
            for number in 0..40 {
                let value = format!("{client}/{number}");
                let outcome = log.append(0, Record::value(value.clone())).await;
                told.push((value, outcome));
            }
            told
        }
    });
    let told = join_all(clients).await.concat();
    (told, simulator.records(TOPIC, 0))
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_run() {
    let harsh = Faults::harsh();
    for seed in 0..20 {
        assert_eq!(run(seed, &harsh).await, run(seed, &harsh).await);
    }
    assert_ne!(run(1, &harsh).await, run(2, &harsh).await);
}

#[tokio::test(start_paused = true)]
async fn what_a_client_is_told_is_true() {
    let (mut lost, mut late, mut doubled) = (0, 0, 0);
    for seed in 0..100 {
        let (told, records) = run(seed, &Faults::harsh()).await;
        let mut times = BTreeMap::new();
        for stored in &records {
            *times.entry(stored.record.value.clone()).or_insert(0) += 1;
        }
        for (value, outcome) in told {
            let times = times.get(value.as_bytes()).copied().unwrap_or(0);
            match outcome {
                Append::Written(_) => assert!(times >= 1, "seed {seed}: {value} is lost"),
                Append::NotWritten(_) => assert_eq!(times, 0, "seed {seed}: {value} is there"),
                Append::Unknown(_) if times == 0 => lost += 1,
                Append::Unknown(_) => late += 1,
            }
            doubled += usize::from(times > 1);
        }
    }
    assert!(
        lost > 100 && late > 100 && doubled > 100,
        "{lost} {late} {doubled}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_harsh_tail_hands_out_every_record_once_and_in_order() {
    for seed in 0..50 {
        let simulator = Simulator::new(seed, Disk::Safe, Time::EPOCH);
        let log = open(&simulator.client("reader", Faults::harsh())).await;
        for number in 0..200 {
            simulator.plant(TOPIC, 1, Record::value(number.to_string()));
        }
        let mut tail = log.tail(1, 0);
        let mut found = Vec::new();
        while found.len() < 200 {
            match tokio::time::timeout(Duration::from_millis(30), tail.next()).await {
                Ok(Ok(batch)) => found.extend(batch),
                Ok(Err(error)) => assert_eq!(error.kind(), ErrorKind::Unavailable),
                Err(_) => {}
            }
        }
        assert_eq!(found, simulator.records(TOPIC, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_cut_off_learns_nothing_and_changes_nothing() {
    let simulator = Simulator::new(3, Disk::Safe, Time::EPOCH);
    let client = simulator.client("a", Faults::none());
    let log = open(&client).await;
    let mut tail = log.tail(0, 0);
    client.cut_off(true);
    simulator.plant(TOPIC, 0, Record::value("unseen"));
    assert!(tail.next().now_or_never().is_none());
    assert!(matches!(
        log.append(0, Record::value("x")).await,
        Append::Unknown(_)
    ));
    let end = log.end(0).await.unwrap_err();
    assert_eq!(end.kind(), ErrorKind::Unavailable);
    assert_eq!(simulator.records(TOPIC, 0).len(), 1);

    client.cut_off(false);
    assert_eq!(tail.next().await.unwrap().len(), 1);
    assert!(log.append(0, Record::value("y")).await.is_written());
}

#[tokio::test(start_paused = true)]
async fn a_stalled_tail_stands_still_while_appends_go_on() {
    let simulator = Simulator::new(3, Disk::Safe, Time::EPOCH);
    let client = simulator.client("a", Faults::none());
    let log = open(&client).await;
    let mut tail = log.tail(0, 0);
    client.stall_tails(true);
    assert!(log.append(0, Record::value("x")).await.is_written());
    assert!(tail.next().now_or_never().is_none());
    client.stall_tails(false);
    assert_eq!(tail.next().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_safe_disk_survives_every_crash() {
    for seed in 0..50 {
        let simulator = Simulator::new(seed, Disk::Safe, Time::EPOCH);
        let log = open(&simulator.client("a", Faults::none())).await;
        let mut tail = log.tail(0, 0);
        for number in 1..20 {
            assert!(log.append(0, Record::value("x")).await.is_written());
            simulator.crash();
            assert_eq!(log.end(0).await.unwrap(), number);
            assert_eq!(tail.next().await.unwrap().len(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lazy_disk_loses_the_last_records_and_their_readers_are_told() {
    let mut told = 0;
    for seed in 0..50 {
        let simulator = Simulator::new(seed, Disk::Lazy(0.2), Time::EPOCH);
        let log = open(&simulator.client("a", Faults::none())).await;
        for number in 0..20 {
            let _written = log.append(0, Record::value(number.to_string())).await;
        }
        let before = simulator.records(TOPIC, 0);
        let mut behind = log.tail(0, 0);
        let mut ahead = log.tail(0, 19);
        assert_eq!(ahead.next().await.unwrap().len(), 1);
        simulator.crash();
        let after = simulator.records(TOPIC, 0);
        assert_eq!(after, before[..after.len()]);
        // It grows past the place again, with other records: that must not go unnoticed.
        for _ in 0..30 {
            let _written = log.append(0, Record::value("new")).await;
        }
        if after.len() < 20 {
            told += 1;
            for _ in 0..2 {
                let error = ahead.next().await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Truncated);
            }
        }
        assert_eq!(behind.next().await.unwrap(), simulator.records(TOPIC, 0));
    }
    assert!(told > 20, "{told}");
}

#[tokio::test(start_paused = true)]
async fn the_logs_clock_goes_with_simulated_time() {
    let simulator = Simulator::new(3, Disk::Safe, Time::from_days(10));
    let log = open(&simulator.client("a", Faults::none())).await;
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    let _written = log.append(0, Record::value("x")).await;
    assert_eq!(simulator.records(TOPIC, 0)[0].time, Time::from_days(11));
    assert_eq!(simulator.clock().now(), Time::from_days(11));
}
