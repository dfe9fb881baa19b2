//! `patron ledger`: what customers are valued with, and the books, period by period.

mod assumptions;
pub(crate) mod model;
mod movements;
pub(crate) mod statement;
mod values;

use clap::Subcommand;

use crate::connect::Services;
use crate::show::{csv, json, print};

/// Which ledger, and what of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what customers are valued with; with an option, set that and keep the others.
    Assumptions(assumptions::Args),
    /// Fit how customers buy to what they bought, check it, and record it.
    Fit(model::Fit),
    /// List the models that were fitted.
    Models(model::Models),
    /// List what each customer is worth.
    Values(values::Args),
    /// Close a period, for ever.
    Close(statement::Close),
    /// Show a closed statement; without its id, a preview of the period that is open.
    Statement(statement::Statement),
    /// List the closed statements.
    Statements(statement::Statements),
    /// List the customers behind a line of a closed statement.
    Movements(movements::Args),
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Format {
    /// JSON for programs.
    #[arg(long)]
    json: bool,
    /// CSV for programs and sheets.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// Runs one of the commands.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut retention = args.services.retention().await?;
    let ledgers = &mut retention.ledgers;
    match args.command {
        Command::Assumptions(args) => assumptions::run(ledgers, args).await,
        Command::Fit(args) => model::fit(ledgers, args).await,
        Command::Models(args) => model::list(ledgers, args).await,
        Command::Values(args) => values::run(&mut retention.values, args).await,
        Command::Close(args) => statement::close(ledgers, args).await,
        Command::Statement(args) => statement::show(ledgers, args).await,
        Command::Statements(args) => statement::list(ledgers, args).await,
        Command::Movements(args) => movements::run(ledgers, args).await,
    }
}

impl Format {
    /// Whether the answer is for a program.
    const fn for_programs(self) -> bool {
        self.json || self.csv
    }

    /// Prints a message as JSON, as the lines of a sheet, or as a person reads it.
    fn print<M: prost::Message + prost::Name>(
        self,
        message: &M,
        headings: &[&str],
        lines: impl FnOnce(&M) -> Vec<Vec<String>>,
        shown: impl FnOnce(&M) -> String,
    ) -> anyhow::Result<()> {
        print(if self.json {
            json(message)?
        } else if self.csv {
            csv(headings, lines(message))?
        } else {
            shown(message)
        });
        Ok(())
    }
}

/// The name of the ledger of a currency.
fn name(currency: &str) -> String {
    format!("ledgers/{currency}")
}
