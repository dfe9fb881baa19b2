//! Which log a service stands on, chosen by flag.

use std::path::PathBuf;
use std::sync::Arc;

use eventsourcing::Clock;
use journal::Topics;

/// Where the topics are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogSource {
    /// In one file of this folder, for one process.
    Embedded(PathBuf),
    /// In Kafka, at these brokers (`HOST:PORT,...`).
    #[cfg(feature = "kafka")]
    Kafka(String),
}

/// Topics that are open, and how to close them.
#[derive(Debug, Clone)]
pub struct OpenLog {
    /// The topics.
    pub topics: Arc<dyn Topics>,
    embedded: Option<journal_embedded::EmbeddedTopics>,
}

impl LogSource {
    /// Opens it.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn open(&self, clock: Arc<dyn Clock>) -> Result<OpenLog, String> {
        match self {
            Self::Embedded(dir) => {
                let topics = journal_embedded::EmbeddedTopics::open(dir, clock)
                    .map_err(|error| error.to_string())?;
                Ok(OpenLog {
                    topics: Arc::new(topics.clone()),
                    embedded: Some(topics),
                })
            }
            #[cfg(feature = "kafka")]
            Self::Kafka(brokers) => {
                let topics =
                    journal_kafka::KafkaTopics::open(brokers).map_err(|error| error.to_string())?;
                Ok(OpenLog {
                    topics: Arc::new(topics),
                    embedded: None,
                })
            }
        }
    }
}

impl OpenLog {
    /// Closes it; everything appended is safe then.
    pub async fn close(&self) {
        if let Some(embedded) = &self.embedded {
            embedded.close().await;
        }
    }
}
