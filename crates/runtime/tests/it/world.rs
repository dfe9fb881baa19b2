//! One run: two services with two instances each over a log that misbehaves, clients that hold out, and
//! somebody who pulls plugs. Everything in it follows from the seed.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use eventsourcing::{Clock, Time};
use futures::FutureExt as _;
use futures::future::join_all;
use journal::simulator::{Client, Disk, Faults, Simulator};
use journal::{Placement, StreamId};
use runtime::{Daily, Engine, Options};
use tokio::time::{Instant, sleep};

use crate::follow::{Aging, Echo};
use crate::history::{Check, Op, Violation};
use crate::tally::{Pair, Tallies, tally_stream};

pub(crate) type Replica = Arc<Engine<Tallies>>;

pub(crate) const SERVICES: [&str; 2] = ["left", "right"];
const INSTANCES: usize = 2;
/// How often an instance that does not come up is started.
const STARTS: usize = 200;
/// How far the clock of an instance may be ahead of the log's.
const AHEAD: Duration = Duration::from_secs(5 * 3_600);
/// How far the log's clock leaps in a run, at least; and in one leap, at most. Far less than the time for
/// which request ids are remembered.
const LEAPS: Duration = Duration::from_secs(48 * 3_600);
const LEAP: Duration = Duration::from_secs(20 * 3_600);
/// In simulated time: longer than any run without a fault needs.
const REST: Duration = Duration::from_secs(300);

/// How a run is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) disk: Disk,
    pub(crate) clients: usize,
    pub(crate) requests: usize,
}

impl Setup {
    pub(crate) fn of(seed: u64) -> Self {
        Self {
            seed,
            disk: Disk::Safe,
            clients: 5,
            requests: 8,
        }
    }
}

/// An instance's place: somebody runs there, or nobody does right now.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    pub(crate) replica: Option<Replica>,
    client: Option<Client>,
}

/// The world of one run.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) log: Simulator,
    pub(crate) partitions: u32,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) slots: Vec<RefCell<Slot>>,
    pub(crate) ops: RefCell<Vec<Op>>,
    pub(crate) violations: RefCell<Vec<Violation>>,
    pub(crate) losses: RefCell<Vec<Loss>>,
    setup: Setup,
    calm: Cell<bool>,
    leapt: Cell<Duration>,
}

/// The clock of an instance, which may be ahead of the log's.
#[derive(Debug)]
struct Skewed {
    clock: Arc<dyn Clock>,
    ahead: Duration,
}

impl Clock for Skewed {
    fn now(&self) -> Time {
        let ahead = i64::try_from(self.ahead.as_secs()).unwrap();
        self.clock.now().plus_seconds(ahead)
    }
}

/// What a crash of the log took from a partition: everything from here on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loss {
    pub(crate) service: usize,
    pub(crate) partition: u32,
    pub(crate) from: usize,
}

impl World {
    pub(crate) fn new(setup: Setup) -> Self {
        let log = Simulator::new(setup.seed, setup.disk, Time::from_days(20_000));
        let partitions = 1 + u32::try_from(log.draw(3)).unwrap();
        let slots = SERVICES.len() * INSTANCES;
        Self {
            pairs: pairs(partitions),
            log,
            partitions,
            slots: (0..slots).map(|_| RefCell::default()).collect(),
            ops: RefCell::default(),
            violations: RefCell::default(),
            losses: RefCell::default(),
            setup,
            calm: Cell::new(false),
            leapt: Cell::default(),
        }
    }

    /// Runs to the end, until everything has come to rest on a log without faults.
    pub(crate) async fn run(&self) {
        self.run_clients().await;
        self.start_all().await;
        // Far from midnight by any clock, so that no day comes while everything is at rest.
        let now = self.log.clock().now();
        let morning = Time::from_days(now.day() + 1).plus_seconds(6 * 3_600);
        let micros = morning.micros() - now.micros();
        self.leap(Duration::from_micros(u64::try_from(micros).unwrap()));
        self.come_to_rest().await;
    }

