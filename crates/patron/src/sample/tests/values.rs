//! Both services value a customer alike.

use std::collections::BTreeMap;

use attribution::Rule;
use patron_proto::acquisition::v1 as acq;
use patron_proto::retention::v1 as ret;

use super::{Lived, journeys};
use crate::connect::request_id;
use crate::demo::until;

const LEDGER: &str = "ledgers/EUR";

impl Lived {
    async fn assume(&self, assumptions: ret::SetAssumptionsRequest) {
        let request = ret::SetAssumptionsRequest {
            name: LEDGER.to_owned(),
            request_id: request_id(),
            ..assumptions
        };
        let mut ledgers = self.retention.ledgers.clone();
        ledgers.set_assumptions(request).await.unwrap();
    }

    /// What the customers that a campaign was the last to touch are worth by retention, in cents.
    async fn worth(&self) -> BTreeMap<String, i64> {
        let mut worth = BTreeMap::new();
        for (name, person) in self.people() {
            let journeys = journeys(&[(name, person)], Rule::Last);
            let Some(touch) = journeys.iter().find_map(|journey| journey.path.last()) else {
                continue;
            };
            let request = ret::GetCustomerValueRequest {
                name: name.replace("prospects", "customers"),
                ..Default::default()
            };
            let mut values = self.retention.values.clone();
            let value = values.get_customer_value(request).await.unwrap();
            let value = value.into_inner().value.unwrap().minor_units;
            *worth.entry(touch.channel.clone()).or_default() += value;
        }
        worth
    }

    /// Waits until the scorecards of all campaigns say the same, and say that they are valued in this way.
    async fn agree(&self, is_valued_so: impl Fn(&acq::ValueBasis) -> bool) {
        let worth = self.worth().await;
        assert!(worth.len() > 1 && worth.values().sum::<i64>() > 0);
        for (campaign, worth) in worth {
            let ask = || async {
                let request = acq::GetCampaignScorecardRequest {
                    name: campaign.clone(),
                    ..Default::default()
                };
                let mut campaigns = self.acquisition.campaigns.clone();
                let card = campaigns.get_campaign_scorecard(request).await?;
                Ok(card.into_inner())
            };
            let agrees = |card: &acq::CampaignScorecard| {
                let equity = card.equity.as_ref().map(|equity| equity.minor_units);
                equity == Some(worth) && card.value_basis.as_ref().is_some_and(&is_valued_so)
            };
            let what = format!("{campaign} with customers worth {worth} cents");
            until(&what, ask, agrees).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scorecard_adds_up_the_values_that_retention_tells_of_its_customers() {
    let lived = Lived::of(5, 600).await;
    lived.agree(|basis| basis.method == "SIMPLE").await;
    lived
        .assume(ret::SetAssumptionsRequest {
            annual_retention_rate: Some(0.8),
            annual_discount_rate: Some(0.2),
            ..Default::default()
        })
        .await;
    lived
        .agree(|basis| basis.annual_retention_rate > 0.79 && basis.model.is_empty())
        .await;
    let request = ret::FitModelRequest {
        parent: LEDGER.to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let mut ledgers = lived.retention.ledgers.clone();
    let model = ledgers.fit_model(request).await.unwrap().into_inner();
    lived
        .assume(ret::SetAssumptionsRequest {
            method: ret::ValueMethod::MbgNbd as i32,
            horizon_months: Some(24),
            ..Default::default()
        })
        .await;
    lived.agree(|basis| basis.model == model.name).await;
    lived.pair.stop().await;
}
