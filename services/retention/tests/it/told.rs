//! Policy R1, from acquisition's public topic to a customer.

use std::time::Duration;

use journal::{Header, Kind, Record, StreamId, TopicSpec, Topics as _};
use patron_proto::acquisition::v1 as acquisition;
use patron_proto::retention::v1 as proto;
use patron_proto::types::v1::{Consent, ConsentStatus};
use prost::Message as _;
use tonic::Code;
use uuid::Uuid;

use crate::harness::{Harness, at, euros, precondition, purchase, record, refused, terms};

/// Publishes events about one prospect, as acquisition's relay does.
pub(crate) async fn publish(harness: &Harness, id: Uuid, events: &[(&str, Vec<u8>)]) {
    let options = harness.running.engine.options();
    let spec = TopicSpec {
        name: options.inbox_topic.clone().unwrap(),
        partitions: options.partitions,
        kind: Kind::Public,
    };
    let topic = harness.topics.open(&spec).await.unwrap();
    let stream = StreamId::new(format!("prospects/{id}")).unwrap();
    let partition = harness.running.engine.placement().partition_of(&stream);
    for (sequence, (kind, payload)) in (1..).zip(events) {
        let header = |name: &str, value: String| Header {
            name: name.to_owned(),
            value: value.into(),
        };
        let headers = vec![
            header("ce_specversion", "1.0".to_owned()),
            header("ce_id", format!("{}-{sequence}", Uuid::from_u128(1))),
            header("ce_source", "/patron/acquisition".to_owned()),
            header("ce_type", format!("patron.acquisition.v1.{kind}")),
            header("ce_subject", stream.to_string()),
            header("ce_time", "2026-01-01T00:04:00Z".to_owned()),
            header("ce_sequence", sequence.to_string()),
            header("ce_schemaversion", "1".to_owned()),
            header("journaluuid", Uuid::from_u128(2).to_string()),
            header("journalposition", format!("{sequence}/0")),
        ];
        let record = Record {
            key: Some(id.to_string().into()),
            headers,
            value: payload.clone().into(),
        };
        assert!(topic.append(partition, record).await.is_written());
    }
}

pub(crate) fn converted(id: Uuid) -> acquisition::ProspectConverted {
    acquisition::ProspectConverted {
        prospect: format!("prospects/{id}"),
        customer: format!("customers/{id}"),
        // By a clock that is four minutes ahead of ours, and then by as much as a client may be.
        occurred_at: at(240 + 300),
        proposition: "propositions/van-repair".to_owned(),
        campaign: "propositions/van-repair/campaigns/fast".to_owned(),
        presentation_id: "speed".to_owned(),
        promises: vec![terms("next-day")],
        first_purchase: Some(acquisition::FirstPurchase {
            amount: euros(40_000),
            contribution_margin: None,
        }),
        currency_code: "EUR".to_owned(),
        ..Default::default()
    }
}

