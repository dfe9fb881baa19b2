//! `PropositionService`.

use acquisition_domain::id::{PresentationId, PropositionId};
use acquisition_domain::presentation::{self, Cause};
use acquisition_domain::proposition;
use patron_proto::acquisition::v1 as proto;
use patron_proto::acquisition::v1::proposition_service_server::PropositionService;
use read_model::{Error, Rows};
use runtime::version;
use server::{Page, Wrong, invalid, parse, present, resource_id};
use tonic::{Request, Response, Status};

use super::when;
use crate::desk::{Desk, Halt, refused};
use crate::read_model::propositions;
use crate::wire::proposition::Written;
use crate::wire::{self, proposition_id};

/// `PropositionService`.
#[derive(Debug, Clone)]
pub(crate) struct Propositions(pub(crate) Desk);

#[tonic::async_trait]
impl PropositionService for Propositions {
    async fn create_proposition(
        &self,
        request: Request<proto::CreatePropositionRequest>,
    ) -> Result<Response<proto::Proposition>, Status> {
        let (call, message) = server::open(request)?;
        let id = parse("proposition_id", &message.proposition_id)?;
        let start = Start::read(&message)?;
        if matches!(start, Start::CopyOf(_)) {
            server::caught_up(&self.0.engine, &call).await?;
        }
        let at = message.occurred_at;
        let make = move |work: &runtime::Work<'_>| {
            Ok(proposition::Command::Create {
                content: start.content(work.rows())?,
                when: when(work, at.as_ref()),
            })
        };
        self.0
            .on_proposition(&call, &message, id, make, shown)
            .await
    }

    async fn update_proposition(
        &self,
        request: Request<proto::UpdatePropositionRequest>,
    ) -> Result<Response<proto::Proposition>, Status> {
        let (call, message) = server::open(request)?;
        let id = proposition_id("name", &message.name)?;
        let content = content(message.proposition.as_ref())?;
        let at = message.occurred_at;
        let make = move |work: &runtime::Work<'_>| {
            Ok(proposition::Command::Update {
                content: content.clone(),
                when: when(work, at.as_ref()),
            })
        };
        self.0
            .on_proposition(&call, &message, id, make, shown)
            .await
    }

    async fn publish_proposition(
        &self,
        request: Request<proto::PublishPropositionRequest>,
    ) -> Result<Response<proto::Proposition>, Status> {
        let (call, message) = server::open(request)?;
        let id = proposition_id("name", &message.name)?;
        let at = message.occurred_at;
        let make = move |work: &runtime::Work<'_>| {
            Ok(proposition::Command::Publish {
                when: when(work, at.as_ref()),
            })
        };
        self.0
            .on_proposition(&call, &message, id, make, shown)
            .await
    }

    async fn add_presentation(
        &self,
        request: Request<proto::AddPresentationRequest>,
    ) -> Result<Response<proto::Presentation>, Status> {
        let (call, message) = server::open(request)?;
        let id = proposition_id("parent", &message.parent)?;
        let presentation_id: PresentationId = parse("presentation_id", &message.presentation_id)?;
        let written = present("presentation", message.presentation.as_ref())?;
        let pitch = wire::proposition::pitch(&written.channel, &written.message, &written.claims)?;
        let added = presentation_id.clone();
        let at = message.occurred_at;
        let make = move |work: &runtime::Work<'_>| {
            Ok(proposition::Command::Presentation(
                presentation::Command::Add {
                    presentation_id: added.clone(),
                    pitch: pitch.clone(),
                    when: when(work, at.as_ref()),
                },
            ))
        };
        let answer = move |rows: &dyn Rows, id: &PropositionId| one(rows, id, &presentation_id);
        self.0
            .on_proposition(&call, &message, id, make, answer)
            .await
    }

    async fn flag_presentation(
        &self,
        request: Request<proto::FlagPresentationRequest>,
    ) -> Result<Response<proto::Presentation>, Status> {
        let (call, message) = server::open(request)?;
        let (id, presentation_id) = presentation_name("name", &message.name)?;
        let (flagged, note) = (presentation_id.clone(), message.reason.clone());
        let at = message.occurred_at;
        let make = move |work: &runtime::Work<'_>| {
            Ok(proposition::Command::Presentation(
                presentation::Command::Flag {
                    presentation_id: flagged.clone(),
                    cause: Cause::ByHand { note: note.clone() },
                    when: when(work, at.as_ref()),
                },
            ))
        };
        let answer = move |rows: &dyn Rows, id: &PropositionId| one(rows, id, &presentation_id);
        self.0
            .on_proposition(&call, &message, id, make, answer)
            .await
    }

    async fn clear_presentation_flag(
        &self,
        request: Request<proto::ClearPresentationFlagRequest>,
    ) -> Result<Response<proto::Presentation>, Status> {
        let (call, message) = server::open(request)?;
        let (id, presentation_id) = presentation_name("name", &message.name)?;
        let (cleared, note) = (presentation_id.clone(), message.note.clone());
        let at = message.occurred_at;
        let make = move |work: &runtime::Work<'_>| {
            Ok(proposition::Command::Presentation(
                presentation::Command::ClearFlag {
                    presentation_id: cleared.clone(),
                    note: note.clone(),
                    when: when(work, at.as_ref()),
                },
            ))
        };
        let answer = move |rows: &dyn Rows, id: &PropositionId| one(rows, id, &presentation_id);
        self.0
            .on_proposition(&call, &message, id, make, answer)
            .await
    }

    async fn get_proposition(
        &self,
        request: Request<proto::GetPropositionRequest>,
    ) -> Result<Response<proto::Proposition>, Status> {
        let (call, message) = server::open(request)?;
        let id = proposition_id("name", &message.name)?;
        let full = message.view() == proto::PropositionView::Full;
        let read = |rows: &dyn Rows| get(rows, &id, full);
        self.0
            .read(&call, &message.min_position, &message.name, read)
            .await
    }

    async fn list_propositions(
        &self,
        request: Request<proto::ListPropositionsRequest>,
    ) -> Result<Response<proto::ListPropositionsResponse>, Status> {
        let (call, message) = server::open(request)?;
        let full = message.view() == proto::PropositionView::Full;
        let asked = ["propositions", message.view().as_str_name()];
        let page = Page::parse(message.page_size, &message.page_token, &asked)?;
        let after = page.after_text()?;
        let read = |rows: &dyn Rows| {
            let mut found = Vec::new();
            for (id, state) in propositions::list(rows, after.as_ref(), page.wanted())? {
                let version = version(rows, &format!("propositions/{id}"))?;
                if let Ok(parsed) = id.parse() {
                    found.push((
                        id,
                        wire::resource::proposition(&parsed, &state, version, full),
                    ));
                }
            }
            let paged = page.cut(found, |(id, _)| id.clone().into_bytes());
            Ok(Some(proto::ListPropositionsResponse {
                propositions: paged.rows.into_iter().map(|(_, shown)| shown).collect(),
                next_page_token: paged.next_page_token,
            }))
        };
        self.0
            .read(&call, &message.min_position, "propositions", read)
            .await
    }

    async fn get_presentation(
        &self,
        request: Request<proto::GetPresentationRequest>,
    ) -> Result<Response<proto::Presentation>, Status> {
        let (call, message) = server::open(request)?;
        let (id, presentation_id) = presentation_name("name", &message.name)?;
        let read = |rows: &dyn Rows| one(rows, &id, &presentation_id);
        self.0
            .read(&call, &message.min_position, &message.name, read)
            .await
    }

    async fn list_presentations(
        &self,
        request: Request<proto::ListPresentationsRequest>,
    ) -> Result<Response<proto::ListPresentationsResponse>, Status> {
        let (call, message) = server::open(request)?;
        let id = proposition_id("parent", &message.parent)?;
        let asked = ["presentations", &message.parent];
        let page = Page::parse(message.page_size, &message.page_token, &asked)?;
        let after = page.after_text()?;
        let read = |rows: &dyn Rows| {
            let Some(state) = propositions::get(rows, &id)? else {
                return Ok(None);
            };
            let version = version(rows, &format!("propositions/{id}"))?;
            let later = state
                .presentations
                .iter()
                .filter(|(shown, _)| after.as_deref().is_none_or(|after| shown.as_str() > after));
            let found = later
                .take(page.wanted())
                .map(|(shown, state)| wire::resource::presentation(&id, shown, state, version))
                .collect();
            let paged = page.cut(found, |shown: &proto::Presentation| last_id(&shown.name));
            Ok(Some(proto::ListPresentationsResponse {
                presentations: paged.rows,
                next_page_token: paged.next_page_token,
            }))
        };
        self.0
            .read(&call, &message.min_position, &message.parent, read)
            .await
    }

    async fn retire_proposition(
        &self,
        request: Request<proto::RetirePropositionRequest>,
    ) -> Result<Response<proto::Proposition>, Status> {
        let (call, message) = server::open(request)?;
        let id = proposition_id("name", &message.name)?;
        let at = message.occurred_at;
        let make = move |work: &runtime::Work<'_>| {
            Ok(proposition::Command::Retire {
                when: when(work, at.as_ref()),
            })
        };
        self.0
            .on_proposition(&call, &message, id, make, shown)
            .await
    }
}

