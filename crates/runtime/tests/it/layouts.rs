//! During an upgrade, releases with different layouts of rows run side by side on one journal.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use journal::simulator::Faults;
use read_model::RowsMut;
use runtime::{ApplyError, Engine, Fact, Foreign, Options, Receipt, Service, Work};

use crate::replica::{alone, log, pair, request};
use crate::tally::{Command, Tallies, tally};

/// The release whose rows have another layout, and so another number.
#[derive(Debug, Clone, Copy)]
struct OfSchema(u32);

const TALLIES: Tallies = Tallies { name: "left" };

impl Service for OfSchema {
    fn name(&self) -> &'static str {
        TALLIES.name()
    }

    fn schema(&self) -> u32 {
        self.0
    }

    fn apply(&self, rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<(), ApplyError> {
        TALLIES.apply(rows, fact)
    }

    fn receive(&self, work: &mut Work<'_>, event: &Foreign) -> Result<Receipt, ApplyError> {
        TALLIES.receive(work, event)
    }
}

async fn add(replica: &Arc<Engine<OfSchema>>, id: u128) {
    let asked = request(Command::Add(1), id);
    let root = asked.root.to_string();
    let decide = |work: &mut Work<'_>| Command::Add(1).decide(&pair(), work);
    let added = replica.execute(asked, decide, move |rows| runtime::version(rows, &root));
    added.await.unwrap();
}

async fn total(replica: &Arc<Engine<OfSchema>>) -> i64 {
    replica.barrier().await.unwrap();
    replica
        .store()
        .read(|rows| tally(rows, "one"))
        .unwrap()
        .total
}

#[tokio::test]
async fn old_and_new_rows_agree_while_both_take_commands() {
    let (log, client) = log(1);
    let folder = tempfile::tempdir().unwrap();
    let start = async |schema, name: &str| {
        let options = Options {
            data: Some(folder.path().join(name)),
            ..alone("left")
        };
        let service = Arc::new(OfSchema(schema));
        let replica = Engine::start(service, &client, log.clock(), options)
            .await
            .unwrap();
        replica.until_ready().await.unwrap();
        replica
    };
    let old = start(1, "old").await;
    add(&old, 1).await;
    let new = start(2, "new").await;
    add(&new, 2).await;
    add(&old, 3).await;
    // A request that the one has answered, the other recognises.
    add(&new, 3).await;
    assert_eq!((total(&old).await, total(&new).await), (3, 3));
    assert_eq!(old.store().digest(), new.store().digest());

    // The old instance is upgraded in its place: its rows are built anew beside the old ones.
    old.drain(tokio::time::Instant::now()).await;
    drop(old);
    let upgraded = start(2, "old").await;
    assert_eq!(total(&upgraded).await, 3);
    add(&upgraded, 4).await;
    assert_eq!((total(&new).await, total(&upgraded).await), (4, 4));
    assert_eq!(upgraded.store().digest(), new.store().digest());
}

fn generations(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names
        .filter(|name| name.starts_with("generation"))
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn the_rows_of_the_release_before_stay_until_the_new_ones_can_serve() {
    let (log, client) = log(1);
    let folder = tempfile::tempdir().unwrap();
    let start = async |schema| {
        let options = Options {
            data: Some(folder.path().to_owned()),
            ..alone("left")
        };
        let service = Arc::new(OfSchema(schema));
        Engine::start(service, &client, log.clock(), options).await
    };
    let stop = async |replica: Arc<Engine<OfSchema>>| {
        replica
            .drain(tokio::time::Instant::now() + Duration::from_secs(60))
            .await;
    };
    let old = start(1).await.unwrap();
    old.until_ready().await.unwrap();
    add(&old, 1).await;
    stop(old).await;

    // The journal goes away before anything is read: the new release has built nothing, and the old rows
    // are still needed.
    let new = start(2).await.unwrap();
    client.set_faults(Faults {
        tail_fails: 1.0,
        ..Faults::none()
    });
    stop(new).await;
    assert_eq!(generations(folder.path()), ["generation-1", "generation-2"]);

    client.set_faults(Faults::none());
    let new = start(2).await.unwrap();
    new.until_ready().await.unwrap();
    assert_eq!(total(&new).await, 1);
    stop(new).await;
    assert_eq!(generations(folder.path()), ["generation-2"]);
}
