//! What commits, reads, pages and an open cost: `cargo bench -p read-model`.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot run has nothing to say"
)]

use divan::Bencher;
use divan::counter::ItemsCount;
use read_model::{Error, Options, Store, Table};
use tempfile::TempDir;

/// As wide as a typical row of a view.
type Row = [u64; 12];

const ROWS: Table<u64, Row> = Table::new("row");
const STORED: u64 = 100_000;
const COMMITS: u64 = 20_000;
const ROWS_PER_COMMIT: u64 = 4;

fn main() {
    divan::main();
}

/// Keys far from each other, the same ones in every run.
fn scattered(n: u64) -> u64 {
    n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20
}

fn on_disk() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &Options::new("bench", 1)).unwrap();
    (dir, store)
}

fn filled() -> (TempDir, Store) {
    let (dir, store) = on_disk();
    commits(&store, STORED / ROWS_PER_COMMIT, scattered);
    store.flush().unwrap();
    (dir, store)
}

/// Each commit reads its rows first, as a projection does.
fn commits(store: &Store, count: u64, key: impl Fn(u64) -> u64) {
    for n in 0..count {
        let mut tx = store.begin().unwrap();
        for row in 0..ROWS_PER_COMMIT {
            let key = key(n * ROWS_PER_COMMIT + row);
            let mut value = ROWS.get(&tx, &key).unwrap().unwrap_or([row; 12]);
            value[0] = n;
            ROWS.put(&mut tx, &key, &value).unwrap();
        }
        store.commit(tx).unwrap();
    }
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn rows_committed_in_memory(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(COMMITS * ROWS_PER_COMMIT))
        .with_inputs(Store::in_memory)
        .bench_refs(|store| commits(store, COMMITS, scattered));
}

/// All rows new, until the last one is in sled.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn new_rows_committed_and_flushed(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(COMMITS * ROWS_PER_COMMIT))
        .with_inputs(on_disk)
        .bench_refs(|(_, store)| {
            commits(store, COMMITS, scattered);
            store.flush().unwrap();
        });
}

/// The same few rows again and again: they merge before they reach sled.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn hot_rows_committed_and_flushed(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(COMMITS * ROWS_PER_COMMIT))
        .with_inputs(on_disk)
        .bench_refs(|(_, store)| {
            commits(store, COMMITS, |n| scattered(n % 2_000));
            store.flush().unwrap();
        });
}

#[divan::bench]
fn get_from_sled(bencher: Bencher<'_, '_>) {
    let (_dir, store) = filled();
    let mut n = 0;
    bencher.counter(ItemsCount::new(1_u8)).bench_local(|| {
        n = (n + 7919) % STORED;
        store.read(|rows| ROWS.get(rows, &scattered(n))).unwrap()
    });
}

#[divan::bench]
fn get_from_memory(bencher: Bencher<'_, '_>) {
    let store = Store::in_memory();
    commits(&store, 5_000, scattered);
    let mut n = 0;
    bencher.counter(ItemsCount::new(1_u8)).bench_local(|| {
        n = (n + 7919) % 20_000;
        store.read(|rows| ROWS.get(rows, &scattered(n))).unwrap()
    });
}

/// A page of 50 rows, by how many pages of the list came before it.
#[divan::bench(args = [0, 1_000])]
fn page_of_a_list(bencher: Bencher<'_, '_>, pages_before: usize) {
    let (_dir, store) = filled();
    let after = store.read(|rows| {
        let before = ROWS.scan(rows, &(), None, pages_before * 50)?;
        Ok::<_, Error>(before.last().map(|(key, _)| *key))
    });
    let after = after.unwrap();
    bencher.bench_local(|| {
        store
            .read(|rows| ROWS.scan(rows, &(), after.as_ref(), 50))
            .unwrap()
    });
}

/// With every row verified.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn rows_verified_at_open(bencher: Bencher<'_, '_>) {
    let (dir, store) = filled();
    drop(store);
    bencher
        .counter(ItemsCount::new(STORED))
        .bench_local(|| Store::open(dir.path(), &Options::new("bench", 1)).unwrap());
}
