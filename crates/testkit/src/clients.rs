//! What clients do while everything around them fails: the whole life of customers, on streams that they
//! share.

use std::collections::VecDeque;

use patron_proto::acquisition::v1 as acq;
use patron_proto::acquisition::v1::proposition_service_client::PropositionServiceClient;
use patron_proto::acquisition::v1::prospect_service_client::ProspectServiceClient;
use patron_proto::retention::v1 as ret;
use patron_proto::retention::v1::customer_service_client::CustomerServiceClient;
use patron_proto::retention::v1::promise_service_client::PromiseServiceClient;
use patron_proto::types::v1::{Money, PromiseTerms};
use rand::Rng as _;
use rand::seq::IndexedRandom as _;

use crate::instance::Service::{Acquisition, Retention};
use crate::session::{Ask, Session, Shown};

/// Customers that all clients share.
const SHARED: usize = 4;
const PROPOSITION: &str = "propositions/chaos";
/// A presentation that is often broken, so that the policy has something to do.
const BOLD: &str = "bold";
/// Conversions whose customer retention has not shown yet, kept for a second look.
const WAITING: usize = 20;

impl Shown for acq::Proposition {}
impl Shown for acq::Presentation {}
impl Shown for acq::Touchpoint {}
impl Shown for ret::Purchase {}

impl Shown for acq::Prospect {
    fn etag(&self) -> Option<&str> {
        Some(&self.etag)
    }
}

impl Shown for ret::Customer {
    fn etag(&self) -> Option<&str> {
        Some(&self.etag)
    }
}

impl Shown for ret::Promise {
    fn etag(&self) -> Option<&str> {
        Some(&self.etag)
    }
}

/// Makes what all clients need; the names of the shared customers.
pub(crate) async fn prepare(session: &mut Session) -> Option<Vec<String>> {
    propose(session).await?;
    let mut shared = Vec::new();
    for number in 0..SHARED {
        let request_id = session.request_id();
        let ask = Ask {
            service: Retention,
            what: "OpenRelationship",
            root: None,
            request_id,
            etag: None,
            message: ret::OpenRelationshipRequest {
                external_id: format!("shared-{number}"),
                currency_code: "EUR".to_owned(),
                proposition: PROPOSITION.to_owned(),
                request_id: request_id.to_string(),
                ..Default::default()
            },
        };
        let opened = session.command(ask, async |channel, request| {
            CustomerServiceClient::new(channel)
                .open_relationship(request)
                .await
        });
        shared.push(opened.await?.name);
    }
    Some(shared)
}

/// Works until it `is_over`, then ends what it has begun.
pub(crate) async fn work(session: &mut Session, shared: &[String], is_over: &dyn Fn() -> bool) {
    let mut converted = VecDeque::new();
    while !is_over() {
        if let Some(prospect) = acquire(session).await {
            converted.push_back(prospect);
        }
        if let Some(customer) = shared.choose(&mut session.chance) {
            keep(session, customer).await;
        }
        if let Some(prospect) = converted.pop_front()
            && !follow(session, &prospect).await
            && converted.len() < WAITING
        {
            converted.push_back(prospect);
        }
    }
}

/// A prospect comes, is touched and converts.
async fn acquire(session: &mut Session) -> Option<acq::Prospect> {
    let request_id = session.request_id();
    let ask = Ask {
        service: Acquisition,
        what: "CreateProspect",
        root: None,
        request_id,
        etag: None,
        message: acq::CreateProspectRequest {
            prospect: Some(acq::Prospect {
                kind: acq::ProspectKind::Person as i32,
                source: "chaos".to_owned(),
                ..Default::default()
            }),
            request_id: request_id.to_string(),
            ..Default::default()
        },
    };
    let created = session.command(ask, async |channel, request| {
        ProspectServiceClient::new(channel)
            .create_prospect(request)
            .await
    });
    let name = created.await?.name;
    touch(session, &name).await?;
    convert(session, &name).await
}

async fn touch(session: &mut Session, prospect: &str) -> Option<acq::Touchpoint> {
    let request_id = session.request_id();
    let ask = Ask {
        service: Acquisition,
        what: "RecordTouchpoint",
        root: Some(prospect.to_owned()),
        request_id,
        etag: None,
        message: acq::RecordTouchpointRequest {
            parent: prospect.to_owned(),
            touchpoint: Some(acq::Touchpoint {
                touchpoint_id: "click".to_owned(),
                channel: "search".to_owned(),
                kind: acq::TouchpointKind::Click as i32,
                ..Default::default()
            }),
            request_id: request_id.to_string(),
            validate_only: false,
        },
    };
    let call = session.command(ask, async |channel, request| {
        ProspectServiceClient::new(channel)
            .record_touchpoint(request)
            .await
    });
    call.await
}

