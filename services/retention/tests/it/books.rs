//! Two quarters in the books of a business, as a finance lead sees them, and what can no longer change them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use eventsourcing::{FixedClock, Time};
use journal::memory::MemoryTopics;
use patron_proto::acquisition::v1 as acquisition;
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::EquityLine::{Created, Eroded, Grown, Lost, WonBack};
use patron_proto::types::v1::{Money, PromiseTerms};
use prost::Message as _;
use runtime::Options;
use tonic::Code;
use uuid::Uuid;

use crate::harness::{
    DAY, Harness, NOW, at, end, euros, new_id, open, precondition, purchase, record, refused, terms,
};
use crate::told::{converted, publish};

/// The first day of each quarter of 2026, in days from now.
const Q1: i64 = 0;
const Q2: i64 = 90;
const Q3: i64 = 181;
const Q4: i64 = 273;

/// An instance on this log, with its rows in this folder.
async fn started(clock: Arc<FixedClock>, topics: MemoryTopics, data: &Path) -> Harness {
    let options = Options {
        data: Some(data.to_owned()),
        ..Options::for_pair("retention", "acquisition")
    };
    Harness::on(topics, clock, options).await
}

fn today(harness: &Harness, days: i64) {
    harness.clock.set(Time::from_seconds(NOW + days * DAY));
}

/// A customer since before the first quarter, with a first purchase.
async fn customer(harness: &Harness, external_id: &str, amount: i64) -> String {
    let request = proto::OpenRelationshipRequest {
        first_purchase: Some(purchase("first", amount, -10 * DAY)),
        ..open(external_id)
    };
    let opened = harness.customers().open_relationship(request).await;
    opened.unwrap().into_inner().name
}

async fn buys(harness: &Harness, customer: &str, id: &str, amount: i64, day: i64) {
    let bought = record(customer, purchase(id, amount, day * DAY));
    harness.customers().record_purchase(bought).await.unwrap();
}

pub(crate) fn close(
    currency: &str,
    id: &str,
    (start, end): (i64, i64),
) -> proto::ClosePeriodRequest {
    proto::ClosePeriodRequest {
        parent: format!("ledgers/{currency}"),
        statement_id: id.to_owned(),
        start: at(start * DAY),
        end: at(end * DAY),
        request_id: new_id(),
        ..Default::default()
    }
}

async fn closed(harness: &Harness, id: &str, span: (i64, i64)) -> proto::EquityStatement {
    let closed = harness.ledgers().close_period(close("EUR", id, span)).await;
    closed.unwrap().into_inner()
}

async fn statement(harness: &Harness, name: &str) -> proto::EquityStatement {
    let request = proto::GetEquityStatementRequest {
        name: name.to_owned(),
        ..Default::default()
    };
    let read = harness.ledgers().get_equity_statement(request).await;
    read.unwrap().into_inner()
}

async fn movements(harness: &Harness, line: proto::EquityLine) -> Vec<(String, i64, i64)> {
    let request = proto::ListEquityMovementsRequest {
        parent: "ledgers/EUR/statements/2026-q2".to_owned(),
        line: line as i32,
        ..Default::default()
    };
    let listed = harness.ledgers().list_equity_movements(request).await;
    let listed = listed.unwrap().into_inner();
    let amount = |money: &Option<Money>| money.as_ref().unwrap().minor_units;
    let movements: Vec<(String, i64, i64)> = listed
        .movements
        .into_iter()
        .map(|movement| (movement.customer, movement.count, amount(&movement.amount)))
        .collect();
    let sum: i64 = movements.iter().map(|(_, _, amount)| amount).sum();
    assert_eq!(sum, amount(&listed.total), "{line:?}");
    movements
}

fn lines(statement: &proto::EquityStatement) -> [i64; 8] {
    let lines = statement.lines.clone().unwrap();
    [
        lines.opening,
        lines.created,
        lines.won_back,
        lines.grown,
        lines.eroded,
        lines.lost,
        lines.remeasured,
        lines.closing,
    ]
    .map(|amount| amount.unwrap().minor_units)
}

fn people(statement: &proto::EquityStatement) -> [i64; 5] {
    let counts = statement.counts.unwrap();
    [
        counts.opening,
        counts.created,
        counts.won_back,
        counts.lost,
        counts.closing,
    ]
}

/// The customers of the story: A, B, C and E.
async fn first_quarter(harness: &Harness) -> [String; 4] {
    let a = customer(harness, "A", 80_000).await;
    let b = customer(harness, "B", 40_000).await;
    let c = customer(harness, "C", 40_000).await;
    let e = customer(harness, "E", 20_000).await;
    today(harness, Q1 + 30);
    let lost = end(&e, proto::LossReason::Price);
    harness.customers().end_relationship(lost).await.unwrap();
    today(harness, Q2);
    let q1 = closed(harness, "2026-q1", (Q1, Q2)).await;
    //                          opening, created, back, grown, eroded, lost, remeasured, closing
    assert_eq!(lines(&q1), [135_000, 0, 0, 0, 0, -15_000, 0, 120_000]);
    assert_eq!(people(&q1), [4, 0, 0, 1, 3]);
    [a, b, c, e]
}

