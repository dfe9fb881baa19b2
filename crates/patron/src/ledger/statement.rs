//! Closing a period, and the statement that comes of it: people in the first column, money in the second.

use jiff::civil::Date;
use patron_proto::retention::v1::ledger_service_client::LedgerServiceClient;
use patron_proto::retention::v1::{
    ClosePeriodRequest, EquityCounts, EquityStatement, GetEquityStatementRequest,
    ListStatementsRequest, ListStatementsResponse, StatementModel,
};
use patron_proto::types::v1::Money;
use tonic::transport::Channel;

use super::{Format, name};
use crate::confirm::ask;
use crate::connect::{request_id, said};
use crate::moment::{AS_OF, AsOf, as_of, day as day_of, midnight};
use crate::pages::Paging;
use crate::show::{amount, day, figure, grouped, last, more, note, percent, table};

/// Which period to close.
#[derive(Debug, clap::Args)]
pub(super) struct Close {
    /// The currency of the ledger, such as EUR.
    currency: String,
    /// The id of the statement, such as 2026-q2.
    statement: String,
    /// The first day of the period, such as 2026-04-01.
    #[arg(long, value_name = "DAY", value_parser = day_of)]
    start: Date,
    /// The day after the last one of the period.
    #[arg(long, value_name = "DAY", value_parser = day_of)]
    end: Date,
    /// Only ask whether it could be closed, and what it would say.
    #[arg(long)]
    validate_only: bool,
    /// Do not show and ask before.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    format: Format,
}

/// Which statement.
#[derive(Debug, clap::Args)]
pub(super) struct Statement {
    /// The currency of the ledger, such as EUR.
    currency: String,
    /// The id of a closed statement; left out, a preview of the period that is open.
    id: Option<String>,
    #[arg(long, value_name = "DAY", value_parser = as_of, help = AS_OF, conflicts_with = "id")]
    as_of: Option<AsOf>,
    #[command(flatten)]
    format: Format,
}

/// Of which ledger.
#[derive(Debug, clap::Args)]
pub(super) struct Statements {
    /// The currency of the ledger, such as EUR.
    currency: String,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    format: Format,
}

const HEADINGS: [&str; 4] = ["line", "customers", "amount", "currency"];

/// Closes a period and shows its statement.
pub(super) async fn close(
    ledgers: &mut LedgerServiceClient<Channel>,
    args: Close,
) -> anyhow::Result<()> {
    let request = ClosePeriodRequest {
        parent: name(&args.currency),
        statement_id: args.statement,
        start: Some(midnight(args.start)?),
        end: Some(midnight(args.end)?),
        request_id: request_id(),
        etag: String::new(),
        validate_only: args.validate_only,
    };
    if !args.yes && !args.validate_only {
        confirm(ledgers, &request).await?;
    }
    let closed = ledgers.close_period(request).await;
    let closed = closed.map_err(|status| said(&status))?.into_inner();
    if is_empty(&closed) {
        note(nobody(&args.currency));
    }
    if args.validate_only {
        note("Only asked: nothing was closed.".to_owned());
    }
    args.format.print(&closed, &HEADINGS, plain, shown)
}

/// Shows what the statement would say, and asks whether that is meant.
async fn confirm(
    ledgers: &mut LedgerServiceClient<Channel>,
    request: &ClosePeriodRequest,
) -> anyhow::Result<()> {
    let asked = ClosePeriodRequest {
        request_id: request_id(),
        validate_only: true,
        ..request.clone()
    };
    let preview = ledgers.close_period(asked).await;
    let preview = preview.map_err(|status| said(&status))?.into_inner();
    note(shown(&preview));
    let currency = last(&request.parent);
    let nobody = if is_empty(&preview) {
        nobody(currency) + "\n"
    } else {
        String::new()
    };
    let id = &request.statement_id;
    let question =
        format!("\n{nobody}This cannot be taken back: {id} of {currency} will say this for ever.");
    ask(&question, id)
}

/// Whether nobody was a customer in the period.
fn is_empty(statement: &EquityStatement) -> bool {
    statement.counts.unwrap_or_default() == EquityCounts::default()
}

fn nobody(currency: &str) -> String {
    format!("The ledger {currency} has no customers in this period: is it the right one?")
}

/// Shows a statement.
pub(super) async fn show(
    ledgers: &mut LedgerServiceClient<Channel>,
    args: Statement,
) -> anyhow::Result<()> {
    let ledger = name(&args.currency);
    let request = GetEquityStatementRequest {
        name: match &args.id {
            Some(id) => format!("{ledger}/statements/{id}"),
            None => ledger,
        },
        as_of: AsOf::of(args.as_of),
        ..GetEquityStatementRequest::default()
    };
    let statement = ledgers.get_equity_statement(request).await;
    let statement = statement.map_err(|status| said(&status))?.into_inner();
    args.format.print(&statement, &HEADINGS, plain, shown)
}