async fn convert(session: &mut Session, prospect: &str) -> Option<acq::Prospect> {
    let request_id = session.request_id();
    let presentation_id = if session.in_percent(25) { BOLD } else { "" };
    let promises = match presentation_id {
        "" => vec![terms("speed")],
        _ => Vec::new(),
    };
    let ask = Ask {
        service: Acquisition,
        what: "ConvertProspect",
        root: Some(prospect.to_owned()),
        request_id,
        etag: None,
        message: acq::ConvertProspectRequest {
            name: prospect.to_owned(),
            proposition: PROPOSITION.to_owned(),
            presentation_id: presentation_id.to_owned(),
            problem_id: "slow".to_owned(),
            promises,
            first_purchase: Some(acq::FirstPurchase {
                amount: Some(money(session)),
                contribution_margin: None,
            }),
            currency_code: "EUR".to_owned(),
            request_id: request_id.to_string(),
            ..Default::default()
        },
    };
    let call = session.command(ask, async |channel, request| {
        ProspectServiceClient::new(channel)
            .convert_prospect(request)
            .await
    });
    call.await
}

/// A shared customer buys, is promised something, and says how that went.
async fn keep(session: &mut Session, customer: &str) -> Option<()> {
    buy(session, customer).await?;
    look(session, customer).await;
    let request_id = session.request_id();
    let promise_id = format!("p{}", request_id.simple());
    let ask = Ask {
        service: Retention,
        what: "MakePromise",
        root: Some(customer.to_owned()),
        request_id,
        etag: None,
        message: ret::MakePromiseRequest {
            parent: customer.to_owned(),
            promise: Some(ret::Promise {
                terms: Some(terms(&promise_id)),
                proposition: PROPOSITION.to_owned(),
                ..Default::default()
            }),
            request_id: request_id.to_string(),
            ..Default::default()
        },
    };
    let call = session.command(ask, async |channel, request| {
        PromiseServiceClient::new(channel)
            .make_promise(request)
            .await
    });
    let promise = call.await?.name;
    let broken = session.in_percent(30);
    assess(session, customer, &promise, broken).await?;
    if broken {
        repair(session, customer, &promise).await;
    }
    Some(())
}

/// Whether retention shows the customer of this conversion; if so, it says how the promises went.
async fn follow(session: &mut Session, prospect: &acq::Prospect) -> bool {
    let Some(conversion) = &prospect.conversion else {
        return true;
    };
    let customer = &conversion.customer;
    if look(session, customer).await.is_none() {
        return false;
    }
    for terms in &conversion.promises {
        let promise = format!("{customer}/promises/{}", terms.promise_id);
        let broken = conversion.presentation_id == BOLD || session.in_percent(20);
        assess(session, customer, &promise, broken).await;
    }
    true
}

async fn look(session: &mut Session, customer: &str) -> Option<ret::Customer> {
    let message = |min_position| ret::GetCustomerRequest {
        name: customer.to_owned(),
        view: ret::CustomerView::Basic as i32,
        min_position,
    };
    let call = session.query(Retention, customer, message, async |channel, request| {
        CustomerServiceClient::new(channel)
            .get_customer(request)
            .await
    });
    call.await
}

async fn buy(session: &mut Session, customer: &str) -> Option<ret::Purchase> {
    let request_id = session.request_id();
    let ask = Ask {
        service: Retention,
        what: "RecordPurchase",
        root: Some(customer.to_owned()),
        request_id,
        etag: None,
        message: ret::RecordPurchaseRequest {
            parent: customer.to_owned(),
            purchase: Some(ret::Purchase {
                purchase_id: format!("b{}", request_id.simple()),
                amount: Some(money(session)),
                ..Default::default()
            }),
            request_id: request_id.to_string(),
            validate_only: false,
        },
    };
    let call = session.command(ask, async |channel, request| {
        CustomerServiceClient::new(channel)
            .record_purchase(request)
            .await
    });
    call.await
}

/// Assesses, half of the time on the condition that nothing has happened since the last look; if something
/// has, without that condition.
async fn assess(
    session: &mut Session,
    customer: &str,
    promise: &str,
    broken: bool,
) -> Option<ret::Promise> {
    let verdict = if broken {
        ret::PromiseVerdict::Broken
    } else {
        ret::PromiseVerdict::Kept
    };
    let known = session.known(customer);
    if known > 0 && session.in_percent(50) {
        let assessed = assess_at(session, customer, promise, verdict, Some(known)).await;
        if assessed.is_some() {
            return assessed;
        }
    }
    assess_at(session, customer, promise, verdict, None).await
}

