//! Sends the rows of a file in batches, several at once, and keeps count of what became of them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::stream::{self, StreamExt as _};
use indicatif::{ProgressBar, ProgressStyle};
use prost::Message;
use serde::Serialize;
use tonic::{Code, Status};
use uuid::Uuid;

use super::REQUESTS;
use super::rejects::Rejects;
use crate::connect::{request_id, said};
use crate::show::{counted, grouped};

/// How long to wait before a request goes again: an instance that restarts is back by then.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// A row of a file.
pub(crate) trait Row {
    /// Its line in the file.
    fn line(&self) -> u64;

    /// Whether it has to wait for the row before it, because both say something of one subject.
    fn follows(&self, _before: &Self) -> bool {
        false
    }
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answered {
    Recorded,
    /// It was in before.
    Unchanged,
    /// It does not go in, for this reason.
    Rejected(String),
    /// It did not go in with this batch once, for a reason that is gone.
    RefusedBefore(String),
    /// It could not be decided, for a reason that has nothing to do with the row: it goes again.
    Undecided(Code, String),
}

/// What an import came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Outcome {
    pub(crate) recorded: u64,
    /// In before.
    pub(crate) unchanged: u64,
    pub(crate) rejected: u64,
    pub(crate) rejects: Option<PathBuf>,
}

/// How rows are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// What the rows are, in words: `purchases`.
    pub(crate) noun: &'static str,
    /// Rows of one batch; with 1, rows that follow each other make one, whose rows go one after the other.
    pub(crate) batch: usize,
    /// Batches under way at once.
    pub(crate) at_once: usize,
}

/// Puts the rows of each subject together, subjects in the order in which they first appear, and the rows of
/// one in their order: a batch of a few subjects is a few commits.
pub(crate) fn together<R>(rows: Vec<R>, subject: impl Fn(&R) -> &str) -> Vec<R> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut place_of = |row| {
        let next = places.len();
        *places.entry(subject(row)).or_insert(next)
    };
    let placed: Vec<usize> = rows.iter().map(&mut place_of).collect();
    let mut placed: Vec<(usize, R)> = placed.into_iter().zip(rows).collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, row)| row).collect()
}

