//! `patron ledger` against running services.

use crate::services::{Services, printed};

#[test]
fn a_period_is_closed_and_its_statement_is_a_table_a_sheet_or_json() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(folder.path());
    let run = |arguments: &[&str]| printed(&services.run(arguments));

    let set = run(&[
        "ledger",
        "assumptions",
        "EUR",
        "--annual-retention-rate",
        "0.8",
    ]);
    assert!(set.contains("80.0 %") && set.contains("25.0 %"), "{set}");
    let preview = run(&["ledger", "statement", "EUR"]);
    assert!(
        preview.starts_with("preview of the open period\nfrom the beginning"),
        "{preview}"
    );

    let quarter = ["--start", "2026-01-01", "--end", "2026-04-01"];
    let closed = run(&[&["ledger", "close", "EUR", "2026-q1"], &quarter[..]].concat());
    assert!(
        closed.starts_with("ledgers/EUR/statements/2026-q1\nfrom 2026-01-01 up to 2026-04-01"),
        "{closed}"
    );
    assert!(closed.contains("management statement, unaudited; not an IFRS or GAAP asset"));

    let sheet = run(&["ledger", "statement", "EUR", "2026-q1", "--csv"]);
    let mut lines = sheet.lines();
    assert_eq!(lines.next(), Some("line,customers,amount,currency"));
    assert_eq!(lines.next(), Some("opening,0,0.00,EUR"));
    let json = run(&["ledger", "statement", "EUR", "2026-q1", "--json"]);
    assert!(json.contains("\"movements_digest\": \""), "{json}");

    let again = services.run(&[&["ledger", "close", "EUR", "2026-q1"], &quarter[..]].concat());
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(
        !again.status.success() && said.contains("ALREADY_EXISTS"),
        "{said}"
    );
    let listed = run(&["ledger", "statements", "EUR"]);
    assert!(listed.contains("2026-q1"), "{listed}");
    let nobody = run(&[
        "ledger",
        "movements",
        "EUR",
        "2026-q1",
        "--line",
        "won-back",
    ]);
    assert!(nobody.contains("all of the line: 0.00 EUR"), "{nobody}");
}
