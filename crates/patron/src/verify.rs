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
    if let LogSource::Embedded(folder) = &log {
        ensure!(
            folder.is_dir(),
            "there is no journal in {}: name the folder that the services use, with --data or --journal",
            folder.display()
        );
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
    ensure!(
        after.damaged.is_subset(&before.damaged),
        "the journals are whole, but a read model was damaged: it was moved aside and has been rebuilt ({})",
        after.list_damaged()
    );
    ensure!(
        before.present == SERVICES,
        "the journals are whole, but below {} there was a read model of {} only: what was missing has been built, and \
         not compared with anything older",
        data.display(),
        if before.present.is_empty() {
            "no service".to_owned()
        } else {
            before.present.join(", ")
        }
    );
    Ok(())
}

const SERVICES: [&str; 2] = ["acquisition", "retention"];

/// The read models below a data folder.
struct ReadModels {
    /// Whose there are.
    present: Vec<&'static str>,
    /// Those that were moved aside as damaged.
    damaged: BTreeSet<PathBuf>,
}

impl ReadModels {
    fn look(data: &Path) -> Self {
        let generations = |service: &str| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(data.join(service));
            let entries = entries.into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).collect()
        };
        let is_damaged = |path: &PathBuf| path.to_string_lossy().contains(".damaged-");
        let is_usable = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("generation-") && !is_damaged(path)
        };
        let all = SERVICES.map(|service| (service, generations(service)));
        let present = all.iter().filter(|(_, found)| found.iter().any(is_usable));
        Self {
            present: present.map(|(service, _)| *service).collect(),
            damaged: all
                .iter()
                .flat_map(|(_, found)| found)
                .filter(|path| is_damaged(path))
                .cloned()
                .collect(),
        }
    }

    fn list_damaged(&self) -> String {
        let all: Vec<String> = self
            .damaged
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        all.join(", ")
    }
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
