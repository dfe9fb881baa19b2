//! A small business drawn from a seed, lived through gRPC; what happened in it is known here too.

use eventsourcing::Time;
use patron_proto::acquisition::v1 as proto;
use patron_proto::types::v1::Money;
use prost_types::Timestamp;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::harness::{Harness, NOW, new_id};

pub(crate) const DAY: i64 = 86_400;

const CAMPAIGNS: [&str; 3] = [
    "propositions/van-repair/campaigns/fast",
    "propositions/van-repair/campaigns/tough",
    // Sorts before the others only if names are compared as texts.
    "propositions/van-repair-plus/campaigns/fast",
];
const PRESENTATIONS: [&str; 2] = ["speed", "durable"];
const CHANNELS: [&str; 4] = ["search", "sales_rep", "trade-fair", "mail"];
const REASONS: [proto::CloseReason; 3] = [
    proto::CloseReason::NoNeed,
    proto::CloseReason::NoBudget,
    proto::CloseReason::Unreachable,
];

/// Somebody in the business. Times are seconds from [`NOW`].
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) created: i64,
    pub(crate) touches: Vec<Met>,
    pub(crate) qualified: Option<i64>,
    pub(crate) end: End,
}

/// A touch.
#[derive(Debug, Clone)]
pub(crate) struct Met {
    pub(crate) at: i64,
    pub(crate) campaign: &'static str,
    pub(crate) presentation: &'static str,
    pub(crate) channel: &'static str,
    /// Recorded only when all else has happened.
    late: bool,
}

/// What became of somebody.
#[derive(Debug, Clone)]
pub(crate) enum End {
    Open,
    Closed(i64, proto::CloseReason),
    Converted {
        at: i64,
        value: Option<i64>,
        currency: &'static str,
    },
}

enum Step {
    Create,
    Touch(usize),
    Qualify,
    End,
}

/// Draws a business and lives it. The clock stands at its end then.
pub(crate) async fn live(harness: &Harness, seed: u64, people: usize) -> Vec<Person> {
    harness.publish().await;
    let mut chance = SmallRng::seed_from_u64(seed);
    let mut people: Vec<Person> = (0..people).map(|_| draw(&mut chance)).collect();
    let mut steps = Vec::new();
    for (who, person) in people.iter().enumerate() {
        steps.push((person.created, who, Step::Create));
        steps.extend(person.qualified.map(|at| (at, who, Step::Qualify)));
        for (which, met) in person.touches.iter().enumerate() {
            let at = if met.late { 201 * DAY } else { met.at };
            steps.push((at, who, Step::Touch(which)));
        }
        match person.end {
            End::Open => {}
            End::Closed(at, _) | End::Converted { at, .. } => steps.push((at, who, Step::End)),
        }
    }
    steps.sort_by_key(|(at, ..)| *at);
    for (at, who, step) in steps {
        harness.clock.set(Time::from_seconds(NOW + at));
        match step {
            Step::Create => people[who].name = harness.prospect().await,
            Step::Touch(which) => touch(harness, &people[who], which).await,
            Step::Qualify => qualify(harness, &people[who].name).await,
            Step::End => end(harness, &people[who]).await,
        }
    }
    harness.clock.set(Time::from_seconds(NOW + 202 * DAY));
    people
}

