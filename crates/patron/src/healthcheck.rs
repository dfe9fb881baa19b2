//! `patron healthcheck`: the exit status that container engines ask for.

use std::time::Duration;

use anyhow::{Context as _, bail};
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const PATIENCE: Duration = Duration::from_secs(5);

/// Whom to ask.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The server.
    #[arg(
        env = "PATRON_HEALTHCHECK",
        default_value = "http://127.0.0.1:7401",
        value_name = "URL"
    )]
    url: String,
}

impl Args {
    /// To ask the server at this address.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
        }
    }
}

/// Fails unless the server is ready.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let endpoint = Endpoint::from_shared(args.url.clone());
    let endpoint = endpoint.with_context(|| format!("{:?} is no URL", args.url))?;
    let connected = endpoint
        .connect_timeout(PATIENCE)
        .timeout(PATIENCE)
        .connect()
        .await;
    let connected = connected.with_context(|| format!("nobody answers at {}", args.url))?;
    let mut client = HealthClient::new(connected);
    let asked = HealthCheckRequest {
        service: String::new(),
    };
    let answer = client
        .check(asked)
        .await
        .context("the server did not say how it is")?;
    if answer.into_inner().status() != ServingStatus::Serving {
        bail!("{} is not ready", args.url);
    }
    Ok(())
}
