//! The same question gives the same answer for ever, whatever is told later and wherever it is asked.

use std::sync::Arc;
use std::time::Duration;

use eventsourcing::Time;
use patron_proto::acquisition::v1 as proto;
use prost::Message as _;
use prost_types::Timestamp;
use runtime::Options;
use tokio::time::Instant;

use crate::attribution::{run, spend};
use crate::business::{DAY, convert, met, record};
use crate::harness::{Harness, NOW, at};
use crate::retention::Retention;

const FAST: &str = "propositions/van-repair/campaigns/fast";

/// With which knowledge.
#[derive(Debug, Clone, Default)]
struct Knowledge {
    as_of: Option<Timestamp>,
    known_at: Option<Timestamp>,
    token: String,
}

/// The bytes of every report.
async fn reports(harness: &Harness, known: &Knowledge) -> Vec<Vec<u8>> {
    let (as_of, known_at, token) = (known.as_of, known.known_at, known.token.clone());
    let mut answers = Vec::new();
    for model in 1..=7 {
        let request = proto::GetAttributionRequest {
            model,
            dimension: proto::AttributionDimension::Campaign as i32,
            currency_code: "EUR".to_owned(),
            as_of,
            known_at,
            known_at_position: token.clone(),
            ..Default::default()
        };
        let answer = harness.reports().get_attribution(request).await.unwrap();
        answers.push(answer.into_inner().encode_to_vec());
    }
    let funnel = proto::GetFunnelRequest {
        dimension: proto::FunnelDimension::Campaign as i32,
        as_of,
        known_at,
        known_at_position: token.clone(),
        ..Default::default()
    };
    let answer = harness.reports().get_funnel(funnel).await.unwrap();
    answers.push(answer.into_inner().encode_to_vec());
    for model in [0, 3] {
        let card = proto::GetCampaignScorecardRequest {
            name: FAST.to_owned(),
            model,
            as_of,
            known_at,
            known_at_position: token.clone(),
            ..Default::default()
        };
        let answer = harness.campaigns().get_campaign_scorecard(card).await;
        answers.push(answer.unwrap().into_inner().encode_to_vec());
    }
    let card = proto::GetPresentationScorecardRequest {
        name: "propositions/van-repair/presentations/speed".to_owned(),
        currency_code: "EUR".to_owned(),
        as_of,
        known_at,
        known_at_position: token.clone(),
        ..Default::default()
    };
    let answer = harness.reports().get_presentation_scorecard(card).await;
    answers.push(answer.unwrap().into_inner().encode_to_vec());
    let card = proto::GetBenefitScorecardRequest {
        name: "propositions/van-repair/benefits/next-day".to_owned(),
        as_of,
        known_at,
        known_at_position: token,
    };
    let answer = harness.reports().get_benefit_scorecard(card).await;
    answers.push(answer.unwrap().into_inner().encode_to_vec());
    answers
}

/// Two customers of `fast`, one with a broken promise.
async fn begin(harness: &Harness, retention: &mut Retention) -> [String; 2] {
    harness.publish().await;
    run(harness, "fast", "speed").await;
    spend(harness, "fast", "media", 100_000, "speed", 0).await;
    let mut prospects = [String::new(), String::new()];
    for prospect in &mut prospects {
        *prospect = harness.prospect().await;
        record(harness, prospect, "first", &met(-DAY, FAST, "speed")).await;
        convert(harness, prospect, 0, Some(40_000), "EUR").await;
        retention.promised(harness, prospect, "next-day").await;
        retention.bought(harness, prospect, "1", (0, 40_000)).await;
    }
    retention
        .judged(harness, &prospects[0], "next-day", (0, false))
        .await;
    prospects
}

/// Everything that can be told late, dated before the questions.
async fn tell_late(harness: &Harness, retention: &mut Retention, prospects: &[String; 2]) {
    let tough = "propositions/van-repair/campaigns/tough";
    record(harness, &prospects[0], "late", &met(-60, tough, "durable")).await;
    spend(harness, "fast", "invoice", 5_000, "speed", 0).await;
    let another = harness.prospect().await;
    record(harness, &another, "first", &met(-DAY, FAST, "speed")).await;
    convert(harness, &another, 0, Some(1_000), "EUR").await;
    retention.bought(harness, &another, "1", (0, 1_000)).await;
    retention
        .bought(harness, &prospects[1], "2", (0, 70_000))
        .await;
    retention
        .judged(harness, &prospects[1], "next-day", (0, true))
        .await;
    retention.lost(harness, &prospects[0], 0).await;
}

#[tokio::test]
async fn an_answer_stays_what_it_was_after_late_facts_and_after_the_rows_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        data: Some(folder.path().join("acquisition")),
        ..Options::for_pair("acquisition", "retention")
    };
    let clock = Arc::new(eventsourcing::FixedClock::at(Time::from_seconds(NOW)));
    let topics =
        journal::memory::MemoryTopics::new(Arc::<eventsourcing::FixedClock>::clone(&clock));
    let harness = Harness::start_on(topics.clone(), Arc::clone(&clock), options.clone()).await;
    let mut retention = Retention::default();
    let prospects = begin(&harness, &mut retention).await;
    harness.clock.set(Time::from_seconds(NOW + 30));
    let first = harness
        .reports()
        .get_funnel(proto::GetFunnelRequest::default())
        .await
        .unwrap()
        .into_inner();
    let by_token = Knowledge {
        as_of: first.as_of,
        token: first.known_at_position,
        ..Default::default()
    };
    let told = reports(&harness, &by_token).await;

    harness.clock.set(Time::from_seconds(NOW + 100));
    tell_late(&harness, &mut retention, &prospects).await;
    assert_eq!(reports(&harness, &by_token).await, told);
    let now = Knowledge {
        as_of: first.as_of,
        ..Default::default()
    };
    let differ = reports(&harness, &now).await;
    for (i, (known, now)) in told.iter().zip(&differ).enumerate() {
        assert_ne!(known, now, "report {i} sees what was told late");
    }

    harness.clock.set(Time::from_seconds(NOW + 200));
    let by_time = Knowledge {
        as_of: first.as_of,
        known_at: at(30),
        ..Default::default()
    };
    let then = reports(&harness, &by_time).await;

    let deadline = Instant::now() + Duration::from_secs(10);
    harness.running.engine.drain(deadline).await;
    drop(harness);
    std::fs::remove_dir_all(folder.path().join("acquisition")).unwrap();
    let rebuilt = Harness::start_on(topics, clock, options).await;
    assert_eq!(reports(&rebuilt, &by_token).await, told);
    assert_eq!(reports(&rebuilt, &by_time).await, then);
}

#[tokio::test]
async fn what_is_known_by_time_and_by_position_is_the_same() {
    let harness = Harness::start_listening().await;
    let mut retention = Retention::default();
    let prospects = begin(&harness, &mut retention).await;
    harness.clock.set(Time::from_seconds(NOW + 30));
    let request = proto::GetFunnelRequest::default();
    let first = harness.reports().get_funnel(request).await.unwrap();
    let first = first.into_inner();
    harness.clock.set(Time::from_seconds(NOW + 100));
    tell_late(&harness, &mut retention, &prospects).await;
    let by_time = proto::GetFunnelRequest {
        as_of: first.as_of,
        known_at: at(30),
        ..Default::default()
    };
    let then = harness.reports().get_funnel(by_time).await.unwrap();
    let then = then.into_inner();
    assert_eq!(then.known_at_position, "");
    assert_eq!(
        proto::Funnel {
            known_at_position: first.known_at_position.clone(),
            ..then
        },
        first
    );
}
