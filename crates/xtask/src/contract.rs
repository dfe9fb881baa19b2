//! `cargo xtask contract`: what others read about the public events, written from the contract itself.

mod asyncapi;
mod events;
mod page;

use std::fs;

use anyhow::{Context as _, bail};

use crate::{root, say};

/// What to do with the files.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only say whether they are up to date.
    #[arg(long)]
    check: bool,
}

/// Writes them, or fails if they would change.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let events = events::of_both()?;
    let files = [
        ("docs/asyncapi.yaml", asyncapi::written(&events)?),
        ("docs/EVENTS.md", page::written(&events)?),
    ];
    let mut stale = Vec::new();
    for (name, text) in files {
        let path = root().join(name);
        if fs::read_to_string(&path).is_ok_and(|found| found == text) {
            continue;
        }
        stale.push(name);
        if !args.check {
            fs::write(&path, text).with_context(|| format!("{name} cannot be written"))?;
            say(&format!("{name} is new"));
        }
    }
    if args.check && !stale.is_empty() {
        bail!(
            "{} is not what proto/ says: run cargo xtask contract",
            stale.join(" and ")
        );
    }
    Ok(())
}
