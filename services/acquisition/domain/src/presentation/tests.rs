//! The rules of presentations, told as stories.

use super::{
    Cause, Event, FLAG_AFTER_ASSESSED, Flag, MAX_PRESENTATIONS, Pitch, Presentation, flag_due,
};
use crate::input::Invalid;
use crate::presentation::Command;
use crate::promise::{MAX_DUE, MAX_PROMISES};
use crate::proposition::{self, Proposition, Refusal, Thing};
use crate::story::{
    about, add, claim, clear, day, drafted, flag, id, on, on_the_market, one_of_four, pitch, plan,
    plan_campaign, published, retire, start,
};

fn happened(event: Event) -> [proposition::Event; 1] {
    [proposition::Event::Presentation(event)]
}

fn presentation(proposition: &Proposition, presentation_id: &str) -> Presentation {
    proposition.presentations[&id(presentation_id)].clone()
}

#[test]
fn a_presentation_may_be_added_before_and_after_publishing() {
    for story in [drafted(), published()] {
        story
            .when(add("loud", pitch("next-day")))
            .then(happened(Event::Added {
                presentation_id: id("loud"),
                pitch: pitch("next-day"),
                occurred_at: day(1),
            }));
    }
}

#[test]
fn adding_the_same_presentation_again_changes_nothing() {
    published().when(add("speed", pitch("next-day"))).nothing();
    published()
        .and(retire())
        .when(add("speed", pitch("next-day")))
        .nothing();
}

#[test]
fn the_same_words_of_another_time_are_another_presentation() {
    let added = |number| {
        proposition::Command::Presentation(Command::Add {
            presentation_id: id("loud"),
            pitch: pitch("next-day"),
            when: about(number),
        })
    };
    let story = || published().and(added(-500));
    story().when(added(-500)).nothing();
    story().when(add("loud", pitch("next-day"))).nothing();
    story()
        .when(added(-499))
        .refused(Refusal::AlreadyExists(Thing::Presentation(id("loud"))));
}

#[test]
fn the_id_of_a_presentation_is_not_given_to_another_one() {
    published()
        .when(add("speed", pitch("steel-frame")))
        .refused(Refusal::AlreadyExists(Thing::Presentation(id("speed"))));
}

#[test]
fn a_presentation_claims_something() {
    let empty = Pitch {
        claims: vec![],
        ..pitch("next-day")
    };
    drafted().when(add("loud", empty)).refused(Refusal::NoClaim);
}

#[test]
fn a_presentation_claims_only_benefits_of_its_proposition() {
    drafted()
        .when(add("loud", pitch("coffee")))
        .refused(Refusal::UnknownBenefit {
            field: "claims.benefit_id",
            benefit_id: id("coffee"),
        });
}

#[test]
fn the_importances_of_the_claims_add_up_to_a_hundred() {
    let sharing = |first, second| Pitch {
        claims: vec![claim("next-day", first), claim("steel-frame", second)],
        ..pitch("next-day")
    };
    for (first, second, sum) in [(60, 39, 99), (60, 41, 101)] {
        drafted()
            .when(add("loud", sharing(first, second)))
            .refused(Refusal::ImportanceNotWhole { sum });
    }
    assert!(
        drafted()
            .when(add("loud", sharing(60, 40)))
            .result()
            .is_ok()
    );
}

#[test]
fn an_expected_score_is_from_one_to_seven() {
    for value in [0, 8] {
        let mut wrong = pitch("next-day");
        wrong.claims[0].expected_score = value;
        drafted().when(add("loud", wrong)).refused(
            Invalid::OutOfRange {
                field: "claims.expected_score",
                value,
                min: 1,
                max: 7,
            }
            .into(),
        );
    }
}

#[test]
fn a_claim_is_due_within_a_hundred_years() {
    let mut wrong = pitch("next-day");
    wrong.claims[0].due_days = Some(eventsourcing::Days(MAX_DUE.0 + 1));
    drafted().when(add("loud", wrong)).refused(
        Invalid::OutOfRange {
            field: "claims.due_days",
            value: MAX_DUE.0 + 1,
            min: 0,
            max: MAX_DUE.0,
        }
        .into(),
    );
}

