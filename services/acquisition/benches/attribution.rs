//! What a report over 100,000 journeys costs, through gRPC: `cargo bench -p acquisition`.
//!
//! 100,000 customers with 1 to 6 touches each over 20 channels, and 20,000 closed prospects besides, whose
//! events stand in a log in memory. Goals: 500 ms for every model, 1 s for MARKOV.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot run has nothing to say"
)]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};

use acquisition::SERVICES;
use divan::Bencher;
use eventsourcing::{FixedClock, Time};
use journal::memory::MemoryTopics;
use journal::{AppendTo, Commit, Event, Kind, Record, StreamId, TopicSpec, Topics as _};
use patron_proto::acquisition::v1 as proto;
use patron_proto::acquisition::v1::AttributionModel;
use patron_proto::acquisition::v1::report_service_client::ReportServiceClient;
use patron_proto::types::v1::Money;
use prost::{Message, Name};
use prost_types::Timestamp;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use runtime::Options;
use server::{Edge, Limits};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use uuid::Uuid;
use vault::{MasterKey, MasterKeys, Vault};

const NOW: i64 = 1_767_225_600;
const DAY: i64 = 86_400;
const CUSTOMERS: u128 = 100_000;
const CLOSED: u128 = 20_000;
const CHANNELS: u32 = 20;

const MODELS: [AttributionModel; 7] = [
    AttributionModel::First,
    AttributionModel::Last,
    AttributionModel::Linear,
    AttributionModel::TimeDecay,
    AttributionModel::Position,
    AttributionModel::Shapley,
    AttributionModel::Markov,
];

fn main() {
    divan::main();
}

#[divan::bench(args = MODELS, sample_count = 5, sample_size = 1)]
fn by_channel(bencher: Bencher<'_, '_>, model: AttributionModel) {
    let request = proto::GetAttributionRequest {
        model: model as i32,
        dimension: proto::AttributionDimension::Channel as i32,
        currency_code: "EUR".to_owned(),
        ..Default::default()
    };
    let world = &*WORLD;
    bencher.bench_local(|| {
        let asked = async { world.reports.clone().get_attribution(request.clone()).await };
        let report = world.runtime.block_on(asked).unwrap().into_inner();
        assert_eq!(
            report.conversions.cast_unsigned(),
            u64::try_from(CUSTOMERS).unwrap()
        );
    });
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn funnel(bencher: Bencher<'_, '_>) {
    let world = &*WORLD;
    bencher.bench_local(|| {
        let request = proto::GetFunnelRequest::default();
        let asked = async { world.reports.clone().get_funnel(request).await };
        world.runtime.block_on(asked).unwrap()
    });
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let reports = runtime.block_on(start());
    World { runtime, reports }
});

struct World {
    runtime: Runtime,
    reports: ReportServiceClient<Channel>,
}

async fn start() -> ReportServiceClient<Channel> {
    let clock = Arc::new(FixedClock::at(Time::from_seconds(NOW)));
    let topics = MemoryTopics::new(Arc::<FixedClock>::clone(&clock));
    let options = Options {
        inbox_topic: None,
        public_topic: None,
        ..Options::for_pair("acquisition", "retention")
    };
    let spec = TopicSpec {
        name: options.journal_topic.clone(),
        partitions: options.partitions,
        kind: Kind::Journal,
    };
    let master = MasterKeys::new(MasterKey::random(), vec![]);
    let vault = Arc::new(Vault::open(&topics, master).await.unwrap());
    let running = acquisition::start(&topics, clock, options, vault)
        .await
        .unwrap();
    let log = topics.open(&spec).await.unwrap();
    let mut chance = SmallRng::seed_from_u64(42);
    for number in 0..CUSTOMERS + CLOSED {
        let id = Uuid::from_u128(number.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835));
        let stream = StreamId::new(format!("prospects/{id}")).unwrap();
        let partition = running.engine.placement().partition_of(&stream);
        let life = life(&mut chance, id, number < CUSTOMERS);
        let record = Record::value(journal::encode_commit(&commit(stream, life)));
        let written = log.append(partition, record).await;
        assert!(written.is_written(), "{written:?}");
    }
    running.engine.barrier().await.unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let readiness: server::Readiness = Arc::new(|| Ok(()));
    let edge = Edge::bind(address, SERVICES.to_vec(), Limits::default(), readiness);
    let edge = edge.await.unwrap();
    let address = edge.address().unwrap();
    tokio::spawn(edge.serve(running.routes(), CancellationToken::new()));
    let channel = Channel::from_shared(format!("http://{address}")).unwrap();
    ReportServiceClient::new(channel.connect().await.unwrap())
}

/// All events of a prospect in one commit.
fn commit(stream: StreamId, events: Vec<Event>) -> Commit {
    Commit {
        commit_id: Uuid::new_v4(),
        request_id: Uuid::new_v4(),
        fingerprint: [0; 16],
        actor: "bench".to_owned(),
        time: Time::from_seconds(NOW),
        trace_context: String::new(),
        appends: vec![AppendTo {
            stream,
            expected_version: 0,
            events,
        }],
    }
}

fn life(chance: &mut SmallRng, id: Uuid, converts: bool) -> Vec<Event> {
    let prospect = format!("prospects/{id}");
    let end = NOW - chance.random_range(0..365) * DAY;
    let mut events = vec![public(&proto::ProspectCreated {
        prospect: prospect.clone(),
        occurred_at: at(end - 60 * DAY),
        kind: proto::ProspectKind::Person as i32,
        source: "website".to_owned(),
    })];
    for touch in 0..chance.random_range(1..=6) {
        let channel = chance.random_range(0..CHANNELS);
        events.push(public(&proto::TouchpointRecorded {
            prospect: prospect.clone(),
            occurred_at: at(end - chance.random_range(0..60) * DAY),
            touchpoint_id: format!("touch-{touch}"),
            campaign: format!("propositions/van-repair/campaigns/campaign-{channel}"),
            presentation_id: "speed".to_owned(),
            channel: format!("channel-{channel}"),
            kind: proto::TouchpointKind::Visit as i32,
            utm: None,
        }));
    }
    events.push(if converts {
        public(&converted(chance, id, prospect, end))
    } else {
        public(&proto::ProspectClosed {
            prospect,
            occurred_at: at(end),
            reason: proto::CloseReason::NoNeed as i32,
            ..Default::default()
        })
    });
    events
}

fn converted(
    chance: &mut SmallRng,
    id: Uuid,
    prospect: String,
    end: i64,
) -> proto::ProspectConverted {
    let amount = Money {
        currency_code: "EUR".to_owned(),
        minor_units: chance.random_range(0..100_000),
    };
    proto::ProspectConverted {
        prospect,
        occurred_at: at(end),
        customer: format!("customers/{id}"),
        proposition: "propositions/van-repair".to_owned(),
        revision: 1,
        presentation_id: "speed".to_owned(),
        problem_id: "van-off-road".to_owned(),
        first_purchase: Some(proto::FirstPurchase {
            amount: Some(amount),
            contribution_margin: None,
        }),
        currency_code: "EUR".to_owned(),
        ..Default::default()
    }
}

fn public<M: Message + Name>(message: &M) -> Event {
    Event {
        kind: M::full_name(),
        schema: 1,
        public: true,
        payload: message.encode_to_vec().into(),
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "message fields are optional in protobuf"
)]
const fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}
