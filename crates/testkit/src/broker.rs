//! One real broker, or three, by `scripts/kafka`: started, killed, paused, and ended with its owner.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use tempfile::TempDir;

/// How much memory each broker's heap gets, in the words of the JVM.
const HEAP: &str = "256m";

/// A cluster of its own, which ends when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    home: TempDir,
    address: String,
    brokers: u32,
}

impl Cluster {
    /// Whether a broker can be started here: Java and Maven are there.
    pub fn is_possible() -> bool {
        let is_there = |program: &str| Command::new(program).arg("-version").output().is_ok();
        is_there("java") && is_there("mvn")
    }

    /// Starts 1 or 3 brokers on free ports.
    ///
    /// # Errors
    /// What the script said.
    pub fn start(brokers: u32) -> anyhow::Result<Self> {
        let mut cluster = Self {
            home: TempDir::with_prefix("patron-kafka-")?,
            address: String::new(),
            brokers,
        };
        let address = cluster.script(["start", &brokers.to_string()])?;
        address.trim().clone_into(&mut cluster.address);
        Ok(cluster)
    }

    /// The bootstrap address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How many brokers it has; they are numbered from 1.
    pub const fn brokers(&self) -> u32 {
        self.brokers
    }

    /// `kill -9`.
    pub fn kill(&self, broker: u32) -> anyhow::Result<()> {
        self.script(["kill", &broker.to_string()]).map(drop)
    }

    /// Starts a killed broker again on its data, and waits until it serves.
    pub fn restart(&self, broker: u32) -> anyhow::Result<()> {
        self.script(["restart", &broker.to_string()]).map(drop)
    }

    /// Stops a broker without ending it: its connections stay open and nothing answers.
    pub fn pause(&self, broker: u32) -> anyhow::Result<()> {
        self.script(["pause", &broker.to_string()]).map(drop)
    }

    /// Lets a paused broker go on.
    pub fn resume(&self, broker: u32) -> anyhow::Result<()> {
        self.script(["resume", &broker.to_string()]).map(drop)
    }

    /// Which broker leads a partition now.
    pub fn leader(&self, topic: &str, partition: u32) -> anyhow::Result<u32> {
        let told = self.tool("TopicCommand", ["--describe", "--topic", topic])?;
        let line = told
            .lines()
            .find(|line| line.contains(&format!("Partition: {partition}\t")))
            .with_context(|| format!("no partition {partition} of {topic} in {told}"))?;
        let leader = line.split("Leader: ").nth(1).unwrap_or_default();
        let leader = leader.split_whitespace().next().unwrap_or_default();
        leader
            .parse()
            .with_context(|| format!("{topic}/{partition} has no leader: {line}"))
    }

    /// Runs one of Kafka's own tools against this cluster and gives back what it printed.
    pub fn tool<I: IntoIterator<Item: AsRef<OsStr>>>(
        &self,
        name: &str,
        arguments: I,
    ) -> anyhow::Result<String> {
        let mut command = self.command();
        command.args(["tool", name, "--bootstrap-server", &self.address]);
        run(command.args(arguments))
    }

    /// Where a broker keeps its logs.
    pub fn data(&self, broker: u32) -> PathBuf {
        self.home
            .path()
            .join("cluster")
            .join(broker.to_string())
            .join("data")
    }

    fn script<const N: usize>(&self, arguments: [&str; N]) -> anyhow::Result<String> {
        run(self.command().args(arguments))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(script());
        command.env("PATRON_KAFKA_HOME", self.home.path().join("cluster"));
        command.env("PATRON_KAFKA_HEAP", HEAP);
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // There is nobody to tell, and the script says on its own when it does not succeed.
        drop(self.script(["stop"]));
    }
}

fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().context("scripts/kafka cannot be run")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?}: {said}");
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/kafka")
}
