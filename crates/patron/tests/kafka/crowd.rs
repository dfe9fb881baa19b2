//! Many people at once find out who is the same, ask, convert and forget: the same hundred prospects, two instances.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eventsourcing::{Clock as _, SystemClock};
use futures::future::join_all;
use patron_proto::acquisition::v1 as acquisition;
use patron_proto::retention::v1 as retention;
use patron_proto::types::v1::{Consent, ConsentStatus, Identity, IdentityKind};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use testkit::Service;
use tokio::time::{Instant, sleep};
use tonic::{Code, Status};

use crate::alone::{SOON, run, turn};
use crate::clients::{Customers, Prospects, request_id, two_of_each};
use crate::offer;

const PROSPECTS: usize = 100;
const CLIENTS: u64 = 8;
const COMMANDS: usize = 80;

/// What the domain may say to people who get in each other's way; everything else is a fault.
const REFUSALS: [&str; 7] = [
    "ALREADY_CONVERTED",
    "ERASED",
    "IDENTITY_CONFLICT",
    "MERGED",
    "MERGE_INTO_OLDER",
    "SAME_PROSPECT",
    "STALE_ETAG",
];

fn now() -> prost_types::Timestamp {
    let micros = SystemClock.now().micros();
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap(),
    }
}

/// What somebody was told to have done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Done {
    Merged { from: usize, into: usize },
    Converted(usize),
    Identified(usize),
    Allowed(usize, i32),
    Erased(usize),
}

/// Sends until something final is said, each time to the next instance.
async fn told<T>(
    instances: &[Prospects],
    send: impl AsyncFn(Prospects) -> Result<T, Status>,
) -> Result<T, Status> {
    let mut instances = instances.iter().cycle();
    for _ in 0..50 {
        match send(instances.next().unwrap().clone()).await {
            Err(status) if matches!(status.code(), Code::Unavailable | Code::Aborted) => {
                sleep(Duration::from_millis(20)).await;
            }
            said => return said,
        }
    }
    panic!("nobody says anything final");
}

/// One of the crowd.
struct Person {
    instances: Vec<Prospects>,
    names: Vec<String>,
    chance: StdRng,
}

impl Person {
    async fn work(mut self) -> Vec<Done> {
        let mut done = Vec::new();
        for _ in 0..COMMANDS {
            self.instances.rotate_left(1);
            let one = self.chance.random_range(0..PROSPECTS);
            let other = self.chance.random_range(0..PROSPECTS);
            let tried = match self.chance.random_range(0..100) {
                0..35 => self.merge(one, other).await,
                35..60 => self.convert(one).await,
                60..80 => self.identify(one).await,
                80..95 => self.allow(one).await,
                _ => self.erase(one).await,
            };
            match tried {
                Ok(effect) => done.push(effect),
                Err(status) => {
                    let reason = server::reason(&status);
                    assert!(REFUSALS.contains(&reason.as_str()), "{status:?}");
                }
            }
        }
        done
    }

    async fn merge(&self, from: usize, into: usize) -> Result<Done, Status> {
        let request = acquisition::MergeProspectsRequest {
            name: self.names[from].clone(),
            into: self.names[into].clone(),
            request_id: request_id(),
            ..Default::default()
        };
        told(&self.instances, async |mut to: Prospects| {
            to.merge_prospects(request.clone()).await
        })
        .await
        .map(|_| Done::Merged { from, into })
    }

