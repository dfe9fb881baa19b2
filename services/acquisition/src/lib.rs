//! The acquisition service: creates customers.
//!
//! ```text
//!  gRPC ─► api ─► desk ─► runtime ─► journal ─► service (apply) ─► read_model
//!           │       └► domain (decide)  ▲                              │
//!           └──────── wire ─────────────┘◄──────── answers ────────────┘
//!                                       │
//!  retention's events ─► told ──────────┘        policy ─► desk
//! ```
//! A method of the API parses a message, has the engine execute or read, and replies. The rules are in the
//! crate `acquisition-domain`; how rows follow from events is in `read_model`.

mod api;
mod blind_index;
mod desk;
mod policy;
mod read_model;
mod service;
mod told;
mod wire;

use std::sync::Arc;

use eventsourcing::Clock;
use journal::Topics;
use patron_proto::acquisition::v1::campaign_service_server::CampaignServiceServer;
use patron_proto::acquisition::v1::event_service_server::EventServiceServer;
use patron_proto::acquisition::v1::proposition_service_server::PropositionServiceServer;
use patron_proto::acquisition::v1::prospect_service_server::ProspectServiceServer;
use patron_proto::acquisition::v1::report_service_server::ReportServiceServer;
use patron_proto::admin::v1::inbox_service_server::InboxServiceServer;
use runtime::{Engine, Options};
use server::{MAX_MESSAGE_BYTES, Watchers};
use tonic::service::Routes;
use vault::Vault;

use crate::api::campaigns::Campaigns;
use crate::api::events::Events;
use crate::api::propositions::Propositions;
use crate::api::prospects::Prospects;
pub use crate::api::prospects::prospect_created_by;
use crate::api::reports::Reports;
use crate::blind_index::BlindIndex;
use crate::desk::Desk;
use crate::policy::absorb_prospect::AbsorbProspect;
use crate::policy::erase::Erase;
use crate::policy::flag_presentation::FlagPresentation;
pub use crate::service::Acquisition;

/// The full names of the gRPC services, for health checks.
pub const SERVICES: [&str; 6] = [
    "patron.acquisition.v1.PropositionService",
    "patron.acquisition.v1.CampaignService",
    "patron.acquisition.v1.ProspectService",
    "patron.acquisition.v1.EventService",
    "patron.acquisition.v1.ReportService",
    server::INBOX_SERVICE,
];

/// A running replica and its methods.
#[derive(Debug, Clone)]
pub struct Running {
    /// The replica.
    pub engine: Arc<Engine<Acquisition>>,
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
    let engine = Engine::start(Arc::new(Acquisition), topics, clock, options).await?;
    engine.start_policy(Arc::new(FlagPresentation));
    engine.start_policy(Arc::new(AbsorbProspect));
    engine.start_policy(Arc::new(Erase {
        vault: Arc::clone(&vault),
    }));
    let desk = Desk {
        engine: Arc::clone(&engine),
        vault,
        index: Arc::new(BlindIndex::new()),
    };
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
            PropositionServiceServer::new(Propositions(desk()))
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
        )
        .add_service(
            CampaignServiceServer::new(Campaigns(desk()))
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
        )
        .add_service(
            ProspectServiceServer::new(Prospects(desk()))
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
        )
        .add_service(EventServiceServer::new(Events {
            desk: desk(),
            watchers: self.watchers.clone(),
        }))
        .add_service(
            ReportServiceServer::new(Reports(desk()))
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES),
        )
        .add_service(InboxServiceServer::new(server::Inbox(Arc::clone(
            &self.engine,
        ))))
    }
}
