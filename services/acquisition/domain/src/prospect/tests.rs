//! The rules of prospects, told as stories.

mod consenting;
mod converting;
mod erasing;
mod identifying;
mod merging;
mod telling_late;
mod touching;

use eventsourcing::scenario::{Given, given};
use eventsourcing::{Aggregate, Class, Explain, Sealed};
use uuid::Uuid;

use super::{
    CloseReason, Closing, Command, Convert, Event, FirstPurchase, Kind, Origin, Prospect,
    Qualification, Refusal, State, Thing, Touch, TouchKind,
};
use crate::input::{Invalid, When};
use crate::offer::Ask;
use crate::story::{about, ask, campaign, day, eur, id, on, on_the_market};

fn sealed(mark: u8) -> Sealed {
    Sealed {
        subject: "persons/1".to_owned(),
        key_id: "k".to_owned(),
        nonce: [mark; 24],
        ciphertext: vec![mark],
    }
}

fn create() -> Command {
    Command::Create {
        kind: Kind::Person,
        source: "trade fair".to_owned(),
        when: on(6),
    }
}

/// A click on `fast`.
fn touch() -> Touch {
    Touch {
        campaign: Some(campaign("fast")),
        presentation_id: Some(id("speed")),
        channel: "radio".to_owned(),
        kind: TouchKind::Click,
        utm: None,
    }
}

/// Reached on day `number`.
fn touched(touchpoint_id: &str, number: i64) -> Command {
    Command::RecordTouchpoint {
        touchpoint_id: id(touchpoint_id),
        touch: touch(),
        when: about(number),
    }
}

fn qualification(problem_id: &str) -> Qualification {
    Qualification {
        proposition_id: id("van-repair"),
        problem_id: id(problem_id),
    }
}

fn qualify(problem_id: &str) -> Command {
    Command::Qualify {
        qualification: qualification(problem_id),
        when: on(10),
    }
}

/// Converts on day 20 as `fast` led to it, with a purchase of 400.00.
fn converting() -> Convert {
    Convert {
        request_id: Uuid::from_u128(7),
        offer: on_the_market().state().offer(ask()).unwrap(),
        first_purchase: Some(FirstPurchase {
            amount: eur(400),
            contribution_margin: None,
        }),
        currency: id("EUR"),
        consents: vec![],
        steps: vec![],
        when: about(20),
    }
}

fn convert() -> Command {
    Command::Convert(converting())
}

fn close(reason: CloseReason) -> Command {
    closing(reason, None, false)
}

fn closing(reason: CloseReason, competitor: Option<&str>, note_given: bool) -> Command {
    Command::Close {
        closing: Closing {
            reason,
            competitor: competitor.map(str::to_owned),
        },
        note: note_given.then(|| sealed(9)),
        when: on(30),
    }
}

/// A prospect of whom nothing else is known.
fn created() -> Given<Prospect> {
    given::<Prospect>([]).and(create())
}

/// A prospect touched on day 8 who became a customer on day 20.
fn converted() -> Given<Prospect> {
    created().and(touched("click", 8)).and(convert())
}

fn closed() -> Given<Prospect> {
    created().and(close(CloseReason::NoNeed))
}

/// A prospect that was merged into another one.
fn merged() -> (Prospect, Uuid) {
    let into = Uuid::from_u128(1);
    let prospect = Prospect {
        state: State::Merged { into },
        ..created().state().clone()
    };
    (prospect, into)
}

#[test]
fn a_new_prospect_is_anonymous() {
    given::<Prospect>([]).when(create()).then([Event::Created {
        origin: Origin {
            kind: Kind::Person,
            source: "trade fair".to_owned(),
            created_at: day(6),
        },
    }]);
    assert_eq!(created().state().state, State::Anonymous);
}

#[test]
fn creating_the_same_prospect_again_changes_nothing() {
    created().when(create()).nothing();
    converted().when(create()).nothing();
}

#[test]
fn the_id_of_a_prospect_is_not_given_to_another_one() {
    created()
        .when(Command::Create {
            kind: Kind::Organisation,
            source: "trade fair".to_owned(),
            when: on(6),
        })
        .refused(Refusal::AlreadyExists(Thing::Prospect));
}

#[test]
fn a_prospect_comes_from_somewhere() {
    given::<Prospect>([])
        .when(Command::Create {
            kind: Kind::Person,
            source: String::new(),
            when: on(6),
        })
        .refused(Invalid::Missing { field: "source" }.into());
}

