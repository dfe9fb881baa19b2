//! One service alone on a broker of its own, started and stopped by its test.

use std::fs;
use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testkit::{Cluster, Instance, Plan, Service, free_ports};

/// Whatever is promised comes within this time.
pub(crate) const SOON: Duration = Duration::from_secs(60);
/// The grace period of docker-compose.yml.
pub(crate) const GRACE: Duration = Duration::from_secs(30);

/// Brokers take turns: several at once would be slower than one after the other.
static TURN: Mutex<()> = Mutex::new(());

/// Waits for a turn to have brokers; nothing where there can be none.
pub(crate) fn turn() -> Option<MutexGuard<'static, ()>> {
    if !Cluster::is_possible() {
        println!("no broker: install Java 17 and Maven");
        return None;
    }
    Some(TURN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// `patron-retention` and its broker.
pub(crate) struct Alone {
    pub(crate) cluster: Cluster,
    pub(crate) plan: Plan,
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Alone {
    /// A broker, and what the service will be started with.
    pub(crate) fn new() -> Option<Self> {
        let turn = turn()?;
        let folder = tempfile::tempdir().unwrap();
        let cluster = Cluster::start(1).unwrap();
        let plan = Plan {
            binary: env!("CARGO_BIN_EXE_patron-retention").into(),
            is_alone: true,
            service: Service::Retention,
            kafka: cluster.address().to_owned(),
            replication: 1,
            data: folder.path().join("data"),
            master_key: folder.path().join("master.key"),
            port: free_ports(1)[0],
            log: folder.path().join("log"),
        };
        Some(Self {
            cluster,
            plan,
            folder,
            _turn: turn,
        })
    }

    /// Starts the service and waits until it is ready.
    pub(crate) fn ready(&self) -> Instance {
        let mut instance = self.plan.start().unwrap();
        let until = Instant::now() + SOON;
        while !self.plan.is_ready().unwrap() {
            let ended = instance.ended().unwrap();
            assert!(
                ended.is_none() && Instant::now() < until,
                "{ended:?}: {}",
                self.plan.said()
            );
        }
        instance
    }

    /// Starts the service on what must be refused; what it says before it ends with a failure.
    pub(crate) fn refused(&mut self) -> String {
        self.plan.log = self.folder.path().join("refused");
        fs::write(&self.plan.log, "").unwrap();
        let status = self.plan.start().unwrap().wait(SOON).unwrap();
        let said = self.plan.said();
        assert_eq!(status.code(), Some(1), "{said}");
        said
    }

    /// Waits until the log says this.
    pub(crate) fn until_said(&self, what: &str) {
        let until = Instant::now() + SOON;
        while !self.plan.said().contains(what) {
            assert!(
                Instant::now() < until,
                "no {what:?} in {}",
                self.plan.said()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Tells it to stop and waits for its end.
pub(crate) fn stop(instance: Instance) -> ExitStatus {
    instance.terminate().unwrap();
    instance.wait(GRACE).unwrap()
}

/// Runs a test's asynchronous part.
pub(crate) fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(test)
}
