//! The rules of recurring revenue.

use super::{Line, MAX_LINES, Set};
use crate::input::Invalid;
use crate::story::{ACQUIRED, customer, day, eur, leave, parsed, recurring, usd, win_back};
use crate::{Event, Refusal};

fn set(monthly: i64, previous: i64, number: i64) -> Event {
    Event::RecurringRevenueSet(Set {
        line_id: parsed("support"),
        monthly: eur(monthly),
        previous: eur(previous),
        effective_at: day(number),
    })
}

#[test]
fn a_line_starts_is_raised_lowered_and_ended_by_one_command() {
    let mut story = customer();
    for (monthly, previous, number) in [
        (500, 0, 110),
        (800, 500, 120),
        (300, 800, 130),
        (0, 300, 140),
    ] {
        let command = || recurring("support", eur(monthly), number);
        let seen = story.state().clone();
        let events = eventsourcing::Aggregate::decide(&seen, command()).unwrap();
        assert_eq!(events, [set(monthly, previous, number)]);
        story = story.and(command());
    }
    assert_eq!(story.state().monthly_revenue(), 0);
}

#[test]
fn what_stays_as_it_is_is_no_event() {
    customer().when(recurring("support", eur(0), 110)).nothing();
    customer()
        .and(recurring("support", eur(500), 110))
        .when(recurring("support", eur(500), 110))
        .nothing();
}

#[test]
fn an_amount_confirmed_for_a_later_day_is_not_undone_by_what_is_told_of_earlier_days() {
    customer()
        .and(recurring("support", eur(100), 105))
        .and(recurring("support", eur(100), 120))
        .when(recurring("support", eur(50), 115))
        .refused(Refusal::from(Invalid::TooEarly {
            field: "effective_at",
            at: day(115),
            earliest: day(120),
        }));
}

#[test]
fn lines_add_up() {
    let story = customer()
        .and(recurring("support", eur(500), 110))
        .and(recurring("parking", eur(70), 120));
    assert_eq!(story.state().monthly_revenue(), 570);
}

#[test]
fn a_line_never_goes_back_in_time() {
    let (field, at, earliest) = ("effective_at", day(109), day(110));
    let early = |at, earliest| {
        Refusal::from(Invalid::TooEarly {
            field,
            at,
            earliest,
        })
    };
    customer()
        .and(recurring("support", eur(500), 110))
        .when(recurring("support", eur(600), 109))
        .refused(early(at, earliest));
    customer()
        .when(recurring("support", eur(600), ACQUIRED - 1))
        .refused(early(day(ACQUIRED - 1), day(ACQUIRED)));
}

#[test]
fn an_amount_is_in_the_customers_currency_and_not_negative() {
    let mismatch = Invalid::CurrencyMismatch {
        field: "monthly",
        expected: parsed("EUR"),
        given: parsed("USD"),
    };
    customer()
        .when(recurring("support", usd(1), 110))
        .refused(mismatch.into());
    let negative = Invalid::WrongSign {
        field: "monthly",
        amount: eur(-1),
        wanted: "of 0 or more",
    };
    customer()
        .when(recurring("support", eur(-1), 110))
        .refused(negative.into());
}

#[test]
fn a_loss_ends_the_lines_and_nothing_is_paid_until_the_customer_is_back() {
    let lost = || {
        customer()
            .and(recurring("support", eur(500), 110))
            .and(leave(200))
    };
    let line = Line {
        monthly: 0,
        since: day(200),
    };
    assert_eq!(lost().state().lines[&parsed("support")], line);
    let ended_at = day(200);
    lost()
        .when(recurring("support", eur(500), 210))
        .refused(Refusal::WinBackFirst { ended_at });
    lost().when(recurring("support", eur(0), 210)).nothing();
}

#[test]
fn who_is_won_back_starts_anew() {
    let story = || {
        customer()
            .and(recurring("support", eur(500), 110))
            .and(leave(200))
            .and(win_back(250))
    };
    assert!(story().state().lines.is_empty());
    story()
        .when(recurring("support", eur(400), 250))
        .then([set(400, 0, 250)]);
    let (field, at, earliest) = ("effective_at", day(249), day(250));
    let early = Invalid::TooEarly {
        field,
        at,
        earliest,
    };
    story()
        .when(recurring("support", eur(400), 249))
        .refused(early.into());
}

#[test]
fn a_customer_has_at_most_a_thousand_lines() {
    let story = (0..MAX_LINES).fold(customer(), |story, n| {
        story.and(recurring(&format!("l{n}"), eur(1), 110))
    });
    let what = "lines of recurring revenue";
    story
        .when(recurring("one-more", eur(1), 110))
        .refused(Refusal::Limit { what, limit: 1_000 });
}
