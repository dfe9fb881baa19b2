//! The rules of beginning, losing and winning back.

use eventsourcing::scenario::given;

use super::{Cause, Loss, OpenRelationship, OpeningPromise, Reason, Source, State};
use crate::consent::{CONTACT, Consent, Status};
use crate::input::Invalid;
use crate::promise::{Finding, Made};
use crate::purchase::{MarginSource, Recorded};
use crate::story::{
    ACQUIRED, TODAY, assess, buy, customer, day, end, ending, eur, first_purchase, leave, make, on,
    open, opening, parsed, repair, reverse, terms, usd, waive, win_back,
};
use crate::{Command, Customer, Event, Refusal, Thing};

fn opens(command: OpenRelationship) -> Command {
    Command::OpenRelationship(Box::new(command))
}

fn imported(external_id: &str) -> OpenRelationship {
    let mut command = opening();
    command.opening.origin.source = Source::Import {
        external_id: parsed(external_id),
    };
    command.promises.clear();
    command
}

fn loss(cause: Cause, reason: Option<Reason>, number: i64) -> Loss {
    Loss {
        ended_at: day(number),
        cause,
        reason,
        competitor: None,
        broken_promise_ids: vec![],
    }
}

#[test]
fn a_relationship_begins_with_its_promises_and_its_first_purchase() {
    let mut command = opening();
    command.first_purchase = Some(first_purchase());
    let (made_at, at_conversion) = (day(ACQUIRED), true);
    given::<Customer>([]).when(opens(command)).then([
        Event::RelationshipOpened(opening().opening),
        Event::PromiseMade(Made {
            promise_id: parsed("next-day"),
            terms: terms(),
            at_conversion,
            made_at,
        }),
        Event::PurchaseRecorded(Recorded {
            purchase_id: parsed("first"),
            amount: eur(40_000),
            contribution_margin: eur(20_000),
            margin_source: MarginSource::Default,
            occurred_at: day(ACQUIRED),
        }),
    ]);
}

#[test]
fn a_new_customer_is_active() {
    let story = customer();
    let relationship = story.state().relationship.as_ref().unwrap();
    assert_eq!(relationship.state, State::Active);
    assert_eq!(relationship.ended_at(), None);
}

#[test]
fn opening_again_from_the_same_source_changes_nothing() {
    let mut command = opening();
    command.opening.acquired_at = day(ACQUIRED + 1);
    customer().when(opens(command)).nothing();
    given::<Customer>([])
        .and(opens(imported("4711")))
        .when(opens(imported("4711")))
        .nothing();
}

#[test]
fn opening_again_from_the_same_source_is_accepted_even_of_a_lost_customer() {
    customer().and(leave(200)).when(open()).nothing();
}

#[test]
fn a_customer_has_one_source() {
    let taken = || Refusal::AlreadyExists(Thing::Customer);
    customer().when(opens(imported("4711"))).refused(taken());
    given::<Customer>([])
        .and(opens(imported("4711")))
        .when(opens(imported("4712")))
        .refused(taken());
}

#[test]
fn who_was_converted_was_promised_something() {
    let mut command = opening();
    command.promises.clear();
    given::<Customer>([])
        .when(opens(command))
        .refused(Invalid::NoPromise.into());
}

#[test]
fn who_was_imported_may_have_been_promised_nothing() {
    let command = imported("4711");
    let opened = Event::RelationshipOpened(command.opening.clone());
    given::<Customer>([]).when(opens(command)).then([opened]);
}

#[test]
fn a_promise_taken_over_with_an_import_was_not_made_at_a_conversion() {
    let mut command = imported("4711");
    command.promises = opening().promises;
    let story = given::<Customer>([]).and(opens(command));
    assert!(!story.state().promises[&parsed("next-day")].at_conversion);
}

