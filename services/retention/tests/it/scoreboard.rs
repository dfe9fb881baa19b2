//! `ScoreboardService`.

use std::sync::Arc;

use eventsourcing::Time;
use patron_proto::retention::v1 as proto;
use runtime::Options;
use tonic::Code;

use crate::harness::{
    DAY, Harness, NOW, assess, at, end, euros, new_id, purchase, record, refused,
};

#[tokio::test]
async fn people_come_first_and_money_follows_by_currency() {
    let harness = Harness::start().await;
    let (rosa, li) = (harness.customer("rosa").await, harness.customer("li").await);
    for (customer, amount) in [(&rosa, 40_000), (&li, 20_000)] {
        let bought = record(customer, purchase("p", amount, 0));
        harness.customers().record_purchase(bought).await.unwrap();
    }
    harness.clock.set(Time::from_seconds(NOW + DAY));
    let lost = end(&li, proto::LossReason::Price);
    harness.customers().end_relationship(lost).await.unwrap();

    let asked = proto::GetScoreboardRequest::default();
    let board = harness
        .scoreboards()
        .get_scoreboard(asked)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (board.opening, board.created, board.lost, board.closing),
        (0, 2, 1, 1)
    );
    assert_eq!(board.retention_rate, None);
    let money = board.money.first().unwrap();
    assert_eq!((money.active, money.purchases), (1, 2));
    assert_eq!(
        (&money.revenue, &money.margin),
        (&euros(60_000), &euros(30_000))
    );
    assert_eq!(money.equity, euros(30_000));

    let asked = proto::GetScoreboardRequest {
        start: at(0),
        end: at(DAY),
        ..Default::default()
    };
    let day = harness
        .scoreboards()
        .get_scoreboard(asked)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((day.opening, day.created, day.kept, day.lost), (2, 0, 2, 0));
    assert_eq!(
        (day.retention_rate, &day.money[0].equity),
        (Some(1.0), &euros(45_000))
    );
}

#[tokio::test]
async fn a_period_that_is_not_over_ends_now() {
    let harness = Harness::start().await;
    harness.customer("rosa").await;
    let asked = |end| proto::GetScoreboardRequest {
        start: at(-DAY),
        end,
        ..Default::default()
    };
    let mut boards = harness.scoreboards();
    let until_now = boards.get_scoreboard(asked(None)).await.unwrap();
    let this_year = boards.get_scoreboard(asked(at(400 * DAY))).await.unwrap();
    assert_eq!(this_year.into_inner(), until_now.into_inner());
}

#[tokio::test]
async fn a_period_ends_after_it_starts() {
    let harness = Harness::start().await;
    let asked = proto::GetScoreboardRequest {
        start: at(0),
        end: at(0),
        ..Default::default()
    };
    let refused = refused(harness.scoreboards().get_scoreboard(asked).await);
    assert_eq!(refused.0, Code::InvalidArgument);
}

async fn board(harness: &Harness, asked: proto::GetScoreboardRequest) -> proto::Scoreboard {
    let board = harness.scoreboards().get_scoreboard(asked).await;
    board.unwrap().into_inner()
}

async fn ledger(harness: &Harness, asked: proto::GetPromiseLedgerRequest) -> proto::PromiseLedger {
    let ledger = harness.promises().get_promise_ledger(asked).await;
    ledger.unwrap().into_inner()
}

fn board_again(first: &proto::Scoreboard) -> proto::GetScoreboardRequest {
    proto::GetScoreboardRequest {
        as_of: first.as_of,
        known_at_position: first.known_at_position.clone(),
        ..Default::default()
    }
}

fn ledger_again(first: &proto::PromiseLedger) -> proto::GetPromiseLedgerRequest {
    proto::GetPromiseLedgerRequest {
        as_of: first.as_of,
        known_at_position: first.known_at_position.clone(),
        ..Default::default()
    }
}

