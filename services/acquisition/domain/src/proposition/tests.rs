//! The rules of propositions, told as stories.

use eventsourcing::scenario::given;
use eventsourcing::{Class, Explain};

use super::{Event, MAX_BENEFITS, MAX_DIFFERENTIATORS, MAX_PROBLEMS, Proposition, Refusal, Thing};
use crate::input::{Invalid, MAX_LABEL, When};
use crate::proposition::{Command, State};
use crate::story::{
    about, add, content, create, day, drafted, id, on_the_market, pitch, plan, plan_campaign,
    publish, published, retire, start, update,
};

#[test]
fn a_new_proposition_is_a_draft() {
    given::<Proposition>([])
        .when(create())
        .then([Event::Drafted {
            content: content(),
            occurred_at: day(0),
        }]);
    assert_eq!(drafted().state().state, State::Draft);
    assert_eq!(drafted().state().revision, 1);
}

#[test]
fn creating_the_same_proposition_again_changes_nothing() {
    drafted().when(create()).nothing();
}

#[test]
fn the_id_of_a_proposition_is_not_given_to_another_one() {
    let mut other = content();
    other.display_name = "Bus repair".to_owned();
    drafted()
        .when(Command::Create {
            content: other,
            when: When::now(day(1)),
        })
        .refused(Refusal::AlreadyExists(Thing::Proposition));
}

#[test]
fn the_past_of_a_proposition_is_told_late() {
    let drafted_on = |number| Command::Create {
        content: content(),
        when: about(number),
    };
    let story = || given::<Proposition>([]).and(drafted_on(-700));
    story().when(drafted_on(-700)).nothing();
    story().when(create()).nothing();
    story()
        .when(drafted_on(-699))
        .refused(Refusal::AlreadyExists(Thing::Proposition));
    story()
        .when(Command::Publish { when: about(-600) })
        .then([Event::Published {
            revision: 1,
            occurred_at: day(-600),
        }]);
    published()
        .when(Command::Retire { when: about(-1) })
        .then([Event::Retired {
            occurred_at: day(-1),
        }]);
}

#[test]
fn a_proposition_has_a_name() {
    let mut nameless = content();
    nameless.display_name.clear();
    drafted().when(update(nameless)).refused(
        Invalid::Missing {
            field: "display_name",
        }
        .into(),
    );
}

#[test]
fn a_name_has_a_limit() {
    let mut long = content();
    long.display_name = "x".repeat(MAX_LABEL + 1);
    drafted().when(update(long)).refused(
        Invalid::TooLong {
            field: "display_name",
            limit: MAX_LABEL,
        }
        .into(),
    );
}

#[test]
fn a_proposition_is_not_drafted_in_the_future() {
    let when = When {
        now: day(0),
        occurred_at: Some(day(1)),
    };
    given::<Proposition>([])
        .when(Command::Create {
            content: content(),
            when,
        })
        .refused(
            Invalid::FutureTime {
                field: "occurred_at",
                at: day(1),
                latest: day(0).plus_seconds(300),
            }
            .into(),
        );
}

#[test]
fn a_draft_may_be_written_anew() {
    let mut other = content();
    other.display_name = "Bus repair".to_owned();
    drafted().when(update(other.clone())).then([Event::Revised {
        content: other.clone(),
        revision: 2,
        occurred_at: day(1),
    }]);
    assert_eq!(drafted().and(update(other)).state().revision, 2);
}

#[test]
fn writing_the_same_draft_again_changes_nothing() {
    drafted().when(update(content())).nothing();
}

#[test]
fn a_published_proposition_is_not_edited() {
    published()
        .when(update(content()))
        .refused(Refusal::NotDraft {
            state: State::Published,
        });
}

#[test]
fn what_does_not_exist_is_neither_edited_nor_published_nor_retired() {
    for command in [
        update(content()),
        publish(),
        retire(),
        add("speed", pitch("next-day")),
        start("fast"),
    ] {
        given::<Proposition>([])
            .when(command)
            .refused(Refusal::NotFound(Thing::Proposition));
    }
}

#[test]
fn a_benefit_solves_a_problem_that_the_proposition_names() {
    let mut wrong = content();
    wrong.benefits[0].problem_ids = vec![id("late-parcels")];
    drafted()
        .when(update(wrong))
        .refused(Refusal::UnknownProblem {
            field: "benefits.problem_ids",
            problem_id: id("late-parcels"),
        });
}

#[test]
fn a_differentiator_is_about_a_benefit_that_the_proposition_names() {
    let mut wrong = content();
    wrong.differentiators[0].benefit_id = id("coffee");
    drafted()
        .when(update(wrong))
        .refused(Refusal::UnknownBenefit {
            field: "differentiators.benefit_id",
            benefit_id: id("coffee"),
        });
}

