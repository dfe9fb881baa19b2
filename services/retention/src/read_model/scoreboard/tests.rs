//! People and money of a period, by when it happened.

use eventsourcing::Time;
use proptest::prelude::*;
use read_model::{Error, Rows, Store};
use retention_domain::Event;
use uuid::Uuid;

use super::figure::{Entry, Figure, behind};
use super::{Line, Period, Scoreboard, scoreboard};
use crate::read_model::worth::Worth;
use crate::read_model::{lives, margins};
use crate::story::{
    LI, ROSA, bought, bought_in, day, in_the_end, lost, opened, opened_in, parsed, reversed, rows,
    won_back,
};

/// The scoreboard of the days `start..end`.
fn board(events: &[(Uuid, Event)], start: i64, end: i64) -> Scoreboard {
    let period = Period {
        start: Some(day(start)),
        end: day(end),
    };
    rows(events)
        .read(|rows| scoreboard(rows, period, &in_the_end()))
        .unwrap()
}

fn people(board: &Scoreboard) -> [i64; 6] {
    [
        board.opening,
        board.created,
        board.kept,
        board.lost,
        board.won_back,
        board.closing,
    ]
}

fn euros(board: &Scoreboard) -> Line {
    board.money[&parsed("EUR")]
}

#[test]
fn people_are_counted_by_when_it_happened() {
    let story = [
        (ROSA, opened(100)),
        (LI, opened(150)),
        (ROSA, lost(200)),
        (ROSA, won_back(250)),
    ];
    //                                        opening, created, kept, lost, won back, closing
    assert_eq!(people(&board(&story, 0, 100)), [0, 0, 0, 0, 0, 0]);
    assert_eq!(people(&board(&story, 100, 150)), [0, 1, 0, 0, 0, 1]);
    assert_eq!(people(&board(&story, 150, 200)), [1, 1, 1, 0, 0, 2]);
    assert_eq!(people(&board(&story, 200, 250)), [2, 0, 1, 1, 0, 1]);
    assert_eq!(people(&board(&story, 250, 300)), [1, 0, 1, 0, 1, 2]);
    assert_eq!(people(&board(&story, 151, 300)), [2, 0, 2, 1, 1, 2]);
}

#[test]
fn retention_is_of_those_at_the_start_and_a_win_back_does_not_break_it() {
    let story = [(ROSA, opened(100)), (ROSA, lost(200)), (LI, opened(210))];
    assert_eq!(board(&story, 150, 300).retention_rate(), Some(0.0));
    assert_eq!(board(&story, 150, 200).retention_rate(), Some(1.0));
    assert_eq!(board(&story, 0, 100).retention_rate(), None);
}

#[test]
fn without_a_start_it_is_the_beginning_of_time() {
    let story = [(ROSA, opened(-400_000)), (LI, opened(100))];
    let period = Period {
        start: None,
        end: day(101),
    };
    let board = rows(&story)
        .read(|rows| scoreboard(rows, period, &in_the_end()))
        .unwrap();
    assert_eq!(people(&board), [0, 2, 0, 0, 0, 2]);
}

#[test]
fn a_fact_that_is_told_late_is_in_its_own_period() {
    let story = [
        (ROSA, opened(100)),
        (ROSA, bought("new", 200, 300)),
        (ROSA, bought("old", 40, 120)),
    ];
    assert_eq!(euros(&board(&story, 100, 200)).revenue, 40);
    assert_eq!(euros(&board(&story, 200, 400)).revenue, 200);
}

#[test]
fn revenue_and_margin_are_less_what_was_taken_back_then() {
    let story = [
        (ROSA, opened(100)),
        (ROSA, bought("p", 40_000, 110)),
        (ROSA, bought("free", 0, 111)),
        (ROSA, reversed("p", "r", 10_000, 210)),
    ];
    let first = euros(&board(&story, 100, 200));
    assert_eq!(
        (first.purchases, first.revenue, first.margin),
        (2, 40_000, 20_000)
    );
    let second = euros(&board(&story, 200, 300));
    assert_eq!(
        (second.purchases, second.revenue, second.margin),
        (0, -10_000, -5_000)
    );
    assert_eq!((first.equity, second.equity), (30_000, 22_500));
}

#[test]
fn equity_is_of_the_year_before_the_end() {
    let story = [(ROSA, opened(100)), (ROSA, bought("p", 40_000, 110))];
    assert_eq!(euros(&board(&story, 0, 110)).equity, 0);
    assert_eq!(euros(&board(&story, 0, 111)).equity, 30_000);
    // Its 365 days begin with the day of the purchase, and then a day later.
    assert_eq!(euros(&board(&story, 0, 110 + 365)).equity, 30_000);
    assert_eq!(euros(&board(&story, 0, 110 + 366)).equity, 0);
}

#[test]
fn a_reversal_goes_with_its_purchase_when_that_leaves_the_year() {
    let story = [
        (ROSA, opened(100)),
        (ROSA, bought("old", 40_000, 110)),
        (ROSA, bought("new", 1_000, 400)),
        (ROSA, reversed("old", "r", 40_000, 401)),
    ];
    assert_eq!(euros(&board(&story, 0, 480)).equity, 750);
}

#[test]
fn a_lost_customer_is_worth_nothing_until_won_back() {
    let story = [
        (ROSA, opened(100)),
        (ROSA, bought("p", 40_000, 110)),
        (ROSA, lost(200)),
        (ROSA, won_back(250)),
    ];
    let at = |end| euros(&board(&story, 0, end));
    assert_eq!(
        [at(200).equity, at(201).equity, at(251).equity],
        [30_000, 0, 30_000]
    );
    assert_eq!([at(200).active, at(201).active, at(251).active], [1, 0, 1]);
}

