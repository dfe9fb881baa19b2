//! What a reader should not have to meet.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "in a test, what is not as it must be should panic where it is found"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Above this, a file usually holds two ideas.
const LONGEST_FILE: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder)
        .expect("the tree is readable")
        .flatten()
    {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn each_source(mut check: impl FnMut(&Path, &str)) {
    let mut found = Vec::new();
    for folder in ["crates", "services"] {
        sources(&root().join(folder), &mut found);
    }
    assert!(
        found.len() > 50,
        "the sources are where they are looked for"
    );
    for path in found {
        let text = fs::read_to_string(&path).expect("a source is text");
        check(&path, &text);
    }
}

#[test]
fn no_file_holds_two_ideas() {
    each_source(|path, text| {
        let lines = text.lines().count();
        assert!(
            lines <= LONGEST_FILE,
            "{} has {lines} lines: split it",
            path.display()
        );
    });
}

#[test]
fn every_file_says_its_one_idea() {
    each_source(|path, text| {
        assert!(
            text.starts_with("//!"),
            "{} does not begin with its idea",
            path.display()
        );
    });
}

#[test]
fn no_test_is_switched_off_and_nothing_is_left_to_do() {
    let marks = [
        ["#[", "ignore"].concat(),
        ["to", "do!("].concat(),
        ["FIX", "ME"].concat(),
    ];
    each_source(|path, text| {
        for mark in &marks {
            assert!(
                !text.contains(mark.as_str()),
                "{} has {mark}",
                path.display()
            );
        }
    });
}

#[test]
fn modules_are_files_with_names() {
    each_source(|path, _| {
        assert!(
            path.file_name().is_some_and(|name| name != "mod.rs"),
            "{}",
            path.display()
        );
    });
}

#[test]
fn statuses_are_made_at_the_edge() {
    each_source(|path, text| {
        let shown = path.to_string_lossy();
        let edge = shown.contains("crates/server/")
            || shown.contains("/src/api")
            || shown.contains("/src/wire")
            || shown.contains("crates/patron/")
            || shown.contains("crates/xtask/")
            || shown.contains("/tests/");
        assert!(
            edge || !text.contains("tonic::Status"),
            "{shown} makes gRPC statuses"
        );
    });
}