/// Steps of one person never share a moment, so that their order is their times'.
fn draw(chance: &mut SmallRng) -> Person {
    let created = chance.random_range(0..60) * DAY + chance.random_range(0..10_000) * 8;
    let converted = created + chance.random_range(20..140) * DAY + 5;
    let touches = (0..chance.random_range(0..7)).map(|n| Met {
        at: created + chance.random_range(0..140) * DAY + 10 + n,
        campaign: pick(chance, &["", CAMPAIGNS[0], CAMPAIGNS[1], CAMPAIGNS[2]]),
        presentation: pick(chance, &["", PRESENTATIONS[0], PRESENTATIONS[1]]),
        channel: pick(chance, &CHANNELS),
        late: chance.random_bool(0.3),
    });
    let mut touches: Vec<Met> = touches
        .map(|met| Met {
            presentation: if met.campaign.is_empty() {
                ""
            } else {
                met.presentation
            },
            ..met
        })
        .collect();
    let end = match chance.random_range(0..10) {
        0..2 => End::Open,
        2..5 => End::Closed(converted, pick(chance, &REASONS)),
        _ => End::Converted {
            at: converted,
            value: chance
                .random_bool(0.9)
                .then(|| chance.random_range(0..100_000)),
            currency: if chance.random_bool(0.1) {
                "USD"
            } else {
                "EUR"
            },
        },
    };
    if let End::Converted { at, .. } = end {
        touches.retain(|met| met.at <= at);
    }
    touches.sort_by_key(|met| met.at);
    let qualified = chance.random_bool(0.6).then_some(created + 10 * DAY + 7);
    Person {
        name: String::new(),
        created,
        touches,
        qualified,
        end,
    }
}

fn pick<T: Copy>(chance: &mut SmallRng, from: &[T]) -> T {
    from[chance.random_range(0..from.len())]
}

async fn touch(harness: &Harness, person: &Person, which: usize) {
    let met = &person.touches[which];
    record(harness, &person.name, &format!("touch-{which}"), met).await;
}

/// Records a touch.
pub(crate) async fn record(harness: &Harness, prospect: &str, id: &str, met: &Met) {
    let request = proto::RecordTouchpointRequest {
        parent: prospect.to_owned(),
        touchpoint: Some(proto::Touchpoint {
            touchpoint_id: id.to_owned(),
            campaign: met.campaign.to_owned(),
            presentation_id: met.presentation.to_owned(),
            channel: met.channel.to_owned(),
            kind: proto::TouchpointKind::Visit as i32,
            occurred_at: Some(seconds(met.at)),
            utm: None,
        }),
        request_id: new_id(),
        validate_only: false,
    };
    harness
        .prospects()
        .record_touchpoint(request)
        .await
        .unwrap();
}

/// A touch of a campaign with a presentation.
pub(crate) const fn met(at: i64, campaign: &'static str, presentation: &'static str) -> Met {
    Met {
        at,
        campaign,
        presentation,
        channel: "search",
        late: false,
    }
}

async fn qualify(harness: &Harness, prospect: &str) {
    let request = proto::QualifyProspectRequest {
        name: prospect.to_owned(),
        proposition: "propositions/van-repair".to_owned(),
        problem_id: "van-off-road".to_owned(),
        request_id: new_id(),
        ..Default::default()
    };
    harness.prospects().qualify_prospect(request).await.unwrap();
}

async fn end(harness: &Harness, person: &Person) {
    match person.end {
        End::Open => {}
        End::Closed(_, reason) => {
            let request = proto::CloseProspectRequest {
                name: person.name.clone(),
                reason: reason as i32,
                request_id: new_id(),
                ..Default::default()
            };
            harness.prospects().close_prospect(request).await.unwrap();
        }
        End::Converted {
            at,
            value,
            currency,
        } => convert(harness, &person.name, at, value, currency).await,
    }
}

/// Converts a prospect, with the promise of `speed`.
pub(crate) async fn convert(
    harness: &Harness,
    prospect: &str,
    at: i64,
    value: Option<i64>,
    currency: &str,
) {
    let request = proto::ConvertProspectRequest {
        name: prospect.to_owned(),
        converted_at: Some(seconds(at)),
        proposition: "propositions/van-repair".to_owned(),
        presentation_id: "speed".to_owned(),
        problem_id: "van-off-road".to_owned(),
        first_purchase: value.map(|minor_units| proto::FirstPurchase {
            amount: Some(Money {
                currency_code: currency.to_owned(),
                minor_units,
            }),
            contribution_margin: None,
        }),
        currency_code: currency.to_owned(),
        request_id: new_id(),
        ..Default::default()
    };
    harness.prospects().convert_prospect(request).await.unwrap();
}

pub(crate) const fn seconds(from_now: i64) -> Timestamp {
    Timestamp {
        seconds: NOW + from_now,
        nanos: 0,
    }
}
