//! `patron import prospects`: who may become a customer, by the ids of another system.

use std::path::{Path, PathBuf};

use csv::StringRecord;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use patron_proto::acquisition::v1::{
    CreateProspectRequest, GetProspectRequest, IdentifyProspectRequest, Prospect, ProspectKind,
};
use patron_proto::types::v1::{Identity, IdentityKind};
use tonic::Code;
use uuid::Uuid;

use super::file::{self, Reader};
use super::heading::Heading;
use super::send::{Answered, Outcome, Pace, Row, send_all, stopped, together};
use super::{REQUESTS, values};
use crate::connect::{Acquisition, Services};

/// Which prospects.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) services: Services,
    /// A CSV file with the column `prospect_id`, the id in the system that the file comes from, and if you
    /// have them `kind` (person or organisation), `source`, `name`, `email` and `phone`.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

pub(crate) const PACE: Pace = Pace {
    noun: "prospects",
    batch: 1,
    at_once: AT_ONCE,
};

const AT_ONCE: usize = 64;
const EXPECTED: &str = "expected prospect_id, and optionally kind, source, name, email, phone";
const LONGEST_ID: usize = 100;
/// Where prospects come from whose row does not say.
const SOURCE: &str = "import";

/// A prospect as the file has it.
#[derive(Clone, PartialEq, Eq)]
struct ProspectRow {
    line: u64,
    prospect_id: String,
    kind: ProspectKind,
    source: String,
    name: String,
    identities: Vec<Identity>,
}

/// Reads the file and creates its prospects.
pub(crate) async fn import(acquisition: &Acquisition, path: &Path) -> anyhow::Result<Outcome> {
    let (rows, rejects) = file::read(path, RowReader::new)?;
    let rows = together(rows, |row| &row.prospect_id);
    let send = |batch| send(acquisition, batch);
    send_all(&rows, PACE, rejects, send).await
}

