//! The rules of campaigns, told as stories.

mod bounds;
mod telling_late;

use eventsourcing::scenario::Given;
use money::Money;

use super::{Command, Event, MAX_CAMPAIGNS, MAX_SHOWN, Plan, Spend, SpendKey, SpendKind, State};
use crate::input::{Invalid, When};
use crate::proposition::{self, Proposition, Refusal, Thing};
use crate::story::{
    day, drafted, end, eur, id, on_the_market, plan, plan_campaign, published, record, retire,
    spend, spend_recorded, start,
};

fn happened(event: Event) -> [proposition::Event; 1] {
    [proposition::Event::Campaign(event)]
}

/// Takes back `amount` of the spend `invoice-1`, on day 20.
fn reversal(amount: Money) -> Spend {
    Spend {
        amount,
        incurred_at: day(20),
        reverses: Some(id("invoice-1")),
        ..spend(amount)
    }
}

/// `fast` runs and has cost 1,000.00.
fn charged() -> Given<Proposition> {
    on_the_market().and(record("fast", "invoice-1", spend(eur(1_000))))
}

mod planning {
    use super::*;

    #[test]
    fn a_campaign_may_be_planned_for_a_draft() {
        drafted()
            .when(plan_campaign("fast", plan("speed")))
            .then(happened(Event::Planned {
                campaign_id: id("fast"),
                plan: plan("speed"),
                occurred_at: day(3),
            }));
    }

    #[test]
    fn planning_the_same_campaign_again_changes_nothing() {
        on_the_market()
            .when(plan_campaign("fast", plan("speed")))
            .nothing();
    }

    #[test]
    fn the_id_of_a_campaign_is_not_given_to_another_one() {
        on_the_market()
            .when(plan_campaign("fast", plan("durable")))
            .refused(Refusal::AlreadyExists(Thing::Campaign(id("fast"))));
    }

    #[test]
    fn a_campaign_shows_a_presentation() {
        let empty = Plan {
            presentation_ids: vec![],
            ..plan("speed")
        };
        let field = "presentation_ids";
        published()
            .when(plan_campaign("fast", empty))
            .refused(Invalid::Missing { field }.into());
    }

    #[test]
    fn a_campaign_shows_only_presentations_of_its_proposition() {
        published()
            .when(plan_campaign("fast", plan("loud")))
            .refused(Refusal::UnknownPresentation {
                field: "presentation_ids",
                presentation_id: id("loud"),
            });
    }

    #[test]
    fn a_campaign_shows_each_presentation_once() {
        let twice = Plan {
            presentation_ids: vec![id("speed"), id("speed")],
            ..plan("speed")
        };
        published().when(plan_campaign("fast", twice)).refused(
            Invalid::Repeated {
                field: "presentation_ids",
                id: "speed".to_owned(),
            }
            .into(),
        );
    }

    #[test]
    fn a_campaign_ends_after_it_starts() {
        let instant = Plan {
            ends_at: day(5),
            ..plan("speed")
        };
        published()
            .when(plan_campaign("fast", instant))
            .refused(Refusal::EndsBeforeStart {
                starts_at: day(5),
                ends_at: day(5),
            });
    }

    #[test]
    fn a_budget_is_in_the_campaigns_currency() {
        let foreign = Plan {
            budget: Some(Money::new(id("USD"), 1)),
            ..plan("speed")
        };
        published().when(plan_campaign("fast", foreign)).refused(
            Invalid::CurrencyMismatch {
                field: "budget",
                expected: id("EUR"),
                given: id("USD"),
            }
            .into(),
        );
    }

    #[test]
    fn a_budget_is_not_negative() {
        let negative = Plan {
            budget: Some(eur(-1)),
            ..plan("speed")
        };
        published().when(plan_campaign("fast", negative)).refused(
            Invalid::WrongSign {
                field: "budget",
                amount: eur(-1),
                wanted: "of 0 or more",
            }
            .into(),
        );
    }

    #[test]
    fn a_campaign_needs_no_budget() {
        let free = Plan {
            budget: None,
            ..plan("speed")
        };
        assert!(
            published()
                .when(plan_campaign("fast", free))
                .result()
                .is_ok()
        );
    }

