//! `ReportService.GetAttribution`.

use attribution::{Journey, Occurred, Rule, attribute, path};
use patron_proto::acquisition::v1 as proto;
use patron_proto::acquisition::v1::{AttributionDimension, AttributionModel};
use tonic::Code;

use crate::business::{self, DAY, End, Met, Person, convert, met, record, seconds};
use crate::harness::{Harness, at, euros, new_id, refused};

const FAST: &str = "propositions/van-repair/campaigns/fast";
const TOUGH: &str = "propositions/van-repair/campaigns/tough";

const MODELS: [(AttributionModel, Rule); 7] = [
    (AttributionModel::First, Rule::First),
    (AttributionModel::Last, Rule::Last),
    (AttributionModel::Linear, Rule::Linear),
    (
        AttributionModel::TimeDecay,
        Rule::TimeDecay(attribution::HalfLife::WEEK),
    ),
    (AttributionModel::Position, Rule::Position),
    (AttributionModel::Markov, Rule::Markov),
    (AttributionModel::Shapley, Rule::Shapley),
];

fn ask(model: AttributionModel, by: AttributionDimension) -> proto::GetAttributionRequest {
    proto::GetAttributionRequest {
        model: model as i32,
        dimension: by as i32,
        currency_code: "EUR".to_owned(),
        ..Default::default()
    }
}

async fn answer(
    harness: &Harness,
    request: proto::GetAttributionRequest,
) -> proto::AttributionReport {
    let answered = harness.reports().get_attribution(request).await;
    answered.unwrap().into_inner()
}

/// What each campaign earned, in cents.
fn earned(report: &proto::AttributionReport) -> Vec<(&str, i64)> {
    let lines = report.lines.iter();
    lines
        .map(|line| {
            let value = line.value.as_ref().unwrap().minor_units;
            (line.touch_point.as_str(), value)
        })
        .collect()
}

/// One prospect, touched by fast, tough, fast, converted now for 400.00.
async fn story(harness: &Harness) -> String {
    harness.publish().await;
    let prospect = harness.prospect().await;
    for (id, days, campaign) in [("a", 3, FAST), ("b", 2, TOUGH), ("c", 1, FAST)] {
        record(harness, &prospect, id, &met(-days * DAY, campaign, "")).await;
    }
    convert(harness, &prospect, 0, Some(40_000), "EUR").await;
    prospect
}

#[tokio::test]
async fn the_story_of_three_touches_adds_up_under_every_model() {
    let harness = Harness::start().await;
    story(&harness).await;
    // Half-lives of 3, 2 and 1 days at 7 days each, by hand.
    let decays = [3, 2, 1].map(|days| f64::from(-days) / 7.0).map(f64::exp2);
    let fast = (decays[0] + decays[2]) / decays.iter().sum::<f64>();
    for (model, _) in MODELS {
        let report = answer(&harness, ask(model, AttributionDimension::Campaign)).await;
        let (fast, tough) = match model {
            AttributionModel::First | AttributionModel::Last => (40_000, 0),
            // Without fast nothing converts; without tough half does, from fast at once.
            AttributionModel::Linear | AttributionModel::Markov => (26_667, 13_333),
            AttributionModel::Position => (32_000, 8_000),
            // Neither campaign ever converted without the other.
            AttributionModel::Shapley => (20_000, 20_000),
            AttributionModel::TimeDecay => {
                let cents = (fast * 40_000.0).round();
                assert!((20_000.0..40_000.0).contains(&cents));
                #[expect(clippy::cast_possible_truncation, reason = "a few thousand")]
                let cents = cents as i64;
                (cents, 40_000 - cents)
            }
            AttributionModel::Unspecified => unreachable!("not among the models"),
        };
        assert_eq!(earned(&report), [(FAST, fast), (TOUGH, tough)], "{model:?}");
        let credit: f64 = report.lines.iter().map(|line| line.credit).sum();
        assert!((credit - 1.0).abs() < 1e-12, "{model:?}");
        assert_eq!(
            (report.conversions, report.value.clone()),
            (1, euros(40_000))
        );
        assert_eq!((report.model(), report.window_days), (model, 90));
        let decays = model == AttributionModel::TimeDecay;
        assert_eq!(report.half_life_days, decays.then_some(7.0));
        let markov = model == AttributionModel::Markov;
        assert_eq!(report.closed_journeys, markov.then_some(0));
        assert_eq!(report.lines[0].removal_effect, markov.then_some(1.0));
    }
}

