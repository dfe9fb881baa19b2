//! Sends the rows of a file in batches, several at once, and keeps count of what became of them.

use std::collections::HashMap;
use std::path::PathBuf;

use futures::stream::{self, StreamExt as _};
use indicatif::{ProgressBar, ProgressStyle};
use prost::Message;
use serde::Serialize;
use tonic::Status;
use uuid::Uuid;

use super::REQUESTS;
use super::rejects::Rejects;
use crate::connect::{request_id, said};
use crate::show::{counted, grouped};

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
            }
        }
        bar.inc(batch.len() as u64);
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
    S: Future<Output = anyhow::Result<Vec<Answered>>>,
{
    let mut answers = ask(items.clone(), id_of(&items)).await?;
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
    for (place, answered) in places.zip(ask(again, request_id()).await?) {
        *place = answered;
    }
    Ok(answers)
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
    match (code, reason) {
        (0, _) if unchanged => Answered::Unchanged,
        (0, _) => Answered::Recorded,
        (_, "REFUSED_BEFORE") => Answered::RefusedBefore(format!("{message} ({reason})")),
        _ => Answered::Rejected(format!("{message} ({reason})")),
    }
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

    #[test]
    fn rows_of_a_subject_come_together_and_stay_in_their_order() {
        let rows = [("b", 1), ("a", 2), ("b", 3), ("c", 4), ("a", 5), ("b", 6)];
        let sorted = together(rows.to_vec(), |(subject, _)| subject);
        let expected = [("b", 1), ("b", 3), ("b", 6), ("a", 2), ("a", 5), ("c", 4)];
        assert_eq!(sorted, expected);
    }
}