    #[test]
    fn campaigns_and_what_they_show_have_a_limit() {
        let mut story = published();
        for n in 0..MAX_CAMPAIGNS {
            story = story.and(plan_campaign(&format!("number-{n}"), plan("speed")));
        }
        story
            .when(plan_campaign("one-too-many", plan("speed")))
            .refused(Refusal::Limit {
                what: "campaigns",
                limit: MAX_CAMPAIGNS,
            });
        let broad = Plan {
            presentation_ids: vec![id("speed"); MAX_SHOWN + 1],
            ..plan("speed")
        };
        published()
            .when(plan_campaign("broad", broad))
            .refused(Refusal::Limit {
                what: "presentation_ids",
                limit: MAX_SHOWN,
            });
    }
}

mod running {
    use super::*;

    #[test]
    fn a_planned_campaign_of_a_published_proposition_starts() {
        on_the_market()
            .when(start("tough"))
            .then(happened(Event::Started {
                campaign_id: id("tough"),
                occurred_at: day(5),
            }));
        let story = on_the_market();
        assert_eq!(
            story.state().campaigns[&id("fast")].started_at,
            Some(day(5))
        );
    }

    #[test]
    fn a_running_campaign_refuses_a_second_start() {
        on_the_market()
            .when(start("fast"))
            .refused(Refusal::NotPlanned {
                campaign_id: id("fast"),
                state: State::Running,
            });
    }

    #[test]
    fn no_campaign_starts_for_a_draft_or_for_a_retired_proposition() {
        let plan = || plan_campaign("fast", plan("speed"));
        drafted()
            .and(plan())
            .when(start("fast"))
            .refused(Refusal::NotPublished {
                state: proposition::State::Draft,
            });
        published()
            .and(plan())
            .and(retire())
            .when(start("fast"))
            .refused(Refusal::NotPublished {
                state: proposition::State::Retired,
            });
    }

    #[test]
    fn a_running_campaign_ends() {
        on_the_market()
            .when(end("fast"))
            .then(happened(Event::Ended {
                campaign_id: id("fast"),
                occurred_at: day(50),
            }));
    }

    #[test]
    fn a_campaign_that_does_not_run_does_not_end() {
        on_the_market()
            .when(end("tough"))
            .refused(Refusal::NotRunning {
                campaign_id: id("tough"),
                state: State::Planned,
            });
        on_the_market()
            .and(end("fast"))
            .when(end("fast"))
            .refused(Refusal::NotRunning {
                campaign_id: id("fast"),
                state: State::Ended,
            });
    }

    #[test]
    fn a_campaign_does_not_end_before_it_has_started() {
        on_the_market()
            .when(proposition::Command::Campaign(Command::End {
                campaign_id: id("fast"),
                when: When::now(day(4)),
            }))
            .refused(
                Invalid::TooEarly {
                    field: "ended_at",
                    at: day(4),
                    earliest: day(5),
                }
                .into(),
            );
    }

    #[test]
    fn only_a_campaign_that_exists_starts_ends_or_costs() {
        for command in [
            start("loud"),
            end("loud"),
            record("loud", "invoice-1", spend(eur(1))),
        ] {
            on_the_market()
                .when(command)
                .refused(Refusal::NotFound(Thing::Campaign(id("loud"))));
        }
    }
}

mod spending {
    use super::*;

    #[test]
    fn what_a_running_campaign_costs_is_recorded() {
        on_the_market()
            .when(record("fast", "invoice-1", spend(eur(1_000))))
            .then([spend_recorded("fast", "invoice-1", spend(eur(1_000)))]);
    }

    #[test]
    fn a_planned_campaign_costs_nothing_yet() {
        on_the_market()
            .when(record("tough", "invoice-1", spend(eur(1))))
            .refused(Refusal::NotStarted {
                campaign_id: id("tough"),
            });
    }

    #[test]
    fn invoices_may_come_after_the_end_and_after_the_retirement() {
        let story = on_the_market().and(end("fast")).and(retire());
        story
            .when(record("fast", "late", spend(eur(1))))
            .then([spend_recorded("fast", "late", spend(eur(1)))]);
    }

    #[test]
    fn the_same_spend_again_changes_nothing() {
        charged()
            .when(record("fast", "invoice-1", spend(eur(1_000))))
            .nothing();
    }

    #[test]
    fn a_spend_repeated_without_its_time_is_the_same_spend() {
        charged()
            .when(proposition::Command::Campaign(Command::RecordSpend {
                campaign_id: id("fast"),
                spend_id: id("invoice-1"),
                kind: SpendKind::Media,
                amount: eur(1_000),
                presentation_id: None,
                reverses: None,
                when: When::now(day(75)),
            }))
            .nothing();
    }

