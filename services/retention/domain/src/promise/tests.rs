//! The rules of the promise ledger.

use eventsourcing::scenario::{Given, given};

use super::{AssessPromise, Assessed, Finding, Made, Score, State};
use crate::input::{Invalid, When};
use crate::relationship::OpeningPromise;
use crate::story::{
    ACQUIRED, REQUEST, TODAY, assess, customer, day, leave, make, on, opening, parsed, promise,
    repair, terms, waive,
};
use crate::{Command, Customer, Event, Refusal, Thing};

fn kept(score: Option<Score>, number: i64) -> Event {
    let (promise_id, occurred_at) = (parsed("next-day"), day(number));
    Event::PromiseKept(Assessed {
        promise_id,
        score,
        evidence: None,
        occurred_at,
    })
}

/// The first event, as the repair that is proposed with it is told elsewhere.
fn broken(story: Given<Customer>, command: Command) -> Event {
    story.when(command).result().unwrap().swap_remove(0)
}

fn state_of(story: &Given<Customer>, promise_id: &str) -> State {
    story.state().promises[&parsed(promise_id)].state
}

fn makes(change: impl FnOnce(&mut super::MakePromise)) -> Command {
    let mut command = promise("more", 200);
    change(&mut command);
    Command::MakePromise(Box::new(command))
}

#[test]
fn a_promise_can_be_made_later_too() {
    let terms = promise("more", 200).terms;
    let (promise_id, at_conversion, made_at) = (parsed("more"), false, day(200));
    let made = Event::PromiseMade(Made {
        promise_id,
        terms,
        at_conversion,
        made_at,
    });
    customer().when(make("more", 200)).then([made]);
}

#[test]
fn the_same_promise_made_twice_is_made_once() {
    customer()
        .and(make("more", 200))
        .when(make("more", 200))
        .nothing();
    let untimed = makes(|command| command.when = When::now(day(TODAY)));
    customer().and(make("more", 200)).when(untimed).nothing();
}

#[test]
fn a_promise_is_found_made_even_when_the_customer_is_lost_by_now() {
    customer()
        .and(make("more", 200))
        .and(leave(300))
        .when(make("more", 200))
        .nothing();
}

#[test]
fn another_promise_needs_another_id() {
    let taken = || Refusal::AlreadyExists(Thing::Promise(parsed("more")));
    let other = makes(|command| command.terms.expected_score = 1);
    customer()
        .and(make("more", 200))
        .when(other)
        .refused(taken());
    customer()
        .and(make("more", 200))
        .when(make("more", 201))
        .refused(taken());
}

#[test]
fn nothing_is_promised_to_a_lost_customer() {
    customer()
        .and(leave(200))
        .when(make("more", 201))
        .refused(Refusal::WinBackFirst { ended_at: day(200) });
}

#[test]
fn expectations_are_scored_from_1_to_7() {
    for value in [0, 8] {
        let (field, min, max) = ("expected_score", 1, 7);
        customer()
            .when(makes(|command| command.terms.expected_score = value))
            .refused(
                Invalid::OutOfRange {
                    field,
                    value,
                    min,
                    max,
                }
                .into(),
            );
    }
}

#[test]
fn importance_is_scored_from_0_to_100() {
    let (field, value, min, max) = ("importance", 101, 0, 100);
    customer()
        .when(makes(|command| command.terms.importance = 101))
        .refused(
            Invalid::OutOfRange {
                field,
                value,
                min,
                max,
            }
            .into(),
        );
}

#[test]
fn the_terms_of_an_opening_promise_are_checked_under_their_own_names() {
    let mut command = opening();
    command.promises[0].terms.expected_score = 9;
    let (field, value, min, max) = ("promises.expected_score", 9, 1, 7);
    given::<Customer>([])
        .when(Command::OpenRelationship(Box::new(command)))
        .refused(
            Invalid::OutOfRange {
                field,
                value,
                min,
                max,
            }
            .into(),
        );
}

#[test]
fn no_promise_is_due_before_it_was_made() {
    let (field, at, earliest) = ("due_at", day(199), day(200));
    customer()
        .when(makes(|command| command.terms.due_at = Some(day(199))))
        .refused(
            Invalid::TooEarly {
                field,
                at,
                earliest,
            }
            .into(),
        );
}

#[test]
fn nothing_is_promised_in_the_future() {
    let (field, at, latest) = ("occurred_at", day(TODAY + 1), day(TODAY).plus_seconds(300));
    customer()
        .when(make("more", TODAY + 1))
        .refused(Invalid::FutureTime { field, at, latest }.into());
}

