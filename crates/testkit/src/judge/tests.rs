//! Histories and logs that are wrong in one way each, and what the judge says of them.

use std::time::Duration;

use eventsourcing::Time;
use journal::{AppendTo, Commit, Event, Position, Record, Stored, StreamId};
use patron_proto::journal::v1::received::Outcome;
use patron_proto::journal::v1::{Applied, Parked, Received};
use patron_proto::retention::v1::PromiseMade;
use prost::Message as _;
use runtime::Foreign;
use uuid::Uuid;

use super::judge;
use crate::history::{Answer, History, Op, Read};
use crate::instance::{Both, Service};
use crate::logs::{Judged, Logs};
use crate::session::ACTOR;

const JOURNAL: Uuid = Uuid::from_u128(1);
const CUSTOMER: &str = "customers/a";

fn promised() -> Event {
    let event = PromiseMade {
        promise: format!("{CUSTOMER}/promises/p"),
        ..PromiseMade::default()
    };
    Event {
        kind: "patron.retention.v1.PromiseMade".to_owned(),
        schema: 1,
        public: true,
        payload: event.encode_to_vec().into(),
    }
}

fn commit(request: u128, expected_version: u64) -> Commit {
    Commit {
        commit_id: Uuid::from_u128(request + 1_000),
        request_id: Uuid::from_u128(request),
        fingerprint: [0; 16],
        actor: ACTOR.to_owned(),
        time: Time::EPOCH,
        trace_context: String::new(),
        appends: vec![AppendTo {
            stream: StreamId::new(CUSTOMER).unwrap(),
            expected_version,
            events: vec![promised()],
        }],
    }
}

/// The records of a partition, judged.
fn judged(commits: &[Commit]) -> Judged {
    let record = |(offset, commit): (u64, &Commit)| Stored {
        offset,
        time: Time::EPOCH,
        record: Record::value(journal::encode_commit(commit)),
    };
    Judged::of(&(0..).zip(commits).map(record).collect::<Vec<_>>())
}

/// What retention told, as acquisition took it and as the public topic shows it.
fn logs(commits: &[Commit]) -> Logs {
    let journal = judged(commits);
    let told = (1..).zip(&journal.published);
    let received: Vec<Received> = told
        .clone()
        .map(|(sequence, event)| Received {
            sequence,
            event_id: event.event_id.clone(),
            r#type: event.kind.clone(),
            subject: event.subject.clone(),
            payload: event.payload.clone().into(),
            outcome: Some(Outcome::Applied(Applied {})),
            ..Received::default()
        })
        .collect();
    let public = told.map(|(sequence, event)| Foreign {
        topic: Service::Retention.events(),
        partition: 0,
        offset: sequence - 1,
        sequence,
        event_id: event.event_id.clone(),
        kind: event.kind.clone(),
        schema: 1,
        subject: event.subject.clone(),
        time: Time::EPOCH,
        recorded_at: Time::EPOCH,
        journal: JOURNAL,
        journal_offset: 0,
        journal_index: 0,
        payload: event.payload.clone().into(),
    });
    let public = vec![public.collect()];
    let there = Judged {
        received,
        ..Judged::default()
    };
    Logs {
        journals: Both {
            acquisition: vec![there],
            retention: vec![journal],
        },
        public: Both {
            acquisition: vec![Vec::new()],
            retention: public,
        },
    }
}

fn done(version: u64, stood: u64) -> Answer {
    Answer::Done {
        version: Some(version),
        position: Position {
            journal: JOURNAL,
            offsets: vec![stood],
        },
    }
}

/// A command that was asked for and answered at these seconds.
fn op(request: u128, asked: u64, heard: u64, answer: Answer) -> Op {
    Op {
        service: Service::Retention,
        what: "MakePromise",
        root: Some(CUSTOMER.to_owned()),
        request_id: Uuid::from_u128(request),
        asked: Duration::from_secs(asked),
        sent: 1,
        slept: Duration::ZERO,
        heard: Some(Duration::from_secs(heard)),
        answers: vec![answer],
        trouble: String::new(),
    }
}

/// Two commands, one after the other, and all is well.
fn sound() -> (History, Vec<Commit>) {
    let history = History {
        ops: vec![op(1, 0, 1, done(1, 1)), op(2, 2, 3, done(2, 2))],
        reads: Vec::new(),
    };
    (history, vec![commit(1, 0), commit(2, 1)])
}

#[track_caller]
fn notices(history: &History, logs: &Logs, check: &str) {
    let found = judge(history, logs);
    assert!(
        found.iter().any(|violation| violation.check == check),
        "{check:?} is not among {found:#?}"
    );
}

#[test]
fn a_sound_run_has_nothing_to_be_said_against_it() {
    let (history, commits) = sound();
    assert_eq!(judge(&history, &logs(&commits)), []);
}

