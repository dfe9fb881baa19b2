//! Policies: since when they act, and that what fails stands in nobody's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use journal::simulator::{Client, Simulator};
use journal::{Event, StreamId};
use read_model::{Error, Rows, RowsMut, Table};
use runtime::{
    ApplyError, Engine, Fact, Foreign, Options, Policy, Receipt, Service, Todo, Work, is_active,
};

use crate::follow::Echo;
use crate::replica::{alone, append, ask, log, plant, start};
use crate::tally::{Command, Tallies, tally};

const WELCOME: &str = "welcome";
/// The guests that somebody should welcome.
const GUESTS: Table<String, ()> = Table::new("guests");

/// Guests come; a policy that a later release brought welcomes them.
#[derive(Debug)]
struct House;

impl Service for House {
    fn name(&self) -> &'static str {
        "house"
    }

    fn schema(&self) -> u32 {
        1
    }

    fn apply(&self, rows: &mut dyn RowsMut, fact: &Fact<'_>) -> Result<(), ApplyError> {
        if is_active(rows, WELCOME, fact.partition)? {
            GUESTS.put(rows, &fact.stream.id().to_owned(), &())?;
        }
        Ok(())
    }

    fn receive(&self, _: &mut Work<'_>, _: &Foreign) -> Result<Receipt, ApplyError> {
        Ok(Receipt::Skipped)
    }
}

/// Keeps its list as it is, so that a test can read it.
#[derive(Debug)]
struct Welcome;

impl Policy<House> for Welcome {
    fn name(&self) -> &'static str {
        WELCOME
    }

    fn due(&self, _: &dyn Rows, _: usize) -> Result<Vec<Todo>, Error> {
        Ok(Vec::new())
    }

    fn perform(&self, _: Arc<Engine<House>>, _: Todo) -> BoxFuture<'static, Result<(), String>> {
        futures::future::ready(Ok(())).boxed()
    }
}

async fn house(log: &Simulator, client: &Client, seed: u64) -> Arc<Engine<House>> {
    let options = Options {
        seed: Some(seed),
        ..alone("house")
    };
    let engine = Engine::start(Arc::new(House), client, log.clock(), options).await;
    let engine = engine.unwrap();
    engine.until_ready().await.unwrap();
    engine
}

fn comes(log: &Simulator, guest: &str, id: u128) {
    let came = Event {
        kind: "test.Came".to_owned(),
        schema: 1,
        public: false,
        payload: Vec::new().into(),
    };
    let stream = StreamId::new(format!("guests/{guest}")).unwrap();
    plant(log, "house", id, vec![append(stream, 0, vec![came])]);
}

async fn to_welcome(engine: &Engine<House>) -> Vec<String> {
    engine.barrier().await.unwrap();
    let guests = engine.store().read(|rows| GUESTS.scan(rows, &(), None, 10));
    guests
        .unwrap()
        .into_iter()
        .map(|(guest, ())| guest)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_policy_acts_on_what_comes_behind_its_record_today_and_in_every_rebuild() {
    let (log, client) = log(1);
    let first = house(&log, &client, 7).await;
    comes(&log, "early", 1);
    assert_eq!(to_welcome(&first).await, [""; 0]);
    first.start_policy(Arc::new(Welcome));
    first.until_active(WELCOME).await.unwrap();
    comes(&log, "late", 2);
    assert_eq!(to_welcome(&first).await, ["late"]);
    let anew = house(&log, &client, 8).await;
    assert_eq!(to_welcome(&anew).await, ["late"]);
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_activated_once_however_many_instances_start_it() {
    let (log, client) = log(1);
    let replicas = [house(&log, &client, 7).await, house(&log, &client, 8).await];
    for replica in &replicas {
        replica.start_policy(Arc::new(Welcome));
    }
    for replica in &replicas {
        replica.until_active(WELCOME).await.unwrap();
        replica.barrier().await.unwrap();
        let stream = "policy/welcome/~0";
        let version = replica.store().read(|rows| runtime::version(rows, stream));
        assert_eq!(version.unwrap(), 1);
    }
}

/// Far more things than are done at once, which all fail, stand before what can be done.
#[derive(Debug, Default)]
struct Stubborn {
    tried: AtomicUsize,
}

const HOPELESS: usize = 200;

impl Policy<Tallies> for Stubborn {
    fn name(&self) -> &'static str {
        "stubborn"
    }

    fn due(&self, rows: &dyn Rows, limit: usize) -> Result<Vec<Todo>, Error> {
        let hopeless = (0..HOPELESS).map(|number| Todo(format!("hopeless {number}")));
        let mut due: Vec<Todo> = hopeless.take(limit).collect();
        due.extend(Echo.due(rows, limit - due.len())?);
        Ok(due)
    }

    fn perform(
        &self,
        engine: Arc<Engine<Tallies>>,
        todo: Todo,
    ) -> BoxFuture<'static, Result<(), String>> {
        if todo.0.starts_with("hopeless") {
            self.tried.fetch_add(1, Ordering::SeqCst);
            return futures::future::ready(Err("it never works".to_owned())).boxed();
        }
        Echo.perform(engine, todo)
    }
}

#[tokio::test(start_paused = true)]
async fn what_always_fails_stands_in_nobodys_way_and_is_tried_ever_more_rarely() {
    let (log, client) = log(1);
    let replica = start(&log, &client, alone("left")).await.unwrap();
    let stubborn = Arc::new(Stubborn::default());
    replica.start_policy(Arc::<Stubborn>::clone(&stubborn));
    ask(&replica, Command::Flag, 1).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let done = replica.store().read(|rows| tally(rows, "one")).unwrap();
    assert_eq!(done.echoes, 1);
    tokio::time::sleep(Duration::from_secs(60)).await;
    // After 0.1, 0.2, 0.4 seconds and so on, each: ten times in a minute.
    let tried = stubborn.tried.load(Ordering::SeqCst);
    assert!(tried <= 10 * HOPELESS, "{tried}");
}
