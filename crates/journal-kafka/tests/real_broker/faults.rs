//! A broker that is killed or hangs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use journal::{Append, ErrorKind, Log, Stored, Tail};
use journal_kafka::KafkaOptions;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::broker::{Broker, SOON, fresh, open, read, record, run, text, texts, write};

/// Appends until it is told to stop, and tells what was acknowledged and what certainly was not written.
async fn appends(log: Arc<dyn Log>, writer: usize, stop: Arc<AtomicBool>) -> [Vec<String>; 2] {
    let [mut written, mut not_written] = [Vec::new(), Vec::new()];
    for nth in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("{writer}/{nth}");
        match log.append(0, record(&name)).await {
            Append::Written(_) => written.push(name),
            Append::NotWritten(_) => not_written.push(name),
            Append::Unknown(_) => {}
        }
    }
    [written, not_written]
}

/// Eight writers, until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    writers: JoinSet<[Vec<String>; 2]>,
}

impl Load {
    fn start(log: &Arc<dyn Log>) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let writers = (0..8).map(|writer| appends(Arc::clone(log), writer, Arc::clone(&stop)));
        Self {
            writers: writers.collect(),
            stop,
        }
    }

    /// Stops them and checks that partition 0 holds what was acknowledged and nothing that was refused.
    async fn check(self, log: &Arc<dyn Log>, seen: &[Stored]) {
        self.stop.store(true, Ordering::Relaxed);
        let outcomes = self.writers.join_all().await;
        let end = usize::try_from(log.end(0).await.unwrap()).unwrap();
        let all = read(log, 0, 0, end).await;
        assert!(all.starts_with(seen), "one history, before and after");
        let dense = all.iter().enumerate();
        assert!(
            dense
                .into_iter()
                .all(|(offset, stored)| stored.offset == offset as u64)
        );
        let there: BTreeSet<&str> = all.iter().map(text).collect();
        for [written, not_written] in &outcomes {
            assert!(!written.is_empty());
            assert!(written.iter().all(|name| there.contains(name.as_str())));
            assert!(!not_written.iter().any(|name| there.contains(name.as_str())));
        }
    }
}

/// Reads so many records more.
async fn more(tail: &mut dyn Tail, seen: &mut Vec<Stored>, count: usize) {
    let enough = seen.len() + count;
    while seen.len() < enough {
        let next = tokio::time::timeout(SOON, tail.next()).await;
        seen.extend(next.expect("the same tail goes on").unwrap());
    }
}

#[test]
fn what_was_acknowledged_survives_a_broker_that_is_killed() {
    let Some(broker) = Broker::own() else {
        return;
    };
    run(async {
        let log = open(&broker.topics(), &fresh(1)).await;
        let load = Load::start(&log);
        let (mut tail, mut seen) = (log.tail(0, 0), Vec::new());
        more(&mut *tail, &mut seen, 200).await;
        broker.script(&["kill", "1"]);
        broker.script(&["restart", "1"]);
        more(&mut *tail, &mut seen, 200).await;
        load.check(&log, &seen).await;
    });
}

#[test]
fn of_three_brokers_the_leader_may_be_killed_under_load() {
    let Some(broker) = Broker::cluster("3") else {
        return;
    };
    run(async {
        let spec = fresh(1);
        let safe = KafkaOptions {
            replication: 3,
            ..KafkaOptions::default()
        };
        let log = open(&broker.topics_with(safe), &spec).await;
        let load = Load::start(&log);
        let (mut tail, mut seen) = (log.tail(0, 0), Vec::new());
        more(&mut *tail, &mut seen, 200).await;
        let (admin, _) = broker.admin();
        let metadata = admin
            .inner()
            .fetch_metadata(Some(&spec.name), SOON)
            .unwrap();
        let leader = metadata.topics()[0].partitions()[0].leader();
        broker.script(&["kill", &leader.to_string()]);
        more(&mut *tail, &mut seen, 200).await;
        load.check(&log, &seen).await;
    });
}

#[test]
fn a_broker_that_hangs_holds_nobody_up_for_ever() {
    let Some(broker) = Broker::own() else { return };
    run(async {
        let spec = fresh(2);
        let (topics, other) = (broker.topics(), broker.topics());
        let log = open(&topics, &spec).await;
        let closing = open(&other, &spec).await;
        write(&closing, 0, &["a"]).await;
        let mut tail = log.tail(0, 0);
        assert_eq!(texts(&tail.next().await.unwrap()), ["a"]);
        let mut ending = closing.tail(0, 0);
        ending.next().await.unwrap();

        broker.script(&["pause", "1"]);
        let started = Instant::now();
        let (append, end) = futures::join!(log.append(1, record("b")), log.end(0));
        assert!(matches!(append, Append::Unknown(_)), "{append:?}");
        assert_eq!(end.unwrap_err().kind(), ErrorKind::Unavailable);
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{:?}",
            started.elapsed()
        );
        drop(ending);
        let started = Instant::now();
        other.close().await;
        assert!(
            started.elapsed() < Duration::from_secs(8),
            "{:?}",
            started.elapsed()
        );

        broker.script(&["resume", "1"]);
        write(&log, 0, &["c"]).await;
        let next = tokio::time::timeout(SOON, tail.next()).await;
        assert_eq!(texts(&next.expect("the same tail goes on").unwrap()), ["c"]);
        assert_eq!(log.end(0).await.unwrap(), 2);
    });
}
