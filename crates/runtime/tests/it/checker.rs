//! Judges a run: what clients heard, what the logs hold and what the replicas show must be one story.

use std::collections::BTreeMap;
use std::sync::Arc;

use patron_proto::journal::v1::received::Outcome;
use runtime::verify;
use uuid::Uuid;

use crate::history::{Check, Heard, Op, Sent};
use crate::journals::{Judged, State};
use crate::tally::{Command, Happened, LIMIT, Refusal, Tallies};
use crate::ticks;
use crate::world::{Replica, SERVICES, World};

/// Both journals, partition by partition.
#[derive(Debug)]
pub(crate) struct Journals(Vec<Vec<Judged>>);

impl Journals {
    pub(crate) fn read(world: &World) -> Self {
        let of = |service| {
            let partitions = 0..world.partitions;
            partitions
                .map(|partition| Judged::read(world, service, partition))
                .collect()
        };
        Self((0..SERVICES.len()).map(of).collect())
    }

    pub(crate) fn of(&self, service: usize, partition: u32) -> &Judged {
        &self.0[service][partition as usize]
    }
}

/// Notes every broken guarantee of a run on a log that lost nothing.
pub(crate) async fn judge(world: &World) {
    let journals = Journals::read(world);
    for op in world.ops.borrow().iter() {
        let judged = journals.of(op.service, op.partition);
        effects(world, op, judged);
        for sent in &op.sent {
            answer(world, op, sent, judged);
        }
    }
    for service in 0..SERVICES.len() {
        for partition in 0..world.partitions {
            rules(world, journals.of(service, partition));
            exchange(world, &journals, service, partition);
            ticks::judge(world, journals.of(service, partition), service, partition);
        }
    }
    for stranger in strangers(world, &journals) {
        world.violated(
            Check::TakesEffectOnce,
            format!("nobody asked for {stranger}"),
        );
    }
    replicas(world, &journals).await;
}

/// A request takes effect once if it was acknowledged, and never more often; and between the moments
/// at which it was asked for and acknowledged.
fn effects(world: &World, op: &Op, judged: &Judged) {
    let effects = effects_of(op, judged);
    if effects.len() > 1 {
        let what = format!("{:?} on {} stands at {effects:?}", op.command, op.root());
        world.violated(Check::TakesEffectOnce, what);
    }
    if effects.iter().any(|offset| *offset < op.first_asked()) {
        world.violated(Check::OrderIsRealTime, "done before it was asked for");
    }
    let Some(window) = op.acknowledged() else {
        return;
    };
    let what = format!("{:?} on {}, acknowledged", op.command, op.root());
    match effects.first() {
        None => world.violated(Check::AcknowledgedIsInTheLog, what),
        Some(offset) if *offset >= window.heard => world.violated(Check::OrderIsRealTime, what),
        Some(_) => {}
    }
}

pub(crate) fn effects_of(op: &Op, judged: &Judged) -> Vec<usize> {
    let root = op.root();
    let ours = judged.accepted.iter().filter(|(_, commit)| {
        let first = commit.appends.first().map(|append| &append.stream);
        commit.request_id == op.request_id && first == Some(&root)
    });
    ours.map(|(offset, _)| *offset).collect()
}

