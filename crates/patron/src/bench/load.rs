//! Clients that do what clients of Patron do, one command after the other.

use std::time::Duration;

use patron_proto::acquisition::v1 as acq;
use patron_proto::retention::v1 as ret;
use patron_proto::types::v1::{Money, PromiseTerms};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::Status;

use crate::connect::{Acquisition, Retention, Services, request_id, said};

/// What the clients saw.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) per_second: f64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    pub(super) errors: u64,
}

pub(super) const PROPOSITION: &str = "propositions/bench";

/// Lets `clients` ask for `duration`.
#[expect(
    clippy::cast_precision_loss,
    reason = "nobody counts to 2^52 in a measurement"
)]
pub(super) async fn run(
    services: &Services,
    clients: u32,
    duration: Duration,
) -> anyhow::Result<Loaded> {
    let mut acquisition = services.acquisition().await?;
    propose(&mut acquisition)
        .await
        .map_err(|status| said(&status))?;
    let mut ready = Vec::new();
    for client in 0..clients {
        // Each client has its own connections, as in life.
        let (acquisition, mut retention) =
            (services.acquisition().await?, services.retention().await?);
        let customer = open(&mut retention, client)
            .await
            .map_err(|status| said(&status))?;
        ready.push(Client {
            acquisition,
            retention,
            customer,
            times: Vec::new(),
            errors: 0,
        });
    }
    let started = Instant::now();
    let mut running = JoinSet::new();
    for client in ready {
        running.spawn(client.work(started + duration));
    }
    let clients = running.join_all().await;
    let took = started.elapsed();
    let errors = clients.iter().map(|client| client.errors).sum();
    let mut times: Vec<Duration> = clients
        .into_iter()
        .flat_map(|client| client.times)
        .collect();
    times.sort_unstable();
    Ok(Loaded {
        per_second: times.len() as f64 / took.as_secs_f64(),
        p50: quantile(&times, 50),
        p99: quantile(&times, 99),
        errors,
    })
}

/// The smallest time that `percent` of the sorted times do not exceed; zero if there are none.
pub(super) fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}

struct Client {
    acquisition: Acquisition,
    retention: Retention,
    customer: String,
    times: Vec<Duration>,
    errors: u64,
}

impl Client {
    async fn work(mut self, until: Instant) -> Self {
        let mut round = 0_u64;
        while Instant::now() < until {
            round += 1;
            if let Err(status) = self.round(round).await {
                self.errors += 1;
                tracing::warn!(%status, "a command failed");
            }
        }
        self
    }

    /// Five commands: a prospect comes, is touched, converts; a customer buys and is asked.
    async fn round(&mut self, round: u64) -> Result<(), Status> {
        let started = Instant::now();
        let created = self
            .acquisition
            .prospects
            .create_prospect(acq::CreateProspectRequest {
                prospect: Some(acq::Prospect {
                    kind: acq::ProspectKind::Person as i32,
                    source: "bench".to_owned(),
                    ..Default::default()
                }),
                request_id: request_id(),
                ..Default::default()
            });
        let prospect = created.await?.into_inner().name;
        let started = self.took(started);
        self.acquisition
            .prospects
            .record_touchpoint(touch(&prospect))
            .await?;
        let started = self.took(started);
        self.acquisition
            .prospects
            .convert_prospect(convert(prospect))
            .await?;
        let started = self.took(started);
        self.retention
            .customers
            .record_purchase(purchase(&self.customer, round))
            .await?;
        let started = self.took(started);
        self.retention
            .promises
            .assess_promise(assess(&self.customer))
            .await?;
        self.took(started);
        Ok(())
    }

    fn took(&mut self, started: Instant) -> Instant {
        let now = Instant::now();
        self.times.push(now - started);
        now
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "message fields are optional in protobuf"
)]
pub(super) fn money(minor_units: i64) -> Option<Money> {
    Some(Money {
        currency_code: "EUR".to_owned(),
        minor_units,
    })
}

