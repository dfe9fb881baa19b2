//! Whether what clients heard and what the logs hold is one story.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use journal::{Commit, Offset};
use patron_proto::acquisition::v1::ProspectConverted;
use patron_proto::journal::v1::received::Outcome;
use patron_proto::retention::v1 as ret;
use prost::Message as _;
use uuid::Uuid;

use crate::history::{Answer, History, Op};
use crate::instance::{Both, Service};
use crate::logs::{Judged, Logs};
use crate::session::ACTOR;

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which: a sentence.
    pub check: &'static str,
    /// By what.
    pub what: String,
}

/// Where a commit stands that took effect.
#[derive(Debug, Clone, Copy)]
struct Effect<'a> {
    partition: usize,
    offset: Offset,
    commit: &'a Commit,
}

/// Everything that is wrong with a run.
pub fn judge(history: &History, logs: &Logs) -> Vec<Violation> {
    let mut court = Court {
        violations: Vec::new(),
    };
    for service in Service::BOTH {
        let journal = logs.journals.of(service);
        let effects = effects(journal);
        let ours: Vec<&Op> = history
            .ops
            .iter()
            .filter(|op| op.service == service)
            .collect();
        for op in &ours {
            court.command(op, journal, &effects);
        }
        court.order(&ours, &effects);
        court.strangers(&ours, &effects);
        court.streams(service, journal);
        court.exchange(service, logs);
    }
    for read in history.reads.iter().filter(|read| read.found < read.least) {
        court.violated("a read never goes back", format!("{read:?}"));
    }
    court.promises(logs);
    court.flags(&logs.journals.acquisition);
    court.violations
}

/// The commits that stand, by request.
fn effects(journal: &[Judged]) -> HashMap<Uuid, Vec<Effect<'_>>> {
    let mut effects: HashMap<Uuid, Vec<Effect<'_>>> = HashMap::new();
    for (partition, judged) in journal.iter().enumerate() {
        for (offset, commit) in &judged.accepted {
            effects.entry(commit.request_id).or_default().push(Effect {
                partition,
                offset: *offset,
                commit,
            });
        }
    }
    effects
}

impl Effect<'_> {
    fn root(&self) -> String {
        let first = self.commit.appends.first();
        first
            .map(|append| append.stream.to_string())
            .unwrap_or_default()
    }
}

struct Court {
    violations: Vec<Violation>,
}

impl Court {
    fn violated(&mut self, check: &'static str, what: String) {
        self.violations.push(Violation { check, what });
    }

    fn command(&mut self, op: &Op, journal: &[Judged], effects: &HashMap<Uuid, Vec<Effect<'_>>>) {
        let stand = effects.get(&op.request_id).map_or(&[][..], Vec::as_slice);
        let what = || {
            format!(
                "{} {} on {:?}: {:?}",
                op.what, op.request_id, op.root, op.answers
            )
        };
        if stand.len() > 1 {
            self.violated("a request takes effect once", what());
        }
        let effect = stand.first();
        if op.is_done() && effect.is_none() {
            self.violated("what was acknowledged is in the journal", what());
        }
        if op.answers.is_empty() {
            self.violated("every request is answered in the end", format!("{op:?}"));
        }
        if let (Some(effect), Some(root)) = (effect, &op.root)
            && effect.root() != *root
        {
            self.violated("an effect is where it was asked for", what());
        }
        for answer in &op.answers {
            let right = match answer {
                Answer::Done { version, position } => effect.is_none_or(|effect| {
                    let partition = u32::try_from(effect.partition).unwrap_or(u32::MAX);
                    let stood = position.get(partition);
                    let root = effect.root();
                    let shown = journal.get(effect.partition).is_none_or(|judged| {
                        let least = judged.version(&root, effect.offset + 1);
                        let most = judged.version(&root, stood);
                        version.is_none_or(|version| (least..=most).contains(&version))
                    });
                    stood > effect.offset && shown
                }),
                Answer::Stale { sent, current } => current > sent && effect.is_none(),
                // Nothing that these clients ask for may be refused.
                Answer::Refused(_) => false,
            };
            if !right {
                self.violated("an answer is true when it is given", what());
            }
        }
    }

    /// What was acknowledged before something else was asked for stands before it.
    fn order(&mut self, ops: &[&Op], effects: &HashMap<Uuid, Vec<Effect<'_>>>) {
        let mut streams: BTreeMap<String, Vec<(Offset, &Op)>> = BTreeMap::new();
        for op in ops {
            if let Some(effect) = effects.get(&op.request_id).and_then(|stand| stand.first()) {
                let stream = streams.entry(effect.root()).or_default();
                stream.push((effect.offset, op));
            }
        }
        for (stream, mut commands) in streams {
            commands.sort_by_key(|(offset, _)| *offset);
            let mut latest = Duration::ZERO;
            for (_, op) in commands {
                if op.heard.is_some_and(|heard| heard < latest) {
                    let what = format!("{stream}: {} {}", op.what, op.request_id);
                    self.violated("the journal has the order of the acknowledgements", what);
                }
                latest = latest.max(op.asked);
            }
        }
    }

