//! `patron ledger` against running services.

use std::path::Path;

use crate::services::{Services, printed};

/// For ever is only closed by somebody who was asked; a rate that is none is refused for what it is.
fn closing_asks(services: &Services, quarter: &[&str]) {
    let run = |arguments: &[&str]| printed(&services.run(arguments));
    let wrong = services.run(&[
        "ledger",
        "assumptions",
        "EUR",
        "--annual-discount-rate",
        "-0.1",
    ]);
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        !wrong.status.success() && said.contains("annual_discount_rate"),
        "{said}"
    );

    let asked = services.run(&[&["ledger", "close", "EUR", "2026-q1"], quarter].concat());
    let said = String::from_utf8(asked.stderr).unwrap();
    assert!(!asked.status.success(), "{said}");
    assert!(
        said.contains("closing") && said.contains("0.00 EUR"),
        "{said}"
    );
    assert!(
        said.ends_with("there is nobody to ask: say --yes if it is meant\n"),
        "{said}"
    );
    let none = run(&["ledger", "statements", "EUR", "--json"]);
    assert!(none.contains("\"statements\": []"), "{none}");
    let tried = services.run(
        &[
            &[
                "ledger",
                "close",
                "EUR",
                "2026-q1",
                "--yes",
                "--validate-only",
            ],
            quarter,
        ]
        .concat(),
    );
    let said = String::from_utf8(tried.stderr).unwrap();
    assert!(
        tried.status.success() && said.contains("has no customers"),
        "{said}"
    );
}

/// A sheet is whole; whoever asks for less is told that there is more.
fn sheets_are_whole(services: &Services) {
    let run = |arguments: &[&str]| printed(&services.run(arguments));
    let created = [
        "ledger",
        "movements",
        "USD",
        "1997",
        "--line",
        "created",
        "--csv",
    ];
    assert_eq!(run(&created).lines().count(), 2_358);
    let some = services.run(&[&created[..], &["--limit", "5"]].concat());
    let said = String::from_utf8(some.stderr.clone()).unwrap();
    assert_eq!(printed(&some).lines().count(), 6);
    assert!(
        said.starts_with("there is more: go on with --page "),
        "{said}"
    );
    let people: serde_json::Value = serde_json::from_str(&run(&["customers", "--json"])).unwrap();
    assert_eq!(
        people
            .get("customers")
            .and_then(|all| all.as_array())
            .unwrap()
            .len(),
        2_357
    );
}

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
    closing_asks(&services, &quarter);
    let closed = run(&[
        &["ledger", "close", "EUR", "2026-q1", "--yes"],
        &quarter[..],
    ]
    .concat());
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

#[test]
fn a_model_is_fitted_and_used_and_a_statement_says_how_far_to_trust_it() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(folder.path());
    let run = |arguments: &[&str]| {
        let text = printed(&services.run(arguments));
        let for_people = !arguments.iter().any(|it| ["--csv", "--json"].contains(it));
        let fits = text.lines().all(|line| line.chars().count() <= 100);
        assert!(!for_people || fits, "{text}");
        text
    };
    let refused = services.run(&["ledger", "fit", "USD"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("NOT_ENOUGH_DATA"),
        "{said}"
    );

    let cdnow = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/cdnow.csv");
    run(&["import", "purchases", cdnow.to_str().unwrap()]);
    // The last day counts; the period of a statement ends where the next day begins.
    let as_of = ["--as-of", "1997-09-30"];
    let fitted = run(&[&["ledger", "fit", "USD"], &as_of[..]].concat());
    assert!(
        fitted.starts_with("ledgers/USD/models/1\nMBG/NBD of 2,357 customers"),
        "{fitted}"
    );
    assert!(fitted.contains("711 came (bias -2.2 %)"), "{fitted}");
    let listed = run(&["ledger", "models", "USD"]);
    assert!(
        listed.contains("1997-09-30") && listed.contains("946"),
        "{listed}"
    );

    let set = run(&["ledger", "assumptions", "USD", "--method", "mbg-nbd"]);
    assert!(
        set.contains("MBG_NBD") && set.contains("stale: fit again"),
        "{set}"
    );
    let values = run(&[&["ledger", "values", "USD"], &as_of[..]].concat());
    let total = values.split_whitespace().nth(4).unwrap().to_owned();
    assert!(values.starts_with("2,357 customers are worth "), "{values}");
    let sheet = run(&[&["ledger", "values", "USD", "--csv"], &as_of[..]].concat());
    assert_eq!(sheet.lines().count(), 2_358);
    let preview = run(&[&["ledger", "statement", "USD"], &as_of[..]].concat());
    // Whoever adds up the customers gets the statement, and its preview.
    let period = ["--start", "1997-01-01", "--end", "1997-10-01"];
    let closed = run(&[&["ledger", "close", "USD", "1997", "--yes"], &period[..]].concat());
    let closing = closing_of(&closed);
    assert_eq!(closing_of(&preview), closing);
    assert!(
        closing.contains("2,357") && closing.contains(&total),
        "{closed}{values}"
    );
    for part in [
        "valued by MBG_NBD over 12 months",
        "take the closing as it stands ±",
    ] {
        assert!(closed.contains(part), "{closed}");
    }

    sheets_are_whole(&services);
    one_customer(&services, &sheet);
}

fn closing_of(statement: &str) -> String {
    let mut lines = statement.lines();
    let closing = lines.find(|line| line.contains("closing"));
    closing.unwrap().to_owned()
}

/// The value of the first customer of the sheet, as of the last day that the model knows.
fn one_customer(services: &Services, sheet: &str) {
    let customer = sheet.lines().nth(1).unwrap().split(',').next().unwrap();
    let shown = printed(&services.run(&[
        "customers",
        customer,
        "--value",
        "--as-of",
        "1997-09-30",
        "--json",
    ]));
    assert!(
        shown.contains("\"as_of\": \"1997-09-30T23:59:59.999999Z\""),
        "{shown}"
    );
    assert!(
        shown.contains("\"model\": \"ledgers/USD/models/1\""),
        "{shown}"
    );
}
