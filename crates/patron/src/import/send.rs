//! Sends the rows of a file in batches, several at once, and keeps count of what became of them.

use std::collections::HashMap;
use std::path::PathBuf;

use futures::stream::{self, StreamExt as _};
use indicatif::{ProgressBar, ProgressStyle};
use tonic::Status;

use super::rejects::Rejects;
use crate::connect::said;
use crate::show::grouped;

/// A row of a file.
pub(crate) trait Row {
    /// Its line in the file.
    fn line(&self) -> u64;
    /// The row in words, for the rejects file.
    fn text(&self) -> String;
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answered {
    Recorded,
    /// It was in before.
    Unchanged,
    /// It does not go in, for this reason.
    Rejected(String),
}

/// What an import came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Rows of one batch.
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
    let bar = bar(rows.len(), pace.noun);
    let sending = rows.chunks(pace.batch).map(send);
    let mut sent = stream::iter(sending).buffered(pace.at_once);
    let mut outcome = Outcome::default();
    let mut batches = rows.chunks(pace.batch);
    while let Some(answers) = sent.next().await {
        let batch = batches.next().unwrap_or_default();
        for (row, answered) in batch.iter().zip(answers?) {
            match answered {
                Answered::Recorded => outcome.recorded += 1,
                Answered::Unchanged => outcome.unchanged += 1,
                Answered::Rejected(reason) => rejects.add(row.line(), &reason, &row.text())?,
            }
        }
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    outcome.rejected = rejects.count();
    outcome.rejects = rejects.finish()?;
    Ok(outcome)
}

/// A call that could not be made: nothing is lost, the same command goes on from here.
pub(crate) fn stopped(status: &Status) -> anyhow::Error {
    said(status).context("the import stopped; run the same command again to go on")
}

/// An import's outcome in words.
pub(crate) fn summary(outcome: &Outcome, noun: &str) -> String {
    let count = |number: u64| grouped(&number.to_string());
    let counted = |number: u64, noun: &str| {
        let one = noun.strip_suffix('s').filter(|_| number == 1);
        format!("{} {}", count(number), one.unwrap_or(noun))
    };
    let mut parts = vec![format!("{} recorded", counted(outcome.recorded, noun))];
    if outcome.unchanged > 0 {
        let were = if outcome.unchanged == 1 {
            "was"
        } else {
            "were"
        };
        parts.push(format!("{} {were} in before", count(outcome.unchanged)));
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
    use super::together;

    #[test]
    fn rows_of_a_subject_come_together_and_stay_in_their_order() {
        let rows = [("b", 1), ("a", 2), ("b", 3), ("c", 4), ("a", 5), ("b", 6)];
        let sorted = together(rows.to_vec(), |(subject, _)| subject);
        let expected = [("b", 1), ("b", 3), ("b", 6), ("a", 2), ("a", 5), ("c", 4)];
        assert_eq!(sorted, expected);
    }
}