    /// Runs until all clients are done, and lets nothing bad happen any more.
    pub(crate) async fn run_clients(&self) {
        self.start_all().await;
        let clients = (0..self.setup.clients).map(|_| self.client(self.setup.requests));
        let clients = join_all(clients);
        let mut chaos = std::pin::pin!(self.chaos());
        tokio::select! {
            biased;
            _ = clients => {}
            () = &mut chaos => {}
        }
        self.calm_down();
        // Nobody may be left half-started.
        chaos.await;
    }

    pub(crate) fn service_of(slot: usize) -> usize {
        slot / INSTANCES
    }

    /// A running instance of the service, any of them.
    pub(crate) fn any_replica(&self, service: usize) -> Option<Replica> {
        let slots = service * INSTANCES..(service + 1) * INSTANCES;
        let live: Vec<Replica> = self.slots[slots]
            .iter()
            .filter_map(|slot| slot.borrow().replica.clone())
            .collect();
        let which = self.log.draw(live.len() as u64);
        live.get(usize::try_from(which).unwrap()).cloned()
    }

    pub(crate) fn replicas(&self) -> Vec<(usize, Replica)> {
        let replica = |(slot, place): (usize, &RefCell<Slot>)| {
            Some((Self::service_of(slot), place.borrow().replica.clone()?))
        };
        self.slots.iter().enumerate().filter_map(replica).collect()
    }

    pub(crate) fn chance(&self, percent: u64) -> bool {
        self.log.draw(100) < percent
    }

    pub(crate) fn some_millis(&self, most: u64) -> Duration {
        Duration::from_millis(self.log.draw(most))
    }

    pub(crate) fn journal(service: usize) -> String {
        format!("patron.{}.journal", SERVICES[service])
    }

    pub(crate) fn length(&self, service: usize, partition: u32) -> usize {
        self.log.records(&Self::journal(service), partition).len()
    }

    pub(crate) fn partition_of(&self, stream: &StreamId) -> u32 {
        Placement::new(self.partitions, 0).partition_of(stream)
    }

    pub(crate) fn violated(&self, check: Check, what: impl std::fmt::Display) {
        self.violations
            .borrow_mut()
            .push(Violation::of(check, what));
    }

    /// Kills the instance: nothing that it still does can be seen by a client of it.
    pub(crate) fn kill(&self, slot: usize) {
        let Slot { replica, client } = self.slots[slot].take();
        if let Some(client) = client
            && self.chance(50)
        {
            // Else what it had sent still arrives.
            client.cut_off(true);
        }
        if let Some(replica) = replica {
            replica.stopping().cancel();
        }
    }

    /// Starts whoever is not running, on an empty disk.
    pub(crate) async fn start_all(&self) {
        join_all((0..self.slots.len()).map(|slot| self.start(slot))).await;
    }

    async fn start(&self, slot: usize) {
        // A log that lost how it began is refused for good; any other fault passes.
        for _ in 0..STARTS {
            if self.slots[slot].borrow().replica.is_some() {
                return;
            }
            let name = SERVICES[Self::service_of(slot)];
            let other = SERVICES[1 - Self::service_of(slot)];
            let faults = if self.calm.get() {
                Faults::none()
            } else {
                Faults::harsh()
            };
            let client = self.log.client(format!("{name} {slot}"), faults);
            let options = Options {
                partitions: self.partitions,
                max_attempts: 4,
                // Relays fall behind now and then, and read the log again.
                recent_commits: 4,
                default_deadline: Duration::from_secs(3),
                seed: Some(self.log.draw(u64::MAX)),
                ..Options::for_pair(name, other)
            };
            let service = Arc::new(Tallies { name });
            let ahead = if self.chance(40) { AHEAD.as_secs() } else { 0 };
            let clock = Arc::new(Skewed {
                clock: self.log.clock(),
                ahead: Duration::from_secs(self.log.draw(ahead)),
            });
            let started = Engine::start(service, &client, clock, options).await;
            // A start that meets a fault of the log is a start that has to be repeated.
            let Ok(replica) = started else {
                sleep(Duration::from_millis(50)).await;
                continue;
            };
            if self.calm.get() {
                client.set_faults(Faults::none());
            }
            replica.start_policy(Arc::new(Echo));
            let aging: Arc<dyn Daily<Tallies>> = Arc::new(Aging);
            replica.start_daily(&aging);
            *self.slots[slot].borrow_mut() = Slot {
                replica: Some(replica),
                client: Some(client),
            };
        }
    }