#[test]
fn an_acknowledged_command_that_is_lost_is_noticed() {
    let (history, commits) = sound();
    let lost = logs(&commits[..1]);
    notices(&history, &lost, "what was acknowledged is in the journal");
}

#[test]
fn one_that_the_rule_ignored_is_lost_as_well() {
    let (history, commits) = sound();
    let late = [commits[0].clone(), commit(2, 0)];
    notices(
        &history,
        &logs(&late),
        "what was acknowledged is in the journal",
    );
}

#[test]
fn a_request_that_takes_effect_twice_is_noticed() {
    let (history, mut commits) = sound();
    commits.push(commit(2, 2));
    notices(&history, &logs(&commits), "a request takes effect once");
}

#[test]
fn an_answer_with_a_version_that_never_was_is_noticed() {
    let (mut history, commits) = sound();
    history.ops[1].answers = vec![done(3, 2)];
    notices(
        &history,
        &logs(&commits),
        "an answer is true when it is given",
    );
}

#[test]
fn an_answer_from_before_its_own_effect_is_noticed() {
    let (mut history, commits) = sound();
    history.ops[1].answers = vec![done(2, 1)];
    notices(
        &history,
        &logs(&commits),
        "an answer is true when it is given",
    );
}

#[test]
fn a_refusal_without_a_reason_is_noticed() {
    let (mut history, commits) = sound();
    let refused = Answer::Refused("NOT_FOUND".to_owned());
    history.ops.push(op(3, 4, 5, refused));
    notices(
        &history,
        &logs(&commits),
        "an answer is true when it is given",
    );
}

#[test]
fn an_etag_that_was_called_stale_by_a_replica_that_lags_is_noticed() {
    let (mut history, commits) = sound();
    let stale = Answer::Stale {
        sent: 2,
        current: 1,
    };
    history.ops.push(op(3, 4, 5, stale));
    notices(
        &history,
        &logs(&commits),
        "an answer is true when it is given",
    );
}

#[test]
fn an_order_that_is_not_that_of_the_acknowledgements_is_noticed() {
    let (mut history, commits) = sound();
    history.ops[0].asked = Duration::from_secs(7);
    history.ops[0].heard = Some(Duration::from_secs(8));
    let check = "the journal has the order of the acknowledgements";
    notices(&history, &logs(&commits), check);
}

#[test]
fn a_read_that_goes_back_is_noticed() {
    let (mut history, commits) = sound();
    history.reads.push(Read {
        root: CUSTOMER.to_owned(),
        least: 2,
        found: 1,
    });
    notices(&history, &logs(&commits), "a read never goes back");
}

#[test]
fn an_effect_that_nobody_asked_for_is_noticed() {
    let (history, mut commits) = sound();
    commits.push(commit(9, 2));
    notices(
        &history,
        &logs(&commits),
        "nothing happens that nobody asked for",
    );
}

#[test]
fn an_event_that_was_not_published_is_noticed() {
    let (history, commits) = sound();
    let mut logs = logs(&commits);
    logs.public.retention[0].pop();
    notices(&history, &logs, "what happened is published once, in order");
}

#[test]
fn events_that_were_received_out_of_order_are_noticed() {
    let (history, commits) = sound();
    let mut logs = logs(&commits);
    logs.journals.acquisition[0].received.swap(0, 1);
    notices(
        &history,
        &logs,
        "what was published is received once, in order",
    );
}

#[test]
fn an_event_that_was_received_twice_is_noticed() {
    let (history, commits) = sound();
    let mut logs = logs(&commits);
    let again = logs.journals.acquisition[0].received[1].clone();
    logs.journals.acquisition[0].received.push(again);
    notices(
        &history,
        &logs,
        "what was published is received once, in order",
    );
    notices(&history, &logs, "both services agree on every promise");
}

#[test]
fn an_event_that_was_parked_is_noticed() {
    let (history, commits) = sound();
    let mut logs = logs(&commits);
    let parked = Outcome::Parked(Parked::default());
    logs.journals.acquisition[0].received[0].outcome = Some(parked);
    notices(
        &history,
        &logs,
        "what was published is received once, in order",
    );
}

#[test]
fn a_request_without_an_answer_is_noticed() {
    let (mut history, commits) = sound();
    history.ops[1].answers.clear();
    notices(
        &history,
        &logs(&commits),
        "every request is answered in the end",
    );
}

#[test]
fn a_stream_in_two_partitions_is_noticed() {
    let (history, commits) = sound();
    let mut logs = logs(&commits);
    logs.journals.retention.push(judged(&[commit(9, 0)]));
    notices(&history, &logs, "a stream is in one partition");
}
