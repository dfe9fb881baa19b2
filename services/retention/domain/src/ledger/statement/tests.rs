//! One customer at a time, each line by itself.

use eventsourcing::Time;
use money::Rate;
use uuid::Uuid;

use super::{
    Account, Assumptions, Counts, Fact, Line, Lines, Movement, Period, Standing, Valuation, What,
};
use crate::story::day;

const START: i64 = 1_000;
const END: i64 = 1_090;

/// A fact of some day, and whether it had been recorded when the statement before was measured.
type Told = (i64, What, bool);

fn period() -> Period {
    let before = Assumptions::default();
    Period {
        start: day(START),
        end: day(END),
        before: Valuation::simple(before),
        after: Valuation::simple(Assumptions {
            annual_retention_rate: Rate::per_mille(800),
            annual_discount_rate: Rate::per_mille(200),
            ..before
        }),
    }
}

fn same_assumptions() -> Period {
    let before = Valuation::simple(Assumptions::default());
    Period {
        after: before,
        ..period()
    }
}

fn moved(period: &Period, told: &[Told]) -> Movement {
    let mut account = Account::new(period);
    for &(number, what, recorded_before) in told {
        let at = day(number);
        account.take(&Fact { at, what }, recorded_before);
    }
    let movement = account.movement();
    assert!(movement.lines.add_up(), "{movement:?}");
    assert!(movement.counts.add_up(), "{movement:?}");
    movement
}

fn bought(margin: i64) -> What {
    What::Bought { margin }
}

const OPENED: Told = (900, What::Opened, true);

#[test]
fn a_statement_sees_the_year_that_a_value_as_of_its_last_moment_sees() {
    // The first of the 365 days begins at this midnight.
    let (before, first) = (END - 366, END - 365);
    let told = [
        (before, What::Opened, true),
        (before, bought(50_000), true),
        (first, bought(20_000), true),
    ];
    let period = same_assumptions();
    let last_moment = Time::from_micros(day(END).micros() - 1);
    let mut standing = Standing::at(last_moment);
    for (number, what, _) in told {
        let at = day(number);
        standing.take(&Fact { at, what });
    }
    let closing = |period: &Period| moved(period, &told).lines.closing;
    assert_eq!(closing(&period), 30_000);
    assert_eq!(closing(&period), period.after.value(&standing));
    // A statement that was closed by the rules of before is measured by them for ever.
    let closed = Period {
        after: period.after.clone().under(2),
        ..same_assumptions()
    };
    assert_eq!(closing(&closed), 0);
}

#[test]
fn who_becomes_a_customer_is_created_at_the_rates_of_before_and_remeasured_at_those_of_now() {
    let movement = moved(
        &period(),
        &[(1_010, What::Opened, false), (1_010, bought(20_000), false)],
    );
    let lines = Lines {
        created: 30_000,
        remeasured: 10_000,
        closing: 40_000,
        ..Lines::default()
    };
    assert_eq!(movement.lines, lines);
    assert_eq!((movement.counts.created, movement.counts.closing), (1, 1));
    assert_eq!(movement.realised_margin, 20_000);
}

#[test]
fn who_buys_more_grows_and_who_takes_back_erodes() {
    let bigger = moved(
        &same_assumptions(),
        &[
            OPENED,
            (900, bought(40_000), true),
            (1_020, bought(10_000), false),
        ],
    );
    assert_eq!((bigger.lines.opening, bigger.lines.grown), (60_000, 15_000));
    let taken = What::Reversed {
        margin: 5_000,
        bought_at: day(900),
        purchase: Uuid::from_u128(1),
        paid: 40_000,
        amount: 10_000,
        told_last: false,
    };
    let smaller = moved(
        &same_assumptions(),
        &[OPENED, (900, bought(20_000), true), (1_020, taken, false)],
    );
    assert_eq!(
        (smaller.lines.opening, smaller.lines.eroded),
        (30_000, -7_500)
    );
    assert_eq!(smaller.realised_margin, -5_000);
}

#[test]
fn who_is_lost_takes_the_opening_value_and_who_comes_back_brings_the_closing_one() {
    let lost = moved(
        &period(),
        &[
            OPENED,
            (900, bought(20_000), true),
            (1_020, What::Lost, false),
        ],
    );
    assert_eq!((lost.lines.lost, lost.lines.closing), (-30_000, 0));
    assert_eq!(lost.counts.lost, 1);
    let back = moved(
        &same_assumptions(),
        &[
            OPENED,
            (950, bought(10_000), true),
            (980, What::Lost, true),
            (1_030, What::WonBack, false),
            (1_031, bought(10_000), false),
        ],
    );
    assert_eq!((back.lines.opening, back.lines.won_back), (0, 30_000));
    assert_eq!((back.counts.opening, back.counts.won_back), (0, 1));
}

#[test]
fn who_is_created_and_lost_in_one_period_is_counted_and_moves_no_money() {
    let movement = moved(
        &period(),
        &[
            (1_010, What::Opened, false),
            (1_011, bought(20_000), false),
            (1_020, What::Lost, false),
        ],
    );
    assert_eq!(movement.lines, Lines::default());
    let counts = Counts {
        created: 1,
        lost: 1,
        ..Counts::default()
    };
    assert_eq!(movement.counts, counts);
    let listed: Vec<_> = movement.entries().collect();
    assert_eq!(listed, [(Line::Created, 1, 0), (Line::Lost, 1, 0)]);
}

#[test]
fn a_fact_that_is_told_late_is_news_however_old_it_is() {
    let movement = moved(
        &same_assumptions(),
        &[
            OPENED,
            (900, bought(20_000), true),
            (950, bought(2_000), false),
        ],
    );
    assert_eq!(
        (movement.lines.opening, movement.lines.grown),
        (30_000, 3_000)
    );
    assert_eq!(movement.realised_margin, 2_000);
}

#[test]
fn what_was_known_early_but_happens_in_the_period_belongs_to_the_period() {
    // A clock that was ahead: recorded before the last statement was measured, dated after its end.
    let movement = moved(&same_assumptions(), &[OPENED, (1_000, bought(2_000), true)]);
    assert_eq!((movement.lines.opening, movement.lines.grown), (0, 3_000));
}

#[test]
fn a_period_ends_before_its_end() {
    let movement = moved(&same_assumptions(), &[OPENED, (END, bought(2_000), false)]);
    assert_eq!((movement.lines.closing, movement.realised_margin), (0, 0));
}

#[test]
fn margin_that_is_a_year_old_erodes() {
    let just_inside = day(START - 365).micros() + 1;
    let period = same_assumptions();
    let mut account = Account::new(&period);
    let opened = Fact {
        at: Time::from_micros(just_inside),
        what: What::Opened,
    };
    account.take(&opened, true);
    let what = bought(20_000);
    account.take(&Fact { what, ..opened }, true);
    let movement = account.movement();
    assert_eq!(
        (movement.lines.opening, movement.lines.eroded),
        (30_000, -30_000)
    );
    assert_eq!(movement.counts.closing, 1);
}

#[test]
fn who_has_given_notice_is_active_and_stands_in_the_memo() {
    let leaving = [
        OPENED,
        (1_010, bought(20_000), false),
        (1_020, What::NoticeGiven, false),
    ];
    let movement = moved(&period(), &leaving);
    assert_eq!(
        (movement.under_notice, movement.lines.closing),
        (40_000, 40_000)
    );
    let stays = [leaving.as_slice(), &[(1_030, What::NoticeWithdrawn, false)]].concat();
    assert_eq!(moved(&period(), &stays).under_notice, 0);
}