#[test]
fn a_prospect_is_not_created_in_the_future() {
    given::<Prospect>([])
        .when(Command::Create {
            kind: Kind::Person,
            source: "trade fair".to_owned(),
            when: about(91),
        })
        .refused(
            Invalid::FutureTime {
                field: "occurred_at",
                at: day(91),
                latest: day(90).plus_seconds(300),
            }
            .into(),
        );
}

#[test]
fn nothing_happens_to_a_prospect_that_does_not_exist() {
    for command in [
        touched("click", 8),
        qualify("van-off-road"),
        convert(),
        close(CloseReason::NoNeed),
    ] {
        given::<Prospect>([])
            .when(command)
            .refused(Refusal::NotFound);
    }
}

#[test]
fn a_prospect_is_qualified_for_a_problem() {
    created()
        .when(qualify("van-off-road"))
        .then([Event::Qualified {
            qualification: qualification("van-off-road"),
            occurred_at: day(10),
        }]);
    let story = created().and(qualify("van-off-road"));
    assert_eq!(story.state().state, State::Qualified);
}

#[test]
fn qualifying_for_the_same_problem_again_changes_nothing() {
    created()
        .and(qualify("van-off-road"))
        .when(qualify("van-off-road"))
        .nothing();
}

#[test]
fn a_prospect_may_be_qualified_for_another_problem() {
    let story = created()
        .and(qualify("van-off-road"))
        .and(qualify("late-parcels"));
    assert_eq!(
        story.state().qualification,
        Some(qualification("late-parcels"))
    );
}

#[test]
fn neither_a_customer_nor_a_closed_prospect_is_qualified() {
    converted()
        .when(qualify("van-off-road"))
        .refused(Refusal::AlreadyConverted);
    closed()
        .when(qualify("van-off-road"))
        .refused(Refusal::Closed);
}

#[test]
fn a_prospect_may_be_closed_with_a_reason() {
    created()
        .when(close(CloseReason::NoBudget))
        .then([Event::Closed {
            note: None,
            closing: Closing {
                reason: CloseReason::NoBudget,
                competitor: None,
            },
            occurred_at: day(30),
        }]);
    assert_eq!(closed().state().state, State::Closed);
}

#[test]
fn whoever_is_lost_to_a_competitor_is_lost_to_somebody() {
    created()
        .when(close(CloseReason::LostToCompetitor))
        .refused(
            Invalid::Missing {
                field: "competitor",
            }
            .into(),
        );
    let named = closing(CloseReason::LostToCompetitor, Some("Acme"), false);
    assert!(created().when(named).result().is_ok());
}

#[test]
fn another_reason_needs_a_note() {
    created()
        .when(close(CloseReason::Other))
        .refused(Invalid::Missing { field: "note" }.into());
    let noted = closing(CloseReason::Other, None, true);
    assert!(created().when(noted).result().is_ok());
}

#[test]
fn a_customer_is_not_closed() {
    converted()
        .when(close(CloseReason::NoNeed))
        .refused(Refusal::AlreadyConverted);
}

#[test]
fn a_prospect_is_closed_once() {
    closed()
        .when(close(CloseReason::NoNeed))
        .refused(Refusal::Closed);
}

#[test]
fn a_merged_prospect_refuses_everything_and_says_where_to_go() {
    let (prospect, into) = merged();
    for command in [
        touched("click", 8),
        qualify("van-off-road"),
        convert(),
        close(CloseReason::NoNeed),
    ] {
        assert_eq!(prospect.decide(command), Err(Refusal::Merged { into }));
    }
    let refusal = Refusal::Merged { into };
    assert_eq!(
        refusal.metadata(),
        vec![("into", format!("prospects/{into}"))]
    );
}

#[test]
fn the_reasons_are_those_of_the_contract() {
    let converted_at = day(20);
    for (refusal, reason, class) in [
        (
            Refusal::AfterConversion { converted_at },
            "AFTER_CONVERSION",
            Class::FailedPrecondition,
        ),
        (
            Refusal::AlreadyConverted,
            "ALREADY_CONVERTED",
            Class::FailedPrecondition,
        ),
        (
            Refusal::NoPromise,
            "NO_PROMISE",
            Class::Invalid { field: "promises" },
        ),
        (Refusal::NotFound, "NOT_FOUND", Class::NotFound),
    ] {
        assert_eq!(refusal.reason(), reason);
        assert_eq!(refusal.class(), class, "{reason}");
    }
}