    async fn convert(&self, one: usize) -> Result<Done, Status> {
        let request = acquisition::ConvertProspectRequest {
            name: self.names[one].clone(),
            proposition: offer::PROPOSITION.to_owned(),
            presentation_id: "speed".to_owned(),
            problem_id: "van-off-road".to_owned(),
            currency_code: "EUR".to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        told(&self.instances, async |mut to: Prospects| {
            to.convert_prospect(request.clone()).await
        })
        .await
        .map(|_| Done::Converted(one))
    }

    /// Several prospects get the same address: that is how one finds out.
    async fn identify(&self, one: usize) -> Result<Done, Status> {
        let request = acquisition::IdentifyProspectRequest {
            name: self.names[one].clone(),
            identities: vec![Identity {
                kind: IdentityKind::Email as i32,
                value: format!("person-{}@example.org", one % 20),
            }],
            display_name: format!("Person {}", one % 20),
            request_id: request_id(),
            ..Default::default()
        };
        told(&self.instances, async |mut to: Prospects| {
            to.identify_prospect(request.clone()).await
        })
        .await
        .map(|_| Done::Identified(one))
    }

    async fn allow(&mut self, one: usize) -> Result<Done, Status> {
        let choices = [
            ConsentStatus::Granted,
            ConsentStatus::Denied,
            ConsentStatus::Withdrawn,
        ];
        let status = choices[self.chance.random_range(0..choices.len())] as i32;
        let request = acquisition::SetConsentRequest {
            name: self.names[one].clone(),
            consent: Some(Consent {
                purpose: "contact".to_owned(),
                status,
                at: Some(now()),
                ..Default::default()
            }),
            request_id: request_id(),
            ..Default::default()
        };
        told(&self.instances, async |mut to: Prospects| {
            to.set_consent(request.clone()).await
        })
        .await
        .map(|_| Done::Allowed(one, status))
    }

    async fn erase(&self, one: usize) -> Result<Done, Status> {
        let request = acquisition::EraseProspectRequest {
            name: self.names[one].clone(),
            request_id: request_id(),
            ..Default::default()
        };
        told(&self.instances, async |mut to: Prospects| {
            to.erase_prospect(request.clone()).await
        })
        .await
        .map(|_| Done::Erased(one))
    }
}

/// The hundred, the oldest first, each touched once.
async fn touched(to: &mut Prospects) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..PROSPECTS {
        let request = acquisition::CreateProspectRequest {
            prospect: Some(acquisition::Prospect {
                kind: acquisition::ProspectKind::Person as i32,
                source: "fair".to_owned(),
                ..Default::default()
            }),
            request_id: request_id(),
            ..Default::default()
        };
        names.push(to.create_prospect(request).await.unwrap().into_inner().name);
    }
    let items = names
        .iter()
        .zip(0..)
        .map(|(name, number)| acquisition::TouchpointItem {
            parent: name.clone(),
            touchpoint: Some(acquisition::Touchpoint {
                touchpoint_id: format!("click-{number}"),
                channel: "search".to_owned(),
                kind: acquisition::TouchpointKind::Click as i32,
                ..Default::default()
            }),
        });
    let request = acquisition::BatchRecordTouchpointsRequest {
        items: items.collect(),
        request_id: request_id(),
    };
    let answer = to
        .batch_record_touchpoints(request)
        .await
        .unwrap()
        .into_inner();
    assert!(answer.results.iter().all(|result| result.code == 0));
    names
}

/// All that one instance of each service shows.
#[derive(Debug, PartialEq)]
struct Seen {
    prospects: BTreeMap<String, acquisition::Prospect>,
    /// The touches of each journey.
    journeys: BTreeMap<String, BTreeSet<String>>,
    customers: BTreeMap<String, retention::Customer>,
}

async fn seen(prospects: &mut Prospects, customers: &mut Customers, names: &[String]) -> Seen {
    let mut seen = Seen {
        prospects: BTreeMap::new(),
        journeys: BTreeMap::new(),
        customers: BTreeMap::new(),
    };
    for name in names {
        let request = acquisition::GetProspectRequest {
            name: name.clone(),
            ..Default::default()
        };
        let prospect = prospects.get_prospect(request).await.unwrap().into_inner();
        seen.prospects.insert(name.clone(), prospect);
        let request = acquisition::GetJourneyRequest {
            name: name.clone(),
            page_size: 1_000,
            ..Default::default()
        };
        let journey = prospects.get_journey(request).await.unwrap().into_inner();
        let steps = journey.steps.into_iter();
        let touches = steps.map(|step| step.touchpoint.unwrap().touchpoint_id);
        seen.journeys.insert(name.clone(), touches.collect());
    }
    let request = retention::ListCustomersRequest {
        page_size: 1_000,
        view: retention::CustomerView::Full as i32,
        ..Default::default()
    };
    let listed = customers
        .list_customers(request)
        .await
        .unwrap()
        .into_inner();
    for customer in listed.customers {
        seen.customers.insert(customer.name.clone(), customer);
    }
    seen
}

impl Seen {
    fn state(&self, name: &str) -> acquisition::ProspectState {
        self.prospects[name].state()
    }

    /// Where the chain of merges ends. A circle would be longer than all of them.
    fn end<'a>(&'a self, mut name: &'a str) -> Result<&'a str, String> {
        for _ in 0..=PROSPECTS {
            let into = &self.prospects[name].into;
            if into.is_empty() {
                return Ok(name);
            }
            name = into;
        }
        Err(format!("{name} is merged in a circle"))
    }

