//! The rules of giving notice and of thinking better of it.

use eventsourcing::scenario::given;

use super::Notice;
use crate::action::{Kind, Outcome};
use crate::input::Invalid;
use crate::promise::Finding;
use crate::relationship::{Cause, Reason, State};
use crate::story::{
    REQUEST, TODAY, assess, customer, day, end, give_notice, leave, notice, on, parsed, repair,
    win_back, withdraw_notice,
};
use crate::{Command, Customer, Event, Refusal, Thing};

fn gives(cause: Cause, reason: Option<Reason>) -> Command {
    let mut command = notice(200, 230);
    (command.cause, command.reason) = (cause, reason);
    Command::GiveNotice(command)
}

#[test]
fn who_gave_notice_is_leaving_and_is_to_be_kept_within_two_days() {
    let mut command = notice(200, 230);
    command.competitor = Some(parsed("Acme"));
    let story = customer().and(Command::GiveNotice(command));
    let relationship = story.state().relationship.as_ref().unwrap();
    assert_eq!(relationship.state, State::Leaving);
    let expected = Notice {
        notice_at: day(200),
        effective_at: day(230),
        cause: Cause::Voluntary,
        reason: Some(Reason::Price),
        competitor: Some(parsed("Acme")),
    };
    assert_eq!(relationship.notice.as_ref(), Some(&expected));
    let actions: Vec<_> = story.state().open_actions.values().collect();
    assert_eq!((actions.len(), actions[0].kind), (1, Kind::Save));
    assert_eq!(actions[0].due_at, day(TODAY + 2));
}

#[test]
fn a_customer_is_to_be_kept_once_however_often_notice_is_given() {
    let story = customer()
        .and(give_notice(200, 230))
        .and(withdraw_notice(210));
    let again = story.when(give_notice(220, 250)).result().unwrap();
    assert!(
        matches!(again.as_slice(), [Event::NoticeGiven(_)]),
        "{again:?}"
    );
}

#[test]
fn notice_may_take_effect_at_once_but_not_earlier() {
    assert!(customer().when(give_notice(200, 200)).result().is_ok());
    let (field, at, earliest) = ("effective_at", day(199), day(200));
    let too_early = Invalid::TooEarly {
        field,
        at,
        earliest,
    };
    customer()
        .when(give_notice(200, 199))
        .refused(too_early.into());
}

#[test]
fn notice_is_given_by_who_is_active() {
    let refused = |state| Refusal::NotActive { state };
    customer()
        .and(give_notice(200, 230))
        .when(give_notice(210, 230))
        .refused(refused(State::Leaving));
    customer()
        .and(leave(200))
        .when(give_notice(210, 230))
        .refused(refused(State::Lost));
}

#[test]
fn notice_is_refused_where_the_end_would_be() {
    customer()
        .when(gives(Cause::Voluntary, None))
        .refused(Invalid::NoReason.into());
    customer()
        .when(gives(Cause::Ceased, Some(Reason::PromiseBroken)))
        .refused(Refusal::NoBrokenPromise);
    let repaired = customer()
        .and(assess("next-day", Finding::Broken, 150))
        .and(repair("next-day", 151));
    let given = repaired.when(gives(Cause::Voluntary, Some(Reason::PromiseBroken)));
    assert!(given.result().is_ok());
}

#[test]
fn notice_never_goes_back_in_time() {
    let stayed = || {
        customer()
            .and(give_notice(200, 230))
            .and(withdraw_notice(210))
    };
    let early = |field, at, earliest| {
        Refusal::from(Invalid::TooEarly {
            field,
            at,
            earliest,
        })
    };
    stayed()
        .when(give_notice(209, 230))
        .refused(early("notice_at", day(209), day(210)));
    customer()
        .and(give_notice(200, 230))
        .when(withdraw_notice(199))
        .refused(early("withdrawn_at", day(199), day(200)));
    stayed()
        .when(leave(209))
        .refused(early("ended_at", day(209), day(210)));
}

#[test]
fn who_withdraws_the_notice_stays() {
    let story = customer()
        .and(give_notice(200, 230))
        .and(withdraw_notice(210));
    let relationship = story.state().relationship.as_ref().unwrap();
    assert_eq!(
        (relationship.state, &relationship.notice),
        (State::Active, &None)
    );
}

#[test]
fn only_a_notice_that_was_given_is_withdrawn() {
    let refused = |state| Refusal::NotLeaving { state };
    customer()
        .when(withdraw_notice(200))
        .refused(refused(State::Active));
    customer()
        .and(give_notice(200, 230))
        .and(leave(220))
        .when(withdraw_notice(225))
        .refused(refused(State::Lost));
    given::<Customer>([])
        .when(Command::WithdrawNotice { when: on(200) })
        .refused(Refusal::NotFound(Thing::Customer));
}

#[test]
fn a_notice_that_takes_effect_ends_the_relationship_as_it_said() {
    let story = customer().and(give_notice(200, 230));
    let relationship = story.state().relationship.as_ref().unwrap();
    let ending = relationship.notice.as_ref().unwrap();
    let ending = ending.ending(REQUEST, day(231));
    let story = story.and(Command::EndRelationship(ending));
    let relationship = story.state().relationship.as_ref().unwrap();
    assert_eq!(relationship.ended_at(), Some(day(230)));
    assert_eq!(relationship.notice, None);
    let loss = relationship.last_loss.as_ref().unwrap();
    assert_eq!(
        (loss.cause, loss.reason),
        (Cause::Voluntary, Some(Reason::Price))
    );
    let closed = story.state().closed_actions.iter();
    let closed: Vec<_> = closed.map(|(_, action)| action.closing.unwrap()).collect();
    assert_eq!(closed[0].outcome, Outcome::Cancelled);
}

#[test]
fn who_is_won_back_may_give_notice_again() {
    let story = customer()
        .and(give_notice(200, 230))
        .and(end(Cause::Ceased, None, 220))
        .and(win_back(250));
    assert!(story.when(give_notice(260, 290)).result().is_ok());
}
