//! A history to replay: after commit `n` the rows are known, so a store can be checked against it.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use read_model::{
    Digest, Direction, Error, KeyRange, Options, Rows, RowsMut, Store, Table, Visitor,
};

const POSITION: Table<(), u64> = Table::new("position");
const COUNTER: Table<u32, Vec<u8>> = Table::new("counter");

/// Small limits, so that a short history is many batches.
pub(crate) fn options() -> Options {
    let mut options = Options::new("workload", 1);
    options.flush_rows = 200;
    options.flush_after = Duration::from_millis(2);
    options.cache_bytes = 1 << 20;
    // Some of the damage makes sled hang.
    options.patience = Duration::from_secs(1);
    options
}

pub(crate) fn open(dir: &Path) -> Store {
    Store::open(dir, &options()).unwrap()
}

/// What commit `n` does: adds to some rows, removes others, and moves the position.
fn step(rows: &mut dyn RowsMut, n: u64) {
    let mut random = SmallRng::seed_from_u64(n);
    for _ in 0..random.random_range(1..8) {
        let key = random.random_range(0..400);
        if random.random_ratio(1, 6) {
            COUNTER.delete(rows, &key);
            continue;
        }
        let mut value = COUNTER.get(rows, &key).unwrap().unwrap_or_default();
        value.truncate(900);
        value.extend_from_slice(&n.to_be_bytes());
        value.resize(value.len() + random.random_range(0..90), n.to_be_bytes()[7]);
        COUNTER.put(rows, &key, &value).unwrap();
    }
    POSITION.put(rows, &(), &n).unwrap();
}

pub(crate) fn position(store: &Store) -> u64 {
    store
        .read(|rows| POSITION.get(rows, &()))
        .unwrap()
        .unwrap_or_default()
}

/// Goes on from the store's position up to commit `last`.
pub(crate) fn replay(store: &Store, last: u64) {
    for n in position(store) + 1..=last {
        let mut tx = store.begin().unwrap();
        step(&mut tx, n);
        store.commit(tx).unwrap();
    }
}

/// The rows after commit `last`, by the plainest of all stores.
pub(crate) fn rows_after(last: u64) -> BTreeMap<Bytes, Bytes> {
    let mut plain = Plain::default();
    (1..=last).for_each(|n| step(&mut plain, n));
    plain.0
}

/// Fails unless the store holds exactly the rows of its own position, by every way to look.
pub(crate) fn assert_right(store: &Store) {
    let expected: Vec<_> = rows_after(position(store)).into_iter().collect();
    let (found, mut reverse) = store
        .read(|rows| {
            let all = KeyRange::all();
            Ok::<_, Error>((
                rows.scan(&all, usize::MAX)?,
                rows.scan_rev(&all, usize::MAX)?,
            ))
        })
        .unwrap();
    reverse.reverse();
    assert!(
        found == expected,
        "rows differ at position {}",
        position(store)
    );
    assert!(
        reverse == expected,
        "the reverse scan differs at position {}",
        position(store)
    );
    let mut digest = Digest::default();
    for (key, value) in &found {
        digest.add(key, value);
    }
    assert_eq!(store.digest(), digest);
    assert_eq!(store.row_count(), found.len() as u64);
}

#[derive(Default)]
struct Plain(BTreeMap<Bytes, Bytes>);

impl Rows for Plain {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        Ok(self.0.get(key).cloned())
    }

    fn visit(&self, _: &KeyRange, _: Direction, visit: &mut Visitor<'_>) -> Result<(), Error> {
        let all = (Bound::Unbounded, Bound::Unbounded);
        let _: ControlFlow<()> = self
            .0
            .range::<[u8], _>(all)
            .try_for_each(|(k, v)| visit(k, v));
        Ok(())
    }
}

impl RowsMut for Plain {
    fn put(&mut self, key: Bytes, value: Bytes) {
        self.0.insert(key, value);
    }

    fn delete(&mut self, key: Bytes) {
        self.0.remove(&key);
    }
}
