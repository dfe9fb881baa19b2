//! `patron healthcheck`: the exit status that container engines ask for.

use anyhow::{Context as _, bail};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::connect::channel;

/// Whom to ask.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The server.
    #[arg(
        env = "PATRON_HEALTHCHECK",
        default_value = "http://127.0.0.1:7401",
        value_name = "URL"
    )]
    url: String,
}

/// Fails unless the server is ready.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut client = HealthClient::new(channel("acquisition", &args.url).await?);
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
