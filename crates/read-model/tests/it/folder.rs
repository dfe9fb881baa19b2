//! Whose folder it is, and which generation of rows is in use.

use std::path::Path;

use read_model::{Error, Options, Store};

use crate::workload::{assert_right, open, position, replay};

fn schema(dir: &Path, schema: u32) -> Store {
    Store::open(dir, &Options::new("workload", schema)).unwrap()
}

#[test]
fn a_second_store_on_the_same_folder_is_refused_with_a_message_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let refused = Store::open(dir.path(), &Options::new("workload", 2)).unwrap_err();
    assert!(matches!(refused, Error::InUse { .. }) && refused.is_retryable());
    assert!(refused.to_string().contains(dir.path().to_str().unwrap()));
    let second_handle = first.clone();
    drop(first);
    assert!(Store::open(dir.path(), &Options::new("workload", 1)).is_err());
    drop(second_handle);
    open(dir.path());
}

#[test]
fn the_folder_of_another_service_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    replay(&store, 30);
    store.flush().unwrap();
    let digest = store.digest();
    drop(store);
    let refused = Store::open(dir.path(), &Options::new("retention", 1)).unwrap_err();
    assert!(matches!(&refused, Error::OtherService { found, .. } if found == "workload"));
    assert_eq!(open(dir.path()).digest(), digest);
}

#[test]
fn another_schema_begins_beside_the_old_one_which_goes_when_it_is_retired() {
    let dir = tempfile::tempdir().unwrap();
    let old = schema(dir.path(), 1);
    replay(&old, 40);
    old.flush().unwrap();
    drop(old);

    let new = schema(dir.path(), 2);
    assert!(new.is_fresh());
    replay(&new, 10);
    new.flush().unwrap();
    drop(new);

    let old = schema(dir.path(), 1);
    assert!(!old.is_fresh());
    assert_eq!(position(&old), 40);
    assert_right(&old);
    drop(old);

    let new = schema(dir.path(), 2);
    assert!(!new.is_fresh(), "it goes on where it was");
    assert_eq!(position(&new), 10);
    assert_eq!(new.retire_other_generations().unwrap(), 1);
    drop(new);
    assert!(schema(dir.path(), 1).is_fresh());
}
