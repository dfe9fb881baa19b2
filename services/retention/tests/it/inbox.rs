//! Events of acquisition that this release cannot read.

use patron_proto::acquisition::v1 as acquisition;
use patron_proto::admin::v1 as admin;
use prost::Message as _;
use tonic::Code;
use uuid::Uuid;

use crate::harness::{Harness, precondition, refused};
use crate::told::{publish, received};

const WRONG: &[u8] = &[0xff];

async fn parked(harness: &Harness, page_token: &str) -> admin::ListParkedEventsResponse {
    let request = admin::ListParkedEventsRequest {
        page_size: 1,
        page_token: page_token.to_owned(),
    };
    let page = harness.inbox().list_parked_events(request).await;
    page.unwrap().into_inner()
}

#[tokio::test]
async fn what_cannot_be_read_waits_with_its_reason_and_what_follows_it_too() {
    let harness = Harness::start().await;
    let id = Uuid::from_u128(0xa);
    let closed = acquisition::ProspectClosed::default().encode_to_vec();
    let events = [
        ("ProspectConverted", WRONG.to_vec()),
        ("ProspectClosed", closed),
    ];
    publish(&harness, id, &events).await;
    received(&harness, 2).await;

    let first = parked(&harness, "").await;
    let second = parked(&harness, &first.next_page_token).await;
    assert_eq!(second.next_page_token, "");
    let (one, two) = (&first.parked_events[0], &second.parked_events[0]);
    assert_eq!(one.r#type, "patron.acquisition.v1.ProspectConverted");
    assert_eq!(
        (one.subject.as_str(), one.sequence),
        (format!("prospects/{id}").as_str(), 1)
    );
    assert!(
        one.reason
            .starts_with("patron.acquisition.v1.ProspectConverted: "),
        "{}",
        one.reason
    );
    assert_eq!(two.reason, "an earlier event of the same subject is parked");
    let name = one.name.clone();
    let shown = harness
        .inbox()
        .get_parked_event(admin::GetParkedEventRequest { name })
        .await;
    assert_eq!(shown.unwrap().into_inner().payload, WRONG);
}

#[tokio::test]
async fn it_waits_until_a_release_can_read_it() {
    let harness = Harness::start().await;
    let id = Uuid::from_u128(0xa);
    publish(&harness, id, &[("ProspectConverted", WRONG.to_vec())]).await;
    received(&harness, 1).await;
    let retry = |subject: String| admin::RetryParkedEventsRequest {
        subject,
        request_id: Uuid::new_v4().to_string(),
    };
    let mut inbox = harness.inbox();
    let heard = inbox
        .retry_parked_events(retry(format!("prospects/{id}")))
        .await;
    assert_eq!(refused(heard), precondition("STILL_UNREADABLE"));
    assert_eq!(parked(&harness, "").await.parked_events.len(), 1);

    let nothing = inbox
        .retry_parked_events(retry("prospects/b".to_owned()))
        .await;
    let reason = "NOTHING_PARKED".to_owned();
    assert_eq!(refused(nothing), (Code::NotFound, reason));
}

#[tokio::test]
async fn a_name_that_is_none_is_refused() {
    let harness = Harness::start().await;
    let name = "parkedEvents/first".to_owned();
    let heard = harness
        .inbox()
        .get_parked_event(admin::GetParkedEventRequest { name })
        .await;
    assert_eq!(refused(heard).0, Code::InvalidArgument);
    let name = "parkedEvents/0-1".to_owned();
    let missing = harness
        .inbox()
        .get_parked_event(admin::GetParkedEventRequest { name })
        .await;
    assert_eq!(refused(missing).0, Code::NotFound);
}
