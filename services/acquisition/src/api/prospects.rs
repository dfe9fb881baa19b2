//! `ProspectService`.

mod batch;
mod erasing;
mod identifying;
mod journey;
mod merging;

use acquisition_domain::id::TouchpointId;
use acquisition_domain::offer::{Ask, Offer};
use acquisition_domain::prospect::{self, Closing, Convert, Kind, Prospect, Qualification};
use eventsourcing::Sealed;
use patron_proto::acquisition::v1 as proto;
use patron_proto::acquisition::v1::prospect_service_server::ProspectService;
use read_model::{Error, Rows};
use runtime::{Work, version};
use server::{Call, Opener, Page, parse, parse_optional, present};
use tonic::{Request, Response, Status};
use uuid::Uuid;
use vault::Field;

use super::when;
use crate::desk::{Desk, Halt, refused};
use crate::read_model::{propositions, prospects};
use crate::wire::{self, optional_campaign, proposition_id, prospect_id};

/// The namespace of ids that are made from request ids.
const FROM_REQUEST: Uuid = Uuid::from_u128(0x7061_7472_6f6e_4000_8000_7072_6f73_7065);

/// The id of the prospect that a request to create one makes.
pub fn prospect_created_by(request_id: &str) -> Uuid {
    Uuid::new_v5(&FROM_REQUEST, request_id.as_bytes())
}

/// `ProspectService`.
#[derive(Debug, Clone)]
pub(crate) struct Prospects(pub(crate) Desk);