    /// Pulls plugs until all is to be calm.
    async fn chaos(&self) {
        while !self.calm.get() {
            sleep(self.some_millis(600)).await;
            if self.calm.get() {
                return;
            }
            let slot = usize::try_from(self.log.draw(self.slots.len() as u64)).unwrap();
            match self.log.draw(10) {
                0..=2 => {
                    self.kill(slot);
                    sleep(self.some_millis(800)).await;
                    self.start(slot).await;
                }
                3..=5 => {
                    self.for_a_while(slot, Client::stall_tails).await;
                }
                6 => {
                    self.for_a_while(slot, Client::cut_off).await;
                }
                7 => self.crash_the_log(),
                _ if self.leapt.get() < LEAPS => {
                    self.leap(Duration::from_secs(self.log.draw(LEAP.as_secs())));
                }
                _ => {}
            }
        }
    }

    /// Time passes for everybody.
    fn leap(&self, by: Duration) {
        self.leapt.set(self.leapt.get() + by);
        self.log.leap(by);
        for (_, replica) in self.replicas() {
            replica.clock_moved();
        }
    }

    /// What each partition loses is written down.
    fn crash_the_log(&self) {
        let lengths = || {
            let services = 0..SERVICES.len();
            services
                .flat_map(|service| (0..self.partitions).map(move |partition| (service, partition)))
                .map(|(service, partition)| self.length(service, partition))
                .collect::<Vec<usize>>()
        };
        let before = lengths();
        self.log.crash();
        for (place, (before, after)) in before.into_iter().zip(lengths()).enumerate() {
            if after < before {
                let partitions = usize::try_from(self.partitions).unwrap();
                self.losses.borrow_mut().push(Loss {
                    service: place / partitions,
                    partition: u32::try_from(place % partitions).unwrap(),
                    from: after,
                });
            }
        }
    }

    async fn for_a_while(&self, slot: usize, fault: impl Fn(&Client, bool)) {
        let client = self.slots[slot].borrow().client.clone();
        if let Some(client) = client {
            fault(&client, true);
            sleep(self.some_millis(1_500)).await;
            fault(&client, false);
        }
    }

    fn calm_down(&self) {
        self.calm.set(true);
        for slot in &self.slots {
            if let Some(client) = &slot.borrow().client {
                client.set_faults(Faults::none());
                client.cut_off(false);
                client.stall_tails(false);
            }
        }
    }

    async fn come_to_rest(&self) {
        let deadline = Instant::now() + REST;
        loop {
            let busy = self.busy();
            let Some(busy) = busy else { return };
            if Instant::now() > deadline {
                return self.violated(Check::ComesToRest, busy);
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// Who still has something to do.
    fn busy(&self) -> Option<String> {
        for (service, replica) in self.replicas() {
            if let Some(fault) = replica.health().fault {
                self.violated(Check::NothingFails, &fault);
                return None;
            }
            let name = SERVICES[service];
            if let Err(why) = replica.ready() {
                return Some(format!("{name}: {why}"));
            }
            for partition in 0..self.partitions {
                let length = self.length(service, partition) as u64;
                if replica.position().get(partition) != length {
                    return Some(format!(
                        "{name} has not applied all of partition {partition}"
                    ));
                }
            }
            if !crate::follow::is_idle(replica.store()).unwrap() {
                return Some(format!("{name} has policies to perform"));
            }
            let today = self.log.clock().now();
            if replica.until_ticked(today).now_or_never().is_none() {
                return Some(format!("{name} has not done all that is due today"));
            }
        }
        crate::journals::unreceived(self)
    }
}

/// Two keys for every partition, as both services place them.
fn pairs(partitions: u32) -> Vec<Pair> {
    let placement = Placement::new(partitions, 0);
    let mut pairs = Vec::new();
    for partition in 0..partitions {
        let mut keys = (0..)
            .map(|number| format!("k{number}"))
            .filter(|key| placement.partition_of(&tally_stream(key)) == partition);
        let (one, two) = (keys.next().unwrap(), keys.next().unwrap());
        pairs.push(Pair {
            key: one.clone(),
            partner: two.clone(),
        });
        pairs.push(Pair {
            key: two,
            partner: one,
        });
    }
    pairs
}
