//! Scorecards: who stayed how long, what was paid back when, and what became of promises.

use eventsourcing::Time;
use patron_proto::acquisition::v1 as proto;

use crate::attribution::{run, spend};
use crate::business::{DAY, convert, met, record};
use crate::harness::{Harness, NOW, at, euros};
use crate::retention::Retention;

const FAST: &str = "propositions/van-repair/campaigns/fast";
const SPEED: &str = "propositions/van-repair/presentations/speed";

/// What both kinds of scorecards say.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    /// After how many days, of how many, what share.
    stayed: Vec<(i32, f64, Option<f64>)>,
    payback_days: Option<i32>,
    ltv_to_cac: Option<f64>,
    cac: Option<i64>,
    other_currency: i32,
    promises: proto::PromiseTally,
}

fn stayed(retention: &[proto::RetentionAfter]) -> Vec<(i32, f64, Option<f64>)> {
    let retention = retention.iter();
    retention
        .map(|after| (after.days, after.eligible, after.rate))
        .collect()
}

/// The same of the campaign and of its only presentation, so many seconds from now.
async fn said(harness: &Harness, as_of: i64) -> Said {
    let request = proto::GetCampaignScorecardRequest {
        name: FAST.to_owned(),
        as_of: at(as_of),
        ..Default::default()
    };
    let card = harness.campaigns().get_campaign_scorecard(request).await;
    let card = card.unwrap().into_inner();
    let of_campaign = Said {
        stayed: stayed(&card.retention),
        payback_days: card.payback_days,
        ltv_to_cac: card.ltv_to_cac,
        cac: card.cac.map(|cac| cac.minor_units),
        other_currency: card.other_currency_customers,
        promises: card.promises.unwrap(),
    };
    let request = proto::GetPresentationScorecardRequest {
        name: SPEED.to_owned(),
        currency_code: "EUR".to_owned(),
        as_of: at(as_of),
        ..Default::default()
    };
    let card = harness.reports().get_presentation_scorecard(request).await;
    let card = card.unwrap().into_inner();
    let of_presentation = Said {
        stayed: stayed(&card.retention),
        payback_days: card.payback_days,
        ltv_to_cac: card.ltv_to_cac,
        cac: card.cac.map(|cac| cac.minor_units),
        other_currency: card.other_currency_customers,
        promises: card.promises.unwrap(),
    };
    // The conversions name the presentation and no campaign.
    assert_eq!(of_campaign.promises, proto::PromiseTally::default());
    let promises = of_presentation.promises;
    let of_campaign = Said {
        promises,
        ..of_campaign
    };
    assert_eq!(of_campaign, of_presentation);
    of_presentation
}

/// The campaign runs, and this was spent on it.
async fn begin(harness: &Harness, spent: i64) {
    harness.publish().await;
    run(harness, "fast", "speed").await;
    spend(harness, "fast", "media", spent, "speed", 0).await;
}

/// A customer of the campaign.
async fn customer(harness: &Harness, since: i64, currency: &str) -> String {
    let prospect = harness.prospect().await;
    let touch = met(since - DAY, FAST, "speed");
    record(harness, &prospect, "a", &touch).await;
    convert(harness, &prospect, since, None, currency).await;
    prospect
}

#[tokio::test]
async fn who_stayed_so_long_is_asked_of_those_for_whom_it_is_past() {
    let harness = Harness::start_listening().await;
    let mut retention = Retention::default();
    begin(&harness, 30_000).await;
    harness.clock.set(Time::from_seconds(NOW + 400 * DAY));
    let short = customer(&harness, 0, "EUR").await;
    let long = customer(&harness, 0, "EUR").await;
    customer(&harness, 350 * DAY, "EUR").await;
    retention.lost(&harness, &short, 20 * DAY).await;
    retention.lost(&harness, &long, 364 * DAY).await;

    let now = said(&harness, 400 * DAY).await;
    let two_thirds = Some(2.0 / 3.0);
    assert_eq!(
        now.stayed,
        [
            (30, 3.0, two_thirds),
            (90, 2.0, Some(0.5)),
            (365, 2.0, Some(0.0))
        ]
    );
    let before = said(&harness, 364 * DAY).await;
    assert_eq!(
        before.stayed,
        [(30, 2.0, Some(0.5)), (90, 2.0, Some(0.5)), (365, 0.0, None)]
    );
    let early = said(&harness, 30 * DAY - 1).await;
    assert_eq!(early.stayed[0], (30, 0.0, None));
    let first = said(&harness, 30 * DAY).await;
    assert_eq!(first.stayed[0], (30, 2.0, Some(0.5)));
}

