//! The rules of actions that people propose, complete and cancel.

use eventsourcing::scenario::{Given, given};

use super::{CompleteAction, Completed, MAX_OPEN_ACTIONS, ProposeAction};
use crate::action::{Closing, Kind, Outcome, Proposed};
use crate::consent::Status;
use crate::input::Invalid;
use crate::promise::Finding;
use crate::story::{
    ACQUIRED, TODAY, assess, cancel, complete, customer, day, eur, leave, on, open_with_contact,
    parsed, proposal, propose, usd,
};
use crate::{Command, Customer, Event, Refusal, Thing};

fn closing(story: &Given<Customer>, action_id: &str) -> Closing {
    let action = story.state().closed_actions.get(&parsed(action_id));
    action.unwrap().closing.unwrap()
}

#[test]
fn somebody_proposes_an_action_with_all_that_belongs_to_it() {
    let mut command = proposal("call", Kind::Repair);
    command.owner = Some(parsed("li"));
    command.promise_id = Some(parsed("next-day"));
    command.trigger_event_id = Some(parsed("ticket 12"));
    let proposed = Proposed {
        action_id: parsed("call"),
        kind: Kind::Repair,
        owner: Some(parsed("li")),
        promise_id: Some(parsed("next-day")),
        trigger_event_id: Some(parsed("ticket 12")),
        proposed_at: day(TODAY),
        due_at: day(TODAY + 10),
    };
    customer()
        .when(Command::ProposeAction(Box::new(command)))
        .then([Event::ActionProposed(proposed)]);
}

#[test]
fn the_same_proposal_again_is_fine_and_another_one_under_its_id_is_not() {
    let story = || customer().and(propose("call", Kind::Grow));
    story().when(propose("call", Kind::Grow)).nothing();
    let taken = || Refusal::AlreadyExists(Thing::Action(parsed("call")));
    story().when(propose("call", Kind::Renew)).refused(taken());
    let done = || story().and(complete("call", None, TODAY));
    done().when(propose("call", Kind::Grow)).nothing();
    done().when(propose("call", Kind::Renew)).refused(taken());
}

#[test]
fn for_a_lost_customer_there_is_nothing_to_do_but_to_win_back() {
    let lost = || {
        given::<Customer>([])
            .and(open_with_contact(Status::Granted))
            .and(leave(200))
    };
    let ended_at = day(200);
    for kind in [Kind::Repair, Kind::Save, Kind::Renew, Kind::Grow] {
        let outcome = lost().when(propose("call", kind));
        outcome.refused(Refusal::WinBackFirst { ended_at });
    }
    let events = lost().when(propose("call", Kind::WinBack)).result();
    assert_eq!(events.unwrap().len(), 1);
}

#[test]
fn who_may_not_be_contacted_is_not_asked_back() {
    for story in [
        customer(),
        given([]).and(open_with_contact(Status::Withdrawn)),
    ] {
        let story = story.and(leave(200));
        let outcome = story.when(propose("call", Kind::WinBack));
        outcome.refused(Refusal::NoConsent);
    }
}

#[test]
fn an_action_is_about_a_promise_that_was_made() {
    let mut command = proposal("call", Kind::Repair);
    command.promise_id = Some(parsed("other"));
    customer()
        .when(Command::ProposeAction(Box::new(command)))
        .refused(Refusal::NotFound(Thing::Promise(parsed("other"))));
}

#[test]
fn there_are_at_most_a_thousand_actions_to_do() {
    let story = (0..MAX_OPEN_ACTIONS).fold(customer(), |story, n| {
        story.and(propose(&format!("a{n}"), Kind::Grow))
    });
    let what = "open actions";
    story
        .when(propose("one-more", Kind::Grow))
        .refused(Refusal::Limit { what, limit: 1_000 });
}

#[test]
fn a_completed_action_keeps_whether_it_worked_and_what_it_cost() {
    let story = || customer().and(propose("call", Kind::Grow));
    let completed = Completed {
        action_id: parsed("call"),
        succeeded: true,
        cost: Some(eur(250)),
        completed_at: day(TODAY),
    };
    let command = || complete("call", Some(eur(250)), TODAY);
    story()
        .when(command())
        .then([Event::ActionCompleted(completed)]);
    let expected = Closing {
        outcome: Outcome::Succeeded,
        closed_at: day(TODAY),
        cost: Some(250),
    };
    assert_eq!(closing(&story().and(command()), "call"), expected);
    let failed = Command::CompleteAction(CompleteAction {
        action_id: parsed("call"),
        succeeded: false,
        cost: None,
        when: on(TODAY),
    });
    let outcome = closing(&story().and(failed), "call").outcome;
    assert_eq!(outcome, Outcome::Failed);
}

