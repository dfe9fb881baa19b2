//! Who stands where among those whom a day may concern.

use eventsourcing::Days;
use money::Currency;
use read_model::Store;
use retention_domain::Event;
use uuid::Uuid;

use super::{Concerned, Day, PAGE, concerned};
use crate::story::{
    LI, ROSA, bought, day, kept, lost, notice, opened, opened_in, overdue, parsed, promised,
    recurring, rows, waived,
};

const NOBODY: [Uuid; 0] = [];

/// Whom the day concerns if it concerns everybody who has an entry, `limit` at a time.
fn by(store: &Store, number: i64, longest: Option<u32>, limit: usize) -> Vec<Concerned> {
    all(store, number, (longest, false), limit)
}

fn all(
    store: &Store,
    number: i64,
    (longest, by_model): (Option<u32>, bool),
    limit: usize,
) -> Vec<Concerned> {
    let inactivity = |_: Currency| longest.map(Days);
    let of_day = Day {
        partition: 0,
        midnight: day(number),
        inactivity: &inactivity,
        by_model: &|_| by_model,
        concerns: &|_, _| Ok(true),
    };
    let mut all: Vec<Concerned> = Vec::new();
    loop {
        let after = all.last().cloned();
        let more = store
            .read(|rows| concerned(rows, &of_day, after, limit))
            .unwrap();
        if more.is_empty() {
            return all;
        }
        assert!(more.len() <= limit);
        all.extend(more);
    }
}

fn customers(concerned: &[Concerned]) -> Vec<Uuid> {
    concerned.iter().map(Concerned::customer).collect()
}

fn on(store: &Store, number: i64, longest: Option<u32>) -> Vec<Uuid> {
    customers(&by(store, number, longest, 10))
}

#[test]
fn a_promise_concerns_the_days_from_its_own_on() {
    let store = rows(&[
        (ROSA, opened(100)),
        (ROSA, promised("next-day", "next-day")),
    ]);
    assert_eq!(on(&store, 129, None), NOBODY);
    assert_eq!(on(&store, 130, None), [ROSA]);
    assert_eq!(on(&store, 500, None), [ROSA]);
}

#[test]
fn what_was_settled_concerns_no_day() {
    for settled in [kept("next-day", None), waived("next-day"), lost(115)] {
        let told = [opened(100), promised("next-day", "next-day"), settled];
        let store = rows(&told.map(|event| (ROSA, event)));
        assert_eq!(on(&store, 500, None), NOBODY);
    }
}

#[test]
fn a_notice_concerns_the_day_on_which_it_takes_effect() {
    // Until then the risk is told, which is due at once.
    let risky = crate::story::risky(112);
    let told = [opened(100), notice(110, 300), risky];
    let store = rows(&told.map(|event| (ROSA, event)));
    assert_eq!(on(&store, 299, None), NOBODY);
    assert_eq!(on(&store, 300, None), [ROSA]);
}

#[test]
fn what_is_told_today_concerns_tomorrow() {
    let store = rows(&[(ROSA, opened(100)), (ROSA, notice(110, 300))]);
    assert_eq!(on(&store, 119, None), NOBODY);
    assert_eq!(on(&store, 121, None), [ROSA]);
}

#[test]
fn silence_concerns_a_day_once_it_is_longer_than_allowed() {
    let store = rows(&[
        (ROSA, opened(100)),
        (LI, opened(100)),
        (LI, bought("a", 1, 110)),
    ]);
    assert_eq!(on(&store, 130, Some(30)), NOBODY);
    assert_eq!(on(&store, 131, Some(30)), [ROSA]);
    assert_eq!(on(&store, 141, Some(30)), [ROSA, LI]);
    assert_eq!(on(&store, 10_000, None), NOBODY);
}