/// What a new proposition starts with.
#[derive(Debug)]
enum Start {
    Content(proposition::Content),
    CopyOf(PropositionId),
}

impl Start {
    fn read(message: &proto::CreatePropositionRequest) -> Result<Self, Status> {
        match (message.copy_from.as_str(), message.proposition.as_ref()) {
            ("", written) => content(written).map(Self::Content),
            (name, None) => Ok(Self::CopyOf(proposition_id("copy_from", name)?)),
            (_, Some(_)) => Err(invalid(
                "copy_from",
                "is given together with proposition; give one of both",
            )),
        }
    }

    /// The other proposition is another aggregate, so it is looked at and not guarded.
    fn content(&self, rows: &dyn Rows) -> Result<proposition::Content, Halt> {
        match self {
            Self::Content(content) => Ok(content.clone()),
            Self::CopyOf(id) => {
                let original = propositions::get(rows, id)?;
                let original = original.ok_or(proposition::Refusal::UnknownOriginal);
                Ok(original.map_err(refused)?.content)
            }
        }
    }
}

/// What a client writes as a proposition.
fn content(written: Option<&proto::Proposition>) -> Result<proposition::Content, Status> {
    let written = written.ok_or_else(|| invalid("proposition", "is required"))?;
    Ok(wire::proposition::content(&Written {
        display_name: &written.display_name,
        problems: &written.problems,
        benefits: &written.benefits,
        differentiators: &written.differentiators,
    })?)
}

