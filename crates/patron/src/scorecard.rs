//! `patron scorecard`: whether what was done created customers who stay; people before money.

use anyhow::ensure;
use clap::Subcommand;
use patron_proto::acquisition::v1::{
    BenefitReach, BenefitRetention, BenefitScorecard, CampaignScorecard,
    GetBenefitScorecardRequest, GetCampaignScorecardRequest, GetPresentationScorecardRequest,
    PresentationScorecard, PromiseTally, RetentionAfter, ValueBasis,
};
use patron_proto::types::v1::Money;

use crate::attribution::Model;
use crate::connect::{Services, said};
use crate::moment::Moment;
use crate::show::{
    self, amount, count, interval, json, people, percent, points, print, ratio, short, table,
};

/// Of what.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Of a campaign.
    Campaign(CampaignArgs),
    /// Of a way to present.
    Presentation(PresentationArgs),
    /// Of a benefit.
    Benefit(BenefitArgs),
}

/// Which campaign.
#[derive(Debug, clap::Args)]
pub(crate) struct CampaignArgs {
    /// `PROPOSITION/CAMPAIGN`, or the whole resource name.
    name: String,
    /// How customers are credited.
    #[arg(long, value_enum, default_value = "last")]
    model: Model,
    #[command(flatten)]
    asked: Asked,
}

/// Which presentation.
#[derive(Debug, clap::Args)]
pub(crate) struct PresentationArgs {
    /// `PROPOSITION/PRESENTATION`, or the whole resource name.
    name: String,
    /// How customers are credited.
    #[arg(long, value_enum, default_value = "last")]
    model: Model,
    /// The currency of its amounts.
    #[arg(long, default_value = "EUR", value_name = "CODE")]
    currency: String,
    #[command(flatten)]
    asked: Asked,
}

/// Which benefit.
#[derive(Debug, clap::Args)]
pub(crate) struct BenefitArgs {
    /// `PROPOSITION/BENEFIT`, or the whole resource name.
    name: String,
    #[command(flatten)]
    asked: Asked,
}

/// Where, when and how.
#[derive(Debug, clap::Args)]
struct Asked {
    #[command(flatten)]
    services: Services,
    #[command(flatten)]
    moment: Moment,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// Shows a scorecard.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    print(match command {
        Command::Campaign(args) => of_campaign(args).await?,
        Command::Presentation(args) => of_presentation(args).await?,
        Command::Benefit(args) => of_benefit(args).await?,
    });
    Ok(())
}

async fn of_campaign(args: CampaignArgs) -> anyhow::Result<String> {
    let Asked {
        services,
        moment,
        json: wants_json,
    } = args.asked;
    let request = GetCampaignScorecardRequest {
        name: full(&args.name, "campaigns")?,
        as_of: moment.as_of(),
        min_position: String::new(),
        model: args.model.number(),
        known_at: moment.known_at(),
        known_at_position: moment.token(),
    };
    let mut acquisition = services.acquisition().await?;
    let card = acquisition.campaigns.get_campaign_scorecard(request).await;
    let card = card.map_err(|status| said(&status))?.into_inner();
    if wants_json {
        return json(&card);
    }
    Ok(table(
        &["campaign", &short(&card.campaign)],
        campaign(&card),
    ))
}

async fn of_presentation(args: PresentationArgs) -> anyhow::Result<String> {
    let Asked {
        services,
        moment,
        json: wants_json,
    } = args.asked;
    let request = GetPresentationScorecardRequest {
        name: full(&args.name, "presentations")?,
        currency_code: args.currency,
        model: args.model.number(),
        as_of: moment.as_of(),
        known_at: moment.known_at(),
        known_at_position: moment.token(),
    };
    let mut acquisition = services.acquisition().await?;
    let card = acquisition
        .reports
        .get_presentation_scorecard(request)
        .await;
    let card = card.map_err(|status| said(&status))?.into_inner();
    if wants_json {
        return json(&card);
    }
    let headings = ["presentation", &short(&card.presentation)];
    Ok(table(&headings, presentation(&card)))
}

async fn of_benefit(args: BenefitArgs) -> anyhow::Result<String> {
    let Asked {
        services,
        moment,
        json: wants_json,
    } = args.asked;
    let request = GetBenefitScorecardRequest {
        name: full(&args.name, "benefits")?,
        as_of: moment.as_of(),
        known_at: moment.known_at(),
        known_at_position: moment.token(),
    };
    let mut acquisition = services.acquisition().await?;
    let card = acquisition.reports.get_benefit_scorecard(request).await;
    let card = card.map_err(|status| said(&status))?.into_inner();
    if wants_json {
        return json(&card);
    }
    Ok(benefit(&card))
}