/// Lists the statements of a ledger.
pub(super) async fn list(
    ledgers: &LedgerServiceClient<Channel>,
    args: Statements,
) -> anyhow::Result<()> {
    let ask = |page_size, page_token| {
        let request = ListStatementsRequest {
            parent: name(&args.currency),
            page_size,
            page_token,
            min_position: String::new(),
        };
        let mut ledgers = ledgers.clone();
        async move { ledgers.list_statements(request).await }
    };
    let listed = args.paging.ask(args.format.for_programs(), ask).await?;
    let headings = [
        "statement",
        "start",
        "end",
        "customers",
        "equity",
        "currency",
    ];
    args.format
        .print(&listed, &headings, plain_list, shown_list)
}

/// A line of a statement: its name, customers if it counts them, money.
type Line<'a> = (&'static str, Option<i64>, Option<&'a Money>);

fn lines(statement: &EquityStatement) -> Vec<Line<'_>> {
    let counts = statement.counts.unwrap_or_default();
    let Some(lines) = &statement.lines else {
        return Vec::new();
    };
    vec![
        ("opening", Some(counts.opening), lines.opening.as_ref()),
        ("created", Some(counts.created), lines.created.as_ref()),
        ("won back", Some(counts.won_back), lines.won_back.as_ref()),
        ("grown", None, lines.grown.as_ref()),
        ("eroded", None, lines.eroded.as_ref()),
        // Taken off, so that both columns add up as they stand.
        ("lost", Some(-counts.lost), lines.lost.as_ref()),
        ("remeasured", None, lines.remeasured.as_ref()),
        ("closing", Some(counts.closing), lines.closing.as_ref()),
    ]
}

fn memo(statement: &EquityStatement) -> Vec<Line<'_>> {
    let Some(memo) = &statement.memo else {
        return Vec::new();
    };
    let spend = memo.acquisition_spend.as_ref();
    vec![
        ("acquisition spend", None, spend),
        ("realised margin", None, memo.realised_margin.as_ref()),
        (
            "worth of those under notice",
            None,
            memo.under_notice.as_ref(),
        ),
    ]
}

fn plain(statement: &EquityStatement) -> Vec<Vec<String>> {
    let all = lines(statement).into_iter().chain(memo(statement));
    all.map(|(line, count, money)| {
        vec![
            line.to_owned(),
            count.map(|count| count.to_string()).unwrap_or_default(),
            money.map(figure).unwrap_or_default(),
            money
                .map(|money| money.currency_code.clone())
                .unwrap_or_default(),
        ]
    })
    .collect()
}

pub(crate) fn shown(statement: &EquityStatement) -> String {
    let title = if statement.name.is_empty() {
        "preview of the open period".to_owned()
    } else {
        statement.name.clone()
    };
    let from = statement.start.as_ref();
    let from = from.map_or_else(|| "the beginning".to_owned(), |start| day(Some(start)));
    let until = day(statement.end.as_ref());
    let rows = |lines: Vec<Line<'_>>| {
        let row = |(line, count, money): Line<'_>| {
            let count = count.map(|count| grouped(&count.to_string()));
            vec![line.to_owned(), count.unwrap_or_default(), amount(money)]
        };
        lines.into_iter().map(row).collect()
    };
    let assumptions = statement.assumptions.unwrap_or_default();
    let foot = match &statement.model {
        Some(model) => by_model(statement, model),
        None => format!(
            "valued by SIMPLE: {} kept, {} discounted a year",
            percent(Some(assumptions.annual_retention_rate)),
            percent(Some(assumptions.annual_discount_rate)),
        ),
    };
    format!(
        "{title}\nfrom {from} up to {until}\n{}\n\n{}\n\n{}\n\n{foot}",
        statement.heading,
        table(
            &["customer equity", "customers", "amount"],
            rows(lines(statement))
        ),
        table(
            &["memo, not part of it", "", "amount"],
            rows(memo(statement))
        ),
    )
}

/// By which model, and how far to trust it.
fn by_model(statement: &EquityStatement, model: &StatementModel) -> String {
    let assumptions = statement.assumptions.unwrap_or_default();
    let band = model.band_rate.map_or_else(
        || "how far it may be off is not known".to_owned(),
        |band| {
            format!(
                "its check was off by {}: take the closing as it stands ± {}",
                percent(model.holdout_bias),
                percent(Some(band))
            )
        },
    );
    format!(
        "valued by MBG_NBD over {} months, {} discounted a year\n{} as of {}\n{band}\nflags: {}",
        assumptions.horizon_months,
        percent(Some(assumptions.annual_discount_rate)),
        model.name,
        day(model.as_of.as_ref()),
        super::model::flags(model.flags()),
    )
}

