//! `ValueService`.

use eventsourcing::Time;
use patron_proto::retention::v1 as proto;
use tonic::Code;

use crate::harness::{
    DAY, Harness, NOW, at, end, euros, new_id, precondition, purchase, record, refused,
};

fn asked(name: &str) -> proto::GetCustomerValueRequest {
    proto::GetCustomerValueRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

async fn value(harness: &Harness, request: proto::GetCustomerValueRequest) -> proto::CustomerValue {
    let valued = harness.values().get_customer_value(request).await;
    valued.unwrap().into_inner()
}

#[tokio::test]
async fn a_value_comes_with_everything_that_it_is_made_of() {
    let harness = Harness::start().await;
    let rosa = harness.customer("rosa").await;
    for (id, day) in [("p1", -5), ("p2", 0)] {
        let bought = record(&rosa, purchase(id, 20_000, day * DAY));
        harness.customers().record_purchase(bought).await.unwrap();
    }
    let now = value(&harness, asked(&rosa)).await;
    assert_eq!(
        (now.value, now.trailing_margin),
        (euros(30_000), euros(20_000))
    );
    assert_eq!(now.trailing_purchases, 2);
    assert!(
        now.meaning
            .contains("before acquisition cost, by SIMPLE as of 2026-01-01"),
        "{}",
        now.meaning
    );
    assert!(now.meaning.contains("m = 200.00 EUR"), "{}", now.meaning);
    let assumptions = now.assumptions.unwrap();
    let (kept, discounted) = (
        assumptions.annual_retention_rate,
        assumptions.annual_discount_rate,
    );
    assert_eq!((kept, discounted), (0.75, 0.25));

    let earlier = proto::GetCustomerValueRequest {
        as_of: at(-DAY),
        ..asked(&rosa)
    };
    assert_eq!(value(&harness, earlier).await.value, euros(15_000));
}

#[tokio::test]
async fn what_was_known_once_gives_the_same_answer_for_ever() {
    let harness = Harness::start().await;
    let rosa = harness.customer("rosa").await;
    let bought = record(&rosa, purchase("p1", 20_000, 0));
    harness.customers().record_purchase(bought).await.unwrap();
    let first = value(&harness, asked(&rosa)).await;

    harness.clock.set(Time::from_seconds(NOW + DAY));
    let late = record(&rosa, purchase("late", 20_000, -DAY));
    harness.customers().record_purchase(late).await.unwrap();
    let rates = proto::SetAssumptionsRequest {
        name: "ledgers/EUR".to_owned(),
        annual_retention_rate: Some(0.8),
        request_id: new_id(),
        ..Default::default()
    };
    harness.ledgers().set_assumptions(rates).await.unwrap();
    let lost = end(&rosa, proto::LossReason::Price);
    harness.customers().end_relationship(lost).await.unwrap();

    let again = proto::GetCustomerValueRequest {
        as_of: at(0),
        known_at_position: first.known_at_position.clone(),
        ..asked(&rosa)
    };
    assert_eq!(value(&harness, again).await, first);
    let now = value(&harness, asked(&rosa)).await;
    assert_eq!(
        (now.value, now.state),
        (euros(0), proto::CustomerState::Lost as i32)
    );
    let before_the_loss = proto::GetCustomerValueRequest {
        as_of: at(0),
        ..asked(&rosa)
    };
    assert_eq!(
        value(&harness, before_the_loss).await.trailing_margin,
        euros(20_000)
    );
}

#[tokio::test]
async fn there_is_no_value_of_nobody_and_none_by_a_model_that_was_not_fitted() {
    let harness = Harness::start().await;
    let rosa = harness.customer("rosa").await;
    let refuse = async |request| refused(harness.values().get_customer_value(request).await);
    let unknown = asked(&format!("customers/{}", new_id()));
    assert_eq!(refuse(unknown).await.0, Code::NotFound);
    let before = proto::GetCustomerValueRequest {
        as_of: at(-11 * DAY),
        ..asked(&rosa)
    };
    assert_eq!(refuse(before).await, precondition("NOT_FOUND_AS_OF"));
    let model = proto::GetCustomerValueRequest {
        method: proto::ValueMethod::MbgNbd as i32,
        ..asked(&rosa)
    };
    assert_eq!(refuse(model).await, precondition("NO_MODEL"));
}