#[test]
fn nothing_is_promised_to_somebody_who_is_not_a_customer_yet() {
    let (field, at, earliest) = ("occurred_at", day(ACQUIRED - 1), day(ACQUIRED));
    customer().when(make("more", ACQUIRED - 1)).refused(
        Invalid::TooEarly {
            field,
            at,
            earliest,
        }
        .into(),
    );
}

#[test]
fn a_customer_is_promised_at_most_a_thousand_things() {
    let mut command = opening();
    command.promises = (0..1_000)
        .map(|n| OpeningPromise {
            promise_id: parsed(&format!("p{n}")),
            terms: terms(),
        })
        .collect();
    given::<Customer>([])
        .and(Command::OpenRelationship(Box::new(command)))
        .when(make("one-more", 200))
        .refused(Refusal::Limit {
            what: "promises",
            limit: 1_000,
        });
}

#[test]
fn a_promise_is_kept_when_the_customer_perceives_at_least_what_was_expected() {
    for (perceived, gap) in [(6, 0), (7, 1)] {
        customer()
            .when(assess("next-day", Finding::Perceived(perceived), 150))
            .then([kept(Some(Score { perceived, gap }), 150)]);
    }
}

#[test]
fn a_promise_is_broken_when_the_customer_perceives_less_than_was_expected() {
    let (promise_id, occurred_at) = (parsed("next-day"), day(150));
    let score = Some(Score {
        perceived: 3,
        gap: -3,
    });
    assert_eq!(
        broken(customer(), assess("next-day", Finding::Perceived(3), 150)),
        Event::PromiseBroken(Assessed {
            promise_id,
            score,
            evidence: None,
            occurred_at
        })
    );
}

#[test]
fn a_promise_can_be_judged_without_a_score() {
    customer()
        .when(assess("next-day", Finding::Kept, 150))
        .then([kept(None, 150)]);
    let (promise_id, score, occurred_at) = (parsed("next-day"), None, day(150));
    assert_eq!(
        broken(customer(), assess("next-day", Finding::Broken, 150)),
        Event::PromiseBroken(Assessed {
            promise_id,
            score,
            evidence: None,
            occurred_at
        })
    );
}

#[test]
fn perceptions_are_scored_from_1_to_7() {
    for value in [0, 8, u32::MAX] {
        let (field, min, max) = ("perceived_score", 1, 7);
        customer()
            .when(assess("next-day", Finding::Perceived(value), 150))
            .refused(
                Invalid::OutOfRange {
                    field,
                    value,
                    min,
                    max,
                }
                .into(),
            );
    }
}

#[test]
fn a_kept_promise_may_break_later() {
    let story = customer()
        .and(assess("next-day", Finding::Kept, 150))
        .and(assess("next-day", Finding::Broken, 160));
    assert_eq!(state_of(&story, "next-day"), State::Broken);
}

#[test]
fn a_kept_promise_may_be_found_kept_again() {
    customer()
        .and(assess("next-day", Finding::Kept, 150))
        .when(assess("next-day", Finding::Kept, 160))
        .then([kept(None, 160)]);
}

#[test]
fn the_same_assessment_again_changes_nothing() {
    customer()
        .and(assess("next-day", Finding::Perceived(6), 150))
        .when(assess("next-day", Finding::Perceived(6), 150))
        .nothing();
}

#[test]
fn the_last_score_stays_when_a_promise_is_judged_without_one() {
    let story = customer()
        .and(assess("next-day", Finding::Perceived(7), 150))
        .and(assess("next-day", Finding::Broken, 160));
    let promise = &story.state().promises[&parsed("next-day")];
    assert_eq!(
        promise.score,
        Some(Score {
            perceived: 7,
            gap: 1
        })
    );
    assert_eq!(promise.assessed_at, Some(day(160)));
}

#[test]
fn a_broken_repaired_or_waived_promise_is_not_assessed_again() {
    let broken = || customer().and(assess("next-day", Finding::Broken, 150));
    for (story, state) in [
        (broken(), State::Broken),
        (broken().and(repair("next-day", 151)), State::Repaired),
        (customer().and(waive("next-day", 150)), State::Waived),
    ] {
        let promise_id = parsed("next-day");
        story
            .when(assess("next-day", Finding::Kept, 160))
            .refused(Refusal::NotAssessable { promise_id, state });
    }
}

