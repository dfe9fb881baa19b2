//! The pair in one process: one log, two services, two listeners, started and stopped as one.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use acquisition::SERVICES as ACQUISITION_SERVICES;
use anyhow::anyhow;
use eventsourcing::Clock;
use futures::FutureExt as _;
use retention::SERVICES as RETENTION_SERVICES;
use runtime::{Engine, Options, Service};
use server::{Edge, Limits, LogSource, OpenLog, Readiness};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use vault::{MasterKeys, Vault};

/// How long requests under way may take when the pair stops.
const GRACE: Duration = Duration::from_secs(20);

/// What to start.
#[derive(Debug)]
pub struct Plan {
    /// Where the journals are.
    pub log: LogSource,
    /// Where the read models are.
    pub data: PathBuf,
    /// The file of the master key of personal data; embedded it may be left out, and lies beside the keys.
    pub master_key: Option<PathBuf>,
    /// Where acquisition listens, if it runs here.
    pub acquisition: Option<SocketAddr>,
    /// Where retention listens, if it runs here.
    pub retention: Option<SocketAddr>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// The running pair.
#[derive(Debug)]
pub struct Pair {
    log: OpenLog,
    vault: Option<Arc<Vault>>,
    /// Acquisition, if it runs here.
    pub acquisition: Option<Side<acquisition::Acquisition>>,
    /// Retention, if it runs here.
    pub retention: Option<Side<retention::Retention>>,
    stop: CancellationToken,
    tracker: TaskTracker,
    /// Why a listener has ended before its time, if one has.
    deaf: watch::Sender<Option<String>>,
}

/// One running service.
#[derive(Debug)]
pub struct Side<S: Service> {
    /// Its replica.
    pub engine: Arc<Engine<S>>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Pair {
    /// Starts what is planned; it serves at once, and is ready when it has caught up.
    pub async fn start(plan: Plan) -> anyhow::Result<Self> {
        let master = plan.log.master_keys(plan.master_key.as_deref());
        let master = master.map_err(|error| anyhow!(error))?;
        let log = plan
            .log
            .open(Arc::clone(&plan.clock))
            .await
            .map_err(|error| anyhow!(error))?;
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let mut pair = Self {
            log,
            vault: None,
            acquisition: None,
            retention: None,
            stop,
            tracker,
            deaf: watch::Sender::new(None),
        };
        let started = pair.start_sides(&plan, master).await;
        if let Err(error) = started {
            pair.stop().await;
            return Err(error);
        }
        Ok(pair)
    }

    async fn start_sides(&mut self, plan: &Plan, master: MasterKeys) -> anyhow::Result<()> {
        let topics = Arc::clone(&self.log.topics);
        let vault = self.log.vault(master).await;
        let vault = vault.map_err(|error| anyhow!(error))?;
        self.vault = Some(Arc::clone(&vault));
        if let Some(address) = plan.acquisition {
            let options = options("acquisition", "retention", &plan.data);
            let clock = Arc::clone(&plan.clock);
            let running = acquisition::start(&*topics, clock, options, Arc::clone(&vault)).await;
            let running = running.map_err(|error| anyhow!("acquisition: {error}"))?;
            let engine = Arc::clone(&running.engine);
            let address = self
                .serve(address, &ACQUISITION_SERVICES, running.routes(), &engine)
                .await?;
            self.acquisition = Some(Side { engine, address });
        }
        if let Some(address) = plan.retention {
            let options = options("retention", "acquisition", &plan.data);
            let clock = Arc::clone(&plan.clock);
            let running = retention::start(&*topics, clock, options, vault).await;
            let running = running.map_err(|error| anyhow!("retention: {error}"))?;
            let engine = Arc::clone(&running.engine);
            let address = self
                .serve(address, &RETENTION_SERVICES, running.routes(), &engine)
                .await?;
            self.retention = Some(Side { engine, address });
        }
        Ok(())
    }

    async fn serve<S: Service>(
        &self,
        address: SocketAddr,
        names: &[&'static str],
        routes: Routes,
        engine: &Arc<Engine<S>>,
    ) -> anyhow::Result<SocketAddr> {
        let asked = Arc::clone(engine);
        let vault = self.vault.clone();
        let readiness: Readiness = Arc::new(move || {
            let lost = vault.as_ref().and_then(|vault| vault.failure());
            lost.map_or_else(|| asked.ready(), Err)
        });
        let edge = match Edge::bind(address, names.to_vec(), Limits::default(), readiness).await {
            Ok(edge) => edge.telling_of(Arc::clone(engine)),
            Err(error) => {
                // Nobody holds this engine yet, and it must not outlive the log that is closed next.
                engine.drain(Instant::now() + GRACE).await;
                return Err(anyhow!(error));
            }
        };
        let bound = edge.address().map_err(|error| anyhow!(error))?;
        self.listen(edge.serve(routes, self.stop.clone()));
        Ok(bound)
    }

    fn listen(&self, serving: impl Future<Output = Result<(), String>> + Send + 'static) {
        let deaf = self.deaf.clone();
        self.tracker.spawn(async move {
            let why = match AssertUnwindSafe(serving).catch_unwind().await {
                Ok(Ok(())) => return,
                Ok(Err(why)) => why,
                Err(_) => "it panicked".to_owned(),
            };
            tracing::error!(why, "a listener failed");
            deaf.send_replace(Some(why));
        });
    }

    /// Waits until both services have caught up with their journals.
    pub async fn until_ready(&self) -> anyhow::Result<()> {
        if let Some(side) = &self.acquisition {
            side.engine
                .until_ready()
                .await
                .map_err(|error| anyhow!("acquisition: {error}"))?;
        }
        if let Some(side) = &self.retention {
            side.engine
                .until_ready()
                .await
                .map_err(|error| anyhow!("retention: {error}"))?;
        }
        Ok(())
    }

    /// Resolves when a service, the keys of personal data or a listener can no longer go on, with the reason.
    pub async fn failed(&self) -> String {
        tokio::select! {
            why = failure(self.acquisition.as_ref()) => format!("acquisition: {why}"),
            why = failure(self.retention.as_ref()) => format!("retention: {why}"),
            why = lost(self.vault.as_deref()) => format!("the keys of personal data: {why}"),
            why = ended(&self.deaf) => format!("a listener: {why}"),
        }
    }

    /// Stops: no new requests, those under way finish, the read models are written out, the log is closed.
    pub async fn stop(self) {
        let deadline = Instant::now() + GRACE;
        self.stop.cancel();
        self.tracker.close();
        if let Some(side) = &self.acquisition {
            side.engine.drain(deadline).await;
        }
        if let Some(side) = &self.retention {
            side.engine.drain(deadline).await;
        }
        if tokio::time::timeout_at(deadline, self.tracker.wait())
            .await
            .is_err()
        {
            tracing::warn!("a listener had not finished in time");
        }
        if let Some(vault) = &self.vault {
            vault.close().await;
        }
        self.log.close().await;
    }
}

async fn failure<S: Service>(side: Option<&Side<S>>) -> String {
    match side {
        Some(side) => side.engine.failed().await,
        None => std::future::pending().await,
    }
}

async fn lost(vault: Option<&Vault>) -> String {
    match vault {
        Some(vault) => vault.failed().await,
        None => std::future::pending().await,
    }
}

async fn ended(deaf: &watch::Sender<Option<String>>) -> String {
    let mut deaf = deaf.subscribe();
    let found = deaf.wait_for(Option::is_some).await;
    found.ok().and_then(|why| why.clone()).unwrap_or_default()
}

/// The engine's options for one side of the pair, its rows below `data`.
pub fn options(service: &str, other: &str, data: &Path) -> Options {
    Options {
        data: Some(data.join(service)),
        ..Options::for_pair(service, other)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use eventsourcing::SystemClock;
    use journal::{Kind, Record, TopicSpec};
    use server::LogSource;
    use tempfile::TempDir;
    use vault::{KEYS_TOPIC, PARTITIONS};

    use super::{Pair, Plan};

    async fn pair(folder: &TempDir) -> Pair {
        let plan = Plan {
            log: LogSource::Embedded(folder.path().join("journal")),
            data: folder.path().join("data"),
            master_key: None,
            acquisition: None,
            retention: None,
            clock: Arc::new(SystemClock),
        };
        Pair::start(plan).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_pair_that_no_longer_hears_of_erasures_has_failed() {
        let folder = TempDir::new().unwrap();
        let pair = pair(&folder).await;
        let keys = TopicSpec {
            name: KEYS_TOPIC.to_owned(),
            partitions: PARTITIONS,
            kind: Kind::Keys,
        };
        let log = pair.log.keys.open(&keys).await.unwrap();
        let newer = Record {
            key: Some(Bytes::from_static(b"erased/nobody")),
            headers: Vec::new(),
            value: Bytes::from_static(b"?"),
        };
        assert!(log.append(0, newer).await.is_written());
        drop(log);
        let why = tokio::time::timeout(std::time::Duration::from_secs(20), pair.failed())
            .await
            .expect("no failure");
        assert!(why.starts_with("the keys of personal data: "), "{why}");
        pair.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_pair_without_an_ear_has_failed() {
        let folder = TempDir::new().unwrap();
        let pair = pair(&folder).await;
        pair.listen(async { Err("no more sockets".to_owned()) });
        assert_eq!(pair.failed().await, "a listener: no more sockets");
        pair.stop().await;
    }
}