#[tokio::test]
async fn a_spend_is_paid_back_on_the_day_on_which_the_margins_reach_it() {
    let harness = Harness::start_listening().await;
    let mut retention = Retention::default();
    begin(&harness, 30_000).await;
    harness.clock.set(Time::from_seconds(NOW + 60 * DAY));
    let prospect = customer(&harness, 0, "EUR").await;
    // Half of each is margin: 100.00, 299.99, 300.00.
    for (purchase, day, amount) in [("1", 3, 20_000), ("2", 12, 39_998), ("3", 40, 2)] {
        let bought = (day * DAY, amount);
        retention
            .bought(&harness, &prospect, purchase, bought)
            .await;
    }
    assert_eq!(said(&harness, 40 * DAY - 1).await.payback_days, None);
    assert_eq!(said(&harness, 60 * DAY).await.payback_days, Some(40));
    // What came back before counts from then on.
    let back = (50 * DAY, 2);
    retention
        .reversed(&harness, &prospect, ("3", "r"), back)
        .await;
    assert_eq!(said(&harness, 60 * DAY).await.payback_days, Some(40));
    let more = (12 * DAY, 2);
    retention.bought(&harness, &prospect, "4", more).await;
    assert_eq!(said(&harness, 60 * DAY).await.payback_days, Some(12));
}

#[tokio::test]
async fn the_mean_value_is_of_customers_of_the_currency_and_the_cost_of_all() {
    let harness = Harness::start_listening().await;
    let mut retention = Retention::default();
    begin(&harness, 60_000).await;
    customer(&harness, 0, "USD").await;
    let nobody_valued = said(&harness, 0).await;
    assert_eq!(
        (nobody_valued.cac, nobody_valued.ltv_to_cac),
        (Some(60_000), None)
    );
    let prospect = customer(&harness, 0, "EUR").await;
    retention
        .bought(&harness, &prospect, "1", (0, 40_000))
        .await;
    // Worth 300.00, at a cost of 300.00 for each of the two.
    let card = said(&harness, 0).await;
    assert_eq!((card.cac, card.other_currency), (Some(30_000), 1));
    assert_eq!(card.ltv_to_cac, Some(1.0));
    customer(&harness, 0, "EUR").await;
    let card = said(&harness, 0).await;
    assert_eq!((card.cac, card.ltv_to_cac), (Some(20_000), Some(0.75)));
    assert_eq!(euros(20_000).map(|money| money.minor_units), card.cac);
}

/// The same story is told of retention's promise ledger in its `read_model/ledger/tests.rs`.
#[tokio::test]
async fn an_overdue_promise_is_open_and_none_is_found_overdue_while_its_customer_is_lost() {
    let harness = Harness::start_listening().await;
    let mut retention = Retention::default();
    begin(&harness, 30_000).await;
    let late = customer(&harness, 0, "EUR").await;
    let gone = customer(&harness, 0, "EUR").await;
    for prospect in [&late, &gone] {
        retention.promised(&harness, prospect, "next-day").await;
    }
    retention.lost(&harness, &gone, 10 * DAY).await;
    retention
        .overdue(&harness, &late, "next-day", 31 * DAY)
        .await;
    harness.clock.set(Time::from_seconds(NOW + 60 * DAY));
    let counts = async |as_of| {
        let promises = said(&harness, as_of).await.promises;
        (
            promises.made,
            promises.open,
            promises.overdue,
            promises.kept,
        )
    };
    assert_eq!(counts(31 * DAY - 1).await, (2, 2, 0, 0));
    assert_eq!(counts(60 * DAY).await, (2, 2, 1, 0));
    let kept = (40 * DAY, true);
    retention.judged(&harness, &late, "next-day", kept).await;
    assert_eq!(counts(39 * DAY).await, (2, 2, 1, 0));
    assert_eq!(counts(60 * DAY).await, (2, 1, 0, 1));
}
