//! `patron bench`: how fast it is here, against services started for it.

mod commands;
mod growth;
mod load;
mod process;
mod rebuild;
mod reports;

use std::time::Duration;

use clap::Subcommand;

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A mix of touches, conversions, purchases and assessments, against services started for it.
    Commands(commands::Args),
    /// Whether the thousandth page costs more than the first, and a customer with 10,000 purchases more than one with 10.
    Growth(growth::Args),
    /// How fast the read models are built anew from the journals.
    Rebuild(rebuild::Args),
    /// How fast much is brought in, and what reports, work lists, values and closings cost then.
    Reports(reports::Args),
}

/// Measures.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Commands(args) => commands::run(args).await,
        Command::Growth(args) => growth::run(args).await,
        Command::Rebuild(args) => rebuild::run(args).await,
        Command::Reports(args) => reports::run(args).await,
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