#[test]
fn a_promise_to_a_lost_customer_can_still_be_assessed() {
    let story = customer()
        .and(leave(200))
        .and(assess("next-day", Finding::Broken, 210));
    assert_eq!(state_of(&story, "next-day"), State::Broken);
    assert_eq!(state_of(&story, "next-day"), State::Broken);
}

#[test]
fn a_broken_promise_is_repaired_once() {
    let (promise_id, occurred_at) = (parsed("next-day"), day(151));
    let broken = || customer().and(assess("next-day", Finding::Broken, 150));
    broken()
        .when(repair("next-day", 151))
        .then([Event::PromiseRepaired {
            promise_id,
            occurred_at,
        }]);
    let (promise_id, state) = (parsed("next-day"), State::Repaired);
    broken()
        .and(repair("next-day", 151))
        .when(repair("next-day", 152))
        .refused(Refusal::NotBroken { promise_id, state });
}

#[test]
fn what_is_not_broken_cannot_be_repaired() {
    for (story, state) in [
        (customer(), State::Open),
        (
            customer().and(assess("next-day", Finding::Kept, 150)),
            State::Kept,
        ),
    ] {
        let promise_id = parsed("next-day");
        story
            .when(repair("next-day", 160))
            .refused(Refusal::NotBroken { promise_id, state });
    }
}

#[test]
fn a_customer_may_waive_a_promise_while_it_is_open() {
    let (promise_id, occurred_at) = (parsed("next-day"), day(150));
    customer()
        .when(waive("next-day", 150))
        .then([Event::PromiseWaived {
            promise_id,
            note: None,
            occurred_at,
        }]);
    for (finding, state) in [
        (Finding::Kept, State::Kept),
        (Finding::Broken, State::Broken),
    ] {
        let promise_id = parsed("next-day");
        customer()
            .and(assess("next-day", finding, 150))
            .when(waive("next-day", 160))
            .refused(Refusal::NotOpen { promise_id, state });
    }
}

#[test]
fn what_was_never_promised_is_not_found() {
    for command in [
        assess("other", Finding::Kept, 150),
        repair("other", 150),
        waive("other", 150),
    ] {
        customer()
            .when(command)
            .refused(Refusal::NotFound(Thing::Promise(parsed("other"))));
    }
}

#[test]
fn what_happens_to_a_promise_never_goes_back_in_time() {
    let too_early = |at, earliest| {
        Refusal::from(Invalid::TooEarly {
            field: "occurred_at",
            at: day(at),
            earliest: day(earliest),
        })
    };
    customer()
        .when(assess("next-day", Finding::Kept, ACQUIRED - 1))
        .refused(too_early(ACQUIRED - 1, ACQUIRED));
    customer()
        .and(assess("next-day", Finding::Kept, 150))
        .when(assess("next-day", Finding::Broken, 149))
        .refused(too_early(149, 150));
    customer()
        .and(assess("next-day", Finding::Broken, 150))
        .when(repair("next-day", 149))
        .refused(too_early(149, 150));
    customer()
        .when(waive("next-day", ACQUIRED - 1))
        .refused(too_early(ACQUIRED - 1, ACQUIRED));
}

#[test]
fn nothing_happens_to_a_promise_in_the_future() {
    let (field, at, latest) = ("occurred_at", day(TODAY + 1), day(TODAY).plus_seconds(300));
    for command in [
        assess("next-day", Finding::Kept, TODAY + 1),
        waive("next-day", TODAY + 1),
    ] {
        customer()
            .when(command)
            .refused(Invalid::FutureTime { field, at, latest }.into());
    }
    customer()
        .and(assess("next-day", Finding::Broken, 150))
        .when(Command::RepairPromise {
            promise_id: parsed("next-day"),
            when: on(TODAY + 1),
        })
        .refused(Invalid::FutureTime { field, at, latest }.into());
}

#[test]
fn a_promise_made_by_a_clock_slightly_ahead_can_be_assessed_at_once() {
    let made = day(TODAY).plus_seconds(200);
    let ahead = When {
        now: day(TODAY),
        occurred_at: Some(made),
    };
    let at_once = Command::AssessPromise(AssessPromise {
        request_id: REQUEST,
        promise_id: parsed("more"),
        finding: Finding::Kept,
        evidence: None,
        when: When::now(day(TODAY)),
    });
    let (promise_id, score, occurred_at) = (parsed("more"), None, made);
    customer()
        .and(makes(|command| command.when = ahead))
        .when(at_once)
        .then([Event::PromiseKept(Assessed {
            promise_id,
            score,
            evidence: None,
            occurred_at,
        })]);
}
