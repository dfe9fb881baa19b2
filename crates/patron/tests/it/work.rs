//! `patron work` and `patron book`.

use crate::services::{Services, patron, printed};

#[test]
fn work_and_book_of_a_new_system_are_empty_for_people_and_programs() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let said = |arguments: &[&str]| printed(&services.run(arguments)).trim().to_owned();
    assert_eq!(said(&["work"]), "nothing to do");
    assert_eq!(said(&["work", "--owner", "rosa"]), "nothing to do");
    assert_eq!(said(&["book", "--owner", "rosa"]), "no customers");
    let work: serde_json::Value = serde_json::from_str(&said(&["work", "--json"])).unwrap();
    assert_eq!(work["items"], serde_json::json!([]));
    let book = said(&[
        "book",
        "--territory",
        "EMEA",
        "--as-of",
        "2026-01-31",
        "--json",
    ]);
    let book: serde_json::Value = serde_json::from_str(&book).unwrap();
    assert_eq!(book["as_of"], "2026-01-31T23:59:59.999999Z");
}

#[test]
fn a_book_is_somebodys_or_somewheres() {
    let output = patron().args(["book"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("--owner") && said.contains("--territory"),
        "{said}"
    );
}