#[test]
fn a_presentation_has_a_channel_a_message_and_expectations() {
    let mut silent = pitch("next-day");
    silent.message.clear();
    let mut nowhere = pitch("next-day");
    nowhere.channel.clear();
    let mut vague = pitch("next-day");
    vague.claims[0].expectation.clear();
    for (wrong, field) in [
        (silent, "message"),
        (nowhere, "channel"),
        (vague, "claims.expectation"),
    ] {
        drafted()
            .when(add("loud", wrong))
            .refused(Invalid::Missing { field }.into());
    }
}

#[test]
fn claims_have_a_limit() {
    let mut many = pitch("next-day");
    many.claims = vec![claim("next-day", 1); MAX_PROMISES + 1];
    drafted().when(add("loud", many)).refused(Refusal::Limit {
        what: "claims",
        limit: MAX_PROMISES,
    });
}

#[test]
fn presentations_have_a_limit() {
    let mut story = drafted();
    for n in 2..MAX_PRESENTATIONS {
        story = story.and(add(&format!("number-{n}"), pitch("next-day")));
    }
    story
        .when(add("one-too-many", pitch("next-day")))
        .refused(Refusal::Limit {
            what: "presentations",
            limit: MAX_PRESENTATIONS,
        });
}

#[test]
fn one_kept_promise_of_four_raises_the_flag() {
    assert!(flag_due(4, 0.699));
}

#[test]
fn fewer_than_four_assessed_promises_raise_no_flag() {
    assert!(!flag_due(FLAG_AFTER_ASSESSED - 1, 0.1));
}

#[test]
fn a_kept_rate_that_may_be_eighty_per_cent_raises_no_flag() {
    assert!(!flag_due(100, 0.80));
}

#[test]
fn a_flag_says_why_it_was_raised() {
    published()
        .when(flag("speed"))
        .then(happened(Event::Flagged {
            presentation_id: id("speed"),
            cause: one_of_four(),
            occurred_at: day(60),
        }));
    assert_eq!(
        presentation(published().and(flag("speed")).state(), "speed").flag,
        Some(Flag {
            cause: one_of_four(),
            flagged_at: day(60),
        })
    );
}

#[test]
fn a_presentation_may_be_flagged_by_hand() {
    let cause = Cause::ByHand {
        note: "the workshop is closed".to_owned(),
    };
    published()
        .when(proposition::Command::Presentation(Command::Flag {
            presentation_id: id("speed"),
            cause: cause.clone(),
            when: on(60),
        }))
        .then(happened(Event::Flagged {
            presentation_id: id("speed"),
            cause,
            occurred_at: day(60),
        }));
}

#[test]
fn flagging_a_flagged_presentation_changes_nothing() {
    published().and(flag("speed")).when(flag("speed")).nothing();
}

#[test]
fn no_new_campaign_starts_with_a_flagged_presentation() {
    published()
        .and(plan_campaign("again", plan("speed")))
        .and(flag("speed"))
        .when(start("again"))
        .refused(Refusal::PresentationFlagged {
            presentation_id: id("speed"),
        });
}

#[test]
fn a_flag_does_not_stop_a_campaign_that_runs() {
    let story = on_the_market().and(flag("speed"));
    let fast = &story.state().campaigns[&id("fast")];
    assert_eq!(fast.state, crate::campaign::State::Running);
}

#[test]
fn a_campaign_starts_once_the_flag_is_cleared() {
    let story = published()
        .and(plan_campaign("again", plan("speed")))
        .and(flag("speed"))
        .and(clear("speed", "a second mechanic was hired"));
    assert!(story.when(start("again")).result().is_ok());
}

#[test]
fn a_flag_is_not_cleared_without_a_note() {
    published()
        .and(flag("speed"))
        .when(clear("speed", " "))
        .refused(Invalid::Missing { field: "note" }.into());
}

#[test]
fn clearing_is_counted_and_dated_for_the_next_flag() {
    let story = published()
        .and(flag("speed"))
        .and(clear("speed", "a second mechanic was hired"));
    let speed = presentation(story.state(), "speed");
    assert_eq!((speed.clears, speed.cleared_at), (1, Some(day(61))));
    assert_eq!(speed.flag, None);
}

#[test]
fn clearing_where_there_is_no_flag_changes_nothing() {
    published().when(clear("speed", "all is well")).nothing();
}

#[test]
fn only_a_presentation_that_exists_is_flagged_or_cleared() {
    for command in [flag("loud"), clear("loud", "a note")] {
        published()
            .when(command)
            .refused(Refusal::NotFound(Thing::Presentation(id("loud"))));
    }
}