/// What a client heard must be true of some moment between its question and the answer.
fn answer(world: &World, op: &Op, sent: &Sent, judged: &Judged) {
    let window = sent.window.asked..=sent.window.heard;
    let effect = effects_of(op, judged).first().copied();
    let states = || {
        window
            .clone()
            .filter_map(|at| Some((at, judged.states.get(at)?)))
    };
    let undone = || states().filter(|(at, _)| effect.is_none_or(|effect| effect >= *at));
    let what = || format!("{:?} of {:?} heard {:?}", op.command, op.pair, sent.heard);
    match &sent.heard {
        Heard::Done { .. } if sent.altered => world.violated(Check::RepeatIsRecognised, what()),
        Heard::Done { version, replayed } => {
            if sent.repeated && !replayed {
                world.violated(Check::RepeatIsRecognised, what());
            }
            let root = op.root().to_string();
            if sent.validate_only && !replayed {
                if !undone().any(|(_, state)| refusal(op, state).is_none()) {
                    world.violated(Check::RefusalIsJustified, what());
                }
                return;
            }
            // A repeat may be answered by a replica that lags, but never by one from before the effect.
            let effect = effect.unwrap_or(sent.window.asked);
            let mut since = judged
                .states
                .iter()
                .take(sent.window.heard + 1)
                .skip(effect + 1);
            if !since.any(|state| state.version(&root) == *version) {
                world.violated(Check::AnsweredVersionIsTrue, what());
            }
        }
        Heard::Refused(refused) => {
            if !undone().any(|(_, state)| refusal(op, state) == Some(*refused)) {
                world.violated(Check::RefusalIsJustified, what());
            }
        }
        Heard::StaleEtag(current) => {
            let root = op.root().to_string();
            let true_once = undone().any(|(_, state)| state.version(&root) == *current);
            if sent.etag == Some(*current) || !true_once {
                world.violated(Check::RefusalIsJustified, what());
            }
        }
        Heard::RequestIdReused if sent.altered => {}
        Heard::RequestIdReused => world.violated(Check::RepeatIsRecognised, what()),
        Heard::Retry(_) => {}
        Heard::Fault(_) => world.violated(Check::NothingFails, what()),
    }
}

/// The domain's rules, once more.
fn refusal(op: &Op, state: &State) -> Option<Refusal> {
    let own = state.tally(&op.pair.key).total;
    match op.command {
        Command::Add(n) => (own + n > LIMIT).then_some(Refusal::OverLimit),
        Command::Take(n) => {
            let both = own + state.tally(&op.pair.partner).total;
            (both < n).then_some(Refusal::Overdrawn)
        }
        Command::Flag | Command::Clear | Command::Nudge | Command::Note(_) | Command::Shut(_) => {
            None
        }
    }
}

/// No prefix of the history breaks a rule of the domain, and each policy acted once for each cause.
fn rules(world: &World, judged: &Judged) {
    for state in &judged.states {
        for pair in &world.pairs {
            let own = state.tally(&pair.key);
            if own.total > LIMIT {
                world.violated(
                    Check::RulesHold,
                    format!("{} holds {}", pair.key, own.total),
                );
            }
            if own.total + state.tally(&pair.partner).total < 0 {
                world.violated(Check::RulesHold, format!("{pair:?} are below zero"));
            }
            if own.echoes > own.flags {
                world.violated(Check::PolicyActsOnce, format!("{}: {own:?}", pair.key));
            }
        }
    }
    for (key, tally) in &judged.last().tallies {
        if tally.echoes != tally.flags {
            world.violated(Check::PolicyActsOnce, format!("{key}: {tally:?}"));
        }
    }
}

/// What `service` published in a partition, the other one received: each once, in order, and with an
/// outcome that was right when it was recorded.
fn exchange(world: &World, journals: &Journals, service: usize, partition: u32) {
    let from = journals.of(service, partition);
    let to = journals.of(1 - service, partition);
    let published = from.published();
    let received = &to.received;
    let dense = (1..)
        .zip(received)
        .all(|(n, received)| received.sequence == n);
    let same = published.len() == received.len()
        && published.iter().zip(received).all(|(published, received)| {
            published.event_id == received.event_id
                && published.kind == received.r#type
                && published.subject == received.subject
                && published.payload == received.payload
        });
    if !dense || !same {
        let what = format!(
            "{} published {} events, {:?} were received",
            SERVICES[service],
            published.len(),
            received
                .iter()
                .map(|received| received.sequence)
                .collect::<Vec<_>>()
        );
        world.violated(Check::ReceivedOnceInOrder, what);
    }
    outcomes(world, to);
    for pair in &world.pairs {
        let told: i64 = published
            .iter()
            .filter(|published| published.subject == format!("tallies/{}", pair.key))
            .filter_map(|published| Happened::read(&published.kind, &published.payload)?.told())
            .sum();
        let mirror = to.last().mirror(&pair.key);
        let ours = world.partition_of(&crate::tally::tally_stream(&pair.key)) == partition;
        if ours && mirror.sum + mirror.refused != told {
            world.violated(
                Check::SumsAgree,
                format!("{}: {told}, {mirror:?}", pair.key),
            );
        }
    }
}