#[tonic::async_trait]
impl ProspectService for Prospects {
    async fn create_prospect(
        &self,
        request: Request<proto::CreateProspectRequest>,
    ) -> Result<Response<proto::Prospect>, Status> {
        let (call, message) = server::open(request)?;
        let written = present("prospect", message.prospect.as_ref())?;
        let kind: Kind = wire::prospect::kind("prospect.kind", written.kind)?;
        let source = written.source.clone();
        let id = prospect_created_by(&message.request_id);
        let at = message.occurred_at;
        let make = move |work: &Work<'_>| {
            Ok(prospect::Command::Create {
                kind,
                source: source.clone(),
                when: when(work, at.as_ref()),
            })
        };
        self.0.on_prospect(&call, &message, id, make, get).await
    }

    async fn record_touchpoint(
        &self,
        request: Request<proto::RecordTouchpointRequest>,
    ) -> Result<Response<proto::Touchpoint>, Status> {
        let (call, message) = server::open(request)?;
        let id = prospect_id("parent", &message.parent)?;
        let written = present("touchpoint", message.touchpoint.as_ref())?;
        self.record(&call, &message, id, written).await
    }

    async fn batch_record_touchpoints(
        &self,
        request: Request<proto::BatchRecordTouchpointsRequest>,
    ) -> Result<Response<proto::BatchRecordTouchpointsResponse>, Status> {
        let (call, message) = server::open_batch(request);
        batch::record(&self.0, &call, message).await
    }

    async fn qualify_prospect(
        &self,
        request: Request<proto::QualifyProspectRequest>,
    ) -> Result<Response<proto::Prospect>, Status> {
        let (call, message) = server::open(request)?;
        let id = prospect_id("name", &message.name)?;
        let qualification = Qualification {
            proposition_id: proposition_id("proposition", &message.proposition)?,
            problem_id: parse("problem_id", &message.problem_id)?,
        };
        let asked = qualification.clone();
        let known = |rows: &dyn Rows| solves(rows, &asked).is_ok();
        self.catch_up_unless(&call, known).await?;
        let at = message.occurred_at;
        let make = move |work: &Work<'_>| {
            solves(work.rows(), &qualification)?;
            Ok(prospect::Command::Qualify {
                qualification: qualification.clone(),
                when: when(work, at.as_ref()),
            })
        };
        self.0.on_prospect(&call, &message, id, make, get).await
    }

    async fn convert_prospect(
        &self,
        request: Request<proto::ConvertProspectRequest>,
    ) -> Result<Response<proto::Prospect>, Status> {
        let (call, message) = server::open(request)?;
        let id = prospect_id("name", &message.name)?;
        let promises = message.promises.iter().map(wire::prospect::proposed);
        let ask = Ask {
            proposition_id: proposition_id("proposition", &message.proposition)?,
            problem_id: parse("problem_id", &message.problem_id)?,
            campaign: optional_campaign("campaign", &message.campaign)?,
            presentation_id: parse_optional("presentation_id", &message.presentation_id)?,
            promises: promises.collect::<Result<_, _>>()?,
        };
        let request_id: Uuid = parse("request_id", &message.request_id)?;
        let purchase = message
            .first_purchase
            .as_ref()
            .map(wire::prospect::first_purchase);
        let first_purchase = purchase.transpose()?;
        let currency = server::currency("currency_code", &message.currency_code)?;
        let consents = message.consents.iter().map(wire::prospect::consent);
        let consents: Vec<_> = consents.collect::<Result<_, _>>()?;
        let converted_at = message.converted_at;
        let asked = ask.clone();
        let known = move |rows: &dyn Rows| offer(rows, asked).is_ok();
        self.catch_up_unless(&call, known).await?;
        let make = move |work: &Work<'_>| {
            Ok(prospect::Command::Convert(Convert {
                request_id,
                offer: offer(work.rows(), ask.clone())?,
                first_purchase: first_purchase.clone(),
                currency,
                consents: consents.clone(),
                steps: prospects::steps(work.rows(), id)?,
                when: when(work, converted_at.as_ref()),
            }))
        };
        self.0.on_prospect(&call, &message, id, make, get).await
    }

    async fn close_prospect(
        &self,
        request: Request<proto::CloseProspectRequest>,
    ) -> Result<Response<proto::Prospect>, Status> {
        let (call, message) = server::open(request)?;
        let id = prospect_id("name", &message.name)?;
        let closing = Closing {
            reason: wire::prospect::close_reason("reason", message.reason)?,
            competitor: Some(message.competitor.clone()).filter(|name| !name.is_empty()),
        };
        let note = Some(message.note.trim()).filter(|note| !note.is_empty());
        let texts = note.map(|note| (Field::Note, note.to_owned()));
        let at = message.occurred_at;
        let make = move |work: &Work<'_>, boxes: Vec<Sealed>, _: &Opener| {
            Ok(prospect::Command::Close {
                closing: closing.clone(),
                note: boxes.into_iter().next(),
                when: when(work, at.as_ref()),
            })
        };
        let texts = texts.into_iter().collect();
        self.0
            .on_person(&call, &message, id, texts, make, get)
            .await
    }

    async fn get_prospect(
        &self,
        request: Request<proto::GetProspectRequest>,
    ) -> Result<Response<proto::Prospect>, Status> {
        let (call, message) = server::open(request)?;
        let id = prospect_id("name", &message.name)?;
        let read = |rows: &dyn Rows, opener: &Opener| get(rows, id, opener);
        self.0
            .read_people(&call, &message.min_position, &message.name, read)
            .await
    }

    async fn list_prospects(
        &self,
        request: Request<proto::ListProspectsRequest>,
    ) -> Result<Response<proto::ListProspectsResponse>, Status> {
        let (call, message) = server::open(request)?;
        let asked = ["prospects", message.state().as_str_name()];
        let page = Page::parse(message.page_size, &message.page_token, &asked)?;
        let only = wire::prospect::state_filter("state", message.state)?;
        let after = page.after_uuid()?;
        let read = |rows: &dyn Rows, opener: &Opener| {
            let mut found = Vec::new();
            for (id, state) in prospects::list(rows, only, after, page.wanted())? {
                let version = version(rows, &format!("prospects/{id}"))?;
                let shown = wire::resource::prospect(id, &state, version, opener);
                found.push((id, shown));
            }
            let paged = page.cut(found, |(id, _)| id.as_bytes().to_vec());
            Ok(Some(proto::ListProspectsResponse {
                prospects: paged.rows.into_iter().map(|(_, shown)| shown).collect(),
                next_page_token: paged.next_page_token,
            }))
        };
        self.0
            .read_people(&call, &message.min_position, "prospects", read)
            .await
    }

    async fn reopen_prospect(
        &self,
        request: Request<proto::ReopenProspectRequest>,
    ) -> Result<Response<proto::Prospect>, Status> {
        let (call, message) = server::open(request)?;
        let id = prospect_id("name", &message.name)?;
        let at = message.occurred_at;
        let make = move |work: &Work<'_>| {
            Ok(prospect::Command::Reopen {
                when: when(work, at.as_ref()),
            })
        };
        self.0.on_prospect(&call, &message, id, make, get).await
    }

    async fn merge_prospects(
        &self,
        request: Request<proto::MergeProspectsRequest>,
    ) -> Result<Response<proto::Prospect>, Status> {
        let (call, message) = server::open(request)?;
        self.merge(&call, &message).await
    }

    async fn set_consent(
        &self,
        request: Request<proto::SetConsentRequest>,
    ) -> Result<Response<proto::Prospect>, Status> {
        let (call, message) = server::open(request)?;
        let id = prospect_id("name", &message.name)?;
        let written = present("consent", message.consent.as_ref())?;
        let consent = wire::prospect::consent(written)?;
        let make = move |work: &Work<'_>| {
            Ok(prospect::Command::SetConsent {
                consent: consent.clone(),
                now: work.now(),
            })
        };
        self.0.on_prospect(&call, &message, id, make, get).await
    }

    async fn get_journey(
        &self,
        request: Request<proto::GetJourneyRequest>,
    ) -> Result<Response<proto::Journey>, Status> {
        let (call, message) = server::open(request)?;
        self.journey(&call, &message).await
    }

    async fn identify_prospect(
        &self,
        request: Request<proto::IdentifyProspectRequest>,
    ) -> Result<Response<proto::IdentifyProspectResponse>, Status> {
        let (call, message) = server::open(request)?;
        self.identify(&call, &message).await
    }

    async fn find_prospects(
        &self,
        request: Request<proto::FindProspectsRequest>,
    ) -> Result<Response<proto::FindProspectsResponse>, Status> {
        let (call, message) = server::open(request)?;
        self.find(&call, &message).await
    }

    async fn erase_prospect(
        &self,
        request: Request<proto::EraseProspectRequest>,
    ) -> Result<Response<proto::Prospect>, Status> {
        let (call, message) = server::open(request)?;
        self.erase(&call, &message).await
    }

    async fn export_prospect(
        &self,
        request: Request<proto::ExportProspectRequest>,
    ) -> Result<Response<proto::ProspectExport>, Status> {
        let (call, message) = server::open(request)?;
        self.export(&call, &message).await
    }
}

