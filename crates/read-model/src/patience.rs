//! Work that may panic or hang, done on a thread that nobody has to wait for for ever.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::Error;
use crate::damage::panic_text;

/// Counts the steps that the work has done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<AtomicU64>);

impl Progress {
    pub(crate) fn step(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn steps(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What `work` gives back. A panic, and no step for as long as `patience`, are
/// [`Error::Damaged`]; in the second case the thread is left behind.
pub(crate) fn patiently<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce(&Progress) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let progress = Progress::default();
    let (answer, answered) = mpsc::channel();
    let watched = progress.clone();
    let work = move || {
        let done = catch_unwind(AssertUnwindSafe(|| work(&watched))).unwrap_or_else(|panic| {
            Err(Error::damaged(format!(
                "opening panicked: {}",
                panic_text(&*panic)
            )))
        });
        // Nobody listens any more when the patience was at its end.
        let _ = answer.send(done);
    };
    let thread = thread::Builder::new().name("read-model-open".into());
    thread
        .spawn(work)
        .map_err(|error| Error::damaged(format!("no thread to open it: {error}")))?;
    let mut seen = progress.steps();
    loop {
        match answered.recv_timeout(patience) {
            Ok(done) => return done,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::damaged("opening ended without an answer"));
            }
            Err(RecvTimeoutError::Timeout) => {
                let now = progress.steps();
                if now == seen {
                    return Err(Error::damaged(format!("opening hung for {patience:?}")));
                }
                seen = now;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_panic_is_damage_that_tells_what_was_said() {
        let patience = Duration::from_secs(60);
        let outcome = patiently::<()>(patience, |_| panic!("page {} is not one", 7));
        assert!(
            outcome
                .unwrap_err()
                .to_string()
                .contains("page 7 is not one")
        );
    }

    #[test]
    fn work_without_progress_is_given_up() {
        let (_keep, never) = mpsc::channel::<()>();
        let outcome = patiently(Duration::from_millis(20), move |_| {
            let _ = never.recv();
            Ok(())
        });
        assert!(outcome.unwrap_err().to_string().contains("hung"));
    }

    #[test]
    fn slow_work_that_makes_progress_is_waited_for() {
        let patience = Duration::from_millis(100);
        let outcome = patiently(patience, move |progress| {
            let begin = Instant::now();
            while begin.elapsed() < patience * 3 {
                progress.step();
                thread::yield_now();
            }
            Ok("done")
        });
        assert_eq!(outcome.unwrap(), "done");
    }
}
