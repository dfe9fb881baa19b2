//! Scorecards of campaigns, presentations and benefits, and what retention tells into them.

use eventsourcing::Time;
use patron_proto::acquisition::v1 as proto;
use patron_proto::acquisition::v1::AttributionModel;
use tonic::Code;

use crate::attribution::{run, spend};
use crate::business::{DAY, convert, met, record};
use crate::harness::{Harness, NOW, at, euros, new_id, refused};
use crate::retention::Retention;

const FAST: &str = "propositions/van-repair/campaigns/fast";
const TOUGH: &str = "propositions/van-repair/campaigns/tough";
const SPEED: &str = "propositions/van-repair/presentations/speed";

async fn campaign(
    harness: &Harness,
    name: &str,
    model: AttributionModel,
) -> proto::CampaignScorecard {
    let request = proto::GetCampaignScorecardRequest {
        name: name.to_owned(),
        model: model as i32,
        ..Default::default()
    };
    let card = harness.campaigns().get_campaign_scorecard(request).await;
    card.unwrap().into_inner()
}

fn presentation(name: &str) -> proto::GetPresentationScorecardRequest {
    proto::GetPresentationScorecardRequest {
        name: name.to_owned(),
        currency_code: "EUR".to_owned(),
        ..Default::default()
    }
}

