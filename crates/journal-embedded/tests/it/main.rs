//! The log in a folder, from outside.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::Arc;

use bytes::Bytes;
use eventsourcing::{FixedClock, SystemClock, Time};
use futures::FutureExt as _;
use futures::future::join_all;
use journal::{Append, ErrorKind, Kind, Log, Record, Stored, TopicSpec, Topics, conformance};
use journal_embedded::{EmbeddedOptions, EmbeddedTopics};
use tempfile::TempDir;

fn options() -> EmbeddedOptions {
    EmbeddedOptions::new(Arc::new(SystemClock))
}

fn spec(name: &str, kind: Kind) -> TopicSpec {
    TopicSpec {
        name: name.to_owned(),
        partitions: 2,
        kind,
    }
}

async fn in_folder(folder: &TempDir, options: EmbeddedOptions) -> EmbeddedTopics {
    EmbeddedTopics::open(folder.path(), options).await.unwrap()
}

async fn journal(topics: &EmbeddedTopics) -> Arc<dyn Log> {
    topics.open(&spec("journal", Kind::Journal)).await.unwrap()
}

async fn write(log: &Arc<dyn Log>, partition: u32, value: impl Into<Bytes>) {
    let written = log.append(partition, Record::value(value)).await;
    assert!(written.is_written());
}

/// All that a tail hands out from `from` on, up to the end.
async fn read(log: &Arc<dyn Log>, partition: u32, from: u64) -> Vec<Stored> {
    let end = log.end(partition).await.unwrap();
    let mut tail = log.tail(partition, from);
    let mut records: Vec<Stored> = Vec::new();
    while records.last().map_or(from, |last| last.offset + 1) < end {
        records.extend(tail.next().await.unwrap());
    }
    records
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise_from_memory() {
    let folder = TempDir::new().unwrap();
    let topics: Arc<dyn Topics> = Arc::new(in_folder(&folder, options()).await);
    conformance::run(&topics, "window").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_every_promise_from_the_file() {
    let folder = TempDir::new().unwrap();
    let no_window = EmbeddedOptions {
        window_bytes: 0,
        ..options()
    };
    let topics: Arc<dyn Topics> = Arc::new(in_folder(&folder, no_window).await);
    conformance::run(&topics, "file").await.unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let mut before = Vec::new();
    for life in 0..3_u64 {
        let topics = in_folder(&folder, options()).await;
        let log = journal(&topics).await;
        assert_eq!(log.end(1).await.unwrap(), 10 * life);
        assert_eq!(read(&log, 1, 0).await, before);
        for number in 0..10 {
            write(&log, 1, format!("{life}/{number}")).await;
        }
        before = read(&log, 1, 0).await;
        topics.close().await.unwrap();
    }
    assert_eq!(before.len(), 30);
}

#[tokio::test]
async fn topics_that_are_dropped_give_the_folder_free_once_all_is_written() {
    let folder = TempDir::new().unwrap();
    let topics = in_folder(&folder, options()).await;
    let log = journal(&topics).await;
    let appends = (0..100).map(|_| log.append(0, Record::value("x")));
    let appends = join_all(appends).await;
    assert!(appends.iter().all(Append::is_written));
    drop((topics, log));
    let opened = loop {
        match EmbeddedTopics::open(folder.path(), options()).await {
            Ok(topics) => break topics,
            Err(error) => assert_eq!(error.kind(), ErrorKind::InUse),
        }
    };
    assert_eq!(journal(&opened).await.end(0).await.unwrap(), 100);
}

#[tokio::test]
async fn a_folder_in_use_is_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let topics = in_folder(&folder, options()).await;
    let error = EmbeddedTopics::open(folder.path(), options())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InUse);
    let name = folder.path().display().to_string();
    assert!(error.to_string().contains(&name), "{error}");
    topics.close().await.unwrap();
    in_folder(&folder, options()).await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a file");
    std::fs::write(&file, "in the way").unwrap();
    let error = EmbeddedTopics::open(file.join("folder"), options())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    assert!(error.to_string().contains("a file"), "{error}");
}

