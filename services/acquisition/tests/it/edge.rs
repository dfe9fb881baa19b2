//! What every method has from the edge.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use journal::Topics as _;
use patron_proto::acquisition::v1 as proto;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use uuid::Uuid;

use crate::harness::{Harness, create, refused};

#[tokio::test]
async fn a_reply_carries_a_position_that_a_query_can_wait_for() {
    let harness = Harness::start().await;
    let created = harness
        .propositions()
        .create_proposition(create("van-repair"))
        .await
        .unwrap();
    let position = created
        .metadata()
        .get("patron-position")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let get = |min_position: String| proto::GetPropositionRequest {
        name: "propositions/van-repair".to_owned(),
        min_position,
        ..Default::default()
    };
    harness
        .propositions()
        .get_proposition(get(position))
        .await
        .unwrap();
    let wrong = harness
        .propositions()
        .get_proposition(get("x".to_owned()))
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_position_that_is_not_reached_in_time_is_deadline_exceeded() {
    let harness = Harness::start().await;
    let mut ahead = harness.running.engine.position();
    ahead.offsets[0] += 1_000;
    let asked = proto::GetPropositionRequest {
        name: "propositions/van-repair".to_owned(),
        min_position: ahead.to_string(),
        ..Default::default()
    };
    let answer = over_the_web(
        harness.address,
        "/patron.acquisition.v1.PropositionService/GetProposition",
        &asked.encode_to_vec(),
    )
    .await;
    assert!(answer.contains("grpc-status:4"), "{answer}");
}

/// The answer to a call with a second, of which the server leaves itself a tenth to answer, by a client without
/// a timer of its own, which might answer in the server's place.
async fn over_the_web(address: SocketAddr, path: &str, message: &[u8]) -> String {
    let mut body = vec![0];
    body.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    body.extend_from_slice(message);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/grpc-web+proto\r\n\
         grpc-timeout: 1000m\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&body).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).replace("grpc-status: ", "grpc-status:")
}

#[tokio::test]
async fn health_is_told_for_each_service_and_for_all() {
    let harness = Harness::start().await;
    let mut health = HealthClient::new(harness.channel.clone());
    for service in acquisition::SERVICES.into_iter().chain([""]) {
        let asked = HealthCheckRequest {
            service: service.to_owned(),
        };
        // The first report follows the start by a moment; a watch waits for it.
        let mut watch = health.watch(asked).await.unwrap().into_inner();
        let serving = async {
            while let Some(answer) = watch.message().await.unwrap() {
                if answer.status() == ServingStatus::Serving {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), serving)
            .await
            .expect(service);
    }
}

/// The answer to a plain GET, with its headers.
async fn get(harness: &Harness, path: &str) -> String {
    let mut socket = TcpStream::connect(harness.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn probes_answer_to_plain_http() {
    let harness = Harness::start().await;
    for (path, answer) in [("/livez", "alive"), ("/readyz", "ready")] {
        let text = get(&harness, path).await;
        assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
        assert!(text.ends_with(&format!("{answer}\n")), "{text}");
    }
}

#[tokio::test]
async fn metrics_count_what_was_asked_and_how_it_ended() {
    let harness = Harness::start().await;
    let mut prospects = harness.prospects();
    let unknown = proto::GetProspectRequest {
        name: format!("prospects/{}", Uuid::nil()),
        ..Default::default()
    };
    for _ in 0..2 {
        prospects.get_prospect(unknown.clone()).await.unwrap_err();
    }
    harness.prospect().await;

    let told = get(&harness, "/metrics").await;
    let line = |start: &str| {
        let found = told.lines().find_map(|line| line.strip_prefix(start));
        found
            .unwrap_or_else(|| panic!("no {start} in {told}"))
            .trim()
            .to_owned()
    };
    let of = "service=\"patron.acquisition.v1.ProspectService\",method";
    let refused = format!("patron_requests_total{{{of}=\"GetProspect\",code=\"NotFound\"}}");
    let created = format!("patron_requests_total{{{of}=\"CreateProspect\",code=\"Ok\"}}");
    let took = format!("patron_request_duration_seconds_count{{{of}=\"GetProspect\"}}");
    assert_eq!(
        (line(&refused), line(&created), line(&took)),
        ("2".into(), "1".into(), "2".into())
    );
    assert_eq!(line("patron_requests_under_way"), "0");
    assert_eq!(line("patron_ready"), "1");
    assert_eq!(line("patron_events_public_total"), "1");
    let positions: u64 = told
        .lines()
        .filter(|line| line.starts_with("patron_journal_position{"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum();
    let commits: u64 = line("patron_commits_accepted_total").parse().unwrap();
    // Each partition begins with a record that is no commit.
    let beginnings = u64::from(harness.running.engine.options().partitions);
    assert_eq!(positions, commits + beginnings);
    assert!(told.ends_with("# EOF\n"), "{told}");
}

#[tokio::test]
async fn names_that_somebody_made_up_are_not_counted() {
    let harness = Harness::start().await;
    let before = get(&harness, "/metrics").await.lines().count();
    get(&harness, "/patron.acquisition.v1.ProspectService/Invent").await;
    get(&harness, "/etc/passwd").await;
    assert_eq!(get(&harness, "/metrics").await.lines().count(), before);
}

#[tokio::test]
async fn every_metric_is_explained() {
    let harness = Harness::start().await;
    harness.prospect().await;
    let told = get(&harness, "/metrics").await;
    let told: BTreeSet<&str> = told
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/OBSERVABILITY.md");
    let page = std::fs::read_to_string(page).unwrap();
    let explained: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `patron_")?.split(['`', '{']).next())
        .collect();
    let told: BTreeSet<&str> = told
        .iter()
        .filter_map(|name| name.strip_prefix("patron_"))
        .collect();
    assert_eq!(told, explained);
}

#[tokio::test]
async fn a_report_of_an_instance_that_stops_is_refused_at_once() {
    let harness = Harness::start().await;
    harness
        .running
        .engine
        .drain(tokio::time::Instant::now())
        .await;
    let journal = journal::TopicSpec {
        name: "patron.acquisition.journal".to_owned(),
        partitions: 12,
        kind: journal::Kind::Journal,
    };
    // Something that this instance will never apply.
    let log = harness.topics.open(&journal).await.unwrap();
    let written = log.append(0, journal::Record::value("x")).await;
    assert!(written.is_written());
    let asked = proto::GetFunnelRequest::default();
    let refused = harness.reports().get_funnel(asked).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    assert!(refused.message().contains("shutting down"), "{refused:?}");
}

#[tokio::test]
async fn a_position_of_another_journal_is_a_wrong_argument() {
    let harness = Harness::start().await;
    let name = format!("propositions/{}", "van-repair");
    let made = harness
        .propositions()
        .create_proposition(create("van-repair"))
        .await;
    made.unwrap();
    let other = journal::Position::start(Uuid::from_u128(9), 12);
    let asked = proto::GetPropositionRequest {
        name,
        min_position: other.to_string(),
        ..Default::default()
    };
    let refused = refused(harness.propositions().get_proposition(asked).await);
    assert_eq!(refused.0, Code::InvalidArgument);
}