#[test]
fn each_customer_is_rounded_before_they_are_added() {
    // A margin of 1 is worth 1.5, which goes to 2; together 2 would be worth 3.
    let story = [
        (ROSA, opened(100)),
        (LI, opened(100)),
        (ROSA, bought("p", 2, 110)),
        (LI, bought("p", 2, 110)),
    ];
    assert_eq!(euros(&board(&story, 0, 120)).equity, 4);
}

#[test]
fn currencies_are_never_added() {
    let story = [
        (ROSA, opened(100)),
        (LI, opened_in("USD", 100)),
        (ROSA, bought("p", 100, 110)),
        (LI, bought_in("USD", "p", 700, 110)),
    ];
    let board = board(&story, 0, 200);
    let revenue: Vec<(String, i64)> = board
        .money
        .iter()
        .map(|(code, line)| (code.to_string(), line.revenue))
        .collect();
    assert_eq!(revenue, [("EUR".to_owned(), 100), ("USD".to_owned(), 700)]);
}

#[test]
fn many_customers_add_up_to_the_cent() {
    let story: Vec<(Uuid, Event)> = (0..2_400)
        .flat_map(|n| {
            let id = Uuid::from_u128(n);
            [
                (id, opened(100)),
                (id, bought("a", 200, 110)),
                (id, bought("b", 200, 120)),
            ]
        })
        .collect();
    let store = rows(&story);
    let period = Period {
        start: None,
        end: day(130),
    };
    let board = store
        .read(|rows| scoreboard(rows, period, &in_the_end()))
        .unwrap();
    assert_eq!(euros(&board).equity, 2_400 * 300);
}

/// What may happen to a customer, so many days after one another.
fn course() -> impl Strategy<Value = Vec<(u8, i64, i64)>> {
    prop::collection::vec((0_u8..4, 0_i64..200, 0_i64..1_000), 0..12)
}

/// The events of a customer of these.
fn told(course: &[(u8, i64, i64)]) -> Vec<Event> {
    let mut events = vec![opened(100)];
    let (mut today, mut active) = (100, true);
    for (number, (kind, days, amount)) in course.iter().enumerate() {
        let id = format!("p-{number}");
        match kind {
            // Purchases are told in any order.
            0 | 1 => events.push(bought(&id, amount * 2, 100 + days)),
            2 => events.extend([
                bought(&id, amount * 4, 100 + days),
                reversed(&id, "r", amount * 2, 150 + days),
            ]),
            _ => {
                today += days;
                events.push(if active { lost(today) } else { won_back(today) });
                active = !active;
            }
        }
    }
    events
}

/// The scoreboard by the book: each customer looked at by its life and its margins.
fn by_the_book(rows: &dyn Rows, period: Period) -> Result<([i64; 6], i64), Error> {
    let mut people = [0; 6];
    let mut equity = 0;
    let worth = Worth::in_force(rows)?;
    let last = Time::from_micros(period.end.micros() - 1);
    let opens = margins::opens(last);
    for (customer, life) in lives::all(rows)? {
        let opening = period.start.is_some_and(|at| life.is_active_before(at));
        let closing = life.is_active_before(period.end);
        people[0] += i64::from(opening);
        people[1] += i64::from(period.contains(life.acquired_at));
        people[2] += i64::from(opening && closing);
        for turn in life.turns.iter().filter(|turn| period.contains(turn.at)) {
            people[if turn.active { 4 } else { 3 }] += 1;
        }
        people[5] += i64::from(closing);
        if closing {
            let found = margins::bought(rows, customer, opens, last, usize::MAX)?;
            let margin = margins::sum(found.iter().filter(|margin| margin.at <= last));
            equity += worth.of_margin(life.currency, margin).unwrap();
        }
    }
    Ok((people, equity))
}

/// All entries behind a figure, page by page.
fn entries(store: &Store, figure: Figure, period: Period, size: usize) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    loop {
        let after = found.last().map(|entry| entry.place.clone());
        let page =
            store.read(|rows| behind(rows, figure, period, &in_the_end(), after.as_ref(), size));
        let page = page.unwrap();
        assert!(page.len() <= size);
        if page.is_empty() {
            return found;
        }
        found.extend(page);
    }
}

proptest! {
    #[test]
    fn the_figures_are_those_of_lives_and_margins(
        rosa in course(), li in course(), start in 0_i64..700, days in 1_i64..700, size in 1_usize..5,
    ) {
        let rosa = told(&rosa).into_iter().map(|event| (ROSA, event));
        let story: Vec<(Uuid, Event)> = rosa.chain(told(&li).into_iter().map(|event| (LI, event))).collect();
        let period = Period { start: Some(day(start)), end: day(start + days) };
        let store = rows(&story);
        let board = store.read(|rows| scoreboard(rows, period, &in_the_end())).unwrap();
        let (expected, equity) = store.read(|rows| by_the_book(rows, period)).unwrap();
        prop_assert_eq!(people(&board), expected);
        for (figure, count) in [
            (Figure::Created, board.created),
            (Figure::Kept, board.kept),
            (Figure::Lost, board.lost),
            (Figure::WonBack, board.won_back),
            (Figure::Active, board.closing),
        ] {
            let found = entries(&store, figure, period, size);
            prop_assert_eq!(i64::try_from(found.len()).unwrap(), count, "{:?}", figure);
            prop_assert!(found.is_sorted_by(|one, next| one.place < next.place));
            if figure == Figure::Active {
                let worth: i64 = found.iter().map(|entry| entry.value.unwrap()).sum();
                prop_assert_eq!(worth, equity);
            }
        }
        prop_assert_eq!(board.money.values().map(|line| line.equity).sum::<i64>(), equity);
    }
}
