//! Which margins count at which moment.

use eventsourcing::Time;
use retention_domain::Event;

use super::trailing;
use crate::story::{ROSA, bought, day, opened, reversed, rows};

/// A purchase of this margin at this moment.
fn left(id: &str, margin: i64, occurred_at: Time) -> Event {
    let Event::PurchaseRecorded(mut recorded) = bought(id, margin * 2, 0) else {
        unreachable!("it is a purchase")
    };
    recorded.occurred_at = occurred_at;
    Event::PurchaseRecorded(recorded)
}

/// The margin that goes with it, from this day on.
fn taken(id: &str, reversal: &str, margin: i64, on: i64) -> Event {
    reversed(id, reversal, margin * 2, on)
}

fn of_the_year(events: &[Event], as_of: Time) -> i64 {
    let told = [opened(1)].into_iter().chain(events.iter().cloned());
    let told: Vec<_> = told.map(|event| (ROSA, event)).collect();
    let store = rows(&told);
    store
        .read(|rows| trailing(rows, ROSA, as_of, |_| true))
        .unwrap()
}

#[test]
fn a_purchase_counts_for_365_days_and_not_a_microsecond_more() {
    let as_of = day(1_000);
    let just_after = Time::from_micros(day(635).micros() + 1);
    let ahead = Time::from_micros(as_of.micros() + 1);
    for (occurred_at, counted) in [(day(635), 0), (just_after, 7), (as_of, 7), (ahead, 0)] {
        let events = [left("a", 7, occurred_at)];
        assert_eq!(of_the_year(&events, as_of), counted, "{occurred_at}");
    }
}

#[test]
fn a_reversal_counts_from_its_own_day() {
    let events = [
        left("a", 100, day(900)),
        taken("a", "r", 30, 950),
        taken("a", "s", 20, 1_001),
    ];
    assert_eq!(of_the_year(&events, day(949)), 100);
    assert_eq!(of_the_year(&events, day(950)), 70);
    assert_eq!(of_the_year(&events, day(1_001)), 50);
}

#[test]
fn a_reversal_goes_with_its_purchase() {
    let events = [
        left("a", 100, day(500)),
        taken("a", "r", 100, 990),
        left("b", 5, day(990)),
    ];
    assert_eq!(of_the_year(&events, day(1_000)), 5);
}

#[test]
fn who_bought_nothing_left_nothing() {
    assert_eq!(of_the_year(&[], day(1_000)), 0);
}
