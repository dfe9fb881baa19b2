//! Customers are valued as retention values them: with the assumptions and the model of their ledger.

use customer_value::bg_nbd::{self, Parameters, Variant};
use customer_value::gamma_gamma::{SpendModel, SpendParameters};
use customer_value::{PurchaseDays, Terms, Unit, Valuer};
use eventsourcing::Time;
use patron_proto::acquisition::v1 as proto;
use patron_proto::retention::v1 as told;

use crate::attribution::{run, spend};
use crate::business::{DAY, convert, met, record};
use crate::harness::{Harness, NOW, at, euros};
use crate::retention::Retention;

const FAST: &str = "propositions/van-repair/campaigns/fast";
const SPEED: &str = "propositions/van-repair/presentations/speed";

/// One customer of the campaign, worth 300.00 as long as nobody has assumed anything.
async fn begin(harness: &Harness) -> (Retention, String) {
    let mut retention = Retention::default();
    harness.publish().await;
    run(harness, "fast", "speed").await;
    spend(harness, "fast", "media", 100_000, "speed", 0).await;
    let prospect = harness.prospect().await;
    record(harness, &prospect, "a", &met(-DAY, FAST, "speed")).await;
    convert(harness, &prospect, 0, Some(40_000), "EUR").await;
    retention.bought(harness, &prospect, "1", (0, 40_000)).await;
    (retention, prospect)
}

async fn ask(
    harness: &Harness,
    request: proto::GetCampaignScorecardRequest,
) -> proto::CampaignScorecard {
    let request = proto::GetCampaignScorecardRequest {
        name: FAST.to_owned(),
        ..request
    };
    let card = harness.campaigns().get_campaign_scorecard(request).await;
    card.unwrap().into_inner()
}

async fn now(harness: &Harness) -> proto::CampaignScorecard {
    ask(harness, proto::GetCampaignScorecardRequest::default()).await
}

fn simple(retention: f64, discount: f64) -> told::Assumptions {
    told::Assumptions {
        method: told::ValueMethod::Simple as i32,
        annual_discount_rate: discount,
        annual_retention_rate: retention,
        default_margin_rate: 0.5,
        horizon_months: 12,
        inactivity_days: None,
    }
}

