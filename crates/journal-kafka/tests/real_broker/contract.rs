//! The port's contract.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use eventsourcing::{Clock as _, SystemClock};
use futures::FutureExt as _;
use journal::{Append, ErrorKind, Header, Kind, Log, Record, TopicSpec, establish};
use tokio::task::JoinSet;

use crate::broker::{Broker, SOON, fresh, open, read, record, run, text, texts, write};

#[test]
fn records_come_back_as_they_were_in_order_under_dense_offsets() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let log = open(&broker.topics(), &fresh(2)).await;
        let full = Record {
            key: Some(Bytes::from_static(b"key")),
            headers: vec![
                Header {
                    name: "a".to_owned(),
                    value: Bytes::from_static(b"1"),
                },
                Header {
                    name: "a".to_owned(),
                    value: Bytes::new(),
                },
            ],
            value: Bytes::from_static(b"value"),
        };
        let before = SystemClock.now();
        assert_eq!(log.append(1, full.clone()).await, Append::Written);
        write(&log, 1, &["b", "c", "d"]).await;

        let records = read(&log, 1, 0, 4).await;
        assert_eq!(records[0].record, full);
        assert_eq!(texts(&records), ["value", "b", "c", "d"]);
        let offsets: Vec<u64> = records.iter().map(|stored| stored.offset).collect();
        assert_eq!(offsets, [0, 1, 2, 3]);
        for stored in &records {
            let behind = stored.time.micros() - before.micros();
            assert!(
                (-1_000_000..60_000_000).contains(&behind),
                "{behind} microseconds"
            );
        }
        assert_eq!(texts(&read(&log, 1, 2, 2).await), ["c", "d"]);
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
fn appends_whose_futures_are_polled_in_an_order_keep_it() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let log = open(&broker.topics(), &fresh(1)).await;
        let names: Vec<String> = (0..500).map(|nth| nth.to_string()).collect();
        let appends = names.iter().map(|name| log.append(0, record(name)));
        let outcomes = futures::future::join_all(appends).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Append::Written));
        assert_eq!(texts(&read(&log, 0, 0, 500).await), names);
    });
}

#[test]
fn an_append_whose_caller_goes_away_is_not_cut_in_half() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let log = open(&broker.topics(), &fresh(1)).await;
        let mut append = log.append(0, record("whole"));
        assert_eq!(
            (&mut append).now_or_never(),
            None,
            "it was handed over and is under way"
        );
        drop(append);
        assert_eq!(texts(&read(&log, 0, 0, 1).await), ["whole"]);
    });
}

#[test]
fn a_tail_waits_and_a_dropped_future_loses_nothing() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let log = open(&broker.topics(), &fresh(1)).await;
        let mut tail = log.tail(0, 0);
        for nth in 0..20 {
            let early = tokio::time::timeout(Duration::from_millis(5), tail.next()).await;
            assert!(early.is_err(), "there is nothing yet");
            let name = nth.to_string();
            write(&log, 0, &[&name]).await;
            let records = tokio::time::timeout(SOON, tail.next())
                .await
                .unwrap()
                .unwrap();
            assert_eq!(texts(&records), [name]);
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
        let noise: Vec<u8> = (0_u32..40_000)
            .map(|nth| (nth.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        for nth in 0..RECORDS {
            let mut value = nth.to_string().into_bytes();
            value.push(b' ');
            value.extend_from_slice(&noise);
            let record = Record::value(value.into());
            assert_eq!(log.append(0, record).await, Append::Written);
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
fn what_is_too_large_is_not_written_and_what_just_fits_is() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let log = open(&broker.topics(), &fresh(1)).await;
        let of = |bytes: usize| Record::value(Bytes::from(vec![7; bytes]));
        let outcome = log.append(0, of(2 * 1_024 * 1_024)).await;
        assert!(matches!(outcome, Append::NotWritten(_)), "{outcome:?}");
        assert_eq!(log.end(0).await.unwrap(), 0);
        let fits = of(2_000_000);
        assert_eq!(log.append(0, fits.clone()).await, Append::Written);
        assert_eq!(read(&log, 0, 0, 1).await[0].record, fits);
    });
}

#[test]
fn a_partition_that_is_not_there_is_refused() {
    let Some(broker) = Broker::shared() else {
        return;
    };
    run(async {
        let log = open(&broker.topics(), &fresh(2)).await;
        assert!(matches!(
            log.append(2, record("x")).await,
            Append::NotWritten(_)
        ));
        assert_eq!(log.end(2).await.unwrap_err().kind(), ErrorKind::Invalid);
        let mut tail = log.tail(2, 0);
        assert_eq!(tail.next().await.unwrap_err().kind(), ErrorKind::Invalid);
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
        assert_eq!(log.append(0, key.clone()).await, Append::Written);
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
                establish(&log).await.unwrap()
            });
        }
        let found = starting.join_all().await;
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:?}");
        assert_eq!(found[0].partitions, 12);
    });
}