#[test]
fn a_relationship_opens_with_each_promise_once() {
    let mut command = opening();
    command.promises.push(OpeningPromise {
        promise_id: parsed("next-day"),
        terms: terms(),
    });
    let (field, id) = ("promises.promise_id", "next-day".to_owned());
    given::<Customer>([])
        .when(opens(command))
        .refused(Invalid::Repeated { field, id }.into());
}

#[test]
fn a_relationship_opens_with_at_most_a_thousand_promises() {
    let mut command = opening();
    command.promises = (0..1_001)
        .map(|n| OpeningPromise {
            promise_id: parsed(&format!("p{n}")),
            terms: terms(),
        })
        .collect();
    let refusal = Refusal::Limit {
        what: "promises",
        limit: 1_000,
    };
    given::<Customer>([]).when(opens(command)).refused(refusal);
}

#[test]
fn nobody_is_acquired_in_the_future() {
    let mut command = opening();
    command.opening.acquired_at = day(TODAY + 1);
    let (at, latest) = (day(TODAY + 1), day(TODAY).plus_seconds(300));
    given::<Customer>([]).when(opens(command)).refused(
        Invalid::FutureTime {
            field: "acquired_at",
            at,
            latest,
        }
        .into(),
    );
}

#[test]
fn no_consent_was_given_in_the_future() {
    let mut command = opening();
    let (status, at) = (Status::Granted, day(TODAY + 1));
    command.opening.consents = [(
        parsed(CONTACT),
        Consent {
            status,
            at,
            evidence: None,
        },
    )]
    .into_iter()
    .collect();
    let latest = day(TODAY).plus_seconds(300);
    given::<Customer>([]).when(opens(command)).refused(
        Invalid::FutureTime {
            field: "consents.at",
            at,
            latest,
        }
        .into(),
    );
}

#[test]
fn a_first_purchase_is_in_the_customers_currency() {
    let mut command = opening();
    command.first_purchase = Some(first_purchase());
    command.first_purchase.as_mut().unwrap().amount = usd(1);
    let (expected, given_in) = (parsed("EUR"), parsed("USD"));
    let field = "first_purchase.amount";
    given::<Customer>([]).when(opens(command)).refused(
        Invalid::CurrencyMismatch {
            field,
            expected,
            given: given_in,
        }
        .into(),
    );
}

#[test]
fn nothing_can_happen_to_a_customer_who_does_not_exist() {
    for command in [
        buy("p", eur(1), 200),
        reverse("p", "r", eur(1), 200),
        make("m", 200),
        assess("m", Finding::Kept, 200),
        repair("m", 200),
        waive("m", 200),
        leave(200),
        win_back(200),
    ] {
        given::<Customer>([])
            .when(command)
            .refused(Refusal::NotFound(Thing::Customer));
    }
}

#[test]
fn a_customer_who_leaves_says_why() {
    let lost = loss(Cause::Voluntary, Some(Reason::Price), 200);
    customer()
        .when(leave(200))
        .then([Event::RelationshipLost(lost)]);
    customer()
        .when(end(Cause::Voluntary, None, 200))
        .refused(Invalid::NoReason.into());
}

#[test]
fn a_customer_lost_otherwise_needs_no_reason() {
    for cause in [
        Cause::PaymentFailure,
        Cause::Inactivity,
        Cause::OurDecision,
        Cause::Ceased,
    ] {
        let lost = Event::RelationshipLost(loss(cause, None, 200));
        customer().when(end(cause, None, 200)).then([lost]);
    }
}

#[test]
fn the_competitor_is_remembered() {
    let mut command = ending(Cause::Voluntary, Some(Reason::Competitor), 200);
    command.competitor = Some(parsed("Acme"));
    let story = customer().and(Command::EndRelationship(command));
    let relationship = story.state().relationship.as_ref().unwrap();
    assert_eq!(
        relationship.last_loss.as_ref().unwrap().competitor,
        Some(parsed("Acme"))
    );
}

