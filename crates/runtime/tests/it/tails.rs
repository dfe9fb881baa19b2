//! The accepted commits of a partition, as relays and watchers see them; and policies, as two instances
//! perform them.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use journal::simulator::Faults;
use journal::{Decoded, Entry};
use runtime::Options;

use crate::follow::Echo;
use crate::replica::{alone, append, ask, log, plant, start, write};
use crate::tally::{Command, Happened, tally_stream};

#[tokio::test(start_paused = true)]
async fn the_accepted_tail_leaves_out_what_the_rule_ignored() {
    let (log, client) = log(1);
    let replica = start(&log, &client, alone("left")).await.unwrap();
    let added = |version| {
        append(
            tally_stream("one"),
            version,
            vec![Happened::Counted.event()],
        )
    };
    for (id, version) in [(1, 0), (2, 0), (3, 1), (4, 7)] {
        plant(&log, "left", id, vec![added(version)]);
    }
    let mut tail = replica.accepted_from(0, 0);
    assert_eq!(tail.next().await.unwrap().commit.commit_id.as_u128(), 1);
    let second = tail.next_read().unwrap().unwrap();
    assert_eq!((second.commit.commit_id.as_u128(), second.offset), (3, 3));
    // What is left was read and is ignored: whoever asks for what is at hand does not wait for more.
    assert!(tail.next_read().unwrap().is_none());

    // A wait that is given up loses nothing.
    assert!(tail.next().now_or_never().is_none());
    plant(&log, "left", 5, vec![added(2)]);
    assert_eq!(tail.next().await.unwrap().commit.commit_id.as_u128(), 5);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_behind_sees_the_same_as_whoever_is_close() {
    let (log, client) = log(1);
    let replica = start(&log, &client, alone("left")).await.unwrap();
    let mut close = replica.accepted_from(0, 0);
    let (mut seen, mut version) = (Vec::new(), 0);
    for id in 0..60 {
        // The log's clock steps back now and then, and every third commit is ignored.
        client.set_faults(Faults {
            clock_jitter: Duration::from_secs(5),
            ..Faults::none()
        });
        let is_late = id % 3 == 2;
        let expected = if is_late { 999 } else { version };
        let added = append(
            tally_stream("one"),
            expected,
            vec![Happened::Counted.event()],
        );
        write(&client, "left", id, vec![added]).await;
        version += u64::from(!is_late);
        replica.barrier().await.unwrap();
        while let Some(accepted) = close.next_read().unwrap() {
            seen.push((accepted.offset, accepted.time, accepted.recorded_at));
        }
    }
    assert_eq!(seen.len(), 40);
    let mut behind = replica.accepted_from(0, 0);
    for (offset, time, recorded_at) in seen {
        let accepted = behind.next().await.unwrap();
        let found = (accepted.offset, accepted.time, accepted.recorded_at);
        assert_eq!(found, (offset, time, recorded_at));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_due_is_done_once_by_two_instances() {
    let (log, client) = log(1);
    let one = start(&log, &client, alone("left")).await.unwrap();
    let again = Options {
        seed: Some(8),
        ..alone("left")
    };
    let two = start(&log, &client, again).await.unwrap();
    for replica in [&one, &two] {
        replica.start_policy(Arc::new(Echo));
    }
    // So slow that neither hears of the other in time.
    client.set_faults(Faults::slow());
    for id in 0..5 {
        ask(&one, Command::Flag, 2 * id).await.unwrap();
        ask(&two, Command::Clear, 2 * id + 1).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    for replica in [&one, &two] {
        replica.barrier().await.unwrap();
        let tally = replica
            .store()
            .read(|rows| crate::tally::tally(rows, "one"))
            .unwrap();
        assert_eq!((tally.flags, tally.echoes), (5, 5));
    }
    // Both tried at the same moment, and the rule let one of them through.
    let echoes = log
        .records("patron.left.journal", 0)
        .iter()
        .filter(|stored| match journal::decode(&stored.record.value) {
            Decoded::Entry(Entry::Commit(commit)) => commit.appends.iter().any(|append| {
                append
                    .events
                    .iter()
                    .any(|event| event.kind == "test.Echoed")
            }),
            _ => false,
        })
        .count();
    assert!(echoes > 5, "{echoes}");
}