#[test]
fn no_problem_is_named_twice() {
    let mut wrong = content();
    wrong.problems.push(wrong.problems[0].clone());
    drafted().when(update(wrong)).refused(
        Invalid::Repeated {
            field: "problems.problem_id",
            id: "van-off-road".to_owned(),
        }
        .into(),
    );
}

#[test]
fn a_benefit_that_a_presentation_claims_stays_in_the_draft() {
    let mut without = content();
    without.benefits.pop();
    drafted()
        .when(update(without))
        .refused(Refusal::BenefitInUse {
            benefit_id: id("steel-frame"),
            presentation_id: id("durable"),
        });
}

#[test]
fn problems_benefits_and_differentiators_have_a_limit() {
    let mut problems = content();
    let mut benefits = content();
    let mut differentiators = content();
    problems.problems = vec![problems.problems[0].clone(); MAX_PROBLEMS + 1];
    benefits.benefits = vec![benefits.benefits[0].clone(); MAX_BENEFITS + 1];
    differentiators.differentiators =
        vec![differentiators.differentiators[0].clone(); MAX_DIFFERENTIATORS + 1];
    for (content, what, limit) in [
        (problems, "problems", MAX_PROBLEMS),
        (benefits, "benefits", MAX_BENEFITS),
        (differentiators, "differentiators", MAX_DIFFERENTIATORS),
    ] {
        drafted()
            .when(update(content))
            .refused(Refusal::Limit { what, limit });
    }
}

#[test]
fn a_draft_with_a_problem_and_a_benefit_may_be_published() {
    drafted().when(publish()).then([Event::Published {
        revision: 1,
        occurred_at: day(2),
    }]);
}

#[test]
fn a_proposition_without_a_problem_is_not_published() {
    let mut empty = content();
    empty.problems.clear();
    empty
        .benefits
        .iter_mut()
        .for_each(|b| b.problem_ids.clear());
    given::<Proposition>([])
        .and(create())
        .and(update(empty))
        .when(publish())
        .refused(Refusal::Incomplete { missing: "problem" });
}

#[test]
fn a_proposition_without_a_benefit_is_not_published() {
    let mut empty = content();
    empty.benefits.clear();
    empty.differentiators.clear();
    given::<Proposition>([])
        .and(create())
        .and(update(empty))
        .when(publish())
        .refused(Refusal::Incomplete { missing: "benefit" });
}

#[test]
fn a_proposition_is_published_once() {
    published().when(publish()).refused(Refusal::NotDraft {
        state: State::Published,
    });
}

#[test]
fn a_proposition_is_not_retired_while_a_campaign_runs() {
    on_the_market()
        .when(retire())
        .refused(Refusal::CampaignRunning {
            campaign_id: id("fast"),
        });
}

#[test]
fn a_planned_campaign_does_not_keep_a_proposition_from_being_retired() {
    published()
        .and(plan_campaign("fast", plan("speed")))
        .when(retire())
        .then([Event::Retired {
            occurred_at: day(80),
        }]);
}

#[test]
fn nothing_new_starts_with_a_retired_proposition() {
    for command in [
        add("loud", pitch("next-day")),
        plan_campaign("late", plan("speed")),
        retire(),
    ] {
        published()
            .and(retire())
            .when(command)
            .refused(Refusal::Retired);
    }
}

#[test]
fn a_refusal_says_its_class_its_reason_and_its_data() {
    let refusal = Refusal::UnknownBenefit {
        field: "claims.benefit_id",
        benefit_id: id("coffee"),
    };
    let field = "claims.benefit_id";
    assert_eq!(refusal.class(), Class::Invalid { field });
    assert_eq!(refusal.reason(), "UNKNOWN_BENEFIT");
    assert_eq!(
        refusal.metadata(),
        vec![("benefit_id", "coffee".to_owned())]
    );
    assert_eq!(
        Refusal::NotDraft {
            state: State::Published
        }
        .to_string(),
        "the proposition is PUBLISHED and no longer a draft: create another with copy_from"
    );
}

#[test]
fn the_reasons_are_those_of_the_contract() {
    let state = State::Draft;
    let presentation_id = id("speed");
    let campaign_id = id("fast");
    for (refusal, reason) in [
        (Refusal::NotDraft { state }, "NOT_DRAFT"),
        (Refusal::Incomplete { missing: "problem" }, "INCOMPLETE"),
        (Refusal::NotPublished { state }, "NOT_PUBLISHED"),
        (Refusal::CampaignRunning { campaign_id }, "CAMPAIGN_RUNNING"),
        (
            Refusal::PresentationFlagged { presentation_id },
            "PRESENTATION_FLAGGED",
        ),
        (
            Refusal::OverReversed {
                spend_id: id("invoice-1"),
                remaining: crate::story::eur(1),
            },
            "OVER_REVERSED",
        ),
    ] {
        assert_eq!(refusal.reason(), reason);
        assert_eq!(refusal.class(), Class::FailedPrecondition, "{reason}");
    }
}