async fn assess_at(
    session: &mut Session,
    customer: &str,
    promise: &str,
    verdict: ret::PromiseVerdict,
    etag: Option<u64>,
) -> Option<ret::Promise> {
    let request_id = session.request_id();
    let ask = Ask {
        service: Retention,
        what: "AssessPromise",
        root: Some(customer.to_owned()),
        request_id,
        etag,
        message: ret::AssessPromiseRequest {
            name: promise.to_owned(),
            verdict: verdict as i32,
            request_id: request_id.to_string(),
            etag: etag.map(|etag| format!("\"{etag}\"")).unwrap_or_default(),
            ..Default::default()
        },
    };
    let call = session.command(ask, async |channel, request| {
        PromiseServiceClient::new(channel)
            .assess_promise(request)
            .await
    });
    call.await
}

async fn repair(session: &mut Session, customer: &str, promise: &str) -> Option<ret::Promise> {
    let request_id = session.request_id();
    let ask = Ask {
        service: Retention,
        what: "RepairPromise",
        root: Some(customer.to_owned()),
        request_id,
        etag: None,
        message: ret::RepairPromiseRequest {
            name: promise.to_owned(),
            request_id: request_id.to_string(),
            ..Default::default()
        },
    };
    let call = session.command(ask, async |channel, request| {
        PromiseServiceClient::new(channel)
            .repair_promise(request)
            .await
    });
    call.await
}

fn money(session: &mut Session) -> Money {
    Money {
        currency_code: "EUR".to_owned(),
        minor_units: session.chance.random_range(100..100_000),
    }
}

fn terms(promise_id: &str) -> PromiseTerms {
    PromiseTerms {
        promise_id: promise_id.to_owned(),
        benefit_id: "fast".to_owned(),
        expectation: "within a day".to_owned(),
        expected_score: 6,
        importance: 100,
        due_at: None,
    }
}

async fn propose(session: &mut Session) -> Option<()> {
    draft(session).await?;
    present(session).await?;
    let request_id = session.request_id();
    let ask = proposition_ask(
        "PublishProposition",
        request_id,
        acq::PublishPropositionRequest {
            name: PROPOSITION.to_owned(),
            request_id: request_id.to_string(),
            ..Default::default()
        },
    );
    let call = session.command(ask, async |channel, request| {
        PropositionServiceClient::new(channel)
            .publish_proposition(request)
            .await
    });
    call.await.map(drop)
}

async fn draft(session: &mut Session) -> Option<acq::Proposition> {
    let request_id = session.request_id();
    let ask = proposition_ask(
        "CreateProposition",
        request_id,
        acq::CreatePropositionRequest {
            proposition_id: "chaos".to_owned(),
            proposition: Some(acq::Proposition {
                display_name: "Chaos".to_owned(),
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
            request_id: request_id.to_string(),
            ..Default::default()
        },
    );
    let call = session.command(ask, async |channel, request| {
        PropositionServiceClient::new(channel)
            .create_proposition(request)
            .await
    });
    call.await
}

async fn present(session: &mut Session) -> Option<acq::Presentation> {
    let request_id = session.request_id();
    let ask = proposition_ask(
        "AddPresentation",
        request_id,
        acq::AddPresentationRequest {
            parent: PROPOSITION.to_owned(),
            presentation_id: BOLD.to_owned(),
            presentation: Some(acq::Presentation {
                channel: "search".to_owned(),
                message: "faster than all others".to_owned(),
                claims: vec![acq::Claim {
                    benefit_id: "fast".to_owned(),
                    expectation: "within an hour".to_owned(),
                    expected_score: 7,
                    importance: 100,
                    due_days: None,
                }],
                ..Default::default()
            }),
            request_id: request_id.to_string(),
            ..Default::default()
        },
    );
    let call = session.command(ask, async |channel, request| {
        PropositionServiceClient::new(channel)
            .add_presentation(request)
            .await
    });
    call.await
}

fn proposition_ask<M>(what: &'static str, request_id: uuid::Uuid, message: M) -> Ask<M> {
    Ask {
        service: Acquisition,
        what,
        root: Some(PROPOSITION.to_owned()),
        request_id,
        etag: None,
        message,
    }
}
