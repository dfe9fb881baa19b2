//! What of a customer is kept, loaded and listed.

use retention_domain::PartId;

use super::{actions, load, purchases};
use crate::story::{
    LI, ROSA, bought, cancelled, opened, parsed, promised, proposed, reversed, rows,
};

#[test]
fn only_the_purchases_in_question_are_loaded() {
    let store = rows(&[
        (ROSA, opened(100)),
        (ROSA, bought("a", 1, 101)),
        (ROSA, bought("b", 2, 102)),
    ]);
    let part = PartId::Purchase(parsed("b"));
    let state = store.read(|rows| load(rows, ROSA, &[part])).unwrap();
    assert_eq!(state.totals.purchases, 2);
    assert!(state.purchases.get(&parsed("a")).is_none());
    assert_eq!(state.purchases.get(&parsed("b")).unwrap().amount, 2);
}

#[test]
fn a_reversal_is_kept_with_its_purchase() {
    let story = [
        (ROSA, opened(100)),
        (ROSA, bought("a", 100, 101)),
        (ROSA, reversed("a", "r", 40, 102)),
    ];
    let found = rows(&story)
        .read(|rows| purchases(rows, ROSA, None, 10))
        .unwrap();
    assert_eq!(found[0].1.remaining(), 60);
}

#[test]
fn actions_are_listed_open_and_closed_by_id() {
    let story = [
        (ROSA, opened(100)),
        (ROSA, promised("next-day", "next-day")),
        (ROSA, proposed("b")),
        (ROSA, proposed("a")),
        (ROSA, proposed("c")),
        (ROSA, cancelled("b")),
        (LI, proposed("d")),
    ];
    let store = rows(&story);
    let page = |after: Option<&str>, limit| {
        let after = after.map(str::to_owned);
        let found = store
            .read(|rows| actions(rows, ROSA, after, limit))
            .unwrap();
        let shown = found
            .iter()
            .map(|(id, it)| (id.to_string(), it.closing.is_some()));
        shown.collect::<Vec<_>>()
    };
    let (a, b, c) = (
        ("a".to_owned(), false),
        ("b".to_owned(), true),
        ("c".to_owned(), false),
    );
    assert_eq!(page(None, 2), [a, b.clone()]);
    assert_eq!(page(Some("a"), 2), [b, c.clone()]);
    assert_eq!(page(Some("b"), 2), [c]);
}
