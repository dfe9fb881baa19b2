//! What happened to a campaign long ago is told late.

use super::*;
use crate::story::about;

#[test]
fn the_past_of_a_campaign_is_told_late() {
    published()
        .when(proposition::Command::Campaign(Command::Create {
            campaign_id: id("fast"),
            plan: plan("speed"),
            when: about(-400),
        }))
        .then(happened(Event::Planned {
            campaign_id: id("fast"),
            plan: plan("speed"),
            occurred_at: day(-400),
        }));
    on_the_market()
        .when(proposition::Command::Campaign(Command::End {
            campaign_id: id("fast"),
            when: about(5),
        }))
        .then(happened(Event::Ended {
            campaign_id: id("fast"),
            occurred_at: day(5),
        }));
}

#[test]
fn the_same_plan_of_another_time_is_another_campaign() {
    let planned = |number| {
        proposition::Command::Campaign(Command::Create {
            campaign_id: id("fast"),
            plan: plan("speed"),
            when: about(number),
        })
    };
    let story = || published().and(planned(2));
    story().when(planned(2)).nothing();
    story().when(plan_campaign("fast", plan("speed"))).nothing();
    story()
        .when(planned(1))
        .refused(Refusal::AlreadyExists(Thing::Campaign(id("fast"))));
}
