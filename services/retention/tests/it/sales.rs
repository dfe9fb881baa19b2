//! Story S2 of the domain: a sales representative keeps a customer.

use eventsourcing::Time;
use patron_proto::retention::v1 as proto;
use prost_types::Timestamp;

use crate::actions::complete;
use crate::harness::{
    DAY, Harness, NOW, assess, at, euros, new_id, precondition, purchase, record, refused,
};
use crate::relationship::{assign, notice, withdraw};

/// How many customers a book has, what they are worth, and what of it is under notice.
type Figures = (i64, i64, i64);

async fn book(harness: &Harness, asked: proto::GetBookOfBusinessRequest) -> Figures {
    let book = harness.work().get_book_of_business(asked).await.unwrap();
    let book = book.into_inner();
    let total = book.totals.first();
    let cents = |of: fn(&proto::BookTotal) -> i64| total.map(of).unwrap_or_default();
    (
        book.customer_count,
        cents(|total| total.equity.as_ref().unwrap().minor_units),
        cents(|total| total.under_notice.as_ref().unwrap().minor_units),
    )
}

fn of(owner: &str) -> proto::GetBookOfBusinessRequest {
    proto::GetBookOfBusinessRequest {
        owner: owner.to_owned(),
        ..Default::default()
    }
}

async fn work(harness: &Harness, owner: &str) -> Vec<proto::WorkItem> {
    let asked = proto::ListWorkRequest {
        owner: owner.to_owned(),
        ..Default::default()
    };
    let page = harness.work().list_work(asked).await.unwrap();
    page.into_inner().items
}

async fn churned(harness: &Harness) -> (i64, i64) {
    let board = harness.scoreboards();
    let board = { board }
        .get_scoreboard(proto::GetScoreboardRequest::default())
        .await
        .unwrap()
        .into_inner();
    (board.closing, board.lost)
}

#[tokio::test]
async fn a_sales_representative_keeps_the_customer() {
    let harness = Harness::start().await;
    let mut customers = harness.customers();

    // Rosa gets three customers, who left 200.00 each in the last year.
    let mut names = Vec::new();
    for external_id in ["C1", "C2", "C3"] {
        let name = harness.customer(external_id).await;
        let bought = record(&name, purchase("first", 40_000, -5 * DAY));
        customers.record_purchase(bought).await.unwrap();
        let assigned = assign(&name, "rosa", "EMEA/ES");
        customers.assign_owner(assigned).await.unwrap();
        names.push(name);
    }
    let c2 = names[1].clone();
    assert_eq!(book(&harness, of("rosa")).await, (3, 90_000, 0));

    // A promise to C2 is broken: there is something to be done, and 300.00 at stake.
    let perceived = proto::AssessPromiseRequest {
        perceived_score: 3,
        ..assess(&c2, "next-day", proto::PromiseVerdict::Unspecified)
    };
    let broken = harness.promises().assess_promise(perceived).await.unwrap();
    assert_eq!(broken.into_inner().gap, Some(-3));
    let todo = work(&harness, "rosa").await;
    assert_eq!((todo.len(), &todo[0].customer), (1, &c2));
    assert_eq!(todo[0].at_stake, euros(30_000));
    let repair = &todo[0].actions[0];
    assert_eq!(repair.r#type(), proto::ActionType::Repair);
    assert_eq!(
        todo[0].risk_drivers,
        [proto::RiskDriver::PromiseBroken as i32]
    );
    assert_eq!(todo[0].promises[0].state(), proto::PromiseState::Broken);

    // C2 gives notice, effective in 30 days. It is a customer still, and nobody was lost.
    let leaving = customers.give_notice(notice(&c2)).await.unwrap();
    assert_eq!(leaving.into_inner().state(), proto::CustomerState::Leaving);
    assert_eq!(book(&harness, of("rosa")).await, (3, 90_000, 30_000));
    assert_eq!(churned(&harness).await, (3, 0));

    // Rosa puts the promise right, and C2 thinks better of it.
    let repaired = proto::RepairPromiseRequest {
        name: format!("{c2}/promises/next-day"),
        request_id: new_id(),
        ..Default::default()
    };
    harness.promises().repair_promise(repaired).await.unwrap();
    customers
        .complete_action(complete(&repair.name))
        .await
        .unwrap();
    let stays = customers.withdraw_notice(withdraw(&c2)).await.unwrap();
    assert_eq!(stays.into_inner().state(), proto::CustomerState::Active);
    let again = customers.withdraw_notice(withdraw(&c2)).await;
    assert_eq!(refused(again), precondition("NOT_LEAVING"));

    // It even buys more: 300.00 in the last year are worth 450.00.
    let more = record(&c2, purchase("more", 20_000, 0));
    customers.record_purchase(more).await.unwrap();
    assert_eq!(harness.full(&c2).await.value, euros(45_000));
    assert_eq!(book(&harness, of("rosa")).await, (3, 105_000, 0));

    // Li takes C2 over a day later. What Rosa had just before stays as it was.
    harness.clock.set(Time::from_seconds(NOW + DAY));
    let over = assign(&c2, "li", "APAC/SG");
    customers.assign_owner(over).await.unwrap();
    assert_eq!(book(&harness, of("rosa")).await, (2, 60_000, 0));
    assert_eq!(book(&harness, of("li")).await, (1, 45_000, 0));
    let just_before = Timestamp {
        nanos: 999_999_000,
        ..at(DAY - 1).unwrap()
    };
    let before = proto::GetBookOfBusinessRequest {
        as_of: Some(just_before),
        ..of("rosa")
    };
    assert_eq!(book(&harness, before).await, (3, 105_000, 0));
    let emea = proto::GetBookOfBusinessRequest {
        territory: "EMEA".to_owned(),
        ..Default::default()
    };
    assert_eq!(book(&harness, emea).await, (2, 60_000, 0));

    // The save action that the notice proposed follows the customer to Li.
    assert!(work(&harness, "rosa").await.is_empty());
    let todo = work(&harness, "li").await;
    assert_eq!((todo.len(), &todo[0].customer), (1, &c2));
    assert_eq!(todo[0].actions[0].r#type(), proto::ActionType::Save);
}
