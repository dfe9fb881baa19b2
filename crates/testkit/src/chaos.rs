//! One run: brokers, two instances of each service, clients, faults, calm, verdict.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures::future::join_all;
use patron_proto::retention::v1::GetPromiseLedgerRequest;
use patron_proto::retention::v1::promise_service_client::PromiseServiceClient;
use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use crate::broker::Cluster;
use crate::clients;
use crate::faults::{self, Counts, Slot};
use crate::history::{Book, History};
use crate::instance::{Plan, Service, free_ports};
use crate::judge::{Violation, judge, tallied};
use crate::logs::Logs;
use crate::session::{Session, Surroundings, channel};

/// Instances of each service.
const INSTANCES: usize = 2;
/// How long everything may take to come to rest when nothing is done to it any more.
const REST: Duration = Duration::from_secs(90);
/// From this length on a run has room for a long pause of the broker.
const LONG: Duration = Duration::from_secs(60);

/// What to do.
#[derive(Debug, Clone)]
pub struct Chaos {
    /// The binary `patron`.
    pub binary: PathBuf,
    /// 1 or 3.
    pub brokers: u32,
    /// Clients at work.
    pub clients: u32,
    /// How long they work.
    pub duration: Duration,
    /// Chance begins here; what the machine adds to it is its own.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// Commands that were answered.
    pub commands: usize,
    /// How often they were sent.
    pub sent: u32,
    /// Records in both journals.
    pub records: u64,
    /// What happened meanwhile.
    pub faults: Counts,
    /// The longest that a client waited for an answer, its own pauses left out.
    pub longest: Duration,
    /// What must not be.
    pub violations: Vec<Violation>,
    /// Where everything that was said is kept, if something must not be.
    pub kept: Option<PathBuf>,
}

/// Makes one run and judges it.
///
/// # Errors
/// When it could not be made: a broker or a binary that does not start. What is wrong with Patron is a
/// violation instead.
pub async fn run(chaos: &Chaos) -> anyhow::Result<Report> {
    let folder = TempDir::with_prefix("patron-chaos-")?;
    let brokers = chaos.brokers;
    let cluster = Arc::new(spawn_blocking(move || Cluster::start(brokers)).await??);
    let mut slots = slots(chaos, cluster.address(), folder.path())?;
    let around = surroundings(chaos, &slots)?;
    let ready = ready(&mut slots).await;
    ready.with_context(|| said(folder.path()))?;
    let (history, faults, mut violations) = storm(chaos, &cluster, &mut slots, &around).await?;
    let logs = calm(cluster.address(), &mut slots, &mut violations).await?;
    violations.extend(ledgers(&around, &logs).await?);
    violations.extend(judge(&history, &logs));
    for slot in &mut slots {
        if let Some(process) = slot.process.take() {
            let surprise = faults::stop(&slot.plan, process).await;
            violations.extend(surprise.map(surprising));
        }
    }
    violations.extend(replay(chaos, &cluster, folder.path()).await?);
    let kept = (!violations.is_empty()).then(|| folder.keep());
    Ok(Report {
        commands: history
            .ops
            .iter()
            .filter(|op| !op.answers.is_empty())
            .count(),
        sent: history.ops.iter().map(|op| op.sent).sum(),
        records: logs.ends().iter().sum(),
        faults,
        longest: longest(&history),
        violations,
        kept,
    })
}

fn longest(history: &History) -> Duration {
    let waits = history.ops.iter().filter_map(|op| op.waited());
    waits.max().unwrap_or_default()
}

/// Both services run from one folder of data for each instance.
fn slots(chaos: &Chaos, kafka: &str, folder: &Path) -> anyhow::Result<Vec<Slot>> {
    let mut ports = free_ports(INSTANCES * Service::BOTH.len()).into_iter();
    let mut slots = Vec::new();
    for service in Service::BOTH {
        for number in 0..INSTANCES {
            let plan = Plan {
                binary: chaos.binary.clone(),
                service,
                kafka: kafka.to_owned(),
                replication: chaos.brokers,
                data: folder.join(format!("data-{number}")),
                port: ports.next().context("no port is free")?,
                log: folder.join(format!("{}-{number}.log", service.name())),
            };
            let process = Some(plan.start()?);
            slots.push(Slot { plan, process });
        }
    }
    Ok(slots)
}

fn surroundings(chaos: &Chaos, slots: &[Slot]) -> anyhow::Result<Surroundings> {
    let mut instances = [Vec::new(), Vec::new()];
    for slot in slots {
        instances[slot.plan.service as usize].push(channel(&slot.plan.url())?);
    }
    let began = Instant::now();
    Ok(Surroundings {
        instances,
        began,
        gives_up: began + chaos.duration + REST * 2,
    })
}

