//! What an operator may choose about Kafka.

use std::time::Duration;

/// What an operator may choose about Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaOptions {
    /// Topics that are missing are made, with the settings that keep history. Otherwise they are refused.
    pub create_topics: bool,
    /// A single broker may acknowledge before its disk has the record. Faster, and a power cut may take
    /// back what was acknowledged.
    pub trust_page_cache: bool,
    /// On how many brokers a new topic is kept. With three or more, two must have a record before it is
    /// acknowledged.
    pub replication: i32,
    /// How long opening a topic waits for brokers that are away.
    pub patience: Duration,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        Self {
            create_topics: true,
            trust_page_cache: false,
            replication: 1,
            patience: Duration::from_secs(30),
        }
    }
}
