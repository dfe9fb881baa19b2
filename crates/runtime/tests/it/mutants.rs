//! The checker would notice: each guarantee of the engine is broken on purpose, and some seed shows it.

use runtime::mutant::Mutant;

use crate::history::Check;
use crate::simulation::{list, run};
use crate::world::Setup;

/// How many seeds a mutant may survive.
const SEEDS: u64 = 40;

/// Runs seeds until the mutant is noticed, by one of the checks that are about its guarantee.
fn is_noticed(mutant: Mutant, by: &[Check]) {
    for seed in 0..SEEDS {
        let violations = run(Setup::of(seed), Some(mutant));
        if let Some(found) = violations.iter().find(|found| by.contains(&found.check)) {
            println!("{mutant:?}: seed {seed} shows it: {found}");
            return;
        }
        println!("{mutant:?}: seed {seed}: {}", list(&violations));
    }
    panic!("no seed below {SEEDS} shows that {mutant:?} is broken");
}

#[test]
fn an_engine_that_checks_no_version_is_noticed() {
    is_noticed(
        Mutant::NoVersionCheck,
        &[Check::ReplicasAgree, Check::AcknowledgedIsInTheLog],
    );
}

#[test]
fn an_engine_that_forgets_request_ids_is_noticed() {
    is_noticed(
        Mutant::NoRequestIdLookup,
        &[Check::TakesEffectOnce, Check::RepeatIsRecognised],
    );
}

#[test]
fn an_engine_that_answers_at_delivery_is_noticed() {
    is_noticed(
        Mutant::AnswerAtDelivery,
        &[Check::AcknowledgedIsInTheLog, Check::AnsweredVersionIsTrue],
    );
}

#[test]
fn an_engine_that_refuses_from_a_lagging_replica_is_noticed() {
    is_noticed(
        Mutant::NoBarrierBeforeRefusing,
        &[Check::RefusalIsJustified],
    );
}

#[test]
fn an_engine_that_tears_its_snapshot_is_noticed() {
    is_noticed(
        Mutant::TornSnapshot,
        &[
            Check::RulesHold,
            Check::ReceivedOnceInOrder,
            Check::TakesEffectOnce,
        ],
    );
}

#[test]
fn a_receiver_that_takes_any_sequence_is_noticed() {
    is_noticed(Mutant::AnySequence, &[Check::ReceivedOnceInOrder]);
}

#[test]
fn an_engine_that_leaves_no_trace_of_an_unchanged_ok_is_noticed() {
    is_noticed(Mutant::NoUnchanged, &[Check::AcknowledgedIsInTheLog]);
}

#[test]
fn an_engine_that_leaves_guards_out_is_noticed() {
    is_noticed(Mutant::NoGuard, &[Check::RulesHold]);
}

#[test]
fn a_relay_that_goes_on_after_the_last_record_is_noticed() {
    is_noticed(
        Mutant::RelayFromLastRecord,
        &[Check::ReceivedOnceInOrder, Check::ComesToRest],
    );
}

#[test]
fn a_tick_that_is_done_before_its_commands_is_noticed() {
    is_noticed(Mutant::TickDoneFirst, &[Check::TickActsOnce]);
}

#[test]
fn a_tick_that_goes_by_an_instances_clock_is_noticed() {
    is_noticed(Mutant::TickByOwnClock, &[Check::TickIsInTime]);
}
