//! After an upgrade: what becomes of the rows that the release before left behind.

use std::sync::Arc;

use crate::{Engine, Service};

impl<S: Service> Engine<S> {
    /// Deletes the rows of other layouts when those of this one have caught up, and not before: until then going
    /// back to the release before costs nothing.
    pub(crate) fn start_retiring(self: &Arc<Self>) {
        if self.options().data.is_none() {
            return;
        }
        let service = self.service().name();
        let (store, progress) = (self.store().clone(), self.progress().clone());
        let (targets, stop) = (self.targets().to_vec(), self.stopping().clone());
        self.watch_over("retirement of old rows", async move {
            tokio::select! {
                biased;
                () = progress.reach_all(&targets) => {}
                () = stop.cancelled() => return Ok::<(), std::convert::Infallible>(()),
            }
            // Folders may be large. They are in nobody's way but the disk's, so a failure stops nothing.
            let retiring = tokio::task::spawn_blocking(move || store.retire_other_generations());
            let retired = retiring.await.map_err(|error| error.to_string());
            match retired.and_then(|retired| retired.map_err(|error| error.to_string())) {
                Ok(0) => {}
                Ok(retired) => {
                    tracing::info!(service, retired, "deleted the rows of another release");
                }
                Err(error) => {
                    tracing::warn!(
                        service,
                        error,
                        "the rows of another release were not deleted"
                    );
                }
            }
            Ok(())
        });
    }
}