#[tokio::test]
async fn a_touch_that_is_recorded_late_takes_its_place_and_one_outside_the_window_none() {
    let harness = Harness::start().await;
    let prospect = story(&harness).await;
    record(&harness, &prospect, "late", &met(-4 * DAY, TOUGH, "")).await;
    record(&harness, &prospect, "edge", &met(-90 * DAY, "", "")).await;
    record(
        &harness,
        &prospect,
        "outside",
        &met(-90 * DAY - 1, FAST, ""),
    )
    .await;
    let first = ask(AttributionModel::First, AttributionDimension::Campaign);
    let report = answer(&harness, first.clone()).await;
    assert_eq!(earned(&report), [(FAST, 0), (TOUGH, 40_000)]);
    let longer = proto::GetAttributionRequest {
        window_days: Some(91),
        ..first
    };
    let report = answer(&harness, longer).await;
    assert_eq!(earned(&report), [(FAST, 40_000), (TOUGH, 0)]);
    let by_channel = ask(AttributionModel::Linear, AttributionDimension::Channel);
    let report = answer(&harness, by_channel).await;
    assert_eq!(earned(&report), [("search", 40_000)]);
}

#[tokio::test]
async fn what_nothing_led_to_is_unattributed_and_what_is_undefined_absent() {
    let harness = Harness::start().await;
    harness.publish().await;
    let empty = ask(AttributionModel::Markov, AttributionDimension::Campaign);
    let report = answer(&harness, empty.clone()).await;
    assert_eq!(
        (report.lines.len(), report.cac, report.conversions),
        (0, None, 0)
    );
    let prospect = harness.prospect().await;
    record(&harness, &prospect, "a", &met(-DAY, "", "")).await;
    convert(&harness, &prospect, 0, None, "EUR").await;
    let other = harness.prospect().await;
    convert(&harness, &other, 0, Some(100), "USD").await;
    let report = answer(&harness, empty).await;
    assert_eq!(earned(&report), [("(unattributed)", 0)]);
    let line = &report.lines[0];
    assert!((line.credit - 1.0).abs() < 1e-12);
    assert_eq!((line.spend.clone(), line.cac.clone()), (None, None));
    assert_eq!(
        (report.conversions, report.other_currency_conversions),
        (1, 1)
    );
}

#[tokio::test]
async fn the_spend_of_the_period_stands_beside_the_credit() {
    let harness = Harness::start().await;
    story(&harness).await;
    // As long as nothing was spent, no cost is known: it is absent and not 0.
    let free = answer(
        &harness,
        ask(AttributionModel::Last, AttributionDimension::Channel),
    )
    .await;
    assert!(free.conversions > 0);
    assert_eq!((free.spend, free.cac), (None, None));
    run(&harness, "fast", "speed").await;
    run(&harness, "idle", "speed").await;
    spend(&harness, "fast", "media", 10_000, "speed", 0).await;
    spend(&harness, "fast", "before", 5_000, "", -40 * DAY).await;
    spend(&harness, "idle", "media", 7_000, "", 0).await;
    let period = proto::GetAttributionRequest {
        start: at(-10 * DAY),
        ..ask(AttributionModel::Last, AttributionDimension::Campaign)
    };
    let report = answer(&harness, period.clone()).await;
    let costs: Vec<_> = report
        .lines
        .iter()
        .map(|line| {
            (
                line.touch_point.as_str(),
                line.spend.clone(),
                line.cac.clone(),
            )
        })
        .collect();
    let idle = "propositions/van-repair/campaigns/idle";
    assert_eq!(
        costs,
        [
            (FAST, euros(10_000), euros(10_000)),
            (idle, euros(7_000), None),
            (TOUGH, None, None),
        ]
    );
    assert_eq!((report.spend, report.cac), (euros(17_000), euros(17_000)));
    for (by, name) in [
        (
            AttributionDimension::Presentation,
            "propositions/van-repair/presentations/speed",
        ),
        (AttributionDimension::Channel, "search"),
    ] {
        let request = proto::GetAttributionRequest {
            dimension: by as i32,
            ..period.clone()
        };
        let report = answer(&harness, request).await;
        let line = report.lines.iter().find(|line| line.touch_point == name);
        assert_eq!(line.unwrap().spend, euros(10_000), "{by:?}");
    }
}

#[tokio::test]
async fn questions_without_a_meaning_are_refused() {
    let harness = Harness::start().await;
    let good = ask(AttributionModel::TimeDecay, AttributionDimension::Campaign);
    let wrong = [
        proto::GetAttributionRequest {
            model: 0,
            ..good.clone()
        },
        proto::GetAttributionRequest {
            dimension: 9,
            ..good.clone()
        },
        proto::GetAttributionRequest {
            currency_code: "EURO".to_owned(),
            ..good.clone()
        },
        proto::GetAttributionRequest {
            window_days: Some(0),
            ..good.clone()
        },
        proto::GetAttributionRequest {
            half_life_days: Some(0.0),
            ..good.clone()
        },
        proto::GetAttributionRequest {
            start: at(0),
            end: at(0),
            ..good.clone()
        },
        proto::GetAttributionRequest {
            as_of: at(60),
            ..good.clone()
        },
        proto::GetAttributionRequest {
            known_at: at(-1),
            ..good.clone()
        },
        proto::GetAttributionRequest {
            known_at_position: "x".to_owned(),
            ..good
        },
    ];
    for request in wrong {
        let shown = format!("{request:?}");
        let refusal = refused(harness.reports().get_attribution(request).await);
        assert_eq!(refusal.0, Code::InvalidArgument, "{shown}");
    }
}