    fn strangers(&mut self, ops: &[&Op], effects: &HashMap<Uuid, Vec<Effect<'_>>>) {
        let asked: HashSet<Uuid> = ops.iter().map(|op| op.request_id).collect();
        for (request_id, stand) in effects {
            let is_ours = stand.iter().any(|effect| effect.commit.actor == ACTOR);
            if is_ours && !asked.contains(request_id) {
                self.violated(
                    "nothing happens that nobody asked for",
                    request_id.to_string(),
                );
            }
        }
    }

    fn streams(&mut self, service: Service, journal: &[Judged]) {
        let mut seen = HashMap::new();
        for (partition, judged) in journal.iter().enumerate() {
            for stream in judged.versions.keys() {
                if seen.insert(stream, partition).is_some() {
                    let what = format!("{} has {stream} twice", service.name());
                    self.violated("a stream is in one partition", what);
                }
            }
        }
    }

    /// What happened is what was published is what was received: each once, in order, with its effects.
    fn exchange(&mut self, service: Service, logs: &Logs) {
        for (partition, journal) in logs.journals.of(service).iter().enumerate() {
            let told = &journal.published;
            let public = logs
                .public
                .of(service)
                .get(partition)
                .map_or(&[][..], Vec::as_slice);
            let taken = logs.journals.of(service.other()).get(partition);
            let taken = taken.map_or(&[][..], |judged| judged.received.as_slice());
            let published = told.len() == public.len()
                && told.iter().zip(public).all(|(told, event)| {
                    told.event_id == event.event_id
                        && told.kind == event.kind
                        && told.subject == event.subject
                        && told.payload == event.payload[..]
                });
            if !published {
                let what = format!("{} partition {partition}", service.name());
                self.violated("what happened is published once, in order", what);
            }
            let received = told.len() == taken.len()
                && (1..).zip(told).zip(taken).all(|((sequence, told), event)| {
                    sequence == event.sequence
                        && told.event_id == event.event_id
                        && told.payload == event.payload
                        && matches!(
                            event.outcome,
                            Some(Outcome::Applied(_) | Outcome::Skipped(_))
                        )
                });
            if !received {
                let what = format!("{} partition {partition}", service.name());
                self.violated("what was published is received once, in order", what);
            }
        }
    }

    /// What was promised at a conversion stands in retention, and what became of it is known in acquisition.
    fn promises(&mut self, logs: &Logs) {
        let Both {
            acquisition,
            retention,
        } = &logs.journals;
        let mut promised: Vec<String> = Vec::new();
        let converted = acquisition.iter().flat_map(|judged| &judged.published);
        for event in converted.filter(|event| event.kind.ends_with(".ProspectConverted")) {
            let Ok(event) = ProspectConverted::decode(&event.payload[..]) else {
                self.violated("events can be read", event.event_id.clone());
                continue;
            };
            let of = |promise: &str| format!("{}/promises/{promise}", event.customer);
            promised.extend(event.promises.iter().map(|terms| of(&terms.promise_id)));
        }
        let there = tallied(retention.iter().flat_map(|judged| {
            let told = judged.published.iter();
            told.map(|event| (event.kind.as_str(), &event.payload[..]))
        }));
        let here = tallied(acquisition.iter().flat_map(|judged| {
            let taken = judged.received.iter();
            taken.map(|event| (event.r#type.as_str(), &event.payload[..]))
        }));
        for promise in promised {
            if !there.get(&promise).is_some_and(|fate| fate.at_conversion) {
                self.violated("a conversion's promises are made", promise);
            }
        }
        if there != here {
            let differs = there
                .iter()
                .find(|(name, fate)| here.get(*name) != Some(fate));
            self.violated(
                "both services agree on every promise",
                format!("{differs:?}"),
            );
        }
    }

    /// A policy acts once.
    fn flags(&mut self, acquisition: &[Judged]) {
        let flagged = acquisition.iter().flat_map(|judged| &judged.published);
        let flagged = flagged.filter(|event| event.kind.ends_with(".PresentationFlagged"));
        if flagged.count() > 1 {
            self.violated(
                "a policy acts once",
                "the presentation is flagged twice".to_owned(),
            );
        }
    }
}

/// A promise as its events tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) at_conversion: bool,
    /// The kinds of its events, in order.
    pub(crate) told: Vec<String>,
}

/// Every promise, as these events of retention tell it.
pub(crate) fn tallied<'a>(
    events: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> BTreeMap<String, Fate> {
    let mut promises: BTreeMap<String, Fate> = BTreeMap::new();
    for (kind, payload) in events {
        let Some(kind) = kind.strip_prefix("patron.retention.v1.Promise") else {
            continue;
        };
        let Some((name, at_conversion)) = named(kind, payload) else {
            continue;
        };
        let fate = promises.entry(name).or_default();
        fate.at_conversion |= at_conversion;
        fate.told.push(kind.to_owned());
    }
    promises
}

/// Which promise the event is about, and whether it made it with the conversion.
fn named(kind: &str, payload: &[u8]) -> Option<(String, bool)> {
    if kind == "Made" {
        let event = ret::PromiseMade::decode(payload).ok()?;
        return Some((event.promise, event.at_conversion));
    }
    // What all other events of a promise have in common is all that this one has.
    let event = ret::PromiseRepaired::decode(payload).ok()?;
    Some((event.promise, false))
}

#[cfg(test)]
mod tests;
