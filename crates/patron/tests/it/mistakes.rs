//! What people do wrong, and what they are told.

use std::path::Path;

use crate::services::{Services, patron, printed};

fn told(arguments: &[&str]) -> String {
    let output = patron().args(arguments).output().unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_service_that_is_not_there_is_named_with_what_to_do() {
    let said = told(&["scoreboard", "--retention", "http://127.0.0.1:9"]);
    assert!(
        said.contains("nobody answers at http://127.0.0.1:9"),
        "{said}"
    );
    assert!(said.contains("patron up"), "{said}");
}

#[test]
fn one_service_alone_needs_kafka() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap().to_owned();
    let said = told(&["up", "--only", "retention", "--data", &data]);
    assert!(said.contains("(--only) needs --kafka"), "{said}");
}

#[test]
fn dates_are_refused_with_how_they_are_written() {
    for arguments in [
        &["scoreboard", "--start", "31.01.2026"][..],
        &["report", "--start", "2026-02-30"],
        &["ledger", "values", "EUR", "--as-of", "now"],
        &["book", "--owner", "rosa", "--as-of", "now"],
        &["report", "--as-of", "31.01.2026"],
        &["ledger", "statement", "EUR", "--as-of", "June"],
    ] {
        let said = told(arguments);
        assert!(said.contains("a day is written as 2026-01-31"), "{said}");
    }
    let said = told(&[
        "report",
        "--start",
        "2026-01-01",
        "--known-at",
        "2026-01-31",
    ]);
    assert!(
        said.contains("a moment is written as 2026-01-31T12:00:00Z"),
        "{said}"
    );
    for library in ["jiff", "parse as"] {
        assert!(!said.contains(library), "{said}");
    }
}

#[test]
fn a_variable_that_is_set_does_not_stand_in_the_usage() {
    let output = patron()
        .env("PATRON_RETENTION", "http://127.0.0.1:9")
        .arg("report")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("Usage: patron report [OPTIONS] --start <DAY>"),
        "{said}"
    );
    assert!(!said.contains("--retention"), "{said}");
}

#[test]
fn a_second_process_on_one_journal_is_told_which_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let _first = Services::start(&data);
    let data = data.to_str().unwrap().to_owned();
    let said = told(&[
        "up",
        "--data",
        &data,
        "--acquisition-address",
        "127.0.0.1:0",
        "--retention-address",
        "127.0.0.1:0",
    ]);
    assert!(said.contains(&data), "{said}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let first = Services::start(&folder.path().join("one"));
    let taken = first
        .acquisition
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let data = folder.path().join("two");
    let data = data.to_str().unwrap().to_owned();
    let said = told(&["up", "--data", &data, "--acquisition-address", &taken]);
    assert!(
        said.contains(&format!("cannot listen on {taken}")),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "the reason stands alone: {said}");
}

#[test]
fn a_file_without_the_columns_says_which_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let file = folder.path().join("wrong.csv");
    std::fs::write(&file, "name,amount\nx,1\n").unwrap();
    let output = services.run(&["import", "purchases", file.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("no column customer_id"),
        "{said}"
    );
}

#[test]
fn a_journal_is_verified_against_read_models_that_were_there() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let verify = ["journal", "verify", "--data", data];
    let said = told(&verify);
    assert!(said.contains("there is no journal in"), "{said}");
    assert!(!Path::new(data).exists(), "it makes none either");

    let services = Services::start(Path::new(data));
    services.kill();
    let verified = printed(&patron().args(verify).output().unwrap());
    assert!(verified.contains("exactly what follows"), "{verified}");

    std::fs::remove_dir_all(Path::new(data).join("retention")).unwrap();
    let said = told(&verify);
    let missing = said.contains("was missing") && said.contains("retention/generation-");
    assert!(missing && !said.contains("acquisition/"), "{said}");
    // It has been built by now.
    assert!(patron().args(verify).status().unwrap().success());

    for generation in std::fs::read_dir(Path::new(data).join("acquisition")).unwrap() {
        let sled = generation.unwrap().path().join("sled/db");
        if let Ok(bytes) = std::fs::read(&sled) {
            std::fs::write(&sled, vec![0x55; bytes.len()]).unwrap();
        }
    }
    let said = told(&verify);
    assert!(said.contains("a read model was damaged"), "{said}");
}

#[test]
fn a_log_filter_that_would_silence_everything_is_refused() {
    for filter in ["warning", "blah", "inf"] {
        let said = told(&["--log", filter, "scoreboard"]);
        assert!(said.contains("error, warn, info, debug"), "{said}");
    }
}
