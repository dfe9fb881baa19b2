//! One instance of one service as a real process, with a log of everything it said.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use vault::MasterKeys;

/// One of the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Creates customers.
    Acquisition,
    /// Keeps customers.
    Retention,
}

impl Service {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Acquisition, Self::Retention];

    /// As topics, flags and folders call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acquisition => "acquisition",
            Self::Retention => "retention",
        }
    }

    /// The one that receives what this one tells.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Acquisition => Self::Retention,
            Self::Retention => Self::Acquisition,
        }
    }

    /// The topic of its journal.
    pub fn journal(self) -> String {
        format!("patron.{}.journal", self.name())
    }

    /// The topic of its public events.
    pub fn events(self) -> String {
        format!("patron.{}.events", self.name())
    }
}

/// One thing for each of the pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Both<T> {
    /// Acquisition's.
    pub acquisition: T,
    /// Retention's.
    pub retention: T,
}

impl<T> Both<T> {
    /// That of this service.
    pub const fn of(&self, service: Service) -> &T {
        match service {
            Service::Acquisition => &self.acquisition,
            Service::Retention => &self.retention,
        }
    }

    /// That of this service, to be changed.
    pub const fn of_mut(&mut self, service: Service) -> &mut T {
        match service {
            Service::Acquisition => &mut self.acquisition,
            Service::Retention => &mut self.retention,
        }
    }
}

/// What an instance is started with; it can be started any number of times.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The binary: `patron`, or the service alone.
    pub binary: PathBuf,
    /// Whether the binary is the service alone.
    pub is_alone: bool,
    /// Which service.
    pub service: Service,
    /// Kafka's address.
    pub kafka: String,
    /// On how many brokers a new topic is kept.
    pub replication: u32,
    /// Where the read models are.
    pub data: PathBuf,
    /// The master key of personal data, the same for all; made if it is missing.
    pub master_key: PathBuf,
    /// Where it listens on this machine.
    pub port: u16,
    /// What it says goes here.
    pub log: PathBuf,
}

/// A process of an instance. Dropped, it is killed.
#[derive(Debug)]
pub struct Instance(Child);

impl Plan {
    /// Starts a process.
    ///
    /// # Errors
    /// When the binary cannot be run or its log cannot be written.
    pub fn start(&self) -> anyhow::Result<Instance> {
        MasterKeys::load_or_create(&self.master_key)?;
        let name = self.service.name();
        let mut command = Command::new(&self.binary);
        command.args(["--log", "info"]);
        if !self.is_alone {
            command.args(["up", "--only", name]);
        }
        command
            .args(["--kafka", &self.kafka])
            .args(["--replication", &self.replication.to_string()])
            .arg(format!("--{name}-address"))
            .arg(format!("127.0.0.1:{}", self.port))
            .arg("--data")
            .arg(&self.data)
            .arg("--master-key")
            .arg(&self.master_key);
        Instance::start(&mut command, &self.log)
    }

    /// The address for clients.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Instance {
    /// Starts a process; what it says goes to `log`.
    ///
    /// # Errors
    /// When it cannot be run or its log cannot be written.
    pub fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let log = appended(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be run", command.get_program().display()))?;
        Ok(Self(child))
    }

    /// `kill -9`.
    pub fn kill(mut self) -> io::Result<()> {
        self.0.kill()?;
        self.0.wait().map(drop)
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    /// SIGTERM, as a container engine sends it.
    pub fn terminate(&self) -> anyhow::Result<()> {
        let status = Command::new("kill")
            .args(["-TERM", &self.0.id().to_string()])
            .status()?;
        if !status.success() {
            bail!("the process {} cannot be told to stop", self.0.id());
        }
        Ok(())
    }

    /// Waits until it has ended by itself; it is killed when `grace` is over.
    ///
    /// # Errors
    /// When it was still there.
    pub fn wait(mut self, grace: Duration) -> anyhow::Result<ExitStatus> {
        let until = Instant::now() + grace;
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > until {
                bail!("the process {} is still there after {grace:?}", self.0.id());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // It may have ended already; nothing that was started here outlives its owner.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Ports that nobody listens on, below the range from which outgoing connections take theirs.
pub fn free_ports(count: usize) -> Vec<u16> {
    let start = rand::random_range(30_000_u16..32_000);
    (start..)
        .filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .take(count)
        .collect()
}

fn appended(path: &Path) -> anyhow::Result<File> {
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.with_context(|| format!("{} cannot be written", path.display()))
}