/// Creates the prospects of these ids that do not exist yet, as persons.
pub(super) async fn create_missing(
    acquisition: &Acquisition,
    ids: impl IntoIterator<Item = &str>,
) -> anyhow::Result<()> {
    let rows = ids.into_iter().map(|prospect_id| ProspectRow {
        line: 0,
        prospect_id: prospect_id.to_owned(),
        kind: ProspectKind::Person,
        source: SOURCE.to_owned(),
        name: String::new(),
        identities: Vec::new(),
    });
    let created = rows.map(|row| async move {
        // Whoever is there already is not created again, and that is as well.
        create(acquisition, &row).await.map(|_| ())
    });
    stream::iter(created)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// The resource name of a prospect by its id elsewhere. A name of ours is taken as it is.
pub(crate) fn name_of(prospect_id: &str) -> String {
    if prospect_id.starts_with("prospects/") {
        return prospect_id.to_owned();
    }
    let created_by = request_id(prospect_id);
    format!(
        "prospects/{}",
        acquisition::prospect_created_by(&created_by)
    )
}

/// Whether an id may stand in a file.
pub(super) fn check_id(prospect_id: &str) -> Result<(), String> {
    if prospect_id.is_empty() || prospect_id.len() > LONGEST_ID {
        return Err(format!(
            "prospect_id must have 1 to {LONGEST_ID} characters"
        ));
    }
    Ok(())
}

/// The request that creates a prospect is always the same, and so is the prospect's name.
fn request_id(prospect_id: &str) -> String {
    let name = format!("prospect\n{prospect_id}");
    Uuid::new_v5(&REQUESTS, name.as_bytes()).to_string()
}

async fn send(acquisition: &Acquisition, batch: &[ProspectRow]) -> anyhow::Result<Vec<Answered>> {
    let mut answers = Vec::with_capacity(batch.len());
    for row in batch {
        answers.push(match get(acquisition, &row.prospect_id).await? {
            None => {
                let created = create(acquisition, row).await?;
                if created == Answered::Recorded && row.is_somebody() {
                    identify(acquisition, row).await?
                } else {
                    created
                }
            }
            Some(known) if known.kind() == row.kind && known.source == row.source => {
                if row.is_known_by(&known) {
                    Answered::Unchanged
                } else {
                    identify(acquisition, row).await?
                }
            }
            Some(known) => Answered::Rejected(format!(
                "it is in already, with the source {:?} and another kind or source than here",
                known.source
            )),
        });
    }
    Ok(answers)
}

async fn get(acquisition: &Acquisition, prospect_id: &str) -> anyhow::Result<Option<Prospect>> {
    let request = GetProspectRequest {
        name: name_of(prospect_id),
        min_position: String::new(),
    };
    match acquisition.prospects.clone().get_prospect(request).await {
        Ok(known) => Ok(Some(known.into_inner())),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(stopped(&status)),
    }
}

async fn create(acquisition: &Acquisition, row: &ProspectRow) -> anyhow::Result<Answered> {
    let request = CreateProspectRequest {
        prospect: Some(Prospect {
            kind: row.kind as i32,
            source: row.source.clone(),
            ..Default::default()
        }),
        request_id: request_id(&row.prospect_id),
        ..Default::default()
    };
    let created = acquisition.prospects.clone().create_prospect(request).await;
    match created {
        Ok(_) => Ok(Answered::Recorded),
        Err(status) => rejected(&status),
    }
}

/// Says who a prospect is. What is known already changes nothing, so the request needs no id that is the same
/// again, and gets none: it would be made of personal data.
async fn identify(acquisition: &Acquisition, row: &ProspectRow) -> anyhow::Result<Answered> {
    let request = IdentifyProspectRequest {
        name: name_of(&row.prospect_id),
        identities: row.identities.clone(),
        display_name: row.name.clone(),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let mut prospects = acquisition.prospects.clone();
    match prospects.identify_prospect(request).await {
        Ok(_) => Ok(Answered::Recorded),
        Err(status) => rejected(&status),
    }
}

impl ProspectRow {
    /// Whether the row says who it is.
    fn is_somebody(&self) -> bool {
        !self.name.is_empty() || !self.identities.is_empty()
    }

    /// Whether everything that the row says of the person is known.
    fn is_known_by(&self, known: &Prospect) -> bool {
        let mut identities = self.identities.iter();
        (self.name.is_empty() || self.name == known.display_name)
            && identities.all(|identity| known.identities.contains(identity))
    }
}

/// A refusal is about the row; anything else ends the import.
pub(super) fn rejected(status: &tonic::Status) -> anyhow::Result<Answered> {
    match status.code() {
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange => {
            let reason = server::reason(status);
            Ok(Answered::Rejected(format!(
                "{} ({reason})",
                status.message()
            )))
        }
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => Err(stopped(status)),
    }
}

impl Row for ProspectRow {
    fn line(&self) -> u64 {
        self.line
    }

    fn follows(&self, before: &Self) -> bool {
        self.prospect_id == before.prospect_id
    }
}

#[derive(Debug)]
struct RowReader {
    prospect_id: usize,
    kind: Option<usize>,
    source: Option<usize>,
    name: Option<usize>,
    email: Option<usize>,
    phone: Option<usize>,
    ignored: Vec<String>,
}

impl RowReader {
    fn new(names: &[&str]) -> Result<Self, String> {
        let mut heading = Heading::new(names, EXPECTED);
        Ok(Self {
            prospect_id: heading.need(&["prospect_id"])?,
            kind: heading.find(&["kind"])?,
            source: heading.find(&["source"])?,
            name: heading.find(&["name", "display_name"])?,
            email: heading.find(&["email", "e-mail"])?,
            phone: heading.find(&["phone"])?,
            ignored: heading.ignored(),
        })
    }
}

impl Reader for RowReader {
    type Row = ProspectRow;

    fn read(&mut self, line: u64, record: &StringRecord) -> Result<ProspectRow, String> {
        let prospect_id = values::field(record, self.prospect_id);
        check_id(prospect_id)?;
        let kind = values::optional(record, self.kind)
            .map_or(Ok(ProspectKind::Person), |text| {
                values::word("kind", text, "PROSPECT_KIND", ProspectKind::from_str_name)
            })?;
        let source = values::optional(record, self.source).unwrap_or(SOURCE);
        Ok(ProspectRow {
            line,
            prospect_id: prospect_id.to_owned(),
            kind,
            source: source.to_owned(),
            name: values::optional(record, self.name)
                .unwrap_or_default()
                .to_owned(),
            identities: [
                (IdentityKind::Email, self.email),
                (IdentityKind::Phone, self.phone),
            ]
            .into_iter()
            .filter_map(|(kind, place)| {
                let value = values::optional(record, place)?.to_owned();
                let kind = kind as i32;
                Some(Identity { kind, value })
            })
            .collect(),
        })
    }

    fn ignored(&self) -> &[String] {
        &self.ignored
    }
}
