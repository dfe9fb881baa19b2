//! Who a prospect is: said, and looked up.

use std::sync::Arc;

use acquisition_domain::input::When;
use acquisition_domain::prospect::{
    Claimed, Command, Identify, Identity, Named, Prospect, Verdict,
};
use eventsourcing::Sealed;
use patron_proto::acquisition::v1 as proto;
use read_model::Rows;
use runtime::Work;
use server::{Call, Opener, out_of_reach, present, unavailable};
use tonic::{Response, Status};
use uuid::Uuid;
use vault::{Field, Person};

use super::{Prospects, get, show};
use crate::api::when;
use crate::read_model::prospects;
use crate::wire::personal::{Plain, field_of, plain, plains};
use crate::wire::prospect_id;

/// How many prospects one look-up names at most.
const MOST_FOUND: usize = 100;

impl Prospects {
    pub(super) async fn identify(
        &self,
        call: &Call,
        message: &proto::IdentifyProspectRequest,
    ) -> Result<Response<proto::IdentifyProspectResponse>, Status> {
        let id = prospect_id("name", &message.name)?;
        let claimed = plains("identities", &message.identities)?;
        let named = server::name("display_name", &message.display_name)?;
        let texts = claimed
            .iter()
            .map(|plain| (field_of(plain.kind), plain.value.clone()))
            .chain(named.iter().map(|name| (Field::Name, name.clone())))
            .collect();
        // What it is known by already is compared with: no key may be missing for that.
        let caught_up = self.0.vault.catch_up(Person(id)).await;
        caught_up.map_err(|error| out_of_reach(&error))?;
        let said = (claimed.clone(), named);
        let at = message.occurred_at;
        let make = move |work: &Work<'_>, boxes: Vec<Sealed>, opener: &Opener| {
            let state = prospects::get(work.rows(), id)?.unwrap_or_default();
            Ok(Command::Identify(compared(
                &state,
                &said,
                boxes,
                opener,
                when(work, at.as_ref()),
            )))
        };
        let identified = self.0.on_person(call, message, id, texts, make, get);
        let identified = identified.await?;
        let twins = self.twins(id, &claimed).await?;
        Ok(identified.map(|prospect| proto::IdentifyProspectResponse {
            prospect: Some(prospect),
            possible_duplicates: twins,
        }))
    }

    /// Other prospects that are known by one of these.
    async fn twins(&self, id: Uuid, claimed: &[Plain]) -> Result<Vec<String>, Status> {
        self.index_caught_up().await?;
        let opener = Opener::new(&self.0.vault);
        let store = self.0.engine.store();
        let mut twins = Vec::new();
        for plain in claimed {
            let found = store.read(|rows| self.0.index.find(rows, plain, &opener, MOST_FOUND));
            for (other, _) in found.map_err(|error| unavailable(&error.to_string()))? {
                let name = format!("prospects/{other}");
                if other != id && !twins.contains(&name) {
                    twins.push(name);
                }
            }
        }
        Ok(twins)
    }

    pub(super) async fn find(
        &self,
        call: &Call,
        message: &proto::FindProspectsRequest,
    ) -> Result<Response<proto::FindProspectsResponse>, Status> {
        let asked = plain("identity", present("identity", message.identity.as_ref())?)?;
        let position = &message.min_position;
        // The rows are waited for first, so that the index sees what the caller has seen.
        self.0
            .read(call, position, "prospects", |_| Ok(Some(())))
            .await?;
        self.index_caught_up().await?;
        let index = Arc::clone(&self.0.index);
        let read = |rows: &dyn Rows, opener: &Opener| {
            let found = index.find(rows, &asked, opener, MOST_FOUND)?.into_iter();
            let shown = found.map(|(id, state)| show(rows, id, &state, opener));
            Ok(Some(proto::FindProspectsResponse {
                prospects: shown.collect::<Result<_, _>>()?,
            }))
        };
        self.0.read_people(call, position, "prospects", read).await
    }

    async fn index_caught_up(&self) -> Result<(), Status> {
        let (engine, vault) = (Arc::clone(&self.0.engine), Arc::clone(&self.0.vault));
        let index = Arc::clone(&self.0.index);
        let work = tokio::task::spawn_blocking(move || index.catch_up(&engine, &vault));
        let done = work
            .await
            .map_err(|error| unavailable(&error.to_string()))?;
        done.map_err(|error| unavailable(&error.to_string()))
    }
}

/// The command, each text with what it comes to beside those that the prospect has.
fn compared(
    state: &Prospect,
    (claimed, named): &(Vec<Plain>, Option<String>),
    boxes: Vec<Sealed>,
    opener: &Opener,
    when: When,
) -> Identify {
    let opened = state.identities.iter().filter_map(|identity| {
        let value = opener.open(field_of(identity.kind), &identity.value).ok()?;
        Some((identity.kind, value))
    });
    let mut known: Vec<_> = opened.collect();
    let mut boxes = boxes.into_iter();
    let mut identities = Vec::new();
    for plain in claimed {
        let Some(value) = boxes.next() else {
            break;
        };
        let is_known = known.iter().any(|(kind, value)| plain.is(*kind, value));
        let verdict = if is_known {
            Verdict::Same
        } else {
            known.push((plain.kind, plain.value.clone()));
            Verdict::Other
        };
        let identity = Identity {
            kind: plain.kind,
            value,
        };
        identities.push(Claimed { identity, verdict });
    }
    let name = named.as_ref().zip(boxes.next());
    let name = name.map(|(name, display_name)| {
        let before = state.display_name.as_ref();
        let before = before.and_then(|before| opener.open(Field::Name, before).ok());
        let is_same = before.as_ref() == Some(name);
        Named {
            display_name,
            verdict: if is_same {
                Verdict::Same
            } else {
                Verdict::Other
            },
        }
    });
    Identify {
        identities,
        name,
        when,
    }
}
