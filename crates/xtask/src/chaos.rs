//! `cargo xtask chaos`: the long form of the proof under faults.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use testkit::{Chaos, Counts};

use crate::{root, say};

/// How much of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long clients work in each run.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    seconds: u64,
    /// How many runs.
    #[arg(long, default_value_t = 20)]
    runs: u64,
    /// The seed of the first run; each next run has the next one.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many brokers, 1 or 3 [default: each in every second run].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3))]
    brokers: Option<u32>,
    /// Clients at work.
    #[arg(long, default_value_t = 8)]
    clients: u32,
    /// The binary under test [default: it is built, optimised].
    #[arg(long, value_name = "FILE")]
    patron: Option<PathBuf>,
}

/// Makes the runs one after the other.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let binary = match &args.patron {
        Some(binary) => binary.canonicalize().context("there is no such binary")?,
        None => built()?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut faults, mut commands, mut violations) = (Counts::default(), 0, 0);
    for run in 0..args.runs {
        let chaos = Chaos {
            binary: binary.clone(),
            brokers: args.brokers.unwrap_or(if run % 2 == 0 { 1 } else { 3 }),
            clients: args.clients,
            duration: Duration::from_secs(args.seconds),
            seed: args.seed + run,
        };
        let report = runtime.block_on(testkit::run(&chaos))?;
        say(&format!(
            "seed {}, {} brokers: {report}",
            chaos.seed, chaos.brokers
        ));
        for violation in &report.violations {
            say(&format!("  {}: {}", violation.check, violation.what));
        }
        if let Some(kept) = &report.kept {
            say(&format!("  what was said is in {}", kept.display()));
        }
        commands += report.commands;
        faults = faults.plus(report.faults);
        violations += report.violations.len();
    }
    say(&format!(
        "{} runs of {} s: {commands} commands; {faults}; {violations} violations",
        args.runs, args.seconds
    ));
    if violations > 0 {
        bail!("a promise was not kept");
    }
    Ok(())
}

fn built() -> anyhow::Result<PathBuf> {
    let cargo = env!("CARGO");
    let built = Command::new(cargo)
        .args([
            "build",
            "--release",
            "-p",
            "patron",
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(root())
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !built.status.success() {
        bail!("patron does not build");
    }
    let said = String::from_utf8(built.stdout)?;
    let binary = said.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_patron = message.pointer("/target/name")?.as_str()? == "patron";
        let path = message.get("executable")?.as_str()?;
        is_patron.then(|| PathBuf::from(path))
    });
    binary.context("cargo does not say where the binary is")
}
