//! How a prospect becomes a customer.

use money::{MAX_MINOR_UNITS, Money};

use super::*;
use crate::promise::{MAX_PROMISES, Proposed, number};
use crate::prospect::{Consent, ConsentStatus, Conversion, MAX_CONSENTS, MAX_PATH, Step};
use crate::story::claim;

/// The conversion that follows from [`converting`].
fn conversion() -> Conversion {
    let proposed = vec![promised("next-day")];
    Conversion {
        converted_at: day(20),
        proposition_id: id("van-repair"),
        revision: 1,
        problem_id: id("van-off-road"),
        campaign_id: Some(id("fast")),
        presentation_id: Some(id("speed")),
        promises: number(Uuid::from_u128(7), proposed).unwrap(),
        first_purchase: converting().first_purchase,
        currency: id("EUR"),
        consents: vec![],
    }
}

fn asked(ask: Ask) -> Command {
    Command::Convert(Convert {
        offer: on_the_market().state().offer(ask).unwrap(),
        ..converting()
    })
}

/// A promise that is due on day `number`.
fn due_on(number: i64) -> Proposed {
    let mut proposed = promised("next-day");
    proposed.terms.due_at = Some(day(number));
    proposed
}

/// What a claim of this benefit promises at the conversion.
fn promised(benefit_id: &str) -> Proposed {
    Proposed::without_id(claim(benefit_id, 100).promised_at(day(20)))
}

/// A promise whose id the client chose.
fn named(promise_id: &str, benefit_id: &str) -> Proposed {
    Proposed {
        promise_id: Some(id(promise_id)),
        ..promised(benefit_id)
    }
}

fn promising(promises: Vec<Proposed>) -> Command {
    asked(Ask { promises, ..ask() })
}

fn agreeing(consents: Vec<Consent>) -> Command {
    Command::Convert(Convert {
        consents,
        ..converting()
    })
}

/// Yes to being contacted, said on day `number`.
fn contact(number: i64) -> Consent {
    Consent {
        purpose: "contact".to_owned(),
        status: ConsentStatus::Granted,
        at: day(number),
        evidence: "form 12".to_owned(),
    }
}

fn step(touchpoint_id: &str, number: i64) -> Step {
    Step {
        occurred_at: day(number),
        touchpoint_id: id(touchpoint_id),
    }
}

fn path_of(steps: Vec<Step>) -> Vec<String> {
    let command = Convert {
        steps,
        ..converting()
    };
    let events = created().when(Command::Convert(command)).result().unwrap();
    let Some(Event::Converted { path, .. }) = events.first() else {
        panic!("not converted: {events:?}");
    };
    path.iter().map(ToString::to_string).collect()
}

#[test]
fn a_prospect_becomes_a_customer_with_the_claims_as_promises() {
    created().when(convert()).then([Event::Converted {
        conversion: Box::new(conversion()),
        path: vec![],
        identities: vec![],
        display_name: None,
    }]);
    assert_eq!(converted().state().state, State::Converted);
}

#[test]
fn a_copied_promise_is_due_its_days_after_the_conversion() {
    let state = converted();
    let promise = &state.state().conversion.as_ref().unwrap().promises[0];
    assert_eq!(promise.terms.due_at, Some(day(50)));
}

#[test]
fn a_closed_prospect_does_not_convert() {
    closed().when(convert()).refused(Refusal::Closed);
}

#[test]
fn no_promise_no_conversion() {
    created()
        .when(asked(Ask {
            presentation_id: None,
            ..ask()
        }))
        .refused(Refusal::NoPromise);
}

#[test]
fn converting_in_the_same_way_again_changes_nothing() {
    converted().when(convert()).nothing();
}

#[test]
fn another_request_without_a_time_may_ask_for_the_same_conversion() {
    converted()
        .when(Command::Convert(Convert {
            request_id: Uuid::from_u128(8),
            when: When::now(day(60)),
            ..converting()
        }))
        .nothing();
}

