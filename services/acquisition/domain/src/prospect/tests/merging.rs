//! Which prospects may be merged, and what the one that goes on takes over.

use super::*;
use crate::prospect::{
    Absorb, Absorbed, AbsorbedKey, AbsorbedTouch, Consent, ConsentStatus, MAX_TOUCHPOINTS, Merge,
    Touchpoint,
};

const YOUNGER: Uuid = Uuid::from_u128(2);
const OLDER: Uuid = Uuid::from_u128(1);

/// The prospect of these stories, created on day 6, into one created on day 5.
fn merge() -> Merge {
    Merge {
        erased: false,
        id: YOUNGER,
        into: OLDER,
        state: State::Anonymous,
        created_at: Some(day(5)),
        touches: 7,
        when: on(30),
    }
}

fn merging(merge: Merge) -> Command {
    Command::Merge(merge)
}

fn absorbed_touch(touchpoint_id: &str, number: i64) -> AbsorbedTouch {
    AbsorbedTouch {
        key: AbsorbedKey {
            from: YOUNGER,
            touchpoint_id: id(touchpoint_id),
        },
        touchpoint: Touchpoint {
            touch: touch(),
            occurred_at: day(number),
        },
    }
}

fn absorb(touches: Vec<AbsorbedTouch>, consents: Vec<Consent>) -> Command {
    Command::Absorb(Absorb {
        from: YOUNGER,
        part: 1,
        parts: 1,
        touches,
        consents,
        when: on(31),
    })
}

fn consent(status: ConsentStatus, number: i64) -> Consent {
    Consent {
        purpose: "contact".to_owned(),
        status,
        at: day(number),
        evidence: String::new(),
    }
}

fn set(status: ConsentStatus, number: i64) -> Command {
    Command::SetConsent {
        consent: consent(status, number),
        now: day(90),
    }
}

#[test]
fn a_prospect_is_merged_into_an_older_one() {
    created().when(merging(merge())).then([Event::Merged {
        into: OLDER,
        occurred_at: day(30),
    }]);
    let story = created().and(merging(merge()));
    assert_eq!(story.state().state, State::Merged { into: OLDER });
}

#[test]
fn a_closed_prospect_may_turn_out_to_be_another_one() {
    assert!(closed().when(merging(merge())).result().is_ok());
}

#[test]
fn a_prospect_is_not_merged_into_itself() {
    let into_itself = Merge {
        into: YOUNGER,
        ..merge()
    };
    created()
        .when(merging(into_itself))
        .refused(Refusal::MergeIntoItself);
    assert_eq!(
        Refusal::MergeIntoItself.class(),
        Class::Invalid { field: "into" }
    );
}

#[test]
fn a_customer_is_not_merged_into_anything() {
    converted()
        .when(merging(merge()))
        .refused(Refusal::AlreadyConverted);
}

#[test]
fn a_younger_prospect_takes_over_only_as_a_customer() {
    let into_younger = |state| Merge {
        created_at: Some(day(7)),
        state,
        ..merge()
    };
    for state in [
        State::Anonymous,
        State::Identified,
        State::Qualified,
        State::Closed,
    ] {
        created()
            .when(merging(into_younger(state)))
            .refused(Refusal::MergeIntoOlder);
    }
    let customer = into_younger(State::Converted);
    assert!(created().when(merging(customer)).result().is_ok());
    assert_eq!(Refusal::MergeIntoOlder.reason(), "MERGE_INTO_OLDER");
}

#[test]
fn of_two_prospects_of_the_same_moment_the_smaller_id_is_the_older() {
    let twin = Merge {
        created_at: Some(day(6)),
        ..merge()
    };
    assert!(created().when(merging(twin.clone())).result().is_ok());
    let other_way_round = Merge {
        id: OLDER,
        into: YOUNGER,
        ..twin
    };
    created()
        .when(merging(other_way_round))
        .refused(Refusal::MergeIntoOlder);
}

#[test]
fn one_merges_into_somebody_who_exists_and_goes_on() {
    let nobody = Merge {
        state: State::Absent,
        created_at: None,
        ..merge()
    };
    created()
        .when(merging(nobody))
        .refused(Refusal::TargetNotFound);
    let further = Uuid::from_u128(9);
    let merged_itself = Merge {
        state: State::Merged { into: further },
        ..merge()
    };
    let refusal = Refusal::TargetMerged { into: further };
    assert_eq!(
        refusal.metadata(),
        vec![("into", format!("prospects/{further}"))]
    );
    created().when(merging(merged_itself)).refused(refusal);
}

#[test]
fn both_together_have_ten_thousand_touchpoints_at_most() {
    let touches = |touches| Merge { touches, ..merge() };
    assert!(
        created()
            .when(merging(touches(MAX_TOUCHPOINTS)))
            .result()
            .is_ok()
    );
    created()
        .when(merging(touches(MAX_TOUCHPOINTS + 1)))
        .refused(Refusal::Limit {
            what: "touchpoints",
            limit: 10_000,
        });
}

