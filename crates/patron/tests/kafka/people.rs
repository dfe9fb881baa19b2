//! Personal data on a real broker: two instances of each service, one topic of keys.

use patron_proto::acquisition::v1 as acquisition;
use patron_proto::retention::v1 as retention;
use patron_proto::types::v1::{Identity, IdentityKind};
use tonic::Code;

use crate::alone::{run, turn};
use crate::clients::{Customers, Prospects, request_id, two_of_each};

fn email() -> Identity {
    Identity {
        kind: IdentityKind::Email as i32,
        value: "ada@analytical.example".to_owned(),
    }
}

/// The position in an answer: a later question with it sees at least as much.
fn position<T>(answer: &tonic::Response<T>) -> String {
    let token = answer.metadata().get("patron-position").unwrap();
    token.to_str().unwrap().to_owned()
}

async fn identified(prospects: &mut Prospects) -> (String, String) {
    let created = acquisition::CreateProspectRequest {
        prospect: Some(acquisition::Prospect {
            kind: acquisition::ProspectKind::Person as i32,
            source: "fair".to_owned(),
            ..Default::default()
        }),
        request_id: request_id(),
        ..Default::default()
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

async fn imported(customers: &mut Customers) -> (String, String) {
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
    let (_pair, mut prospects, mut customers) = two_of_each().await;

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
