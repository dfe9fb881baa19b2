//! A running retention on a log in memory, with a clock that stands still until it is set.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use eventsourcing::{FixedClock, Time};
use journal::memory::MemoryTopics;
use patron_proto::admin::v1::inbox_service_client::InboxServiceClient;
use patron_proto::retention::v1 as proto;
use patron_proto::retention::v1::customer_service_client::CustomerServiceClient;
use patron_proto::retention::v1::event_service_client::EventServiceClient;
use patron_proto::retention::v1::ledger_service_client::LedgerServiceClient;
use patron_proto::retention::v1::promise_service_client::PromiseServiceClient;
use patron_proto::retention::v1::scoreboard_service_client::ScoreboardServiceClient;
use patron_proto::retention::v1::value_service_client::ValueServiceClient;
use patron_proto::retention::v1::work_service_client::WorkServiceClient;
use patron_proto::types::v1::{Consent, ConsentStatus, Money, PromiseTerms};
use prost_types::Timestamp;
use retention::{Running, SERVICES};
use runtime::Options;
use server::{Edge, Limits};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;
use vault::{MasterKey, MasterKeys, Vault};

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: i64 = 1_767_225_600;
pub(crate) const DAY: i64 = 86_400;

pub(crate) struct Harness {
    pub(crate) running: Running,
    pub(crate) topics: MemoryTopics,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) channel: Channel,
    stop: CancellationToken,
    serving: Option<JoinHandle<Result<(), String>>>,
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
        let options = Options::for_pair("retention", "acquisition");
        Self::on(topics, clock, options).await
    }

    /// An instance on this log, which may have others.
    pub(crate) async fn on(topics: MemoryTopics, clock: Arc<FixedClock>, options: Options) -> Self {
        let shown = Arc::<FixedClock>::clone(&clock);
        let vault = Arc::new(Vault::open(&topics, master()).await.unwrap());
        let running = retention::start(&topics, shown, options, Arc::clone(&vault))
            .await
            .unwrap();
        running.engine.until_ready().await.unwrap();
        running.engine.until_active("live-days").await.unwrap();
        let engine = Arc::clone(&running.engine);
        let readiness: server::Readiness = Arc::new(move || engine.ready());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let edge = Edge::bind(address, SERVICES.to_vec(), Limits::default(), readiness);
        let edge = edge.await.unwrap();
        let address = edge.address().unwrap();
        let stop = CancellationToken::new();
        #[expect(
            clippy::disallowed_methods,
            reason = "a test has no tracker; the token ends it"
        )]
        let serving = tokio::spawn(edge.serve(running.routes(), stop.clone()));
        let channel = Channel::from_shared(format!("http://{address}")).unwrap();
        let channel = channel.connect().await.unwrap();
        Self {
            running,
            topics,
            clock,
            vault,
            channel,
            stop,
            serving: Some(serving),
        }
    }

    /// Stops, and lets go of everything but the log.
    pub(crate) async fn stop(mut self) {
        self.running.engine.drain(Instant::now()).await;
        self.stop.cancel();
        if let Some(serving) = self.serving.take() {
            serving.await.unwrap().unwrap();
        }
    }

    pub(crate) fn customers(&self) -> CustomerServiceClient<Channel> {
        CustomerServiceClient::new(self.channel.clone())
    }

    pub(crate) fn promises(&self) -> PromiseServiceClient<Channel> {
        PromiseServiceClient::new(self.channel.clone())
    }

    pub(crate) fn scoreboards(&self) -> ScoreboardServiceClient<Channel> {
        ScoreboardServiceClient::new(self.channel.clone())
    }

    pub(crate) fn ledgers(&self) -> LedgerServiceClient<Channel> {
        LedgerServiceClient::new(self.channel.clone())
    }

    pub(crate) fn values(&self) -> ValueServiceClient<Channel> {
        ValueServiceClient::new(self.channel.clone())
    }

    pub(crate) fn inbox(&self) -> InboxServiceClient<Channel> {
        InboxServiceClient::new(self.channel.clone())
    }

    pub(crate) fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.channel.clone())
    }

    pub(crate) fn work(&self) -> WorkServiceClient<Channel> {
        WorkServiceClient::new(self.channel.clone())
    }

    /// The name of a new customer, with the promise `next-day` and consent to be contacted.
    pub(crate) async fn customer(&self, external_id: &str) -> String {
        let opened = self
            .customers()
            .open_relationship(open(external_id))
            .await
            .unwrap();
        opened.into_inner().name
    }

    pub(crate) async fn full(&self, name: &str) -> proto::Customer {
        let request = proto::GetCustomerRequest {
            name: name.to_owned(),
            view: proto::CustomerView::Full as i32,
            ..Default::default()
        };
        self.customers()
            .get_customer(request)
            .await
            .unwrap()
            .into_inner()
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

pub(crate) fn at(seconds_from_now: i64) -> Option<Timestamp> {
    Some(Timestamp {
        seconds: NOW + seconds_from_now,
        nanos: 0,
    })
}

pub(crate) fn euros(minor_units: i64) -> Option<Money> {
    Some(Money {
        currency_code: "EUR".to_owned(),
        minor_units,
    })
}

pub(crate) fn terms(id: &str) -> PromiseTerms {
    PromiseTerms {
        promise_id: id.to_owned(),
        benefit_id: "next-day".to_owned(),
        expectation: "back on the road tomorrow".to_owned(),
        expected_score: 6,
        importance: 100,
        due_at: at(30 * DAY),
    }
}

/// Imports a customer acquired ten days ago.
pub(crate) fn open(external_id: &str) -> proto::OpenRelationshipRequest {
    proto::OpenRelationshipRequest {
        external_id: external_id.to_owned(),
        acquired_at: at(-10 * DAY),
        currency_code: "EUR".to_owned(),
        proposition: "propositions/van-repair".to_owned(),
        presentation_id: "speed".to_owned(),
        promises: vec![terms("next-day")],
        consents: vec![Consent {
            purpose: "contact".to_owned(),
            status: ConsentStatus::Granted as i32,
            at: at(-10 * DAY),
            evidence: String::new(),
        }],
        request_id: new_id(),
        ..Default::default()
    }
}

pub(crate) fn purchase(id: &str, minor_units: i64, seconds: i64) -> proto::Purchase {
    proto::Purchase {
        purchase_id: id.to_owned(),
        amount: euros(minor_units),
        occurred_at: at(seconds),
        ..Default::default()
    }
}

pub(crate) fn record(customer: &str, purchase: proto::Purchase) -> proto::RecordPurchaseRequest {
    proto::RecordPurchaseRequest {
        parent: customer.to_owned(),
        purchase: Some(purchase),
        request_id: new_id(),
        validate_only: false,
    }
}

pub(crate) fn end(customer: &str, reason: proto::LossReason) -> proto::EndRelationshipRequest {
    proto::EndRelationshipRequest {
        name: customer.to_owned(),
        cause: proto::LossCause::Voluntary as i32,
        reason: reason as i32,
        request_id: new_id(),
        ..Default::default()
    }
}

pub(crate) fn assess(
    customer: &str,
    promise: &str,
    verdict: proto::PromiseVerdict,
) -> proto::AssessPromiseRequest {
    proto::AssessPromiseRequest {
        name: format!("{customer}/promises/{promise}"),
        verdict: verdict as i32,
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
        let violations = &details
            .bad_request()
            .expect("it names the field")
            .field_violations;
        assert!(!violations.is_empty());
    }
    (status.code(), info.reason.clone())
}

/// `FAILED_PRECONDITION` for this reason.
pub(crate) fn precondition(reason: &str) -> (Code, String) {
    (Code::FailedPrecondition, reason.to_owned())
}