#[test]
fn nobody_leaves_over_a_broken_promise_when_none_was_broken() {
    customer()
        .and(assess("next-day", Finding::Kept, 150))
        .when(end(Cause::Voluntary, Some(Reason::PromiseBroken), 200))
        .refused(Refusal::NoBrokenPromise);
}

#[test]
fn a_loss_over_a_broken_promise_names_every_broken_one_repaired_or_not() {
    let story = customer()
        .and(make("kept", 110))
        .and(make("repaired", 110))
        .and(assess("kept", Finding::Kept, 120))
        .and(assess("repaired", Finding::Broken, 120))
        .and(repair("repaired", 121))
        .and(assess("next-day", Finding::Broken, 130))
        .and(end(Cause::Voluntary, Some(Reason::PromiseBroken), 200));
    let lost = story
        .state()
        .relationship
        .as_ref()
        .unwrap()
        .last_loss
        .clone()
        .unwrap();
    assert_eq!(
        lost.broken_promise_ids,
        [parsed("next-day"), parsed("repaired")]
    );
}

#[test]
fn a_loss_for_another_reason_blames_no_promise() {
    let story = customer()
        .and(assess("next-day", Finding::Broken, 130))
        .and(leave(200));
    let lost = story
        .state()
        .relationship
        .as_ref()
        .unwrap()
        .last_loss
        .clone()
        .unwrap();
    assert_eq!(lost.broken_promise_ids, []);
}

#[test]
fn a_lost_customer_cannot_be_lost_again() {
    customer()
        .and(leave(200))
        .when(leave(200))
        .refused(Refusal::AlreadyLost { ended_at: day(200) });
}

#[test]
fn nobody_is_lost_in_the_future() {
    let (at, latest) = (day(TODAY + 1), day(TODAY).plus_seconds(300));
    customer().when(leave(TODAY + 1)).refused(
        Invalid::FutureTime {
            field: "ended_at",
            at,
            latest,
        }
        .into(),
    );
}

#[test]
fn nobody_is_lost_before_being_a_customer() {
    let (field, at, earliest) = ("ended_at", day(ACQUIRED - 1), day(ACQUIRED));
    customer().when(leave(ACQUIRED - 1)).refused(
        Invalid::TooEarly {
            field,
            at,
            earliest,
        }
        .into(),
    );
}

#[test]
fn nobody_is_lost_again_before_having_been_won_back() {
    let (field, at, earliest) = ("ended_at", day(299), day(300));
    customer()
        .and(leave(200))
        .and(win_back(300))
        .when(leave(299))
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
fn a_customer_who_was_won_back_is_active_as_before() {
    let story = customer().and(leave(200)).and(win_back(300));
    let relationship = story.state().relationship.as_ref().unwrap();
    assert_eq!(relationship.state, State::Active);
    assert_eq!(relationship.acquired_at, day(ACQUIRED));
    assert_eq!(relationship.won_back_at, Some(day(300)));
    assert_eq!(relationship.losses, 1);
    assert!(story.state().promises.contains_key(&parsed("next-day")));
}

#[test]
fn only_a_lost_customer_can_be_won_back() {
    customer().when(win_back(200)).refused(Refusal::NotLost {
        state: State::Active,
    });
}

#[test]
fn nobody_is_won_back_before_being_lost() {
    let (field, at, earliest) = ("occurred_at", day(199), day(200));
    customer().and(leave(200)).when(win_back(199)).refused(
        Invalid::TooEarly {
            field,
            at,
            earliest,
        }
        .into(),
    );
}

#[test]
fn nobody_is_won_back_in_the_future() {
    let (at, latest) = (day(TODAY + 1), day(TODAY).plus_seconds(300));
    customer()
        .and(leave(200))
        .when(Command::WinBack {
            when: on(TODAY + 1),
        })
        .refused(
            Invalid::FutureTime {
                field: "occurred_at",
                at,
                latest,
            }
            .into(),
        );
}
