//! Which log a service stands on, chosen by flag.

use std::path::PathBuf;
use std::sync::Arc;

use eventsourcing::Clock;
use journal::Topics;
use journal_embedded::{EmbeddedOptions, EmbeddedTopics};
#[cfg(feature = "kafka")]
pub use journal_kafka::KafkaOptions;
#[cfg(feature = "kafka")]
use journal_kafka::KafkaTopics;

/// Where the topics are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogSource {
    /// In one file of this folder, for one process.
    Embedded(PathBuf),
    /// In Kafka, at these brokers (`HOST:PORT,...`), with these choices.
    #[cfg(feature = "kafka")]
    Kafka(String, KafkaOptions),
}

/// Topics that are open, and how to close them.
#[derive(Debug, Clone)]
pub struct OpenLog {
    /// The topics.
    pub topics: Arc<dyn Topics>,
    closing: Closing,
}

#[derive(Debug, Clone)]
enum Closing {
    Embedded(EmbeddedTopics),
    #[cfg(feature = "kafka")]
    Kafka(KafkaTopics),
}

impl LogSource {
    /// Opens it.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn open(&self, clock: Arc<dyn Clock>) -> Result<OpenLog, String> {
        match self {
            Self::Embedded(dir) => {
                let opened = EmbeddedTopics::open(dir, EmbeddedOptions::new(clock)).await;
                let topics = opened.map_err(|error| error.to_string())?;
                Ok(OpenLog {
                    topics: Arc::new(topics.clone()),
                    closing: Closing::Embedded(topics),
                })
            }
            #[cfg(feature = "kafka")]
            Self::Kafka(brokers, options) => {
                let topics = KafkaTopics::open(brokers, options.clone())
                    .map_err(|error| error.to_string())?;
                Ok(OpenLog {
                    topics: Arc::new(topics.clone()),
                    closing: Closing::Kafka(topics),
                })
            }
        }
    }
}

impl OpenLog {
    /// Closes it; everything appended is safe then.
    pub async fn close(&self) {
        match &self.closing {
            Closing::Embedded(topics) => {
                if let Err(error) = topics.close().await {
                    tracing::warn!(%error, "the journal was not closed in good order");
                }
            }
            #[cfg(feature = "kafka")]
            Closing::Kafka(topics) => topics.close().await,
        }
    }
}
