//! Personal data on a real broker: two instances of each service, one topic of keys.

use patron_proto::acquisition::v1 as acquisition;
use patron_proto::acquisition::v1::prospect_service_client::ProspectServiceClient;
use patron_proto::retention::v1 as retention;
use patron_proto::retention::v1::customer_service_client::CustomerServiceClient;
use patron_proto::types::v1::{Identity, IdentityKind};
use testkit::{Pair, Service};
use tonic::Code;
use tonic::transport::Channel;

use crate::alone::{run, turn};

fn email() -> Identity {
    Identity {
        kind: IdentityKind::Email as i32,
        value: "ada@analytical.example".to_owned(),
    }
}

fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The position in an answer: a later question with it sees at least as much.
fn position<T>(answer: &tonic::Response<T>) -> String {
    let token = answer.metadata().get("patron-position").unwrap();
    token.to_str().unwrap().to_owned()
}

async fn identified(prospects: &mut ProspectServiceClient<Channel>) -> (String, String) {
    let created = acquisition::CreateProspectRequest {
        prospect: Some(acquisition::Prospect {
            kind: acquisition::ProspectKind::Person as i32,
            source: "fair".to_owned(),
            ..Default::default()
        }),
        request_id: request_id(),
        validate_only: false,
    };
    let created = prospects.create_prospect(created).await.unwrap();
    let name = created.into_inner().name;
    let request = acquisition::IdentifyProspectRequest {
        name: name.clone(),
        identities: vec![email()],
        display_name: "Ada".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let answer = prospects.identify_prospect(request).await.unwrap();
    (name, position(&answer))
}

async fn imported(customers: &mut CustomerServiceClient<Channel>) -> (String, String) {
    let request = retention::OpenRelationshipRequest {
        external_id: "4711".to_owned(),
        currency_code: "EUR".to_owned(),
        identities: vec![email()],
        display_name: "Bob".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let answer = customers.open_relationship(request).await.unwrap();
    (answer.get_ref().name.clone(), position(&answer))
}

#[test]
fn what_one_instance_has_sealed_another_opens_and_destroys() {
    let Some(_turn) = turn() else { return };
    run(sealed_opened_and_destroyed());
}

async fn sealed_opened_and_destroyed() {
    let pair = Pair::start(env!("CARGO_BIN_EXE_patron").as_ref(), 1, 2);
    let pair = pair.await.unwrap();
    let sides = |service| pair.urls(service);
    let mut prospects = Vec::new();
    for url in sides(Service::Acquisition) {
        prospects.push(ProspectServiceClient::connect(url).await.unwrap());
    }
    let mut customers = Vec::new();
    for url in sides(Service::Retention) {
        customers.push(CustomerServiceClient::connect(url).await.unwrap());
    }

    let (ada, seen) = identified(&mut prospects[0]).await;
    let asked = acquisition::GetProspectRequest {
        name: ada.clone(),
        min_position: seen.clone(),
    };
    let shown = prospects[1].get_prospect(asked.clone()).await.unwrap();
    assert_eq!(shown.into_inner().display_name, "Ada");
    let find = acquisition::FindProspectsRequest {
        identity: Some(email()),
        min_position: seen,
    };
    let found = prospects[1].find_prospects(find).await.unwrap();
    assert_eq!(found.into_inner().prospects.len(), 1);
    let (bob, seen) = imported(&mut customers[0]).await;
    let get = retention::GetCustomerRequest {
        name: bob.clone(),
        min_position: seen,
        ..Default::default()
    };
    let shown = customers[1].get_customer(get).await.unwrap();
    assert_eq!(shown.into_inner().display_name, "Bob");

    let erase = acquisition::EraseProspectRequest {
        name: ada.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    let erased = prospects[1].erase_prospect(erase).await.unwrap();
    assert_eq!(erased.get_ref().display_name, "[erased]");
    let asked = acquisition::GetProspectRequest {
        min_position: position(&erased),
        ..asked
    };
    let shown = prospects[0].get_prospect(asked).await.unwrap();
    assert_eq!(shown.into_inner().display_name, "[erased]");
    let again = acquisition::IdentifyProspectRequest {
        name: ada,
        identities: vec![email()],
        request_id: request_id(),
        ..Default::default()
    };
    let again = prospects[0].identify_prospect(again).await.unwrap_err();
    assert_eq!(again.code(), Code::FailedPrecondition);

    let erase = retention::EraseCustomerRequest {
        name: bob.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    let erased = customers[1].erase_customer(erase).await.unwrap();
    let export = retention::ExportCustomerRequest {
        name: bob,
        min_position: position(&erased),
        ..Default::default()
    };
    let gone = customers[0].export_customer(export).await.unwrap_err();
    assert_eq!(server::reason(&gone), "ERASED");
}