/// What happens in the second quarter, told to this service and by acquisition; D is new.
async fn second_quarter(harness: &Harness, [a, b, c, e]: &[String; 4]) -> String {
    today(harness, Q2 + 20);
    let back = proto::WinBackCustomerRequest {
        name: e.clone(),
        request_id: new_id(),
        ..Default::default()
    };
    harness.customers().win_back_customer(back).await.unwrap();
    buys(harness, e, "again", 20_000, Q2 + 20).await;
    buys(harness, a, "more", 20_000, Q2 + 20).await;
    let taken = proto::ReversePurchaseRequest {
        parent: b.clone(),
        purchase_id: "first".to_owned(),
        reversal: Some(proto::Reversal {
            reversal_id: "credit-note".to_owned(),
            amount: euros(10_000),
            ..Default::default()
        }),
        request_id: new_id(),
        ..Default::default()
    };
    harness.customers().reverse_purchase(taken).await.unwrap();
    let lost = end(c, proto::LossReason::Price);
    harness.customers().end_relationship(lost).await.unwrap();
    let dollars = proto::OpenRelationshipRequest {
        currency_code: "USD".to_owned(),
        ..open("in dollars")
    };
    harness
        .customers()
        .open_relationship(dollars)
        .await
        .unwrap();
    let rates = proto::SetAssumptionsRequest {
        name: "ledgers/EUR".to_owned(),
        annual_retention_rate: Some(0.8),
        annual_discount_rate: Some(0.2),
        request_id: new_id(),
        ..Default::default()
    };
    harness.ledgers().set_assumptions(rates).await.unwrap();
    // D is on the way from acquisition, and nobody waits for it but the closing.
    let id = Uuid::from_u128(0xd);
    let conversion = acquisition::ProspectConverted {
        occurred_at: at((Q2 + 20) * DAY),
        promises: vec![PromiseTerms {
            due_at: None,
            ..terms("next-day")
        }],
        ..converted(id)
    };
    publish(
        harness,
        id,
        &[("ProspectConverted", conversion.encode_to_vec())],
    )
    .await;
    format!("customers/{id}")
}

/// Somebody is forgotten, and nobody can say any more who it was.
async fn erased(harness: &Harness, customer: &str) {
    let erase = proto::EraseCustomerRequest {
        name: customer.to_owned(),
        request_id: new_id(),
        ..Default::default()
    };
    harness.customers().erase_customer(erase).await.unwrap();
    let export = proto::ExportCustomerRequest {
        name: customer.to_owned(),
        ..Default::default()
    };
    let gone = harness.customers().export_customer(export).await;
    assert_eq!(refused(gone), (Code::NotFound, "ERASED".to_owned()));
}

#[tokio::test]
async fn the_books_of_two_quarters_add_up_and_never_change() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("rows");
    let clock = Arc::new(FixedClock::at(Time::from_seconds(NOW)));
    let topics = MemoryTopics::new(Arc::<FixedClock>::clone(&clock));
    let harness = started(clock, topics, &data).await;
    let known = first_quarter(&harness).await;
    let new = second_quarter(&harness, &known).await;
    let [a, b, c, e] = &known;

    today(&harness, Q3);
    let q2 = closed(&harness, "2026-q2", (Q2, Q3)).await;
    let expected = [
        120_000, 30_000, 30_000, 15_000, -7_500, -30_000, 52_500, 210_000,
    ];
    assert_eq!(lines(&q2), expected);
    assert_eq!(people(&q2), [3, 1, 1, 1, 4]);
    assert_eq!(
        q2.heading,
        "management statement, unaudited; not an IFRS or GAAP asset"
    );
    // Margins of D, E and A, less the one of B.
    let memo = q2.memo.clone().unwrap();
    assert_eq!(
        memo.realised_margin,
        euros(20_000 + 10_000 + 10_000 - 5_000)
    );

    // Every line opens to the customers behind it.
    for (line, customer, count, amount) in [
        (Lost, c, 1, -30_000),
        (Created, &new, 1, 30_000),
        (WonBack, e, 1, 30_000),
        (Grown, a, 0, 15_000),
        (Eroded, b, 0, -7_500),
    ] {
        let found = movements(&harness, line).await;
        assert_eq!(found, [(customer.clone(), count, amount)], "{line:?}");
    }

    // What is closed is closed, and nothing is left out.
    let again = harness
        .ledgers()
        .close_period(close("EUR", "2026-q2", (Q2, Q3)))
        .await;
    assert_eq!(
        refused(again),
        (Code::AlreadyExists, "ALREADY_EXISTS".to_owned())
    );
    today(&harness, Q4);
    let gap = harness
        .ledgers()
        .close_period(close("EUR", "2026-q3", (Q3 + 1, Q4)))
        .await;
    assert_eq!(refused(gap), precondition("GAP_IN_PERIODS"));

    // A purchase of the second quarter that is told now stands in the third.
    buys(&harness, a, "found-in-a-drawer", 2_000, Q3 - 1).await;
    assert_eq!(statement(&harness, &q2.name).await, q2);

    // Whoever is forgotten is counted as before.
    erased(&harness, a).await;
    let after = statement(&harness, &q2.name).await;
    assert_eq!(after.encode_to_vec(), q2.encode_to_vec());

    // The rows are deleted, and everything is as it was.
    let (clock, topics) = (Arc::clone(&harness.clock), harness.topics.clone());
    harness.stop().await;
    fs::remove_dir_all(&data).unwrap();
    let harness = started(clock, topics, &data).await;
    let rebuilt = statement(&harness, &q2.name).await;
    assert_eq!(rebuilt.encode_to_vec(), q2.encode_to_vec());
    assert_eq!(movements(&harness, Lost).await, [(c.clone(), 1, -30_000)]);

    let q3 = closed(&harness, "2026-q3", (Q3, Q4)).await;
    assert_eq!(lines(&q3), [210_000, 0, 0, 2_000, 0, 0, 0, 212_000]);
    assert_eq!(people(&q3), [4, 0, 0, 0, 4]);
    assert_eq!(statement(&harness, &q2.name).await, q2);
}
