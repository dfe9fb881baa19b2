//! Events of a newer release, and events that wait.

use patron_proto::journal::v1::{Received, received::Outcome};
use prost::Message as _;
use runtime::Failure;

use crate::replica::{
    alone, append, ask, exchanging, log, of_a_newer_release, pair, plant, send, start,
};
use crate::tally::{Command, Happened, mirror_stream, tally_stream};

#[tokio::test(start_paused = true)]
async fn a_stream_with_an_event_of_a_newer_release_answers_no_commands() {
    let (log, client) = log(1);
    let replica = start(&log, &client, alone("left")).await.unwrap();
    let unreadable = append(tally_stream("one"), 0, vec![of_a_newer_release()]);
    plant(&log, "left", 9, vec![unreadable]);
    replica.barrier().await.unwrap();

    let heard = ask(&replica, Command::Add(1), 1).await.unwrap_err();
    let stream = "tallies/one".to_owned();
    assert_eq!(heard, Failure::Unreadable { stream });
    assert_eq!(replica.health().unreadable_streams, 1);
    assert!(ask(&replica, Command::Note(1), 2).await.is_ok());
    // Its version counts all the same.
    let name = tally_stream("one").to_string();
    let version = replica.store().read(|rows| runtime::version(rows, &name));
    assert_eq!(version.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn nor_does_one_that_rests_on_it() {
    let (log, client) = log(1);
    let replica = start(&log, &client, alone("left")).await.unwrap();
    let unreadable = append(tally_stream("two"), 0, vec![of_a_newer_release()]);
    plant(&log, "left", 9, vec![unreadable]);
    replica.barrier().await.unwrap();

    assert!(ask(&replica, Command::Add(3), 1).await.is_ok());
    let heard = ask(&replica, Command::Take(1), 2).await.unwrap_err();
    let stream = "tallies/two".to_owned();
    assert_eq!(heard, Failure::Unreadable { stream });
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_parked_and_later_events_of_its_subject_behind_it() {
    let (log, client) = log(1);
    let left = start(&log, &client, exchanging("left")).await.unwrap();
    let public = |n| Happened::Added(n).event();
    // All in one commit, so in one batch of the receiver.
    plant(
        &log,
        "left",
        9,
        vec![
            append(
                tally_stream("one"),
                0,
                vec![of_a_newer_release(), public(1)],
            ),
            append(tally_stream("two"), 0, vec![public(2)]),
        ],
    );
    left.barrier().await.unwrap();
    let right = start(&log, &client, exchanging("right")).await.unwrap();
    while right.received().unwrap() != [3] {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let mut outcomes = Vec::new();
    for stored in log.records("patron.right.journal", 0) {
        let journal::Decoded::Entry(journal::Entry::Commit(commit)) =
            journal::decode(&stored.record.value)
        else {
            continue;
        };
        let events = commit.appends.iter().flat_map(|append| &append.events);
        for event in events.filter(|event| event.kind.ends_with("Received")) {
            let received = Received::decode(event.payload.clone()).unwrap();
            let parked = matches!(received.outcome, Some(Outcome::Parked(_)));
            outcomes.push((received.subject, parked));
        }
    }
    let expected = [
        ("tallies/one", true),
        ("tallies/one", true),
        ("tallies/two", false),
    ];
    let expected = expected.map(|(subject, parked)| (subject.to_owned(), parked));
    assert_eq!(outcomes, expected);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_concerns_an_unreadable_stream_waits_for_a_newer_release() {
    let (log, client) = log(1);
    let right = start(&log, &client, exchanging("right")).await.unwrap();
    let unreadable = append(mirror_stream("one"), 0, vec![of_a_newer_release()]);
    plant(&log, "right", 9, vec![unreadable]);
    right.barrier().await.unwrap();
    let left = start(&log, &client, exchanging("left")).await.unwrap();
    let other = crate::tally::Pair {
        key: "two".to_owned(),
        partner: "one".to_owned(),
    };
    let add = Command::Add(1).request(&other, uuid::Uuid::from_u128(1));
    let root = add.root.to_string();
    let decide = move |work: &mut runtime::Work<'_>| Command::Add(1).decide(&other, work);
    left.execute(add, decide, move |rows| runtime::version(rows, &root))
        .await
        .unwrap();
    assert_eq!(pair().key, "one");
    send(
        &left,
        Command::Add(2),
        crate::replica::request(Command::Add(2), 2),
    )
    .await
    .unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    // What came before it was taken, it was not, and nothing has failed.
    assert_eq!(right.received().unwrap(), [1]);
    assert_eq!(right.health().fault, None);
}
