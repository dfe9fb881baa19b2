//! `EventService`.

use patron_proto::acquisition::v1 as proto;
use prost::Message as _;
use tonic::Code;

use crate::harness::{Harness, create, refused};

#[tokio::test]
async fn watching_goes_on_where_a_token_says() {
    let harness = Harness::start().await;
    for id in ["a", "b", "c"] {
        harness
            .propositions()
            .create_proposition(create(id))
            .await
            .unwrap();
    }
    let from_start = proto::WatchEventsRequest {
        from_start: true,
        ..Default::default()
    };
    let mut events = harness
        .events()
        .watch_events(from_start)
        .await
        .unwrap()
        .into_inner();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(events.message().await.unwrap().unwrap());
    }
    let drafted =
        proto::PropositionDrafted::decode(&seen[0].event.as_ref().unwrap().value[..]).unwrap();
    assert_eq!(drafted.proposition, seen[0].subject);

    let resume = proto::WatchEventsRequest {
        resume_token: seen[1].resume_token.clone(),
        ..Default::default()
    };
    let mut events = harness
        .events()
        .watch_events(resume)
        .await
        .unwrap()
        .into_inner();
    let next = events.message().await.unwrap().unwrap();
    assert_eq!(next.event_id, seen[2].event_id);
}

#[tokio::test]
async fn a_watcher_sees_only_what_was_asked_for() {
    let harness = Harness::start().await;
    let asked = proto::WatchEventsRequest {
        types: vec!["patron.acquisition.v1.PropositionPublished".to_owned()],
        subject: "propositions/van-repair".to_owned(),
        ..Default::default()
    };
    let mut events = harness
        .events()
        .watch_events(asked)
        .await
        .unwrap()
        .into_inner();
    harness
        .propositions()
        .create_proposition(create("other"))
        .await
        .unwrap();
    harness.publish().await;
    let event = events.message().await.unwrap().unwrap();
    assert_eq!(event.r#type, "patron.acquisition.v1.PropositionPublished");
    let foreign = proto::WatchEventsRequest {
        resume_token: "x".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        refused(harness.events().watch_events(foreign).await).0,
        Code::InvalidArgument
    );
}
