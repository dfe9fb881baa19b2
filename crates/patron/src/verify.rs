//! `patron journal verify`: replays the journals from the beginning and compares with the read models.

use std::sync::Arc;

use anyhow::{anyhow, bail};
use clap::Subcommand;
use eventsourcing::SystemClock;
use runtime::{Engine, Options, Service, Verification, verify};
use server::OpenLog;
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
    let open = log
        .open(Arc::new(SystemClock))
        .await
        .map_err(|error| anyhow!(error))?;
    let acquisition = options("acquisition", "retention", &data);
    let retention = options("retention", "acquisition", &data);
    let acquisition = check(&open, acquisition::Acquisition, acquisition).await;
    let retention = check(&open, retention::Retention, retention).await;
    open.close().await;
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
    Ok(())
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
