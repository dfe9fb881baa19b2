//! `patron journal verify`: replays the journals from the beginning and compares with the read models.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{anyhow, bail, ensure};
use clap::Subcommand;
use eventsourcing::SystemClock;
use runtime::{Engine, Options, Service, Verification, verify};
use server::{LogSource, OpenLog};
use tokio::time::Instant;

use crate::pair::options;
use crate::show::{grouped, print};
use crate::up::Place;

/// What to do with a journal.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check that the journals are whole and that the read models are what follows from them.
    Verify(Args),
}

/// Where to look. An embedded journal is free only when its services are stopped.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
}

/// Verifies both services.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    let Command::Verify(args) = command;
    let (log, data) = args.place.resolve()?;
    match &log {
        LogSource::Embedded(folder) => ensure!(
            folder.is_dir(),
            "there is no journal in {}: name the folder that the services use, with --data or --journal",
            folder.display()
        ),
        #[cfg(feature = "kafka")]
        LogSource::Kafka(..) => {}
    }
    let before = ReadModels::look(&data);
    let open = log
        .open(Arc::new(SystemClock))
        .await
        .map_err(|error| anyhow!(error))?;
    let acquisition = options("acquisition", "retention", &data);
    let retention = options("retention", "acquisition", &data);
    let acquisition = check(&open, acquisition::Acquisition, acquisition).await;
    let retention = check(&open, retention::Retention, retention).await;
    open.close().await;
    let after = ReadModels::look(&data);
    let sound = [
        report("acquisition", &acquisition?),
        report("retention", &retention?),
    ];
    if sound.contains(&false) {
        bail!(
            "a read model is not what follows from its journal: stop the service and delete the read \
             model's folder below {}, it is rebuilt at the next start",
            data.display()
        );
    }
    // What was not there, or was damaged, has just been built: to compare it with itself proves nothing of it.
    let aside = named(after.damaged.difference(&before.damaged));
    ensure!(
        aside.is_empty(),
        "the journals are whole, but a read model was damaged: it was moved aside and has been rebuilt ({aside})"
    );
    let built = named(after.usable.difference(&before.usable));
    ensure!(
        built.is_empty(),
        "the journals are whole, but a read model of this release was missing: it has been built, and was not \
         compared with anything older ({built})"
    );
    Ok(())
}

/// The read models below a data folder.
#[derive(Default)]
struct ReadModels {
    usable: BTreeSet<PathBuf>,
    /// Those that were moved aside.
    damaged: BTreeSet<PathBuf>,
}

impl ReadModels {
    fn look(data: &Path) -> Self {
        let folders = ["acquisition", "retention"].map(|service| data.join(service));
        let entries = folders.iter().flat_map(std::fs::read_dir).flatten();
        let generations = entries.flatten().map(|entry| entry.path());
        let is_damaged = |path: &PathBuf| path.to_string_lossy().contains(".damaged-");
        let is_one = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("generation-")
        };
        let (damaged, usable) = generations.filter(is_one).partition(is_damaged);
        Self { usable, damaged }
    }
}

fn named<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> String {
    let paths: Vec<String> = paths.map(|path| path.display().to_string()).collect();
    paths.join(", ")
}

/// Catches up without exchanging anything, then replays and compares.
async fn check<S: Service + Clone>(
    open: &OpenLog,
    service: S,
    options: Options,
) -> anyhow::Result<Verification> {
    let alone = Options {
        public_topic: None,
        inbox_topic: None,
        ..options
    };
    let live = Arc::new(service.clone());
    let engine = Engine::start(live, &*open.topics, Arc::new(SystemClock), alone).await;
    let engine = engine.map_err(|error| anyhow!(error))?;
    let verified = match engine.until_ready().await {
        Ok(()) => verify(&engine, Arc::new(service)).await,
        Err(why) => Err(why),
    };
    engine.drain(Instant::now()).await;
    verified.map_err(|error| anyhow!(error))
}

fn report(service: &str, verification: &Verification) -> bool {
    let count = |number: u64| grouped(&number.to_string());
    print(format!(
        "{service}: {} records, contiguous; {} commits accepted; {} rows compared",
        count(verification.records),
        count(verification.accepted),
        count(verification.rows),
    ));
    for difference in &verification.differences {
        print(format!(
            "  differs: row {} stands in {}",
            difference.key, difference.stands_in
        ));
    }
    if verification.is_sound() {
        print("  the read model is exactly what follows from the journal");
    } else if verification.same_digest {
        print("  rows differ");
    } else {
        print("  the digests differ");
    }
    verification.is_sound()
}
