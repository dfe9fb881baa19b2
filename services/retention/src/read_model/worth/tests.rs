//! What a customer is worth now.

use super::of_customer;
use crate::read_model::customers;
use crate::story::{ROSA, bought, day, lost, opened, rows, won_back};

#[test]
fn a_lost_customer_is_worth_nothing() {
    let mut story = vec![(ROSA, opened(100)), (ROSA, bought("a", 40_000, 101))];
    let worth = |story: &[_]| {
        let store = rows(story);
        store
            .read(|rows| {
                let state = customers::get(rows, ROSA)?.unwrap();
                of_customer(rows, ROSA, &state, day(120))
            })
            .unwrap()
    };
    assert_eq!(worth(&story), 30_000);
    story.push((ROSA, lost(110)));
    assert_eq!(worth(&story), 0);
    story.push((ROSA, won_back(115)));
    assert_eq!(worth(&story), 30_000);
}