    fn status<'a>(consents: impl IntoIterator<Item = &'a Consent>) -> Option<i32> {
        let mut of_contact = consents.into_iter().filter(|it| it.purpose == "contact");
        of_contact.next().map(|consent| consent.status)
    }

    /// What must hold for everybody once all is told; else what does not.
    fn judge(&self) -> Result<(), String> {
        use acquisition::ProspectState::{Converted, Merged};
        let mut touches: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, prospect) in &self.prospects {
            let end = self.end(name)?;
            if (prospect.state() == Merged) == prospect.into.is_empty() {
                return Err(format!(
                    "{prospect:?} is merged into nobody, or goes on although it is"
                ));
            }
            if self.state(end) == Merged {
                return Err(format!("{end} ends a chain and is merged"));
            }
            let own = self.journeys[name].iter().map(String::as_str);
            touches.entry(end).or_default().extend(own);
            if self.prospects[end].erased_at.is_some() && prospect.erased_at.is_none() {
                return Err(format!("{name} is the same as {end}, who is erased"));
            }
            let customer = self
                .customers
                .get(&name.replace("prospects/", "customers/"));
            match (prospect.state() == Converted, customer) {
                (false, None) => {}
                (true, Some(customer)) => Self::agree(prospect, customer)?,
                (true, None) => return Err(format!("{name} has converted and is no customer")),
                (false, Some(_)) => return Err(format!("{name} is a customer without converting")),
            }
        }
        for (end, touches) in touches {
            let shown = &self.journeys[end];
            if shown.len() != touches.len() {
                return Err(format!(
                    "the journey of {end} has {shown:?} where {touches:?} is due"
                ));
            }
        }
        Ok(())
    }

    /// What both sides must say of the same person. A name travels with the conversion only; its erasure always does.
    fn agree(
        prospect: &acquisition::Prospect,
        customer: &retention::Customer,
    ) -> Result<(), String> {
        let here = (
            prospect.erased_at.is_some(),
            Self::status(&prospect.consents),
        );
        let there = (
            customer.erased_at.is_some(),
            Self::status(&customer.consents),
        );
        let name = &customer.name;
        if here != there {
            return Err(format!(
                "of {name} acquisition says {here:?}, retention {there:?}"
            ));
        }
        if (customer.display_name == "[erased]") != there.0 {
            return Err(format!("{name} is erased and has a name, or neither"));
        }
        match customer.promises.len() {
            1 => Ok(()),
            promises => Err(format!("{name} has {promises} promises")),
        }
    }

    /// Whether everything that somebody was told is true.
    fn holds(&self, done: &[Done], names: &[String]) {
        use acquisition::ProspectState::{Converted, Merged};
        let mut ends: BTreeMap<usize, &Done> = BTreeMap::new();
        for effect in done {
            match effect {
                Done::Merged { from, into } => {
                    let prospect = &self.prospects[&names[*from]];
                    assert_eq!((prospect.state(), &prospect.into), (Merged, &names[*into]));
                }
                Done::Converted(one) => assert_eq!(self.state(&names[*one]), Converted),
                Done::Erased(one) => {
                    assert!(
                        self.prospects[&names[*one]].erased_at.is_some(),
                        "{effect:?}"
                    );
                }
                Done::Identified(_) | Done::Allowed(..) => {}
            }
            if let Done::Merged { from: one, .. } | Done::Converted(one) = effect {
                let first = ends.entry(*one).or_insert(effect);
                assert_eq!(*first, effect, "both were answered");
            }
        }
        for prospect in self.prospects.values() {
            let name = prospect.display_name.as_str();
            let shows = match prospect.erased_at {
                Some(_) => name == "[erased]",
                None => name.is_empty() || name.starts_with("Person "),
            };
            assert!(shows, "{prospect:?}");
        }
    }
}

#[test]
fn a_crowd_at_two_instances_leaves_everybody_once_and_both_sides_agree() {
    let Some(_turn) = turn() else { return };
    run(crowd());
}

async fn crowd() {
    let (pair, mut prospects, mut customers) = two_of_each().await;
    offer::publish(&pair.urls(Service::Acquisition)[0]).await;
    let names = touched(&mut prospects[0]).await;

    let people = (0..CLIENTS).map(|client| {
        let person = Person {
            instances: prospects.clone(),
            names: names.clone(),
            chance: StdRng::seed_from_u64(client),
        };
        person.work()
    });
    let done: Vec<Done> = join_all(people).await.into_iter().flatten().collect();

    // Policies have something to do until everybody is absorbed and erased, here and there.
    let until = Instant::now() + SOON;
    let seen = loop {
        let first = seen(&mut prospects[0], &mut customers[0], &names).await;
        let second = seen(&mut prospects[1], &mut customers[1], &names).await;
        let told = if first == second {
            first.judge()
        } else {
            Err("the instances differ".to_owned())
        };
        match told {
            Ok(()) => break first,
            Err(why) => assert!(Instant::now() < until, "{why}"),
        }
        sleep(Duration::from_millis(500)).await;
    };
    seen.holds(&done, &names);
    let kinds = |is: fn(&Done) -> bool| done.iter().filter(|effect| is(effect)).count();
    assert!(
        kinds(|effect| matches!(effect, Done::Merged { .. })) > 10,
        "{done:?}"
    );
    assert!(
        kinds(|effect| matches!(effect, Done::Converted(_))) > 10,
        "{done:?}"
    );
    assert!(
        kinds(|effect| matches!(effect, Done::Erased(_))) > 10,
        "{done:?}"
    );
    pair.rest().await.unwrap();
}