    #[test]
    fn the_id_of_a_spend_is_not_given_to_another_one() {
        let mut later = spend(eur(1_000));
        later.incurred_at = day(11);
        for other in [spend(eur(999)), later] {
            charged()
                .when(record("fast", "invoice-1", other))
                .refused(Refusal::AlreadyExists(Thing::Spend(id("invoice-1"))));
        }
    }

    #[test]
    fn two_campaigns_may_have_a_spend_of_the_same_id() {
        charged()
            .and(start("tough"))
            .when(record("tough", "invoice-1", spend(eur(1_500))))
            .then([spend_recorded("tough", "invoice-1", spend(eur(1_500)))]);
    }

    #[test]
    fn a_campaign_costs_money_of_its_own_currency() {
        let dollars = spend(Money::new(id("USD"), 1));
        on_the_market()
            .when(record("fast", "invoice-1", dollars))
            .refused(
                Invalid::CurrencyMismatch {
                    field: "amount",
                    expected: id("EUR"),
                    given: id("USD"),
                }
                .into(),
            );
    }

    #[test]
    fn an_amount_spent_is_above_zero() {
        for major_units in [0, -1] {
            let amount = eur(major_units);
            on_the_market()
                .when(record("fast", "invoice-1", spend(amount)))
                .refused(
                    Invalid::WrongSign {
                        field: "amount",
                        amount,
                        wanted: "above 0",
                    }
                    .into(),
                );
        }
    }

    #[test]
    fn nothing_is_spent_in_the_future() {
        let mut tomorrow = spend(eur(1));
        tomorrow.incurred_at = day(71);
        on_the_market()
            .when(record("fast", "invoice-1", tomorrow))
            .refused(
                Invalid::FutureTime {
                    field: "incurred_at",
                    at: day(71),
                    latest: day(70).plus_seconds(300),
                }
                .into(),
            );
    }

    #[test]
    fn a_spend_is_for_a_presentation_that_the_campaign_shows() {
        let mut foreign = spend(eur(1));
        foreign.presentation_id = Some(id("durable"));
        on_the_market()
            .when(record("fast", "invoice-1", foreign))
            .refused(Refusal::UnknownPresentation {
                field: "presentation_id",
                presentation_id: id("durable"),
            });
    }
}

mod reversing {
    use super::*;

    #[test]
    fn a_spend_may_be_taken_back_in_parts() {
        let story = charged()
            .and(record("fast", "credit-1", reversal(eur(400))))
            .and(record("fast", "credit-2", reversal(eur(600))));
        let key = SpendKey::new(&id("fast"), &id("invoice-1"));
        assert_eq!(story.state().spends.get(&key).unwrap().remaining(), eur(0));
    }

    #[test]
    fn no_more_is_taken_back_than_was_spent() {
        charged()
            .and(record("fast", "credit-1", reversal(eur(400))))
            .when(record("fast", "credit-2", reversal(eur(601))))
            .refused(Refusal::OverReversed {
                spend_id: id("invoice-1"),
                remaining: eur(600),
            });
    }

    #[test]
    fn only_a_spend_of_the_same_campaign_is_taken_back() {
        charged()
            .and(start("tough"))
            .when(record("tough", "credit-1", reversal(eur(1))))
            .refused(Refusal::NotFound(Thing::Spend(id("invoice-1"))));
    }

    #[test]
    fn a_reversal_is_not_taken_back() {
        let mut second = reversal(eur(1));
        second.reverses = Some(id("credit-1"));
        charged()
            .and(record("fast", "credit-1", reversal(eur(400))))
            .when(record("fast", "credit-2", second))
            .refused(Refusal::ReversesReversal {
                spend_id: id("credit-1"),
            });
    }

    #[test]
    fn a_reversal_is_of_the_kind_and_for_the_presentation_of_its_spend() {
        let mut other_kind = reversal(eur(1));
        other_kind.kind = SpendKind::Tools;
        let mut other_presentation = reversal(eur(1));
        other_presentation.presentation_id = Some(id("speed"));
        for wrong in [other_kind, other_presentation] {
            charged()
                .when(record("fast", "credit-1", wrong))
                .refused(Refusal::ReversalDiffers {
                    spend_id: id("invoice-1"),
                });
        }
    }

    #[test]
    fn a_spend_is_not_taken_back_before_it_was_incurred() {
        let mut early = reversal(eur(1));
        early.incurred_at = day(9);
        charged().when(record("fast", "credit-1", early)).refused(
            Invalid::TooEarly {
                field: "incurred_at",
                at: day(9),
                earliest: day(10),
            }
            .into(),
        );
    }
}
