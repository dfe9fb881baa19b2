//! Two prospects that turn out to be the same.

use acquisition_domain::prospect::{Command, Merge};
use patron_proto::acquisition::v1 as proto;
use runtime::Work;
use server::Call;
use tonic::{Response, Status};

use super::{Prospects, get};
use crate::api::when;
use crate::read_model::{merges, prospects};
use crate::wire::prospect_id;

impl Prospects {
    pub(super) async fn merge(
        &self,
        call: &Call,
        message: &proto::MergeProspectsRequest,
    ) -> Result<Response<proto::Prospect>, Status> {
        let id = prospect_id("name", &message.name)?;
        let into = prospect_id("into", &message.into)?;
        // The other prospect is another aggregate, perhaps of another partition: see all that is known of it.
        server::caught_up(&self.0.engine, call).await?;
        let at = message.occurred_at;
        let make = move |work: &Work<'_>| {
            let rows = work.rows();
            let other = prospects::get(rows, into)?.unwrap_or_default();
            let both = merges::touches(rows, id)?.saturating_add(merges::touches(rows, into)?);
            Ok(Command::Merge(Merge {
                id,
                into,
                state: other.state,
                erased: other.erased_at.is_some(),
                created_at: other.origin.map(|origin| origin.created_at),
                touches: both,
                when: when(work, at.as_ref()),
            }))
        };
        self.0.on_prospect(call, message, id, make, get).await
    }
}
