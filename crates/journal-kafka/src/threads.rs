//! The threads of the driver's clients, and how they end: by themselves, with somebody waiting only so long.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

/// The threads of one [`KafkaTopics`](crate::KafkaTopics). Dropping a client of the driver can block for as
/// long as a broker hangs, so it happens on one of these and never on a worker of the runtime.
#[derive(Clone)]
pub(crate) struct Threads {
    alive: Arc<watch::Sender<usize>>,
    closing: Arc<AtomicBool>,
}

impl Threads {
    pub(crate) fn new() -> Self {
        Self {
            alive: Arc::new(watch::Sender::new(0)),
            closing: Arc::default(),
        }
    }

    /// Runs `body` on a thread of its own.
    pub(crate) fn run(
        &self,
        name: &str,
        body: impl FnOnce() + Send + 'static,
    ) -> Result<(), io::Error> {
        let counted = Counted::new(Arc::clone(&self.alive));
        let named = thread::Builder::new().name(name.to_owned());
        named.spawn(move || {
            let _counted = counted;
            body();
        })?;
        Ok(())
    }

    /// Drops something that may block, on a thread of its own.
    pub(crate) fn retire(&self, client: impl Send + 'static) {
        if let Err(error) = self.run("kafka-retire", move || drop(client)) {
            tracing::warn!(%error, "no thread for the end of a Kafka client: it ended here");
        }
    }

    /// Whether everything should come to its end.
    pub(crate) fn are_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Asks everything to come to its end and waits at most so long. False if something was still there.
    pub(crate) async fn close(&self, at_most: Duration) -> bool {
        self.closing.store(true, Ordering::Release);
        let mut alive = self.alive.subscribe();
        let all_gone = alive.wait_for(|alive| *alive == 0);
        tokio::time::timeout(at_most, all_gone).await.is_ok()
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads")
            .field("alive", &*self.alive.borrow())
            .field("closing", &self.are_closing())
            .finish()
    }
}

/// One thread more, for as long as this lives.
struct Counted(Arc<watch::Sender<usize>>);

impl Counted {
    fn new(alive: Arc<watch::Sender<usize>>) -> Self {
        alive.send_modify(|alive| *alive += 1);
        Self(alive)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|alive| *alive = alive.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::Threads;

    #[tokio::test]
    async fn closing_waits_for_what_ends_and_not_for_what_hangs() {
        let threads = Threads::new();
        assert!(threads.close(Duration::ZERO).await, "there is nothing yet");

        let (release, hangs) = mpsc::channel::<()>();
        threads
            .run("hangs", move || {
                hangs.recv().unwrap_err();
            })
            .unwrap();
        assert!(threads.are_closing());
        assert!(!threads.close(Duration::from_millis(20)).await);

        drop(release);
        assert!(threads.close(Duration::from_secs(10)).await);
    }

    #[tokio::test]
    async fn what_is_retired_is_dropped_somewhere_else() {
        struct Tells(mpsc::Sender<std::thread::ThreadId>);
        impl Drop for Tells {
            fn drop(&mut self) {
                self.0.send(std::thread::current().id()).unwrap();
            }
        }
        let (tells, told) = mpsc::channel();
        let threads = Threads::new();
        threads.retire(Tells(tells));
        assert!(threads.close(Duration::from_secs(10)).await);
        assert_ne!(told.recv().unwrap(), std::thread::current().id());
    }
}
