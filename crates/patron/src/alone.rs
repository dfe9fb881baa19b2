//! The command line of a binary that is one service: the flags and variables of `patron up`, and a health
//! check.

use clap::Parser;

use crate::healthcheck;
use crate::up::Alone;

/// One service of the pair, alone; the other runs elsewhere on the same Kafka.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, args_conflicts_with_subcommands = true)]
pub struct Cli<S: clap::Args> {
    /// What is logged: error, warn, info, debug, or a filter such as `info,runtime=debug`.
    #[arg(long, env = "PATRON_LOG", default_value = "warn", global = true)]
    pub log: String,
    /// How it is started.
    #[command(flatten)]
    pub up: Alone<S>,
    /// Or something else.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What else it can do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Ask a server whether it is ready; exit status 0 if it is.
    Healthcheck(healthcheck::Args),
}
