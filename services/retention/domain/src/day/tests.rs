//! The rules of a day: what it brings, in which order, and that it brings it once.

use eventsourcing::scenario::{Given, given};
use eventsourcing::{Aggregate as _, Days};

use super::LiveDay;
use crate::action::Kind;
use crate::promise::Finding;
use crate::relationship::{Cause, Reason, State};
use crate::risk::Band;
use crate::story::{
    assess, buy, customer, day, eur, give_notice, leave, live_day, recurring, reverse, win_back,
    withdraw_notice,
};
use crate::{Command, Customer, Event, Refusal, Thing};

fn brings(story: &Given<Customer>, command: Command) -> Vec<Event> {
    story.state().decide(command).unwrap()
}

/// The loss among these events.
fn loss(events: &[Event]) -> &crate::relationship::Loss {
    let loss = events.iter().find_map(|event| {
        let Event::RelationshipLost(loss) = event else {
            return None;
        };
        Some(loss)
    });
    loss.unwrap()
}

#[test]
fn an_ordinary_day_brings_nothing() {
    customer().when(live_day(120, Some(100))).nothing();
}

#[test]
fn a_notice_ends_the_relationship_when_it_said_and_not_when_the_day_came() {
    let story = customer().and(give_notice(110, 115));
    let events = brings(&story, live_day(116, None));
    let loss = loss(&events);
    assert_eq!(
        (loss.ended_at, loss.cause, loss.reason),
        (day(115), Cause::Voluntary, Some(Reason::Price))
    );
    // Somebody should have kept the customer; it is too late for that.
    assert!(events.contains(&Event::ActionCancelled {
        action_id: story.state().open_actions.keys().next().unwrap().clone(),
        cancelled_at: day(1_000),
    }));
}

#[test]
fn a_notice_that_takes_effect_with_the_day_has_taken_effect() {
    let story = customer().and(give_notice(110, 115));
    assert!(
        brings(&story, live_day(114, None))
            .iter()
            .all(|event| !matches!(event, Event::RelationshipLost(_)))
    );
    assert_eq!(
        loss(&brings(&story, live_day(115, None))).ended_at,
        day(115)
    );
}

#[test]
fn a_notice_that_was_withdrawn_ends_nothing() {
    let story = customer()
        .and(give_notice(110, 115))
        .and(withdraw_notice(112));
    story.when(live_day(116, None)).nothing();
}

#[test]
fn a_promise_becomes_overdue_once_and_makes_the_risk_medium() {
    let story = customer();
    let events = brings(&story, live_day(131, None));
    assert!(
        matches!(
            events.as_slice(),
            [
                Event::PromiseOverdue(_),
                Event::ActionProposed(_),
                Event::RiskChanged(_)
            ]
        ),
        "{events:?}"
    );
    let story = story.and(live_day(131, None));
    assert_eq!(story.state().risk.band, Band::Medium);
    story.when(live_day(132, None)).nothing();
}

#[test]
fn no_promise_of_a_lost_customer_becomes_overdue() {
    customer()
        .and(leave(120))
        .when(live_day(131, None))
        .nothing();
    // Nor of one who was lost before the day came.
    let story = customer().and(give_notice(110, 131));
    let events = brings(&story, live_day(131, None));
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::PromiseOverdue(_))),
        "{events:?}"
    );
}

#[test]
fn a_customer_who_is_silent_for_longer_than_allowed_is_lost_with_the_day() {
    let story = || {
        customer()
            .and(assess("next-day", Finding::Kept, 110))
            .and(buy("p", eur(100), 150))
    };
    story().when(live_day(240, Some(90))).nothing();
    let events = brings(&story(), live_day(241, Some(90)));
    let loss = loss(&events);
    assert_eq!(
        (loss.ended_at, loss.cause, loss.reason),
        (day(241), Cause::Inactivity, None)
    );
    story().when(live_day(10_000, None)).nothing();
}

