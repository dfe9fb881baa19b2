//! Who a customer is: said, shown, exported, forgotten.

use std::sync::Arc;

use eventsourcing::FixedClock;
use journal::{Kind, TopicSpec, Topics as _};
use patron_proto::acquisition::v1 as acquisition;
use patron_proto::retention::v1 as proto;
use patron_proto::types::v1::{Identity, IdentityKind};
use prost::Message as _;
use runtime::Options;
use tonic::Code;
use uuid::Uuid;
use vault::{Entry, Field, KEYS_TOPIC, PARTITIONS, Person};

use crate::harness::{
    Harness, assess, at, end, new_id, open, precondition, purchase, record, refused,
};
use crate::told;

fn email(value: &str) -> Identity {
    Identity {
        kind: IdentityKind::Email as i32,
        value: value.to_owned(),
    }
}

fn known(external_id: &str) -> proto::OpenRelationshipRequest {
    proto::OpenRelationshipRequest {
        identities: vec![email("ada@example.org")],
        display_name: "Ada Lovelace".to_owned(),
        ..open(external_id)
    }
}

async fn opened(harness: &Harness, request: proto::OpenRelationshipRequest) -> proto::Customer {
    let opened = harness.customers().open_relationship(request).await;
    opened.unwrap().into_inner()
}

fn person(name: &str) -> Person {
    let id = name.strip_prefix("customers/").unwrap();
    Person(id.parse().unwrap())
}

fn erase(name: &str) -> proto::EraseCustomerRequest {
    proto::EraseCustomerRequest {
        name: name.to_owned(),
        request_id: new_id(),
        ..Default::default()
    }
}

fn export(name: &str) -> proto::ExportCustomerRequest {
    proto::ExportCustomerRequest {
        name: name.to_owned(),
        page_size: 2,
        ..Default::default()
    }
}

/// A customer without who it is, and without versions.
fn anonymous(mut customer: proto::Customer) -> proto::Customer {
    customer.display_name.clear();
    customer.identities.clear();
    customer.erased_at = None;
    customer.etag.clear();
    for promise in &mut customer.promises {
        promise.etag.clear();
    }
    customer
}

fn with_evidence(customer: &str, words: &str) -> proto::AssessPromiseRequest {
    proto::AssessPromiseRequest {
        evidence: words.to_owned(),
        ..assess(customer, "next-day", proto::PromiseVerdict::Kept)
    }
}

