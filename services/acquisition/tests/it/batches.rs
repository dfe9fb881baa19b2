//! Touches that come many at a time.

use eventsourcing::Time;
use patron_proto::acquisition::v1 as proto;
use tonic::Code;

use crate::harness::{Harness, NOW, at, new_id, refused};

fn item(prospect: &str, id: &str, seconds: i64) -> proto::TouchpointItem {
    proto::TouchpointItem {
        parent: prospect.to_owned(),
        touchpoint: Some(proto::Touchpoint {
            touchpoint_id: id.to_owned(),
            channel: "search".to_owned(),
            kind: proto::TouchpointKind::Click as i32,
            occurred_at: at(seconds),
            ..Default::default()
        }),
    }
}

async fn record(
    harness: &Harness,
    items: Vec<proto::TouchpointItem>,
) -> Vec<proto::TouchpointResult> {
    let request = proto::BatchRecordTouchpointsRequest {
        items,
        request_id: new_id(),
    };
    let mut client = harness.prospects();
    let answer = client.batch_record_touchpoints(request).await.unwrap();
    answer.into_inner().results
}

#[tokio::test]
async fn each_item_says_whether_it_was_recorded_before_or_why_not() {
    let harness = Harness::start().await;
    let prospect = harness.prospect().await;
    record(&harness, vec![item(&prospect, "known", -60)]).await;
    let results = record(
        &harness,
        vec![
            item(&prospect, "known", -60),
            item(&prospect, "new", -50),
            item(&prospect, "new", -50),
            item(&prospect, "new", -40),
            item(&prospect, "future", 4_000),
            item(&prospect, "Ill Formed", -40),
        ],
    )
    .await;
    let told: Vec<(i32, bool)> = results
        .iter()
        .map(|result| (result.code, result.unchanged))
        .collect();
    let (exists, invalid) = (Code::AlreadyExists as i32, Code::InvalidArgument as i32);
    assert_eq!(
        told,
        [
            (0, true),
            (0, false),
            (0, true),
            (exists, false),
            (invalid, false),
            (invalid, false)
        ]
    );
    assert_eq!(results[4].reason, "FUTURE_TIME");
}

#[tokio::test]
async fn a_batch_that_comes_twice_is_answered_alike_and_recorded_once() {
    let harness = Harness::start().await;
    let names = [harness.prospect().await, harness.prospect().await];
    let items = (0..400).map(|i| item(&names[i % 2], &format!("t{i}"), -60));
    let request = proto::BatchRecordTouchpointsRequest {
        items: items.collect(),
        request_id: new_id(),
    };
    let mut client = harness.prospects();
    let first = client.batch_record_touchpoints(request.clone()).await;
    let first = first.unwrap().into_inner().results;
    assert!(first.iter().all(|r| r.code == 0 && !r.unchanged));
    let again = client.batch_record_touchpoints(request).await;
    let again = again.unwrap().into_inner().results;
    assert!(again.iter().all(|r| r.code == 0 && r.unchanged));
    for name in names {
        let get = proto::GetProspectRequest {
            name,
            ..Default::default()
        };
        let found = client.get_prospect(get).await.unwrap().into_inner();
        assert_eq!(found.touchpoint_count, 200);
    }
}

#[tokio::test]
async fn what_was_refused_when_the_batch_came_first_is_not_called_recorded() {
    let harness = Harness::start().await;
    let prospect = harness.prospect().await;
    let request = proto::BatchRecordTouchpointsRequest {
        items: vec![item(&prospect, "now", 0), item(&prospect, "ahead", 4_000)],
        request_id: new_id(),
    };
    let mut client = harness.prospects();
    let first = client.batch_record_touchpoints(request.clone()).await;
    assert_eq!(first.unwrap().into_inner().results[1].reason, "FUTURE_TIME");
    harness.clock.set(Time::from_seconds(NOW + 5_000));
    let again = client.batch_record_touchpoints(request).await;
    let results = again.unwrap().into_inner().results;
    assert_eq!((results[0].code, results[0].unchanged), (0, true));
    assert_eq!(
        (results[1].code, results[1].reason.as_str()),
        (Code::FailedPrecondition as i32, "REFUSED_BEFORE")
    );
    assert!(!results[1].unchanged);
}

#[tokio::test]
async fn a_batch_has_a_limit() {
    let harness = Harness::start().await;
    let prospect = harness.prospect().await;
    let items = |count: usize| (0..count).map(|i| item(&prospect, &format!("t{i}"), -60));
    let request = |count| proto::BatchRecordTouchpointsRequest {
        items: items(count).collect(),
        request_id: new_id(),
    };
    let mut client = harness.prospects();
    let refusal = refused(client.batch_record_touchpoints(request(1_001)).await);
    let limit = (Code::ResourceExhausted, "LIMIT_EXCEEDED".to_owned());
    assert_eq!(refusal, limit);
    let largest = client.batch_record_touchpoints(request(1_000)).await;
    let results = largest.unwrap().into_inner().results;
    assert!(results.len() == 1_000 && results.iter().all(|result| result.code == 0));
}