#[test]
fn a_customer_who_was_won_back_has_not_been_silent_before() {
    let story = customer()
        .and(assess("next-day", Finding::Kept, 110))
        .and(leave(120))
        .and(win_back(300));
    assert_eq!(story.state().silent_since(), Some(day(300)));
    story.when(live_day(390, Some(90))).nothing();
}

#[test]
fn who_pays_month_by_month_is_not_silent() {
    let paying = || {
        customer()
            .and(assess("next-day", Finding::Kept, 110))
            .and(recurring("support", eur(100), 120))
    };
    assert_eq!(paying().state().silent_since(), None);
    assert_eq!(paying().state().bought_nothing_since(), Some(day(100)));
    paying().when(live_day(900, Some(90))).nothing();
    let ended = || paying().and(recurring("support", eur(0), 500));
    assert_eq!(ended().state().silent_since(), Some(day(100)));
    // The day before the line ended may be lived through after that was told.
    ended().when(live_day(499, Some(90))).nothing();
    let events = brings(&ended(), live_day(501, Some(90)));
    assert_eq!(loss(&events).ended_at, day(501));
}

#[test]
fn a_lost_customer_is_not_silent_and_awaits_nothing() {
    let story = customer().and(leave(120));
    assert_eq!(story.state().silent_since(), None);
    assert_eq!(story.state().bought_nothing_since(), None);
    assert_eq!(story.state().awaits(day(120)), None);
    story.when(live_day(10_000, Some(1))).nothing();
}

#[test]
fn a_day_that_is_lived_through_late_ends_nothing_that_was_told_meanwhile() {
    let story = customer()
        .and(assess("next-day", Finding::Kept, 110))
        .and(give_notice(250, 900));
    let events = brings(&story, live_day(240, Some(90)));
    assert!(
        matches!(events.as_slice(), [Event::RiskChanged(_)]),
        "{events:?}"
    );
    let story = story.and(live_day(251, Some(90)));
    assert!(story.state().relationship.as_ref().unwrap().is_lost());
}

#[test]
fn what_is_lost_to_silence_leaves_nobody_to_be_saved() {
    let story = customer().and(live_day(131, Some(30)));
    let state = story.state();
    assert_eq!(state.relationship.as_ref().unwrap().state, State::Lost);
    let kinds = state.open_actions.values().map(|action| action.kind);
    assert_eq!(kinds.collect::<Vec<Kind>>(), []);
}

#[test]
fn a_customer_awaits_the_first_thing_that_a_day_may_bring() {
    let story = customer();
    assert_eq!(story.state().awaits(day(110)), Some(day(130)));
    let story = story.and(give_notice(110, 500));
    // The risk is high already, and the next day will tell.
    assert_eq!(story.state().awaits(day(110)), Some(day(110)));
    let story = story.and(live_day(111, None));
    assert_eq!(story.state().awaits(day(111)), Some(day(130)));
    let story = story.and(live_day(131, None));
    assert_eq!(story.state().awaits(day(131)), Some(day(500)));
}

#[test]
fn a_customer_awaits_that_a_reversal_is_forgotten() {
    let story = customer()
        .and(assess("next-day", Finding::Kept, 110))
        .and(buy("p", eur(100), 110))
        .and(reverse("p", "r", eur(50), 200))
        .and(live_day(201, None));
    assert_eq!(story.state().risk.band, Band::Medium);
    assert_eq!(story.state().awaits(day(201)), Some(day(290)));
    let story = story.and(live_day(290, None));
    assert_eq!(story.state().risk.band, Band::Low);
    assert_eq!(story.state().awaits(day(290)), None);
}

#[test]
fn a_day_comes_only_for_a_customer() {
    let command = Command::LiveDay(LiveDay {
        request_id: uuid::Uuid::nil(),
        midnight: day(120),
        inactivity: Some(Days(1)),
        p_alive: None,
    });
    given::<Customer>([])
        .when(command)
        .refused(Refusal::NotFound(Thing::Customer));
}