/// The resource name of `PROPOSITION/THING`, or of what is one already.
fn full(name: &str, collection: &str) -> anyhow::Result<String> {
    if name.starts_with("propositions/") {
        return Ok(name.to_owned());
    }
    let parts: Vec<&str> = name.split('/').collect();
    ensure!(
        matches!(parts.as_slice(), [a, b] if !a.is_empty() && !b.is_empty()),
        "{name:?} is neither PROPOSITION/{} nor a resource name",
        collection.trim_end_matches('s').to_uppercase()
    );
    Ok(format!(
        "propositions/{}",
        parts.join(&format!("/{collection}/"))
    ))
}

fn line(what: &str, figure: impl Into<String>) -> Vec<String> {
    vec![what.to_owned(), figure.into()]
}

fn campaign(card: &CampaignScorecard) -> Vec<Vec<String>> {
    let flagged = card.flagged_presentation_ids.join(", ");
    let flagged = if flagged.is_empty() {
        "–".to_owned()
    } else {
        format!("⚑ {flagged}")
    };
    let mut lines = vec![
        line("credited by", card.model.as_str()),
        line("customers created", people(card.created)),
        line("active", people(card.active)),
        line("lost", people(card.lost)),
    ];
    lines.extend(stayed(&card.retention));
    lines.extend(promised(card.promises.as_ref()));
    lines.extend([
        line("flagged presentations", flagged),
        line("spend", amount(card.spend.as_ref())),
        line("cost per customer", amount(card.cac.as_ref())),
        line("  of media alone", amount(card.cac_media_only.as_ref())),
        line("customer equity", amount(card.equity.as_ref())),
        line("  valued by", valued_by(card.value_basis.as_ref())),
        line("equity per unit of spend", ratio(card.equity_per_spend)),
        line("value at creation per cost", ratio(card.ltv_to_cac)),
        line("margin so far", amount(card.margin_to_date.as_ref())),
        line(
            "paid back after",
            paid_back(card.spend.as_ref(), card.payback_days),
        ),
        line(
            "customers of other currencies",
            count(card.other_currency_customers.into()),
        ),
    ]);
    lines
}

fn presentation(card: &PresentationScorecard) -> Vec<Vec<String>> {
    let mut lines = vec![
        line("credited by", card.model.as_str()),
        line("customers created", people(card.created)),
        line("active", people(card.active)),
        line("lost", people(card.lost)),
    ];
    lines.extend(stayed(&card.retention));
    lines.extend(promised(card.promises.as_ref()));
    lines.extend([
        line("flag", if card.flagged { "⚑" } else { "–" }),
        line("spend in its name", amount(card.spend.as_ref())),
        line("cost per customer", amount(card.cac.as_ref())),
        line("  of media alone", amount(card.cac_media_only.as_ref())),
        line("customer equity", amount(card.equity.as_ref())),
        line("  valued by", valued_by(card.value_basis.as_ref())),
        line("equity per unit of spend", ratio(card.equity_per_spend)),
        line("value at creation per cost", ratio(card.ltv_to_cac)),
        line("margin so far", amount(card.margin_to_date.as_ref())),
        line(
            "paid back after",
            paid_back(card.spend.as_ref(), card.payback_days),
        ),
        line(
            "customers of other currencies",
            count(card.other_currency_customers.into()),
        ),
    ]);
    lines
}

/// With what customers are valued.
fn valued_by(basis: Option<&ValueBasis>) -> String {
    let Some(basis) = basis else {
        return "–".to_owned();
    };
    let discount = percent(Some(basis.annual_discount_rate));
    if let Some(months) = basis.horizon_months {
        return format!("{} over {months} months, discount {discount}", basis.model);
    }
    let kept = percent(Some(basis.annual_retention_rate));
    format!("{}, retention {kept}, discount {discount}", basis.method)
}

fn stayed(retention: &[RetentionAfter]) -> impl Iterator<Item = Vec<String>> {
    retention.iter().map(|after| {
        let of = people(after.eligible);
        line(
            &format!("stayed {} days", after.days),
            format!("{} of {of}", percent(after.rate)),
        )
    })
}

fn promised(tally: Option<&PromiseTally>) -> Vec<Vec<String>> {
    let tally = tally.copied().unwrap_or_default();
    let assessed = i64::from(tally.kept) + i64::from(tally.broken);
    vec![
        line(
            "promises kept",
            format!("{} of {}", percent(tally.kept_rate), count(assessed)),
        ),
        line(
            "  95 % interval",
            interval(tally.kept_rate_lower, tally.kept_rate_upper),
        ),
        line("  repaired", count(tally.repaired.into())),
        line("  open", count(tally.open.into())),
        line("  overdue", count(tally.overdue.into())),
    ]
}

