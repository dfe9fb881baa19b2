//! `patron import customers` and `patron import promises`: taking over a base of customers.

use crate::services::{Services, import, printed, written};

const CUSTOMERS: &str = "customer_id,acquired_at,currency,proposition,campaign,presentation_id,owner,territory\n\
    a,2025-01-02,EUR,van-repair,van-repair/fast,speed,rosa,EMEA/ES\n\
    b,2025-01-03,EUR,,,,,\n\
    c,2025-13-03,EUR,,,,,\n\
    d,2025-01-04,ZZZ,,,,,\n\
    e,2025-01-04,EUR,,,,,EMEA\n";

#[test]
fn customers_come_with_what_won_them_and_who_looks_after_them() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let file = written(folder.path(), "base.csv", CUSTOMERS);
    let first = import(&services, "customers", &file);
    assert!(
        first.contains("2 customers recorded; 3 rows rejected"),
        "{first}"
    );
    let rejects = std::fs::read_to_string(folder.path().join("base.csv.rejects.csv")).unwrap();
    for why in ["neither a date", "ZZZ", "territory needs an owner"] {
        assert!(rejects.contains(why), "{rejects}");
    }
    let customers = printed(&services.run(&["customers", "--json"]));
    for part in [
        "\"campaign\": \"propositions/van-repair/campaigns/fast\"",
        "\"owner\": \"rosa\"",
        "\"territory\": \"EMEA/ES\"",
        "\"acquired_at\": \"2025-01-02T00:00:00Z\"",
    ] {
        assert_eq!(customers.matches(part).count(), 1, "{part} in {customers}");
    }
    let second = import(&services, "customers", &file);
    assert!(
        second.contains("0 customers recorded; 2 were in before; 3 rows rejected"),
        "{second}"
    );

    // Another owner is news; another beginning is not the same customer.
    let later = CUSTOMERS
        .replace("rosa", "li")
        .replace("b,2025-01-03", "b,2024-01-03");
    let later = import(
        &services,
        "customers",
        &written(folder.path(), "later.csv", &later),
    );
    assert!(
        later.contains("1 customer recorded; 4 rows rejected"),
        "{later}"
    );
    let rejects = std::fs::read_to_string(folder.path().join("later.csv.rejects.csv")).unwrap();
    assert!(
        rejects.contains("in already, with another acquired_at, which"),
        "{rejects}"
    );
    let book = printed(&services.run(&["book", "--owner", "li"]));
    assert!(book.contains("EMEA/ES") || book.contains('1'), "{book}");
}

#[test]
fn promises_that_are_still_open_come_with_their_customers() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let base = written(folder.path(), "base.csv", CUSTOMERS);
    import(&services, "customers", &base);
    let heading = "customer_id,promise_id,proposition,benefit_id,expectation,expected_score,importance,due_date";
    let rows = [
        "a,next-day,van-repair,next-day,back on the road tomorrow,6,80,2099-01-01",
        "b,next-day,van-repair,next-day,back on the road tomorrow,6,80,",
        "b,late,van-repair,next-day,back on the road tomorrow,6,80,2001-01-01",
        "b,much,van-repair,next-day,back on the road tomorrow,8,80,",
        "nobody,next-day,van-repair,next-day,back on the road tomorrow,6,80,",
    ];
    let text = format!("{heading}\n{}\n", rows.join("\n"));
    let file = written(folder.path(), "promises.csv", &text);
    let first = import(&services, "promises", &file);
    assert!(
        first.contains("2 promises recorded; 3 rows rejected"),
        "{first}"
    );
    let rejects = std::fs::read_to_string(folder.path().join("promises.csv.rejects.csv")).unwrap();
    for why in ["due_at", "expected_score", "NOT_FOUND"] {
        assert!(rejects.contains(why), "{why} in {rejects}");
    }
    let second = import(&services, "promises", &file);
    assert!(
        second.contains("0 promises recorded; 2 were in before; 3 rows rejected"),
        "{second}"
    );
    let promises = printed(&services.run(&["promises", "van-repair"]));
    assert!(promises.contains("next-day"), "{promises}");
    let nothing = services.run(&["promises", "nosuch"]);
    let said = String::from_utf8_lossy(&nothing.stderr).into_owned();
    assert!(
        !nothing.status.success() && said.contains("NOT_FOUND"),
        "{said}"
    );
}
