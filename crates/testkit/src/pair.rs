//! Both services as processes, so many instances of each, on brokers of their own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures::future::join_all;
use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tonic::transport::Channel;

use crate::broker::Cluster;
use crate::clients;
use crate::faults::{self, Slot};
use crate::history::{Book, History};
use crate::instance::{Both, Plan, Service, free_ports};
use crate::logs::Logs;
use crate::session::{Session, Surroundings, channel};

/// How long everything may take to come to rest when nothing is done to it any more.
pub(crate) const REST: Duration = Duration::from_secs(90);

/// The pair, running.
#[derive(Debug)]
pub struct Pair {
    /// Its brokers.
    pub cluster: Arc<Cluster>,
    pub(crate) folder: TempDir,
    pub(crate) slots: Vec<Slot>,
}

impl Pair {
    /// Starts brokers, and so many instances of each service, and waits until all are ready.
    ///
    /// # Errors
    /// What does not start, with the last that it said.
    pub async fn start(binary: &Path, brokers: u32, instances: usize) -> anyhow::Result<Self> {
        let cluster = spawn_blocking(move || Cluster::start(brokers)).await??;
        Self::on(cluster, binary, instances).await
    }

    /// The same on brokers that run already.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn on(cluster: Cluster, binary: &Path, instances: usize) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("patron-pair-")?;
        let slots = slots(binary, &cluster, folder.path(), instances)?;
        let mut pair = Self {
            cluster: Arc::new(cluster),
            folder,
            slots,
        };
        let ready = pair.until_ready().await;
        ready.with_context(|| said(pair.folder.path()))?;
        Ok(pair)
    }

    /// Where the instances of a service listen.
    pub fn urls(&self, service: Service) -> Vec<String> {
        let slots = self.slots.iter();
        let slots = slots.filter(|slot| slot.plan.service == service);
        slots.map(|slot| slot.plan.url()).collect()
    }

    /// Waits until every instance is ready, as an orchestrator would.
    pub(crate) async fn until_ready(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + REST;
        for index in 0..self.slots.len() {
            loop {
                let (ended, _) = faults::ended_by_themselves(&mut self.slots)?;
                if let Some(ended) = ended.first() {
                    bail!("{ended}");
                }
                let Some(slot) = self.slots.get(index) else {
                    break;
                };
                let plan = slot.plan.clone();
                if spawn_blocking(move || plan.is_ready()).await?? {
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

    /// Lets clients work for a while, with nothing in their way.
    ///
    /// # Errors
    /// When they cannot begin.
    pub async fn work(&self, clients: u32, duration: Duration) -> anyhow::Result<History> {
        let around = self.surroundings(duration)?;
        let crew = Crew::prepare(&around, 1).await?;
        let until = Instant::now() + duration;
        crew.work(clients, &|| Instant::now() > until).await;
        crew.close()
    }

    /// Waits until everything that was told has arrived; what the logs hold then.
    ///
    /// # Errors
    /// What has not arrived in time, or why the logs cannot be read.
    pub async fn rest(&self) -> anyhow::Result<Logs> {
        let until = Instant::now() + REST;
        let mut ends = Vec::new();
        loop {
            let logs = Logs::read(self.cluster.address()).await?;
            let rest = logs.at_rest();
            let still = std::mem::replace(&mut ends, logs.ends()) == logs.ends();
            match rest {
                Ok(()) if still => return Ok(logs),
                Err(why) if Instant::now() > until => bail!("it does not come to rest: {why}"),
                Ok(()) | Err(_) => sleep(Duration::from_secs(1)).await,
            }
        }
    }

    pub(crate) fn surroundings(&self, duration: Duration) -> anyhow::Result<Surroundings> {
        let mut instances = Both::<Vec<Channel>>::default();
        for slot in &self.slots {
            instances
                .of_mut(slot.plan.service)
                .push(channel(&slot.plan.url())?);
        }
        let began = Instant::now();
        Ok(Surroundings {
            instances,
            began,
            gives_up: began + duration + REST * 2,
        })
    }
}

/// Clients on their way through one history.
#[derive(Debug)]
pub(crate) struct Crew {
    around: Surroundings,
    book: Rc<Book>,
    seed: u64,
    shared: Vec<String>,
}

impl Crew {
    /// Makes what all of them need.
    pub(crate) async fn prepare(around: &Surroundings, seed: u64) -> anyhow::Result<Self> {
        let mut crew = Self {
            around: around.clone(),
            book: Rc::default(),
            seed,
            shared: Vec::new(),
        };
        let shared = clients::prepare(&mut crew.session(0)).await;
        crew.shared = shared.context("the clients cannot begin")?;
        Ok(crew)
    }

    /// So many clients work until it `is_over` and each has its last answer.
    pub(crate) async fn work(&self, clients: u32, is_over: &dyn Fn() -> bool) {
        let working = (1..=u64::from(clients)).map(|number| {
            let mut session = self.session(number);
            async move { clients::work(&mut session, &self.shared, is_over).await }
        });
        join_all(working).await;
    }

    /// What they did.
    pub(crate) fn close(self) -> anyhow::Result<History> {
        let book = Rc::try_unwrap(self.book).ok();
        Ok(book.context("a client is still at work")?.close())
    }

    fn session(&self, number: u64) -> Session {
        let seed = self.seed.wrapping_mul(1_000).wrapping_add(number);
        Session::new(self.around.clone(), Rc::clone(&self.book), seed)
    }
}

/// Both services run from one folder of data for each number of an instance.
fn slots(
    binary: &Path,
    cluster: &Cluster,
    folder: &Path,
    instances: usize,
) -> anyhow::Result<Vec<Slot>> {
    let mut ports = free_ports(instances * Service::BOTH.len()).into_iter();
    let mut slots = Vec::new();
    for service in Service::BOTH {
        for number in 0..instances {
            let plan = Plan {
                binary: binary.to_owned(),
                is_alone: false,
                service,
                kafka: cluster.address().to_owned(),
                replication: cluster.brokers(),
                data: data(folder, number),
                master_key: folder.join("master.key"),
                port: ports.next().context("no port is free")?,
                log: folder.join(format!("{}-{number}.log", service.name())),
            };
            let process = Some(plan.start()?);
            slots.push(Slot { plan, process });
        }
    }
    Ok(slots)
}

/// Where the instances of this number keep their rows.
pub(crate) fn data(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("data-{number}"))
}

/// The last lines of everybody's log.
pub(crate) fn said(folder: &Path) -> String {
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

impl Plan {
    /// Whether an instance at this address says that it is ready.
    ///
    /// # Errors
    /// When it cannot be asked for want of the binary.
    pub fn is_ready(&self) -> anyhow::Result<bool> {
        let mut check = Command::new(&self.binary);
        let checked = check.args(["healthcheck", &self.url()]).output();
        Ok(checked
            .context("the binary cannot be run")?
            .status
            .success())
    }

    /// Everything that was said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}
