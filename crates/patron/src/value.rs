//! `patron value`: what customers are worth, from files and without a service.
//!
//! A person gets a table, a program `--json` or `--csv`. Rows that cannot be true are listed with their line and left out;
//! a figure that the data cannot carry is refused with its reason and a failing status.

mod attribute;
mod contracts;
mod customers;
mod facts;
mod fit;
mod holdout;
mod model;
mod output;
mod rows;
mod score;
mod table;
mod text;

use clap::Subcommand;

/// What customers are worth, from files and without a service.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fit how often customers buy, whether they still do and how much they spend
    Fit(fit::Args),
    /// Give each customer a P(alive), expected purchases and a value
    Score(score::Args),
    /// Divide conversions over the channels that touched them
    Attribute(attribute::Args),
    /// Fit how long contracts last from cohorts of survivors
    Contracts(contracts::Args),
}

/// Runs one of the commands.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Fit(args) => fit::run(&args),
        Command::Score(args) => score::run(&args),
        Command::Attribute(args) => attribute::run(&args),
        Command::Contracts(args) => contracts::run(&args),
    }
}
