//! `patron import prospects`: who may become a customer, by the ids of another system.

mod row;

use std::path::{Path, PathBuf};

use eventsourcing::Time;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use patron_proto::acquisition::v1::{
    CloseProspectRequest, CreateProspectRequest, GetProspectRequest, IdentifyProspectRequest,
    Prospect, QualifyProspectRequest,
};
use server::timestamp;
use tonic::{Code, Response, Status};
use uuid::Uuid;

use self::row::{Closed, ProspectRow, Qualified, RowReader};
use super::REQUESTS;
use super::file;
use super::send::{Answered, Outcome, Pace, patiently, rejected, send_all, stopped, together};
use crate::connect::{Acquisition, Services};

/// Which prospects.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) services: Services,
    /// A CSV file with the column `prospect_id`, the id in the system that the file comes from, and if you
    /// have them `kind` (person or organisation), `source`, `name`, `email` and `phone`; `proposition` and
    /// `problem` of the qualification; `close_reason` and `competitor` of the closing; and when each was:
    /// `created_at`, `identified_at`, `qualified_at`, `closed_at`, now where they are empty.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

pub(crate) const PACE: Pace = Pace {
    noun: "prospects",
    batch: 1,
    at_once: AT_ONCE,
};

const AT_ONCE: usize = 64;
const LONGEST_ID: usize = 100;
/// Where prospects come from whose row does not say.
const SOURCE: &str = "import";

/// Reads the file and creates its prospects.
pub(crate) async fn import(acquisition: &Acquisition, path: &Path) -> anyhow::Result<Outcome> {
    let (rows, rejects) = file::read(path, RowReader::new)?;
    let rows = together(rows, |row| &row.prospect_id);
    let send = |batch| send(acquisition, batch);
    send_all(&rows, PACE, rejects, send).await
}

/// Creates the prospects of these ids that do not exist yet, as persons first heard of at these moments.
pub(super) async fn create_missing(
    acquisition: &Acquisition,
    ids: impl IntoIterator<Item = (&str, Option<Time>)>,
) -> anyhow::Result<()> {
    let ids = ids.into_iter();
    let rows = ids.map(|(prospect_id, created_at)| ProspectRow::unknown(prospect_id, created_at));
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
        let mut telling = Telling {
            acquisition,
            row,
            known: get(acquisition, &row.prospect_id).await?,
            is_news: false,
        };
        answers.push(match telling.tell().await {
            Ok(()) if telling.is_news => Answered::Recorded,
            Ok(()) => Answered::Unchanged,
            Err(Halt::Rejected(why)) => Answered::Rejected(why),
            Err(Halt::Stopped(error)) => return Err(error),
        });
    }
    Ok(answers)
}

/// Why a row does not go in.
enum Halt {
    Rejected(String),
    Stopped(anyhow::Error),
}

impl From<Status> for Halt {
    fn from(status: Status) -> Self {
        match rejected(&status) {
            Ok(why) => Self::Rejected(why),
            Err(error) => Self::Stopped(error),
        }
    }
}

/// A row while it is told, step by step: whatever is in already is left out.
struct Telling<'a> {
    acquisition: &'a Acquisition,
    row: &'a ProspectRow,
    /// The prospect as it was last seen.
    known: Option<Prospect>,
    is_news: bool,
}

