//! Reports through gRPC: who stayed, cohorts, gaps.

use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::report_service_client::ReportServiceClient;
use tonic::Code;
use tonic::transport::Channel;

use crate::harness::{
    DAY, Harness, assess, at, end, euros, new_id, open, purchase, record, refused, terms,
};
use crate::relationship::assign;

fn reports(harness: &Harness) -> ReportServiceClient<Channel> {
    ReportServiceClient::new(harness.channel.clone())
}

/// A customer acquired so many days before 2026-01-01.
async fn acquired(harness: &Harness, external_id: &str, days: i64) -> String {
    let opening = proto::OpenRelationshipRequest {
        acquired_at: at(-days * DAY),
        consents: Vec::new(),
        promises: vec![],
        campaign: "propositions/van-repair/campaigns/fast".to_owned(),
        ..open(external_id)
    };
    let opened = harness.customers().open_relationship(opening).await;
    opened.unwrap().into_inner().name
}

async fn lost(harness: &Harness, name: &str, days: i64) {
    let ended = proto::EndRelationshipRequest {
        ended_at: at(-days * DAY),
        ..end(name, proto::LossReason::Price)
    };
    harness.customers().end_relationship(ended).await.unwrap();
}

async fn monthly(harness: &Harness, name: &str, minor_units: i64, days: i64) {
    let set = proto::SetRecurringRevenueRequest {
        name: name.to_owned(),
        line_id: "care".to_owned(),
        monthly: euros(minor_units),
        effective_at: at(-days * DAY),
        request_id: new_id(),
        ..Default::default()
    };
    harness
        .customers()
        .set_recurring_revenue(set)
        .await
        .unwrap();
}

fn last_30_days() -> proto::GetRetentionReportRequest {
    proto::GetRetentionReportRequest {
        start: at(-30 * DAY),
        ..Default::default()
    }
}

async fn retention(
    harness: &Harness,
    asked: proto::GetRetentionReportRequest,
) -> proto::RetentionReport {
    let report = reports(harness).get_retention_report(asked).await;
    report.unwrap().into_inner()
}

#[tokio::test]
async fn who_came_back_is_not_counted_for_who_never_left() {
    let harness = Harness::start().await;
    let [_stays, leaves, returns] = [
        acquired(&harness, "stays", 100).await,
        acquired(&harness, "leaves", 100).await,
        acquired(&harness, "returns", 100).await,
    ];
    acquired(&harness, "new", 5).await;
    lost(&harness, &leaves, 10).await;
    lost(&harness, &returns, 40).await;
    let back = proto::WinBackCustomerRequest {
        name: returns,
        won_back_at: at(-3 * DAY),
        request_id: new_id(),
        ..Default::default()
    };
    harness.customers().win_back_customer(back).await.unwrap();

    let report = retention(&harness, last_30_days()).await;
    let people = [
        report.opening,
        report.created,
        report.kept,
        report.lost,
        report.won_back,
        report.closing,
    ];
    assert_eq!(people, [2, 1, 1, 1, 1, 3]);
    // (E - N) / S would say 100 %.
    assert_eq!(report.retention_rate, Some(0.5));
    assert!(report.retention_rate_low.unwrap() < 0.5 && report.retention_rate_high.unwrap() > 0.5);
    let churn = &report.churn[..];
    assert_eq!(churn.len(), 1);
    assert_eq!(
        (
            churn[0].cause(),
            churn[0].reason(),
            churn[0].count,
            churn[0].share
        ),
        (
            proto::LossCause::Voluntary,
            proto::LossReason::Price,
            1,
            1.0
        )
    );
}

#[tokio::test]
async fn recurring_revenue_moves_in_one_line_a_customer_and_adds_up() {
    let harness = Harness::start().await;
    let [up, down, gone, new] = [
        acquired(&harness, "up", 100).await,
        acquired(&harness, "down", 100).await,
        acquired(&harness, "gone", 100).await,
        acquired(&harness, "new", 100).await,
    ];
    for (name, minor_units) in [(&up, 40_000), (&down, 40_000), (&gone, 20_000)] {
        monthly(&harness, name, minor_units, 90).await;
    }
    monthly(&harness, &up, 55_000, 20).await;
    monthly(&harness, &down, 35_000, 20).await;
    monthly(&harness, &new, 1_000, 20).await;
    lost(&harness, &gone, 10).await;
    // What was agreed for a day after the end never comes.
    let ended = acquired(&harness, "ended", 100).await;
    monthly(&harness, &ended, 7_000, 5).await;
    lost(&harness, &ended, 10).await;

    let report = retention(&harness, last_30_days()).await;
    let [line] = &report.recurring[..] else {
        panic!("{:?}", report.recurring)
    };
    let expected = proto::RecurringMovement {
        opening: euros(100_000),
        new: euros(1_000),
        reactivated: euros(0),
        expanded: euros(15_000),
        contracted: euros(5_000),
        churned: euros(20_000),
        closing: euros(91_000),
        gross_retention_rate: Some(0.75),
        net_retention_rate: Some(0.9),
    };
    assert_eq!(line, &expected);
}

