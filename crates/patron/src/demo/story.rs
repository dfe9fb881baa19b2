//! Story S1: a marketing lead finds that the cheap campaign is the bad one.

use anyhow::{Context as _, bail};
use patron_proto::acquisition::v1 as acq;
use patron_proto::retention::v1 as ret;
use patron_proto::types::v1::Money;
use tonic::Status;

use super::until;
use crate::connect::{Acquisition, Retention, request_id, said};

/// Where the story tells what it does.
type Tell<'a> = &'a (dyn Fn(&str) + Sync);

const PROPOSITION: &str = "propositions/van-repair";
const FAST: &str = "propositions/van-repair/campaigns/fast";
const TOUGH: &str = "propositions/van-repair/campaigns/tough";

/// Plays the story through the two services, as any client would.
pub(crate) async fn play(
    acquisition: &mut Acquisition,
    retention: &mut Retention,
    print: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    let tell: Tell<'_> = print;
    tell("A garage offers van repair. Its customers' problem: the van is off the road.");
    propose(acquisition).await?;
    tell(
        "Two ways to present it: `speed` promises the van back next day, `durable` a steel frame.",
    );
    tell(
        "Campaign `fast` shows `speed` and costs 1,000.00 EUR, `tough` shows `durable` and costs 1,500.00 EUR.",
    );
    let fast = convert_all(acquisition, "fast", FAST, "speed", 4).await?;
    let tough = convert_all(acquisition, "tough", TOUGH, "durable", 3).await?;
    tell("`fast` wins 4 customers, `tough` 3; each buys for 400.00 EUR. Fast looks twice as good:");
    cheap_looks_good(acquisition, tell).await?;
    tell(
        "Then the promises come due. Of `fast`, 1 is kept and 3 are broken; of `tough`, all 3 are kept.",
    );
    keep_and_break(retention, &fast, &tough).await?;
    tell(
        "The 3 whose promise was broken leave; each customer of `tough` comes back for 400.00 EUR more.",
    );
    leave_and_return(retention, &fast, &tough).await?;
    settle(acquisition).await?;
    flagged(acquisition, tell).await
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "message fields are optional in protobuf"
)]
fn money(minor_units: i64) -> Option<Money> {
    Some(Money {
        currency_code: "EUR".to_owned(),
        minor_units,
    })
}

fn van_repair() -> acq::Proposition {
    let benefit =
        |id: &str, statement: &str, nature: acq::BenefitNature, level: acq::BenefitLevel| {
            acq::Benefit {
                benefit_id: id.to_owned(),
                statement: statement.to_owned(),
                nature: nature as i32,
                level: level as i32,
                problem_ids: vec!["van-off-road".to_owned()],
                ..Default::default()
            }
        };
    acq::Proposition {
        display_name: "Van repair".to_owned(),
        problems: vec![acq::Problem {
            problem_id: "van-off-road".to_owned(),
            statement: "My van is off the road and I cannot work".to_owned(),
        }],
        benefits: vec![
            benefit(
                "next-day",
                "Back on the road tomorrow",
                acq::BenefitNature::Intangible,
                acq::BenefitLevel::Augmented,
            ),
            benefit(
                "steel-frame",
                "A frame that lasts",
                acq::BenefitNature::Tangible,
                acq::BenefitLevel::Expected,
            ),
        ],
        differentiators: vec![acq::Differentiator {
            differentiator_id: "faster-than-acme".to_owned(),
            benefit_id: "next-day".to_owned(),
            competitor: "Acme".to_owned(),
            claim: "Acme takes a week".to_owned(),
        }],
        ..Default::default()
    }
}

