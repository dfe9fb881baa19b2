//! `ScoreboardService`.

use eventsourcing::Time;
use patron_proto::retention::v1 as proto;
use tonic::Code;

use crate::harness::{DAY, Harness, NOW, at, end, euros, purchase, record, refused};

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
