//! A running acquisition on a log in memory, with a clock that stands still.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use acquisition::SERVICES;
use eventsourcing::{FixedClock, Time};
use journal::memory::MemoryTopics;
use patron_proto::acquisition::v1 as proto;
use patron_proto::acquisition::v1::campaign_service_client::CampaignServiceClient;
use patron_proto::acquisition::v1::event_service_client::EventServiceClient;
use patron_proto::acquisition::v1::proposition_service_client::PropositionServiceClient;
use patron_proto::acquisition::v1::prospect_service_client::ProspectServiceClient;
use patron_proto::acquisition::v1::report_service_client::ReportServiceClient;
use patron_proto::types::v1::Money;
use prost_types::Timestamp;
use runtime::Options;
use server::{Edge, Limits};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;
use vault::{MasterKey, MasterKeys, Vault};

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: i64 = 1_767_225_600;

pub(crate) struct Harness {
    pub(crate) running: acquisition::Running,
    pub(crate) topics: MemoryTopics,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) address: SocketAddr,
    pub(crate) channel: Channel,
    stop: CancellationToken,
    _serving: JoinHandle<Result<(), String>>,
}

impl Drop for Harness {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Harness {
    pub(crate) async fn start() -> Self {
        let clock = Arc::new(FixedClock::at(Time::from_seconds(NOW)));
        let topics = MemoryTopics::new(Arc::<FixedClock>::clone(&clock));
        let options = Options {
            inbox_topic: None,
            ..Options::for_pair("acquisition", "retention")
        };
        Self::start_on(topics, clock, options).await
    }

    /// The same, with an ear for what retention tells.
    pub(crate) async fn start_listening() -> Self {
        let clock = Arc::new(FixedClock::at(Time::from_seconds(NOW)));
        let topics = MemoryTopics::new(Arc::<FixedClock>::clone(&clock));
        let options = Options::for_pair("acquisition", "retention");
        Self::start_on(topics, clock, options).await
    }

    /// A replica on a log that may hold something already.
    pub(crate) async fn start_on(
        topics: MemoryTopics,
        clock: Arc<FixedClock>,
        options: Options,
    ) -> Self {
        let shown: Arc<FixedClock> = Arc::clone(&clock);
        let vault = Vault::open(&topics, master()).await.unwrap();
        let vault = Arc::new(vault);
        let running = acquisition::start(&topics, shown, options, Arc::clone(&vault))
            .await
            .unwrap();
        running.engine.until_ready().await.unwrap();
        let engine = Arc::clone(&running.engine);
        let readiness: server::Readiness = Arc::new(move || engine.ready());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let edge = Edge::bind(address, SERVICES.to_vec(), Limits::default(), readiness)
            .await
            .unwrap()
            .telling_of(Arc::clone(&running.engine));
        let address = edge.address().unwrap();
        let stop = CancellationToken::new();
        #[expect(
            clippy::disallowed_methods,
            reason = "a test has no tracker; the token ends it"
        )]
        let serving = tokio::spawn(edge.serve(running.routes(), stop.clone()));
        let channel = Channel::from_shared(format!("http://{address}"))
            .unwrap()
            .connect()
            .await
            .unwrap();
        Self {
            running,
            topics,
            clock,
            vault,
            address,
            channel,
            stop,
            _serving: serving,
        }
    }

    pub(crate) fn propositions(&self) -> PropositionServiceClient<Channel> {
        PropositionServiceClient::new(self.channel.clone())
    }

    pub(crate) fn campaigns(&self) -> CampaignServiceClient<Channel> {
        CampaignServiceClient::new(self.channel.clone())
    }

    pub(crate) fn prospects(&self) -> ProspectServiceClient<Channel> {
        ProspectServiceClient::new(self.channel.clone())
    }

    pub(crate) fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.channel.clone())
    }

    pub(crate) fn reports(&self) -> ReportServiceClient<Channel> {
        ReportServiceClient::new(self.channel.clone())
    }

    /// The proposition of the story, as a draft with its two presentations.
    pub(crate) async fn draft(&self) {
        let request = create("van-repair");
        self.propositions()
            .create_proposition(request)
            .await
            .unwrap();
        for (id, benefit) in [("speed", "next-day"), ("durable", "steel-frame")] {
            self.propositions()
                .add_presentation(presentation(id, benefit))
                .await
                .unwrap();
        }
    }

    /// The same, published.
    pub(crate) async fn publish(&self) {
        self.draft().await;
        let request = proto::PublishPropositionRequest {
            name: "propositions/van-repair".to_owned(),
            request_id: new_id(),
            ..Default::default()
        };
        self.propositions()
            .publish_proposition(request)
            .await
            .unwrap();
    }

    /// A new prospect's name.
    pub(crate) async fn prospect(&self) -> String {
        let request = proto::CreateProspectRequest {
            prospect: Some(proto::Prospect {
                kind: proto::ProspectKind::Person as i32,
                source: "website".to_owned(),
                ..Default::default()
            }),
            request_id: new_id(),
            ..Default::default()
        };
        self.prospects()
            .create_prospect(request)
            .await
            .unwrap()
            .into_inner()
            .name
    }
}

