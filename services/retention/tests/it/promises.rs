//! `PromiseService`.

use patron_proto::retention::v1 as proto;
use prost_types::Timestamp;
use tonic::Code;

use crate::harness::{DAY, Harness, assess, at, end, new_id, precondition, refused, terms};

fn make(customer: &str, id: &str) -> proto::MakePromiseRequest {
    proto::MakePromiseRequest {
        parent: customer.to_owned(),
        promise: Some(proto::Promise {
            terms: Some(terms(id)),
            proposition: "propositions/van-repair".to_owned(),
            made_by: "sales".to_owned(),
            ..Default::default()
        }),
        request_id: new_id(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_score_decides_whether_a_promise_was_kept() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let scored = |score| proto::AssessPromiseRequest {
        perceived_score: score,
        ..assess(&customer, "next-day", proto::PromiseVerdict::Unspecified)
    };
    let kept = harness
        .promises()
        .assess_promise(scored(6))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (kept.state(), kept.gap),
        (proto::PromiseState::Kept, Some(0))
    );
    let broken = harness
        .promises()
        .assess_promise(scored(3))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (broken.state(), broken.gap),
        (proto::PromiseState::Broken, Some(-3))
    );
    assert_eq!(
        refused(harness.promises().assess_promise(scored(7)).await),
        precondition("NOT_ASSESSABLE")
    );
    let actions = harness.full(&customer).await.open_actions;
    assert_eq!(actions.len(), 1);
    assert_eq!(actions[0].r#type(), proto::ActionType::Repair);
}

#[tokio::test]
async fn a_broken_promise_is_repaired_and_an_open_one_waived() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let name = format!("{customer}/promises/next-day");
    let repair = || proto::RepairPromiseRequest {
        name: name.clone(),
        request_id: new_id(),
        ..Default::default()
    };
    let waive = || proto::WaivePromiseRequest {
        name: name.clone(),
        request_id: new_id(),
        ..Default::default()
    };
    assert_eq!(
        refused(harness.promises().repair_promise(repair()).await),
        precondition("NOT_BROKEN")
    );
    let broken = assess(&customer, "next-day", proto::PromiseVerdict::Broken);
    harness.promises().assess_promise(broken).await.unwrap();
    let repaired = harness
        .promises()
        .repair_promise(repair())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(repaired.state(), proto::PromiseState::Repaired);
    assert_eq!(
        refused(harness.promises().waive_promise(waive()).await),
        precondition("NOT_OPEN")
    );
}

#[tokio::test]
async fn nobody_promises_anything_to_a_lost_customer() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let lost = end(&customer, proto::LossReason::Price);
    harness.customers().end_relationship(lost).await.unwrap();
    let made = harness
        .promises()
        .make_promise(make(&customer, "more"))
        .await;
    assert_eq!(refused(made), precondition("WIN_BACK_FIRST"));
}

#[tokio::test]
async fn a_promise_without_an_id_gets_one_and_promises_come_in_pages() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let unnamed = make(&customer, "");
    let made = harness
        .promises()
        .make_promise(unnamed.clone())
        .await
        .unwrap()
        .into_inner();
    let again = harness
        .promises()
        .make_promise(unnamed)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((made.made_by.as_str(), &again.name), ("sales", &made.name));
    let asked = |token: String| proto::ListPromisesRequest {
        parent: customer.clone(),
        page_size: 1,
        page_token: token,
        ..Default::default()
    };
    let page = harness
        .promises()
        .list_promises(asked(String::new()))
        .await
        .unwrap()
        .into_inner();
    let token = page.next_page_token.clone();
    let last = harness
        .promises()
        .list_promises(asked(token))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((page.promises.len(), last.promises.len()), (1, 1));
    assert_ne!(page.promises[0].name, last.promises[0].name);
    assert_eq!(last.next_page_token, "");
    let unknown = proto::GetPromiseRequest {
        name: format!("{customer}/promises/unknown"),
        ..Default::default()
    };
    assert_eq!(
        refused(harness.promises().get_promise(unknown).await).0,
        Code::NotFound
    );
}

#[tokio::test]
async fn the_ledger_tells_how_sure_a_kept_rate_is() {
    let harness = Harness::start().await;
    for (external_id, verdict) in [
        ("1", proto::PromiseVerdict::Kept),
        ("2", proto::PromiseVerdict::Broken),
        ("3", proto::PromiseVerdict::Broken),
        ("4", proto::PromiseVerdict::Broken),
    ] {
        let customer = harness.customer(external_id).await;
        let assessed = assess(&customer, "next-day", verdict);
        harness.promises().assess_promise(assessed).await.unwrap();
    }
    harness.customer("5").await;
    let asked = proto::GetPromiseLedgerRequest::default();
    let ledger = harness
        .promises()
        .get_promise_ledger(asked)
        .await
        .unwrap()
        .into_inner();
    let line = ledger.lines.first().unwrap();
    assert_eq!((line.made, line.kept, line.broken, line.open), (5, 1, 3, 1));
    assert_eq!(line.kept_rate, Some(0.25));
    assert!((line.kept_rate_upper.unwrap() - 0.699).abs() < 0.001);
    assert_eq!(line.mean_gap, None);
    assert_eq!(ledger.total.unwrap().made, 5);
}

#[tokio::test]
async fn what_happens_to_a_promise_is_told_late_and_never_ahead() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let acquired_at = harness.full(&customer).await.acquired_at.unwrap();
    let after = |days: i64| {
        Some(Timestamp {
            seconds: acquired_at.seconds + days * DAY,
            nanos: 0,
        })
    };
    let future = || (Code::InvalidArgument, "FUTURE_TIME".to_owned());
    let early = || (Code::InvalidArgument, "TOO_EARLY".to_owned());
    let mut promises = harness.promises();
    for (id, occurred_at, expected) in [
        ("ahead", at(301), Some(future())),
        ("before", after(-1), Some(early())),
        ("late", after(1), None),
    ] {
        let told = proto::MakePromiseRequest {
            occurred_at,
            ..make(&customer, id)
        };
        let made = promises.make_promise(told).await;
        match expected {
            Some(expected) => assert_eq!(refused(made), expected),
            None => assert_eq!(made.unwrap().into_inner().made_at, after(1)),
        }
    }
    let name = format!("{customer}/promises/late");
    let waive = |occurred_at| proto::WaivePromiseRequest {
        name: name.clone(),
        request_id: new_id(),
        occurred_at,
        ..Default::default()
    };
    let waived = promises.waive_promise(waive(at(301))).await;
    assert_eq!(refused(waived), future());
    let waived = promises.waive_promise(waive(after(0))).await;
    assert_eq!(refused(waived), early());
    promises.waive_promise(waive(after(1))).await.unwrap();
    let broken = proto::AssessPromiseRequest {
        assessed_at: after(2),
        ..assess(&customer, "next-day", proto::PromiseVerdict::Broken)
    };
    promises.assess_promise(broken).await.unwrap();
    let repair = |occurred_at| proto::RepairPromiseRequest {
        name: format!("{customer}/promises/next-day"),
        request_id: new_id(),
        occurred_at,
        ..Default::default()
    };
    let repaired = promises.repair_promise(repair(at(301))).await;
    assert_eq!(refused(repaired), future());
    let repaired = promises.repair_promise(repair(after(1))).await;
    assert_eq!(refused(repaired), early());
    promises.repair_promise(repair(after(2))).await.unwrap();
}
