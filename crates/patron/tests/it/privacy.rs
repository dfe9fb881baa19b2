//! A run full of known names, and then every byte that it left behind.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use eventsourcing::{Sealed, SystemClock};
use journal::{Decoded, Entry, Kind, Stored, TopicSpec, Topics};
use journal_embedded::{EmbeddedOptions, EmbeddedTopics};
use patron_proto::acquisition::v1 as acquisition;
use patron_proto::acquisition::v1::prospect_service_client::ProspectServiceClient;
use patron_proto::retention::v1 as retention;
use patron_proto::retention::v1::customer_service_client::CustomerServiceClient;
use patron_proto::retention::v1::promise_service_client::PromiseServiceClient;
use patron_proto::types::v1::{Identity, IdentityKind, Sealed as Written};
use prost::Message;
use vault::{Closed, Field, MasterKeys, Person, Vault};

use crate::services::{Services, printed};

/// Everything personal that is said in the run: nobody else uses these words.
const SECRETS: [&str; 9] = [
    "Adalovelace",
    "adalovelace@analytical.example",
    "+440184305061",
    "crm-0815-adalovelace",
    "Bobbabbage",
    "bobbabbage@analytical.example",
    "moved-to-ockham-park",
    "she-said-it-was-lovely",
    "never-mind-said-charles",
];
/// Something that is not personal and must be found: else the search finds nothing at all.
const CONTROL: &str = "trade-fair-of-the-control";

fn identity(kind: IdentityKind, value: &str) -> Identity {
    Identity {
        kind: kind as i32,
        value: value.to_owned(),
    }
}

fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// All files below a folder that hold these bytes.
fn holding(folder: &Path, what: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            holding(&path, what, found);
        } else {
            let bytes = fs::read(&path).unwrap();
            let mut windows = bytes.windows(what.len());
            if windows.any(|window| window.eq_ignore_ascii_case(what.as_bytes())) {
                found.push(path.display().to_string());
            }
        }
    }
}

struct Run {
    prospects: ProspectServiceClient<tonic::transport::Channel>,
    customers: CustomerServiceClient<tonic::transport::Channel>,
    promises: PromiseServiceClient<tonic::transport::Channel>,
}

impl Run {
    async fn of(services: &Services) -> Self {
        Self {
            prospects: ProspectServiceClient::connect(services.acquisition.clone())
                .await
                .unwrap(),
            customers: CustomerServiceClient::connect(services.retention.clone())
                .await
                .unwrap(),
            promises: PromiseServiceClient::connect(services.retention.clone())
                .await
                .unwrap(),
        }
    }