/// After how many days; what cost nothing has nothing to pay back.
pub(crate) fn paid_back(spend: Option<&Money>, days: Option<i32>) -> String {
    match (spend, days) {
        (_, Some(days)) => show::counted(u64::try_from(days).unwrap_or(0), "days"),
        (Some(spend), None) if spend.minor_units > 0 => "not yet".to_owned(),
        _ => "–".to_owned(),
    }
}

fn benefit(card: &BenefitScorecard) -> String {
    let reach = |what: &str, reach: Option<&BenefitReach>| {
        let reach = reach.copied().unwrap_or_default();
        vec![
            what.to_owned(),
            count(reach.prospects),
            count(reach.converted),
            percent(reach.conversion_rate),
            interval(reach.conversion_rate_lower, reach.conversion_rate_upper),
        ]
    };
    let group = |what: &str, group: Option<&BenefitRetention>| {
        let group = group.copied().unwrap_or_default();
        vec![
            what.to_owned(),
            count(group.customers),
            count(group.eligible),
            percent(group.rate),
            interval(group.rate_lower, group.rate_upper),
        ]
    };
    let headings = ["prospects", "reached", "converted", "rate", "95 %"];
    let reached = vec![
        reach("presented", card.presented.as_ref()),
        reach("not presented", card.not_presented.as_ref()),
    ];
    let reached = table(&headings, reached);
    let headings = ["customers", "all", "after 365 days", "stayed", "95 %"];
    let groups = vec![
        group("kept", card.kept.as_ref()),
        group("broken", card.broken.as_ref()),
        group("never promised", card.never_promised.as_ref()),
    ];
    let groups = table(&headings, groups);
    let mut promises = promised(card.promises.as_ref());
    promises.extend([
        line("reward of keeping it", points(card.reward)),
        line("penalty of breaking it", points(card.penalty)),
        line("kind of benefit", kind(card)),
    ]);
    let name = short(&card.benefit);
    let promises = table(&["benefit", &name], promises);
    format!("{reached}\n\n{groups}\n\n{promises}\nassociation, not proof")
}

fn kind(card: &BenefitScorecard) -> String {
    if card.kano_class.is_none() {
        return format!(
            "– (fewer than {} customers in a group)",
            card.kano_minimum_eligible
        );
    }
    let name = card.kano_class().as_str_name();
    let name = name.strip_prefix("KANO_CLASS_").unwrap_or(name);
    format!(
        "{} (from {:.0} points on)",
        name,
        card.kano_threshold * 100.0
    )
}

#[cfg(test)]
mod tests {
    use patron_proto::acquisition::v1::{BenefitScorecard, KanoClass};

    use super::{Money, benefit, full, paid_back};

    #[test]
    fn only_what_was_spent_can_be_paid_back() {
        let spent = |minor_units| Money {
            currency_code: "EUR".to_owned(),
            minor_units,
        };
        assert_eq!(paid_back(None, None), "–");
        assert_eq!(paid_back(Some(&spent(0)), None), "–");
        assert_eq!(paid_back(Some(&spent(1)), None), "not yet");
        assert_eq!(paid_back(Some(&spent(1)), Some(1)), "1 day");
        assert_eq!(paid_back(Some(&spent(1)), Some(30)), "30 days");
    }

    #[test]
    fn a_short_name_and_a_resource_name_mean_the_same() {
        let name = "propositions/van-repair/campaigns/fast";
        assert_eq!(full("van-repair/fast", "campaigns").unwrap(), name);
        assert_eq!(full(name, "campaigns").unwrap(), name);
        let wrong = full("fast", "campaigns").unwrap_err().to_string();
        assert!(wrong.contains("PROPOSITION/CAMPAIGN"), "{wrong}");
    }

    #[test]
    fn a_benefit_fits_a_hundred_columns_and_says_no_kind_of_too_few() {
        let mut card = BenefitScorecard {
            benefit: format!("propositions/{0}/benefits/{0}", "a".repeat(63)),
            kano_minimum_eligible: 20,
            kano_threshold: 0.05,
            ..BenefitScorecard::default()
        };
        let text = benefit(&card);
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        assert!(text.contains("fewer than 20"), "{text}");
        card.kano_class = Some(KanoClass::MustBe as i32);
        assert!(benefit(&card).contains("MUST_BE (from 5 points on)"));
    }
}
