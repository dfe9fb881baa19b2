//! The engine's settings, all of them limits or names.

use std::path::PathBuf;
use std::time::Duration;

/// How an engine runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The topic of its journal.
    pub journal_topic: String,
    /// The topic to which it publishes, if it does.
    pub public_topic: Option<String>,
    /// The topic of the other service that it receives, if it does.
    pub inbox_topic: Option<String>,
    /// How many partitions a new journal gets. An existing one must have as many.
    pub partitions: u32,
    /// The folder of the read model; without one it lives in memory.
    pub data: Option<PathBuf>,
    /// Commands under way at once; one more is turned away.
    pub max_in_flight: usize,
    /// How often a command is decided anew after others were faster.
    pub max_attempts: u32,
    /// How long a command may take when its caller sets no deadline.
    pub default_deadline: Duration,
    /// How long an instance waits for a tick that another one began, before it takes it over.
    pub tick_patience: Duration,
    /// How many accepted commits of a partition are at hand for relays and watchers, at most.
    pub recent_commits: usize,
    /// Who writes commits of policies and inboxes.
    pub actor: String,
    /// Seed of jitter and commit ids; a fixed one makes a simulated run repeatable.
    pub seed: Option<u64>,
}

impl Options {
    /// The pair's usual settings for `service`, which receives the events of `other`.
    pub fn for_pair(service: &str, other: &str) -> Self {
        Self {
            journal_topic: format!("patron.{service}.journal"),
            public_topic: Some(format!("patron.{service}.events")),
            inbox_topic: Some(format!("patron.{other}.events")),
            partitions: 12,
            data: None,
            max_in_flight: 1_024,
            max_attempts: 6,
            default_deadline: Duration::from_secs(10),
            tick_patience: Duration::from_secs(5),
            recent_commits: 512,
            actor: format!("{service}/engine"),
            seed: None,
        }
    }
}
