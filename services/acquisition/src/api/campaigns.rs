//! `CampaignService`.

use acquisition_domain::campaign::{self, SpendKey};
use acquisition_domain::id::{CampaignId, CampaignName, PropositionId, SpendId};
use acquisition_domain::proposition;
use eventsourcing::Time;
use patron_proto::acquisition::v1 as proto;
use patron_proto::acquisition::v1::campaign_service_server::CampaignService;
use read_model::{Error, Rows};
use runtime::{Work, version};
use server::{Page, parse, present};
use tonic::{Request, Response, Status};

use super::when;
use crate::desk::Desk;
use crate::read_model::propositions;
use crate::read_model::scorecard::{self, Basis};
use crate::wire::campaign::{Planned, Spent};
use crate::wire::{self, campaign_name, proposition_id};

/// `CampaignService`.
#[derive(Debug, Clone)]
pub(crate) struct Campaigns(pub(crate) Desk);

#[tonic::async_trait]
impl CampaignService for Campaigns {
    async fn create_campaign(
        &self,
        request: Request<proto::CreateCampaignRequest>,
    ) -> Result<Response<proto::Campaign>, Status> {
        let (call, message) = server::open(request)?;
        let id = proposition_id("parent", &message.parent)?;
        let campaign_id: CampaignId = parse("campaign_id", &message.campaign_id)?;
        let written = present("campaign", message.campaign.as_ref())?;
        let plan = wire::campaign::plan(&Planned {
            presentation_ids: &written.presentation_ids,
            starts_at: written.starts_at.as_ref(),
            ends_at: written.ends_at.as_ref(),
            currency_code: &written.currency_code,
            budget: written.budget.as_ref(),
        })?;
        let (planned, at) = (campaign_id.clone(), message.occurred_at);
        let make = move |work: &Work<'_>| {
            Ok(proposition::Command::Campaign(campaign::Command::Create {
                campaign_id: planned.clone(),
                plan: plan.clone(),
                when: when(work, at.as_ref()),
            }))
        };
        self.0
            .on_proposition(&call, &message, id, make, shown(campaign_id))
            .await
    }

    async fn start_campaign(
        &self,
        request: Request<proto::StartCampaignRequest>,
    ) -> Result<Response<proto::Campaign>, Status> {
        let (call, message) = server::open(request)?;
        let CampaignName {
            proposition_id,
            campaign_id,
        } = campaign_name("name", &message.name)?;
        let (started, at) = (campaign_id.clone(), message.started_at);
        let make = move |work: &Work<'_>| {
            Ok(proposition::Command::Campaign(campaign::Command::Start {
                campaign_id: started.clone(),
                when: when(work, at.as_ref()),
            }))
        };
        self.0
            .on_proposition(&call, &message, proposition_id, make, shown(campaign_id))
            .await
    }

    async fn end_campaign(
        &self,
        request: Request<proto::EndCampaignRequest>,
    ) -> Result<Response<proto::Campaign>, Status> {
        let (call, message) = server::open(request)?;
        let CampaignName {
            proposition_id,
            campaign_id,
        } = campaign_name("name", &message.name)?;
        let (ended, at) = (campaign_id.clone(), message.ended_at);
        let make = move |work: &Work<'_>| {
            Ok(proposition::Command::Campaign(campaign::Command::End {
                campaign_id: ended.clone(),
                when: when(work, at.as_ref()),
            }))
        };
        self.0
            .on_proposition(&call, &message, proposition_id, make, shown(campaign_id))
            .await
    }

    async fn record_spend(
        &self,
        request: Request<proto::RecordSpendRequest>,
    ) -> Result<Response<proto::Spend>, Status> {
        let (call, message) = server::open(request)?;
        let CampaignName {
            proposition_id,
            campaign_id,
        } = campaign_name("parent", &message.parent)?;
        let written = present("spend", message.spend.as_ref())?;
        let spend_id: SpendId = parse("spend.spend_id", &written.spend_id)?;
        let incurred_at = written.incurred_at;
        let spent = Spent {
            kind: written.kind,
            amount: written.amount.as_ref(),
            presentation_id: &written.presentation_id,
            reverses: &written.reverses,
        };
        let spend = wire::campaign::spend(&spent, Time::EPOCH)?;
        let key = SpendKey::new(&campaign_id, &spend_id);
        let make = move |work: &Work<'_>| {
            let spend = spend.clone();
            Ok(proposition::Command::Campaign(
                campaign::Command::RecordSpend {
                    campaign_id: campaign_id.clone(),
                    spend_id: spend_id.clone(),
                    kind: spend.kind,
                    amount: spend.amount,
                    presentation_id: spend.presentation_id,
                    reverses: spend.reverses,
                    when: when(work, incurred_at.as_ref()),
                },
            ))
        };
        let answer = move |rows: &dyn Rows, id: &PropositionId| spend_of(rows, id, &key);
        self.0
            .on_proposition(&call, &message, proposition_id, make, answer)
            .await
    }

    async fn get_campaign(
        &self,
        request: Request<proto::GetCampaignRequest>,
    ) -> Result<Response<proto::Campaign>, Status> {
        let (call, message) = server::open(request)?;
        let name = campaign_name("name", &message.name)?;
        let read = |rows: &dyn Rows| get(rows, &name);
        self.0
            .read(&call, &message.min_position, &message.name, read)
            .await
    }

    async fn list_campaigns(
        &self,
        request: Request<proto::ListCampaignsRequest>,
    ) -> Result<Response<proto::ListCampaignsResponse>, Status> {
        let (call, message) = server::open(request)?;
        let asked = ["campaigns", &message.parent];
        let page = Page::parse(message.page_size, &message.page_token, &asked)?;
        let after = page.after_text()?;
        let after = after
            .map(|name| campaign_name("page_token", &name))
            .transpose()?;
        let only = match message.parent.as_str() {
            "propositions/-" => None,
            parent => Some(proposition_id("parent", parent)?),
        };
        let read = |rows: &dyn Rows| {
            let Some(found) = campaigns(rows, only.as_ref(), after.as_ref(), page.wanted())? else {
                return Ok(None);
            };
            let paged = page.cut(found, |shown| shown.name.clone().into_bytes());
            Ok(Some(proto::ListCampaignsResponse {
                campaigns: paged.rows,
                next_page_token: paged.next_page_token,
            }))
        };
        self.0
            .read(&call, &message.min_position, &message.parent, read)
            .await
    }

    async fn get_campaign_scorecard(
        &self,
        request: Request<proto::GetCampaignScorecardRequest>,
    ) -> Result<Response<proto::CampaignScorecard>, Status> {
        let (call, message) = server::open(request)?;
        let name = campaign_name("name", &message.name)?;
        let model = wire::report::model_of_one("model", message.model)?;
        let moment = server::moment(&self.0.engine, &call, server::asked!(message)).await?;
        let here = |_: &dyn Rows| Ok(Some(()));
        let here = self
            .0
            .read(&call, &message.min_position, &message.name, here);
        let here = here.await?;
        let answered = server::aside(&self.0.engine, move |rows| {
            let basis = Basis {
                model,
                moment: &moment,
            };
            let card = scorecard::of_campaign(rows, &name, basis)?;
            Ok(card.map(|card| wire::scorecard::campaign_out(&name, &card, basis)))
        });
        let card = answered.await?;
        let card = card.ok_or_else(|| server::not_found(&message.name))?;
        Ok(here.map(|()| card))
    }
}

