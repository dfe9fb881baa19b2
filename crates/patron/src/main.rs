//! The command line of Patron.

mod value;

use clap::{Parser, Subcommand};

/// Customers: create them, keep them, know what they are worth.
#[derive(Debug, Parser)]
#[command(name = "patron", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What customers are worth, from files and without a service
    Value(value::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Value(args) => value::run(args),
    }
}
