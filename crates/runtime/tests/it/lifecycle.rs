//! How a replica starts, answers under pressure, and stops.

use std::time::Duration;

use futures::FutureExt as _;
use journal::simulator::Faults;
use runtime::{Failure, Options, verify};
use tokio::time::{Instant, sleep};

use crate::replica::{alone, append, ask, log, on_disk, plant, request, send, start};
use crate::tally::{Command, Happened, Tallies, tally_stream};

#[tokio::test(start_paused = true)]
async fn a_drain_lets_commands_under_way_finish() {
    let (log, client) = log(1);
    let replica = start(&log, &client, alone("left")).await.unwrap();
    client.set_faults(Faults::slow());
    let draining = async {
        sleep(Duration::from_millis(1)).await;
        replica.drain(Instant::now() + Duration::from_secs(5)).await;
    };
    let (answer, ()) = tokio::join!(ask(&replica, Command::Add(3), 1), draining);
    assert_eq!(answer.unwrap().value, 2);
    let late = ask(&replica, Command::Add(3), 2).await.unwrap_err();
    assert!(matches!(late, Failure::NotReady(_)), "{late}");
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_beyond_its_deadline() {
    let (log, client) = log(1);
    let replica = start(&log, &client, alone("left")).await.unwrap();
    client.stall_tails(true);
    let began = Instant::now();
    let draining = async {
        sleep(Duration::from_millis(1)).await;
        replica.drain(Instant::now() + Duration::from_secs(2)).await;
        began.elapsed()
    };
    let (answer, took) = tokio::join!(ask(&replica, Command::Add(3), 1), draining);
    assert_eq!(answer.unwrap_err(), Failure::OutcomeUnknown);
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[tokio::test]
async fn after_a_drain_the_rows_are_on_the_disk() {
    let (log, client) = log(1);
    let dir = tempfile::tempdir().unwrap();
    let replica = start(&log, &client, on_disk(dir.path())).await.unwrap();
    ask(&replica, Command::Add(3), 1).await.unwrap();
    replica.drain(Instant::now() + Duration::from_secs(5)).await;
    assert_eq!(replica.store().unflushed_rows(), 0);
    let digest = replica.store().digest();
    drop(replica);

    let replica = start(&log, &client, on_disk(dir.path())).await.unwrap();
    assert!(!replica.store().is_fresh());
    assert_eq!(replica.store().digest(), digest);
}

#[tokio::test(start_paused = true)]
async fn one_command_more_than_allowed_is_turned_away_at_once() {
    let (log, client) = log(1);
    let options = Options {
        max_in_flight: 1,
        ..alone("left")
    };
    let replica = start(&log, &client, options).await.unwrap();
    client.set_faults(Faults::slow());
    let (first, second) = tokio::join!(
        ask(&replica, Command::Add(1), 1),
        ask(&replica, Command::Note(1), 2)
    );
    assert!(first.is_ok());
    assert_eq!(second.unwrap_err(), Failure::Overloaded);
    assert!(ask(&replica, Command::Note(1), 2).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_after_the_deadline() {
    let (log, client) = log(1);
    let replica = start(&log, &client, alone("left")).await.unwrap();
    let mut late = request(Command::Add(1), 1);
    late.deadline = Some(Instant::now());
    let heard = send(&replica, Command::Add(1), late).await;
    assert_eq!(heard.unwrap_err(), Failure::Deadline);
    assert_eq!(log.records("patron.left.journal", 0).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_verdict_before_the_deadline_the_outcome_is_unknown() {
    let (log, client) = log(1);
    let replica = start(&log, &client, alone("left")).await.unwrap();
    client.stall_tails(true);
    let began = Instant::now();
    let mut waiting = request(Command::Add(1), 1);
    waiting.deadline = Some(began + Duration::from_secs(2));
    let heard = send(&replica, Command::Add(1), waiting).await;
    assert_eq!(heard.unwrap_err(), Failure::OutcomeUnknown);
    assert_eq!(began.elapsed().as_secs(), 2);

    client.stall_tails(false);
    assert!(ask(&replica, Command::Add(1), 1).await.unwrap().replayed);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_does_not_cut_a_write_in_half() {
    let (log, client) = log(1);
    let replica = start(&log, &client, alone("left")).await.unwrap();
    client.set_faults(Faults::slow());
    tokio::select! {
        biased;
        _ = ask(&replica, Command::Add(1), 1) => panic!("it was answered"),
        () = sleep(Duration::from_millis(1)) => {}
    }
    sleep(Duration::from_secs(1)).await;
    assert!(ask(&replica, Command::Add(1), 1).await.unwrap().replayed);
}

#[tokio::test]
async fn rows_of_another_journal_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (first, client) = log(1);
    let replica = start(&first, &client, on_disk(dir.path())).await.unwrap();
    ask(&replica, Command::Add(3), 1).await.unwrap();
    replica.drain(Instant::now() + Duration::from_secs(5)).await;
    drop(replica);

    // Another journal; one of that name that is shorter; and one that went another way.
    let (other, client) = log(2);
    let options = Options {
        seed: Some(8),
        ..on_disk(dir.path())
    };
    let refused = start(&other, &client, options).await.unwrap_err();
    assert!(
        refused.contains("the rows were built from journal"),
        "{refused}"
    );

    let (other, client) = log(3);
    let refused = start(&other, &client, on_disk(dir.path())).await;
    let refused = refused.unwrap_err();
    assert!(
        refused.contains("ends at offset 1, but 2 records"),
        "{refused}"
    );

    let added = append(tally_stream("one"), 0, vec![Happened::Added(5).event()]);
    plant(&other, "left", 5, vec![added]);
    let refused = start(&other, &client, on_disk(dir.path())).await;
    let refused = refused.unwrap_err();
    assert!(refused.contains("another record at offset 1"), "{refused}");

    let (_, client) = (first.clone(), first.client("b", Faults::none()));
    let replica = start(&first, &client, on_disk(dir.path())).await.unwrap();
    assert!(!replica.store().is_fresh());
}

#[tokio::test]
async fn damaged_rows_are_built_anew_from_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (log, client) = log(1);
    let replica = start(&log, &client, on_disk(dir.path())).await.unwrap();
    for id in 0..20 {
        ask(&replica, Command::Note(1), id).await.unwrap();
    }
    replica.drain(Instant::now() + Duration::from_secs(5)).await;
    let digest = replica.store().digest();
    drop(replica);
    let rows = dir.path().join("generation-1/sled/db");
    let mut bytes = std::fs::read(&rows).unwrap();
    for byte in bytes.iter_mut().step_by(97) {
        *byte ^= 0x55;
    }
    std::fs::write(&rows, bytes).unwrap();

    let replica = start(&log, &client, on_disk(dir.path())).await.unwrap();
    assert!(replica.store().is_fresh());
    assert_eq!(replica.store().digest(), digest);
    let verification = verify(&replica, std::sync::Arc::new(Tallies { name: "left" })).await;
    assert!(verification.unwrap().is_sound());
}

#[tokio::test]
async fn a_store_damaged_while_it_runs_ends_the_replicas_readiness() {
    let dir = tempfile::tempdir().unwrap();
    let (log, client) = log(1);
    let replica = start(&log, &client, on_disk(dir.path())).await.unwrap();
    replica.store().declare_damaged("a test said so");
    let added = append(tally_stream("one"), 0, vec![Happened::Added(5).event()]);
    plant(&log, "left", 5, vec![added]);
    let why = replica.failed().await;
    assert!(
        why.contains("the applier stopped") && why.contains("a test said so"),
        "{why}"
    );
    let heard = ask(&replica, Command::Add(1), 1).await.unwrap_err();
    assert!(matches!(heard, Failure::NotReady(_)), "{heard}");
}

#[tokio::test(start_paused = true)]
async fn a_request_id_is_remembered_for_thirty_days_of_recorded_time() {
    let (log, client) = log(1);
    let replica = start(&log, &client, alone("left")).await.unwrap();
    let days = |days: u64| sleep(Duration::from_secs(days * 86_400));
    assert!(!ask(&replica, Command::Add(1), 1).await.unwrap().replayed);
    days(29).await;
    assert!(!ask(&replica, Command::Note(1), 2).await.unwrap().replayed);
    assert!(ask(&replica, Command::Add(1), 1).await.unwrap().replayed);
    days(2).await;
    // What counts is what the log has recorded, not what a clock shows.
    assert!(ask(&replica, Command::Add(1), 1).await.unwrap().replayed);
    assert!(!ask(&replica, Command::Note(1), 3).await.unwrap().replayed);
    assert!(!ask(&replica, Command::Add(1), 1).await.unwrap().replayed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_covers_all_that_was_read() {
    let (log, client) = log(1);
    let replica = start(&log, &client, alone("left")).await.unwrap();
    let name = tally_stream("one").to_string();
    let reading = std::thread::spawn({
        let replica = std::sync::Arc::clone(&replica);
        move || {
            loop {
                let read = |rows: &dyn read_model::Rows| runtime::version(rows, &name).unwrap();
                let read = replica.read(None, None, read).now_or_never().unwrap();
                let (version, position) = read.unwrap();
                // Each record moves the version by one, and the genesis is one record more.
                assert!(position.get(0) > version, "{version} {position:?}");
                if version == 2_000 {
                    return;
                }
            }
        }
    });
    for version in 0..2_000 {
        let added = append(
            tally_stream("one"),
            version,
            vec![Happened::Counted.event()],
        );
        plant(&log, "left", u128::from(version), vec![added]);
        tokio::task::yield_now().await;
    }
    reading.join().unwrap();
}
