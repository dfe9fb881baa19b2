//! The retention service: keeps customers.
//!
//! ```text
//!  gRPC ─► api ─► desk ─► runtime ─► journal ─► service (apply) ─► read_model
//!           │       └► domain (decide)  ▲                              │
//!           └──────── wire ─────────────┘◄──────── answers ────────────┘
//!                                       │
//!  acquisition's events ─► told ─► policy (decide)
//! ```
//! A method of the API parses a message, has the engine execute or read, and replies. The rules are in the
//! crate `retention-domain`; how rows follow from events is in `read_model`.

mod api;
mod desk;
mod margin_rate;
mod policy;
mod read_model;
mod service;
#[cfg(test)]
mod story;
mod told;
mod wire;

use std::sync::Arc;

use eventsourcing::Clock;
use journal::Topics;
use patron_proto::admin::v1::inbox_service_server::InboxServiceServer;
use patron_proto::retention::v1::customer_service_server::CustomerServiceServer;
use patron_proto::retention::v1::event_service_server::EventServiceServer;
use patron_proto::retention::v1::ledger_service_server::LedgerServiceServer;
use patron_proto::retention::v1::promise_service_server::PromiseServiceServer;
use patron_proto::retention::v1::report_service_server::ReportServiceServer;
use patron_proto::retention::v1::scoreboard_service_server::ScoreboardServiceServer;
use patron_proto::retention::v1::value_service_server::ValueServiceServer;
use patron_proto::retention::v1::work_service_server::WorkServiceServer;
use retention_domain::owner::Territory;
use retention_domain::text::Label;
use runtime::{Daily, Engine, Options};
use server::{MAX_MESSAGE_BYTES, Watchers};
use tonic::service::Routes;
use vault::Vault;

use crate::api::customers::Customers;
use crate::api::events::Events;
use crate::api::ledgers::Ledgers;
use crate::api::promises::Promises;
use crate::api::reports::Reports;
use crate::api::scoreboard::Scoreboards;
use crate::api::values::Values;
use crate::api::work::Work;
use crate::desk::Desk;
use crate::policy::destroy_keys::DestroyKeys;
use crate::policy::live_days::LiveDays;
pub use crate::service::Retention;

/// The full names of the gRPC services, for health checks.
pub const SERVICES: [&str; 9] = [
    "patron.retention.v1.CustomerService",
    "patron.retention.v1.PromiseService",
    "patron.retention.v1.ScoreboardService",
    "patron.retention.v1.EventService",
    server::INBOX_SERVICE,
    "patron.retention.v1.WorkService",
    "patron.retention.v1.LedgerService",
    "patron.retention.v1.ValueService",
    "patron.retention.v1.ReportService",
];

/// The id of the customer who is imported by this id of another system.
///
/// # Errors
/// Why the id cannot be one.
pub fn customer_imported_as(external_id: &str) -> Result<uuid::Uuid, String> {
    let external_id = external_id.parse::<Label>();
    let external_id = external_id.map_err(|error| error.to_string())?;
    Ok(wire::imported_id(&external_id))
}

/// Whether a customer may be given to this owner, in this territory if it names one.
///
/// # Errors
/// Why not.
pub fn check_assignment(owner: &str, territory: &str) -> Result<(), String> {
    let owner = owner.parse::<Label>();
    owner.map_err(|error| format!("owner: {error}"))?;
    if !territory.is_empty() {
        let territory = territory.parse::<Territory>();
        territory.map_err(|error| format!("territory: {error}"))?;
    }
    Ok(())
}

/// A running replica and its methods.
#[derive(Debug, Clone)]
pub struct Running {
    /// The replica.
    pub engine: Arc<Engine<Retention>>,
    desk: Desk,
    watchers: Watchers,
}

/// Starts a replica; personal data is sealed with the keys of `vault`.
///
/// # Errors
/// A sentence for the operator: what is wrong and what to do.
pub async fn start(
    topics: &dyn Topics,
    clock: Arc<dyn Clock>,
    options: Options,
    vault: Arc<Vault>,
) -> Result<Running, String> {
    let service = Arc::new(Retention);
    let engine = Engine::start(service, topics, clock, options).await?;
    let days: Arc<dyn Daily<Retention>> = Arc::new(LiveDays);
    engine.start_daily(&days);
    engine.start_policy(Arc::new(DestroyKeys {
        vault: Arc::clone(&vault),
    }));
    let desk = Desk {
        engine: Arc::clone(&engine),
        vault,
        rankings: Arc::default(),
    };
    engine.run_beside(api::work::prepare_lists(&desk));
    Ok(Running {
        engine,
        desk,
        watchers: Watchers::default(),
    })
}

impl Running {
    /// The gRPC services, to be served by an edge.
    pub fn routes(&self) -> Routes {
        let desk = || self.desk.clone();
        Routes::new(
            CustomerServiceServer::new(Customers(desk()))
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
        )
        .add_service(
            PromiseServiceServer::new(Promises(desk()))
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
        )
        .add_service(
            ScoreboardServiceServer::new(Scoreboards(desk()))
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
        )
        .add_service(EventServiceServer::new(Events {
            desk: desk(),
            watchers: self.watchers.clone(),
        }))
        .add_service(InboxServiceServer::new(server::Inbox(Arc::clone(
            &self.engine,
        ))))
        .add_service(
            WorkServiceServer::new(Work(desk()))
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
        )
        .add_service(LedgerServiceServer::new(Ledgers::new(desk())))
        .add_service(ValueServiceServer::new(Values(desk())))
        .add_service(
            ReportServiceServer::new(Reports(desk()))
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
        )
    }
}
