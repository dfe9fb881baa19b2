//! `cargo xtask`: what the tree can do for those who work on it.

mod chaos;
mod contract;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What the tree can do for those who work on it.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Kill everything while clients work, and judge what they heard.
    Chaos(chaos::Args),
    /// Write docs/asyncapi.yaml and docs/EVENTS.md from the contract.
    Contract(contract::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Chaos(args) => chaos::run(&args),
        Command::Contract(args) => contract::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The folder of the tree.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[expect(clippy::print_stderr, reason = "this is where a person reads it")]
fn say(what: &str) {
    eprintln!("{what}");
}
