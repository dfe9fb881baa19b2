//! `patron inbox` against a running pair.

use crate::services::{Services, printed};

#[test]
fn an_empty_inbox_says_so_and_has_nothing_to_retry() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let listed = printed(&services.run(&["inbox", "list"]));
    assert_eq!(listed.trim(), "no event waits");
    for arguments in [
        ["inbox", "retry", "retention", "prospects/a"],
        ["inbox", "show", "acquisition", "0-1"],
    ] {
        let output = services.run(&arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(
            said.contains("(NOTHING_PARKED)") || said.contains("(NOT_FOUND)"),
            "{said}"
        );
    }
}
