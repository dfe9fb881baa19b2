//! Another history than the one that the rows were built from.

use std::fs;
use std::path::Path;

use crate::alone::{Alone, stop};
use crate::strays::append;

const FOREIGN: &str = "docs/errors/foreign-history.md";

fn delete(alone: &Alone) {
    for topic in ["patron.retention.journal", "patron.retention.events"] {
        let deleted = alone
            .cluster
            .tool("TopicCommand", ["--delete", "--topic", topic]);
        deleted.unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_journal_that_was_deleted_and_made_anew_is_not_taken_for_the_old_one() {
    let Some(mut alone) = Alone::new() else {
        return;
    };
    stop(alone.ready());
    delete(&alone);
    let said = alone.refused();
    assert!(said.contains("the rows were built from journal"), "{said}");
    assert!(said.contains(FOREIGN), "{said}");
}

#[test]
fn a_journal_that_is_deleted_while_it_is_read_is_told_and_not_made_anew() {
    let Some(alone) = Alone::new() else { return };
    let mut instance = alone.ready();
    delete(&alone);
    alone.until_said("docs/errors/kafka-missing.md");
    assert!(
        instance.ended().unwrap().is_none(),
        "it stays, and says why it is of no use"
    );
    assert!(
        alone
            .cluster
            .tool("TopicCommand", ["--list"])
            .unwrap()
            .lines()
            .all(|topic| { topic != "patron.retention.journal" })
    );
    assert_eq!(stop(instance).code(), Some(0));
}

#[test]
fn a_journal_that_was_cut_back_to_an_earlier_end_is_refused() {
    let Some(mut alone) = Alone::new() else {
        return;
    };
    stop(alone.ready());
    let (data, earlier) = (alone.cluster.data(1), tempfile::tempdir().unwrap());
    alone.cluster.kill(1).unwrap();
    copy(&data, earlier.path());
    alone.cluster.restart(1).unwrap();
    append(
        &alone.cluster,
        "patron.retention.journal",
        b"something that is lost",
    );
    // The rows now hold what the journal will not.
    let instance = alone.ready();
    alone.until_said("a record that is none of ours");
    stop(instance);
    alone.cluster.kill(1).unwrap();
    fs::remove_dir_all(&data).unwrap();
    copy(earlier.path(), &data);
    alone.cluster.restart(1).unwrap();
    let said = alone.refused();
    assert!(
        said.contains("ends at offset") && said.contains(FOREIGN),
        "{said}"
    );
}

#[test]
fn a_journal_whose_beginning_was_deleted_is_never_read_from_the_middle() {
    let Some(mut alone) = Alone::new() else {
        return;
    };
    stop(alone.ready());
    append(&alone.cluster, "patron.retention.journal", b"kept");
    let folder = tempfile::tempdir().unwrap();
    let offsets = folder.path().join("offsets.json");
    let before = r#"{"version":1,"partitions":[{"topic":"patron.retention.journal","partition":0,"offset":1}]}"#;
    fs::write(&offsets, before).unwrap();
    let offsets = offsets.to_str().unwrap();
    let deleted = alone
        .cluster
        .tool("DeleteRecordsCommand", ["--offset-json-file", offsets]);
    deleted.unwrap();
    fs::remove_dir_all(&alone.plan.data).unwrap();
    let said = alone.refused();
    assert!(said.contains("docs/errors/journal-gap.md"), "{said}");
}