    async fn prospect(&mut self, name: &str, identities: Vec<Identity>) -> String {
        let created = acquisition::CreateProspectRequest {
            prospect: Some(acquisition::Prospect {
                kind: acquisition::ProspectKind::Person as i32,
                source: CONTROL.to_owned(),
                ..Default::default()
            }),
            request_id: request_id(),
            ..Default::default()
        };
        let created = self.prospects.create_prospect(created).await.unwrap();
        let prospect = created.into_inner().name;
        let identified = acquisition::IdentifyProspectRequest {
            name: prospect.clone(),
            identities,
            display_name: name.to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        self.prospects.identify_prospect(identified).await.unwrap();
        prospect
    }

    async fn customer(&mut self, name: &str, address: &str) -> String {
        let opened = retention::OpenRelationshipRequest {
            external_id: "4711".to_owned(),
            currency_code: "EUR".to_owned(),
            proposition: "propositions/van-repair".to_owned(),
            promises: vec![promised("next-day"), promised("courtesy-van")],
            identities: vec![identity(IdentityKind::Email, address)],
            display_name: name.to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        let opened = self.customers.open_relationship(opened).await.unwrap();
        opened.into_inner().name
    }

    /// Says everything that is personal, in every way that there is.
    async fn everything(&mut self) -> (String, String) {
        let phone = identity(IdentityKind::Phone, SECRETS[2]);
        let email = identity(IdentityKind::Email, SECRETS[1]);
        let id = identity(IdentityKind::ExternalId, SECRETS[3]);
        let ada = self
            .prospect(SECRETS[0], vec![phone, email.clone(), id])
            .await;
        let close = acquisition::CloseProspectRequest {
            name: ada.clone(),
            reason: acquisition::CloseReason::Other as i32,
            note: SECRETS[6].to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        self.prospects.close_prospect(close).await.unwrap();
        let asked = acquisition::FindProspectsRequest {
            identity: Some(email),
            min_position: String::new(),
        };
        let found = self.prospects.find_prospects(asked).await.unwrap();
        let found = found.into_inner().prospects;
        assert!(found.iter().all(|it| it.display_name == SECRETS[0]));
        assert_eq!(found.len(), 1);
        // What is refused leaves a trace too, if anything does.
        let conflict = acquisition::IdentifyProspectRequest {
            name: ada.clone(),
            identities: vec![identity(IdentityKind::Email, SECRETS[5])],
            request_id: request_id(),
            ..Default::default()
        };
        let refused = self
            .prospects
            .identify_prospect(conflict)
            .await
            .unwrap_err();
        assert!(!format!("{refused:?}").contains(SECRETS[5]), "{refused:?}");

        let bob = self.customer(SECRETS[4], SECRETS[5]).await;
        let assess = retention::AssessPromiseRequest {
            name: format!("{bob}/promises/next-day"),
            verdict: retention::PromiseVerdict::Kept as i32,
            evidence: SECRETS[7].to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        self.promises.assess_promise(assess).await.unwrap();
        let waive = retention::WaivePromiseRequest {
            name: format!("{bob}/promises/courtesy-van"),
            note: SECRETS[8].to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        self.promises.waive_promise(waive).await.unwrap();
        (ada, bob)
    }
}

fn promised(id: &str) -> patron_proto::types::v1::PromiseTerms {
    patron_proto::types::v1::PromiseTerms {
        promise_id: id.to_owned(),
        benefit_id: id.to_owned(),
        expectation: "tomorrow".to_owned(),
        expected_score: 6,
        importance: 50,
        due_at: None,
    }
}

/// Every box in both journals.
async fn boxes(folder: &Path) -> Vec<(Field, Sealed)> {
    let options = EmbeddedOptions::new(Arc::new(SystemClock));
    let topics = EmbeddedTopics::open(folder, options).await.unwrap();
    let mut boxes = Vec::new();
    for service in ["acquisition", "retention"] {
        for stored in records(&topics, &format!("patron.{service}.journal"), Kind::Journal).await {
            if let Decoded::Entry(Entry::Commit(commit)) = journal::decode(&stored.record.value) {
                for event in commit.appends.iter().flat_map(|append| &append.events) {
                    boxes.extend(boxes_of(event));
                }
            }
        }
    }
    topics.close().await.unwrap();
    boxes
}

async fn records(topics: &dyn Topics, name: &str, kind: Kind) -> Vec<Stored> {
    let spec = TopicSpec {
        name: name.to_owned(),
        partitions: 12,
        kind,
    };
    let log = topics.open(&spec).await.unwrap();
    let mut all = Vec::new();
    for partition in 0..log.partitions() {
        let end = log.end(partition).await.unwrap();
        let mut tail = log.tail(partition, 0);
        let mut at = 0;
        while at < end {
            for stored in tail.next().await.unwrap() {
                at = stored.offset + 1;
                all.push(stored);
            }
        }
    }
    all
}

/// The wrapped keys, as they are stored.
async fn wrapped(folder: &Path) -> Vec<Vec<u8>> {
    let options = EmbeddedOptions::new(Arc::new(SystemClock));
    let topics = EmbeddedTopics::open(folder.join("keys"), options);
    let topics = topics.await.unwrap();
    let all = records(&topics, vault::KEYS_TOPIC, Kind::Keys).await;
    topics.close().await.unwrap();
    let values = all.iter().map(|stored| stored.record.value.to_vec());
    values.filter(|value| !value.is_empty()).collect()
}

fn boxes_of(event: &journal::Event) -> Vec<(Field, Sealed)> {
    let name = event.kind.rsplit('.').next().unwrap();
    let mut found: Vec<(Field, Option<Written>)> = Vec::new();
    let payload = event.payload.clone();
    match name {
        "ProspectIdentified" => {
            let read = acquisition::ProspectIdentified::decode(payload).unwrap();
            found.push((Field::Name, read.display_name));
            for identity in read.identities {
                found.push((field(identity.kind), identity.value));
            }
        }
        "ProspectClosed" => {
            let read = acquisition::ProspectClosed::decode(payload).unwrap();
            found.push((Field::Note, read.note));
        }
        "RelationshipOpened" => {
            let read = retention::RelationshipOpened::decode(payload).unwrap();
            found.push((Field::Name, read.display_name));
            for (value, kind) in read.identities.into_iter().zip(read.identity_kinds) {
                found.push((field(kind), Some(value)));
            }
        }
        "PromiseKept" => {
            let read = retention::PromiseKept::decode(payload).unwrap();
            found.push((Field::Evidence, read.evidence));
        }
        "PromiseWaived" => {
            let read = retention::PromiseWaived::decode(payload).unwrap();
            found.push((Field::Note, read.note));
        }
        _ => {}
    }
    let found = found.into_iter();
    found
        .filter_map(|(field, written)| Some((field, server::sealed("box", &written?).unwrap())))
        .collect()
}

fn field(kind: i32) -> Field {
    server::identity_field(IdentityKind::try_from(kind).unwrap())
}

/// What opens, by person.
async fn opened(folder: &Path) -> BTreeMap<String, usize> {
    let all = boxes(folder).await;
    let keys = folder.join("keys");
    let options = EmbeddedOptions::new(Arc::new(SystemClock));
    let topics = EmbeddedTopics::open(&keys, options).await.unwrap();
    let master = MasterKeys::load(&keys.join("master.key")).unwrap();
    let vault = Vault::open(&topics, master).await.unwrap();
    let mut opened = BTreeMap::new();
    for (field, sealed) in all {
        let count: &mut usize = opened.entry(sealed.subject.clone()).or_default();
        match vault.open_box(field, &sealed) {
            Ok(text) => {
                assert!(SECRETS.contains(&text.as_str()), "{sealed:?}");
                *count += 1;
            }
            Err(closed) => assert_eq!(closed, Closed::Erased, "{sealed:?}"),
        }
    }
    vault.close().await;
    topics.close().await.unwrap();
    opened
}

fn person(name: &str) -> String {
    let id = name.rsplit('/').next().unwrap();
    Person(id.parse().unwrap()).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_is_in_any_byte_that_is_left_and_no_key_opens_one_after_an_erasure() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let log = |name: &str| File::create(folder.path().join(name)).unwrap();
    let services = Services::start_saying(&data, "debug", Stdio::from(log("first.log")));
    let mut run = Run::of(&services).await;
    let (ada, bob) = run.everything().await;
    drop(run);
    services.kill();
    let search = |what: &str| {
        let mut found = Vec::new();
        holding(folder.path(), what, &mut found);
        found
    };
    assert!(
        !search(CONTROL).is_empty(),
        "the search finds what is there"
    );
    for secret in SECRETS {
        assert_eq!(search(secret), Vec::<String>::new(), "{secret}");
    }
    let journal = data.join("journal");
    let before = opened(&journal).await;
    let wrapped = wrapped(&journal).await;
    assert_eq!(wrapped.len(), 2);
    let is_on_disk = |wrapped: &[u8]| {
        let bytes = fs::read(journal.join("keys").join("journal.redb")).unwrap();
        bytes.windows(wrapped.len()).any(|window| window == wrapped)
    };
    assert!(wrapped.iter().all(|wrapped| is_on_disk(wrapped)));
    assert_eq!(
        before,
        BTreeMap::from([(person(&ada), 5), (person(&bob), 4)]),
        "with its key every box opens"
    );

    let services = Services::start_saying(&data, "debug", Stdio::from(log("second.log")));
    for name in [&ada, &bob] {
        let told = printed(&services.run(&["export", "person", name]));
        let known = if *name == ada { SECRETS[0] } else { SECRETS[4] };
        assert!(told.contains(known), "{told}");
        let asked = services.run(&["erase", "person", name]);
        assert!(!asked.status.success(), "nobody has said that it is meant");
        let erased = printed(&services.run(&["erase", "person", "--yes", name]));
        assert!(erased.contains("the numbers stay"), "{erased}");
        let gone = services.run(&["export", "person", name]);
        let gone = String::from_utf8_lossy(&gone.stderr).into_owned();
        assert!(gone.contains("ERASED"), "{gone}");
    }
    let listed = printed(&services.run(&["customers"])) + &printed(&services.run(&["prospects"]));
    assert_eq!(listed.matches("[erased]").count(), 2, "{listed}");
    services.kill();
    assert!(
        !wrapped.iter().any(|wrapped| is_on_disk(wrapped)),
        "not even wrapped: a master key that is lost later opens nothing"
    );
    let after = opened(&journal).await;
    assert_eq!(
        after,
        BTreeMap::from([(person(&ada), 0), (person(&bob), 0)])
    );
    for secret in SECRETS {
        assert_eq!(search(secret), Vec::<String>::new(), "{secret}");
    }
}
