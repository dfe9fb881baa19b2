//! Seeds by the thousand: whatever the log does to the instances, no guarantee breaks.

use std::ops::Range;

use runtime::mutant::{self, Mutant};

use crate::checker;
use crate::history::Violation;
use crate::world::{Setup, World};

/// Runs one seed and gives back what broke.
pub(crate) fn run(setup: Setup, mutant: Option<Mutant>) -> Vec<Violation> {
    mutant::activate(mutant);
    let violations = paused(async {
        let world = World::new(setup);
        world.run().await;
        checker::judge(&world).await;
        for slot in 0..world.slots.len() {
            world.kill(slot);
        }
        world.violations.take()
    });
    mutant::activate(None);
    violations
}

/// Runs on one thread and in simulated time, so that a run repeats exactly.
pub(crate) fn paused<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(work)
}

fn all_hold(seeds: Range<u64>) {
    let mut bad = Vec::new();
    for seed in seeds {
        let broken = run(Setup::of(seed), None);
        if !broken.is_empty() {
            println!("seed {seed}: {}", list(&broken));
            bad.push(seed);
        }
    }
    assert!(bad.is_empty(), "{} {bad:?}", bad.len());
}

pub(crate) fn list(violations: &[Violation]) -> String {
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn a_seed_repeats_exactly() {
    let logs = || {
        paused(async {
            let world = World::new(Setup::of(11));
            world.run().await;
            let topics = world.log.topics().into_iter();
            let partitions = topics.flat_map(|(name, partitions)| {
                (0..partitions).map(move |partition| (name.clone(), partition))
            });
            let records = partitions
                .map(|(name, partition)| world.log.records(&name, partition))
                .collect::<Vec<_>>();
            for slot in 0..world.slots.len() {
                world.kill(slot);
            }
            records
        })
    };
    assert_eq!(logs(), logs());
}

/// In four parts, so that all cores are used.
mod two_thousand_seeds_hold_every_guarantee {
    use super::all_hold;

    #[test]
    fn first_part() {
        all_hold(0..500);
    }

    #[test]
    fn second_part() {
        all_hold(500..1_000);
    }

    #[test]
    fn third_part() {
        all_hold(1_000..1_500);
    }

    #[test]
    fn fourth_part() {
        all_hold(1_500..2_000);
    }
}