/// The journeys of the business as the crate wants them.
fn journeys(people: &[Person], by: AttributionDimension, rule: Rule) -> Vec<Journey<String>> {
    let point = |met: &Met| match by {
        AttributionDimension::Campaign => Some(met.campaign.to_owned()),
        AttributionDimension::Channel => Some(met.channel.to_owned()),
        _ if met.presentation.is_empty() => None,
        _ => {
            let (proposition, _) = met.campaign.split_once("/campaigns/")?;
            Some(format!("{proposition}/presentations/{}", met.presentation))
        }
    };
    let mut people: Vec<&Person> = people.iter().collect();
    people.sort_by_key(|person| &person.name);
    people
        .into_iter()
        .filter_map(|person| {
            let (end, conversions, value_minor) = match person.end {
                End::Converted {
                    at,
                    value,
                    currency: "EUR",
                } => (at, 1, value.unwrap_or(0)),
                End::Closed(at, _) if rule == Rule::Markov => (at, 0, 0),
                _ => return None,
            };
            let touches: Vec<Occurred<String>> = (0..)
                .zip(&person.touches)
                .filter_map(|(position, met)| {
                    Some(Occurred {
                        at_ms: met.at * 1_000,
                        position,
                        channel: point(met).filter(|point| !point.is_empty())?,
                    })
                })
                .collect();
            Some(Journey {
                path: path(&touches, end * 1_000, 90),
                conversions,
                value_minor,
                non_conversions: 1 - conversions,
                open: 0,
            })
        })
        .collect()
}

#[tokio::test]
async fn the_service_divides_a_business_as_the_crate_does_under_every_model() {
    for seed in [1, 2] {
        let harness = Harness::start().await;
        let people = business::live(&harness, seed, 40).await;
        for (model, rule) in MODELS {
            for by in [
                AttributionDimension::Campaign,
                AttributionDimension::Presentation,
                AttributionDimension::Channel,
            ] {
                let expected = attribute(&journeys(&people, by, rule), rule).unwrap();
                let report = answer(&harness, ask(model, by)).await;
                let named = expected.credits.iter().map(|credit| {
                    let name = credit.channel.as_deref().unwrap_or("(unattributed)");
                    (name, credit.value_minor)
                });
                assert_eq!(
                    earned(&report),
                    named.collect::<Vec<_>>(),
                    "{model:?} {by:?}"
                );
                for (line, credit) in report.lines.iter().zip(&expected.credits) {
                    assert!((line.credit - credit.conversions).abs() < 1e-9);
                }
                assert_eq!(report.value, euros(expected.value_minor));
                assert_eq!(report.conversions.cast_unsigned(), expected.conversions);
            }
        }
    }
}

#[tokio::test]
async fn a_period_takes_the_conversions_from_its_start_up_to_before_its_end() {
    let harness = Harness::start().await;
    story(&harness).await;
    let conversions = async |start, end| {
        let request = proto::GetAttributionRequest {
            start,
            end,
            ..ask(AttributionModel::Last, AttributionDimension::Campaign)
        };
        answer(&harness, request).await.conversions
    };
    assert_eq!(conversions(at(0), at(1)).await, 1);
    assert_eq!(conversions(Some(seconds(-10)), at(0)).await, 0);
    assert_eq!(conversions(None, None).await, 1);
}

/// Plans and starts a campaign.
pub(crate) async fn run(harness: &Harness, id: &str, presentation: &str) {
    let create = proto::CreateCampaignRequest {
        parent: "propositions/van-repair".to_owned(),
        campaign_id: id.to_owned(),
        campaign: Some(proto::Campaign {
            presentation_ids: vec![presentation.to_owned()],
            starts_at: at(0),
            ends_at: at(DAY),
            currency_code: "EUR".to_owned(),
            ..Default::default()
        }),
        request_id: new_id(),
        ..Default::default()
    };
    let planned = harness.campaigns().create_campaign(create).await.unwrap();
    let start = proto::StartCampaignRequest {
        name: planned.into_inner().name,
        request_id: new_id(),
        ..Default::default()
    };
    harness.campaigns().start_campaign(start).await.unwrap();
}

/// Records a spend.
pub(crate) async fn spend(
    harness: &Harness,
    campaign: &str,
    id: &str,
    minor_units: i64,
    presentation: &str,
    incurred: i64,
) {
    let request = proto::RecordSpendRequest {
        parent: format!("propositions/van-repair/campaigns/{campaign}"),
        spend: Some(proto::Spend {
            spend_id: id.to_owned(),
            kind: proto::SpendKind::Media as i32,
            amount: euros(minor_units),
            incurred_at: at(incurred),
            presentation_id: presentation.to_owned(),
            ..Default::default()
        }),
        request_id: new_id(),
        ..Default::default()
    };
    harness.campaigns().record_spend(request).await.unwrap();
}