#[tokio::test]
async fn a_making_that_was_interrupted_is_begun_again() {
    let folder = TempDir::new().unwrap();
    let unfinished = folder.path().join("journal.redb.new");
    std::fs::write(&unfinished, vec![0; 5_000]).unwrap();
    let topics = in_folder(&folder, options()).await;
    write(&journal(&topics).await, 0, "x").await;
    assert!(!unfinished.exists());
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("journal.redb");
    std::fs::write(&file, vec![7; 5_000]).unwrap();
    let opened = EmbeddedTopics::open(folder.path(), options()).await;
    assert!(opened.is_err());
    assert_eq!(std::fs::read(&file).unwrap(), vec![7; 5_000]);
}

#[tokio::test]
async fn a_missing_topic_is_refused_when_it_may_not_be_created() {
    let folder = TempDir::new().unwrap();
    let strict = EmbeddedOptions {
        create_topics: false,
        ..options()
    };
    let topics = in_folder(&folder, strict.clone()).await;
    let missing = spec("journal", Kind::Journal);
    let error = topics.open(&missing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    topics.close().await.unwrap();

    let topics = in_folder(&folder, options()).await;
    topics.open(&missing).await.unwrap();
    topics.close().await.unwrap();
    let topics = in_folder(&folder, strict).await;
    topics.open(&missing).await.unwrap();
}

#[tokio::test]
async fn appends_that_wait_at_the_close_are_written_and_later_ones_are_not() {
    let folder = TempDir::new().unwrap();
    let topics = in_folder(&folder, options()).await;
    let log = journal(&topics).await;
    let mut waiting: Vec<_> = (0..100)
        .map(|_| log.append(0, Record::value("x")))
        .collect();
    let answered: usize = waiting
        .iter_mut()
        .map(|append| usize::from(append.now_or_never().is_some()))
        .sum();
    assert_eq!(answered, 0, "the first poll only queues");
    topics.close().await.unwrap();
    let late = log.append(0, Record::value("late")).await;
    assert!(matches!(late, Append::NotWritten(_)), "{late:?}");

    let topics = in_folder(&folder, options()).await;
    assert_eq!(journal(&topics).await.end(0).await.unwrap(), 100);
}

#[tokio::test]
async fn tails_of_closed_topics_end() {
    let folder = TempDir::new().unwrap();
    let topics = in_folder(&folder, options()).await;
    let log = journal(&topics).await;
    let mut tail = log.tail(0, 0);
    let (ended, closed) = tokio::join!(tail.next(), topics.close());
    closed.unwrap();
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Unavailable);
    let opened = topics.open(&spec("journal", Kind::Journal)).await;
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_full_queue_lets_appends_wait_and_loses_none() {
    let folder = TempDir::new().unwrap();
    let narrow = EmbeddedOptions {
        queue_bytes: 0,
        ..options()
    };
    let topics = in_folder(&folder, narrow).await;
    let log = journal(&topics).await;
    let appends = (0..20).map(|_| log.append(0, Record::value(vec![0; 700 * 1024])));
    let appends = join_all(appends).await;
    assert!(appends.iter().all(Append::is_written));
    assert_eq!(log.end(0).await.unwrap(), 20);
}

#[tokio::test]
async fn a_tail_that_falls_behind_the_window_goes_on_without_a_gap() {
    let folder = TempDir::new().unwrap();
    let small = EmbeddedOptions {
        window_bytes: 4_096,
        ..options()
    };
    let topics = in_folder(&folder, small).await;
    let log = journal(&topics).await;
    let mut tail = log.tail(0, 0);
    let mut found = Vec::new();
    for burst in [1, 200, 3, 500, 1, 1, 100] {
        join_all((0..burst).map(|_| write(&log, 0, "some record"))).await;
        found.extend(tail.next().await.unwrap());
    }
    let rest = read(&log, 0, found.len() as u64).await;
    found.extend(rest);
    let offsets: Vec<u64> = found.iter().map(|stored| stored.offset).collect();
    assert_eq!(offsets, (0..806).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_record_carries_the_time_of_the_clock_it_was_given() {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(FixedClock::at(Time::from_days(7)));
    let topics = in_folder(
        &folder,
        EmbeddedOptions::new(Arc::<FixedClock>::clone(&clock)),
    )
    .await;
    let log = journal(&topics).await;
    write(&log, 0, "one").await;
    clock.set(Time::from_days(5));
    write(&log, 0, "two").await;
    topics.close().await.unwrap();
    let topics = in_folder(&folder, options()).await;
    let found = read(&journal(&topics).await, 0, 0).await;
    let times: Vec<Time> = found.iter().map(|stored| stored.time).collect();
    assert_eq!(times, [Time::from_days(7), Time::from_days(5)]);
}

#[tokio::test]
async fn a_topic_of_keys_forgets_what_was_written_under_the_same_key_before() {
    let folder = TempDir::new().unwrap();
    let keyed = |key: &'static str, value: &'static str| Record {
        key: Some(Bytes::from_static(key.as_bytes())),
        headers: Vec::new(),
        value: Bytes::from_static(value.as_bytes()),
    };
    let topics = in_folder(&folder, options()).await;
    let log = topics.open(&spec("keys", Kind::Keys)).await.unwrap();
    let records = [
        keyed("anna", "1"),
        keyed("bert", "2"),
        Record::value("no key"),
        keyed("anna", "3"),
        keyed("bert", ""),
        keyed("cleo", "4"),
    ];
    for record in records {
        assert!(log.append(0, record).await.is_written());
    }
    let elsewhere = log.append(1, keyed("cleo", "5")).await;
    assert!(elsewhere.is_written());
    topics.close().await.unwrap();

    let topics = in_folder(&folder, options()).await;
    let log = topics.open(&spec("keys", Kind::Keys)).await.unwrap();
    let kept = read(&log, 0, 0).await;
    let kept: Vec<(u64, Bytes)> = kept
        .into_iter()
        .map(|stored| (stored.offset, stored.record.value))
        .collect();
    assert_eq!(
        kept,
        [
            (2, "no key".into()),
            (3, "3".into()),
            (4, "".into()),
            (5, "4".into())
        ]
    );
    assert_eq!(log.end(0).await.unwrap(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_topic_of_keys_has_forgotten_is_off_the_disk_when_it_is_scrubbed() {
    let folder = TempDir::new().unwrap();
    let topics = in_folder(&folder, options()).await;
    let keys = topics.open(&spec("keys", Kind::Keys)).await.unwrap();
    let put = |key: &'static str, value: &'static str| Record {
        key: Some(Bytes::from_static(key.as_bytes())),
        headers: Vec::new(),
        value: Bytes::from_static(value.as_bytes()),
    };
    for record in [
        put("ada", "the-key-of-ada"),
        put("bob", "the-key-of-bob"),
        put("ada", ""),
    ] {
        assert!(keys.append(0, record).await.is_written());
    }
    let holds = |what: &str| {
        let bytes = std::fs::read(folder.path().join("journal.redb")).unwrap();
        bytes
            .windows(what.len())
            .any(|window| window == what.as_bytes())
    };
    assert!(holds("the-key-of-ada"), "redb keeps what was deleted");
    keys.scrub().await.unwrap();
    assert!(!holds("the-key-of-ada") && holds("the-key-of-bob"));
    let eve = keys.append(0, put("eve", "the-key-of-eve")).await;
    assert!(eve.is_written());
    topics.close().await.unwrap();
    let topics = in_folder(&folder, options()).await;
    let keys = topics.open(&spec("keys", Kind::Keys)).await.unwrap();
    let all = read(&keys, 0, 0).await;
    let values: Vec<_> = all
        .iter()
        .map(|stored| stored.record.value.clone())
        .collect();
    assert_eq!(values, ["the-key-of-bob", "", "the-key-of-eve"]);
    assert!(!folder.path().join("journal.redb.new").exists());
}
