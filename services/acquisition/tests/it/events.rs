//! `EventService`.

use eventsourcing::Time;
use patron_proto::acquisition::v1 as proto;
use prost::Message as _;
use tonic::Code;

use crate::harness::{Harness, NOW, create, new_id, refused};

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

#[tokio::test]
async fn recorded_times_never_step_back() {
    let harness = Harness::start().await;
    let late = "late";
    let made = harness
        .propositions()
        .create_proposition(create(late))
        .await;
    let made = made.unwrap().into_inner();
    // The log's clock steps back under the second record.
    harness.clock.set(Time::from_seconds(NOW - 100));
    let request = proto::UpdatePropositionRequest {
        name: made.name.clone(),
        proposition: Some(proto::Proposition {
            display_name: "Another name".to_owned(),
            ..made
        }),
        request_id: new_id(),
        ..Default::default()
    };
    let mut live = watch(&harness, proto::WatchEventsRequest::default()).await;
    harness
        .propositions()
        .update_proposition(request)
        .await
        .unwrap();
    let live = live.message().await.unwrap().unwrap();
    assert_eq!(live.recorded_at.unwrap().seconds, NOW);

    let from_start = proto::WatchEventsRequest {
        from_start: true,
        subject: format!("propositions/{late}"),
        ..Default::default()
    };
    let mut events = watch(&harness, from_start).await;
    let first = events.message().await.unwrap().unwrap();
    let second = events.message().await.unwrap().unwrap();
    assert_eq!(second.recorded_at.unwrap().seconds, NOW);
    assert_eq!(second.event_id, live.event_id);
    let resume = proto::WatchEventsRequest {
        resume_token: first.resume_token,
        subject: first.subject,
        ..Default::default()
    };
    let resumed = watch(&harness, resume).await.message().await.unwrap();
    assert_eq!(resumed.unwrap().recorded_at.unwrap().seconds, NOW);
}

async fn watch(
    harness: &Harness,
    asked: proto::WatchEventsRequest,
) -> tonic::Streaming<proto::WatchEventsResponse> {
    harness
        .events()
        .watch_events(asked)
        .await
        .unwrap()
        .into_inner()
}

#[tokio::test]
async fn so_many_watch_and_no_more_until_one_leaves() {
    let harness = Harness::start().await;
    let now = proto::WatchEventsRequest::default;
    let mut watching = Vec::new();
    for _ in 0..64 {
        watching.push(watch(&harness, now()).await);
    }
    let refused = refused(harness.events().watch_events(now()).await);
    assert_eq!(refused.0, Code::ResourceExhausted);
    watching.pop();
    // The server hears of the one that left after a moment.
    while harness.events().watch_events(now()).await.is_err() {
        tokio::task::yield_now().await;
    }
}
