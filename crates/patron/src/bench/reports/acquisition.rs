//! The side that creates customers: touches brought in, credit divided, a campaign judged.

use std::path::Path;

use anyhow::ensure;
use eventsourcing::{Clock as _, SystemClock};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use patron_proto::acquisition::v1 as acq;
use server::timestamp;

use super::draw::{self, CHANNELS, Sizes};
use super::figures::Figures;
use crate::bench::load::{self, PROPOSITION};
use crate::bench::process::Server;
use crate::connect::{Acquisition, request_id, said};
use crate::import::{prospects, touchpoints};

/// Conversions and closings under way at once.
const AT_ONCE: usize = 64;
/// One of so many prospects converts.
const CONVERTS: u32 = 4;

const MODELS: [(acq::AttributionModel, &str); 7] = [
    (acq::AttributionModel::First, "FIRST"),
    (acq::AttributionModel::Last, "LAST"),
    (acq::AttributionModel::Linear, "LINEAR"),
    (acq::AttributionModel::TimeDecay, "TIME_DECAY"),
    (acq::AttributionModel::Position, "POSITION"),
    (acq::AttributionModel::Shapley, "SHAPLEY"),
    (acq::AttributionModel::Markov, "MARKOV"),
];

pub(super) async fn measure(
    server: &Server,
    folder: &Path,
    sizes: &Sizes,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let mut acquisition = server.services.acquisition().await?;
    let proposed = load::propose(&mut acquisition).await;
    proposed.map_err(|status| said(&status))?;
    campaigns(&acquisition).await?;
    let file = draw::touchpoints(folder, sizes, SystemClock.now())?;
    let started = figures.start()?;
    let imported = touchpoints::import(&acquisition, &file).await?;
    let what = "touchpoints, with their prospects";
    figures.loaded(what, imported.recorded, started)?;
    ensure!(imported.rejected == 0, "touchpoints were rejected");
    let started = figures.start()?;
    end_journeys(&acquisition, sizes.journeys).await?;
    figures.loaded("conversions and closings", sizes.journeys.into(), started)?;
    server.rest().await?;
    for (model, name) in MODELS {
        let request = acq::GetAttributionRequest {
            model: model as i32,
            dimension: acq::AttributionDimension::Channel as i32,
            currency_code: "EUR".to_owned(),
            ..Default::default()
        };
        let ask = |_| {
            let (mut reports, request) = (acquisition.reports.clone(), request.clone());
            async move { reports.get_attribution(request).await }
        };
        figures.ask(&format!("attribution {name}"), ask).await?;
    }
    let ask = |number| {
        let campaign = u32::try_from(number).unwrap_or_default() % CHANNELS;
        let request = acq::GetCampaignScorecardRequest {
            name: campaign_name(campaign),
            ..Default::default()
        };
        let mut campaigns = acquisition.campaigns.clone();
        async move { campaigns.get_campaign_scorecard(request).await }
    };
    figures.ask("scorecard of a campaign", ask).await
}

fn campaign_name(number: u32) -> String {
    format!("{PROPOSITION}/campaigns/{}", draw::campaign_id(number))
}

async fn campaigns(acquisition: &Acquisition) -> anyhow::Result<()> {
    let now = SystemClock.now();
    for number in 0..CHANNELS {
        let mut campaigns = acquisition.campaigns.clone();
        let planned = acq::CreateCampaignRequest {
            parent: PROPOSITION.to_owned(),
            campaign_id: draw::campaign_id(number),
            campaign: Some(acq::Campaign {
                presentation_ids: vec!["bench".to_owned()],
                starts_at: Some(timestamp(now)),
                ends_at: Some(timestamp(now.plus_seconds(86_400))),
                currency_code: "EUR".to_owned(),
                ..Default::default()
            }),
            request_id: request_id(),
            ..Default::default()
        };
        let planned = campaigns.create_campaign(planned).await;
        planned.map_err(|status| said(&status))?;
        let start = acq::StartCampaignRequest {
            name: campaign_name(number),
            request_id: request_id(),
            ..Default::default()
        };
        let started = campaigns.start_campaign(start).await;
        started.map_err(|status| said(&status))?;
    }
    Ok(())
}

/// Lets every journey come to an end.
async fn end_journeys(acquisition: &Acquisition, journeys: u32) -> anyhow::Result<()> {
    let ending = (0..journeys).map(|number| end(acquisition.clone(), number));
    stream::iter(ending)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn end(mut acquisition: Acquisition, number: u32) -> anyhow::Result<()> {
    let name = prospects::name_of(&draw::prospect_id(number));
    let ended = if number.is_multiple_of(CONVERTS) {
        let campaign = number / CONVERTS % CHANNELS;
        let request = acq::ConvertProspectRequest {
            campaign: campaign_name(campaign),
            ..load::convert(name)
        };
        let converted = acquisition.prospects.convert_prospect(request).await;
        converted.map(|_| ())
    } else {
        let request = acq::CloseProspectRequest {
            name,
            reason: acq::CloseReason::NoNeed as i32,
            request_id: request_id(),
            ..Default::default()
        };
        let closed = acquisition.prospects.close_prospect(request).await;
        closed.map(|_| ())
    };
    ended.map_err(|status| said(&status))
}
