//! `patron-acquisition`: acquisition alone, on Kafka; the same as `patron up --only acquisition`.

use std::process::ExitCode;

use clap::Parser as _;
use patron::alone::{Cli, Command};
use patron::up::Acquisition;
use patron::{healthcheck, run_to_end, up};

fn main() -> ExitCode {
    let cli: Cli<Acquisition> = Cli::parse();
    run_to_end(&cli.log, async move {
        match cli.command {
            Some(Command::Healthcheck(args)) => healthcheck::run(args).await,
            None => up::acquisition(cli.up).await,
        }
    })
}
