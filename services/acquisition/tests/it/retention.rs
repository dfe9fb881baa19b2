//! What retention tells, as its relay publishes it.

use std::collections::HashMap;
use std::time::Duration;

use journal::{Header, Kind, Record, StreamId, TopicSpec, Topics as _};
use patron_proto::retention::v1 as proto;
use patron_proto::types::v1::{Money, PromiseTerms};
use prost::Message;
use uuid::Uuid;

use crate::business::{DAY, seconds};
use crate::harness::{Harness, euros};

/// The other service, as far as this one can tell.
#[derive(Debug, Default)]
pub(crate) struct Retention {
    /// The last sequence number of each partition.
    sequences: HashMap<u32, u64>,
    told: u64,
}

impl Retention {
    /// Tells something of a customer, and waits until it is received.
    pub(crate) async fn tells<M: Message>(
        &mut self,
        harness: &Harness,
        customer: &str,
        kind: &str,
        event: &M,
    ) {
        let id = customer.rsplit('/').next().unwrap();
        let stream = StreamId::new(format!("prospects/{id}")).unwrap();
        let subject = format!("customers/{id}");
        self.tells_in(harness, &stream, &subject, kind, event).await;
    }

    /// Tells something in the partition of a stream, and waits until it is received.
    async fn tells_in<M: Message>(
        &mut self,
        harness: &Harness,
        stream: &StreamId,
        subject: &str,
        kind: &str,
        event: &M,
    ) {
        let options = harness.running.engine.options();
        let spec = TopicSpec {
            name: options.inbox_topic.clone().expect("a harness that listens"),
            partitions: options.partitions,
            kind: Kind::Public,
        };
        let topic = harness.topics.open(&spec).await.unwrap();
        let partition = harness.running.engine.placement().partition_of(stream);
        let sequence = self.sequences.entry(partition).or_default();
        *sequence += 1;
        self.told += 1;
        let header = |name: &str, value: String| Header {
            name: name.to_owned(),
            value: value.into(),
        };
        let headers = vec![
            header("ce_specversion", "1.0".to_owned()),
            header("ce_id", format!("{}-{}", Uuid::from_u128(1), self.told)),
            header("ce_source", "/patron/retention".to_owned()),
            header("ce_type", format!("patron.retention.v1.{kind}")),
            header("ce_subject", subject.to_owned()),
            header("ce_time", "2026-01-01T00:00:00Z".to_owned()),
            header("ce_sequence", sequence.to_string()),
            header("ce_schemaversion", "1".to_owned()),
            header("journaluuid", Uuid::from_u128(2).to_string()),
            header("journalposition", format!("{sequence}/0")),
        ];
        let record = Record {
            key: Some(stream.id().to_owned().into()),
            headers,
            value: event.encode_to_vec().into(),
        };
        assert!(topic.append(partition, record).await.is_written());
        self.received(harness).await;
    }

    async fn received(&self, harness: &Harness) {
        let engine = &harness.running.engine;
        let all = async {
            while engine.received().unwrap().iter().sum::<u64>() < self.told {
                engine.barrier().await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), all)
            .await
            .expect("what is told is received");
    }

    /// A promise of the conversion was made.
    pub(crate) async fn promised(&mut self, harness: &Harness, prospect: &str, benefit: &str) {
        let customer = customer(prospect);
        let event = proto::PromiseMade {
            promise: format!("{customer}/promises/{benefit}"),
            occurred_at: Some(seconds(0)),
            terms: Some(PromiseTerms {
                promise_id: benefit.to_owned(),
                benefit_id: benefit.to_owned(),
                expectation: "tomorrow".to_owned(),
                expected_score: 6,
                importance: 100,
                due_at: Some(seconds(30 * DAY)),
            }),
            proposition: "propositions/van-repair".to_owned(),
            presentation_id: "speed".to_owned(),
            made_by: String::new(),
            at_conversion: true,
        };
        self.tells(harness, &customer, "PromiseMade", &event).await;
    }