async fn propose(acquisition: &mut Acquisition) -> anyhow::Result<()> {
    let created = acquisition
        .propositions
        .create_proposition(acq::CreatePropositionRequest {
            proposition_id: "van-repair".to_owned(),
            proposition: Some(van_repair()),
            request_id: request_id(),
            ..Default::default()
        });
    created.await.map_err(|status| said(&status))?;
    present(
        acquisition,
        "speed",
        "search",
        "next-day",
        "back on the road tomorrow",
    )
    .await?;
    present(
        acquisition,
        "durable",
        "trade-fair",
        "steel-frame",
        "a frame that does not rust",
    )
    .await?;
    let published = acquisition
        .propositions
        .publish_proposition(acq::PublishPropositionRequest {
            name: PROPOSITION.to_owned(),
            request_id: request_id(),
            ..Default::default()
        });
    published.await.map_err(|status| said(&status))?;
    run_campaign(acquisition, "fast", "speed", 100_000).await?;
    run_campaign(acquisition, "tough", "durable", 150_000).await
}

async fn present(
    acquisition: &mut Acquisition,
    id: &str,
    channel: &str,
    benefit_id: &str,
    expectation: &str,
) -> anyhow::Result<()> {
    let claim = acq::Claim {
        benefit_id: benefit_id.to_owned(),
        expectation: expectation.to_owned(),
        expected_score: 6,
        importance: 100,
        due_days: Some(30),
    };
    let added = acquisition
        .propositions
        .add_presentation(acq::AddPresentationRequest {
            parent: PROPOSITION.to_owned(),
            presentation_id: id.to_owned(),
            presentation: Some(acq::Presentation {
                channel: channel.to_owned(),
                message: format!("Van repair: {expectation}"),
                claims: vec![claim],
                ..Default::default()
            }),
            request_id: request_id(),
            ..Default::default()
        });
    added.await.map(|_| ()).map_err(|status| said(&status))
}

async fn plan_campaign(
    acquisition: &mut Acquisition,
    id: &str,
    presentation: &str,
) -> anyhow::Result<()> {
    let now = crate::show::now();
    let in_a_month = prost_types::Timestamp {
        seconds: now.seconds + 30 * 86_400,
        nanos: 0,
    };
    let planned = acquisition
        .campaigns
        .create_campaign(acq::CreateCampaignRequest {
            parent: PROPOSITION.to_owned(),
            campaign_id: id.to_owned(),
            campaign: Some(acq::Campaign {
                presentation_ids: vec![presentation.to_owned()],
                starts_at: Some(now),
                ends_at: Some(in_a_month),
                currency_code: "EUR".to_owned(),
                ..Default::default()
            }),
            request_id: request_id(),
            ..Default::default()
        });
    planned.await.map(|_| ()).map_err(|status| said(&status))
}

async fn start(acquisition: &mut Acquisition, id: &str) -> Result<(), Status> {
    let started = acquisition
        .campaigns
        .start_campaign(acq::StartCampaignRequest {
            name: format!("{PROPOSITION}/campaigns/{id}"),
            request_id: request_id(),
            ..Default::default()
        });
    started.await.map(|_| ())
}

async fn run_campaign(
    acquisition: &mut Acquisition,
    id: &str,
    presentation: &str,
    spend: i64,
) -> anyhow::Result<()> {
    plan_campaign(acquisition, id, presentation).await?;
    start(acquisition, id)
        .await
        .map_err(|status| said(&status))?;
    let spent = acq::RecordSpendRequest {
        parent: format!("{PROPOSITION}/campaigns/{id}"),
        spend: Some(acq::Spend {
            spend_id: "media".to_owned(),
            kind: acq::SpendKind::Media as i32,
            amount: money(spend),
            ..Default::default()
        }),
        request_id: request_id(),
        validate_only: false,
    };
    // Sent twice, as a client does whose answer was lost: it is one expense all the same.
    for _ in 0..2 {
        let recorded = acquisition.campaigns.record_spend(spent.clone()).await;
        recorded.map_err(|status| said(&status))?;
    }
    Ok(())
}

