//! Kafka behind the journal port.
