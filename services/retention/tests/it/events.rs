//! `EventService`.

use patron_proto::retention::v1 as proto;
use prost::Message as _;

use crate::harness::Harness;

#[tokio::test]
async fn watching_goes_on_where_a_token_says() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let from_start = proto::WatchEventsRequest {
        subject: customer.clone(),
        from_start: true,
        ..Default::default()
    };
    let mut events = harness
        .events()
        .watch_events(from_start)
        .await
        .unwrap()
        .into_inner();
    let opened = events.message().await.unwrap().unwrap();
    let promised = events.message().await.unwrap().unwrap();
    let payload = opened.event.unwrap().value;
    let decoded = proto::RelationshipOpened::decode(&payload[..]).unwrap();
    assert_eq!(
        (decoded.customer, decoded.external_id.as_str()),
        (customer, "00042")
    );

    let resume = proto::WatchEventsRequest {
        resume_token: opened.resume_token,
        ..Default::default()
    };
    let mut events = harness
        .events()
        .watch_events(resume)
        .await
        .unwrap()
        .into_inner();
    let next = events.message().await.unwrap().unwrap();
    assert_eq!(next.event_id, promised.event_id);
}
