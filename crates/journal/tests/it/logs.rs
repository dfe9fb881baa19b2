//! Every log of this crate keeps every promise.

use std::sync::Arc;
use std::time::Duration;

use eventsourcing::{FixedClock, SystemClock, Time};
use journal::memory::MemoryTopics;
use journal::simulator::{Disk, Faults, Simulator};
use journal::{Kind, Record, TopicSpec, Topics, conformance, raw};

fn spec(name: &str, partitions: u32) -> TopicSpec {
    TopicSpec {
        name: name.to_owned(),
        partitions,
        kind: Kind::Journal,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_in_memory_keeps_every_promise() {
    let topics: Arc<dyn Topics> = Arc::new(MemoryTopics::new(Arc::new(SystemClock)));
    conformance::run(&topics, "memory").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_simulator_without_faults_keeps_every_promise() {
    let simulator = Simulator::new(1, Disk::Safe, Time::EPOCH);
    let topics: Arc<dyn Topics> = Arc::new(simulator.client("a", Faults::none()));
    conformance::run(&topics, "simulated").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_simulator_keeps_every_promise_when_it_is_slow() {
    for seed in 0..4 {
        let simulator = Simulator::new(seed, Disk::Safe, Time::EPOCH);
        let topics: Arc<dyn Topics> = Arc::new(simulator.client("a", Faults::slow()));
        conformance::run(&topics, "simulated").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_suite_notices_a_log_that_loses_records() {
    let simulator = Simulator::new(1, Disk::Safe, Time::EPOCH);
    let faults = Faults {
        lost: 0.5,
        ..Faults::none()
    };
    let topics: Arc<dyn Topics> = Arc::new(simulator.client("a", faults));
    let broken = conformance::run(&topics, "lossy").await.unwrap_err();
    assert!(conformance::names().any(|name| name == broken.rule));
}

#[tokio::test]
async fn a_record_carries_the_time_of_the_logs_clock() {
    let clock = Arc::new(FixedClock::at(Time::from_days(1)));
    let topics = MemoryTopics::new(Arc::<FixedClock>::clone(&clock));
    let log = topics.open(&spec("t", 1)).await.unwrap();
    let _written = log.append(0, Record::value("one")).await;
    clock.set(Time::from_days(2));
    let _written = log.append(0, Record::value("two")).await;
    let times: Vec<Time> = log
        .tail(0, 0)
        .next()
        .await
        .unwrap()
        .iter()
        .map(|stored| stored.time)
        .collect();
    assert_eq!(times, [Time::from_days(1), Time::from_days(2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_raw_speed_counts_what_was_written_and_read_back() {
    let topics = MemoryTopics::new(Arc::new(SystemClock));
    let log = topics.open(&spec("raw", 3)).await.unwrap();
    let figures = raw::measure(Arc::clone(&log), 4, 400, Duration::from_millis(50))
        .await
        .unwrap();
    let mut written = 0;
    for partition in 0..3 {
        written += log.end(partition).await.unwrap();
    }
    assert_eq!(figures.records, written);
    assert!(figures.records > 0 && figures.per_second > 0.0);
    assert!(figures.p50 <= figures.p99);
}
