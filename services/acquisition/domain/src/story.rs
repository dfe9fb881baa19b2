//! The cast of story S1, for the tests: van owners, two presentations, two campaigns.

use eventsourcing::Time;
use eventsourcing::scenario::{Given, given};
use money::Money;

use crate::campaign::{self, Plan, Spend, SpendKind};
use crate::id::CampaignName;
use crate::input::When;
use crate::offer::Ask;
use crate::presentation::{self, Cause, Pitch};
use crate::promise::Claim;
use crate::proposition::{
    Benefit, Command, Content, Differentiator, Event, Level, Nature, Problem, Proposition,
};

/// Parses an id (or a currency) that is well formed.
pub(crate) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// 00:00 of a day of the story.
pub(crate) fn day(number: i64) -> Time {
    Time::from_days(20_000 + number)
}

/// The command comes at 00:00 of a day of the story and says no other time.
pub(crate) fn on(number: i64) -> When {
    When::now(day(number))
}

/// The command comes on day 90 about something that happened on an earlier (or later) one.
pub(crate) fn about(number: i64) -> When {
    When {
        now: day(90),
        occurred_at: Some(day(number)),
    }
}

pub(crate) fn eur(major_units: i64) -> Money {
    Money::new(id("EUR"), major_units * 100)
}

pub(crate) fn content() -> Content {
    let benefit = |benefit_id, statement: &str, nature, level| Benefit {
        benefit_id: id(benefit_id),
        statement: statement.to_owned(),
        nature,
        level,
        dimension: None,
        problem_ids: vec![id("van-off-road")],
    };
    Content {
        display_name: "Van repair".to_owned(),
        problems: vec![Problem {
            problem_id: id("van-off-road"),
            statement: "My van is off the road and I earn nothing".to_owned(),
        }],
        benefits: vec![
            benefit(
                "next-day",
                "Back on the road tomorrow",
                Nature::Intangible,
                Level::Augmented,
            ),
            benefit(
                "steel-frame",
                "A frame that lasts",
                Nature::Tangible,
                Level::Expected,
            ),
        ],
        differentiators: vec![Differentiator {
            differentiator_id: id("faster"),
            benefit_id: id("next-day"),
            competitor: "Acme".to_owned(),
            claim: "Acme takes a week".to_owned(),
        }],
    }
}

pub(crate) fn claim(benefit_id: &str, importance: u32) -> Claim {
    Claim {
        benefit_id: id(benefit_id),
        expectation: "as the poster says".to_owned(),
        expected_score: 6,
        importance,
        due_days: Some(eventsourcing::Days(30)),
    }
}

pub(crate) fn pitch(benefit_id: &str) -> Pitch {
    Pitch {
        channel: "radio".to_owned(),
        message: "Never wait for your van again".to_owned(),
        claims: vec![claim(benefit_id, 100)],
    }
}

pub(crate) fn create() -> Command {
    Command::Create {
        content: content(),
        when: on(0),
    }
}

pub(crate) fn update(content: Content) -> Command {
    Command::Update {
        content,
        when: on(1),
    }
}

pub(crate) fn publish() -> Command {
    Command::Publish { when: on(2) }
}

pub(crate) fn retire() -> Command {
    Command::Retire { when: on(80) }
}

pub(crate) fn add(presentation_id: &str, pitch: Pitch) -> Command {
    Command::Presentation(presentation::Command::Add {
        presentation_id: id(presentation_id),
        pitch,
        when: on(1),
    })
}

/// One kept and three broken, as in the story.
pub(crate) fn one_of_four() -> Cause {
    Cause::BrokenPromises {
        kept: 1,
        broken: 3,
        kept_rate_upper: 0.699,
    }
}

pub(crate) fn flag(presentation_id: &str) -> Command {
    Command::Presentation(presentation::Command::Flag {
        presentation_id: id(presentation_id),
        cause: one_of_four(),
        when: on(60),
    })
}

pub(crate) fn clear(presentation_id: &str, note: &str) -> Command {
    Command::Presentation(presentation::Command::ClearFlag {
        presentation_id: id(presentation_id),
        note: note.to_owned(),
        when: on(61),
    })
}

pub(crate) fn plan(presentation_id: &str) -> Plan {
    Plan {
        presentation_ids: vec![id(presentation_id)],
        starts_at: day(5),
        ends_at: day(50),
        currency: id("EUR"),
        budget: Some(eur(2_000)),
    }
}

pub(crate) fn plan_campaign(campaign_id: &str, plan: Plan) -> Command {
    Command::Campaign(campaign::Command::Create {
        campaign_id: id(campaign_id),
        plan,
        when: on(3),
    })
}

pub(crate) fn start(campaign_id: &str) -> Command {
    Command::Campaign(campaign::Command::Start {
        campaign_id: id(campaign_id),
        when: on(5),
    })
}

pub(crate) fn end(campaign_id: &str) -> Command {
    Command::Campaign(campaign::Command::End {
        campaign_id: id(campaign_id),
        when: on(50),
    })
}

/// Media for `amount`, incurred on day 10.
pub(crate) fn spend(amount: Money) -> Spend {
    Spend {
        kind: SpendKind::Media,
        amount,
        incurred_at: day(10),
        presentation_id: None,
        reverses: None,
    }
}

pub(crate) fn record(campaign_id: &str, spend_id: &str, spend: Spend) -> Command {
    Command::Campaign(campaign::Command::RecordSpend {
        campaign_id: id(campaign_id),
        spend_id: id(spend_id),
        kind: spend.kind,
        amount: spend.amount,
        presentation_id: spend.presentation_id,
        reverses: spend.reverses,
        when: When {
            now: day(70),
            occurred_at: Some(spend.incurred_at),
        },
    })
}

pub(crate) fn spend_recorded(campaign_id: &str, spend_id: &str, spend: Spend) -> Event {
    Event::Campaign(campaign::Event::SpendRecorded {
        campaign_id: id(campaign_id),
        spend_id: id(spend_id),
        spend,
    })
}

/// A draft with both presentations.
pub(crate) fn drafted() -> Given<Proposition> {
    given::<Proposition>([])
        .and(create())
        .and(add("speed", pitch("next-day")))
        .and(add("durable", pitch("steel-frame")))
}

/// The proposition as it is offered, without campaigns.
pub(crate) fn published() -> Given<Proposition> {
    drafted().and(publish())
}

/// The proposition with `fast` running and `tough` planned.
pub(crate) fn on_the_market() -> Given<Proposition> {
    published()
        .and(plan_campaign("fast", plan("speed")))
        .and(plan_campaign("tough", plan("durable")))
        .and(start("fast"))
}

pub(crate) fn campaign(campaign_id: &str) -> CampaignName {
    CampaignName {
        proposition_id: id("van-repair"),
        campaign_id: id(campaign_id),
    }
}

/// What the prospects of `fast` are offered.
pub(crate) fn ask() -> Ask {
    Ask {
        proposition_id: id("van-repair"),
        problem_id: id("van-off-road"),
        campaign: Some(campaign("fast")),
        presentation_id: Some(id("speed")),
        promises: vec![],
    }
}
