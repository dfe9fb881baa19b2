//! `LedgerService`, one rule at a time.

use patron_proto::acquisition::v1 as acquisition;
use patron_proto::retention::v1 as proto;
use patron_proto::types::v1::Money;
use prost::Message as _;
use tonic::Code;
use uuid::Uuid;

use crate::books::close;
use crate::harness::{
    DAY, Harness, at, end, euros, new_id, open, precondition, purchase, record, refused,
};
use crate::told::publish;

fn set(currency: &str) -> proto::SetAssumptionsRequest {
    proto::SetAssumptionsRequest {
        name: format!("ledgers/{currency}"),
        request_id: new_id(),
        ..Default::default()
    }
}

fn preview(name: &str) -> proto::GetEquityStatementRequest {
    proto::GetEquityStatementRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

async fn previewed(
    harness: &Harness,
    request: proto::GetEquityStatementRequest,
) -> proto::EquityStatement {
    let shown = harness.ledgers().get_equity_statement(request).await;
    shown.unwrap().into_inner()
}

fn minor_units(amount: Option<&Money>) -> i64 {
    amount.unwrap().minor_units
}

fn closing(statement: &proto::EquityStatement) -> (i64, i64) {
    let (counts, lines) = (statement.counts.unwrap(), statement.lines.clone().unwrap());
    (counts.closing, minor_units(lines.closing.as_ref()))
}

#[tokio::test]
async fn every_currency_has_a_ledger_with_defaults_until_somebody_sets_them() {
    let harness = Harness::start().await;
    let asked = proto::GetLedgerRequest {
        name: "ledgers/EUR".to_owned(),
        ..Default::default()
    };
    let ledger = harness
        .ledgers()
        .get_ledger(asked)
        .await
        .unwrap()
        .into_inner();
    let defaults = ledger.assumptions.unwrap();
    assert_eq!(defaults.method(), proto::ValueMethod::Simple);
    assert_eq!(
        (
            defaults.annual_retention_rate,
            defaults.annual_discount_rate
        ),
        (0.75, 0.25)
    );
    assert_eq!(
        (ledger.assumptions_set_at, ledger.closed_until),
        (None, None)
    );

    let request = proto::SetAssumptionsRequest {
        default_margin_rate: Some(0.4),
        ..set("EUR")
    };
    let ledger = harness.ledgers().set_assumptions(request).await;
    let ledger = ledger.unwrap().into_inner();
    let assumptions = ledger.assumptions.unwrap();
    assert_eq!(
        (
            assumptions.default_margin_rate,
            assumptions.annual_retention_rate
        ),
        (0.4, 0.75)
    );
    assert_eq!(
        (ledger.assumptions_set_at, ledger.etag.as_str()),
        (at(0), "\"1\"")
    );
}

#[tokio::test]
async fn assumptions_that_cannot_be_are_refused_by_name() {
    let harness = Harness::start().await;
    let refuse = async |request| refused(harness.ledgers().set_assumptions(request).await);
    let request = proto::SetAssumptionsRequest {
        annual_retention_rate: Some(1.0),
        ..set("EUR")
    };
    assert_eq!(refuse(request).await.1, "OUT_OF_RANGE");
    let request = proto::SetAssumptionsRequest {
        annual_discount_rate: Some(0.1 + 0.2),
        ..set("EUR")
    };
    assert_eq!(refuse(request).await.0, Code::InvalidArgument);
    assert_eq!(refuse(set("XXZ")).await.0, Code::InvalidArgument);
    let request = proto::SetAssumptionsRequest {
        method: proto::ValueMethod::MbgNbd as i32,
        ..set("EUR")
    };
    assert_eq!(refuse(request).await, precondition("NO_MODEL"));
}

#[tokio::test]
async fn values_and_default_margins_follow_the_ledger_of_the_customers_currency() {
    let harness = Harness::start().await;
    let rosa = harness.customer("rosa").await;
    for (currency, rate) in [("EUR", 0.25), ("USD", 1.0)] {
        let request = proto::SetAssumptionsRequest {
            default_margin_rate: Some(rate),
            annual_retention_rate: Some(0.8),
            annual_discount_rate: Some(0.2),
            ..set(currency)
        };
        harness.ledgers().set_assumptions(request).await.unwrap();
    }
    let bought = record(&rosa, purchase("p", 40_000, 0));
    let bought = harness.customers().record_purchase(bought).await.unwrap();
    assert_eq!(bought.into_inner().contribution_margin, euros(10_000));
    assert_eq!(harness.full(&rosa).await.value, euros(20_000));
    let imported = proto::OpenRelationshipRequest {
        first_purchase: Some(purchase("p", 40_000, -10 * DAY)),
        ..open("li")
    };
    let li = harness
        .customers()
        .open_relationship(imported)
        .await
        .unwrap();
    assert_eq!(li.into_inner().margin, euros(10_000));
    let asked = proto::GetScoreboardRequest::default();
    let board = harness
        .scoreboards()
        .get_scoreboard(asked)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(board.money[0].equity, euros(40_000));
}

#[tokio::test]
async fn a_period_has_a_length_and_is_over_and_its_statement_a_plain_id() {
    let harness = Harness::start().await;
    let refuse = async |id: &str, span| {
        refused(harness.ledgers().close_period(close("EUR", id, span)).await)
    };
    let invalid = |reason: &str| (Code::InvalidArgument, reason.to_owned());
    assert_eq!(refuse("q", (-1, -1)).await, invalid("END_BEFORE_START"));
    assert_eq!(refuse("q", (-1, 1)).await, invalid("FUTURE_TIME"));
    assert_eq!(refuse("Q 1", (-2, -1)).await, invalid("INVALID_FIELD"));
}

#[tokio::test]
async fn two_closings_at_once_give_one_statement_and_a_repeated_one_its_answer() {
    let harness = Harness::start().await;
    harness.customer("rosa").await;
    let (mut one, mut other) = (harness.ledgers(), harness.ledgers());
    let (first, second) = (close("EUR", "q", (-100, -1)), close("EUR", "q", (-100, -1)));
    let (a, b) = tokio::join!(
        one.close_period(first.clone()),
        other.close_period(second.clone())
    );
    let (stands, repeat, refused_one) = match (a, b) {
        (Ok(statement), no) => (statement, first, no),
        (no, Ok(statement)) => (statement, second, no),
        (Err(a), Err(b)) => panic!("{a} {b}"),
    };
    assert_eq!(refused(refused_one).0, Code::AlreadyExists);
    let again = harness.ledgers().close_period(repeat).await.unwrap();
    assert_eq!(again.into_inner(), stands.into_inner());
    let listed = proto::ListStatementsRequest {
        parent: "ledgers/EUR".to_owned(),
        ..Default::default()
    };
    let listed = harness.ledgers().list_statements(listed).await.unwrap();
    assert_eq!(listed.into_inner().statements.len(), 1);
}

#[tokio::test]
async fn statements_come_in_the_order_of_their_periods_a_page_at_a_time() {
    let harness = Harness::start().await;
    for (id, span) in [("z", (-90, -60)), ("m", (-60, -30)), ("a", (-30, 0))] {
        harness
            .ledgers()
            .close_period(close("EUR", id, span))
            .await
            .unwrap();
    }
    let mut names = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = proto::ListStatementsRequest {
            parent: "ledgers/EUR".to_owned(),
            page_size: 2,
            page_token,
            ..Default::default()
        };
        let page = harness
            .ledgers()
            .list_statements(request)
            .await
            .unwrap()
            .into_inner();
        names.extend(page.statements.into_iter().map(|statement| statement.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let named = ["z", "m", "a"].map(|id| format!("ledgers/EUR/statements/{id}"));
    assert_eq!(names, named);
}

#[tokio::test]
async fn movements_come_a_page_at_a_time_and_count_those_who_bring_no_money() {
    let harness = Harness::start().await;
    let mut customers = Vec::new();
    for name in ["rosa", "li", "kai"] {
        customers.push(harness.customer(name).await);
    }
    let lost = end(&customers[1], proto::LossReason::Price);
    harness.customers().end_relationship(lost).await.unwrap();
    harness
        .clock
        .set(eventsourcing::Time::from_seconds(crate::harness::NOW + DAY));
    harness
        .ledgers()
        .close_period(close("EUR", "q", (-100, 1)))
        .await
        .unwrap();
    let list = async |line: proto::EquityLine, page_token| {
        let request = proto::ListEquityMovementsRequest {
            parent: "ledgers/EUR/statements/q".to_owned(),
            line: line as i32,
            page_size: 2,
            page_token,
            ..Default::default()
        };
        let page = harness.ledgers().list_equity_movements(request).await;
        page.unwrap().into_inner()
    };
    let first = list(proto::EquityLine::Created, String::new()).await;
    let second = list(proto::EquityLine::Created, first.next_page_token.clone()).await;
    let all = first.movements.iter().chain(&second.movements);
    let mut listed: Vec<String> = all.map(|movement| movement.customer.clone()).collect();
    assert!(listed.is_sorted());
    listed.sort();
    customers.sort();
    assert_eq!((listed, second.next_page_token.as_str()), (customers, ""));
    let lost = list(proto::EquityLine::Lost, String::new()).await;
    let counted: Vec<(i64, i64)> = lost
        .movements
        .iter()
        .map(|movement| (movement.count, minor_units(movement.amount.as_ref())))
        .collect();
    assert_eq!(counted, [(1, 0)]);
}

#[tokio::test]
async fn a_preview_shows_the_open_period_and_keeps_its_word() {
    let harness = Harness::start().await;
    let rosa = harness.customer("rosa").await;
    let bought = record(&rosa, purchase("p", 40_000, 0));
    harness.customers().record_purchase(bought).await.unwrap();
    let first = previewed(&harness, preview("ledgers/EUR")).await;
    assert_eq!((first.start, closing(&first)), (None, (1, 30_000)));
    assert_eq!((first.name.as_str(), first.closed_at), ("", None));

    harness
        .ledgers()
        .close_period(close("EUR", "q", (-100, 0)))
        .await
        .unwrap();
    let since = previewed(&harness, preview("ledgers/EUR")).await;
    let lines = since.lines.clone().unwrap();
    assert_eq!(
        (
            minor_units(lines.opening.as_ref()),
            minor_units(lines.grown.as_ref())
        ),
        (0, 30_000)
    );
    assert_eq!(since.start, at(0));

    let bought = record(&rosa, purchase("p2", 40_000, -DAY));
    harness.customers().record_purchase(bought).await.unwrap();
    let again = proto::GetEquityStatementRequest {
        as_of: at(0),
        known_at_position: first.known_at_position.clone(),
        ..preview("ledgers/EUR")
    };
    assert_eq!(previewed(&harness, again).await, first);
    let now = previewed(&harness, preview("ledgers/EUR")).await;
    assert_eq!(closing(&now), (1, 60_000));
    let closed_already = proto::GetEquityStatementRequest {
        as_of: at(-DAY),
        ..preview("ledgers/EUR")
    };
    let closed_already = harness.ledgers().get_equity_statement(closed_already).await;
    assert_eq!(refused(closed_already).0, Code::InvalidArgument);
}

#[tokio::test]
async fn what_was_spent_to_win_customers_stands_in_the_memo_and_never_in_the_lines() {
    let harness = Harness::start().await;
    let spent = |id: &str, minor_units, reverses: &str| {
        acquisition::SpendRecorded {
            campaign: "propositions/van-repair/campaigns/fast".to_owned(),
            occurred_at: at(-2 * DAY),
            spend_id: id.to_owned(),
            amount: euros(minor_units),
            reverses: reverses.to_owned(),
            ..Default::default()
        }
        .encode_to_vec()
    };
    let events = [
        ("SpendRecorded", spent("media", 100_000, "")),
        ("SpendRecorded", spent("back", 30_000, "media")),
        // Two that are too much together, until both are taken back.
        (
            "SpendRecorded",
            spent("huge", 5_000_000_000_000_000_000, ""),
        ),
        (
            "SpendRecorded",
            spent("more", 5_000_000_000_000_000_000, ""),
        ),
        (
            "SpendRecorded",
            spent("not", 5_000_000_000_000_000_000, "huge"),
        ),
        (
            "SpendRecorded",
            spent("nor", 5_000_000_000_000_000_000, "more"),
        ),
    ];
    publish(&harness, Uuid::from_u128(7), &events).await;
    let request = close("EUR", "q", (-100, -1));
    let closed = harness
        .ledgers()
        .close_period(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        closed.memo.clone().unwrap().acquisition_spend,
        euros(70_000)
    );
    assert_eq!(closing(&closed), (0, 0));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let harness = Harness::start().await;
    let name = "ledgers/EUR/statements/never";
    let read = harness.ledgers().get_equity_statement(preview(name)).await;
    assert_eq!(refused(read).0, Code::NotFound);
    let request = proto::ListEquityMovementsRequest {
        parent: name.to_owned(),
        line: proto::EquityLine::Lost as i32,
        ..Default::default()
    };
    let listed = harness.ledgers().list_equity_movements(request).await;
    assert_eq!(refused(listed).0, Code::NotFound);
}

#[tokio::test]
async fn who_has_given_notice_stands_in_the_memo_and_is_still_counted() {
    let harness = Harness::start().await;
    let rosa = harness.customer("rosa").await;
    let bought = record(&rosa, purchase("p", 40_000, 0));
    harness.customers().record_purchase(bought).await.unwrap();
    let notice = proto::GiveNoticeRequest {
        name: rosa.clone(),
        cause: proto::LossCause::Voluntary as i32,
        reason: proto::LossReason::Price as i32,
        effective_at: at(30 * DAY),
        request_id: new_id(),
        ..Default::default()
    };
    harness.customers().give_notice(notice).await.unwrap();
    let shown = previewed(&harness, preview("ledgers/EUR")).await;
    assert_eq!(closing(&shown), (1, 30_000));
    assert_eq!(shown.memo.unwrap().under_notice, euros(30_000));
}
