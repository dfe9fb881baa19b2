//! How a replica is: whether it may answer, and why not.

use journal::Offset;

use crate::engine::SHUTTING_DOWN;
use crate::rows::UNREADABLE;
use crate::{Engine, Service};

/// How a replica is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether it has applied what the log held when it started.
    pub caught_up: bool,
    /// Records applied, and records to apply before it is ready.
    pub applied: u64,
    /// See `applied`.
    pub target: u64,
    /// Streams with events of a newer release.
    pub unreadable_streams: usize,
    /// Why it has stopped applying, if it has.
    pub fault: Option<String>,
}

impl<S: Service> Engine<S> {
    /// Whether this replica may answer; else why not.
    pub fn ready(&self) -> Result<(), String> {
        if let Some(fault) = self.fault.borrow().as_ref() {
            return Err(fault.clone());
        }
        if self.permits.is_closed() {
            return Err(SHUTTING_DOWN.to_owned());
        }
        let behind = |(partition, target): (u32, &Offset)| self.progress.of(partition) < *target;
        if (0..).zip(&self.targets).any(behind) {
            return Err("it is catching up with the journal".to_owned());
        }
        Ok(())
    }

    /// Waits until this replica is ready, or has failed.
    pub async fn until_ready(&self) -> Result<(), String> {
        let mut fault = self.fault.subscribe();
        tokio::select! {
            biased;
            () = self.progress.reach_all(&self.targets) => self.ready(),
            found = fault.wait_for(Option::is_some) => {
                Err(found.ok().and_then(|fault| fault.clone()).unwrap_or_default())
            }
        }
    }

    /// Resolves when a part of the replica has failed, with the reason.
    pub async fn failed(&self) -> String {
        let mut fault = self.fault.subscribe();
        let found = fault.wait_for(Option::is_some).await;
        found
            .ok()
            .and_then(|fault| fault.clone())
            .unwrap_or_default()
    }

    /// How this replica is.
    pub fn health(&self) -> Health {
        let unreadable = self
            .store
            .read(|rows| UNREADABLE.scan(rows, &(), None, 1_000));
        Health {
            caught_up: self.ready().is_ok(),
            applied: self.progress.offsets().iter().sum(),
            target: self.targets.iter().sum(),
            unreadable_streams: unreadable.map_or(0, |streams| streams.len()),
            fault: self.fault.borrow().clone(),
        }
    }
}