#[tokio::test]
async fn who_a_customer_is_is_shown_and_opened_once() {
    let harness = Harness::start().await;
    let ada = opened(&harness, known("ada")).await;
    assert_eq!(ada.display_name, "Ada Lovelace");
    let again = opened(&harness, known("ada")).await;
    assert_eq!(again.name, ada.name);
    let full = harness.full(&ada.name).await;
    assert_eq!(full.identities, [email("ada@example.org")]);
    let all = proto::ListCustomersRequest::default();
    let listed = harness.customers().list_customers(all).await.unwrap();
    let listed = listed.into_inner().customers;
    assert_eq!(listed[0].display_name, "Ada Lovelace");
    let mut wrong = known("bob");
    wrong.identities = vec![email("no address")];
    assert_eq!(
        refused(harness.customers().open_relationship(wrong).await).0,
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn words_about_a_promise_are_sealed_shown_and_gone_after_an_erasure() {
    let harness = Harness::start().await;
    let ada = harness.customer("ada").await;
    assert!(
        !harness.vault.has_key(person(&ada)),
        "nothing was sealed yet"
    );
    let kept = harness
        .promises()
        .assess_promise(with_evidence(&ada, "she said: lovely"))
        .await;
    assert_eq!(kept.unwrap().into_inner().evidence, "she said: lovely");
    let full = harness.full(&ada).await;
    assert_eq!(full.promises[0].evidence, "she said: lovely");
    harness
        .customers()
        .erase_customer(erase(&ada))
        .await
        .unwrap();
    assert_eq!(harness.full(&ada).await.promises[0].evidence, "[erased]");
    let more = harness
        .promises()
        .assess_promise(with_evidence(&ada, "more"))
        .await;
    assert_eq!(refused(more), precondition("ERASED"));
    let numbers = assess(&ada, "next-day", proto::PromiseVerdict::Broken);
    harness.promises().assess_promise(numbers).await.unwrap();
}

#[tokio::test]
async fn what_a_customer_said_when_waiving_is_shown() {
    let harness = Harness::start().await;
    let ada = harness.customer("ada").await;
    let waive = proto::WaivePromiseRequest {
        name: format!("{ada}/promises/next-day"),
        note: "never mind".to_owned(),
        request_id: new_id(),
        ..Default::default()
    };
    let waived = harness.promises().waive_promise(waive).await.unwrap();
    assert_eq!(waived.into_inner().note, "never mind");
}

#[tokio::test]
async fn whoever_is_erased_is_gone_and_the_numbers_stay() {
    let harness = Harness::start().await;
    let ada = opened(&harness, known("ada")).await.name;
    for number in 0..3 {
        let bought = record(&ada, purchase(&format!("p{number}"), 1_000, -60));
        harness.customers().record_purchase(bought).await.unwrap();
    }
    let before = harness.full(&ada).await;
    let told = harness
        .customers()
        .export_customer(export(&ada))
        .await
        .unwrap();
    let told = told.into_inner();
    assert_eq!(told.customer.unwrap().display_name, "Ada Lovelace");
    assert_eq!(told.purchases.len(), 2);
    let rest = proto::ExportCustomerRequest {
        page_token: told.next_page_token,
        ..export(&ada)
    };
    let rest = harness
        .customers()
        .export_customer(rest)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (rest.purchases.len(), rest.next_page_token.as_str()),
        (1, "")
    );

    let erased = harness
        .customers()
        .erase_customer(erase(&ada))
        .await
        .unwrap();
    assert_eq!(erased.into_inner().display_name, "[erased]");
    assert!(harness.vault.is_erased(person(&ada)));
    let after = harness.full(&ada).await;
    assert_eq!(after.erased_at, at(0));
    assert!(after.identities.is_empty());
    assert_eq!(
        anonymous(after),
        anonymous(before),
        "nothing else has changed"
    );
    let gone = harness.customers().export_customer(export(&ada)).await;
    assert_eq!(refused(gone), (Code::NotFound, "ERASED".to_owned()));
    harness
        .customers()
        .erase_customer(erase(&ada))
        .await
        .unwrap();
    let again = harness.customers().open_relationship(known("ada")).await;
    assert_eq!(refused(again), precondition("ERASED"));
    let nobody = erase("customers/00000000-0000-4000-8000-000000000000");
    let nobody = harness.customers().erase_customer(nobody).await;
    assert_eq!(refused(nobody).0, Code::NotFound);
}

#[tokio::test]
async fn nobody_asks_somebody_back_who_is_erased() {
    let harness = Harness::start().await;
    let ada = harness.customer("ada").await;
    let lost = end(&ada, proto::LossReason::Price);
    harness.customers().end_relationship(lost).await.unwrap();
    let open = harness.full(&ada).await.open_actions;
    assert_eq!(open[0].r#type(), proto::ActionType::WinBack);
    harness
        .customers()
        .erase_customer(erase(&ada))
        .await
        .unwrap();
    assert!(harness.full(&ada).await.open_actions.is_empty());
    let back = proto::WinBackCustomerRequest {
        name: ada.clone(),
        request_id: new_id(),
        ..Default::default()
    };
    let back = harness.customers().win_back_customer(back).await;
    assert_eq!(refused(back), precondition("ERASED"));
}

/// A prospect with a name and an address that became a customer, sealed by acquisition.
async fn named(harness: &Harness, id: Uuid) -> acquisition::ProspectConverted {
    let seal = |field, text| harness.vault.seal(Person(id), field, text);
    let name = seal(Field::Name, "Ada").await.unwrap();
    let address = seal(Field::Email, "ada@example.org").await.unwrap();
    acquisition::ProspectConverted {
        display_name: Some(server::sealed_out(&name)),
        identities: vec![server::sealed_out(&address)],
        identity_kinds: vec![IdentityKind::Email as i32],
        ..told::converted(id)
    }
}

fn prospect_erased(id: Uuid) -> acquisition::ProspectErased {
    acquisition::ProspectErased {
        prospect: format!("prospects/{id}"),
        occurred_at: at(-60),
    }
}

/// R1: a sealed field travels from one service's event into the other's.
#[tokio::test]
async fn a_converted_prospect_keeps_its_name() {
    let harness = Harness::start().await;
    let id = Uuid::from_u128(0xada);
    let converted = named(&harness, id).await.encode_to_vec();
    told::publish(&harness, id, &[("ProspectConverted", converted)]).await;
    told::received(&harness, 1).await;
    let full = harness.full(&format!("customers/{id}")).await;
    assert_eq!(full.display_name, "Ada");
    assert_eq!(full.identities, [email("ada@example.org")]);
}

/// X1. The keys are destroyed by the policy alone: nobody here asked for it.
#[tokio::test]
async fn whom_acquisition_has_erased_is_erased_here() {
    let harness = Harness::start().await;
    let id = Uuid::from_u128(0xada);
    let events = [
        // Nobody here yet: nothing happens.
        ("ProspectErased", prospect_erased(id).encode_to_vec()),
        (
            "ProspectConverted",
            named(&harness, id).await.encode_to_vec(),
        ),
        ("ProspectErased", prospect_erased(id).encode_to_vec()),
        ("ProspectErased", prospect_erased(id).encode_to_vec()),
    ];
    told::publish(&harness, id, &events).await;
    told::received(&harness, 4).await;
    let full = harness.full(&format!("customers/{id}")).await;
    assert_eq!(full.display_name, "[erased]");
    assert_eq!(full.erased_at, at(-60));
    while !harness.vault.is_erased(Person(id)) {
        harness.running.engine.barrier().await.unwrap();
        tokio::task::yield_now().await;
    }
}

/// All that the topic of keys says of somebody.
async fn keys_of(harness: &Harness, person: Person) -> Vec<Entry> {
    let spec = TopicSpec {
        name: KEYS_TOPIC.to_owned(),
        partitions: PARTITIONS,
        kind: Kind::Keys,
    };
    let log = harness.topics.open(&spec).await.unwrap();
    let mut all = Vec::new();
    for partition in 0..PARTITIONS {
        let end = log.end(partition).await.unwrap();
        let mut tail = log.tail(partition, 0);
        let mut at = 0;
        while at < end {
            for stored in tail.next().await.unwrap() {
                at = stored.offset + 1;
                all.extend(Entry::read(&stored.record).unwrap());
            }
        }
    }
    all.retain(|entry| entry.person() == person);
    all
}

/// The erasure stands in the journal, and the instance ends before the keys are destroyed.
#[tokio::test]
async fn what_a_crash_interrupted_goes_on_by_itself() {
    let first = Harness::start().await;
    let id = Uuid::from_u128(0xada);
    let events = [
        ("ProspectConverted", named(&first, id).await.encode_to_vec()),
        ("ProspectErased", prospect_erased(id).encode_to_vec()),
    ];
    // Without its readers the vault cannot read back, and so nothing is ever done.
    first.vault.close().await;
    told::publish(&first, id, &events).await;
    told::received(&first, 2).await;
    let clock = Arc::<FixedClock>::clone(&first.clock);
    let topics = first.topics.clone();
    first.stop().await;

    let options = Options::for_pair("retention", "acquisition");
    let second = Harness::on(topics, clock, options).await;
    let is_done = |all: &[Entry]| matches!(all.last(), Some(Entry::Destroyed(..)));
    while !is_done(&keys_of(&second, Person(id)).await) {
        second.running.engine.barrier().await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(second.vault.is_erased(Person(id)));
    let full = second.full(&format!("customers/{id}")).await;
    assert_eq!(full.display_name, "[erased]");
}
