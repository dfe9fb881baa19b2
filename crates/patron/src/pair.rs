//! The pair in one process: one log, two services, two listeners, started and stopped as one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use acquisition::SERVICES as ACQUISITION_SERVICES;
use anyhow::anyhow;
use eventsourcing::Clock;
use retention::SERVICES as RETENTION_SERVICES;
use runtime::{Engine, Options, Service};
use server::{Edge, Limits, LogSource, OpenLog, Readiness};
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
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            if let Err(error) = edge.serve(routes, stop).await {
                tracing::error!(error, "a listener failed");
            }
        });
        Ok(bound)
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

    /// Resolves when a service can no longer go on, with the reason.
    pub async fn failed(&self) -> String {
        tokio::select! {
            why = failure(self.acquisition.as_ref()) => format!("acquisition: {why}"),
            why = failure(self.retention.as_ref()) => format!("retention: {why}"),
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

/// The engine's options for one side of the pair, its rows below `data`.
pub fn options(service: &str, other: &str, data: &Path) -> Options {
    Options {
        data: Some(data.join(service)),
        ..Options::for_pair(service, other)
    }
}
