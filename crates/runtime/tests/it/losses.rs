//! A log that breaks its promise: it acknowledges records and then loses them. Nobody can give them back;
//! what the engine owes is to notice, and never to go on from rows that no log stands behind.

use std::time::Duration;

use journal::simulator::Disk;

use crate::checker::{self, Journals};
use crate::history::{Check, Violation};
use crate::simulation::{list, paused};
use crate::world::{Setup, World};

/// Longer than any pause of a reader.
const A_WHILE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
struct Seen {
    violations: Vec<Violation>,
    losses: usize,
    stopped: usize,
    went_on: usize,
}

fn run(seed: u64) -> Seen {
    paused(async {
        let world = World::new(Setup {
            disk: Disk::Lazy(0.2),
            requests: 6,
            ..Setup::of(seed)
        });
        world.run_clients().await;
        // A client may have seen what is lost, and then reads what was there before.
        world.violations.take();
        tokio::time::sleep(A_WHILE).await;
        let mut seen = Seen {
            losses: world.losses.borrow().len(),
            ..Seen::default()
        };
        // Whoever has seen what is lost has stopped; all others show the log as it is now.
        for slot in 0..world.slots.len() {
            let fault = world.slots[slot]
                .borrow()
                .replica
                .as_ref()
                .map(|replica| replica.health().fault.is_some());
            match fault {
                Some(true) => {
                    seen.stopped += 1;
                    world.kill(slot);
                }
                Some(false) => seen.went_on += 1,
                None => {}
            }
        }
        checker::replicas(&world, &Journals::read(&world)).await;
        // Whoever comes back with an empty disk does so too.
        for slot in 0..world.slots.len() {
            world.kill(slot);
        }
        world.start_all().await;
        tokio::time::sleep(A_WHILE).await;
        checker::replicas(&world, &Journals::read(&world)).await;
        acknowledged_or_lost(&world);
        seen.violations = world.violations.take();
        seen
    })
}

/// Only what a crash took may be missing.
fn acknowledged_or_lost(world: &World) {
    let journals = Journals::read(world);
    for op in world.ops.borrow().iter() {
        let Some(window) = op.acknowledged() else {
            continue;
        };
        let lost = world.losses.borrow().iter().any(|loss| {
            (loss.service, loss.partition) == (op.service, op.partition)
                && loss.from <= window.heard
        });
        let judged = journals.of(op.service, op.partition);
        if checker::effects_of(op, judged).is_empty() && !lost {
            let what = format!("{:?} on {}", op.command, op.root());
            world.violated(Check::AcknowledgedIsInTheLog, what);
        }
    }
}

#[test]
fn a_log_that_loses_its_unsynced_tail_is_noticed_and_never_served_from() {
    let mut total = Seen::default();
    for seed in 0..200 {
        let seen = run(seed);
        let broken = &seen.violations;
        assert!(broken.is_empty(), "seed {seed}: {}", list(broken));
        total.losses += seen.losses;
        total.stopped += seen.stopped;
        total.went_on += seen.went_on;
    }
    println!("{total:?}");
    assert!(
        total.losses > 50 && total.stopped > 50 && total.went_on > 50,
        "{total:?}"
    );
}