#[tokio::test]
async fn an_answer_stays_the_same_whatever_is_told_later() {
    let harness = Harness::start().await;
    let name = acquired(&harness, "a", 100).await;
    let first = retention(&harness, last_30_days()).await;
    lost(&harness, &name, 20).await;
    acquired(&harness, "late", 90).await;
    let again = proto::GetRetentionReportRequest {
        as_of: first.as_of,
        known_at_position: first.known_at_position.clone(),
        ..last_30_days()
    };
    assert_eq!(retention(&harness, again).await, first);
    assert_eq!(retention(&harness, last_30_days()).await.lost, 1);

    let backwards = proto::GetRetentionReportRequest {
        end: at(-40 * DAY),
        ..last_30_days()
    };
    let refusal = reports(&harness).get_retention_report(backwards).await;
    assert_eq!(refused(refusal).0, Code::InvalidArgument);
}

/// Days before 2026-01-01 on which months of 2025 begin.
const JANUARY: i64 = 365;
const FEBRUARY: i64 = 334;
const MARCH: i64 = 306;
const APRIL: i64 = 275;
const MAY: i64 = 245;

fn table(measure: proto::CohortMeasure) -> proto::GetCohortTableRequest {
    proto::GetCohortTableRequest {
        measure: measure as i32,
        months: 4,
        as_of: at(-MAY * DAY),
        ..Default::default()
    }
}

async fn cohorts(harness: &Harness, asked: proto::GetCohortTableRequest) -> proto::CohortTable {
    let table = reports(harness).get_cohort_table(asked).await;
    table.unwrap().into_inner()
}

fn counts(row: &proto::CohortRow) -> (i64, Vec<Option<i64>>) {
    let cells = row.cells.iter().map(|cell| cell.count);
    (row.customers, cells.collect())
}

#[tokio::test]
async fn the_worked_example_of_cohorts_is_weighted_over_complete_cells() {
    let harness = Harness::start().await;
    // Who is acquired when, and lost when, if at all.
    let customers = [
        (JANUARY - 3, Some(FEBRUARY - 2)),
        (JANUARY - 4, Some(APRIL - 2)),
        (JANUARY - 5, None),
        (JANUARY - 6, None),
        (FEBRUARY - 1, Some(MARCH - 9)),
        (FEBRUARY - 2, Some(APRIL - 9)),
        (FEBRUARY - 3, None),
        (FEBRUARY - 4, None),
        (FEBRUARY - 5, None),
        (MARCH - 1, Some(APRIL - 1)),
        (MARCH, None),
        (MARCH - 2, None),
    ];
    for (number, (acquired_days, lost_days)) in customers.into_iter().enumerate() {
        let name = acquired(&harness, &format!("c-{number}"), acquired_days).await;
        if let Some(days) = lost_days {
            lost(&harness, &name, days).await;
        }
    }
    let table = cohorts(&harness, table(proto::CohortMeasure::Relationship)).await;
    let names: Vec<&str> = table.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["2025-01", "2025-02", "2025-03"]);
    let rows: Vec<_> = table.rows.iter().map(counts).collect();
    assert_eq!(rows[0], (4, vec![Some(3), Some(3), Some(2), None]));
    assert_eq!(rows[1], (5, vec![Some(4), Some(3), None, None]));
    assert_eq!(rows[2], (3, vec![Some(2), None, None, None]));
    let total = table.total.unwrap();
    let shares: Vec<_> = total.cells.iter().map(|cell| cell.share).collect();
    assert_eq!(
        shares,
        [Some(9.0 / 12.0), Some(6.0 / 9.0), Some(2.0 / 4.0), None]
    );
}

#[tokio::test]
async fn cohorts_of_purchases_and_money_count_what_came_in_the_month() {
    let harness = Harness::start().await;
    let name = acquired(&harness, "buys", JANUARY - 3).await;
    let silent = acquired(&harness, "silent", JANUARY - 4).await;
    for (id, days) in [("first", JANUARY - 3), ("second", FEBRUARY - 1)] {
        let request = record(&name, purchase(id, 10_000, -days * DAY));
        harness.customers().record_purchase(request).await.unwrap();
    }
    let back = proto::ReversePurchaseRequest {
        parent: name.clone(),
        purchase_id: "second".to_owned(),
        reversal: Some(proto::Reversal {
            reversal_id: "back".to_owned(),
            amount: euros(4_000),
            occurred_at: at(-(MARCH - 1) * DAY),
            ..Default::default()
        }),
        request_id: new_id(),
        ..Default::default()
    };
    harness.customers().reverse_purchase(back).await.unwrap();
    let _ = silent;

    let bought = cohorts(&harness, table(proto::CohortMeasure::Purchase)).await;
    assert_eq!(
        counts(&bought.rows[0]),
        (2, vec![Some(1), Some(0), Some(0), None])
    );
    let of = |measure| proto::GetCohortTableRequest {
        currency_code: "EUR".to_owned(),
        dimension: proto::CohortDimension::Campaign as i32,
        ..table(measure)
    };
    let revenue = cohorts(&harness, of(proto::CohortMeasure::Revenue)).await;
    assert_eq!(
        revenue.rows[0].name,
        "propositions/van-repair/campaigns/fast"
    );
    let amounts = |table: &proto::CohortTable| -> Vec<_> {
        let cells = table.rows[0].cells.iter();
        cells
            .map(|cell| cell.amount.as_ref().map(|it| it.minor_units))
            .collect()
    };
    assert_eq!(
        amounts(&revenue),
        [Some(10_000), Some(-4_000), Some(0), None]
    );
    let margin = cohorts(&harness, of(proto::CohortMeasure::Margin)).await;
    assert_eq!(amounts(&margin), [Some(5_000), Some(-2_000), Some(0), None]);
    assert_eq!(margin.rows[0].cells[0].count, None);

    let mixed = reports(&harness)
        .get_cohort_table(table(proto::CohortMeasure::Revenue))
        .await;
    assert_eq!(refused(mixed).0, Code::InvalidArgument);
    let long = proto::GetCohortTableRequest {
        months: 61,
        ..table(proto::CohortMeasure::Purchase)
    };
    let long = reports(&harness).get_cohort_table(long).await;
    assert_eq!(refused(long).0, Code::InvalidArgument);
}

