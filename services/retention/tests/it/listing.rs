//! `CustomerService`: customers by owner, territory, band and state.

use patron_proto::retention::v1 as proto;
use tonic::Code;

use crate::harness::{Harness, refused};
use crate::relationship::{assign, notice};

/// The names on all pages of one customer each, in order.
async fn found(harness: &Harness, asked: proto::ListCustomersRequest) -> Vec<String> {
    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let asked = proto::ListCustomersRequest {
            page_size: 1,
            page_token: token,
            ..asked.clone()
        };
        let page = harness.customers().list_customers(asked).await.unwrap();
        let page = page.into_inner();
        found.extend(page.customers.into_iter().map(|customer| customer.name));
        token = page.next_page_token;
        if token.is_empty() {
            found.sort();
            return found;
        }
    }
}

#[tokio::test]
async fn customers_are_listed_by_owner_territory_band_and_state() {
    let harness = Harness::start().await;
    let mut client = harness.customers();
    let mut names = Vec::new();
    for (external_id, owner, territory) in [
        ("1", "rosa", "EMEA/ES"),
        ("2", "rosa", "EMEA"),
        ("3", "li", "EMEA/ES/MAD"),
        ("4", "li", "EMEAX"),
    ] {
        let name = harness.customer(external_id).await;
        client
            .assign_owner(assign(&name, owner, territory))
            .await
            .unwrap();
        names.push(name);
    }
    client.give_notice(notice(&names[2])).await.unwrap();
    let sorted = |which: &[usize]| {
        let mut sorted: Vec<String> = which.iter().map(|n| names[*n].clone()).collect();
        sorted.sort();
        sorted
    };
    let by = proto::ListCustomersRequest::default;
    let owner = |owner: &str| proto::ListCustomersRequest {
        owner: owner.to_owned(),
        ..by()
    };
    let emea = proto::ListCustomersRequest {
        territory: "EMEA".to_owned(),
        ..by()
    };
    let leaving = proto::ListCustomersRequest {
        state: proto::CustomerState::Leaving as i32,
        ..by()
    };
    let active = proto::ListCustomersRequest {
        state: proto::CustomerState::Active as i32,
        owner: "li".to_owned(),
        territory: "EMEAX".to_owned(),
        ..by()
    };
    let high = proto::ListCustomersRequest {
        risk_band: proto::RiskBand::High as i32,
        ..by()
    };
    assert_eq!(found(&harness, by()).await, sorted(&[0, 1, 2, 3]));
    assert_eq!(found(&harness, owner("rosa")).await, sorted(&[0, 1]));
    assert_eq!(found(&harness, owner("nobody")).await, sorted(&[]));
    assert_eq!(found(&harness, emea).await, sorted(&[0, 1, 2]));
    assert_eq!(found(&harness, leaving).await, sorted(&[2]));
    assert_eq!(found(&harness, active).await, sorted(&[3]));
    assert_eq!(found(&harness, high).await, sorted(&[]));
    let wrong = proto::ListCustomersRequest {
        territory: "EMEA/".to_owned(),
        ..by()
    };
    let refusal = harness.customers().list_customers(wrong).await;
    assert_eq!(refused(refusal).0, Code::InvalidArgument);
}
