//! The rules of a ledger, one by one.

use eventsourcing::scenario::given;
use money::Rate;

use super::statement::Lines;
use super::{
    ALGORITHM, Assumptions, ClosePeriod, Closed, Command, Cut, Event, Figures, Ledger, Measured,
    Method, Refusal, SetAssumptions,
};
use crate::story::{TODAY, day, parsed};

fn set() -> SetAssumptions {
    SetAssumptions {
        method: None,
        annual_discount_rate: None,
        annual_retention_rate: None,
        default_margin_rate: None,
        horizon_months: None,
        inactivity_days: None,
        now: day(TODAY),
    }
}

fn was_set(assumptions: Assumptions) -> Event {
    Event::AssumptionsSet {
        assumptions,
        set_at: day(TODAY),
    }
}

fn cut(next: u64) -> Cut {
    [(0, next), (1, 7)].into_iter().collect()
}

fn measured(follows: Option<&str>, next: u64) -> Measured {
    Measured {
        follows: follows.map(parsed),
        figures: Figures {
            lines: Lines {
                closing: 120_000,
                ..Lines::default()
            },
            ..Figures::default()
        },
        assumptions: Assumptions::default(),
        model: None,
        cut: cut(next),
        movements_digest: [7; 32],
    }
}

fn close(id: &str, start: i64, end: i64, measured: Measured) -> Command {
    Command::ClosePeriod(Box::new(ClosePeriod {
        statement_id: parsed(id),
        start: day(start),
        end: day(end),
        now: day(TODAY),
        measured: Some(measured),
    }))
}

fn closed(id: &str, start: i64, end: i64, next: u64) -> Event {
    let measured = measured(None, next);
    Event::PeriodClosed(Box::new(Closed {
        statement_id: parsed(id),
        closed_at: day(TODAY),
        start: day(start),
        end: day(end),
        figures: measured.figures,
        assumptions: measured.assumptions,
        model: measured.model,
        cut: measured.cut,
        algorithm: ALGORITHM,
        movements_digest: measured.movements_digest,
    }))
}

#[test]
fn assumptions_that_are_left_out_keep_their_value() {
    let first = Assumptions {
        annual_retention_rate: Rate::per_mille(800),
        inactivity_days: Some(400),
        ..Assumptions::default()
    };
    given::<Ledger>([])
        .when(Command::SetAssumptions(SetAssumptions {
            annual_retention_rate: Some(Rate::per_mille(800)),
            inactivity_days: Some(400),
            ..set()
        }))
        .then([was_set(first)]);
    let second = Assumptions {
        default_margin_rate: Rate::per_mille(1_000),
        inactivity_days: None,
        ..first
    };
    given::<Ledger>([was_set(first)])
        .when(Command::SetAssumptions(SetAssumptions {
            default_margin_rate: Some(Rate::per_mille(1_000)),
            inactivity_days: Some(0),
            ..set()
        }))
        .then([was_set(second)]);
}

#[test]
fn the_defaults_become_a_fact_when_somebody_stands_by_them() {
    given::<Ledger>([])
        .when(Command::SetAssumptions(set()))
        .then([was_set(Assumptions::default())]);
    given::<Ledger>([was_set(Assumptions::default())])
        .when(Command::SetAssumptions(set()))
        .nothing();
}

#[test]
fn rates_are_shares_and_what_is_kept_or_discounted_in_a_year_is_less_than_all() {
    let whole = Some(Rate::per_mille(1_000));
    let cases = [
        (
            "annual_discount_rate",
            SetAssumptions {
                annual_discount_rate: whole,
                ..set()
            },
        ),
        (
            "annual_retention_rate",
            SetAssumptions {
                annual_retention_rate: whole,
                ..set()
            },
        ),
    ];
    for (field, command) in cases {
        given::<Ledger>([])
            .when(Command::SetAssumptions(command))
            .refused(Refusal::RateOutOfRange {
                field,
                rate: Rate::per_mille(1_000),
                wanted: "from 0 to below 1",
            });
    }
    let rate = Rate::per_mille(1_001);
    given::<Ledger>([])
        .when(Command::SetAssumptions(SetAssumptions {
            default_margin_rate: Some(rate),
            ..set()
        }))
        .refused(Refusal::RateOutOfRange {
            field: "default_margin_rate",
            rate,
            wanted: "from 0 to 1",
        });
    given::<Ledger>([])
        .when(Command::SetAssumptions(SetAssumptions {
            horizon_months: Some(601),
            ..set()
        }))
        .refused(Refusal::OutOfRange {
            field: "horizon_months",
            value: 601,
            max: 600,
        });
}

#[test]
fn a_method_that_needs_a_model_waits_for_one() {
    given::<Ledger>([])
        .when(Command::SetAssumptions(SetAssumptions {
            method: Some(Method::MbgNbd),
            ..set()
        }))
        .refused(Refusal::NoModel);
}

#[test]
fn the_first_period_starts_anywhere_and_the_next_where_it_ended() {
    let first = close("q1", 100, 190, measured(None, 10));
    given::<Ledger>([])
        .when(first.clone())
        .then([closed("q1", 100, 190, 10)]);
    given::<Ledger>([])
        .and(first.clone())
        .when(close("q2", 190, 281, measured(Some("q1"), 10)))
        .then([closed("q2", 190, 281, 10)]);
    for start in [189, 191] {
        given::<Ledger>([])
            .and(first.clone())
            .when(close("q2", start, 281, measured(Some("q1"), 10)))
            .refused(Refusal::GapInPeriods {
                start: day(start),
                expected: day(190),
            });
    }
}

#[test]
fn a_period_is_closed_once_whatever_else_is_wrong() {
    let statement_id = parsed("q1");
    let again = [
        close("q1", 100, 190, measured(None, 10)),
        close("q1", 300, 200, measured(None, 10)),
        close("another", 100, 190, measured(None, 10)),
    ];
    for again in again {
        let refused = Refusal::AlreadyClosed {
            statement_id: Clone::clone(&statement_id),
        };
        given::<Ledger>([closed("q1", 100, 190, 10)])
            .when(again)
            .refused(refused);
    }
}

#[test]
fn a_period_has_a_length_and_is_over() {
    let (start, end, now) = (day(190), day(190), day(TODAY));
    given::<Ledger>([])
        .when(close("q1", 190, 190, measured(None, 10)))
        .refused(Refusal::EndsBeforeItStarts { start, end });
    let end = day(TODAY + 1);
    given::<Ledger>([])
        .when(close("q1", 190, TODAY + 1, measured(None, 10)))
        .refused(Refusal::NotOver { end, now });
    given::<Ledger>([])
        .when(close("q1", 190, TODAY, measured(None, 10)))
        .then([closed("q1", 190, TODAY, 10)]);
}

#[test]
fn a_measurement_that_something_overtook_does_not_stand() {
    let before = || given::<Ledger>([closed("q1", 100, 190, 10)]);
    let goes_back = close("q2", 190, 281, measured(Some("q1"), 9));
    before().when(goes_back).refused(Refusal::Superseded);
    let of_another = close("q2", 190, 281, measured(None, 10));
    before().when(of_another).refused(Refusal::Superseded);
    given::<Ledger>([])
        .when(close("q1", 100, 190, measured(Some("q0"), 10)))
        .refused(Refusal::Superseded);
}

#[test]
fn the_id_of_a_statement_is_short_and_plain() {
    assert!("2026-q2".parse::<super::StatementId>().is_ok());
    for wrong in ["", "2026 Q2", "q/2", &"q".repeat(41)] {
        assert!(wrong.parse::<super::StatementId>().is_err(), "{wrong}");
    }
}
