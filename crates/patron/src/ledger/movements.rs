//! `patron ledger movements`: the customers behind a line.

use clap::ValueEnum;
use patron_proto::retention::v1::ledger_service_client::LedgerServiceClient;
use patron_proto::retention::v1::{
    EquityLine, EquityMovement, ListEquityMovementsRequest, ListEquityMovementsResponse,
};
use tonic::transport::Channel;

use super::{Format, name};
use crate::pages::Paging;
use crate::show::{amount, figure, last, more, table};

/// Which line of which statement.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The currency of the ledger, such as EUR.
    currency: String,
    /// The id of the statement, such as 2026-q2.
    statement: String,
    /// The line.
    #[arg(long)]
    line: Line,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    format: Format,
}

/// A line of a statement.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Line {
    Opening,
    Created,
    WonBack,
    Grown,
    Eroded,
    Lost,
    Remeasured,
    Closing,
}

impl Line {
    const fn number(self) -> i32 {
        let line = match self {
            Self::Opening => EquityLine::Opening,
            Self::Created => EquityLine::Created,
            Self::WonBack => EquityLine::WonBack,
            Self::Grown => EquityLine::Grown,
            Self::Eroded => EquityLine::Eroded,
            Self::Lost => EquityLine::Lost,
            Self::Remeasured => EquityLine::Remeasured,
            Self::Closing => EquityLine::Closing,
        };
        line as i32
    }
}

/// Lists the customers.
pub(super) async fn run(ledgers: &LedgerServiceClient<Channel>, args: Args) -> anyhow::Result<()> {
    let ask = |page_size, page_token| {
        let request = ListEquityMovementsRequest {
            parent: format!("{}/statements/{}", name(&args.currency), args.statement),
            line: args.line.number(),
            page_size,
            page_token,
            min_position: String::new(),
        };
        let mut ledgers = ledgers.clone();
        async move { ledgers.list_equity_movements(request).await }
    };
    let listed = args.paging.ask(args.format.for_programs(), ask).await?;
    let headings = ["customer", "count", "amount", "currency"];
    args.format.print(&listed, &headings, plain, shown)
}

fn plain(listed: &ListEquityMovementsResponse) -> Vec<Vec<String>> {
    let row = |movement: &EquityMovement| {
        let money = movement.amount.as_ref();
        vec![
            last(&movement.customer).to_owned(),
            movement.count.to_string(),
            money.map(figure).unwrap_or_default(),
            money
                .map(|money| money.currency_code.clone())
                .unwrap_or_default(),
        ]
    };
    listed.movements.iter().map(row).collect()
}

fn shown(listed: &ListEquityMovementsResponse) -> String {
    let row = |movement: &EquityMovement| {
        vec![
            last(&movement.customer).to_owned(),
            amount(movement.amount.as_ref()),
        ]
    };
    let rows = listed.movements.iter().map(row).collect();
    let shown = table(&["customer", "amount"], rows);
    let total = amount(listed.total.as_ref());
    let more = more(&listed.next_page_token);
    format!("{shown}\nall of the line: {total}{more}")
}
