//! `patron import promises`: what customers of another system were promised and still expect.

use std::path::{Path, PathBuf};

use csv::StringRecord;
use eventsourcing::Time;
use patron_proto::retention::v1::{GetPromiseRequest, MakePromiseRequest, Promise};
use patron_proto::types::v1::PromiseTerms;
use server::timestamp;
use tonic::Code;

use super::customers::{name_of, request_id};
use super::file::{self, Reader};
use super::heading::Heading;
use super::send::{Answered, Outcome, Pace, Row, patiently, rejected, send_all, stopped, together};
use super::values::{self, field, optional};
use crate::connect::{Retention, Services};

/// Which promises.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) services: Services,
    /// A CSV file with the columns `customer_id`, `promise_id`, `proposition`, `benefit_id`, `expectation`,
    /// `expected_score` (1 to 7), `importance` (0 to 100), and if you have them `due_at` (or `due_date`),
    /// `presentation_id`, `made_by`. The promises are made now.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

pub(crate) const PACE: Pace = Pace {
    noun: "promises",
    batch: 1,
    at_once: 64,
};

const EXPECTED: &str = "expected customer_id, promise_id, proposition, benefit_id, expectation, expected_score, \
     importance, and optionally due_at (or due_date), presentation_id, made_by";

/// A promise as the file has it.
#[derive(Debug, Clone, PartialEq)]
struct PromiseRow {
    line: u64,
    customer: String,
    promise: Promise,
}

/// Reads the file and makes the promises.
pub(crate) async fn import(retention: &Retention, path: &Path) -> anyhow::Result<Outcome> {
    let (rows, rejects) = file::read(path, RowReader::new)?;
    let rows = together(rows, |row| &row.customer);
    let send = |batch| send(retention.clone(), batch);
    send_all(&rows, PACE, rejects, send).await
}

async fn send(mut retention: Retention, batch: &[PromiseRow]) -> anyhow::Result<Vec<Answered>> {
    let mut answers = Vec::with_capacity(batch.len());
    for row in batch {
        let is_known = is_known(&mut retention, row).await?;
        let made = patiently(
            &retention.promises,
            request(row),
            async |mut client, request| client.make_promise(request).await,
        )
        .await;
        answers.push(match made {
            Ok(_) if is_known => Answered::Unchanged,
            Ok(_) => Answered::Recorded,
            Err(status) => Answered::Rejected(rejected(&status)?),
        });
    }
    Ok(answers)
}

async fn is_known(retention: &mut Retention, row: &PromiseRow) -> anyhow::Result<bool> {
    let promise_id = row
        .promise
        .terms
        .as_ref()
        .map(|terms| terms.promise_id.as_str());
    let asked = GetPromiseRequest {
        name: format!(
            "{}/promises/{}",
            row.customer,
            promise_id.unwrap_or_default()
        ),
        ..Default::default()
    };
    match patiently(&retention.promises, asked, async |mut client, request| {
        client.get_promise(request).await
    })
    .await
    {
        Ok(_) => Ok(true),
        // A name that cannot be one is refused for what it is when the promise is made.
        Err(status) if matches!(status.code(), Code::NotFound | Code::InvalidArgument) => Ok(false),
        Err(status) => Err(stopped(&status)),
    }
}

/// The same row is always the same request.
fn request(row: &PromiseRow) -> MakePromiseRequest {
    let promise = format!("{:?}", row.promise);
    MakePromiseRequest {
        parent: row.customer.clone(),
        promise: Some(row.promise.clone()),
        request_id: request_id(&["promise", &row.customer, &promise]),
        ..Default::default()
    }
}

impl Row for PromiseRow {
    fn line(&self) -> u64 {
        self.line
    }

    fn follows(&self, before: &Self) -> bool {
        self.customer == before.customer
    }
}

#[derive(Debug)]
struct RowReader {
    customer_id: usize,
    promise_id: usize,
    proposition: usize,
    benefit_id: usize,
    expectation: usize,
    expected_score: usize,
    importance: usize,
    due_at: Option<usize>,
    presentation_id: Option<usize>,
    made_by: Option<usize>,
    ignored: Vec<String>,
}

impl RowReader {
    fn new(names: &[&str]) -> Result<Self, String> {
        let mut heading = Heading::new(names, EXPECTED);
        Ok(Self {
            customer_id: heading.need(&["customer_id"])?,
            promise_id: heading.need(&["promise_id"])?,
            proposition: heading.need(&["proposition"])?,
            benefit_id: heading.need(&["benefit_id"])?,
            expectation: heading.need(&["expectation"])?,
            expected_score: heading.need(&["expected_score"])?,
            importance: heading.need(&["importance"])?,
            due_at: heading.find(&["due_at", "due_date"])?,
            presentation_id: heading.find(&["presentation_id"])?,
            made_by: heading.find(&["made_by"])?,
            ignored: heading.ignored(),
        })
    }
}

impl Reader for RowReader {
    type Row = PromiseRow;

    fn read(&mut self, line: u64, record: &StringRecord) -> Result<PromiseRow, String> {
        let number = |column: &str, place| {
            let text = field(record, place);
            text.parse::<i32>()
                .map_err(|_| format!("{column} {text:?} is not a whole number"))
        };
        let text = |place| field(record, place).to_owned();
        let due_at: Option<Result<Time, String>> =
            optional(record, self.due_at).map(values::moment);
        let terms = PromiseTerms {
            promise_id: text(self.promise_id),
            benefit_id: text(self.benefit_id),
            expectation: text(self.expectation),
            expected_score: number("expected_score", self.expected_score)?,
            importance: number("importance", self.importance)?,
            due_at: due_at.transpose()?.map(timestamp),
        };
        let maybe = |place| optional(record, place).unwrap_or_default().to_owned();
        Ok(PromiseRow {
            line,
            customer: name_of(field(record, self.customer_id))?,
            promise: Promise {
                terms: Some(terms),
                proposition: values::proposition(field(record, self.proposition)),
                presentation_id: maybe(self.presentation_id),
                made_by: maybe(self.made_by),
                ..Default::default()
            },
        })
    }

    fn ignored(&self) -> &[String] {
        &self.ignored
    }
}