#[test]
fn a_merged_prospect_is_not_merged_again_and_absorbs_nothing() {
    let story = || created().and(merging(merge()));
    for command in [merging(merge()), absorb(vec![], vec![])] {
        story()
            .when(command)
            .refused(Refusal::Merged { into: OLDER });
    }
}

#[test]
fn absorbed_touches_count_and_the_earliest_of_all_is_the_first() {
    let story = created()
        .and(touched("click", 8))
        .and(absorb(vec![absorbed_touch("click", 7)], vec![]));
    assert_eq!(story.state().touch_count, 2);
    assert_eq!(story.state().first_touch_at, Some(day(7)));
}

#[test]
fn a_touch_that_came_on_two_ways_is_absorbed_once() {
    let twice = || absorb(vec![absorbed_touch("click", 7)], vec![]);
    created().and(twice()).when(twice()).then([Event::Absorbed {
        from: YOUNGER,
        part: 1,
        parts: 1,
        touches: vec![],
        consents: vec![],
        occurred_at: day(31),
    }]);
}

#[test]
fn what_is_absorbed_after_the_conversion_is_marked() {
    let absorbed = |story: Given<Prospect>| {
        let story = story.and(absorb(vec![absorbed_touch("click", 7)], vec![]));
        let absorbed = story.state().absorbed.iter().next().map(|(_, a)| a.clone());
        absorbed.unwrap()
    };
    let touchpoint = || absorbed_touch("click", 7).touchpoint;
    let before = Absorbed {
        touchpoint: touchpoint(),
        after_conversion: false,
    };
    let after = Absorbed {
        touchpoint: touchpoint(),
        after_conversion: true,
    };
    assert_eq!(absorbed(created()), before);
    assert_eq!(absorbed(converted()), after);
}

#[test]
fn the_stricter_consent_wins_whenever_it_was_said() {
    for (ours, number) in [(8, 9), (9, 8), (8, 8)] {
        let events = created()
            .and(set(ConsentStatus::Granted, ours))
            .when(absorb(vec![], vec![consent(ConsentStatus::Denied, number)]))
            .result()
            .unwrap();
        let denied = Event::ConsentChanged {
            consent: consent(ConsentStatus::Denied, ours.max(number)),
        };
        assert_eq!(events.last(), Some(&denied));
    }
}

#[test]
fn a_no_is_taken_over_where_nothing_was_said_and_a_yes_is_not() {
    for (status, changes) in [(ConsentStatus::Withdrawn, 1), (ConsentStatus::Granted, 0)] {
        let events = created().when(absorb(vec![], vec![consent(status, 8)]));
        assert_eq!(events.result().unwrap().len(), 1 + changes);
    }
}

#[test]
fn a_no_is_not_replaced_by_another_no_or_a_yes() {
    for status in [ConsentStatus::Withdrawn, ConsentStatus::Granted] {
        let events = created()
            .and(set(ConsentStatus::Denied, 8))
            .when(absorb(vec![], vec![consent(status, 20)]));
        assert_eq!(events.result().unwrap().len(), 1);
    }
}

#[test]
fn an_absorbed_touch_counts_towards_the_limit() {
    let nearly_full = Prospect {
        touch_count: MAX_TOUCHPOINTS - 1,
        ..created().state().clone()
    };
    let mut full = nearly_full;
    for event in full
        .decide(absorb(vec![absorbed_touch("click", 7)], vec![]))
        .unwrap()
    {
        full.evolve(&event);
    }
    let refusal = full.decide(touched("visit", 8)).unwrap_err();
    assert_eq!(refusal.reason(), "LIMIT_EXCEEDED");
}

#[test]
fn a_closed_prospect_is_reopened_as_what_it_was() {
    let reopen = || Command::Reopen { when: on(40) };
    closed().when(reopen()).then([Event::Reopened {
        occurred_at: day(40),
    }]);
    let story = closed().and(reopen());
    assert_eq!(story.state().state, State::Anonymous);
    assert_eq!(story.state().closing, None);
    let qualified = created()
        .and(qualify("van-off-road"))
        .and(close(CloseReason::NoNeed))
        .and(reopen());
    assert_eq!(qualified.state().state, State::Qualified);
    assert!(qualified.when(convert()).result().is_ok());
}

#[test]
fn only_what_is_closed_is_reopened() {
    let reopen = || Command::Reopen { when: on(40) };
    for story in [created(), converted()] {
        story.when(reopen()).refused(Refusal::NotClosed);
    }
    given::<Prospect>([])
        .when(reopen())
        .refused(Refusal::NotFound);
    let (prospect, into) = merged();
    assert_eq!(prospect.decide(reopen()), Err(Refusal::Merged { into }));
}
