//! CDNOW through the service: a public data set whose figures are known from elsewhere.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use eventsourcing::{FixedClock, Time};
use journal::memory::MemoryTopics;
use patron_proto::retention::v1 as proto;
use patron_proto::types::v1::Money;
use prost_types::Timestamp;
use runtime::Options;

use crate::harness::{Harness, new_id};

pub(crate) const LEDGER: &str = "ledgers/USD";
/// 1998-07-01T09:00:00Z, after the last purchase.
pub(crate) const TODAY: i64 = 899_283_600;
/// 1997-09-30T23:59:59Z.
pub(crate) const AS_OF: i64 = 875_663_999;

pub(crate) fn moment(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

/// An instance on a log of its own, or on the one of another.
pub(crate) async fn instance(shared: Option<&Harness>) -> Harness {
    let (topics, clock) = if let Some(other) = shared {
        (other.topics.clone(), Arc::clone(&other.clock))
    } else {
        let clock = Arc::new(FixedClock::at(Time::from_seconds(TODAY)));
        (MemoryTopics::new(Arc::<FixedClock>::clone(&clock)), clock)
    };
    let options = Options {
        partitions: 3,
        tick_patience: Duration::from_millis(20),
        ..Options::for_pair("retention", "acquisition")
    };
    Harness::on(topics, clock, options).await
}

/// The rows of a table, by the heading of the column.
pub(crate) fn table(path: &str) -> Vec<BTreeMap<String, String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join(path)).unwrap();
    let mut lines = text.lines();
    let heading: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let fields = line.split(',').map(str::to_owned);
        heading
            .iter()
            .map(|name| (*name).to_owned())
            .zip(fields)
            .collect()
    };
    lines.map(row).collect()
}

pub(crate) fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

/// Midnight of a day as it is written in files.
fn midnight(date: &str) -> Option<Timestamp> {
    format!("{date}T00:00:00Z").parse().ok()
}

/// Records all purchases; names of customers by their ids in the file.
pub(crate) async fn import(harness: &Harness) -> BTreeMap<String, String> {
    let rows = table("data/cdnow.csv");
    let mut names = BTreeMap::new();
    for (n, page) in rows.chunks(1_000).enumerate() {
        let item = |(m, row): (usize, &BTreeMap<String, String>)| {
            let (units, cents) = row["amount_usd"].split_once('.').unwrap();
            let minor_units = format!("{units}{cents:0<2}").parse().unwrap();
            let amount = Some(Money {
                currency_code: "USD".to_owned(),
                minor_units,
            });
            proto::PurchaseItem {
                external_id: row["customer_id"].clone(),
                purchase: Some(proto::Purchase {
                    purchase_id: format!("p{n}-{m}"),
                    amount: amount.clone(),
                    contribution_margin: amount,
                    occurred_at: midnight(&row["date"]),
                    ..Default::default()
                }),
                ..Default::default()
            }
        };
        let batch = proto::BatchRecordPurchasesRequest {
            items: page.iter().enumerate().map(item).collect(),
            request_id: new_id(),
        };
        let recorded = harness.customers().batch_record_purchases(batch).await;
        for (row, result) in page.iter().zip(recorded.unwrap().into_inner().results) {
            assert_eq!(result.code, 0, "{result:?}");
            names.insert(row["customer_id"].clone(), result.customer);
        }
    }
    names
}

pub(crate) fn fit() -> proto::FitModelRequest {
    proto::FitModelRequest {
        parent: LEDGER.to_owned(),
        as_of: moment(AS_OF),
        request_id: new_id(),
        ..Default::default()
    }
}

pub(crate) async fn fitted(harness: &Harness, request: proto::FitModelRequest) -> proto::Model {
    let fitted = harness.ledgers().fit_model(request).await;
    fitted.unwrap().into_inner()
}

/// Values customers by the model from now on.
pub(crate) async fn use_model(harness: &Harness) {
    let request = proto::SetAssumptionsRequest {
        name: LEDGER.to_owned(),
        method: proto::ValueMethod::MbgNbd as i32,
        annual_discount_rate: Some(0.15),
        request_id: new_id(),
        ..Default::default()
    };
    harness.ledgers().set_assumptions(request).await.unwrap();
}

/// The values of all customers, by name.
pub(crate) async fn values(
    harness: &Harness,
    request: proto::StreamCustomerValuesRequest,
) -> BTreeMap<String, proto::CustomerValue> {
    let request = proto::StreamCustomerValuesRequest {
        parent: LEDGER.to_owned(),
        ..request
    };
    let streamed = harness.values().stream_customer_values(request).await;
    let mut streamed = streamed.unwrap().into_inner();
    let mut all = BTreeMap::new();
    while let Some(item) = streamed.message().await.unwrap() {
        let value = item.value.unwrap();
        all.insert(value.customer.clone(), value);
    }
    all
}