/// Waits until every instance is ready, as an orchestrator would.
async fn ready(slots: &mut [Slot]) -> anyhow::Result<()> {
    let until = Instant::now() + REST;
    for index in 0..slots.len() {
        loop {
            let ended = faults::ended_by_themselves(slots)?;
            if let Some(ended) = ended.first() {
                bail!("{ended}");
            }
            let Some(slot) = slots.get(index) else { break };
            let mut check = Command::new(&slot.plan.binary);
            check.args(["healthcheck", &slot.plan.url()]);
            let checked = spawn_blocking(move || check.output()).await??;
            if checked.status.success() {
                break;
            }
            if Instant::now() > until {
                bail!("{} is not ready after {REST:?}", slot.plan.url());
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
    Ok(())
}

/// Clients and faults, until the time is over and everybody has an answer.
async fn storm(
    chaos: &Chaos,
    cluster: &Arc<Cluster>,
    slots: &mut [Slot],
    around: &Surroundings,
) -> anyhow::Result<(History, Counts, Vec<Violation>)> {
    let book = Rc::new(Book::default());
    let session = |number: u64| {
        let seed = chaos.seed.wrapping_mul(1_000).wrapping_add(number);
        Session::new(around.clone(), Rc::clone(&book), seed)
    };
    let shared = clients::prepare(&mut session(0)).await;
    let shared = shared.context("the clients cannot begin")?;
    let until = Instant::now() + chaos.duration;
    let working = join_all((1..=u64::from(chaos.clients)).map(|number| {
        let (mut session, shared) = (session(number), &shared);
        async move { clients::work(&mut session, shared, until).await }
    }));
    let pause = if chaos.duration >= LONG {
        Duration::from_secs(20)
    } else {
        Duration::from_secs(5)
    };
    let (_, of_brokers, of_instances) = tokio::join!(
        working,
        faults::brokers(cluster, chaos.seed, until, pause),
        faults::instances(slots, chaos.seed, until),
    );
    let (of_instances, surprises) = of_instances?;
    let history = Rc::try_unwrap(book)
        .ok()
        .context("all clients have ended")?;
    Ok((
        history.close(),
        of_instances.plus(of_brokers?),
        surprises.into_iter().map(surprising).collect(),
    ))
}

fn surprising(what: String) -> Violation {
    Violation {
        check: "an instance ends when it is told to, in good order",
        what,
    }
}

/// Waits until everything that was told has arrived; what the logs hold then.
async fn calm(
    kafka: &str,
    slots: &mut [Slot],
    violations: &mut Vec<Violation>,
) -> anyhow::Result<Logs> {
    let until = Instant::now() + REST;
    let mut ends = Vec::new();
    loop {
        violations.extend(
            faults::ended_by_themselves(slots)?
                .into_iter()
                .map(surprising),
        );
        let logs = Logs::read(kafka).await?;
        let rest = logs.at_rest();
        let still = std::mem::replace(&mut ends, logs.ends()) == logs.ends();
        if rest.is_ok() && still {
            return Ok(logs);
        }
        if Instant::now() > until {
            violations.push(Violation {
                check: "everything comes to rest",
                what: format!("{rest:?}"),
            });
            return Ok(logs);
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// Every instance of retention shows the promises that acquisition was told of.
async fn ledgers(around: &Surroundings, logs: &Logs) -> anyhow::Result<Vec<Violation>> {
    let told = logs.journals[Service::Acquisition as usize].iter();
    let told = tallied(told.flat_map(|judged| {
        let taken = judged.received.iter();
        taken.map(|event| (event.r#type.as_str(), &event.payload[..]))
    }));
    let last = |kind: &str| {
        let ended = |fate: &&crate::judge::Fate| fate.told.last().is_some_and(|last| last == kind);
        i64::try_from(told.values().filter(ended).count()).unwrap_or(i64::MAX)
    };
    let broken = last("Broken") + last("Repaired");
    let expected = (last("Kept"), broken, last("Repaired"), last("Made"));
    let mut violations = Vec::new();
    for instance in &around.instances[Service::Retention as usize] {
        let mut client = PromiseServiceClient::new(instance.clone());
        let asked = GetPromiseLedgerRequest::default();
        let ledger = client.get_promise_ledger(asked).await?.into_inner();
        let total = ledger.total.unwrap_or_default();
        let shown = (total.kept, total.broken, total.repaired, total.open);
        if shown != expected {
            violations.push(Violation {
                check: "both services agree on every promise",
                what: format!("retention shows {shown:?}, acquisition was told {expected:?}"),
            });
        }
    }
    Ok(violations)
}

/// Each replica is what a fresh replay makes of the journals, row for row and by digest.
async fn replay(chaos: &Chaos, cluster: &Cluster, folder: &Path) -> anyhow::Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for number in 0..INSTANCES {
        let mut verify = Command::new(&chaos.binary);
        verify
            .args(["journal", "verify", "--kafka", cluster.address()])
            .arg("--data")
            .arg(folder.join(format!("data-{number}")));
        let verified = spawn_blocking(move || verify.output()).await??;
        if !verified.status.success() {
            let mut what = String::from_utf8_lossy(&verified.stdout).into_owned();
            what.push_str(&String::from_utf8_lossy(&verified.stderr));
            violations.push(Violation {
                check: "replicas and a fresh replay are equal",
                what,
            });
        }
    }
    Ok(violations)
}

/// The last lines of everybody's log.
fn said(folder: &Path) -> String {
    let mut said = String::from("the instances did not become ready");
    for service in Service::BOTH {
        let path = folder.join(format!("{}-0.log", service.name()));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        for line in lines.iter().rev().take(5).rev() {
            // Writing to a string cannot fail.
            let _ = write!(said, "\n  {}: {line}", service.name());
        }
    }
    said
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            commands,
            sent,
            records,
            ..
        } = self;
        write!(
            f,
            "{commands} commands, sent {sent} times, {records} records; {}; longest wait {:.1} s; {} violations",
            self.faults,
            self.longest.as_secs_f64(),
            self.violations.len()
        )
    }
}
