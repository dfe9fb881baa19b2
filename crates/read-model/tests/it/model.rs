//! A table does what a sorted map does, whatever happens underneath between two calls.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use read_model::{Error, Rows, Store, Table};

use crate::workload::open;

type RowKey = (u8, String);
type Model = BTreeMap<RowKey, u64>;

const ROWS: Table<RowKey, u64> = Table::new("r");
/// A neighbour whose name begins with the other's.
const NEIGHBOUR: Table<RowKey, u64> = Table::new("r2");
const COMMIT: Table<(), usize> = Table::new("commit");

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Change>),
    Abandon(Vec<Change>),
    Flush,
    Reopen,
    Crash,
}

#[derive(Debug, Clone)]
enum Change {
    Put(RowKey, u64),
    Delete(RowKey),
}

fn key() -> impl Strategy<Value = RowKey> {
    (
        0..4_u8,
        prop::sample::select(vec!["", "a", "a\0", "a\0b", "ab", "b", "\u{ff}"]),
    )
        .prop_map(|(group, text)| (group, text.to_owned()))
}

fn step() -> impl Strategy<Value = Step> {
    let change = || {
        prop_oneof![
            2 => (key(), any::<u64>()).prop_map(|(key, value)| Change::Put(key, value)),
            1 => key().prop_map(Change::Delete),
        ]
    };
    prop_oneof![
        8 => vec(change(), 0..8).prop_map(Step::Commit),
        2 => vec(change(), 1..8).prop_map(Step::Abandon),
        2 => Just(Step::Flush),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
    ]
}

/// Every way to read, against the same question put to the map.
fn assert_equal(rows: &dyn Rows, model: &Model) -> Result<(), Error> {
    let all: Vec<_> = model
        .iter()
        .map(|(key, value)| (key.clone(), *value))
        .collect();
    let mut backwards = all.clone();
    backwards.reverse();
    assert_eq!(ROWS.scan(rows, &(), None, usize::MAX)?, all);
    assert_eq!(ROWS.scan_rev(rows, &(), None, usize::MAX)?, backwards);
    assert!(ROWS.scan(rows, &(), None, 0)?.is_empty());
    for group in 0..4 {
        let of_group = |rows: &[(RowKey, u64)]| -> Vec<_> {
            rows.iter()
                .filter(|((of, _), _)| *of == group)
                .cloned()
                .collect()
        };
        assert_eq!(
            ROWS.scan(rows, &(group,), None, usize::MAX)?,
            of_group(&all)
        );
        assert_eq!(
            ROWS.scan_rev(rows, &(group,), None, 2)?,
            head(of_group(&backwards), 2)
        );
    }
    for text in ["", "a", "a\0", "b", "zz"] {
        let at = (1, text.to_owned());
        assert_eq!(ROWS.get(rows, &at)?, model.get(&at).copied());
        assert_eq!(ROWS.contains(rows, &at)?, model.contains_key(&at));
        let after = |rows: &[(RowKey, u64)]| -> Vec<_> {
            rows.iter().filter(|(key, _)| *key > at).cloned().collect()
        };
        assert_eq!(ROWS.scan(rows, &(), Some(&at), 3)?, head(after(&all), 3));
        let before: Vec<_> = backwards
            .iter()
            .filter(|(key, _)| *key < at)
            .cloned()
            .collect();
        assert_eq!(ROWS.scan_rev(rows, &(), Some(&at), 3)?, head(before, 3));
        let end = (2, "a".to_owned());
        let within: Vec<_> = after(&all)
            .into_iter()
            .filter(|(key, _)| *key < end)
            .collect();
        let found = ROWS.range(rows, &at, &end, usize::MAX)?;
        assert_eq!(
            found
                .into_iter()
                .filter(|(key, _)| *key != at)
                .collect::<Vec<_>>(),
            within
        );
    }
    Ok(())
}

fn head(mut rows: Vec<(RowKey, u64)>, limit: usize) -> Vec<(RowKey, u64)> {
    rows.truncate(limit);
    rows
}

/// Runs a transaction on store and model, and compares them before its fate is decided.
fn stage<'a>(store: &'a Store, model: &mut Model, changes: Vec<Change>) -> read_model::Tx<'a> {
    let mut tx = store.begin().unwrap();
    for change in changes {
        match change {
            Change::Put(key, value) => {
                ROWS.put(&mut tx, &key, &value).unwrap();
                NEIGHBOUR.put(&mut tx, &key, &value).unwrap();
                model.insert(key, value);
            }
            Change::Delete(key) => {
                ROWS.delete(&mut tx, &key);
                model.remove(&key);
            }
        }
    }
    assert_equal(&tx, model).unwrap();
    tx
}

/// `reopen` is `None` for a store in memory, which lives on.
fn run(steps: Vec<Step>, mut store: Store, reopen: Option<&dyn Fn() -> Store>) {
    let mut history = vec![Model::new()];
    for step in steps {
        let mut now = history.last().unwrap().clone();
        match step {
            Step::Commit(changes) => {
                let mut tx = stage(&store, &mut now, changes);
                COMMIT.put(&mut tx, &(), &history.len()).unwrap();
                store.commit(tx).unwrap();
                history.push(now);
            }
            Step::Abandon(changes) => drop(stage(&store, &mut now, changes)),
            Step::Flush => store.flush().unwrap(),
            Step::Reopen | Step::Crash => {
                if let Some(reopen) = reopen {
                    let is_crash = matches!(step, Step::Crash);
                    if !is_crash {
                        store.flush().unwrap();
                    }
                    drop(store);
                    store = reopen();
                    let kept = store.read(|rows| COMMIT.get(rows, &())).unwrap();
                    let kept = kept.unwrap_or_default() + 1;
                    assert!(is_crash || kept == history.len());
                    history.truncate(kept);
                }
            }
        }
        let now = history.last().unwrap();
        store.read(|rows| assert_equal(rows, now)).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_table_on_disk_is_a_sorted_map(steps in vec(step(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        run(steps, open(dir.path()), Some(&|| open(dir.path())));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_table_in_memory_is_a_sorted_map(steps in vec(step(), 1..40)) {
        run(steps, Store::in_memory(), None);
    }
}
