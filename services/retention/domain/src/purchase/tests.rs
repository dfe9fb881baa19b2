//! The rules of buying and of taking back.

mod recording;
mod reversing;

use eventsourcing::scenario::Given;

use super::{RecordPurchase, ReversePurchase, Totals};
use crate::story::{bought, buy, customer, day, eur, reverse, reversed};
use crate::{Command, Customer};

fn records(change: impl FnOnce(&mut RecordPurchase)) -> Command {
    let mut command = bought("invoice", eur(40_000), 200);
    change(&mut command);
    Command::RecordPurchase(command)
}

fn reverses(change: impl FnOnce(&mut ReversePurchase)) -> Command {
    let mut command = reversed("invoice", "note", eur(10_000), 210);
    change(&mut command);
    Command::ReversePurchase(command)
}

/// Who bought for 400.00 with the default margin of 200.00 on day 200.
fn buyer() -> Given<Customer> {
    customer().and(buy("invoice", eur(40_000), 200))
}

#[test]
fn the_totals_are_purchases_less_reversals() {
    let story = buyer().and(buy("earlier", eur(10_000), 150)).and(reverse(
        "invoice",
        "note",
        eur(4_000),
        210,
    ));
    let expected = Totals {
        purchases: 2,
        reversals: 1,
        revenue: 46_000,
        contribution_margin: 23_000,
        last_purchase_at: Some(day(200)),
        last_reversal_at: Some(day(210)),
    };
    assert_eq!(story.state().totals, expected);
}