fn by(dimension: proto::GapDimension) -> proto::ListPromiseGapsRequest {
    proto::ListPromiseGapsRequest {
        dimension: dimension as i32,
        ..Default::default()
    }
}

async fn gaps(
    harness: &Harness,
    asked: proto::ListPromiseGapsRequest,
) -> proto::ListPromiseGapsResponse {
    let listed = reports(harness).list_promise_gaps(asked).await;
    listed.unwrap().into_inner()
}

/// Two customers, the second one rosa's, and what they said of promises. The second one's name.
async fn scored(harness: &Harness) -> String {
    let price = patron_proto::types::v1::PromiseTerms {
        benefit_id: "price".to_owned(),
        importance: 20,
        ..terms("price")
    };
    let opening = proto::OpenRelationshipRequest {
        promises: vec![terms("next-day"), price],
        ..open("a")
    };
    let opened = harness.customers().open_relationship(opening).await;
    let a = opened.unwrap().into_inner().name;
    let b = harness.customer("b").await;
    for (customer, promise, score) in [
        (&a, "next-day", 7),
        // It broke later: the last score counts.
        (&a, "next-day", 5),
        (&a, "price", 2),
        (&b, "next-day", 6),
    ] {
        let request = proto::AssessPromiseRequest {
            perceived_score: score,
            verdict: 0,
            ..assess(customer, promise, proto::PromiseVerdict::Kept)
        };
        harness.promises().assess_promise(request).await.unwrap();
    }
    harness
        .customers()
        .assign_owner(assign(&b, "rosa", "EMEA/ES"))
        .await
        .unwrap();
    b
}

#[tokio::test]
async fn the_last_score_of_each_promise_counts_and_the_worst_comes_first() {
    let harness = Harness::start().await;
    scored(&harness).await;
    let found = gaps(&harness, by(proto::GapDimension::Benefit)).await.gaps;
    let lines: Vec<_> = found
        .iter()
        .map(|gap| (gap.name.as_str(), gap.scored, gap.gap, gap.weighted_gap))
        .collect();
    let benefit = |id: &str| format!("propositions/van-repair/benefits/{id}");
    assert_eq!(
        lines,
        [
            (benefit("price").as_str(), 1, -4.0, Some(-4.0)),
            (benefit("next-day").as_str(), 2, -0.5, Some(-0.5)),
        ]
    );
    assert_eq!(
        (found[1].expected_score, found[1].perceived_score),
        (6.0, 5.5)
    );

    let found = gaps(&harness, by(proto::GapDimension::Owner)).await;
    let lines: Vec<_> = found
        .gaps
        .iter()
        .map(|gap| (gap.name.as_str(), gap.weighted_gap))
        .collect();
    // (100 x -1 + 20 x -4) / 120.
    assert_eq!(lines, [("(none)", Some(-1.5)), ("rosa", Some(0.0))]);
}

#[tokio::test]
async fn pages_of_gaps_are_of_one_moment() {
    let harness = Harness::start().await;
    let b = scored(&harness).await;
    let all = gaps(&harness, by(proto::GapDimension::Owner)).await.gaps;
    let paged = proto::ListPromiseGapsRequest {
        page_size: 1,
        ..by(proto::GapDimension::Owner)
    };
    let first = gaps(&harness, paged.clone()).await;
    // What is told between two pages does not move them.
    let late = proto::AssessPromiseRequest {
        perceived_score: 1,
        verdict: 0,
        ..assess(&b, "next-day", proto::PromiseVerdict::Kept)
    };
    harness.promises().assess_promise(late).await.unwrap();
    let second = proto::ListPromiseGapsRequest {
        page_token: first.next_page_token,
        ..paged
    };
    let second = gaps(&harness, second).await;
    assert_eq!(second.gaps, all[1..]);
    assert_eq!(second.next_page_token, "");
}
