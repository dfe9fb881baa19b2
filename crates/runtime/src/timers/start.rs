//! How a replica starts its daily ticks, and how whoever moves a clock by hand waits for them.

use std::sync::Arc;

use eventsourcing::Time;
use tokio::sync::futures::OwnedNotified;

use super::{Daily, Tick, Timer};
use crate::{Engine, Service};

impl<S: Service> Engine<S> {
    /// Starts to do every day what is due on it.
    pub fn start_daily(self: &Arc<Self>, daily: &Arc<dyn Daily<S>>) {
        let instance = self.new_id();
        for partition in 0..self.placement.partitions() {
            let timer = Timer {
                engine: Arc::clone(self),
                daily: Arc::clone(daily),
                partition,
                instance,
            };
            self.watch_over("daily tick", timer.run(self.stopping().clone()));
        }
    }

    /// Tells the daily tick that the clock was set by hand; else it finds out within a second.
    pub fn clock_moved(&self) {
        self.clock_moved.notify_waiters();
    }

    /// The next time that somebody says so after this call, whenever the answer is awaited.
    pub(super) fn clock_moves(&self) -> OwnedNotified {
        Arc::clone(&self.clock_moved).notified_owned()
    }

    /// Waits until the tick of the day on which `moment` falls is done in all partitions, by this instance or
    /// another, and these rows show it.
    pub async fn until_ticked(&self, moment: Time) -> Result<(), read_model::Error> {
        for partition in 0..self.placement.partitions() {
            let day = moment.day();
            let tick = Tick { day, partition };
            loop {
                let changed = self.progress.changed();
                if self.store.read(|rows| tick.is_done(rows))? {
                    break;
                }
                changed.await;
            }
        }
        Ok(())
    }
}