#[test]
fn a_customer_does_not_convert_in_another_way() {
    let other_time = Convert {
        when: about(21),
        ..converting()
    };
    let other_purchase = Convert {
        first_purchase: None,
        ..converting()
    };
    for command in [other_time, other_purchase] {
        converted()
            .when(Command::Convert(command))
            .refused(Refusal::AlreadyConverted);
    }
    converted()
        .when(asked(Ask {
            campaign: Some(campaign("tough")),
            ..ask()
        }))
        .refused(Refusal::AlreadyConverted);
    converted()
        .when(asked(Ask {
            promises: vec![promised("steel-frame")],
            ..ask()
        }))
        .refused(Refusal::AlreadyConverted);
}

#[test]
fn nobody_converts_before_the_first_touch() {
    created().and(touched("click", 21)).when(convert()).refused(
        Invalid::TooEarly {
            field: "converted_at",
            at: day(20),
            earliest: day(21),
        }
        .into(),
    );
}

#[test]
fn nobody_converts_in_the_future() {
    created()
        .when(Command::Convert(Convert {
            when: about(91),
            ..converting()
        }))
        .refused(
            Invalid::FutureTime {
                field: "converted_at",
                at: day(91),
                latest: day(90).plus_seconds(300),
            }
            .into(),
        );
}

#[test]
fn a_promise_is_not_due_before_it_is_made() {
    created()
        .when(asked(Ask {
            promises: vec![due_on(19)],
            ..ask()
        }))
        .refused(
            Invalid::TooEarly {
                field: "promises.due_at",
                at: day(19),
                earliest: day(20),
            }
            .into(),
        );
}

#[test]
fn a_promised_score_is_from_one_to_seven() {
    let mut wrong = due_on(30);
    wrong.terms.expected_score = 8;
    created()
        .when(asked(Ask {
            promises: vec![wrong],
            ..ask()
        }))
        .refused(
            Invalid::OutOfRange {
                field: "promises.expected_score",
                value: 8,
                min: 1,
                max: 7,
            }
            .into(),
        );
}

#[test]
fn promises_have_a_limit() {
    created()
        .when(asked(Ask {
            promises: vec![due_on(30); MAX_PROMISES + 1],
            ..ask()
        }))
        .refused(Refusal::Limit {
            what: "promises",
            limit: MAX_PROMISES,
        });
}

fn buying(amount: Money, contribution_margin: Option<Money>) -> Command {
    Command::Convert(Convert {
        first_purchase: Some(FirstPurchase {
            amount,
            contribution_margin,
        }),
        ..converting()
    })
}

#[test]
fn a_first_purchase_is_in_the_customers_currency() {
    let dollars = Money::new(id("USD"), 1);
    for (command, field) in [
        (buying(dollars, None), "first_purchase.amount"),
        (
            buying(eur(1), Some(dollars)),
            "first_purchase.contribution_margin",
        ),
    ] {
        created().when(command).refused(
            Invalid::CurrencyMismatch {
                field,
                expected: id("EUR"),
                given: id("USD"),
            }
            .into(),
        );
    }
}

#[test]
fn a_first_purchase_may_be_free_but_not_negative() {
    assert!(created().when(buying(eur(0), None)).result().is_ok());
    created().when(buying(eur(-1), None)).refused(
        Invalid::WrongSign {
            field: "first_purchase.amount",
            amount: eur(-1),
            wanted: "of 0 or more",
        }
        .into(),
    );
}

#[test]
fn a_first_purchase_and_its_margin_are_bounded_to_both_sides() {
    let euros = |minor_units| Money::new(id("EUR"), minor_units);
    let (most, least) = (euros(MAX_MINOR_UNITS), euros(-MAX_MINOR_UNITS));
    for margin in [most, least] {
        let largest = created().when(buying(most, Some(margin)));
        assert!(largest.result().is_ok());
    }
    let beyond = euros(MAX_MINOR_UNITS + 1);
    for (command, field) in [
        (buying(beyond, None), "first_purchase.amount"),
        (
            buying(eur(1), Some(beyond)),
            "first_purchase.contribution_margin",
        ),
        (
            buying(eur(1), Some(euros(-MAX_MINOR_UNITS - 1))),
            "first_purchase.contribution_margin",
        ),
    ] {
        created().when(command).refused(too_large(field).into());
    }
    let told = too_large("first_purchase.amount").to_string();
    assert!(told.contains("40000000000000 EUR"), "{told}");
}