    /// A day found it past its date.
    pub(crate) async fn overdue(
        &mut self,
        harness: &Harness,
        prospect: &str,
        benefit: &str,
        at: i64,
    ) {
        let customer = customer(prospect);
        let event = proto::PromiseOverdue {
            promise: format!("{customer}/promises/{benefit}"),
            occurred_at: Some(seconds(at)),
            due_at: Some(seconds(30 * DAY)),
        };
        self.tells(harness, &customer, "PromiseOverdue", &event)
            .await;
    }

    /// It was kept or broken.
    pub(crate) async fn judged(
        &mut self,
        harness: &Harness,
        prospect: &str,
        benefit: &str,
        (at, kept): (i64, bool),
    ) {
        let customer = customer(prospect);
        let promise = format!("{customer}/promises/{benefit}");
        let occurred_at = Some(seconds(at));
        if kept {
            let event = proto::PromiseKept {
                promise,
                occurred_at,
                ..Default::default()
            };
            self.tells(harness, &customer, "PromiseKept", &event).await;
        } else {
            let event = proto::PromiseBroken {
                promise,
                occurred_at,
                ..Default::default()
            };
            self.tells(harness, &customer, "PromiseBroken", &event)
                .await;
        }
    }

    /// Something was bought; half of the price is margin.
    pub(crate) async fn bought(
        &mut self,
        harness: &Harness,
        prospect: &str,
        purchase: &str,
        (at, amount): (i64, i64),
    ) {
        let customer = customer(prospect);
        let event = proto::PurchaseRecorded {
            customer: customer.clone(),
            occurred_at: Some(seconds(at)),
            purchase_id: purchase.to_owned(),
            amount: euros(amount),
            contribution_margin: Some(Money {
                currency_code: "EUR".to_owned(),
                minor_units: amount / 2,
            }),
            ..Default::default()
        };
        self.tells(harness, &customer, "PurchaseRecorded", &event)
            .await;
    }

    /// What customers of a currency are valued with.
    pub(crate) async fn assumed(
        &mut self,
        harness: &Harness,
        currency: &str,
        assumptions: proto::Assumptions,
    ) {
        let event = proto::AssumptionsSet {
            ledger: format!("ledgers/{currency}"),
            occurred_at: Some(seconds(0)),
            assumptions: Some(assumptions),
        };
        self.tells_of_ledger(harness, currency, "AssumptionsSet", &event)
            .await;
    }

    /// Tells something of a ledger.
    pub(crate) async fn tells_of_ledger<M: Message>(
        &mut self,
        harness: &Harness,
        currency: &str,
        kind: &str,
        event: &M,
    ) {
        let name = format!("ledgers/{currency}");
        let stream = StreamId::new(name.clone()).unwrap();
        self.tells_in(harness, &stream, &name, kind, event).await;
    }

    /// A purchase was taken back, or a part of it; half of the price was margin.
    pub(crate) async fn reversed(
        &mut self,
        harness: &Harness,
        prospect: &str,
        (purchase, reversal): (&str, &str),
        (at, amount): (i64, i64),
    ) {
        let customer = customer(prospect);
        let event = proto::PurchaseReversed {
            customer: customer.clone(),
            occurred_at: Some(seconds(at)),
            purchase_id: purchase.to_owned(),
            reversal_id: reversal.to_owned(),
            amount: euros(amount),
            contribution_margin: euros(amount / 2),
            ..Default::default()
        };
        self.tells(harness, &customer, "PurchaseReversed", &event)
            .await;
    }

    /// The customer was lost.
    pub(crate) async fn lost(&mut self, harness: &Harness, prospect: &str, at: i64) {
        let customer = customer(prospect);
        let event = proto::RelationshipLost {
            customer: customer.clone(),
            occurred_at: Some(seconds(at)),
            ..Default::default()
        };
        self.tells(harness, &customer, "RelationshipLost", &event)
            .await;
    }
}

fn customer(prospect: &str) -> String {
    prospect.replace("prospects", "customers")
}
