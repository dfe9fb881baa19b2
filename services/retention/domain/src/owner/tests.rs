//! The rules of owners and territories.

use super::{AssignOwner, Assignment, IllFormedTerritory, Territory};
use crate::input::{Invalid, When};
use crate::story::{ACQUIRED, TODAY, assign, customer, day, leave, parsed};
use crate::{Command, Customer, Event, Refusal};

fn owner(story: &eventsourcing::scenario::Given<Customer>) -> &str {
    let relationship = story.state().relationship.as_ref().unwrap();
    relationship.assignment.as_ref().unwrap().owner.as_str()
}

/// Assigns without a time: from now on.
fn now(owner: &str) -> Command {
    Command::AssignOwner(AssignOwner {
        owner: parsed(owner),
        territory: Some(parsed("EMEA/ES")),
        when: When {
            now: day(TODAY),
            occurred_at: None,
        },
    })
}

#[test]
fn a_customer_gets_an_owner_in_a_territory() {
    let assignment = Assignment {
        owner: parsed("rosa"),
        territory: Some(parsed("EMEA/ES")),
        effective_at: day(150),
    };
    customer()
        .when(assign("rosa", "EMEA/ES", 150))
        .then([Event::OwnerAssigned(assignment)]);
}

#[test]
fn who_owns_a_customer_already_is_not_assigned_again() {
    let story = || customer().and(assign("rosa", "EMEA/ES", 150));
    story().when(assign("rosa", "EMEA/ES", 150)).nothing();
    story().when(now("rosa")).nothing();
    for other in [
        assign("rosa", "EMEA/ES", 160),
        assign("li", "EMEA/ES", 160),
        assign("rosa", "EMEA", 160),
        assign("rosa", "EMEA/ES", 140),
    ] {
        assert_eq!(story().when(other).result().unwrap().len(), 1);
    }
}

#[test]
fn who_owns_a_customer_does_not_depend_on_the_order_in_which_it_was_told() {
    let told = [("rosa", 110), ("rosa", 120), ("li", 115)];
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let story = order.iter().fold(customer(), |story, which| {
            let (who, number) = told[*which];
            story.and(assign(who, "EMEA", number))
        });
        assert_eq!(owner(&story), "rosa", "{order:?}");
    }
}

#[test]
fn an_assignment_that_is_told_late_does_not_undo_a_later_one() {
    let story = customer()
        .and(assign("rosa", "EMEA", 150))
        .and(assign("li", "APAC", 120));
    assert_eq!(owner(&story), "rosa");
    let story = story.and(assign("ada", "EMEA", 150));
    assert_eq!(owner(&story), "ada");
}

#[test]
fn an_assignment_without_a_time_follows_the_present_one_whatever_its_clock() {
    let assigned = |owner: &str, occurred_at| {
        Command::AssignOwner(AssignOwner {
            owner: parsed(owner),
            territory: None,
            when: When {
                now: day(TODAY),
                occurred_at,
            },
        })
    };
    let story = customer()
        .and(assigned("rosa", Some(day(TODAY).plus_seconds(200))))
        .and(assigned("li", None));
    assert_eq!(owner(&story), "li");
}

#[test]
fn nobody_owns_who_is_not_a_customer_yet_or_no_longer() {
    let (field, at, earliest) = ("effective_at", day(ACQUIRED - 1), day(ACQUIRED));
    let too_early = Invalid::TooEarly {
        field,
        at,
        earliest,
    };
    customer()
        .when(assign("rosa", "EMEA", ACQUIRED - 1))
        .refused(too_early.into());
    let ended_at = day(200);
    customer()
        .and(leave(200))
        .when(assign("rosa", "EMEA", 210))
        .refused(Refusal::WinBackFirst { ended_at });
}

#[test]
fn a_territory_is_a_path() {
    for well_formed in ["EMEA", "EMEA/ES", "A-1/B_2/3"] {
        assert!(well_formed.parse::<Territory>().is_ok(), "{well_formed}");
    }
    let long = "A".repeat(201);
    for wrong in [
        "", "/", "EMEA/", "/ES", "EMEA//ES", "emea", "EMEA ES", "ÑU", &long,
    ] {
        assert_eq!(
            wrong.parse::<Territory>(),
            Err(IllFormedTerritory),
            "{wrong}"
        );
    }
}

#[test]
fn a_territory_lies_in_those_on_its_path() {
    let lies_in = |part: &str, whole: &str| parsed::<Territory>(part).lies_in(&parsed(whole));
    assert!(lies_in("EMEA/ES", "EMEA") && lies_in("EMEA", "EMEA"));
    assert!(!lies_in("EMEAX", "EMEA") && !lies_in("EMEA", "EMEA/ES"));
}
