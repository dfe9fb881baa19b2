//! A process that dies leaves each batch whole or absent.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use read_model::Store;

use crate::workload::{assert_right, open, options, position, replay};

const FOLDER: &str = "READ_MODEL_VICTIM_FOLDER";

#[test]
fn a_store_dropped_without_a_flush_is_right_as_of_some_batch() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..=30 {
        let store = open(dir.path());
        assert_right(&store);
        let from = position(&store);
        replay(&store, from + round * 7);
        if round % 5 == 0 {
            store.flush().unwrap();
        }
    }
}

#[test]
fn what_was_flushed_is_there_after_a_crash_and_what_was_not_is_gone_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut never = options();
    never.flush_rows = usize::MAX;
    never.flush_after = std::time::Duration::MAX;
    let store = Store::open(dir.path(), &never).unwrap();
    replay(&store, 100);
    store.flush().unwrap();
    replay(&store, 200);
    assert!(store.unflushed_rows() > 0);
    drop(store);
    let store = Store::open(dir.path(), &never).unwrap();
    assert_eq!(position(&store), 100);
    assert_right(&store);
}

/// Does nothing but in the processes that the next test starts.
#[test]
fn a_victim_writes_until_it_is_killed() {
    if let Some(folder) = env::var_os(FOLDER) {
        let store = open(&PathBuf::from(folder));
        let from = position(&store);
        for n in from + 1.. {
            replay(&store, n);
            if n == from + 25 {
                store.flush().unwrap();
            }
            if n == from + 50 {
                println!("\nbusy");
            }
        }
    }
}

fn victim(folder: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::a_victim_writes_until_it_is_killed",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_killed_process_leaves_rows_that_are_right() {
    let dir = tempfile::tempdir().unwrap();
    let mut flushed = 0;
    for round in 0..8 {
        let mut victim = victim(dir.path());
        let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "busy"), "round {round}");
        victim.kill().unwrap();
        victim.wait().unwrap();
        flushed += 25;
        let store = open(dir.path());
        assert!(
            !store.is_fresh() && position(&store) >= flushed,
            "round {round}"
        );
        assert_right(&store);
        flushed = position(&store);
    }
}
