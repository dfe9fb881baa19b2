//! Where the services are, and how a command reaches them.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use patron_proto::acquisition::v1::campaign_service_client::CampaignServiceClient;
use patron_proto::acquisition::v1::proposition_service_client::PropositionServiceClient;
use patron_proto::acquisition::v1::prospect_service_client::ProspectServiceClient;
use patron_proto::acquisition::v1::report_service_client::ReportServiceClient;
use patron_proto::retention::v1::customer_service_client::CustomerServiceClient;
use patron_proto::retention::v1::ledger_service_client::LedgerServiceClient;
use patron_proto::retention::v1::promise_service_client::PromiseServiceClient;
use patron_proto::retention::v1::report_service_client::ReportServiceClient as RetentionReports;
use patron_proto::retention::v1::scoreboard_service_client::ScoreboardServiceClient;
use patron_proto::retention::v1::value_service_client::ValueServiceClient;
use patron_proto::retention::v1::work_service_client::WorkServiceClient;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

/// Where the services are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Services {
    /// Where acquisition listens.
    #[arg(
        long,
        env = "PATRON_ACQUISITION",
        default_value = "http://127.0.0.1:7401",
        value_name = "URL",
        global = true
    )]
    pub(crate) acquisition: String,
    /// Where retention listens.
    #[arg(
        long,
        env = "PATRON_RETENTION",
        default_value = "http://127.0.0.1:7402",
        value_name = "URL",
        global = true
    )]
    pub(crate) retention: String,
}

/// Clients of acquisition.
#[derive(Debug, Clone)]
pub(crate) struct Acquisition {
    pub(crate) propositions: PropositionServiceClient<Channel>,
    pub(crate) campaigns: CampaignServiceClient<Channel>,
    pub(crate) prospects: ProspectServiceClient<Channel>,
    pub(crate) reports: ReportServiceClient<Channel>,
}

/// Clients of retention.
#[derive(Debug, Clone)]
pub(crate) struct Retention {
    pub(crate) customers: CustomerServiceClient<Channel>,
    pub(crate) promises: PromiseServiceClient<Channel>,
    pub(crate) scoreboard: ScoreboardServiceClient<Channel>,
    pub(crate) work: WorkServiceClient<Channel>,
    pub(crate) ledgers: LedgerServiceClient<Channel>,
    pub(crate) values: ValueServiceClient<Channel>,
    pub(crate) reports: RetentionReports<Channel>,
}

const LARGEST: usize = server::MAX_MESSAGE_BYTES;

impl Services {
    /// Reaches acquisition.
    pub(crate) async fn acquisition(&self) -> anyhow::Result<Acquisition> {
        let channel = channel("acquisition", &self.acquisition).await?;
        Ok(Acquisition {
            propositions: PropositionServiceClient::new(channel.clone())
                .max_decoding_message_size(LARGEST),
            campaigns: CampaignServiceClient::new(channel.clone()),
            prospects: ProspectServiceClient::new(channel.clone())
                .max_decoding_message_size(LARGEST),
            reports: ReportServiceClient::new(channel).max_decoding_message_size(LARGEST),
        })
    }

    /// Reaches retention.
    pub(crate) async fn retention(&self) -> anyhow::Result<Retention> {
        let channel = channel("retention", &self.retention).await?;
        Ok(Retention {
            customers: CustomerServiceClient::new(channel.clone())
                .max_decoding_message_size(LARGEST),
            promises: PromiseServiceClient::new(channel.clone()),
            scoreboard: ScoreboardServiceClient::new(channel.clone()),
            work: WorkServiceClient::new(channel.clone()).max_decoding_message_size(LARGEST),
            ledgers: LedgerServiceClient::new(channel.clone()).max_decoding_message_size(LARGEST),
            values: ValueServiceClient::new(channel.clone()),
            reports: RetentionReports::new(channel).max_decoding_message_size(LARGEST),
        })
    }
}

/// A connection to one service.
pub(crate) async fn channel(service: &str, url: &str) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned())
        .with_context(|| format!("{url:?} is no URL such as http://127.0.0.1:7401"))?
        .connect_timeout(Duration::from_secs(5))
        .tcp_nodelay(true);
    endpoint.connect().await.with_context(|| {
        format!("nobody answers at {url}: start the services with `patron up`, or say with --{service} where they are")
    })
}

/// What a service said no with, for a person.
pub(crate) fn said(status: &Status) -> anyhow::Error {
    let reason = server::reason(status);
    if reason.is_empty() {
        return anyhow::anyhow!("{}: {}", status.code(), status.message());
    }
    anyhow::anyhow!("{} ({reason})", status.message())
}

/// A new request id.
pub(crate) fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
