//! Readers see whole commits, at one moment, whatever the writer and the flusher do meanwhile.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use read_model::{Error, Rows, RowsMut, Scratch, Store, Table};

use crate::workload::{open, options, replay};

const ACCOUNT: Table<u16, i64> = Table::new("account");
const ACCOUNTS: u16 = 300;

fn transfer(store: &Store, random: &mut SmallRng) {
    let mut tx = store.begin().unwrap();
    for _ in 0..3 {
        let (from, to) = (
            random.random_range(0..ACCOUNTS),
            random.random_range(0..ACCOUNTS),
        );
        let amount = random.random_range(1..100);
        for (account, change) in [(from, -amount), (to, amount)] {
            let balance = ACCOUNT.get(&tx, &account).unwrap().unwrap_or_default() + change;
            // Rows come and go, so that both kinds of change are on their way into sled.
            if balance == 0 {
                ACCOUNT.delete(&mut tx, &account);
            } else {
                ACCOUNT.put(&mut tx, &account, &balance).unwrap();
            }
        }
    }
    store.commit(tx).unwrap();
}

fn total(rows: &dyn Rows) -> Result<i64, Error> {
    let mut total = 0;
    ACCOUNT.visit(rows, &(), |_, balance| {
        total += balance;
        ControlFlow::Continue(())
    })?;
    Ok(total)
}

fn total_one_by_one(rows: &dyn Rows) -> Result<i64, Error> {
    (0..ACCOUNTS)
        .map(|account| Ok(ACCOUNT.get(rows, &account)?.unwrap_or_default()))
        .sum()
}

#[test]
fn no_reader_sees_half_a_commit_while_batches_go_to_sled() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options();
    options.flush_rows = 40;
    let store = Store::open(dir.path(), &options).unwrap();
    let done = AtomicBool::new(false);
    let looked = thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|reader| {
                let (store, done) = (&store, &done);
                scope.spawn(move || {
                    let mut looked = 0;
                    while !done.load(Ordering::Relaxed) {
                        let totals = store.read(|rows| {
                            let backwards = ACCOUNT.scan_rev(rows, &(), None, usize::MAX)?;
                            let backwards: i64 = backwards.iter().map(|(_, balance)| balance).sum();
                            Ok::<_, Error>([total(rows)?, backwards, total_one_by_one(rows)?])
                        });
                        assert_eq!(totals.unwrap(), [0; 3], "reader {reader}, look {looked}");
                        looked += 1;
                    }
                    looked
                })
            })
            .collect();
        let mut random = SmallRng::seed_from_u64(7);
        for _ in 0..1500 {
            transfer(&store, &mut random);
        }
        done.store(true, Ordering::Relaxed);
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap())
            .sum::<u64>()
    });
    assert!(looked > 50, "the readers looked only {looked} times");
    store.flush().unwrap();
    assert_eq!(store.unflushed_rows(), 0);
    assert_eq!(store.read(|rows| total(rows)).unwrap(), 0);
}

#[test]
fn a_snapshot_does_not_move_while_commits_and_a_flush_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    replay(&store, 50);
    let digest = store.digest();
    thread::scope(|scope| {
        let flushed = store.read(|rows| {
            let before = rows.scan(&read_model::KeyRange::all(), usize::MAX)?;
            replay(&store, 60);
            let flush = scope.spawn(|| store.flush());
            assert_eq!(rows.scan(&read_model::KeyRange::all(), usize::MAX)?, before);
            assert_eq!(rows.digest(), digest);
            assert_eq!(rows.row_count(), before.len() as u64);
            Ok::<_, Error>(flush)
        });
        flushed.unwrap().join().unwrap().unwrap();
    });
    assert_ne!(store.digest(), digest);
    assert_eq!(store.unflushed_rows(), 0);
}

#[test]
fn commits_wait_for_sled_rather_than_fill_the_memory() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options();
    options.flush_rows = 25;
    let store = Store::open(dir.path(), &options).unwrap();
    for n in 0..200_u32 {
        let mut tx = store.begin().unwrap();
        for row in 0..50_u32 {
            tx.put(
                [n.to_be_bytes(), row.to_be_bytes()].concat().into(),
                "value".into(),
            );
        }
        store.commit(tx).unwrap();
        // Four times the limit and one commit, active; the same again, frozen.
        assert!(store.unflushed_rows() <= 2 * (4 * 25 + 50));
    }
    assert_eq!(store.row_count(), 10_000);
}

#[test]
fn there_is_one_writer() {
    let store = Store::in_memory();
    let mut first = store.begin().unwrap();
    let mut second = store.begin().unwrap();
    first.put("a".into(), "1".into());
    second.put("a".into(), "2".into());
    store.commit(first).unwrap();
    assert!(matches!(store.commit(second), Err(Error::Stale)));
    assert_eq!(store.read(|rows| rows.get(b"a")).unwrap().unwrap(), "1");
}

#[test]
fn a_transaction_sees_its_own_writes_and_nobody_else_does_before_the_commit() {
    let store = Store::in_memory();
    let mut tx = store.begin().unwrap();
    ACCOUNT.put(&mut tx, &1, &5).unwrap();
    ACCOUNT.put(&mut tx, &2, &6).unwrap();
    ACCOUNT.delete(&mut tx, &1);
    assert_eq!(ACCOUNT.scan(&tx, &(), None, 9).unwrap(), [(2, 6)]);
    assert_eq!(store.row_count(), 0);
    store.commit(tx).unwrap();
    assert_eq!(store.row_count(), 1);
    drop(store.begin().unwrap());
    assert_eq!(store.row_count(), 1);
}

#[test]
fn a_scratch_shows_what_would_be_and_leaves_no_trace() {
    let store = Store::in_memory();
    let mut random = SmallRng::seed_from_u64(3);
    (0..50).for_each(|_| transfer(&store, &mut random));
    let digest = store.digest();
    let would_be = store.read(|rows| {
        let mut scratch = Scratch::new(rows);
        ACCOUNT.put(&mut scratch, &7, &1_000_000)?;
        ACCOUNT.delete(&mut scratch, &8);
        let mut further = Scratch::new(&scratch);
        ACCOUNT.put(&mut further, &9, &-1_000_000)?;
        let unchanged = [7, 8, 9].map(|account| ACCOUNT.get(rows, &account));
        let rest: i64 = unchanged
            .into_iter()
            .map(|b| b.unwrap().unwrap_or_default())
            .sum();
        Ok::<_, Error>(total(&further)? + rest)
    });
    assert_eq!(would_be.unwrap(), 0);
    assert_eq!(store.digest(), digest);
}
