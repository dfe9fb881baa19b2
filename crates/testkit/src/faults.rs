//! What happens to instances and brokers while clients work.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use crate::broker::Cluster;
use crate::instance::{Instance, Plan, Service};

/// An instance that is told to stop has this long: its own grace of 20 s, and time to let go of Kafka.
const GRACE: Duration = Duration::from_secs(30);

/// What an instance says that gives up because no broker answers.
const AWAY: &str = "(see docs/errors/kafka-away.md)";

/// One place for an instance: what it is started with, and its process.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) plan: Plan,
    pub(crate) process: Option<Instance>,
}

/// How often what happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Instances killed with -9.
    pub killed: u32,
    /// Of these, started again on an empty disk.
    pub emptied: u32,
    /// Instances told to stop with SIGTERM.
    pub stopped: u32,
    /// Instances that were started while no broker answered, and gave up: their start has a patience of 30 s.
    pub gave_up: u32,
    /// Brokers killed with -9; of three, one that leads.
    pub brokers_killed: u32,
    /// Brokers stopped for a while without ending.
    pub brokers_paused: u32,
}

impl Counts {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            killed: self.killed + other.killed,
            emptied: self.emptied + other.emptied,
            stopped: self.stopped + other.stopped,
            gave_up: self.gave_up + other.gave_up,
            brokers_killed: self.brokers_killed + other.brokers_killed,
            brokers_paused: self.brokers_paused + other.brokers_paused,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "instances: {} killed ({} lost their disk), {} stopped, {} gave up a start; brokers: {} killed, {} paused",
            self.killed,
            self.emptied,
            self.stopped,
            self.gave_up,
            self.brokers_killed,
            self.brokers_paused
        )
    }
}

/// What happens to instances: one after the other is killed or stopped, and started again.
pub(crate) async fn instances(
    slots: &mut [Slot],
    seed: u64,
    until: Instant,
) -> anyhow::Result<(Counts, Vec<String>)> {
    let mut chance = StdRng::seed_from_u64(seed);
    let (mut counts, mut surprises) = (Counts::default(), Vec::new());
    loop {
        sleep(millis(&mut chance, 1_500..5_000)).await;
        let (ended, gave_up) = ended_by_themselves(slots)?;
        counts.gave_up += gave_up;
        if Instant::now() > until {
            surprises.extend(ended);
            return Ok((counts, surprises));
        }
        if gave_up > 0 || !ended.is_empty() {
            // Whoever was started just now is left alone for a while.
            surprises.extend(ended);
            continue;
        }
        let which = chance.random_range(0..slots.len());
        let Some(slot) = slots.get_mut(which) else {
            continue;
        };
        let process = slot.process.take().context("every slot is started again")?;
        if chance.random_range(0..100) < 20 {
            counts.stopped += 1;
            surprises.extend(stop(&slot.plan, process).await);
        } else {
            counts.killed += 1;
            process.kill()?;
            if chance.random_range(0..100) < 30 {
                counts.emptied += 1;
                empty(&slot.plan)?;
            }
        }
        sleep(millis(&mut chance, 200..2_500)).await;
        slot.process = Some(slot.plan.start()?);
    }
}

/// What happens to brokers: one is stopped for `pause`, then one is killed, in turns.
pub(crate) async fn brokers(
    cluster: &Arc<Cluster>,
    seed: u64,
    until: Instant,
    pause: Duration,
) -> anyhow::Result<Counts> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut counts = Counts::default();
    let mut pauses = chance.random::<bool>();
    loop {
        sleep(millis(&mut chance, 2_000..6_000)).await;
        // A broker takes a while to come back.
        if Instant::now() + Duration::from_secs(3) > until {
            return Ok(counts);
        }
        let broker = leader(cluster, chance.random_range(0..12)).await?;
        let (paused, killed) = (Arc::clone(cluster), Arc::clone(cluster));
        if pauses {
            counts.brokers_paused += 1;
            let resumed = Arc::clone(cluster);
            spawn_blocking(move || paused.pause(broker)).await??;
            sleep(pause).await;
            spawn_blocking(move || resumed.resume(broker)).await??;
        } else {
            counts.brokers_killed += 1;
            let restarted = Arc::clone(cluster);
            spawn_blocking(move || killed.kill(broker)).await??;
            sleep(millis(&mut chance, 200..2_000)).await;
            spawn_blocking(move || restarted.restart(broker)).await??;
        }
        pauses = !pauses;
    }
}

/// The broker that leads a partition of a journal, where there is a choice.
async fn leader(cluster: &Arc<Cluster>, partition: u32) -> anyhow::Result<u32> {
    if cluster.brokers() == 1 {
        return Ok(1);
    }
    let asked = Arc::clone(cluster);
    let topic = if partition.is_multiple_of(2) {
        Service::Acquisition.journal()
    } else {
        Service::Retention.journal()
    };
    spawn_blocking(move || asked.leader(&topic, partition)).await?
}

/// Tells an instance to stop; what was wrong with how it did.
pub(crate) async fn stop(plan: &Plan, process: Instance) -> Option<String> {
    let why = terminate(process).await?;
    Some(format!("{} did not stop in good order: {why}", shown(plan)))
}

/// Tells a process to stop; what was wrong with how it did.
pub(crate) async fn terminate(process: Instance) -> Option<String> {
    let stopped = spawn_blocking(move || {
        process.terminate()?;
        process.wait(GRACE)
    });
    match stopped.await {
        Ok(Ok(status)) if status.success() => None,
        Ok(Ok(status)) => Some(status.to_string()),
        Ok(Err(error)) => Some(error.to_string()),
        Err(error) => Some(error.to_string()),
    }
}

/// Whoever has ended without being told is started again, and named, unless it says that no broker answered
/// when it was started; those are counted.
pub(crate) fn ended_by_themselves(slots: &mut [Slot]) -> anyhow::Result<(Vec<String>, u32)> {
    let (mut named, mut gave_up) = (Vec::new(), 0);
    for slot in slots {
        let Some(process) = &mut slot.process else {
            continue;
        };
        if let Some(status) = process.ended()? {
            let said = slot.plan.said();
            let last = said.lines().last().unwrap_or_default();
            if last.contains(AWAY) {
                gave_up += 1;
            } else {
                named.push(format!("{} ended by itself: {status}", shown(&slot.plan)));
            }
            slot.process = Some(slot.plan.start()?);
        }
    }
    Ok((named, gave_up))
}

fn empty(plan: &Plan) -> anyhow::Result<()> {
    let rows = plan.data.join(plan.service.name());
    if Path::exists(&rows) {
        std::fs::remove_dir_all(&rows)?;
    }
    Ok(())
}

fn shown(plan: &Plan) -> String {
    format!("{} on port {}", plan.service.name(), plan.port)
}

pub(crate) fn millis(chance: &mut StdRng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(chance.random_range(range))
}