fn basis(retention: f64, discount: f64) -> proto::ValueBasis {
    proto::ValueBasis {
        method: "SIMPLE".to_owned(),
        annual_retention_rate: retention,
        annual_discount_rate: discount,
        ledger: "ledgers/EUR".to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_scorecard_follows_the_assumptions_of_its_ledger_and_an_old_answer_stays() {
    let harness = Harness::start_listening().await;
    let (mut retention, _) = begin(&harness).await;
    harness.clock.set(Time::from_seconds(NOW + 30));
    let before = now(&harness).await;
    assert_eq!(before.equity, euros(30_000));
    assert_eq!(before.value_basis, Some(basis(0.75, 0.25)));

    harness.clock.set(Time::from_seconds(NOW + 100));
    // The books of another currency say nothing of these customers.
    retention.assumed(&harness, "USD", simple(0.9, 0.0)).await;
    assert_eq!(now(&harness).await.equity, euros(30_000));
    retention.assumed(&harness, "EUR", simple(0.5, 0.5)).await;
    retention.assumed(&harness, "EUR", simple(0.8, 0.2)).await;
    let after = now(&harness).await;
    assert_eq!(after.equity, euros(40_000));
    assert_eq!(
        (after.equity_per_spend, after.ltv_to_cac),
        (Some(0.4), Some(0.4))
    );
    assert_eq!(after.value_basis, Some(basis(0.8, 0.2)));
    let request = proto::GetPresentationScorecardRequest {
        name: SPEED.to_owned(),
        currency_code: "EUR".to_owned(),
        ..Default::default()
    };
    let shown = harness.reports().get_presentation_scorecard(request).await;
    let shown = shown.unwrap().into_inner();
    assert_eq!(
        (shown.equity, shown.value_basis),
        (euros(40_000), after.value_basis)
    );

    let again = proto::GetCampaignScorecardRequest {
        as_of: before.as_of,
        known_at_position: before.known_at_position.clone(),
        ..Default::default()
    };
    assert_eq!(ask(&harness, again).await, before);
    harness.clock.set(Time::from_seconds(NOW + 200));
    let then = proto::GetCampaignScorecardRequest {
        known_at: at(30),
        ..Default::default()
    };
    let then = ask(&harness, then).await;
    assert_eq!(then.equity, euros(30_000));
    assert_eq!(then.value_basis, before.value_basis);
    // What is assumed is a matter of knowledge, not of the moment that is asked about.
    let early = proto::GetCampaignScorecardRequest {
        as_of: before.as_of,
        ..Default::default()
    };
    assert_eq!(ask(&harness, early).await.equity, euros(40_000));
}

const PURCHASES: Parameters = Parameters {
    r: 0.525,
    alpha: 6.183,
    a: 0.891,
    b: 1.614,
};
const SPEND: SpendParameters = SpendParameters {
    p: 6.25,
    q: 3.74,
    v: 15.44,
};

fn fitted(number: i32, flags: Vec<i32>) -> told::ModelFitted {
    let Parameters { r, alpha, a, b } = PURCHASES;
    let SpendParameters { p, q, v } = SPEND;
    told::ModelFitted {
        ledger: "ledgers/EUR".to_owned(),
        number,
        fit: Some(told::ModelFit {
            unit_days: 7,
            purchases: Some(told::PurchaseFit {
                model: told::PurchaseModel::MbgNbd as i32,
                parameters: Some(told::PurchaseParameters { r, alpha, a, b }),
                ..Default::default()
            }),
            spend: Some(told::SpendFit {
                parameters: Some(told::SpendParameters { p, q, v }),
                ..Default::default()
            }),
            flags,
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The value of somebody who bought so much margin on these days, so many days after the conversion.
#[expect(clippy::cast_possible_truncation, reason = "a small amount")]
fn by_model(margins: &[(i64, i64)], after: i64) -> i64 {
    let day = |days: i64| i32::try_from(NOW / DAY + days).unwrap();
    let mut days = PurchaseDays::default();
    for (on, margin) in margins {
        days.record(day(*on), *margin);
    }
    let summary = days.as_of(day(after)).unwrap();
    let seen = summary.cell.seen(day(after), Unit::Weeks).unwrap();
    let model = bg_nbd::Model::new(Variant::MbgNbd, PURCHASES).unwrap();
    let terms = Terms::new(24, 0.1, Unit::Weeks).unwrap();
    let purchases = Valuer::new(model, terms).purchases(&seen);
    let repeat_spend = f64::from(i32::try_from(summary.repeat_spend_minor).unwrap()) / 100.0;
    let spend = SpendModel::new(SPEND).unwrap();
    let major = purchases * spend.expected_spend(seen.x(), repeat_spend);
    (major * 100.0).round() as i64
}

#[tokio::test]
async fn a_model_of_the_ledger_values_what_customers_bought_and_took_back() {
    let harness = Harness::start_listening().await;
    let (mut retention, prospect) = begin(&harness).await;
    for (id, days, amount) in [("2", 20, 60_000), ("3", 41, 20_000), ("4", 60, 10_000)] {
        let when = (days * DAY, amount);
        retention.bought(&harness, &prospect, id, when).await;
    }
    let part = (70 * DAY, 30_000);
    retention
        .reversed(&harness, &prospect, ("2", "a"), part)
        .await;
    // In two steps, the second one of which leaves nothing of the day.
    for (reversal, amount) in [("a", 4_000), ("b", 6_000)] {
        let which = ("4", reversal);
        retention
            .reversed(&harness, &prospect, which, (71 * DAY, amount))
            .await;
    }
    let first = fitted(1, vec![]);
    retention
        .tells_of_ledger(&harness, "EUR", "ModelFitted", &first)
        .await;
    let in_vain = vec![told::ModelFlag::WorseThanNaive as i32];
    let second = fitted(2, in_vain);
    retention
        .tells_of_ledger(&harness, "EUR", "ModelFitted", &second)
        .await;
    let assumptions = told::Assumptions {
        method: told::ValueMethod::MbgNbd as i32,
        horizon_months: 24,
        ..simple(0.75, 0.1)
    };
    harness.clock.set(Time::from_seconds(NOW + 100 * DAY));
    let before = now(&harness).await;
    assert_eq!(before.value_basis.unwrap().method, "SIMPLE");
    retention.assumed(&harness, "EUR", assumptions).await;

    let card = now(&harness).await;
    let worth = by_model(&[(0, 20_000), (20, 15_000), (41, 10_000)], 100);
    assert_eq!(card.equity, euros(worth));
    assert_ne!(before.equity, card.equity);
    let at_creation = by_model(&[(0, 20_000)], 0);
    #[expect(clippy::cast_precision_loss, reason = "a small amount")]
    let ltv_to_cac = at_creation as f64 / 100_000.0;
    assert_eq!(card.ltv_to_cac, Some(ltv_to_cac));
    let basis = card.value_basis.unwrap();
    assert_eq!(
        (basis.method.as_str(), basis.annual_discount_rate),
        ("MBG_NBD", 0.1)
    );
    assert_eq!(
        (basis.model.as_str(), basis.horizon_months),
        ("ledgers/EUR/models/1", Some(24))
    );

    // Before the last reversals were made, their purchase still was one.
    let early = proto::GetCampaignScorecardRequest {
        as_of: at(65 * DAY),
        ..Default::default()
    };
    let all = [(0, 20_000), (20, 30_000), (41, 10_000), (60, 5_000)];
    assert_eq!(ask(&harness, early).await.equity, euros(by_model(&all, 65)));
}
