//! A start that meets a log which cannot be asked now waits for it, as long as a start may wait.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::checkpoint::Refused;

/// As long as opening a topic waits.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

/// Asks until there is an answer, or an error that does not pass, or the patience is at its end.
pub(crate) async fn patiently<T>(ask: impl AsyncFn() -> Result<T, Refused>) -> Result<T, Refused> {
    let until = Instant::now() + PATIENCE;
    loop {
        match ask().await {
            Err(Refused::Log(error)) if error.is_retryable() && Instant::now() < until => {
                tracing::warn!(%error, "the start waits for the log");
                sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}
