//! One run: brokers, two instances of each service, clients, faults, calm, verdict.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use patron_proto::retention::v1::GetPromiseLedgerRequest;
use patron_proto::retention::v1::promise_service_client::PromiseServiceClient;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tonic::transport::Channel;

use crate::broker::Cluster;
use crate::faults::{self, Counts};
use crate::history::{History, Op};
use crate::judge::{Fate, Violation, judge, tallied};
use crate::logs::Logs;
use crate::pair::{Crew, Pair, data, said};
use crate::session::Surroundings;

/// Instances of each service.
const INSTANCES: usize = 2;
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
    let mut pair = Pair::start(&chaos.binary, chaos.brokers, INSTANCES).await?;
    let around = pair.surroundings(chaos.duration)?;
    let (history, faults, mut violations) = storm(chaos, &mut pair, &around).await?;
    let mut records = 0;
    match at_rest(&mut pair).await {
        Ok(logs) => {
            let retention = &around.instances.retention;
            violations.extend(ledgers(retention, &logs).await?);
            violations.extend(judge(&history, &logs));
            records = logs.ends().iter().sum();
        }
        Err(why) => violations.push(Violation {
            check: "everything comes to rest",
            what: format!("{why:#}"),
        }),
    }
    violations.extend(end(&mut pair).await?);
    violations.extend(replay(chaos, &pair.cluster, pair.folder.path()).await?);
    let kept = (!violations.is_empty()).then(|| pair.folder.keep());
    let answered = history.ops.iter().filter(|op| !op.answers.is_empty());
    Ok(Report {
        commands: answered.count(),
        sent: history.ops.iter().map(|op| op.sent).sum(),
        records,
        faults,
        longest: longest(&history),
        violations,
        kept,
    })
}

/// What the logs hold when everything that was told has arrived, and everybody answers: whoever was started last may
/// have been on its way.
async fn at_rest(pair: &mut Pair) -> anyhow::Result<Logs> {
    let logs = pair.rest().await?;
    let ready = pair.until_ready().await;
    ready.with_context(|| said(pair.folder.path()))?;
    Ok(logs)
}

pub(crate) fn longest(history: &History) -> Duration {
    let waits = history.ops.iter().filter_map(Op::waited);
    waits.max().unwrap_or_default()
}

/// Clients and faults, until the time is over and everybody has an answer.
async fn storm(
    chaos: &Chaos,
    pair: &mut Pair,
    around: &Surroundings,
) -> anyhow::Result<(History, Counts, Vec<Violation>)> {
    let crew = Crew::prepare(around, chaos.seed).await?;
    let until = Instant::now() + chaos.duration;
    let pause = if chaos.duration >= LONG {
        Duration::from_secs(20)
    } else {
        Duration::from_secs(5)
    };
    let is_over = || Instant::now() > until;
    let ((), of_brokers, of_instances) = tokio::join!(
        crew.work(chaos.clients, &is_over),
        faults::brokers(&pair.cluster, chaos.seed, until, pause),
        faults::instances(&mut pair.slots, chaos.seed, until),
    );
    let (of_instances, surprises) = of_instances?;
    Ok((
        crew.close()?,
        of_instances.plus(of_brokers?),
        surprises.into_iter().map(surprising).collect(),
    ))
}

pub(crate) fn surprising(what: String) -> Violation {
    Violation {
        check: "an instance ends when it is told to, in good order",
        what,
    }
}

/// Tells all instances to stop.
async fn end(pair: &mut Pair) -> anyhow::Result<Vec<Violation>> {
    let (surprises, _) = faults::ended_by_themselves(&mut pair.slots)?;
    let mut violations: Vec<Violation> = surprises.into_iter().map(surprising).collect();
    for slot in &mut pair.slots {
        if let Some(process) = slot.process.take() {
            let surprise = faults::stop(&slot.plan, process).await;
            violations.extend(surprise.map(surprising));
        }
    }
    Ok(violations)
}

/// Every instance of retention shows the promises that acquisition was told of.
pub(crate) async fn ledgers(retention: &[Channel], logs: &Logs) -> anyhow::Result<Vec<Violation>> {
    let told = logs.journals.acquisition.iter();
    let told = tallied(told.flat_map(|judged| {
        let taken = judged.received.iter();
        taken.map(|event| (event.r#type.as_str(), &event.payload[..]))
    }));
    let last = |kind: &str| {
        let ended = |fate: &&Fate| fate.told.last().is_some_and(|last| last == kind);
        i64::try_from(told.values().filter(ended).count()).unwrap_or(i64::MAX)
    };
    // A promise that was repaired was broken.
    let broken = last("Broken") + last("Repaired");
    let expected = (last("Kept"), broken, last("Repaired"), last("Made"));
    let mut violations = Vec::new();
    for instance in retention {
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
            .args(["--replication", &cluster.brokers().to_string(), "--data"])
            .arg(data(folder, number));
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