#[tokio::test]
async fn an_answer_stays_the_same_whatever_is_told_later() {
    let harness = Harness::start().await;
    let (rosa, li) = (harness.customer("rosa").await, harness.customer("li").await);
    let bought = record(&rosa, purchase("p", 40_000, -DAY));
    harness.customers().record_purchase(bought).await.unwrap();
    let first_board = board(&harness, proto::GetScoreboardRequest::default()).await;
    let first_ledger = ledger(&harness, proto::GetPromiseLedgerRequest::default()).await;
    assert_eq!((first_board.closing, first_board.lost), (2, 0));
    assert_eq!(first_board.money[0].equity, euros(30_000));

    // All of it happened before, and is told only now.
    let broken = proto::AssessPromiseRequest {
        assessed_at: at(-2 * DAY),
        ..assess(&rosa, "next-day", proto::PromiseVerdict::Broken)
    };
    harness.promises().assess_promise(broken).await.unwrap();
    let bought = record(&rosa, purchase("late", 10_000, -2 * DAY));
    harness.customers().record_purchase(bought).await.unwrap();
    let lost = proto::EndRelationshipRequest {
        ended_at: at(-DAY),
        ..end(&li, proto::LossReason::Price)
    };
    harness.customers().end_relationship(lost).await.unwrap();
    let forget = proto::EraseCustomerRequest {
        name: li.clone(),
        request_id: new_id(),
        ..Default::default()
    };
    harness.customers().erase_customer(forget).await.unwrap();
    let assumptions = proto::SetAssumptionsRequest {
        name: "ledgers/EUR".to_owned(),
        annual_retention_rate: Some(0.5),
        request_id: new_id(),
        ..Default::default()
    };
    harness
        .ledgers()
        .set_assumptions(assumptions)
        .await
        .unwrap();

    let now_board = board(&harness, proto::GetScoreboardRequest::default()).await;
    assert_eq!((now_board.closing, now_board.lost), (1, 1));
    assert_eq!(now_board.money[0].purchases, 2);
    let now_ledger = ledger(&harness, proto::GetPromiseLedgerRequest::default()).await;
    assert_eq!(now_ledger.total.unwrap().broken, 1);
    assert_eq!(
        board(&harness, board_again(&first_board)).await,
        first_board
    );
    assert_eq!(
        ledger(&harness, ledger_again(&first_ledger)).await,
        first_ledger
    );

    // Another instance builds its rows anew from the same log.
    let options = Options::for_pair("retention", "acquisition");
    let (topics, clock) = (harness.topics.clone(), Arc::clone(&harness.clock));
    let other = Harness::on(topics, clock, options).await;
    assert_eq!(board(&other, board_again(&first_board)).await, first_board);
    assert_eq!(
        ledger(&other, ledger_again(&first_ledger)).await,
        first_ledger
    );
    assert_eq!(board(&other, board_again(&now_board)).await, now_board);
}

#[tokio::test]
async fn an_earlier_moment_ends_the_period_and_undoes_what_came_after_it() {
    let harness = Harness::start().await;
    let rosa = harness.customer("rosa").await;
    let broken = proto::AssessPromiseRequest {
        assessed_at: at(-2 * DAY),
        ..assess(&rosa, "next-day", proto::PromiseVerdict::Broken)
    };
    harness.promises().assess_promise(broken).await.unwrap();
    let lost = proto::EndRelationshipRequest {
        ended_at: at(-DAY),
        ..end(&rosa, proto::LossReason::Price)
    };
    harness.customers().end_relationship(lost).await.unwrap();
    let as_of = |seconds| proto::GetScoreboardRequest {
        start: at(-5 * DAY),
        end: at(0),
        as_of: at(seconds),
        ..Default::default()
    };
    let before = board(&harness, as_of(-DAY - 1)).await;
    assert_eq!((before.kept, before.lost, before.closing), (1, 0, 1));
    let just_after = prost_types::Timestamp {
        nanos: 1_000,
        ..at(-DAY - 1).unwrap()
    };
    assert_eq!(before.end, Some(just_after));
    let then = board(&harness, as_of(-DAY)).await;
    assert_eq!((then.kept, then.lost, then.closing), (0, 1, 0));

    let as_of = |seconds| proto::GetPromiseLedgerRequest {
        as_of: at(seconds),
        ..Default::default()
    };
    let total = |ledger: proto::PromiseLedger| ledger.total.unwrap();
    let made = total(ledger(&harness, as_of(-3 * DAY)).await);
    assert_eq!((made.made, made.open, made.broken), (1, 1, 0));
    let broken = total(ledger(&harness, as_of(-2 * DAY)).await);
    assert_eq!((broken.made, broken.open, broken.broken), (1, 0, 1));
    assert_eq!(ledger(&harness, as_of(-11 * DAY)).await.lines, []);
}

#[tokio::test]
async fn a_moment_that_no_report_takes_is_refused() {
    let harness = Harness::start().await;
    let ahead = proto::GetScoreboardRequest {
        as_of: at(DAY),
        ..Default::default()
    };
    let young = proto::GetScoreboardRequest {
        known_at: at(-59),
        ..Default::default()
    };
    for asked in [ahead, young] {
        let refusal = harness.scoreboards().get_scoreboard(asked).await;
        assert_eq!(refused(refusal).0, Code::InvalidArgument);
    }
    let first = board(&harness, proto::GetScoreboardRequest::default()).await;
    let both = proto::GetPromiseLedgerRequest {
        known_at: at(-60),
        known_at_position: first.known_at_position,
        ..Default::default()
    };
    let refusal = harness.promises().get_promise_ledger(both).await;
    assert_eq!(refused(refusal).0, Code::InvalidArgument);
}