/// Lets so many prospects come by a campaign and convert; the customers' ids.
async fn convert_all(
    acquisition: &mut Acquisition,
    touch: &str,
    campaign: &str,
    presentation: &str,
    count: usize,
) -> anyhow::Result<Vec<String>> {
    let mut customers = Vec::new();
    for _ in 0..count {
        let created = acquisition
            .prospects
            .create_prospect(acq::CreateProspectRequest {
                prospect: Some(acq::Prospect {
                    kind: acq::ProspectKind::Organisation as i32,
                    source: "website".to_owned(),
                    ..Default::default()
                }),
                request_id: request_id(),
                ..Default::default()
            });
        let prospect = created
            .await
            .map_err(|status| said(&status))?
            .into_inner()
            .name;
        let touched = acquisition
            .prospects
            .record_touchpoint(acq::RecordTouchpointRequest {
                parent: prospect.clone(),
                touchpoint: Some(acq::Touchpoint {
                    touchpoint_id: format!("{touch}-1"),
                    campaign: campaign.to_owned(),
                    presentation_id: presentation.to_owned(),
                    channel: "search".to_owned(),
                    kind: acq::TouchpointKind::Click as i32,
                    ..Default::default()
                }),
                request_id: request_id(),
                validate_only: false,
            });
        touched.await.map_err(|status| said(&status))?;
        convert(acquisition, &prospect, campaign, presentation).await?;
        customers.push(prospect.replace("prospects/", "customers/"));
    }
    Ok(customers)
}

async fn convert(
    acquisition: &mut Acquisition,
    prospect: &str,
    campaign: &str,
    presentation: &str,
) -> anyhow::Result<()> {
    let qualified = acquisition
        .prospects
        .qualify_prospect(acq::QualifyProspectRequest {
            name: prospect.to_owned(),
            proposition: PROPOSITION.to_owned(),
            problem_id: "van-off-road".to_owned(),
            request_id: request_id(),
            ..Default::default()
        });
    qualified.await.map_err(|status| said(&status))?;
    let converted = acquisition
        .prospects
        .convert_prospect(acq::ConvertProspectRequest {
            name: prospect.to_owned(),
            proposition: PROPOSITION.to_owned(),
            campaign: campaign.to_owned(),
            presentation_id: presentation.to_owned(),
            problem_id: "van-off-road".to_owned(),
            first_purchase: Some(acq::FirstPurchase {
                amount: money(40_000),
                contribution_margin: None,
            }),
            currency_code: "EUR".to_owned(),
            request_id: request_id(),
            ..Default::default()
        });
    converted.await.map(|_| ()).map_err(|status| said(&status))
}

async fn card(
    acquisition: &Acquisition,
    name: &str,
    what: &str,
    ready: impl Fn(&acq::CampaignScorecard) -> bool,
) -> anyhow::Result<acq::CampaignScorecard> {
    let ask = || {
        let mut campaigns = acquisition.campaigns.clone();
        let request = acq::GetCampaignScorecardRequest {
            name: name.to_owned(),
            ..Default::default()
        };
        async move {
            campaigns
                .get_campaign_scorecard(request)
                .await
                .map(tonic::Response::into_inner)
        }
    };
    until(what, ask, ready).await
}

async fn cheap_looks_good(acquisition: &Acquisition, tell: Tell<'_>) -> anyhow::Result<()> {
    for (name, campaign, customers) in [("fast", FAST, 4), ("tough", TOUGH, 3)] {
        // Each customer is worth 300.00: 200.00 of margin a year, half as much again for the years to come.
        let worth = customers * 30_000;
        let all_told = |card: &acq::CampaignScorecard| {
            card.equity
                .as_ref()
                .is_some_and(|equity| equity.minor_units == worth)
        };
        let card = card(acquisition, campaign, "the new customers", all_told).await?;
        let cac = crate::show::amount(card.cac.as_ref());
        tell(&format!(
            "  {name}: {cac} a customer, each worth 300.00 EUR"
        ));
    }
    Ok(())
}

