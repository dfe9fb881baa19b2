//! Topics that are not as they must be.

use crate::alone::{Alone, stop};

const JOURNAL: &str = "patron.retention.journal";

#[test]
fn settings_that_were_changed_to_lose_history_are_refused_at_the_next_start() {
    let Some(mut alone) = Alone::new() else {
        return;
    };
    stop(alone.ready());
    let changed = [
        "--alter",
        "--entity-type",
        "topics",
        "--entity-name",
        JOURNAL,
        "--add-config",
        "retention.ms=86400000",
    ];
    alone
        .cluster
        .tool("kafka.admin.ConfigCommand", changed)
        .unwrap();
    let said = alone.refused();
    assert!(
        said.contains("retention.ms is 86400000 and must be -1"),
        "{said}"
    );
    assert!(said.contains("docs/errors/kafka-settings.md"), "{said}");
}

#[test]
fn a_journal_with_fewer_partitions_than_the_service_needs_is_refused() {
    let Some(mut alone) = Alone::new() else {
        return;
    };
    let mut made = vec!["--create", "--topic", JOURNAL, "--partitions", "3"];
    for setting in [
        "retention.ms=-1",
        "message.timestamp.type=LogAppendTime",
        "max.message.bytes=2097152",
        "flush.messages=1",
    ] {
        made.extend(["--config", setting]);
    }
    alone.cluster.tool("TopicCommand", made).unwrap();
    let said = alone.refused();
    assert!(said.contains("docs/errors/journal-partitions.md"), "{said}");
}
