//! How a journal begins, whoever comes first and whatever goes wrong.

use std::sync::Arc;

use eventsourcing::{FixedClock, Time};
use futures::future::join_all;
use journal::memory::MemoryTopics;
use journal::simulator::{Disk, Faults, Simulator};
use journal::{
    Decoded, Entry, Error, ErrorKind, Genesis, Kind, Log, Record, TopicSpec, Topics, decode,
    encode_genesis, establish,
};
use uuid::Uuid;

fn genesis(uuid: u128, partitions: u32) -> Genesis {
    Genesis::new(Uuid::from_u128(uuid), partitions, 0)
}

async fn memory(partitions: u32) -> Arc<dyn Log> {
    let clock = Arc::new(FixedClock::at(Time::EPOCH));
    open(&MemoryTopics::new(clock), partitions).await
}

async fn open(topics: &dyn Topics, partitions: u32) -> Arc<dyn Log> {
    let spec = TopicSpec {
        name: "journal".to_owned(),
        partitions,
        kind: Kind::Journal,
    };
    topics.open(&spec).await.unwrap()
}

async fn begin(log: &Arc<dyn Log>, uuid: u128) -> Result<Genesis, Error> {
    establish(log, Uuid::from_u128(uuid)).await
}

async fn refusal(log: &Arc<dyn Log>) -> ErrorKind {
    begin(log, 99).await.unwrap_err().kind()
}

async fn write(log: &Arc<dyn Log>, partition: u32, genesis: &Genesis) {
    let record = Record::value(encode_genesis(genesis));
    assert!(log.append(partition, record).await.is_written());
}

#[tokio::test]
async fn a_new_journal_keeps_its_first_identity() {
    let log = memory(3).await;
    let first = begin(&log, 1).await.unwrap();
    assert_eq!(first, genesis(1, 3));
    assert_eq!(begin(&log, 2).await.unwrap(), first);
    for partition in 0..3 {
        assert_eq!(log.end(partition).await.unwrap(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn instances_that_start_together_agree_whatever_happens_to_them() {
    for seed in 0..100 {
        let simulator = Simulator::new(seed, Disk::Safe, Time::EPOCH);
        let instances = (0..4).map(|instance| {
            let client = simulator.client(instance.to_string(), Faults::harsh());
            async move {
                let log = open(&client, 3).await;
                begin(&log, instance).await.unwrap()
            }
        });
        let found = join_all(instances).await;
        assert!(
            found.iter().all(|genesis| *genesis == found[0]),
            "seed {seed}"
        );
        for partition in 0..3 {
            let first = simulator.records("journal", partition)[0].clone();
            let first = decode(&first.record.value);
            assert_eq!(first, Decoded::Entry(Entry::Genesis(found[0].clone())));
        }
    }
}

#[tokio::test]
async fn another_hash_or_format_is_refused() {
    let by_another_hash = Genesis {
        hash: "other".to_owned(),
        ..genesis(1, 1)
    };
    let of_another_format = Genesis {
        format: 2,
        ..genesis(1, 1)
    };
    for other in [by_another_hash, of_another_format] {
        let log = memory(1).await;
        write(&log, 0, &other).await;
        assert_eq!(refusal(&log).await, ErrorKind::Unreadable);
    }
}

#[tokio::test]
async fn a_log_that_lost_partitions_is_refused() {
    let log = memory(2).await;
    write(&log, 0, &genesis(1, 3)).await;
    assert_eq!(refusal(&log).await, ErrorKind::Misconfigured);
}

#[tokio::test]
async fn surplus_partitions_are_ignored_as_long_as_they_are_empty() {
    let log = memory(4).await;
    write(&log, 0, &genesis(1, 3)).await;
    assert_eq!(begin(&log, 2).await.unwrap(), genesis(1, 3));
    assert_eq!(log.end(2).await.unwrap(), 1);
    assert_eq!(log.end(3).await.unwrap(), 0);
    let _written = log.append(3, Record::value("stray")).await;
    assert_eq!(refusal(&log).await, ErrorKind::Misconfigured);
}

#[tokio::test]
async fn what_begins_with_something_else_is_no_journal() {
    let log = memory(1).await;
    let _written = log.append(0, Record::value("something else")).await;
    assert_eq!(refusal(&log).await, ErrorKind::Foreign);
}

#[tokio::test]
async fn a_partition_of_another_journal_is_refused() {
    let log = memory(2).await;
    write(&log, 1, &genesis(9, 2)).await;
    assert_eq!(refusal(&log).await, ErrorKind::Foreign);
}