/// Sends all rows, with a progress bar on a terminal. `send` says for each row of a batch what became of it.
/// What was rejected is written down, even if the rest could not be sent.
pub(crate) async fn send_all<'a, R, F, S>(
    rows: &'a [R],
    pace: Pace,
    mut rejects: Rejects,
    send: F,
) -> anyhow::Result<Outcome>
where
    R: Row,
    F: Fn(&'a [R]) -> S,
    S: Future<Output = anyhow::Result<Vec<Answered>>>,
{
    let batches: Vec<&[R]> = if pace.batch == 1 {
        rows.chunk_by(|before, row| row.follows(before)).collect()
    } else {
        rows.chunks(pace.batch).collect()
    };
    let bar = bar(rows.len(), pace.noun);
    let sending = batches.iter().copied().map(send);
    let mut sent = stream::iter(sending).buffered(pace.at_once);
    let mut outcome = Outcome::default();
    let mut done = Ok(());
    for batch in &batches {
        let answers = match sent.next().await {
            Some(Ok(answers)) => answers,
            Some(Err(stopped)) => {
                done = Err(stopped);
                break;
            }
            None => break,
        };
        for (row, answered) in batch.iter().zip(answers) {
            match answered {
                Answered::Recorded => outcome.recorded += 1,
                Answered::Unchanged => outcome.unchanged += 1,
                Answered::Rejected(why) | Answered::RefusedBefore(why) => {
                    rejects.add(row.line(), why);
                }
                Answered::Undecided(code, why) => done = Err(stopped(&Status::new(code, why))),
            }
        }
        bar.inc(batch.len() as u64);
        if done.is_err() {
            break;
        }
    }
    bar.finish_and_clear();
    outcome.rejected = rejects.count();
    outcome.rejects = rejects.finish()?;
    done.map(|()| outcome)
}

/// Sends items as one request, whose id is made of all that they say: the same batch again is the same
/// request, a corrected one is another. Items that this request refused once, for reasons that are gone, go
/// again in a new one; their own ids keep that harmless.
pub(super) async fn send_batch<I, F, S>(items: Vec<I>, ask: F) -> anyhow::Result<Vec<Answered>>
where
    I: Message + Clone,
    F: Fn(Vec<I>, String) -> S,
    S: Future<Output = Result<Vec<Answered>, Status>>,
{
    let mut answers = ask_until_decided(&items, &id_of(&items), &ask).await?;
    let refused = |answered: &Answered| matches!(answered, Answered::RefusedBefore(_));
    let again = items.into_iter().zip(&answers);
    let again: Vec<I> = again
        .filter(|(_, answered)| refused(answered))
        .map(|(item, _)| item)
        .collect();
    if again.is_empty() {
        return Ok(answers);
    }
    let places = answers.iter_mut().filter(|answered| refused(answered));
    for (place, answered) in places.zip(ask_until_decided(&again, &request_id(), &ask).await?) {
        *place = answered;
    }
    Ok(answers)
}

/// Sends one request until all its items are decided, or for as many times as one may hope. The request that
/// comes again finds what is in already, so what it was told first of an item is what counts.
async fn ask_until_decided<I, F, S>(
    items: &[I],
    request_id: &str,
    ask: &F,
) -> anyhow::Result<Vec<Answered>>
where
    I: Clone,
    F: Fn(Vec<I>, String) -> S,
    S: Future<Output = Result<Vec<Answered>, Status>>,
{
    let undecided = |answered: &Answered| matches!(answered, Answered::Undecided(..));
    let mut answers: Option<Vec<Answered>> = None;
    for pause in PAUSES.map(Some).into_iter().chain([None]) {
        let told = match ask(items.to_vec(), request_id.to_owned()).await {
            Ok(told) => told,
            // What was decided of some items is not thrown away.
            Err(status) if pause.is_none() || !may_pass(&status) => {
                return answers.ok_or_else(|| stopped(&status));
            }
            Err(_) => Vec::new(),
        };
        ensure!(
            told.is_empty() || told.len() == items.len(),
            "the service answered {} of {} rows",
            told.len(),
            items.len()
        );
        match &mut answers {
            Some(answers) => {
                let news = answers.iter_mut().zip(told);
                news.filter(|(before, _)| undecided(before))
                    .for_each(|(before, now)| *before = now);
            }
            None if told.is_empty() => {}
            None => answers = Some(told),
        }
        if answers
            .as_ref()
            .is_some_and(|all| !all.iter().any(undecided))
        {
            break;
        }
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
    }
    answers.context("the service answered nothing, again and again")
}

/// Asks once more, a few times, when what is in the way may pass.
pub(super) async fn patiently<C: Clone, Q: Clone, T>(
    client: &C,
    request: Q,
    ask: impl AsyncFn(C, Q) -> Result<T, Status>,
) -> Result<T, Status> {
    for pause in PAUSES {
        match ask(client.clone(), request.clone()).await {
            Err(status) if may_pass(&status) => tokio::time::sleep(pause).await,
            told => return told,
        }
    }
    ask(client.clone(), request).await
}

/// The id of the request that sends these items.
pub(super) fn id_of<M: Message>(items: &[M]) -> String {
    let mut said = blake3::Hasher::new();
    for item in items {
        let bytes = item.encode_to_vec();
        said.update(&(bytes.len() as u64).to_le_bytes())
            .update(&bytes);
    }
    Uuid::new_v5(&REQUESTS, said.finalize().as_bytes()).to_string()
}

/// What became of an item of a batch, as the services say it.
pub(super) fn answered(code: i32, unchanged: bool, reason: &str, message: &str) -> Answered {
    let code = Code::from_i32(code);
    match reason {
        _ if code == Code::Ok && unchanged => Answered::Unchanged,
        _ if code == Code::Ok => Answered::Recorded,
        "REFUSED_BEFORE" => Answered::RefusedBefore(format!("{message} ({reason})")),
        _ if is_about_the_row(code, reason) => Answered::Rejected(format!("{message} ({reason})")),
        _ => Answered::Undecided(code, format!("{message} ({reason})")),
    }
}

/// Why a row is rejected, if it is about the row; anything else ends the import.
pub(super) fn rejected(status: &Status) -> anyhow::Result<String> {
    let reason = server::reason(status);
    if is_about_the_row(status.code(), &reason) {
        return Ok(format!("{} ({reason})", status.message()));
    }
    Err(stopped(status))
}

/// Whether what was sent is why it was not accepted; otherwise something was in the way that passes, or that an
/// operator has to mend.
fn is_about_the_row(code: Code, reason: &str) -> bool {
    match code {
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange => true,
        Code::ResourceExhausted => matches!(reason, "LIMIT_EXCEEDED" | "TOO_LARGE"),
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::PermissionDenied
        | Code::Aborted
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => false,
    }
}

/// Whether a call that failed like this may succeed in a moment.
fn may_pass(status: &Status) -> bool {
    let code = status.code();
    let passing = [
        Code::Unavailable,
        Code::DeadlineExceeded,
        Code::Aborted,
        Code::ResourceExhausted,
        // A connection that breaks off.
        Code::Unknown,
        Code::Cancelled,
    ];
    passing.contains(&code) && !is_about_the_row(code, &server::reason(status))
}

/// A call that could not be made: nothing is lost, the same command goes on from here.
pub(crate) fn stopped(status: &Status) -> anyhow::Error {
    said(status).context("the import stopped; run the same command again to go on")
}

/// An import's outcome in words.
pub(crate) fn summary(outcome: &Outcome, noun: &str) -> String {
    let mut parts = vec![format!("{} recorded", counted(outcome.recorded, noun))];
    if outcome.unchanged > 0 {
        let verb = if outcome.unchanged == 1 {
            "was"
        } else {
            "were"
        };
        let number = grouped(&outcome.unchanged.to_string());
        parts.push(format!("{number} {verb} in before"));
    }
    if let Some(rejects) = &outcome.rejects {
        let rejected = counted(outcome.rejected, "rows");
        let file = rejects.display();
        parts.push(format!("{rejected} rejected, with reasons in {file}"));
    }
    parts.join("; ")
}

fn bar(rows: usize, noun: &str) -> ProgressBar {
    let bar = ProgressBar::new(rows as u64);
    let template =
        format!("{{bar:40}} {{human_pos}}/{{human_len}} {noun}, {{per_sec}}, {{eta}} left");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use patron_proto::retention::v1::PurchaseItem;

    use tonic::{Code, Status};

    use super::{Answered, answered, id_of, send_batch, together};

    fn item(external_id: &str) -> PurchaseItem {
        PurchaseItem {
            external_id: external_id.to_owned(),
            ..PurchaseItem::default()
        }
    }

    #[test]
    fn the_id_of_a_request_covers_all_that_it_says() {
        let id = |items: &[PurchaseItem]| id_of(items);
        assert_eq!(id(&[item("a"), item("b")]), id(&[item("a"), item("b")]));
        assert_ne!(id(&[item("a"), item("b")]), id(&[item("a"), item("c")]));
        let dated = PurchaseItem {
            acquired_at: Some(prost_types::Timestamp::default()),
            ..item("b")
        };
        assert_ne!(id(&[item("a"), item("b")]), id(&[item("a"), dated]));
    }

    #[tokio::test]
    async fn what_was_refused_for_a_reason_that_is_gone_is_sent_once_more() {
        let asked = RefCell::new(Vec::new());
        let answers = send_batch(vec![item("a"), item("b"), item("c")], |items, id| {
            let names: Vec<String> = items.into_iter().map(|item| item.external_id).collect();
            let is_first = names.len() == 3;
            asked.borrow_mut().push((names, id));
            async move {
                Ok(if is_first {
                    vec![
                        answered(0, true, "", ""),
                        answered(9, false, "REFUSED_BEFORE", "again"),
                        answered(3, false, "CURRENCY_MISMATCH", "no"),
                    ]
                } else {
                    vec![Answered::Recorded]
                })
            }
        });
        let answers = answers.await.unwrap();
        let refused = Answered::Rejected("no (CURRENCY_MISMATCH)".to_owned());
        assert_eq!(answers, [Answered::Unchanged, Answered::Recorded, refused]);
        let asked = asked.into_inner();
        assert_eq!(asked[1].0, ["b"]);
        assert_ne!(asked[0].1, asked[1].1);
        assert_eq!(asked.len(), 2);
    }

    /// Sends a batch to a service that says these things, one after the other, and how often it was asked.
    async fn told(
        script: Vec<Result<Vec<Answered>, Status>>,
    ) -> (anyhow::Result<Vec<Answered>>, u32) {
        let script = RefCell::new(script.into_iter());
        let ids = RefCell::new(Vec::new());
        let answers = send_batch(vec![item("a"), item("b")], |_, id| {
            ids.borrow_mut().push(id);
            let next = script.borrow_mut().next();
            async move { next.unwrap_or_else(|| Err(Status::unavailable("away"))) }
        });
        let answers = answers.await;
        let ids = ids.into_inner();
        assert!(ids.iter().all(|id| *id == ids[0]), "it is the same request");
        (answers, u32::try_from(ids.len()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_decided_goes_again_and_is_never_rejected() {
        let late = || answered(4, false, "DEADLINE", "late");
        let answers = told(vec![
            Ok(vec![answered(0, false, "", ""), late()]),
            Err(Status::unavailable("restarts")),
            Ok(vec![answered(0, true, "", ""), answered(0, false, "", "")]),
        ]);
        let (answers, asked) = answers.await;
        assert_eq!(
            answers.unwrap(),
            [Answered::Recorded, Answered::Recorded],
            "what the first answer recorded is no news to the second, and counts as recorded"
        );
        assert_eq!(asked, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn who_stays_away_ends_the_import_after_a_few_times() {
        let (answers, asked) = told(Vec::new()).await;
        assert!(
            answers
                .unwrap_err()
                .to_string()
                .contains("the same command")
        );
        assert_eq!(asked, 6);
        let late = || Ok(vec![answered(14, false, "OUTCOME_UNKNOWN", "who knows"); 2]);
        let (answers, asked) = told((0..9).map(|_| late()).collect()).await;
        let unknown =
            Answered::Undecided(Code::Unavailable, "who knows (OUTCOME_UNKNOWN)".to_owned());
        assert_eq!((answers.unwrap(), asked), (vec![unknown; 2], 6));
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_pass_is_not_tried_again() {
        let (answers, asked) = told(vec![Err(Status::unimplemented("what is that"))]).await;
        assert!(answers.is_err());
        assert_eq!(asked, 1);
    }

    #[test]
    fn a_row_is_rejected_for_what_it_says_alone() {
        let is_rejected = |code: Code, reason| {
            matches!(
                answered(code as i32, false, reason, "no"),
                Answered::Rejected(_)
            )
        };
        assert!(is_rejected(Code::FailedPrecondition, "CUSTOMER_ERASED"));
        assert!(is_rejected(Code::ResourceExhausted, "LIMIT_EXCEEDED"));
        assert!(!is_rejected(Code::ResourceExhausted, "OVERLOADED"));
        assert!(!is_rejected(Code::Aborted, "CONFLICT"));
        assert!(!is_rejected(Code::Internal, "FAULT"));
    }

    #[test]
    fn rows_of_a_subject_come_together_and_stay_in_their_order() {
        let rows = [("b", 1), ("a", 2), ("b", 3), ("c", 4), ("a", 5), ("b", 6)];
        let sorted = together(rows.to_vec(), |(subject, _)| subject);
        let expected = [("b", 1), ("b", 3), ("b", 6), ("a", 2), ("a", 5), ("c", 4)];
        assert_eq!(sorted, expected);
    }
}
