//! Which touchpoints are recorded.

use super::*;
use crate::prospect::{MAX_TOUCHPOINTS, Touchpoint};

fn recorded(touchpoint_id: &str, number: i64) -> [Event; 1] {
    [Event::TouchpointRecorded {
        touchpoint_id: id(touchpoint_id),
        touchpoint: Touchpoint {
            touch: touch(),
            occurred_at: day(number),
        },
    }]
}

#[test]
fn a_touchpoint_is_recorded_with_its_campaign() {
    created()
        .when(touched("click", 8))
        .then(recorded("click", 8));
}

#[test]
fn the_first_touch_is_the_earliest_and_not_the_first_recorded() {
    let story = created().and(touched("late", 8)).and(touched("early", 7));
    assert_eq!(story.state().first_touch_at, Some(day(7)));
    assert_eq!(story.state().touch_count, 2);
}

#[test]
fn the_same_touchpoint_again_changes_nothing() {
    created()
        .and(touched("click", 8))
        .when(touched("click", 8))
        .nothing();
}

#[test]
fn a_touchpoint_repeated_without_its_time_is_the_same_touchpoint() {
    created()
        .and(touched("click", 8))
        .when(Command::RecordTouchpoint {
            touchpoint_id: id("click"),
            touch: touch(),
            when: on(40),
        })
        .nothing();
}

#[test]
fn the_id_of_a_touchpoint_is_not_given_to_another_one() {
    created()
        .and(touched("click", 8))
        .when(touched("click", 9))
        .refused(Refusal::AlreadyExists(Thing::Touchpoint(id("click"))));
}

#[test]
fn nobody_is_touched_after_the_conversion() {
    converted()
        .when(touched("visit", 21))
        .refused(Refusal::AfterConversion {
            converted_at: day(20),
        });
}

#[test]
fn a_touchpoint_from_before_the_conversion_may_arrive_late() {
    for number in [7, 20] {
        converted()
            .when(touched("visit", number))
            .then(recorded("visit", number));
    }
}

#[test]
fn a_closed_prospect_may_still_be_touched() {
    closed()
        .when(touched("visit", 40))
        .then(recorded("visit", 40));
}

#[test]
fn nobody_is_touched_in_the_future() {
    created().when(touched("visit", 91)).refused(
        Invalid::FutureTime {
            field: "occurred_at",
            at: day(91),
            latest: day(90).plus_seconds(300),
        }
        .into(),
    );
}

#[test]
fn a_presentation_is_seen_in_a_campaign() {
    let lost = Touch {
        campaign: None,
        ..touch()
    };
    created()
        .when(Command::RecordTouchpoint {
            touchpoint_id: id("visit"),
            touch: lost,
            when: on(8),
        })
        .refused(Invalid::Missing { field: "campaign" }.into());
}

#[test]
fn a_touchpoint_has_a_channel() {
    let nowhere = Touch {
        channel: String::new(),
        ..touch()
    };
    created()
        .when(Command::RecordTouchpoint {
            touchpoint_id: id("visit"),
            touch: nowhere,
            when: on(8),
        })
        .refused(Invalid::Missing { field: "channel" }.into());
}

#[test]
fn a_prospect_has_at_most_ten_thousand_touchpoints() {
    let full = Prospect {
        touch_count: MAX_TOUCHPOINTS,
        ..created().state().clone()
    };
    let refusal = full.decide(touched("visit", 8)).unwrap_err();
    assert_eq!(
        refusal,
        Refusal::Limit {
            what: "touchpoints",
            limit: 10_000,
        }
    );
    assert_eq!(refusal.class(), Class::Exhausted);
}
