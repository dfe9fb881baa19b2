//! Both services in a process of their own, on free ports.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};
use vault::MasterKeys;

use crate::connect::Services;
use crate::healthcheck;

/// How long a start may take until both services are ready, and their work until it is done.
const PATIENCE: Duration = Duration::from_secs(600);

/// A running process. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pub(super) services: Services,
}

/// The Kafka to run on.
#[derive(Debug, Clone)]
pub(super) struct Brokers {
    pub(super) addresses: String,
    /// Whether a lone broker may answer before its disk has what it was sent.
    pub(super) trust_page_cache: bool,
}

/// What the system knows of a process. Linux only.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meter {
    id: u32,
}

/// The memory that a process holds, in MiB: now, and at its most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    pub(super) now: f64,
    pub(super) most: f64,
}

/// At rest: how much of a core it used of late, at most.
const RESTING: f64 = 0.1;
/// Of late.
const OF_LATE: Duration = Duration::from_millis(500);
/// Clock ticks a second in what Linux says of a process.
const TICKS: f64 = 100.0;

/// Where the journal is when it is embedded.
pub(super) fn journal(folder: &Path) -> PathBuf {
    folder.join("journal")
}

/// Where the read model of a service is.
pub(super) fn read_model(folder: &Path, service: &str) -> PathBuf {
    folder.join("data").join(service)
}

impl Server {
    /// Starts one on what is in `folder`, or on Kafka.
    pub(super) async fn start(folder: &Path, kafka: Option<&Brokers>) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["up", "--acquisition-address", "127.0.0.1:0"]);
        command.args(["--retention-address", "127.0.0.1:0"]);
        command.arg("--data").arg(folder.join("data"));
        // What is set for a real Patron in this shell is not meant for this one.
        for variable in [
            "PATRON_KAFKA",
            "PATRON_MASTER_KEY",
            "PATRON_ONLY",
            "PATRON_TRUST_PAGE_CACHE",
        ] {
            command.env_remove(variable);
        }
        match kafka {
            Some(brokers) => {
                let key = folder.join("master.key");
                MasterKeys::create(&key)?;
                command.args(["--kafka", &brokers.addresses]);
                if brokers.trust_page_cache {
                    command.arg("--trust-page-cache");
                }
                command.arg("--master-key").arg(key)
            }
            None => command.arg("--journal").arg(journal(folder)),
        };
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("starting the services")?;
        let stdout = child.stdout.take();
        let mut lines = BufReader::new(stdout.context("the output is piped")?).lines();
        let mut address = async |service: &str| -> anyhow::Result<String> {
            while let Some(line) = lines.next_line().await? {
                if let Some(address) = line.strip_prefix(&format!("{service} listens on ")) {
                    return Ok(format!("http://{address}"));
                }
            }
            bail!("the services did not start; run `patron up` to see why")
        };
        let services = Services {
            acquisition: address("acquisition").await?,
            retention: address("retention").await?,
        };
        Ok(Self { child, services })
    }

    /// Waits until both services say that they are ready.
    pub(super) async fn ready(&self) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        for url in [&self.services.acquisition, &self.services.retention] {
            while let Err(why) = healthcheck::run(healthcheck::Args::new(url)).await {
                if Instant::now() > until {
                    return Err(why);
                }
                sleep(Duration::from_millis(5)).await;
            }
        }
        Ok(())
    }

    /// Waits until it does nothing any more: what the services tell each other has arrived.
    ///
    /// # Errors
    /// If that takes too long.
    pub(super) async fn rest(&self) -> anyhow::Result<()> {
        let meter = self.meter()?;
        let mut used = meter.processor_time()?;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            sleep(OF_LATE).await;
            let now = meter.processor_time()?;
            if now - used < RESTING * OF_LATE.as_secs_f64() {
                return Ok(());
            }
            used = now;
        }
        bail!("the services are still at work after {PATIENCE:?}")
    }

    /// What the system knows of it.
    pub(super) fn meter(&self) -> anyhow::Result<Meter> {
        let id = self.child.id().context("the services have ended")?;
        Ok(Meter { id })
    }

    /// Ends it: what it has acknowledged is on the disk.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("stopping the services")
    }
}

impl Meter {
    /// The memory that it holds.
    pub(super) fn memory(self) -> anyhow::Result<Memory> {
        let status = self.said("status")?;
        let mib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.split_whitespace().next());
            let kib: Option<f64> = kib.and_then(|kib| kib.parse().ok());
            kib.map(|kib| kib / 1_024.0)
                .with_context(|| format!("the system does not say {name}"))
        };
        Ok(Memory {
            now: mib("VmRSS:")?,
            most: mib("VmHWM:")?,
        })
    }

    /// Seconds that it has spent on a processor.
    pub(super) fn processor_time(self) -> anyhow::Result<f64> {
        let stat = self.said("stat")?;
        // The name of the program may hold spaces; behind its bracket there are none.
        let (_, rest) = stat.rsplit_once(')').unwrap_or_default();
        let ticks = rest.split_whitespace().skip(11).take(2);
        let ticks = ticks.map(str::parse::<f64>).sum::<Result<f64, _>>();
        Ok(ticks.context("reading what a process has used")? / TICKS)
    }

    /// What the system says of it.
    fn said(self, what: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{what}", self.id);
        std::fs::read_to_string(&path).with_context(|| format!("{path}: Linux says it there"))
    }
}
