//! The port's contract: the suite of all logs, and what takes several instances or a network to see.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use eventsourcing::{Clock as _, SystemClock};
use journal::{Kind, Log, Record, TopicSpec, Topics, conformance, establish};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::broker::{Broker, SOON, fresh, open, read, record, run, text, texts, write};

#[test]
fn the_suite_of_all_logs_holds() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let topics: Arc<dyn Topics> = Arc::new(broker.topics());
        let prefix = format!("patron.test.{}", Uuid::new_v4());
        conformance::run(&topics, &prefix).await.unwrap();
    });
}

#[test]
fn the_time_of_a_record_is_the_brokers() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let log = open(&broker.topics(), &fresh(1)).await;
        let before = SystemClock.now();
        write(&log, 0, &["x"]).await;
        let behind = read(&log, 0, 0, 1).await[0].time.micros() - before.micros();
        assert!(
            (-1_000_000..60_000_000).contains(&behind),
            "{behind} microseconds"
        );
    });
}

#[test]
fn everything_written_anywhere_before_is_below_the_end() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let spec = fresh(2);
        let (here, there) = (broker.topics(), broker.topics());
        let (here, there) = (open(&here, &spec).await, open(&there, &spec).await);
        assert_eq!(here.end(0).await.unwrap(), 0);
        for written in 1..=50 {
            write(&there, 0, &["x"]).await;
            assert_eq!(here.end(0).await.unwrap(), written);
        }
        assert_eq!(here.end(1).await.unwrap(), 0);
    });
}

#[test]
fn many_may_ask_for_ends_at_once() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let log = open(&broker.topics(), &fresh(12)).await;
        for partition in 0..12 {
            for _ in 0..partition {
                write(&log, partition, &["x"]).await;
            }
        }
        let mut asking = JoinSet::new();
        for nth in 0..600 {
            let end = log.end(nth % 12);
            asking.spawn(async move { (nth % 12, end.await.unwrap()) });
        }
        while let Some(answer) = asking.join_next().await {
            let (partition, end) = answer.unwrap();
            assert_eq!(end, u64::from(partition));
        }
    });
}

#[test]
fn concurrent_writers_leave_one_history_that_all_readers_read() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        const WRITERS: usize = 24;
        const EACH: usize = 100;
        let spec = fresh(3);
        let (here, there) = (broker.topics(), broker.topics());
        let (here, there) = (open(&here, &spec).await, open(&there, &spec).await);
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let log = Arc::clone(if writer % 2 == 0 { &here } else { &there });
            writers.spawn(async move {
                let partition = u32::try_from(writer % 3).unwrap();
                for nth in 0..EACH {
                    write(&log, partition, &[&format!("{writer}/{nth}")]).await;
                }
            });
        }
        while let Some(written) = writers.join_next().await {
            written.unwrap();
        }
        for partition in 0..3 {
            let count = WRITERS / 3 * EACH;
            assert_eq!(here.end(partition).await.unwrap(), count as u64);
            let records = read(&here, partition, 0, count).await;
            assert_eq!(records, read(&there, partition, 0, count).await);
            let mut next: BTreeMap<&str, usize> = BTreeMap::new();
            for (offset, stored) in records.iter().enumerate() {
                assert_eq!(stored.offset, offset as u64);
                let (writer, nth) = text(stored).split_once('/').unwrap();
                let next = next.entry(writer).or_default();
                assert_eq!(nth.parse(), Ok(*next), "a writer's order is kept");
                *next += 1;
            }
        }
    });
}

#[test]
fn tails_of_one_partition_do_not_disturb_each_other() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let log = open(&broker.topics(), &fresh(1)).await;
        write(&log, 0, &["a", "b", "c"]).await;
        let mut first = log.tail(0, 0);
        assert_eq!(texts(&first.next().await.unwrap())[0], "a");
        for _ in 0..3 {
            assert_eq!(texts(&read(&log, 0, 1, 2).await), ["b", "c"]);
        }
        drop(log.tail(0, 2));
        let mut last = log.tail(0, 3);
        write(&log, 0, &["d"]).await;
        assert_eq!(texts(&last.next().await.unwrap()), ["d"]);
        drop(first);
        write(&log, 0, &["e"]).await;
        assert_eq!(texts(&last.next().await.unwrap()), ["e"]);
        assert_eq!(texts(&read(&log, 0, 0, 5).await), ["a", "b", "c", "d", "e"]);
    });
}

#[test]
fn a_tail_that_nobody_empties_holds_up_no_other_and_loses_nothing() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        const RECORDS: usize = 400;
        let log = open(&broker.topics(), &fresh(2)).await;
        let mut slow = log.tail(0, 0);
        let mut quick = log.tail(1, 0);
        // Far more than is read ahead, and nothing that could be compressed.
        let noise: Vec<u8> = (0_u32..10_000)
            .flat_map(|nth| nth.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        for nth in 0..RECORDS {
            let mut value = nth.to_string().into_bytes();
            value.push(b' ');
            value.extend_from_slice(&noise);
            let record = Record::value(value);
            assert!(log.append(0, record).await.is_written());
        }
        write(&log, 1, &["quick"]).await;
        let records = tokio::time::timeout(SOON, quick.next())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(texts(&records), ["quick"]);
        let mut seen = 0;
        while seen < RECORDS {
            for stored in tokio::time::timeout(SOON, slow.next())
                .await
                .unwrap()
                .unwrap()
            {
                assert!(
                    stored
                        .record
                        .value
                        .starts_with(format!("{seen} ").as_bytes())
                );
                seen += 1;
            }
        }
    });
}

#[test]
fn keys_are_kept_in_a_compacted_topic() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let spec = TopicSpec {
            kind: Kind::Keys,
            ..fresh(1)
        };
        let log = open(&broker.topics(), &spec).await;
        let key = Record {
            key: Some(Bytes::from_static(b"k")),
            ..record("v")
        };
        assert!(log.append(0, key.clone()).await.is_written());
        assert_eq!(read(&log, 0, 0, 1).await[0].record, key);
    });
}

#[test]
fn instances_that_start_together_agree_on_one_genesis() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let spec = fresh(12);
        let mut starting = JoinSet::new();
        for _ in 0..3 {
            let (topics, spec) = (broker.topics(), spec.clone());
            starting.spawn(async move {
                let log: Arc<dyn Log> = open(&topics, &spec).await;
                establish(&log, Uuid::new_v4()).await.unwrap()
            });
        }
        let found = starting.join_all().await;
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:?}");
        assert_eq!(found[0].partitions, 12);
    });
}
