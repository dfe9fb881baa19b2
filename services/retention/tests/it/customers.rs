//! `CustomerService`, one command at a time.

use patron_proto::retention::v1 as proto;
use tonic::Code;

use crate::harness::{
    DAY, Harness, assess, at, end, euros, new_id, open, precondition, purchase, record, refused,
};

#[tokio::test]
async fn an_import_is_known_again_by_its_external_id() {
    let harness = Harness::start().await;
    let first = harness.customer("00042").await;
    assert_eq!(harness.customer("00042").await, first);
    assert_ne!(harness.customer("00043").await, first);
    let shown = harness.full(&first).await;
    assert_eq!(shown.state(), proto::CustomerState::Active);
    assert_eq!(shown.source(), proto::CustomerSource::Import);
    assert_eq!(
        (shown.external_id.as_str(), shown.promises.len()),
        ("00042", 1)
    );
}

#[tokio::test]
async fn a_first_purchase_happens_when_the_relationship_begins() {
    let harness = Harness::start().await;
    let bought = |seconds| proto::OpenRelationshipRequest {
        first_purchase: Some(purchase("p", 40_000, seconds)),
        ..open("00042")
    };
    let other = harness
        .customers()
        .open_relationship(bought(-9 * DAY))
        .await;
    assert_eq!(refused(other).0, Code::InvalidArgument);
    let opened = harness
        .customers()
        .open_relationship(bought(-10 * DAY))
        .await
        .unwrap();
    let opened = opened.into_inner();
    assert_eq!((opened.purchase_count, opened.margin), (1, euros(20_000)));
    assert_eq!(harness.full(&opened.name).await.value, euros(30_000));
}

#[tokio::test]
async fn promises_need_a_proposition() {
    let harness = Harness::start().await;
    let none = proto::OpenRelationshipRequest {
        proposition: String::new(),
        ..open("00042")
    };
    let none = harness.customers().open_relationship(none).await;
    assert_eq!(refused(none).0, Code::InvalidArgument);
}

#[tokio::test]
async fn the_evidence_of_a_consent_is_kept() {
    let harness = Harness::start().await;
    let mut evident = open("00042");
    evident.consents[0].evidence = "form 7".to_owned();
    let opened = harness.customers().open_relationship(evident).await;
    let consents = opened.unwrap().into_inner().consents;
    assert_eq!(consents[0].evidence, "form 7");
}

#[tokio::test]
async fn a_purchase_is_recorded_once_and_its_id_means_one_thing() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    for _ in 0..2 {
        let again = record(&customer, purchase("p", 40_000, -DAY));
        let recorded = harness
            .customers()
            .record_purchase(again)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(recorded.contribution_margin, euros(20_000));
        assert_eq!(recorded.margin_source(), proto::MarginSource::Default);
    }
    let other = harness
        .customers()
        .record_purchase(record(&customer, purchase("p", 1, -DAY)))
        .await;
    assert_eq!(
        refused(other),
        (Code::AlreadyExists, "ALREADY_EXISTS".to_owned())
    );
    let early = record(&customer, purchase("early", 1, -11 * DAY));
    assert_eq!(
        refused(harness.customers().record_purchase(early).await).1,
        "TOO_EARLY"
    );
    assert_eq!(harness.full(&customer).await.purchase_count, 1);
}

#[tokio::test]
async fn an_unknown_customer_may_be_on_its_way() {
    let harness = Harness::start().await;
    let unknown = format!("customers/{}", new_id());
    let bought = harness
        .customers()
        .record_purchase(record(&unknown, purchase("p", 1, 0)))
        .await;
    assert!(
        bought
            .as_ref()
            .unwrap_err()
            .message()
            .contains("on its way")
    );
    assert_eq!(refused(bought), (Code::NotFound, "NOT_FOUND".to_owned()));
    let asked = proto::GetCustomerRequest {
        name: unknown,
        ..Default::default()
    };
    assert_eq!(
        refused(harness.customers().get_customer(asked).await).0,
        Code::NotFound
    );
}

#[tokio::test]
async fn no_more_is_taken_back_than_there_is() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let bought = record(&customer, purchase("p", 40_000, -DAY));
    harness.customers().record_purchase(bought).await.unwrap();
    let reverse = |purchase: &str, id: &str, minor_units| proto::ReversePurchaseRequest {
        parent: customer.clone(),
        purchase_id: purchase.to_owned(),
        reversal: Some(proto::Reversal {
            reversal_id: id.to_owned(),
            amount: euros(minor_units),
            ..Default::default()
        }),
        request_id: new_id(),
        ..Default::default()
    };
    let part = harness
        .customers()
        .reverse_purchase(reverse("p", "r1", 10_000))
        .await
        .unwrap();
    assert_eq!(
        part.into_inner().reversals[0].contribution_margin,
        euros(5_000)
    );
    let more = harness
        .customers()
        .reverse_purchase(reverse("p", "r2", 30_001))
        .await;
    assert_eq!(refused(more), precondition("OVER_REVERSED"));
    let unknown = harness
        .customers()
        .reverse_purchase(reverse("q", "r", 1))
        .await;
    assert_eq!(refused(unknown).0, Code::NotFound);
    assert_eq!(harness.full(&customer).await.revenue, euros(30_000));
}