/// A refused event met a shut mirror and an applied one an open one. Batches may hold several, but none
/// of them moves the shutter, so the state before the commit is the one that counts.
fn outcomes(world: &World, judged: &Judged) {
    for (offset, _) in &judged.accepted {
        let (before, after) = (&judged.states[*offset], &judged.states[offset + 1]);
        for received in &judged.received[before.received..after.received] {
            let key = received.subject.trim_start_matches("tallies/");
            let shut = before.mirror(key).shut;
            let right = match &received.outcome {
                Some(Outcome::Applied(_)) => !shut,
                Some(Outcome::Refused(_)) => shut,
                Some(Outcome::Skipped(_)) => true,
                Some(Outcome::Parked(_)) | None => false,
            };
            if !right {
                let what = format!("{received:?} when shut is {shut}");
                world.violated(Check::RulesHold, what);
            }
        }
    }
}

/// Every replica shows what the checker's own reading shows, all of a service are equal, and equal to a
/// replay from the first record.
pub(crate) async fn replicas(world: &World, journals: &Journals) {
    let mut digests = BTreeMap::new();
    for (service, replica) in world.replicas() {
        let name = SERVICES[service];
        let digest = replica.store().digest();
        match digests.insert(service, digest) {
            Some(other) if other != digest => {
                world.violated(
                    Check::ReplicasAgree,
                    format!("two replicas of {name} differ"),
                );
            }
            Some(_) => {}
            // Those with the same digest have the same rows, so one of them is replayed for all.
            None => replayed(world, &replica, name).await,
        }
        for partition in 0..world.partitions {
            let state = journals.of(service, partition).last();
            let agrees = replica.store().read(|rows| agrees(rows, state)).unwrap();
            if let Some(what) = agrees {
                world.violated(Check::ReplicasAgree, format!("{name}: {what}"));
            }
        }
    }
}

async fn replayed(world: &World, replica: &Replica, name: &'static str) {
    match verify(replica, Arc::new(Tallies { name })).await {
        Ok(verification) if verification.is_sound() => {}
        Ok(verification) => world.violated(Check::ReplicasAgree, format!("{verification:?}")),
        Err(error) => world.violated(Check::ReplicasAgree, error),
    }
}

/// The first thing in which the rows differ from the state.
fn agrees(rows: &dyn read_model::Rows, state: &State) -> Result<Option<String>, read_model::Error> {
    for (stream, version) in &state.versions {
        let found = runtime::version(rows, stream)?;
        if found != *version {
            return Ok(Some(format!("{stream} is at {found} instead of {version}")));
        }
    }
    for (key, tally) in &state.tallies {
        let found = crate::tally::tally(rows, key)?;
        if found != *tally {
            return Ok(Some(format!("{key}: {found:?} instead of {tally:?}")));
        }
    }
    for (key, mirror) in &state.mirrors {
        let found = crate::tally::mirror(rows, key)?;
        if found != *mirror {
            return Ok(Some(format!("{key}: {found:?} instead of {mirror:?}")));
        }
    }
    Ok(None)
}

/// The requests that took effect though nobody asked for them: none, policies and inboxes apart.
fn strangers(world: &World, journals: &Journals) -> Vec<Uuid> {
    let asked: Vec<Uuid> = world.ops.borrow().iter().map(|op| op.request_id).collect();
    let mut strangers = Vec::new();
    for service in 0..SERVICES.len() {
        for partition in 0..world.partitions {
            let accepted = &journals.of(service, partition).accepted;
            let ours = accepted
                .iter()
                .filter(|(_, commit)| commit.actor == "tests");
            let ids = ours.map(|(_, commit)| commit.request_id);
            strangers.extend(ids.filter(|id| !asked.contains(id) && id.get_version_num() != 5));
        }
    }
    strangers
}
