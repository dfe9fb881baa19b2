//! `BatchRecordPurchases`.

use patron_proto::retention::v1 as proto;
use patron_proto::types::v1::Money;
use tonic::Code;

use crate::harness::{DAY, Harness, end, new_id, purchase, refused};

fn imported(external_id: &str, purchase: proto::Purchase) -> proto::PurchaseItem {
    proto::PurchaseItem {
        external_id: external_id.to_owned(),
        purchase: Some(purchase),
        ..Default::default()
    }
}

fn batch(items: Vec<proto::PurchaseItem>) -> proto::BatchRecordPurchasesRequest {
    proto::BatchRecordPurchasesRequest {
        items,
        request_id: new_id(),
    }
}

async fn send(
    harness: &Harness,
    batch: &proto::BatchRecordPurchasesRequest,
) -> Vec<proto::PurchaseResult> {
    let recorded = harness
        .customers()
        .batch_record_purchases(batch.clone())
        .await
        .unwrap();
    recorded.into_inner().results
}

fn codes(results: &[proto::PurchaseResult]) -> Vec<(i32, bool)> {
    results
        .iter()
        .map(|result| (result.code, result.unchanged))
        .collect()
}

#[tokio::test]
async fn a_batch_imports_customers_and_repeating_it_changes_nothing() {
    let harness = Harness::start().await;
    let first = batch(vec![
        imported("1", purchase("a", 100, -9 * DAY)),
        imported("2", purchase("a", 200, -8 * DAY)),
        imported("1", purchase("b", 300, -7 * DAY)),
    ]);
    let results = send(&harness, &first).await;
    assert_eq!(codes(&results), [(0, false); 3]);
    assert_eq!(results[0].customer, results[2].customer);
    let shown = harness.full(&results[0].customer).await;
    assert_eq!((shown.purchase_count, shown.etag.as_str()), (2, "\"3\""));

    assert_eq!(codes(&send(&harness, &first).await), [(0, true); 3]);
    let renamed = proto::BatchRecordPurchasesRequest {
        request_id: new_id(),
        ..first
    };
    assert_eq!(codes(&send(&harness, &renamed).await), [(0, true); 3]);
    assert_eq!(harness.full(&results[0].customer).await.purchase_count, 2);
}

#[tokio::test]
async fn one_bad_row_never_stops_the_others() {
    let harness = Harness::start().await;
    let foreign = proto::Purchase {
        amount: Some(Money {
            currency_code: "EURO".to_owned(),
            minor_units: 1,
        }),
        ..purchase("e", 1, 0)
    };
    let sent = batch(vec![
        imported("1", purchase("a", 100, -9 * DAY)),
        imported("1", purchase("b", -1, -8 * DAY)),
        imported("1", purchase("a", 999, -9 * DAY)),
        imported("1", purchase("c", 300, -10 * DAY)),
        imported("1", foreign),
        proto::PurchaseItem {
            purchase: Some(purchase("f", 1, 0)),
            ..Default::default()
        },
        imported("1", purchase("d", 400, -DAY)),
    ]);
    let invalid = Code::InvalidArgument as i32;
    let expected = [
        (0, false),
        (invalid, false),
        (Code::AlreadyExists as i32, false),
        (invalid, false),
        (invalid, false),
        (invalid, false),
        (0, false),
    ];
    let results = send(&harness, &sent).await;
    assert_eq!(codes(&results), expected);
    assert_eq!(results[1].reason, "WRONG_SIGN");
    assert_eq!(results[3].reason, "TOO_EARLY");
    let replayed: Vec<i32> = send(&harness, &sent)
        .await
        .iter()
        .map(|it| it.code)
        .collect();
    assert_eq!(replayed, expected.map(|(code, _)| code));
    assert_eq!(harness.full(&results[0].customer).await.purchase_count, 2);
}

#[tokio::test]
async fn a_customer_of_whom_everything_is_refused_is_not_created() {
    let harness = Harness::start().await;
    let before = harness.running.engine.totals().unwrap().0;
    let sent = batch(vec![
        imported("1", purchase("a", -100, -9 * DAY)),
        proto::PurchaseItem {
            parent: format!("customers/{}", new_id()),
            purchase: Some(purchase("a", 100, 0)),
            ..Default::default()
        },
    ]);
    let results = send(&harness, &sent).await;
    assert_eq!(results[0].reason, "WRONG_SIGN");
    assert_eq!(results[1].code, Code::NotFound as i32);
    let all = harness
        .customers()
        .list_customers(proto::ListCustomersRequest::default())
        .await;
    assert_eq!(all.unwrap().into_inner().customers, []);
    assert_eq!(
        harness.running.engine.totals().unwrap().0,
        before,
        "nothing was written"
    );
}

#[tokio::test]
async fn what_was_refused_then_is_not_called_recorded_later() {
    let harness = Harness::start().await;
    let customer = harness.customer("1").await;
    let lost = end(&customer, proto::LossReason::Price);
    harness.customers().end_relationship(lost).await.unwrap();
    let sent = batch(vec![
        imported("1", purchase("before", 100, -DAY)),
        imported("1", purchase("after", 100, 60)),
    ]);
    let results = send(&harness, &sent).await;
    assert_eq!(results[1].reason, "WIN_BACK_FIRST");
    let win_back = proto::WinBackCustomerRequest {
        name: customer,
        request_id: new_id(),
        ..Default::default()
    };
    harness
        .customers()
        .win_back_customer(win_back)
        .await
        .unwrap();
    let again = send(&harness, &sent).await;
    assert_eq!(
        (again[0].code, again[1].reason.as_str()),
        (0, "REFUSED_BEFORE")
    );
    assert!(again[0].unchanged && !again[1].unchanged);
}

#[tokio::test]
async fn a_batch_has_from_one_to_a_thousand_items() {
    let harness = Harness::start().await;
    let before = harness.running.engine.totals().unwrap().0;
    for (count, code) in [(0, Code::InvalidArgument), (1_001, Code::ResourceExhausted)] {
        let sent = batch(vec![imported("1", purchase("a", 1, 0)); count]);
        let outcome = harness.customers().batch_record_purchases(sent).await;
        assert_eq!(refused(outcome).0, code);
    }
    let items = (0..1_000).map(|n| imported("1", purchase(&format!("p{n}"), 1, 0)));
    let results = send(&harness, &batch(items.collect())).await;
    assert_eq!(codes(&results), vec![(0, false); 1_000]);
    let after = harness.running.engine.totals().unwrap().0;
    assert_eq!(after - before, 1, "one commit");
}