/// The master key of all harnesses in this process, so that several stand on the same keys.
pub(crate) fn master() -> MasterKeys {
    static KEYS: OnceLock<MasterKeys> = OnceLock::new();
    let make = || MasterKeys::new(MasterKey::random(), vec![]);
    KEYS.get_or_init(make).clone()
}

pub(crate) fn new_id() -> String {
    Uuid::new_v4().to_string()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "message fields are optional in protobuf"
)]
pub(crate) fn at(seconds_from_now: i64) -> Option<Timestamp> {
    Some(Timestamp {
        seconds: NOW + seconds_from_now,
        nanos: 0,
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "message fields are optional in protobuf"
)]
pub(crate) fn euros(minor_units: i64) -> Option<Money> {
    Some(Money {
        currency_code: "EUR".to_owned(),
        minor_units,
    })
}

pub(crate) fn content() -> proto::Proposition {
    let benefit = |id: &str| proto::Benefit {
        benefit_id: id.to_owned(),
        statement: "back on the road tomorrow".to_owned(),
        nature: proto::BenefitNature::Intangible as i32,
        level: proto::BenefitLevel::Augmented as i32,
        ..Default::default()
    };
    proto::Proposition {
        display_name: "Van repair".to_owned(),
        problems: vec![proto::Problem {
            problem_id: "van-off-road".to_owned(),
            statement: "the van is off the road".to_owned(),
        }],
        benefits: vec![benefit("next-day"), benefit("steel-frame")],
        ..Default::default()
    }
}

pub(crate) fn create(id: &str) -> proto::CreatePropositionRequest {
    proto::CreatePropositionRequest {
        proposition_id: id.to_owned(),
        proposition: Some(content()),
        request_id: new_id(),
        ..Default::default()
    }
}

pub(crate) fn presentation(id: &str, benefit: &str) -> proto::AddPresentationRequest {
    proto::AddPresentationRequest {
        parent: "propositions/van-repair".to_owned(),
        presentation_id: id.to_owned(),
        presentation: Some(proto::Presentation {
            channel: "search".to_owned(),
            message: "we are fast".to_owned(),
            claims: vec![proto::Claim {
                benefit_id: benefit.to_owned(),
                expectation: "tomorrow".to_owned(),
                expected_score: 6,
                importance: 100,
                due_days: Some(30),
            }],
            ..Default::default()
        }),
        request_id: new_id(),
        ..Default::default()
    }
}

/// The code and the reason of a refusal.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<Response<T>, Status>) -> (Code, String) {
    let status = outcome.unwrap_err();
    let details = status.get_error_details();
    let info = details
        .error_info()
        .expect("every refusal carries an ErrorInfo");
    assert_eq!(info.domain, "patron");
    if status.code() == Code::InvalidArgument {
        let violations = details
            .bad_request()
            .expect("it names the field")
            .field_violations
            .len();
        assert!(violations > 0);
    }
    (status.code(), info.reason.clone())
}