impl Telling<'_> {
    async fn tell(&mut self) -> Result<(), Halt> {
        let row = self.row;
        if let Some(known) = &self.known {
            if let Some(why) = row.is_other_than(known) {
                return Err(Halt::Rejected(why));
            }
        } else {
            // What only the service knows is asked for before the first step.
            if let Some(qualified) = &row.qualified {
                match self.qualify(qualified, true).await {
                    Err(status) if status.code() != Code::NotFound => return Err(status.into()),
                    Ok(_) | Err(_) => {}
                }
            }
            let created = ask_to_create(self.acquisition, row).await;
            self.took(created)?;
        }
        if row.is_somebody() && !self.is(|known| row.is_known_by(known)) {
            let identified = self.identify().await;
            self.took(identified)?;
        }
        if let Some(qualified) = &row.qualified
            && !self.is(|known| {
                known.proposition == qualified.proposition
                    && known.problem_id == qualified.problem_id
            })
        {
            let done = self.qualify(qualified, false).await;
            self.took(done)?;
        }
        if let Some(closed) = &row.closed
            && !self.is(|known| {
                known.closing.as_ref().is_some_and(|known| {
                    known.reason() == closed.reason && known.competitor == closed.competitor
                })
            })
        {
            let done = self.close(closed).await;
            self.took(done)?;
        }
        Ok(())
    }

    fn is(&self, what: impl Fn(&Prospect) -> bool) -> bool {
        self.known.as_ref().is_some_and(what)
    }

    /// Takes note of the prospect after a step. A request that took effect before takes none again.
    fn took(&mut self, answer: Result<Response<Prospect>, Status>) -> Result<(), Halt> {
        let now = answer?.into_inner();
        self.is_news |= !self.is(|known| known.etag == now.etag);
        self.known = Some(now);
        Ok(())
    }

    /// Says who a prospect is. What is known already changes nothing, so the request needs no id that is the
    /// same again, and gets none: it would be made of personal data.
    async fn identify(&self) -> Result<Response<Prospect>, Status> {
        let request = IdentifyProspectRequest {
            name: name_of(&self.row.prospect_id),
            identities: self.row.identities.clone(),
            display_name: self.row.name.clone(),
            request_id: Uuid::new_v4().to_string(),
            occurred_at: self.row.identified_at.map(timestamp),
            ..Default::default()
        };
        let identified = patiently(
            &self.acquisition.prospects,
            request,
            async |mut client, request| client.identify_prospect(request).await,
        )
        .await?;
        Ok(identified.map(|answer| answer.prospect.unwrap_or_default()))
    }

    async fn qualify(
        &self,
        qualified: &Qualified,
        validate_only: bool,
    ) -> Result<Response<Prospect>, Status> {
        let said = [&qualified.proposition, &qualified.problem_id];
        let request = QualifyProspectRequest {
            name: name_of(&self.row.prospect_id),
            proposition: qualified.proposition.clone(),
            problem_id: qualified.problem_id.clone(),
            request_id: self.id_of("qualified", &said.map(String::as_str), qualified.at),
            occurred_at: qualified.at.map(timestamp),
            validate_only,
            ..Default::default()
        };
        patiently(
            &self.acquisition.prospects,
            request,
            async |mut client, request| client.qualify_prospect(request).await,
        )
        .await
    }

    async fn close(&self, closed: &Closed) -> Result<Response<Prospect>, Status> {
        let said = [closed.reason.as_str_name(), closed.competitor.as_str()];
        let request = CloseProspectRequest {
            name: name_of(&self.row.prospect_id),
            reason: closed.reason as i32,
            competitor: closed.competitor.clone(),
            request_id: self.id_of("closed", &said, closed.at),
            occurred_at: closed.at.map(timestamp),
            ..Default::default()
        };
        patiently(
            &self.acquisition.prospects,
            request,
            async |mut client, request| client.close_prospect(request).await,
        )
        .await
    }

    /// The id of the request that tells a step: the same step again is the same request, so a prospect that
    /// went on since is not thrown back.
    fn id_of(&self, step: &str, said: &[&str], at: Option<Time>) -> String {
        let at = at.map(|at| at.to_string()).unwrap_or_default();
        let said = said.join("\n");
        let name = format!("{step}\n{}\n{said}\n{at}", self.row.prospect_id);
        Uuid::new_v5(&REQUESTS, name.as_bytes()).to_string()
    }
}

async fn get(acquisition: &Acquisition, prospect_id: &str) -> anyhow::Result<Option<Prospect>> {
    let request = GetProspectRequest {
        name: name_of(prospect_id),
        min_position: String::new(),
    };
    match patiently(
        &acquisition.prospects,
        request,
        async |mut client, request| client.get_prospect(request).await,
    )
    .await
    {
        Ok(known) => Ok(Some(known.into_inner())),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(stopped(&status)),
    }
}

async fn create(acquisition: &Acquisition, row: &ProspectRow) -> anyhow::Result<Answered> {
    match ask_to_create(acquisition, row).await {
        Ok(_) => Ok(Answered::Recorded),
        Err(status) => rejected(&status).map(Answered::Rejected),
    }
}

async fn ask_to_create(
    acquisition: &Acquisition,
    row: &ProspectRow,
) -> Result<Response<Prospect>, Status> {
    let request = CreateProspectRequest {
        prospect: Some(Prospect {
            kind: row.kind as i32,
            source: row.source.clone(),
            ..Default::default()
        }),
        request_id: request_id(&row.prospect_id),
        occurred_at: row.created_at.map(timestamp),
        ..Default::default()
    };
    patiently(
        &acquisition.prospects,
        request,
        async |mut client, request| client.create_prospect(request).await,
    )
    .await
}
