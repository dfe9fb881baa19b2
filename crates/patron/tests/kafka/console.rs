//! A consumer that is not ours reads the public topics: Kafka's own console consumer, in Java.

use std::collections::BTreeMap;
use std::time::Duration;

use testkit::{Cluster, Pair, Published, Service};

use crate::alone::{run, turn};

const CONTRACT: &str = include_str!("../../../../docs/asyncapi.yaml");

/// A record as the console shows it.
#[derive(Debug)]
struct Shown {
    partition: usize,
    offset: u64,
    headers: BTreeMap<String, String>,
    key: String,
}

/// Reads a line of `Partition:3⇥Offset:0⇥a:1,b:2⇥key`. Header values have no comma before a header's name.
fn shown(line: &str) -> Shown {
    let mut parts = line.split('\t');
    let mut part = || parts.next().unwrap_or_else(|| panic!("{line}"));
    let number = |text: &str, name: &str| text.strip_prefix(name).unwrap().parse().unwrap();
    let partition: u64 = number(part(), "Partition:");
    let offset = number(part(), "Offset:");
    let headers = part().split(',').map(|header| {
        let (name, value) = header.split_once(':').unwrap();
        (name.to_owned(), value.to_owned())
    });
    Shown {
        partition: usize::try_from(partition).unwrap(),
        offset,
        headers: headers.collect(),
        key: part().to_owned(),
    }
}

fn consumed(cluster: &Cluster, topic: &str) -> Vec<Shown> {
    let printed = [
        "print.partition=true",
        "print.offset=true",
        "print.headers=true",
        "print.key=true",
        "print.value=false",
    ];
    let mut arguments = vec!["--topic", topic, "--from-beginning", "--timeout-ms", "8000"];
    for property in printed {
        arguments.extend(["--formatter-property", property]);
    }
    let console = "consumer.ConsoleConsumer";
    let printed = cluster.tool(console, arguments).unwrap();
    printed.lines().map(shown).collect()
}

/// What CloudEvents 1.0 and its Kafka binding ask of a record in binary mode, and what we promise beyond.
fn is_a_cloud_event(shown: &Shown, service: Service) {
    let header = |name: &str| {
        let value = shown.headers.get(name);
        value.unwrap_or_else(|| panic!("no {name} in {shown:?}"))
    };
    assert_eq!(header("ce_specversion"), "1.0");
    assert_eq!(*header("ce_source"), format!("/patron/{}", service.name()));
    assert!(!header("ce_id").is_empty() && header("ce_type").starts_with("patron."));
    assert!(header("ce_time").ends_with('Z'));
    header("ce_time")
        .parse::<jiff::Timestamp>()
        .expect("RFC 3339");
    assert_eq!(header("content-type"), "application/protobuf");
    for name in shown
        .headers
        .keys()
        .filter_map(|name| name.strip_prefix("ce_"))
    {
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        assert!(name.len() <= 20 && name.chars().all(lower), "{name}");
    }
    for name in shown.headers.keys() {
        let documented = format!("        {name}:\n");
        assert!(
            CONTRACT.contains(&documented),
            "{name} is not in asyncapi.yaml"
        );
    }
    let (_, id) = header("ce_subject").split_once('/').unwrap();
    assert_eq!(shown.key, id, "the key is the aggregate's id");
}

#[test]
fn a_consumer_that_is_not_ours_reads_valid_cloud_events_in_order() {
    let Some(_turn) = turn() else { return };
    run(async {
        let binary = env!("CARGO_BIN_EXE_patron").as_ref();
        let pair = Pair::start(binary, 1, 1).await.unwrap();
        pair.work(4, Duration::from_secs(3)).await.unwrap();
        let logs = pair.rest().await.unwrap();
        for service in Service::BOTH {
            let records = consumed(&pair.cluster, &service.events());
            let mut seen: BTreeMap<usize, Vec<Shown>> = BTreeMap::new();
            for record in records {
                is_a_cloud_event(&record, service);
                seen.entry(record.partition).or_default().push(record);
            }
            let journal = logs.journals.of(service);
            let told = journal.iter().map(|judged| judged.published.len());
            assert!(told.sum::<usize>() > 20, "there is something to read");
            for (partition, judged) in journal.iter().enumerate() {
                let none = Vec::new();
                let records = seen.get(&partition).unwrap_or(&none);
                same(&judged.published, records);
            }
        }
    });
}

/// With one relay at work each event stands there once, in the order in which it happened.
fn same(told: &[Published], records: &[Shown]) {
    assert_eq!(told.len(), records.len());
    for ((sequence, told), record) in (1_u64..).zip(told).zip(records) {
        assert_eq!(record.offset, sequence - 1);
        assert_eq!(record.headers["ce_sequence"], sequence.to_string());
        assert_eq!(record.headers["ce_id"], told.event_id);
        assert_eq!(record.headers["ce_type"], told.kind);
        assert_eq!(record.headers["ce_subject"], told.subject);
    }
}
