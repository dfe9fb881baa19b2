//! Which log a service stands on, chosen by flag.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eventsourcing::Clock;
use journal::Topics;
use journal_embedded::{EmbeddedOptions, EmbeddedTopics};
#[cfg(feature = "kafka")]
pub use journal_kafka::KafkaOptions;
#[cfg(feature = "kafka")]
use journal_kafka::KafkaTopics;
use vault::{MasterKeys, Vault};

/// The folder of the embedded keys, within the journal's.
const KEYS: &str = "keys";
/// The file of the embedded master key, within that.
const MASTER_KEY: &str = "master.key";

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
    /// Where the topic of keys is: it forgets, so embedded it has a file of its own.
    pub keys: Arc<dyn Topics>,
    closing: Closing,
}

#[derive(Debug, Clone)]
enum Closing {
    Embedded([EmbeddedTopics; 2]),
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
                let options = EmbeddedOptions::new(clock);
                let opened = EmbeddedTopics::open(dir, options.clone()).await;
                let topics = opened.map_err(|error| error.to_string())?;
                let keys = match EmbeddedTopics::open(dir.join(KEYS), options).await {
                    Ok(keys) => keys,
                    Err(error) => {
                        close(&topics).await;
                        return Err(error.to_string());
                    }
                };
                Ok(OpenLog {
                    topics: Arc::new(topics.clone()),
                    keys: Arc::new(keys.clone()),
                    closing: Closing::Embedded([topics, keys]),
                })
            }
            #[cfg(feature = "kafka")]
            Self::Kafka(brokers, options) => {
                let topics = KafkaTopics::open(brokers, options.clone())
                    .map_err(|error| error.to_string())?;
                Ok(OpenLog {
                    topics: Arc::new(topics.clone()),
                    keys: Arc::new(topics.clone()),
                    closing: Closing::Kafka(topics),
                })
            }
        }
    }

    /// Reads the master key: from `named`, or embedded from a file beside the keys. It is made with the journal; later,
    /// one that is missing is missed.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn master_keys(&self, named: Option<&Path>) -> Result<MasterKeys, String> {
        let keys = match (self, named) {
            (Self::Embedded(dir), named) => {
                let keys = dir.join(KEYS);
                let file = named.map_or_else(|| keys.join(MASTER_KEY), Path::to_owned);
                // Where keys may be wrapped already, a missing file is lost or misspelt, and a new one would only
                // lie in the place of the right one.
                if EmbeddedTopics::exist(&keys) {
                    MasterKeys::load(&file)
                } else {
                    MasterKeys::load_or_create(&file)
                }
            }
            #[cfg(feature = "kafka")]
            (Self::Kafka(..), Some(named)) => MasterKeys::load(named),
            #[cfg(feature = "kafka")]
            (Self::Kafka(..), None) => {
                return Err(
                    "with --kafka, every instance needs the same master key of personal data: make one with \
                     `patron master-key FILE` and name it with --master-key FILE (see docs/errors/master-key.md)"
                        .to_owned(),
                );
            }
        };
        keys.map_err(|error| error.to_string())
    }
}

impl OpenLog {
    /// Opens the keys of personal data.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn vault(&self, master: MasterKeys) -> Result<Arc<Vault>, String> {
        let opened = Vault::open(&*self.keys, master).await;
        opened.map(Arc::new).map_err(|error| error.to_string())
    }

    /// Closes it; everything appended is safe then.
    pub async fn close(&self) {
        match &self.closing {
            Closing::Embedded(both) => {
                for topics in both {
                    close(topics).await;
                }
            }
            #[cfg(feature = "kafka")]
            Closing::Kafka(topics) => topics.close().await,
        }
    }
}

async fn close(topics: &EmbeddedTopics) {
    if let Err(error) = topics.close().await {
        tracing::warn!(%error, "the journal was not closed in good order");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use eventsourcing::SystemClock;

    use super::{KEYS, LogSource, MASTER_KEY};

    #[tokio::test]
    async fn a_master_key_is_made_with_the_journal_and_missed_later() {
        let folder = tempfile::tempdir().unwrap();
        let source = LogSource::Embedded(folder.path().to_owned());
        source.master_keys(None).unwrap();
        let open = source.open(Arc::new(SystemClock)).await.unwrap();
        open.close().await;
        source.master_keys(None).unwrap();

        let file = folder.path().join(KEYS).join(MASTER_KEY);
        let aside = folder.path().join("aside");
        std::fs::rename(&file, &aside).unwrap();
        let missed = source.master_keys(None).unwrap_err();
        assert!(missed.contains("there is no master key"), "{missed}");
        assert!(!file.exists(), "a new key lies in the place of the old one");
        let misspelt = folder.path().join("a-side");
        source.master_keys(Some(&misspelt)).unwrap_err();
        assert!(!misspelt.exists());
        source.master_keys(Some(&aside)).unwrap();
    }
}