#[tokio::test]
async fn a_customer_is_lost_for_a_reason_and_may_be_won_back() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let leave = async |reason| {
        harness
            .customers()
            .end_relationship(end(&customer, reason))
            .await
    };
    let unbroken = leave(proto::LossReason::PromiseBroken).await;
    assert_eq!(refused(unbroken), precondition("NO_BROKEN_PROMISE"));
    let broken = assess(&customer, "next-day", proto::PromiseVerdict::Broken);
    harness.promises().assess_promise(broken).await.unwrap();
    let lost = leave(proto::LossReason::PromiseBroken)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(lost.state(), proto::CustomerState::Lost);
    assert_eq!(lost.loss.unwrap().broken_promise_ids, ["next-day"]);
    assert_eq!(
        refused(leave(proto::LossReason::Price).await),
        precondition("ALREADY_LOST")
    );
    let late = record(&customer, purchase("late", 1, 60));
    let late = harness.customers().record_purchase(late).await;
    assert_eq!(refused(late), precondition("WIN_BACK_FIRST"));

    let listed = proto::ListActionsRequest {
        parent: customer.clone(),
        ..Default::default()
    };
    let actions = harness
        .customers()
        .list_actions(listed)
        .await
        .unwrap()
        .into_inner()
        .actions;
    let mut kinds: Vec<_> = actions.iter().map(|it| (it.r#type(), it.state())).collect();
    kinds.sort_unstable();
    let repair = (proto::ActionType::Repair, proto::ActionState::Cancelled);
    let win_back = (proto::ActionType::WinBack, proto::ActionState::Open);
    assert_eq!(kinds, [repair, win_back]);

    let win_back = proto::WinBackCustomerRequest {
        name: customer.clone(),
        request_id: new_id(),
        ..Default::default()
    };
    let back = harness
        .customers()
        .win_back_customer(win_back.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (back.state(), back.ended_at),
        (proto::CustomerState::Active, None)
    );
    let again = proto::WinBackCustomerRequest {
        request_id: new_id(),
        ..win_back
    };
    let again = harness.customers().win_back_customer(again).await;
    assert_eq!(refused(again), precondition("NOT_LOST"));
}

#[tokio::test]
async fn an_etag_of_before_is_stale() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let etag = harness.full(&customer).await.etag;
    let bought = record(&customer, purchase("p", 1, 0));
    harness.customers().record_purchase(bought).await.unwrap();
    let stale = proto::EndRelationshipRequest {
        etag,
        ..end(&customer, proto::LossReason::Price)
    };
    let stale = harness.customers().end_relationship(stale).await;
    assert_eq!(refused(stale), (Code::Aborted, "STALE_ETAG".to_owned()));
}

#[tokio::test]
async fn a_question_writes_nothing() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    let asked = proto::RecordPurchaseRequest {
        validate_only: true,
        ..record(&customer, purchase("p", 40_000, 0))
    };
    let answer = harness
        .customers()
        .record_purchase(asked)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.contribution_margin, euros(20_000));
    assert_eq!(harness.full(&customer).await.purchase_count, 0);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let harness = Harness::start().await;
    let customer = harness.customer("00042").await;
    harness.customer("00043").await;
    harness.customer("00044").await;
    for id in ["a", "b", "c"] {
        let bought = record(&customer, purchase(id, 1, 0));
        harness.customers().record_purchase(bought).await.unwrap();
    }
    let (mut token, mut names) = (String::new(), Vec::new());
    loop {
        let request = proto::ListCustomersRequest {
            page_size: 2,
            page_token: token,
            ..Default::default()
        };
        let page = harness
            .customers()
            .list_customers(request)
            .await
            .unwrap()
            .into_inner();
        names.extend(page.customers.into_iter().map(|customer| customer.name));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(names.len(), 3);
    assert!(names.is_sorted());
    let request = proto::ListPurchasesRequest {
        parent: customer.clone(),
        page_size: 2,
        ..Default::default()
    };
    let page = harness
        .customers()
        .list_purchases(request)
        .await
        .unwrap()
        .into_inner();
    let request = proto::ListPurchasesRequest {
        parent: customer,
        page_size: 2,
        page_token: page.next_page_token,
        ..Default::default()
    };
    let last = harness
        .customers()
        .list_purchases(request)
        .await
        .unwrap()
        .into_inner();
    let ids = page
        .purchases
        .iter()
        .chain(&last.purchases)
        .map(|it| it.purchase_id.as_str());
    assert_eq!(ids.collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(last.purchases[0].occurred_at, at(0));
}