impl Prospects {
    /// Waits for all that the journal holds, unless this replica knows what it is asked for already. It lies in
    /// another partition than the prospect's, for which the engine waits before it refuses.
    async fn catch_up_unless(
        &self,
        call: &Call,
        known: impl FnOnce(&dyn Rows) -> bool,
    ) -> Result<(), Status> {
        let engine = &self.0.engine;
        let known = engine.store().read(|rows| Ok::<_, Error>(known(rows)));
        if !known.map_err(|error| server::unavailable(&error.to_string()))? {
            server::caught_up(engine, call).await?;
        }
        Ok(())
    }

    async fn record(
        &self,
        call: &Call,
        message: &proto::RecordTouchpointRequest,
        id: Uuid,
        written: &proto::Touchpoint,
    ) -> Result<Response<proto::Touchpoint>, Status> {
        let touchpoint_id: TouchpointId =
            parse("touchpoint.touchpoint_id", &written.touchpoint_id)?;
        let touch = wire::prospect::touch_of(written)?;
        let occurred_at = written.occurred_at;
        let recorded = touchpoint_id.clone();
        let make = move |work: &Work<'_>| {
            Ok(prospect::Command::RecordTouchpoint {
                touchpoint_id: recorded.clone(),
                touch: touch.clone(),
                when: when(work, occurred_at.as_ref()),
            })
        };
        let answer = move |rows: &dyn Rows, id: Uuid, _: &Opener| {
            let found = prospects::touch(rows, id, &touchpoint_id)?;
            Ok(found.map(|found| wire::prospect::touchpoint_out(&touchpoint_id, &found)))
        };
        self.0.on_prospect(call, message, id, make, answer).await
    }
}

/// What the proposition says about the offer. It is another aggregate, so it is looked at and not guarded.
fn offer(rows: &dyn Rows, ask: Ask) -> Result<Offer, Halt> {
    let proposition = propositions::load(rows, &ask.proposition_id, &[])?;
    proposition.offer(ask).map_err(refused)
}

/// Whether the proposition solves the problem, likewise.
fn solves(rows: &dyn Rows, asked: &Qualification) -> Result<(), Halt> {
    let proposition = propositions::load(rows, &asked.proposition_id, &[])?;
    let solves = proposition.must_solve(&asked.problem_id);
    solves.map_err(refused)
}

fn get(rows: &dyn Rows, id: Uuid, opener: &Opener) -> Result<Option<proto::Prospect>, Error> {
    let Some(state) = prospects::get(rows, id)? else {
        return Ok(None);
    };
    show(rows, id, &state, opener).map(Some)
}

fn show(
    rows: &dyn Rows,
    id: Uuid,
    state: &Prospect,
    opener: &Opener,
) -> Result<proto::Prospect, Error> {
    let version = version(rows, &format!("prospects/{id}"))?;
    Ok(wire::resource::prospect(id, state, version, opener))
}