fn presentation_name(field: &str, name: &str) -> Result<(PropositionId, PresentationId), Wrong> {
    let [proposition, id] = resource_id(field, name, ["propositions", "presentations"])?;
    Ok((parse(field, proposition)?, parse(field, id)?))
}

/// What stands after the last slash, as the key of a page.
pub(crate) fn last_id(name: &str) -> Vec<u8> {
    name.rsplit('/')
        .next()
        .unwrap_or_default()
        .as_bytes()
        .to_vec()
}

fn shown(rows: &dyn Rows, id: &PropositionId) -> Result<Option<proto::Proposition>, Error> {
    get(rows, id, true)
}

fn get(
    rows: &dyn Rows,
    id: &PropositionId,
    full: bool,
) -> Result<Option<proto::Proposition>, Error> {
    let Some(state) = propositions::get(rows, id)? else {
        return Ok(None);
    };
    let version = version(rows, &format!("propositions/{id}"))?;
    Ok(Some(wire::resource::proposition(id, &state, version, full)))
}

fn one(
    rows: &dyn Rows,
    id: &PropositionId,
    presentation_id: &PresentationId,
) -> Result<Option<proto::Presentation>, Error> {
    let Some(state) = propositions::get(rows, id)? else {
        return Ok(None);
    };
    let version = version(rows, &format!("propositions/{id}"))?;
    let shown = state.presentations.get(presentation_id);
    Ok(shown.map(|shown| wire::resource::presentation(id, presentation_id, shown, version)))
}
