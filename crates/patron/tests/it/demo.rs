//! The demo: story S1 through both services, then real purchases.

use crate::services::{patron, printed};

#[test]
fn the_demo_tells_the_story_with_its_figures() {
    let output = patron().args(["demo", "--exit"]).output().unwrap();
    let shown = printed(&output);
    let line = |what: &str| {
        let found = shown
            .lines()
            .find(|line| line.trim_start().starts_with(what));
        let words = found.unwrap_or_else(|| panic!("no line {what:?} in:\n{shown}"));
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        line("fast: "),
        "fast: 250.00 EUR a customer, each worth 300.00 EUR"
    );
    assert_eq!(
        line("tough: "),
        "tough: 500.00 EUR a customer, each worth 300.00 EUR"
    );
    assert!(shown.contains("(PRESENTATION_FLAGGED)"), "{shown}");
    assert_eq!(line("active now"), "active now 1 of 4 3 of 3");
    assert_eq!(
        line("promises kept"),
        "promises kept 25.0 % of 4 100.0 % of 3"
    );
    assert_eq!(
        line("customer equity"),
        "customer equity 300.00 EUR 1,800.00 EUR"
    );
    assert_eq!(
        line("equity per unit"),
        "equity per unit of spend 0.30 1.20"
    );
    let words: Vec<&str> = shown.split_whitespace().collect();
    let words = words.join(" ");
    for books in [
        "closing 3 1,200.00 EUR",
        "opening 3 1,200.00 EUR created 1 300.00 EUR won back 1 300.00 EUR grown 150.00 EUR eroded -75.00 EUR \
         lost -1 -300.00 EUR remeasured 525.00 EUR closing 4 2,100.00 EUR",
    ] {
        assert!(words.contains(books), "no {books:?} in:\n{shown}");
    }
    assert!(
        words.contains("USD 2,357 6,919 244,091.94 USD 122,041.71 USD"),
        "{shown}"
    );
    assert!(line("6,919 purchases recorded").starts_with("6,919 purchases recorded"));
    assert!(
        words.contains("created 12 kept 2,357 lost 5 won back 1 active at the end 2,365"),
        "{shown}"
    );
    for board in [
        "active at the end 2,365 retention rate 100.0 %",
        "USD 2,357 0 0.00 USD",
    ] {
        assert!(words.contains(board), "no {board:?} in:\n{shown}");
    }
}