fn plain_list(listed: &ListStatementsResponse) -> Vec<Vec<String>> {
    let row = |statement: &EquityStatement| {
        let closing = statement
            .lines
            .as_ref()
            .and_then(|lines| lines.closing.as_ref());
        let count = statement.counts.unwrap_or_default().closing;
        vec![
            last(&statement.name).to_owned(),
            day(statement.start.as_ref()),
            day(statement.end.as_ref()),
            count.to_string(),
            closing.map(figure).unwrap_or_default(),
            closing
                .map(|money| money.currency_code.clone())
                .unwrap_or_default(),
        ]
    };
    listed.statements.iter().map(row).collect()
}

fn shown_list(listed: &ListStatementsResponse) -> String {
    let row = |statement: &EquityStatement| {
        let closing = statement
            .lines
            .as_ref()
            .and_then(|lines| lines.closing.as_ref());
        let count = statement.counts.unwrap_or_default().closing;
        vec![
            last(&statement.name).to_owned(),
            day(statement.start.as_ref()),
            day(statement.end.as_ref()),
            grouped(&count.to_string()),
            amount(closing),
        ]
    };
    let rows = listed.statements.iter().map(row).collect();
    let shown = table(&["statement", "from", "up to", "customers", "equity"], rows);
    shown + &more(&listed.next_page_token)
}

#[cfg(test)]
mod tests {
    use patron_proto::retention::v1::{
        Assumptions, EquityCounts, EquityLines, EquityMemo, EquityStatement, StatementModel,
    };
    use patron_proto::types::v1::Money;

    use super::{is_empty, plain, shown};

    fn statement() -> EquityStatement {
        let money = |minor_units| {
            Some(Money {
                currency_code: "EUR".to_owned(),
                minor_units,
            })
        };
        EquityStatement {
            name: "ledgers/EUR/statements/2026-q2".to_owned(),
            heading: "management statement, unaudited; not an IFRS or GAAP asset".to_owned(),
            counts: Some(EquityCounts {
                opening: 3,
                created: 1,
                won_back: 1,
                lost: 1,
                closing: 4,
            }),
            lines: Some(EquityLines {
                opening: money(120_000),
                created: money(30_000),
                won_back: money(30_000),
                grown: money(15_000),
                eroded: money(-7_500),
                lost: money(-30_000),
                remeasured: money(52_500),
                closing: money(210_000),
            }),
            memo: Some(EquityMemo {
                acquisition_spend: money(100_000),
                realised_margin: money(35_000),
                under_notice: money(0),
            }),
            assumptions: Some(Assumptions {
                method: 1,
                annual_retention_rate: 0.8,
                annual_discount_rate: 0.2,
                ..Assumptions::default()
            }),
            ..EquityStatement::default()
        }
    }

    #[test]
    fn a_person_reads_what_it_is_and_then_people_before_money() {
        let text = shown(&statement());
        let heading = "management statement, unaudited; not an IFRS or GAAP asset";
        assert!(text.contains(heading), "{text}");
        let closing = text.lines().find(|line| line.contains("closing"));
        let words: Vec<&str> = closing.unwrap().split_whitespace().collect();
        assert_eq!(words, ["closing", "4", "2,100.00", "EUR"]);
        assert!(text.ends_with("valued by SIMPLE: 80.0 % kept, 20.0 % discounted a year"));
    }

    #[test]
    fn a_period_without_anybody_is_told_from_one_that_somebody_left() {
        let mut statement = statement();
        statement.counts = Some(EquityCounts {
            opening: 1,
            lost: 1,
            ..EquityCounts::default()
        });
        assert!(!is_empty(&statement));
        statement.counts = Some(EquityCounts::default());
        assert!(is_empty(&statement));
    }

    #[test]
    fn a_model_is_named_with_the_band_that_it_leaves() {
        let by_model = EquityStatement {
            model: Some(StatementModel {
                name: "ledgers/EUR/models/2".to_owned(),
                holdout_bias: Some(-0.12),
                band_rate: Some(0.15),
                ..StatementModel::default()
            }),
            ..statement()
        };
        let text = shown(&by_model);
        assert!(text.contains("ledgers/EUR/models/2"), "{text}");
        assert!(
            text.contains("off by -12.0 %: take the closing as it stands ± 15.0 %"),
            "{text}"
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
    }

    #[test]
    fn both_columns_of_a_sheet_add_up_as_they_stand() {
        let sheet = plain(&statement());
        let column = |place: usize| -> Vec<f64> {
            let lines = sheet.iter().take(8);
            lines.map(|row| row[place].parse().unwrap_or(0.0)).collect()
        };
        for place in [1, 2] {
            let figures = column(place);
            let sum: f64 = figures[..7].iter().sum();
            assert!((sum - figures[7]).abs() < 1e-9, "{figures:?}");
        }
    }
}
