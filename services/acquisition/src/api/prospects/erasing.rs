//! What a person may ask for: to be forgotten, and to be told what is known.

use acquisition_domain::input::When;
use acquisition_domain::prospect::Command;
use patron_proto::acquisition::v1 as proto;
use read_model::{Error, Rows};
use runtime::Work;
use server::{Call, Opener, erased, unavailable};
use tonic::{Response, Status};
use uuid::Uuid;

use super::journey::step;
use super::{Prospects, get, show};
use crate::policy::erase;
use crate::read_model::{merges, prospects};
use crate::wire::prospect_id;

impl Prospects {
    pub(super) async fn erase(
        &self,
        call: &Call,
        message: &proto::EraseProspectRequest,
    ) -> Result<Response<proto::Prospect>, Status> {
        let id = prospect_id("name", &message.name)?;
        // Who was merged into it may lie in another partition: see all that is known of them.
        server::caught_up(&self.0.engine, call).await?;
        let make = |work: &Work<'_>| {
            Ok(Command::Erase {
                when: When::now(work.now()),
            })
        };
        let answered = self.0.on_prospect(call, message, id, make, get).await?;
        if message.validate_only {
            return Ok(answered);
        }
        let completed = erase::complete(&self.0.engine, &self.0.vault, id).await;
        completed.map_err(|why| {
            unavailable(&format!(
                "the erasure stands and goes on by itself, but the keys are not known to be destroyed yet ({why})"
            ))
        })?;
        let read = |rows: &dyn Rows, opener: &Opener| get(rows, id, opener);
        self.0.read_people(call, "", &message.name, read).await
    }

    pub(super) async fn export(
        &self,
        call: &Call,
        message: &proto::ExportProspectRequest,
    ) -> Result<Response<proto::ProspectExport>, Status> {
        let id = prospect_id("name", &message.name)?;
        let read = |rows: &dyn Rows, opener: &Opener| export(rows, id, opener);
        let position = &message.min_position;
        let found = self.0.read_people(call, position, &message.name, read);
        let found = found.await?;
        let is_erased = |prospect: &proto::Prospect| prospect.erased_at.is_some();
        if found.get_ref().prospect.as_ref().is_some_and(is_erased) {
            return Err(erased(&message.name));
        }
        Ok(found)
    }
}

fn export(
    rows: &dyn Rows,
    id: Uuid,
    opener: &Opener,
) -> Result<Option<proto::ProspectExport>, Error> {
    let Some(prospect) = get(rows, id, opener)? else {
        return Ok(None);
    };
    let mut merged = Vec::new();
    let mut left = merges::sources(rows, id)?;
    while let Some(source) = left.pop() {
        left.extend(merges::sources(rows, source)?);
        if let Some(state) = prospects::get(rows, source)? {
            merged.push(show(rows, source, &state, opener)?);
        }
    }
    let steps = prospects::journey(rows, id)?;
    Ok(Some(proto::ProspectExport {
        prospect: Some(prospect),
        merged,
        steps: steps.iter().filter_map(step).collect(),
    }))
}