fn benefit(name: &str) -> proto::GetBenefitScorecardRequest {
    proto::GetBenefitScorecardRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

/// One customer touched by fast, tough, fast, worth 300.00.
async fn begin(harness: &Harness) -> (Retention, String) {
    let mut retention = Retention::default();
    harness.publish().await;
    run(harness, "fast", "speed").await;
    run(harness, "tough", "durable").await;
    spend(harness, "fast", "media", 100_000, "speed", 0).await;
    spend(harness, "tough", "media", 150_000, "", 0).await;
    let prospect = harness.prospect().await;
    for (id, days, name, shown) in [
        ("a", 3, FAST, "speed"),
        ("b", 2, TOUGH, "durable"),
        ("c", 1, FAST, "speed"),
    ] {
        record(harness, &prospect, id, &met(-days * DAY, name, shown)).await;
    }
    convert(harness, &prospect, 0, Some(40_000), "EUR").await;
    retention.promised(harness, &prospect, "next-day").await;
    retention.bought(harness, &prospect, "1", (0, 40_000)).await;
    (retention, prospect)
}

#[tokio::test]
async fn a_campaign_is_credited_with_the_share_of_a_customer_that_the_model_says() {
    let harness = Harness::start_listening().await;
    begin(&harness).await;
    let linear = campaign(&harness, TOUGH, AttributionModel::Linear).await;
    assert_eq!(linear.model, "LINEAR");
    assert!((linear.created - 1.0 / 3.0).abs() < 1e-12);
    assert!((linear.active - linear.created).abs() < 1e-12);
    assert_eq!((linear.equity, linear.cac), (euros(10_000), euros(450_000)));
    let position = campaign(&harness, FAST, AttributionModel::Position).await;
    assert!((position.created - 0.8).abs() < 1e-12);
    let last = campaign(&harness, FAST, AttributionModel::Unspecified).await;
    assert_eq!((last.model.as_str(), last.equity), ("LAST", euros(30_000)));
    assert_eq!(last.cac, euros(100_000));
    let first = campaign(&harness, TOUGH, AttributionModel::First).await;
    // Nobody was created, so nothing is told per customer.
    assert_eq!(
        (first.created, first.cac, first.ltv_to_cac),
        (0.0, None, None)
    );
    assert_eq!(
        (first.spend, first.equity_per_spend),
        (euros(150_000), Some(0.0))
    );
}

#[tokio::test]
async fn a_cost_per_customer_is_a_half_where_it_is_one_and_media_stands_beside_all() {
    let harness = Harness::start_listening().await;
    harness.publish().await;
    run(&harness, "fast", "speed").await;
    run(&harness, "tough", "durable").await;
    spend(&harness, "fast", "media", 30_000, "speed", 0).await;
    let sales = proto::RecordSpendRequest {
        parent: FAST.to_owned(),
        spend: Some(proto::Spend {
            spend_id: "sales".to_owned(),
            kind: proto::SpendKind::Sales as i32,
            amount: euros(4_333),
            incurred_at: at(0),
            presentation_id: "speed".to_owned(),
            ..Default::default()
        }),
        request_id: new_id(),
        ..Default::default()
    };
    harness.campaigns().record_spend(sales).await.unwrap();
    let prospect = harness.prospect().await;
    for (id, days, name, shown) in [
        ("a", 3, FAST, "speed"),
        ("b", 2, TOUGH, "durable"),
        ("c", 1, FAST, "speed"),
    ] {
        record(&harness, &prospect, id, &met(-days * DAY, name, shown)).await;
    }
    convert(&harness, &prospect, 0, None, "EUR").await;
    // 343.33 over two thirds of a customer are 514.995.
    let card = campaign(&harness, FAST, AttributionModel::Linear).await;
    assert_eq!(
        (card.cac, card.cac_media_only),
        (euros(51_500), euros(45_000))
    );
    let request = proto::GetPresentationScorecardRequest {
        model: AttributionModel::Linear as i32,
        ..presentation(SPEED)
    };
    let card = harness.reports().get_presentation_scorecard(request).await;
    let card = card.unwrap().into_inner();
    assert_eq!(
        (card.cac, card.cac_media_only),
        (euros(51_500), euros(45_000))
    );
    // No media is no cost, where customers were created; nobody created is no answer.
    let card = campaign(&harness, TOUGH, AttributionModel::Linear).await;
    assert_eq!(card.cac_media_only, euros(0));
    let card = campaign(&harness, TOUGH, AttributionModel::Last).await;
    assert_eq!(card.cac_media_only, None);
}

#[tokio::test]
async fn a_spend_that_came_back_before_the_start_was_paid_back_on_day_0() {
    let harness = Harness::start_listening().await;
    let mut retention = Retention::default();
    harness.publish().await;
    let prospect = harness.prospect().await;
    record(&harness, &prospect, "a", &met(-9 * DAY, FAST, "speed")).await;
    convert(&harness, &prospect, -8 * DAY, Some(40_000), "EUR").await;
    let bought = (-8 * DAY, 40_000);
    retention.bought(&harness, &prospect, "1", bought).await;
    run(&harness, "fast", "speed").await;
    spend(&harness, "fast", "media", 20_000, "speed", 0).await;
    let card = campaign(&harness, FAST, AttributionModel::Last).await;
    assert_eq!((card.created, card.payback_days), (1.0, Some(0)));
    spend(&harness, "fast", "more", 1, "speed", 0).await;
    let card = campaign(&harness, FAST, AttributionModel::Last).await;
    assert_eq!(card.payback_days, None);
}

#[tokio::test]
async fn a_touch_that_names_no_presentation_presents_what_its_campaign_claims() {
    let harness = Harness::start().await;
    harness.publish().await;
    run(&harness, "fast", "speed").await;
    run(&harness, "tough", "durable").await;
    for (name, shown) in [(FAST, ""), (FAST, "speed"), (TOUGH, ""), (FAST, "durable")] {
        let prospect = harness.prospect().await;
        record(&harness, &prospect, "a", &met(-DAY, name, shown)).await;
    }
    let name = "propositions/van-repair/benefits/next-day";
    let card = harness.reports().get_benefit_scorecard(benefit(name)).await;
    let card = card.unwrap().into_inner();
    assert_eq!(card.presented.unwrap().prospects, 2);
    assert_eq!(card.not_presented.unwrap().prospects, 2);
}

#[tokio::test]
async fn markov_has_no_credit_per_customer() {
    let harness = Harness::start().await;
    harness.publish().await;
    run(&harness, "fast", "speed").await;
    let markov = AttributionModel::Markov as i32;
    let request = proto::GetCampaignScorecardRequest {
        name: FAST.to_owned(),
        model: markov,
        ..Default::default()
    };
    let refusal = refused(harness.campaigns().get_campaign_scorecard(request).await);
    assert_eq!(refusal.0, Code::InvalidArgument);
    let request = proto::GetPresentationScorecardRequest {
        model: markov,
        ..presentation(SPEED)
    };
    let refusal = refused(harness.reports().get_presentation_scorecard(request).await);
    assert_eq!(refusal.0, Code::InvalidArgument);
}

#[tokio::test]
async fn a_presentation_shows_its_customers_its_promises_and_the_spend_that_names_it() {
    let harness = Harness::start_listening().await;
    let (mut retention, prospect) = begin(&harness).await;
    retention
        .judged(&harness, &prospect, "next-day", (0, true))
        .await;
    let mut reports = harness.reports();
    let asked = reports
        .get_presentation_scorecard(presentation(SPEED))
        .await;
    let card = asked.unwrap().into_inner();
    assert_eq!((card.created, card.active, card.lost), (1.0, 1.0, 0.0));
    assert_eq!((card.spend, card.cac), (euros(100_000), euros(100_000)));
    assert_eq!(
        (card.equity, card.equity_per_spend),
        (euros(30_000), Some(0.3))
    );
    assert_eq!(card.promises.unwrap().kept_rate, Some(1.0));
    assert_eq!((card.flagged, card.payback_days), (false, None));
    let durable = SPEED.replace("speed", "durable");
    let asked = reports
        .get_presentation_scorecard(presentation(&durable))
        .await;
    let card = asked.unwrap().into_inner();
    assert_eq!(
        (card.spend, card.cac, card.equity_per_spend),
        (None, None, None)
    );
    assert_eq!(
        (card.created, card.promises.unwrap().kept_rate),
        (0.0, None)
    );
    let dollars = proto::GetPresentationScorecardRequest {
        currency_code: "USD".to_owned(),
        ..presentation(SPEED)
    };
    let card = reports.get_presentation_scorecard(dollars).await;
    let card = card.unwrap().into_inner();
    assert_eq!((card.created, card.other_currency_customers), (1.0, 1));
    assert_eq!((card.spend, card.equity.unwrap().minor_units), (None, 0));
    let nowhere = SPEED.replace("speed", "nowhere");
    let refusal = refused(
        reports
            .get_presentation_scorecard(presentation(&nowhere))
            .await,
    );
    assert_eq!(refusal.0, Code::NotFound);
}

#[tokio::test]
async fn a_benefit_shows_whom_it_reached_and_who_stayed_when_it_was_kept_or_broken() {
    let harness = Harness::start_listening().await;
    let (mut retention, kept) = begin(&harness).await;
    let broken = harness.prospect().await;
    record(&harness, &broken, "a", &met(-DAY, FAST, "speed")).await;
    convert(&harness, &broken, 0, None, "EUR").await;
    retention.promised(&harness, &broken, "next-day").await;
    retention
        .judged(&harness, &kept, "next-day", (DAY, true))
        .await;
    retention
        .judged(&harness, &broken, "next-day", (DAY, false))
        .await;
    retention.lost(&harness, &broken, 30 * DAY).await;
    // Reached by the other presentation only, or not by this proposition at all.
    let other = harness.prospect().await;
    record(&harness, &other, "a", &met(-DAY, TOUGH, "durable")).await;
    let elsewhere = harness.prospect().await;
    record(&harness, &elsewhere, "a", &met(-DAY, "", "")).await;

    harness.clock.set(Time::from_seconds(NOW + 365 * DAY));
    let mut reports = harness.reports();
    let name = "propositions/van-repair/benefits/next-day";
    let asked = reports.get_benefit_scorecard(benefit(name)).await;
    let card = asked.unwrap().into_inner();
    let (presented, not) = (card.presented.unwrap(), card.not_presented.unwrap());
    assert_eq!((presented.prospects, presented.converted), (2, 2));
    assert_eq!((not.prospects, not.converted), (1, 0));
    assert_eq!(not.conversion_rate, Some(0.0));
    let promises = card.promises.unwrap();
    assert_eq!((promises.made, promises.kept, promises.broken), (2, 1, 1));
    let (kept, broken) = (card.kept.unwrap(), card.broken.unwrap());
    assert_eq!((kept.eligible, kept.rate), (1, Some(1.0)));
    assert_eq!((broken.eligible, broken.rate), (1, Some(0.0)));
    let never = card.never_promised.unwrap();
    assert_eq!((never.customers, never.rate, card.reward), (0, None, None));
    assert_eq!((card.kano_class, card.kano_threshold), (None, 0.05));

    let early = proto::GetBenefitScorecardRequest {
        as_of: at(365 * DAY - 1),
        ..benefit(name)
    };
    let card = reports.get_benefit_scorecard(early).await.unwrap();
    let kept = card.into_inner().kept.unwrap();
    assert_eq!((kept.customers, kept.eligible, kept.rate), (1, 0, None));
    let unknown = name.replace("next-day", "warp");
    let refusal = refused(reports.get_benefit_scorecard(benefit(&unknown)).await);
    assert_eq!(refusal.0, Code::NotFound);
}

/// How much of the customers a campaign is credited with, by its scorecard.
async fn created(harness: &Harness, name: &str, model: AttributionModel) -> f64 {
    campaign(harness, name, model).await.created
}

#[tokio::test]
async fn touches_told_long_after_the_conversion_count_however_many_there_are() {
    let harness = Harness::start_listening().await;
    harness.publish().await;
    run(&harness, "fast", "speed").await;
    run(&harness, "tough", "durable").await;
    let prospect = harness.prospect().await;
    record(&harness, &prospect, "first", &met(-DAY, FAST, "speed")).await;
    convert(&harness, &prospect, 0, Some(40_000), "EUR").await;
    let known = campaign(&harness, FAST, AttributionModel::Linear).await;
    let known = known.known_at_position;
    // More than a page of facts; on the way something else is told as well.
    for told in 1..80_u32 {
        let id = format!("late-{told}");
        record(&harness, &prospect, &id, &met(-2 * DAY, TOUGH, "durable")).await;
        if !told.is_multiple_of(7) && ![29, 30, 31, 32].contains(&told) {
            continue;
        }
        let linear = AttributionModel::Linear;
        let (fast, tough) = (
            created(&harness, FAST, linear).await,
            created(&harness, TOUGH, linear).await,
        );
        let expected = 1.0 / f64::from(told + 1);
        assert!((fast - expected).abs() < 1e-12, "{told}: {fast}");
        assert!((fast + tough - 1.0).abs() < 1e-9, "{told}: {tough}");
        let last = created(&harness, FAST, AttributionModel::Last).await;
        let first = created(&harness, TOUGH, AttributionModel::First).await;
        assert!(
            (last - 1.0).abs() < 1e-12 && (first - 1.0).abs() < 1e-12,
            "{told}"
        );
    }
    // What was not known then is not known then.
    let request = proto::GetCampaignScorecardRequest {
        name: FAST.to_owned(),
        model: AttributionModel::Linear as i32,
        known_at_position: known,
        ..Default::default()
    };
    let card = harness.campaigns().get_campaign_scorecard(request).await;
    assert!((card.unwrap().into_inner().created - 1.0).abs() < 1e-12);
}