/// Reads the campaign that a command was about.
fn shown(
    campaign_id: CampaignId,
) -> impl Fn(&dyn Rows, &PropositionId) -> Result<Option<proto::Campaign>, Error> {
    move |rows, id| {
        let name = CampaignName {
            proposition_id: id.clone(),
            campaign_id: campaign_id.clone(),
        };
        get(rows, &name)
    }
}

fn get(rows: &dyn Rows, name: &CampaignName) -> Result<Option<proto::Campaign>, Error> {
    let Some(state) = propositions::get(rows, &name.proposition_id)? else {
        return Ok(None);
    };
    let Some(campaign) = state.campaigns.get(&name.campaign_id) else {
        return Ok(None);
    };
    let version = version(rows, &format!("propositions/{}", name.proposition_id))?;
    let spent = propositions::spent(rows, name)?;
    Ok(Some(wire::resource::campaign(
        name, campaign, spent, version,
    )))
}

/// Campaigns by resource name, of one proposition or of all; nothing if that one does not exist.
fn campaigns(
    rows: &dyn Rows,
    only: Option<&PropositionId>,
    after: Option<&CampaignName>,
    limit: usize,
) -> Result<Option<Vec<proto::Campaign>>, Error> {
    if let Some(only) = only
        && propositions::get(rows, only)?.is_none()
    {
        return Ok(None);
    }
    let mut found = Vec::new();
    for name in propositions::campaigns(rows, only, after, limit)? {
        found.extend(get(rows, &name)?);
    }
    Ok(Some(found))
}

fn spend_of(
    rows: &dyn Rows,
    id: &PropositionId,
    key: &SpendKey,
) -> Result<Option<proto::Spend>, Error> {
    let state = propositions::load(rows, id, std::slice::from_ref(key))?;
    let booked = state.spends.get(key);
    Ok(booked.map(|booked| wire::campaign::spend_out(key.spend_id.as_str(), &booked.spend)))
}