/// Waits until so many events were received.
pub(crate) async fn received(harness: &Harness, count: u64) {
    let all = async {
        while harness
            .running
            .engine
            .received()
            .unwrap()
            .iter()
            .sum::<u64>()
            < count
        {
            harness.running.engine.barrier().await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_conversion_opens_the_relationship_with_promises_and_first_purchase() {
    let harness = Harness::start().await;
    let id = Uuid::from_u128(0xa);
    let closed = acquisition::ProspectClosed::default().encode_to_vec();
    let events = [
        ("ProspectClosed", closed),
        ("ProspectConverted", converted(id).encode_to_vec()),
    ];
    publish(&harness, id, &events).await;
    received(&harness, 2).await;
    let customer = harness.full(&format!("customers/{id}")).await;
    assert_eq!(customer.source(), proto::CustomerSource::Prospect);
    assert_eq!(customer.campaign, "propositions/van-repair/campaigns/fast");
    assert!(customer.promises[0].at_conversion);
    assert_eq!(
        (customer.purchase_count, customer.margin),
        (1, euros(20_000))
    );
}

#[tokio::test]
async fn a_conversion_that_the_rules_refuse_leaves_no_customer_and_stops_nothing() {
    let harness = Harness::start().await;
    let id = Uuid::from_u128(0xa);
    let without = acquisition::ProspectConverted {
        promises: Vec::new(),
        ..converted(id)
    }
    .encode_to_vec();
    let events = [
        ("ProspectConverted", without),
        ("ProspectConverted", converted(id).encode_to_vec()),
    ];
    publish(&harness, id, &events).await;
    received(&harness, 2).await;
    assert_eq!(
        harness
            .full(&format!("customers/{id}"))
            .await
            .purchase_count,
        1
    );
}

/// A backlog of acquisition's events, in which the conversion comes last.
async fn converted_behind_a_backlog(harness: &Harness, id: Uuid) {
    let closed = || acquisition::ProspectClosed::default().encode_to_vec();
    let mut events: Vec<_> = (0..5_000).map(|_| ("ProspectClosed", closed())).collect();
    events.push(("ProspectConverted", converted(id).encode_to_vec()));
    publish(harness, id, &events).await;
}

#[tokio::test]
async fn a_customer_who_is_still_on_the_way_is_waited_for() {
    let id = Uuid::from_u128(0xa);
    let name = format!("customers/{id}");

    let asked = Harness::start().await;
    converted_behind_a_backlog(&asked, id).await;
    assert_eq!(asked.full(&name).await.purchase_count, 1);

    let commanded = Harness::start().await;
    converted_behind_a_backlog(&commanded, id).await;
    let purchase = record(&name, purchase("p-2", 10_000, 0));
    let recorded = commanded.customers().record_purchase(purchase).await;
    // Known, and of four minutes from now.
    assert_eq!(
        refused(recorded),
        (Code::InvalidArgument, "TOO_EARLY".to_owned())
    );

    let valued = Harness::start().await;
    converted_behind_a_backlog(&valued, id).await;
    let request = proto::GetCustomerValueRequest {
        name: name.clone(),
        ..Default::default()
    };
    let value = valued.values().get_customer_value(request).await;
    assert_eq!(refused(value), precondition("NOT_FOUND_AS_OF"));
}

#[tokio::test]
async fn nobody_waits_for_a_customer_of_whom_nothing_was_published() {
    let harness = Harness::start().await;
    let request = proto::GetCustomerRequest {
        name: format!("customers/{}", Uuid::from_u128(0xb)),
        ..Default::default()
    };
    let answer = harness.customers().get_customer(request).await;
    assert_eq!(refused(answer).0, Code::NotFound);
}

/// X1.
#[tokio::test]
async fn what_a_prospect_withdraws_there_is_withdrawn_here() {
    let harness = Harness::start().await;
    let id = Uuid::from_u128(0xa);
    let said = |status: ConsentStatus, seconds| {
        let consent = Consent {
            purpose: "contact".to_owned(),
            status: status as i32,
            at: at(seconds),
            evidence: String::new(),
        };
        let event = acquisition::ConsentChanged {
            prospect: format!("prospects/{id}"),
            occurred_at: at(seconds),
            consent: Some(consent.clone()),
        };
        (consent, ("ConsentChanged", event.encode_to_vec()))
    };
    let (_, early) = said(ConsentStatus::Granted, -400);
    let (granted, agreed) = said(ConsentStatus::Granted, -300);
    let (withdrawn, last) = said(ConsentStatus::Withdrawn, -100);
    let (_, late) = said(ConsentStatus::Granted, -200);
    let conversion = acquisition::ProspectConverted {
        consents: vec![granted],
        ..converted(id)
    };
    let events = [
        // Nobody here yet; what was agreed to comes with the conversion.
        early,
        ("ProspectConverted", conversion.encode_to_vec()),
        agreed,
        last,
        late,
    ];
    publish(&harness, id, &events).await;
    received(&harness, 5).await;
    let customer = harness.full(&format!("customers/{id}")).await;
    assert_eq!(customer.consents, [withdrawn]);
}
