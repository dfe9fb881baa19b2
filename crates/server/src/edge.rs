//! A listening server: the services of one side, with health, reflection, gRPC-Web and probes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use runtime::{Engine, Service};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tonic_web::GrpcWebLayer;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use crate::deadline::DeadlineLayer;
use crate::measure::MeasureLayer;
use crate::metrics::Metrics;
use crate::probes::ProbesLayer;

/// The largest message that is taken or given.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// What one server lets in at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests under way in one connection.
    pub concurrency_per_connection: usize,
    /// Streams that HTTP/2 lets a connection open.
    pub streams_per_connection: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency_per_connection: 1_024,
            streams_per_connection: 1_024,
        }
    }
}

/// Asked whether the service is ready; the answer, if not, says why.
pub type Readiness = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// One side's server, bound to its address.
pub struct Edge {
    listener: TcpListener,
    limits: Limits,
    readiness: Readiness,
    names: Vec<&'static str>,
    metrics: Metrics,
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edge")
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}

const HEALTH_EVERY: Duration = Duration::from_millis(200);

impl Edge {
    /// Binds the address. `names` are the full names of the gRPC services that it will serve.
    ///
    /// # Errors
    /// A sentence for the operator, naming the address.
    pub async fn bind(
        address: SocketAddr,
        names: Vec<&'static str>,
        limits: Limits,
        readiness: Readiness,
    ) -> Result<Self, String> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            format!("cannot listen on {address}: {error}. Is another instance running? Choose another address")
        })?;
        Ok(Self {
            listener,
            limits,
            readiness,
            names,
            metrics: Metrics::new(),
        })
    }

    /// Tells of this replica at `/metrics`.
    #[must_use]
    pub fn telling_of<S: Service>(mut self, engine: Arc<Engine<S>>) -> Self {
        let readiness = Arc::clone(&self.readiness);
        self.metrics.tell_of(engine, readiness);
        self
    }

    /// Where it listens.
    pub fn address(&self) -> Result<SocketAddr, String> {
        self.listener
            .local_addr()
            .map_err(|error| error.to_string())
    }

    /// Serves until `stop` is cancelled, then lets requests under way finish.
    pub async fn serve(self, routes: Routes, stop: CancellationToken) -> Result<(), String> {
        let (health, health_service) = tonic_health::server::health_reporter();
        let names = self.names.clone();
        let readiness = Arc::clone(&self.readiness);
        let reporting = report_health(health, names, Arc::clone(&readiness), stop.clone());
        let routes = routes
            .add_service(health_service)
            .add_service(reflection_v1()?)
            .add_service(reflection_v1alpha()?);
        let metrics = Arc::new(self.metrics);
        let requests = Arc::clone(&metrics.requests);
        let layers = ServiceBuilder::new()
            .layer(CatchPanicLayer::new())
            .layer(MeasureLayer(requests))
            .layer(DeadlineLayer)
            .layer(ProbesLayer { readiness, metrics })
            .layer(GrpcWebLayer::new())
            .into_inner();
        // An answer leaves at once. The server's own setting would not reach a listener bound before.
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        let serving = Server::builder()
            .accept_http1(true)
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .concurrency_limit_per_connection(self.limits.concurrency_per_connection)
            .max_concurrent_streams(Some(self.limits.streams_per_connection))
            .layer(layers)
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, stop.cancelled());
        let (served, ()) = tokio::join!(serving, reporting);
        served.map_err(|error| format!("the server stopped: {error}"))
    }
}

/// Keeps grpc.health.v1 true, for each service and for the server as a whole.
async fn report_health(
    health: HealthReporter,
    names: Vec<&'static str>,
    readiness: Readiness,
    stop: CancellationToken,
) {
    let mut known = None;
    while !stop.is_cancelled() {
        let ready = readiness().is_ok();
        if known != Some(ready) {
            known = Some(ready);
            let status = if ready {
                ServingStatus::Serving
            } else {
                ServingStatus::NotServing
            };
            for name in names.iter().chain(&[""]) {
                health.set_service_status(name, status).await;
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(HEALTH_EVERY) => {}
        }
    }
    for name in names.iter().chain(&[""]) {
        health
            .set_service_status(name, ServingStatus::NotServing)
            .await;
    }
}

macro_rules! reflection {
    ($name:ident, $build:ident, $module:ident) => {
        fn $name() -> Result<
            tonic_reflection::server::$module::ServerReflectionServer<
                impl tonic_reflection::server::$module::ServerReflection,
            >,
            String,
        > {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(patron_proto::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .$build()
                .map_err(|error| error.to_string())
        }
    };
}

reflection!(reflection_v1, build_v1, v1);
reflection!(reflection_v1alpha, build_v1alpha, v1alpha);
