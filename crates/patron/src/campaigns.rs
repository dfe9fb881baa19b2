//! `patron campaigns`: whether the customers that a campaign created stay; people before money.

use patron_proto::acquisition::v1::{
    CampaignScorecard, GetCampaignScorecardRequest, ListCampaignsRequest,
};

use crate::connect::{Acquisition, Services, said};
use crate::scorecard::paid_back;
use crate::show::{amount, interval, json, last, percent, print, ratio, table};

/// Which campaigns.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    /// Only those of this proposition.
    #[arg(default_value = "-", value_name = "PROPOSITION")]
    proposition: String,
    /// JSON for programs: one scorecard a line group.
    #[arg(long)]
    json: bool,
}

const PAGE: i32 = 100;

/// Shows the campaigns side by side.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut acquisition = args.services.acquisition().await?;
    let cards = scorecards(&mut acquisition, &args.proposition).await?;
    if args.json {
        let cards: Vec<String> = cards.iter().map(json).collect::<Result<_, _>>()?;
        print(format!("[{}]", cards.join(",\n")));
    } else if cards.is_empty() {
        print("no campaigns yet");
    } else {
        // Side by side as long as they fit a screen.
        for group in cards.chunks(4) {
            print(shown(group));
        }
    }
    Ok(())
}

/// The scorecards of all campaigns, by name.
pub(crate) async fn scorecards(
    acquisition: &mut Acquisition,
    proposition: &str,
) -> anyhow::Result<Vec<CampaignScorecard>> {
    let mut cards = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListCampaignsRequest {
            parent: format!("propositions/{proposition}"),
            page_size: PAGE,
            page_token,
            min_position: String::new(),
        };
        let page = acquisition.campaigns.list_campaigns(request).await;
        let page = page.map_err(|status| said(&status))?.into_inner();
        for campaign in page.campaigns {
            let request = GetCampaignScorecardRequest {
                name: campaign.name,
                ..Default::default()
            };
            let card = acquisition.campaigns.get_campaign_scorecard(request).await;
            cards.push(card.map_err(|status| said(&status))?.into_inner());
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(cards);
        }
    }
}

/// Scorecards side by side, one column each.
pub(crate) fn shown(cards: &[CampaignScorecard]) -> String {
    let mut headings = vec!["campaign"];
    headings.extend(cards.iter().map(|card| last(&card.campaign)));
    let line = |what: &str, figure: &dyn Fn(&CampaignScorecard) -> String| {
        std::iter::once(what.to_owned())
            .chain(cards.iter().map(figure))
            .collect::<Vec<String>>()
    };
    let kept = |card: &CampaignScorecard| {
        let promises = card.promises.as_ref();
        let assessed = promises.map_or(0, |tally| tally.kept + tally.broken);
        let rate = percent(promises.and_then(|tally| tally.kept_rate));
        format!("{rate} of {assessed}")
    };
    let sure = |card: &CampaignScorecard| {
        let promises = card.promises.as_ref();
        interval(
            promises.and_then(|tally| tally.kept_rate_lower),
            promises.and_then(|tally| tally.kept_rate_upper),
        )
    };
    let flagged = |card: &CampaignScorecard| {
        let flagged = card.flagged_presentation_ids.join(", ");
        if flagged.is_empty() {
            "–".to_owned()
        } else {
            format!("⚑ {flagged}")
        }
    };
    let payback = |card: &CampaignScorecard| paid_back(card.spend.as_ref(), card.payback_days);
    let lines = vec![
        line("customers created", &|card| card.created.to_string()),
        line("active now", &|card| {
            format!("{} of {}", card.active, card.created)
        }),
        line("promises kept", &kept),
        line("  95 % interval", &sure),
        line("flagged presentations", &flagged),
        line("spend", &|card| amount(card.spend.as_ref())),
        line("cost per customer", &|card| amount(card.cac.as_ref())),
        line("customer equity", &|card| amount(card.equity.as_ref())),
        line("equity per unit of spend", &|card| {
            ratio(card.equity_per_spend)
        }),
        line("margin so far", &|card| {
            amount(card.margin_to_date.as_ref())
        }),
        line("paid back after", &payback),
    ];
    table(&headings, lines)
}