/// The promise that a customer's conversion made, once retention has heard of it.
async fn promise(retention: &Retention, customer: &str) -> anyhow::Result<String> {
    let ask = || {
        let mut promises = retention.promises.clone();
        let request = ret::ListPromisesRequest {
            parent: customer.to_owned(),
            ..Default::default()
        };
        async move {
            promises
                .list_promises(request)
                .await
                .map(tonic::Response::into_inner)
        }
    };
    let found = until(
        "the relationship",
        ask,
        |page: &ret::ListPromisesResponse| !page.promises.is_empty(),
    );
    let first = found.await?.promises.into_iter().next();
    Ok(first
        .context("a conversion makes at least one promise")?
        .name)
}

async fn keep_and_break(
    retention: &mut Retention,
    fast: &[String],
    tough: &[String],
) -> anyhow::Result<()> {
    use ret::PromiseVerdict::{Broken, Kept};
    let verdicts = [Kept, Broken, Broken, Broken, Kept, Kept, Kept];
    for (customer, verdict) in fast.iter().chain(tough).zip(verdicts) {
        let name = promise(retention, customer).await?;
        let assessed = retention
            .promises
            .assess_promise(ret::AssessPromiseRequest {
                name,
                verdict: verdict as i32,
                request_id: request_id(),
                ..Default::default()
            });
        assessed.await.map_err(|status| said(&status))?;
    }
    Ok(())
}

async fn leave_and_return(
    retention: &mut Retention,
    fast: &[String],
    tough: &[String],
) -> anyhow::Result<()> {
    for customer in fast.iter().skip(1) {
        let ended = retention
            .customers
            .end_relationship(ret::EndRelationshipRequest {
                name: customer.clone(),
                cause: ret::LossCause::Voluntary as i32,
                reason: ret::LossReason::PromiseBroken as i32,
                request_id: request_id(),
                ..Default::default()
            });
        ended.await.map_err(|status| said(&status))?;
    }
    for customer in tough {
        let bought = retention
            .customers
            .record_purchase(ret::RecordPurchaseRequest {
                parent: customer.clone(),
                purchase: Some(ret::Purchase {
                    purchase_id: "second".to_owned(),
                    amount: money(40_000),
                    ..Default::default()
                }),
                request_id: request_id(),
                validate_only: false,
            });
        bought.await.map_err(|status| said(&status))?;
    }
    Ok(())
}

/// Waits until acquisition has heard of everything that happened.
async fn settle(acquisition: &Acquisition) -> anyhow::Result<()> {
    let worth = |minor_units: i64| {
        move |card: &acq::CampaignScorecard| {
            card.equity
                .as_ref()
                .is_some_and(|equity| equity.minor_units == minor_units)
        }
    };
    card(acquisition, FAST, "the losses", worth(30_000)).await?;
    card(acquisition, TOUGH, "the second purchases", worth(180_000)).await?;
    let flagged = |card: &acq::CampaignScorecard| !card.flagged_presentation_ids.is_empty();
    card(acquisition, FAST, "the flag on `speed`", flagged)
        .await
        .map(|_| ())
}

/// Shows that the flag holds.
async fn flagged(acquisition: &mut Acquisition, tell: Tell<'_>) -> anyhow::Result<()> {
    tell(
        "Patron has flagged `speed`: it promises what is not kept. A new campaign with it is refused:",
    );
    plan_campaign(acquisition, "faster", "speed").await?;
    let Err(refusal) = start(acquisition, "faster").await else {
        bail!("a campaign with a flagged presentation was started");
    };
    tell(&format!("  {:#}", said(&refusal)));
    Ok(())
}

/// Lifts the flag, with a note why, so that the campaign can start.
pub(crate) async fn lift_the_flag(
    acquisition: &mut Acquisition,
    tell: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<()> {
    let cleared =
        acquisition
            .propositions
            .clear_presentation_flag(acq::ClearPresentationFlagRequest {
                name: format!("{PROPOSITION}/presentations/speed"),
                note: "a second mechanic works nights now".to_owned(),
                request_id: request_id(),
                ..Default::default()
            });
    cleared.await.map_err(|status| said(&status))?;
    start(acquisition, "faster")
        .await
        .map_err(|status| said(&status))?;
    tell(
        "The garage hires a second mechanic. With that note the flag is cleared, and the campaign starts.",
    );
    Ok(())
}