fn touch(prospect: &str) -> acq::RecordTouchpointRequest {
    acq::RecordTouchpointRequest {
        parent: prospect.to_owned(),
        touchpoint: Some(acq::Touchpoint {
            touchpoint_id: "click".to_owned(),
            channel: "search".to_owned(),
            kind: acq::TouchpointKind::Click as i32,
            ..Default::default()
        }),
        request_id: request_id(),
        validate_only: false,
    }
}

pub(super) fn convert(prospect: String) -> acq::ConvertProspectRequest {
    acq::ConvertProspectRequest {
        name: prospect,
        proposition: PROPOSITION.to_owned(),
        presentation_id: "bench".to_owned(),
        problem_id: "slow".to_owned(),
        first_purchase: Some(acq::FirstPurchase {
            amount: money(40_000),
            contribution_margin: None,
        }),
        currency_code: "EUR".to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

pub(super) fn purchase(customer: &str, round: u64) -> ret::RecordPurchaseRequest {
    ret::RecordPurchaseRequest {
        parent: customer.to_owned(),
        purchase: Some(ret::Purchase {
            purchase_id: format!("p-{round}"),
            amount: money(1_000),
            ..Default::default()
        }),
        request_id: request_id(),
        validate_only: false,
    }
}

fn assess(customer: &str) -> ret::AssessPromiseRequest {
    ret::AssessPromiseRequest {
        name: format!("{customer}/promises/bench"),
        verdict: ret::PromiseVerdict::Kept as i32,
        request_id: request_id(),
        ..Default::default()
    }
}

pub(super) async fn open(retention: &mut Retention, client: u32) -> Result<String, Status> {
    let opened = retention
        .customers
        .open_relationship(ret::OpenRelationshipRequest {
            external_id: format!("bench-{client}"),
            currency_code: "EUR".to_owned(),
            proposition: PROPOSITION.to_owned(),
            promises: vec![PromiseTerms {
                promise_id: "bench".to_owned(),
                benefit_id: "fast".to_owned(),
                expectation: "fast".to_owned(),
                expected_score: 6,
                importance: 100,
                due_at: None,
            }],
            request_id: request_id(),
            ..Default::default()
        });
    Ok(opened.await?.into_inner().name)
}

pub(super) async fn propose(acquisition: &mut Acquisition) -> Result<(), Status> {
    let created = acq::CreatePropositionRequest {
        proposition_id: "bench".to_owned(),
        proposition: Some(acq::Proposition {
            display_name: "Bench".to_owned(),
            problems: vec![acq::Problem {
                problem_id: "slow".to_owned(),
                statement: "it is slow".to_owned(),
            }],
            benefits: vec![acq::Benefit {
                benefit_id: "fast".to_owned(),
                statement: "it is fast".to_owned(),
                nature: acq::BenefitNature::Tangible as i32,
                level: acq::BenefitLevel::Expected as i32,
                ..Default::default()
            }],
            ..Default::default()
        }),
        request_id: request_id(),
        ..Default::default()
    };
    acquisition.propositions.create_proposition(created).await?;
    let claim = acq::Claim {
        benefit_id: "fast".to_owned(),
        expectation: "fast".to_owned(),
        expected_score: 6,
        importance: 100,
        due_days: None,
    };
    let added = acq::AddPresentationRequest {
        parent: PROPOSITION.to_owned(),
        presentation_id: "bench".to_owned(),
        presentation: Some(acq::Presentation {
            channel: "search".to_owned(),
            message: "fast".to_owned(),
            claims: vec![claim],
            ..Default::default()
        }),
        request_id: request_id(),
        ..Default::default()
    };
    acquisition.propositions.add_presentation(added).await?;
    let published = acq::PublishPropositionRequest {
        name: PROPOSITION.to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    acquisition
        .propositions
        .publish_proposition(published)
        .await
        .map(|_| ())
}