#[test]
fn each_currency_has_its_own_silence() {
    let one = |number| Uuid::from_u128(number);
    let store = rows(&[
        (one(1), opened_in("EUR", 100)),
        (one(2), opened_in("GBP", 100)),
        (one(3), opened_in("USD", 100)),
    ]);
    let inactivity = |currency: Currency| (currency != parsed("GBP")).then_some(Days(30));
    let of_day = Day {
        partition: 0,
        midnight: day(500),
        inactivity: &inactivity,
        by_model: &|_| false,
        concerns: &|_, _| Ok(true),
    };
    let found = store
        .read(|rows| concerned(rows, &of_day, None, 10))
        .unwrap();
    assert_eq!(customers(&found), [one(1), one(3)]);
}

#[test]
fn who_pays_month_by_month_is_not_silent_but_a_model_looks_at_them() {
    let pays = |monthly, previous, on| (ROSA, recurring(monthly, previous, on));
    let mut told = vec![(ROSA, opened(100)), pays(500, 0, 110)];
    let store = rows(&told);
    assert_eq!(on(&store, 500, Some(30)), NOBODY);
    let assessed = |store: &Store, number| customers(&all(store, number, (Some(0), true), 10));
    assert_eq!(assessed(&store, 100), NOBODY);
    assert_eq!(assessed(&store, 101), [ROSA]);
    told.push((ROSA, bought("a", 1, 200)));
    assert_eq!(assessed(&rows(&told), 200), NOBODY);
    assert_eq!(assessed(&rows(&told), 201), [ROSA]);
    told.push(pays(0, 500, 210));
    let store = rows(&told);
    assert_eq!(on(&store, 500, Some(30)), [ROSA]);
    assert_eq!(assessed(&store, 500), [ROSA]);
    told.push((ROSA, lost(220)));
    assert_eq!(assessed(&rows(&told), 500), NOBODY);
}

#[test]
fn a_customer_is_concerned_once_for_whatever_reasons() {
    let told = [opened(100), promised("next-day", "next-day")];
    let store = rows(&told.map(|event| (ROSA, event)));
    assert_eq!(on(&store, 500, Some(30)), [ROSA]);
    // A promise that was noted is settled as far as days go; the silence is not.
    let told = [
        opened(100),
        promised("next-day", "next-day"),
        overdue("next-day", 131),
        crate::story::risky(131),
    ];
    let store = rows(&told.map(|event| (ROSA, event)));
    assert_eq!(on(&store, 500, Some(30)), [ROSA]);
}

#[test]
fn pages_of_any_size_are_all_of_them_in_order() {
    let count = 2 * u128::try_from(PAGE).unwrap() + 7;
    let mut told: Vec<(Uuid, Event)> = Vec::new();
    for number in 0..count {
        let customer = Uuid::from_u128(number);
        let currency = if number % 3 == 0 { "USD" } else { "EUR" };
        told.push((customer, opened_in(currency, 100)));
        if number % 5 == 0 {
            told.push((customer, promised("next-day", "next-day")));
        }
        if number % 2 == 0 {
            told.push((customer, recurring(500, 0, 110)));
        }
    }
    let store = rows(&told);
    let found = |limit| all(&store, 500, (Some(30), true), limit);
    let everybody = found(usize::MAX);
    assert_eq!(everybody.len() as u128, count);
    for limit in [1, 100, PAGE, PAGE + 1] {
        assert_eq!(found(limit), everybody, "{limit}");
    }
}

#[test]
fn an_entry_is_read_back_as_it_was_written() {
    for entry in [
        Concerned::Awaiting(-7, ROSA),
        Concerned::Silent("EUR".to_owned(), 7, LI),
        Concerned::Paying("EUR".to_owned(), 7, LI),
    ] {
        assert_eq!(entry.to_string().parse(), Ok(entry));
    }
    for text in ["", "awaiting/1", "awaiting/x/y", "silent/EUR/1"] {
        assert!(text.parse::<Concerned>().is_err(), "{text}");
    }
}
