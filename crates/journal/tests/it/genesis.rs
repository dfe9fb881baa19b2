//! How a journal begins, whoever comes first and whatever goes wrong.

use std::sync::Arc;

use eventsourcing::{FixedClock, Time};
use futures::future::join_all;
use journal::genesis::establish;
use journal::memory::MemoryTopics;
use journal::simulator::{Disk, Faults, Simulator};
use journal::{Decoded, Entry, ErrorKind, Genesis, Kind, Log, Record, TopicSpec, Topics};
use uuid::Uuid;

fn proposed(uuid: u128, partitions: u32) -> Genesis {
    Genesis::new(Uuid::from_u128(uuid), partitions, 42)
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

async fn refusal(log: &dyn Log, proposed: &Genesis) -> ErrorKind {
    establish(log, proposed).await.unwrap_err().kind()
}

#[tokio::test]
async fn a_new_journal_begins_as_proposed_and_stays_so() {
    let log = memory(3).await;
    let first = establish(&*log, &proposed(1, 3)).await.unwrap();
    assert_eq!(first, proposed(1, 3));
    assert_eq!(establish(&*log, &proposed(2, 3)).await.unwrap(), first);
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
                establish(&*log, &proposed(instance, 3)).await.unwrap()
            }
        });
        let found = join_all(instances).await;
        assert!(
            found.iter().all(|genesis| *genesis == found[0]),
            "seed {seed}"
        );
        for partition in 0..3 {
            let first = simulator.records("journal", partition)[0].clone();
            let first = Entry::decode(&first.record.value);
            assert_eq!(first, Decoded::Entry(Entry::Genesis(found[0].clone())));
        }
    }
}

#[tokio::test]
async fn another_number_of_partitions_hash_or_format_is_refused() {
    let log = memory(3).await;
    establish(&*log, &proposed(1, 3)).await.unwrap();
    let misconfigured = ErrorKind::Misconfigured;
    assert_eq!(refusal(&*log, &proposed(1, 2)).await, misconfigured);
    assert_eq!(refusal(&*log, &proposed(1, 4)).await, misconfigured);
    let other_hash = Genesis {
        hash: "other".to_owned(),
        ..proposed(1, 3)
    };
    assert_eq!(refusal(&*log, &other_hash).await, misconfigured);
    let other_format = Genesis {
        format: 2,
        ..proposed(1, 3)
    };
    assert_eq!(refusal(&*log, &other_format).await, ErrorKind::Unreadable);
}

#[tokio::test]
async fn surplus_partitions_are_ignored_as_long_as_they_are_empty() {
    let log = memory(4).await;
    establish(&*log, &proposed(1, 3)).await.unwrap();
    assert_eq!(log.end(3).await.unwrap(), 0);
    let _written = log.append(3, Record::value("stray")).await;
    assert_eq!(
        refusal(&*log, &proposed(1, 3)).await,
        ErrorKind::Misconfigured
    );
}

#[tokio::test]
async fn what_begins_with_something_else_is_no_journal() {
    let log = memory(1).await;
    let _written = log.append(0, Record::value("something else")).await;
    assert_eq!(refusal(&*log, &proposed(1, 1)).await, ErrorKind::Foreign);
}

#[tokio::test]
async fn a_partition_of_another_journal_is_refused() {
    let log = memory(2).await;
    let other = Entry::Genesis(proposed(9, 2)).encode();
    let _written = log.append(1, Record::value(other)).await;
    assert_eq!(refusal(&*log, &proposed(1, 2)).await, ErrorKind::Foreign);
}