#[test]
fn an_action_comes_to_an_end_once() {
    let story = || customer().and(propose("call", Kind::Grow));
    let action_id = || parsed("call");
    let closed = |outcome| Refusal::ActionClosed {
        action_id: action_id(),
        outcome,
    };
    let done = || story().and(complete("call", None, TODAY));
    done()
        .when(complete("call", None, TODAY))
        .refused(closed(Outcome::Succeeded));
    done()
        .when(cancel("call", TODAY))
        .refused(closed(Outcome::Succeeded));
    let cancelled = || story().and(cancel("call", TODAY));
    cancelled()
        .when(complete("call", None, TODAY))
        .refused(closed(Outcome::Cancelled));
    cancelled()
        .when(cancel("call", TODAY))
        .refused(closed(Outcome::Cancelled));
}

#[test]
fn what_nobody_proposed_is_neither_completed_nor_cancelled() {
    let unknown = || Refusal::NotFound(Thing::Action(parsed("call")));
    customer()
        .when(complete("call", None, TODAY))
        .refused(unknown());
    customer().when(cancel("call", TODAY)).refused(unknown());
}

#[test]
fn a_proposal_is_told_late_but_not_of_a_time_before_the_customer() {
    let told = |number| {
        Command::ProposeAction(Box::new(ProposeAction {
            when: on(number),
            ..proposal("call", Kind::Grow)
        }))
    };
    let story = || customer().and(told(ACQUIRED + 1));
    let proposed_at = story().state().open_actions[&parsed("call")].proposed_at;
    assert_eq!(proposed_at, day(ACQUIRED + 1));
    story().when(told(ACQUIRED + 1)).nothing();
    story().when(propose("call", Kind::Grow)).nothing();
    let taken = Refusal::AlreadyExists(Thing::Action(parsed("call")));
    story().when(told(ACQUIRED + 2)).refused(taken);
    let field = "occurred_at";
    let (at, earliest) = (day(ACQUIRED - 1), day(ACQUIRED));
    let early = Invalid::TooEarly {
        field,
        at,
        earliest,
    };
    customer().when(told(ACQUIRED - 1)).refused(early.into());
    let (at, latest) = (day(TODAY + 1), day(TODAY).plus_seconds(300));
    let future = Invalid::FutureTime { field, at, latest };
    customer().when(told(TODAY + 1)).refused(future.into());
}

#[test]
fn an_action_is_not_done_before_it_was_proposed() {
    let story = || customer().and(propose("call", Kind::Grow));
    let early = |field| Invalid::TooEarly {
        field,
        at: day(TODAY - 1),
        earliest: day(TODAY),
    };
    story()
        .when(complete("call", None, TODAY - 1))
        .refused(early("completed_at").into());
    story()
        .when(cancel("call", TODAY - 1))
        .refused(early("cancelled_at").into());
}

#[test]
fn a_cost_is_in_the_customers_currency_and_not_negative() {
    let story = || customer().and(propose("call", Kind::Grow));
    let mismatch = Invalid::CurrencyMismatch {
        field: "cost",
        expected: parsed("EUR"),
        given: parsed("USD"),
    };
    story()
        .when(complete("call", Some(usd(1)), TODAY))
        .refused(mismatch.into());
    let negative = Invalid::WrongSign {
        field: "cost",
        amount: eur(-1),
        wanted: "of 0 or more",
    };
    story()
        .when(complete("call", Some(eur(-1)), TODAY))
        .refused(negative.into());
}

#[test]
fn what_a_policy_proposed_is_completed_like_anything_else() {
    let story = customer().and(assess("next-day", Finding::Broken, 150));
    let repair = story.state().open_actions.keys().next().unwrap().clone();
    let story = story.and(complete(repair.as_str(), None, TODAY));
    assert!(story.state().open_actions.is_empty());
}
