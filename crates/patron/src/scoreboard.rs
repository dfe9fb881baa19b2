//! `patron scoreboard`: people first, then money.

use clap::ValueEnum;
use patron_proto::retention::v1::{
    GetScoreboardRequest, ListScoreboardCustomersRequest, Scoreboard, ScoreboardCustomer,
    ScoreboardFigure,
};

use crate::connect::{Services, said};
use crate::moment::{Moment, day as day_of, midnight};
use crate::pages::Paging;
use crate::show::{amount, day, grouped, json, last, more, percent, print, table};

/// Which scoreboard.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    /// The first day of the period, such as 1997-01-01 [default: the beginning of time].
    #[arg(long, value_name = "DAY", value_parser = day_of)]
    start: Option<jiff::civil::Date>,
    /// The day after the last one of the period [default: up to now].
    #[arg(long, value_name = "DAY", value_parser = day_of)]
    end: Option<jiff::civil::Date>,
    #[command(flatten)]
    moment: Moment,
    /// The customers behind this figure instead.
    #[arg(long, value_enum, value_name = "FIGURE")]
    show: Option<Figure>,
    #[command(flatten)]
    paging: Paging,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// A figure that opens to customers.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Figure {
    Created,
    Kept,
    Lost,
    WonBack,
    Active,
}

impl Figure {
    const fn asked(self) -> ScoreboardFigure {
        match self {
            Self::Created => ScoreboardFigure::Created,
            Self::Kept => ScoreboardFigure::Kept,
            Self::Lost => ScoreboardFigure::Lost,
            Self::WonBack => ScoreboardFigure::WonBack,
            Self::Active => ScoreboardFigure::Active,
        }
    }
}

/// Shows the scoreboard, or who is behind a figure of it.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    if let Some(figure) = args.show {
        return show(&args, figure).await;
    }
    let mut retention = args.services.retention().await?;
    let request = GetScoreboardRequest {
        start: args.start.map(midnight).transpose()?,
        end: args.end.map(midnight).transpose()?,
        min_position: String::new(),
        as_of: args.moment.as_of(),
        known_at: args.moment.known_at(),
        known_at_position: args.moment.token(),
    };
    let board = retention
        .scoreboard
        .get_scoreboard(request)
        .await
        .map_err(|status| said(&status))?;
    let board = board.into_inner();
    print(if args.json {
        json(&board)?
    } else {
        shown(&board)
    });
    Ok(())
}

/// Shows the customers behind a figure.
async fn show(args: &Args, figure: Figure) -> anyhow::Result<()> {
    let retention = args.services.retention().await?;
    let (start, end) = (
        args.start.map(midnight).transpose()?,
        args.end.map(midnight).transpose()?,
    );
    let ask = |page_size, page_token| {
        let request = ListScoreboardCustomersRequest {
            figure: figure.asked() as i32,
            start,
            end,
            page_size,
            page_token,
            as_of: args.moment.as_of(),
            known_at: args.moment.known_at(),
            known_at_position: args.moment.token(),
        };
        let mut scoreboard = retention.scoreboard.clone();
        async move { scoreboard.list_scoreboard_customers(request).await }
    };
    let found = args.paging.ask(args.json, ask).await?;
    print(if args.json {
        json(&found)?
    } else if found.customers.is_empty() {
        "nobody".to_owned()
    } else {
        people(&found.customers) + &more(&found.next_page_token)
    });
    Ok(())
}

fn people(customers: &[ScoreboardCustomer]) -> String {
    let lines = customers.iter().map(|customer| {
        vec![
            last(&customer.customer).to_owned(),
            day(customer.occurred_at.as_ref()),
            amount(customer.value.as_ref()),
        ]
    });
    table(&["customer", "on", "value at the end"], lines.collect())
}

/// The scoreboard as a person reads it.
pub(crate) fn shown(board: &Scoreboard) -> String {
    let count = |number: i64| grouped(&number.to_string());
    let people = vec![
        vec!["created".to_owned(), count(board.created)],
        vec!["kept".to_owned(), count(board.kept)],
        vec!["lost".to_owned(), count(board.lost)],
        vec!["won back".to_owned(), count(board.won_back)],
        vec!["active at the end".to_owned(), count(board.closing)],
        vec!["retention rate".to_owned(), percent(board.retention_rate)],
    ];
    let money = board.money.iter().map(|line| {
        let currency = line
            .revenue
            .as_ref()
            .map(|money| money.currency_code.clone());
        vec![
            currency.unwrap_or_default(),
            count(line.active),
            count(line.purchases),
            amount(line.revenue.as_ref()),
            amount(line.margin.as_ref()),
            amount(line.equity.as_ref()),
        ]
    });
    let headings = [
        "money",
        "active",
        "purchases",
        "revenue",
        "margin",
        "equity",
    ];
    format!(
        "{}\n\n{}",
        table(&["customers", ""], people),
        table(&headings, money.collect())
    )
}
