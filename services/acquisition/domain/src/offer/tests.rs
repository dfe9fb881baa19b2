//! The rules of offers, told as stories.

use super::Ask;
use crate::id::CampaignName;
use crate::promise::Proposed;
use crate::proposition::{Proposition, Refusal, State};
use crate::story::{ask, campaign, claim, day, drafted, end, flag, id, on_the_market, retire};

#[test]
fn an_offer_carries_the_claims_and_the_revision_of_the_proposition() {
    let offer = on_the_market().state().offer(ask()).unwrap();
    assert_eq!(offer.claims, vec![claim("next-day", 100)]);
    assert_eq!(offer.revision, 1);
    assert_eq!(offer.campaign_id, Some(id("fast")));
}

#[test]
fn an_offer_needs_neither_campaign_nor_presentation() {
    let bare = Ask {
        campaign: None,
        presentation_id: None,
        ..ask()
    };
    let offer = on_the_market().state().offer(bare).unwrap();
    assert!(offer.promised_at(day(0)).is_empty());
    assert_eq!((offer.campaign_id, offer.presentation_id), (None, None));
}

#[test]
fn what_was_promised_explicitly_is_promised_instead_of_the_claims() {
    let explicit = Proposed::without_id(claim("steel-frame", 40).promised_at(day(0)));
    let offer = on_the_market().state().offer(Ask {
        promises: vec![explicit.clone()],
        ..ask()
    });
    assert_eq!(offer.unwrap().promised_at(day(0)), vec![explicit]);
}

#[test]
fn a_proposition_solves_the_problems_that_it_names_from_the_draft_on() {
    for proposition in [drafted().state(), on_the_market().state()] {
        assert_eq!(proposition.must_solve(&id("van-off-road")), Ok(()));
        assert_eq!(
            proposition.must_solve(&id("van-too-small")),
            Err(Refusal::UnknownProblem {
                field: "problem_id",
                problem_id: id("van-too-small"),
            })
        );
    }
    assert_eq!(
        Proposition::default().must_solve(&id("van-off-road")),
        Err(Refusal::UnknownProposition)
    );
}

#[test]
fn a_proposition_that_does_not_exist_offers_nothing() {
    assert_eq!(
        Proposition::default().offer(ask()),
        Err(Refusal::UnknownProposition)
    );
}

#[test]
fn a_draft_offers_nothing() {
    let state = State::Draft;
    assert_eq!(
        drafted().state().offer(ask()),
        Err(Refusal::NotPublished { state })
    );
}

#[test]
fn a_retired_proposition_may_still_be_taken_up() {
    let story = on_the_market().and(end("fast")).and(retire());
    assert!(story.state().offer(ask()).is_ok());
}

#[test]
fn a_flagged_presentation_may_still_convince() {
    assert!(
        on_the_market()
            .and(flag("speed"))
            .state()
            .offer(ask())
            .is_ok()
    );
}

#[test]
fn a_problem_of_another_proposition_is_not_solved_by_this_one() {
    let wrong = Ask {
        problem_id: id("late-parcels"),
        ..ask()
    };
    assert_eq!(
        on_the_market().state().offer(wrong),
        Err(Refusal::UnknownProblem {
            field: "problem_id",
            problem_id: id("late-parcels"),
        })
    );
}

#[test]
fn a_presentation_that_does_not_exist_convinced_nobody() {
    let wrong = Ask {
        presentation_id: Some(id("loud")),
        ..ask()
    };
    assert_eq!(
        on_the_market().state().offer(wrong),
        Err(Refusal::UnknownPresentation {
            field: "presentation_id",
            presentation_id: id("loud"),
        })
    );
}

#[test]
fn a_campaign_that_does_not_exist_or_is_not_its_own_led_to_nothing() {
    let foreign = CampaignName {
        proposition_id: id("bus-repair"),
        ..campaign("fast")
    };
    for (name, campaign_id) in [(campaign("loud"), "loud"), (foreign, "fast")] {
        let wrong = Ask {
            campaign: Some(name),
            ..ask()
        };
        assert_eq!(
            on_the_market().state().offer(wrong),
            Err(Refusal::UnknownCampaign {
                campaign_id: id(campaign_id),
            })
        );
    }
}

#[test]
fn only_benefits_of_the_proposition_are_promised() {
    let wrong = Ask {
        promises: vec![Proposed::without_id(
            claim("coffee", 100).promised_at(day(0)),
        )],
        ..ask()
    };
    assert_eq!(
        on_the_market().state().offer(wrong),
        Err(Refusal::UnknownBenefit {
            field: "promises.benefit_id",
            benefit_id: id("coffee"),
        })
    );
}
