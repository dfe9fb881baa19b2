//! X1: what a customer allows or forbids in retention holds here, too.

use patron_proto::acquisition::v1 as proto;
use patron_proto::retention::v1 as retention;
use patron_proto::types::v1::{Consent, ConsentStatus};
use tonic::Code;

use crate::harness::{Harness, at, new_id};
use crate::retention::Retention;

fn said(status: ConsentStatus, seconds: i64) -> Consent {
    Consent {
        purpose: "contact".to_owned(),
        status: status as i32,
        at: at(seconds),
        evidence: "form 7".to_owned(),
    }
}

fn told(customer: &str, consent: Consent) -> retention::ConsentChanged {
    retention::ConsentChanged {
        customer: customer.to_owned(),
        occurred_at: consent.at,
        consent: Some(consent),
    }
}

async fn consents(harness: &Harness, name: &str) -> Vec<Consent> {
    let asked = proto::GetProspectRequest {
        name: name.to_owned(),
        ..Default::default()
    };
    let found = harness.prospects().get_prospect(asked).await;
    found.unwrap().into_inner().consents
}

#[tokio::test]
async fn what_a_customer_withdraws_there_is_withdrawn_here() {
    let harness = Harness::start_listening().await;
    let name = harness.prospect().await;
    let customer = name.replace("prospects", "customers");
    let granted = proto::SetConsentRequest {
        name: name.clone(),
        consent: Some(said(ConsentStatus::Granted, -100)),
        request_id: new_id(),
        ..Default::default()
    };
    harness.prospects().set_consent(granted).await.unwrap();

    let mut other = Retention::default();
    let mut tell = async |consent| {
        let event = told(&customer, consent);
        other
            .tells(&harness, &customer, "ConsentChanged", &event)
            .await;
        consents(&harness, &name).await
    };
    // Said earlier than what is in force here: the later one wins.
    let earlier = tell(said(ConsentStatus::Denied, -200)).await;
    assert_eq!(earlier, [said(ConsentStatus::Granted, -100)]);
    let later = tell(said(ConsentStatus::Withdrawn, -50)).await;
    assert_eq!(later, [said(ConsentStatus::Withdrawn, -50)]);
    // At the same moment the stricter one stays; and what is known already is no news.
    let version = |name: String| {
        let asked = proto::GetProspectRequest {
            name,
            ..Default::default()
        };
        let mut prospects = harness.prospects();
        async move {
            prospects
                .get_prospect(asked)
                .await
                .unwrap()
                .into_inner()
                .etag
        }
    };
    let before = version(name.clone()).await;
    let same = tell(said(ConsentStatus::Granted, -50)).await;
    assert_eq!(same, [said(ConsentStatus::Withdrawn, -50)]);
    tell(said(ConsentStatus::Withdrawn, -50)).await;
    assert_eq!(version(name.clone()).await, before);
}

#[tokio::test]
async fn a_customer_who_was_never_a_prospect_is_nobody_here() {
    let harness = Harness::start_listening().await;
    let customer = "customers/00000000-0000-4000-8000-000000000000";
    let event = told(customer, said(ConsentStatus::Granted, -1));
    let mut other = Retention::default();
    other
        .tells(&harness, customer, "ConsentChanged", &event)
        .await;
    let asked = proto::GetProspectRequest {
        name: customer.replace("customers", "prospects"),
        ..Default::default()
    };
    let unknown = harness.prospects().get_prospect(asked).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}
