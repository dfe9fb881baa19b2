//! What others read about the public events is what the services tell.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test, what is not as it must be should panic where it is found"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_catalogue_of_events_is_what_the_contract_says() {
    let checked = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["contract", "--check"])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}");
}

/// The names of the files in a folder and below.
fn stored(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).expect("they are there").flatten() {
        if entry.path().is_dir() {
            names.extend(stored(&entry.path()));
        } else {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names
}

/// The stored bytes are kept of every event that was ever written.
#[test]
fn no_event_that_was_ever_written_is_missing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let told = fs::read_to_string(root.join("docs/asyncapi.yaml")).expect("it is there");
    let mut found = 0;
    for service in ["acquisition", "retention"] {
        for file in stored(&root.join(format!("services/{service}/tests/golden"))) {
            let (event, _) = file.split_once('.').expect("its event, then its schema");
            let line = format!("      name: patron.{service}.v1.{event}\n");
            assert!(
                told.contains(&line),
                "{service} writes {event}, and asyncapi.yaml has none"
            );
            found += 1;
        }
    }
    assert!(
        found > 20,
        "the stored events are where they are looked for"
    );
}