fn too_large(field: &'static str) -> Invalid {
    Invalid::TooLarge {
        field,
        limit: MAX_MINOR_UNITS,
        currency: id("EUR"),
    }
}

#[test]
fn a_first_purchase_may_lose_money() {
    assert!(
        created()
            .when(buying(eur(1), Some(eur(-5))))
            .result()
            .is_ok()
    );
}

#[test]
fn the_path_is_in_the_order_of_time_and_ends_at_the_conversion() {
    let steps = vec![step("second", 9), step("first", 8), step("after", 21)];
    assert_eq!(path_of(steps), ["first", "second"]);
}

#[test]
fn touches_of_the_same_moment_stay_in_the_order_in_which_they_come() {
    let steps = vec![step("later", 9), step("b", 8), step("c", 8), step("a", 8)];
    assert_eq!(path_of(steps), ["b", "c", "a", "later"]);
}

#[test]
fn of_a_long_path_the_newest_touchpoints_are_kept() {
    let steps = (0..=MAX_PATH)
        .map(|n| Step {
            occurred_at: day(8).plus_seconds(i64::try_from(n).unwrap()),
            touchpoint_id: id(&format!("number-{n}")),
        })
        .collect();
    let path = path_of(steps);
    assert_eq!(path.len(), MAX_PATH);
    assert_eq!(path[0], "number-1");
}

#[test]
fn a_client_may_choose_the_ids_of_the_promises() {
    let story = created().and(promising(vec![
        named("k-1", "next-day"),
        promised("steel-frame"),
    ]));
    let conversion = story.state().conversion.clone().unwrap();
    assert_eq!(conversion.promises[0].promise_id, id("k-1"));
    assert_ne!(conversion.promises[1].promise_id, id("k-1"));
}

#[test]
fn no_two_promises_have_one_id() {
    created()
        .when(promising(vec![
            named("k-1", "next-day"),
            named("k-1", "steel-frame"),
        ]))
        .refused(
            Invalid::Repeated {
                field: "promises.promise_id",
                id: "k-1".to_owned(),
            }
            .into(),
        );
}

#[test]
fn a_promise_under_another_id_is_another_promise() {
    let story = || created().and(promising(vec![named("k-1", "next-day")]));
    story()
        .when(promising(vec![named("k-2", "next-day")]))
        .refused(Refusal::AlreadyConverted);
    story()
        .when(promising(vec![promised("next-day")]))
        .nothing();
}

#[test]
fn fewer_promises_are_another_conversion() {
    created()
        .and(promising(vec![
            promised("next-day"),
            promised("steel-frame"),
        ]))
        .when(promising(vec![promised("next-day")]))
        .refused(Refusal::AlreadyConverted);
}

#[test]
fn a_conversion_carries_what_the_customer_agreed_to() {
    let story = created().and(agreeing(vec![contact(20)]));
    let conversion = story.state().conversion.clone().unwrap();
    assert_eq!(conversion.consents, vec![contact(20)]);
}

#[test]
fn a_consent_is_for_a_purpose_and_each_purpose_is_named_once() {
    let aimless = Consent {
        purpose: String::new(),
        ..contact(20)
    };
    let field = "consents.purpose";
    created()
        .when(agreeing(vec![aimless]))
        .refused(Invalid::Missing { field }.into());
    let id = "contact".to_owned();
    created()
        .when(agreeing(vec![contact(20), contact(21)]))
        .refused(Invalid::Repeated { field, id }.into());
}

#[test]
fn nobody_agrees_in_the_future() {
    created().when(agreeing(vec![contact(91)])).refused(
        Invalid::FutureTime {
            field: "consents.at",
            at: day(91),
            latest: day(90).plus_seconds(300),
        }
        .into(),
    );
}

#[test]
fn consents_have_a_limit() {
    created()
        .when(agreeing(vec![contact(20); MAX_CONSENTS + 1]))
        .refused(Refusal::Limit {
            what: "consents",
            limit: MAX_CONSENTS,
        });
}
