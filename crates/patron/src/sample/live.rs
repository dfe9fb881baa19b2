//! A business lives through the two services, as their clients see it, a day at a time.

use std::future::Future;

use anyhow::ensure;
use eventsourcing::{Days, Time};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use patron_proto::acquisition::v1 as acq;
use patron_proto::retention::v1 as ret;
use prost_types::Timestamp;
use server::timestamp;

use super::agenda::{Day, agenda};
use super::offer::{PROPOSITION, campaign_name, euros, office_coffee, shown};
use super::{Business, Customer, End, Touch, campaign_of, first_day, presentation};
use crate::connect::{Acquisition, Retention, request_id, said};
use crate::demo::until;

/// Requests under way at once.
const AT_ONCE: usize = 64;
/// Touches of one request.
const BATCH: usize = 1_000;
/// What a campaign costs a week, in cents.
const WEEKLY_SPEND: i64 = 90_000;

/// Where a business lives.
pub(crate) struct Place<'a> {
    pub(crate) acquisition: Acquisition,
    pub(crate) retention: Retention,
    /// Its first midnight.
    pub(crate) begins: Time,
    /// Makes the clock of both services show a moment.
    pub(crate) set_clock: &'a (dyn Fn(Time) + Sync),
}

/// Lives a business from its first day to its last; the names of its prospects.
pub(crate) async fn live(business: &Business, place: Place<'_>) -> anyhow::Result<Vec<String>> {
    let mut life = Life {
        business,
        place,
        day: 0,
        names: vec![String::new(); business.people.len()],
        promises: vec![String::new(); business.people.len()],
    };
    life.set_clock();
    life.propose().await?;
    for (day, agenda) in (0..).zip(agenda(business)) {
        life.day = day;
        life.set_clock();
        life.campaign().await?;
        life.acquire(&agenda).await?;
        life.keep(&agenda).await?;
    }
    Ok(life.names)
}

/// A business while it lives.
struct Life<'a> {
    business: &'a Business,
    place: Place<'a>,
    day: u32,
    names: Vec<String>,
    /// The name of each customer's promise.
    promises: Vec<String>,
}

impl Life<'_> {
    fn midnight(&self, day: u32) -> Time {
        self.place.begins.plus_days(Days(day))
    }

    /// The last second of the day: what it brings has happened then.
    fn set_clock(&self) {
        (self.place.set_clock)(self.midnight(self.day).plus_seconds(86_399));
    }

    fn name(&self, who: usize) -> String {
        self.names.get(who).cloned().unwrap_or_default()
    }

    fn customer(&self, who: usize) -> Option<&Customer> {
        match &self.business.people.get(who)?.end {
            End::Converted(customer) => Some(customer),
            End::Open | End::Closed(_) => None,
        }
    }

    async fn propose(&self) -> anyhow::Result<()> {
        let mut propositions = self.place.acquisition.propositions.clone();
        let request = acq::CreatePropositionRequest {
            proposition_id: "office-coffee".to_owned(),
            proposition: Some(office_coffee()),
            request_id: request_id(),
            ..Default::default()
        };
        answered(propositions.create_proposition(request).await)?;
        for (id, benefit) in [("fresh", "fresh-beans"), ("speed", "next-day")] {
            let request = acq::AddPresentationRequest {
                parent: PROPOSITION.to_owned(),
                presentation_id: id.to_owned(),
                presentation: Some(shown(benefit)),
                request_id: request_id(),
                ..Default::default()
            };
            answered(propositions.add_presentation(request).await)?;
        }
        let request = acq::PublishPropositionRequest {
            name: PROPOSITION.to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        answered(propositions.publish_proposition(request).await).map(|_| ())
    }

    /// Starts a campaign on its first day, and pays for it every week.
    async fn campaign(&self) -> anyhow::Result<()> {
        let campaign = campaign_of(self.day);
        let name = campaign_name(campaign);
        if self.day == first_day(campaign) {
            self.start(campaign, &name).await?;
        }
        if !(self.day - first_day(campaign)).is_multiple_of(7) {
            return Ok(());
        }
        let request = acq::RecordSpendRequest {
            parent: name,
            spend: Some(acq::Spend {
                spend_id: format!("day-{}", self.day),
                kind: acq::SpendKind::Media as i32,
                amount: euros(WEEKLY_SPEND),
                presentation_id: presentation(campaign).to_owned(),
                ..Default::default()
            }),
            request_id: request_id(),
            validate_only: false,
        };
        let mut campaigns = self.place.acquisition.campaigns.clone();
        answered(campaigns.record_spend(request).await).map(|_| ())
    }

    async fn start(&self, campaign: u32, name: &str) -> anyhow::Result<()> {
        let mut campaigns = self.place.acquisition.campaigns.clone();
        let plan = acq::Campaign {
            presentation_ids: vec![presentation(campaign).to_owned()],
            starts_at: Some(timestamp(self.midnight(self.day))),
            ends_at: Some(timestamp(self.midnight(first_day(campaign + 1)))),
            currency_code: "EUR".to_owned(),
            ..Default::default()
        };
        let request = acq::CreateCampaignRequest {
            parent: PROPOSITION.to_owned(),
            campaign_id: crate::show::last(name).to_owned(),
            campaign: Some(plan),
            request_id: request_id(),
            ..Default::default()
        };
        answered(campaigns.create_campaign(request).await)?;
        let start = || acq::StartCampaignRequest {
            name: name.to_owned(),
            started_at: Some(timestamp(self.midnight(self.day))),
            request_id: request_id(),
            ..Default::default()
        };
        let Err(refused) = campaigns.start_campaign(start()).await else {
            return Ok(());
        };
        ensure!(
            server::reason(&refused) == "PRESENTATION_FLAGGED",
            said(&refused)
        );
        // Its promises broke too often: somebody says that this changes, and may even mean it.
        let request = acq::ClearPresentationFlagRequest {
            name: format!("{PROPOSITION}/presentations/{}", presentation(campaign)),
            note: "another carrier from this quarter on".to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        let mut propositions = self.place.acquisition.propositions.clone();
        answered(propositions.clear_presentation_flag(request).await)?;
        answered(campaigns.start_campaign(start()).await).map(|_| ())
    }

    /// What acquisition sees of a day.
    async fn acquire(&mut self, day: &Day) -> anyhow::Result<()> {
        let created = each(&day.created, |who| self.create(who)).await?;
        for (who, name) in day.created.iter().zip(created) {
            if let Some(place) = self.names.get_mut(*who) {
                *place = name;
            }
        }
        for touches in day.touched.chunks(BATCH) {
            self.touch(touches).await?;
        }
        each(&day.qualified, |who| self.qualify(who)).await?;
        let promises = each(&day.converted, |who| self.convert(who)).await?;
        for (who, promise) in day.converted.iter().zip(promises) {
            if let Some(place) = self.promises.get_mut(*who) {
                *place = promise;
            }
        }
        each(&day.closed, |who| self.close(who)).await?;
        Ok(())
    }

    /// What retention sees of a day.
    async fn keep(&self, day: &Day) -> anyhow::Result<()> {
        each(&day.judged, |who| self.judge(who)).await?;
        each(&day.bought, |(who, purchase)| self.buy(who, purchase)).await?;
        each(&day.lost, |who| self.lose(who)).await?;
        Ok(())
    }

    /// The moment of the last touch of somebody on this day.
    fn touched_at(&self, who: usize) -> Option<Timestamp> {
        let touches = &self.business.people.get(who)?.touches;
        let of_today = |touch: &&Touch| touch.day == self.day;
        let touch = touches.iter().rfind(of_today)?;
        Some(timestamp(
            self.midnight(self.day).plus_seconds(touch.second.into()),
        ))
    }

    /// Somebody is heard of at the first touch.
    async fn create(&self, who: usize) -> anyhow::Result<String> {
        let first = self.business.people.get(who);
        let first = first.and_then(|person| person.touches.first());
        let midnight = self.midnight(self.day);
        let first = first.map(|touch| timestamp(midnight.plus_seconds(touch.second.into())));
        let request = acq::CreateProspectRequest {
            prospect: Some(acq::Prospect {
                kind: acq::ProspectKind::Organisation as i32,
                source: "website".to_owned(),
                ..Default::default()
            }),
            request_id: request_id(),
            occurred_at: first,
            ..Default::default()
        };
        let mut prospects = self.place.acquisition.prospects.clone();
        Ok(answered(prospects.create_prospect(request).await)?.name)
    }

    async fn touch(&self, touches: &[(usize, usize)]) -> anyhow::Result<()> {
        let midnight = self.midnight(self.day);
        let item = |&(who, number): &(usize, usize)| {
            let touch = self.business.people.get(who)?.touches.get(number)?;
            let campaign = touch.campaign;
            Some(acq::TouchpointItem {
                parent: self.name(who),
                touchpoint: Some(acq::Touchpoint {
                    touchpoint_id: format!("touch-{number}"),
                    campaign: campaign.map(campaign_name).unwrap_or_default(),
                    presentation_id: campaign.map_or("", presentation).to_owned(),
                    channel: touch.channel.to_owned(),
                    kind: acq::TouchpointKind::Visit as i32,
                    occurred_at: Some(timestamp(midnight.plus_seconds(touch.second.into()))),
                    utm: None,
                }),
            })
        };
        let request = acq::BatchRecordTouchpointsRequest {
            items: touches.iter().filter_map(item).collect(),
            request_id: request_id(),
        };
        let mut prospects = self.place.acquisition.prospects.clone();
        let results = answered(prospects.batch_record_touchpoints(request).await)?.results;
        let refused = results.iter().find(|result| result.code != 0);
        ensure!(refused.is_none(), "a touch was refused: {refused:?}");
        Ok(())
    }

    async fn qualify(&self, who: usize) -> anyhow::Result<()> {
        let request = acq::QualifyProspectRequest {
            name: self.name(who),
            proposition: PROPOSITION.to_owned(),
            problem_id: "bad-coffee".to_owned(),
            request_id: request_id(),
            occurred_at: self.touched_at(who),
            ..Default::default()
        };
        let mut prospects = self.place.acquisition.prospects.clone();
        answered(prospects.qualify_prospect(request).await).map(|_| ())
    }

    /// The name of the promise that comes with it.
    async fn convert(&self, who: usize) -> anyhow::Result<String> {
        let Some(customer) = self.customer(who) else {
            return Ok(String::new());
        };
        let campaign = customer.campaign;
        let request = acq::ConvertProspectRequest {
            name: self.name(who),
            proposition: PROPOSITION.to_owned(),
            campaign: campaign.map(campaign_name).unwrap_or_default(),
            presentation_id: customer.presentation.to_owned(),
            problem_id: "bad-coffee".to_owned(),
            first_purchase: Some(acq::FirstPurchase {
                amount: euros(customer.first_purchase),
                contribution_margin: None,
            }),
            currency_code: "EUR".to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        let mut prospects = self.place.acquisition.prospects.clone();
        let converted = answered(prospects.convert_prospect(request).await)?;
        let conversion = converted.conversion.unwrap_or_default();
        let promise = conversion.promises.first();
        let promise = promise.map(|promise| promise.promise_id.as_str());
        Ok(format!(
            "{}/promises/{}",
            conversion.customer,
            promise.unwrap_or_default()
        ))
    }

    async fn close(&self, who: usize) -> anyhow::Result<()> {
        let reasons = [
            acq::CloseReason::NoNeed,
            acq::CloseReason::NoBudget,
            acq::CloseReason::NoDecision,
            acq::CloseReason::Unreachable,
        ];
        let reason = reasons.get(who % reasons.len());
        let request = acq::CloseProspectRequest {
            name: self.name(who),
            reason: reason.copied().unwrap_or(acq::CloseReason::NoNeed) as i32,
            request_id: request_id(),
            ..Default::default()
        };
        let mut prospects = self.place.acquisition.prospects.clone();
        answered(prospects.close_prospect(request).await).map(|_| ())
    }

    async fn judge(&self, who: usize) -> anyhow::Result<()> {
        let verdict = match self.customer(who).and_then(|customer| customer.judged) {
            Some((_, true)) => ret::PromiseVerdict::Kept,
            Some((_, false)) | None => ret::PromiseVerdict::Broken,
        };
        let request = ret::AssessPromiseRequest {
            name: self.promises.get(who).cloned().unwrap_or_default(),
            verdict: verdict as i32,
            request_id: request_id(),
            ..Default::default()
        };
        let ask = || {
            let (mut promises, request) = (self.place.retention.promises.clone(), request.clone());
            async move { promises.assess_promise(request).await }
        };
        until("the promise", ask, |_| true).await.map(|_| ())
    }

    async fn buy(&self, who: usize, number: usize) -> anyhow::Result<()> {
        let bought = self
            .customer(who)
            .and_then(|customer| customer.purchases.get(number));
        let request = ret::RecordPurchaseRequest {
            parent: self.name(who).replace("prospects/", "customers/"),
            purchase: Some(ret::Purchase {
                purchase_id: format!("purchase-{number}"),
                amount: euros(bought.map_or(0, |(_, amount)| *amount)),
                ..Default::default()
            }),
            request_id: request_id(),
            validate_only: false,
        };
        let ask = || {
            let (mut customers, request) =
                (self.place.retention.customers.clone(), request.clone());
            async move { customers.record_purchase(request).await }
        };
        until("the customer", ask, |_| true).await.map(|_| ())
    }

    async fn lose(&self, who: usize) -> anyhow::Result<()> {
        let judged = self.customer(who).and_then(|customer| customer.judged);
        let reason = match judged {
            Some((_, false)) => ret::LossReason::PromiseBroken,
            Some((_, true)) | None => ret::LossReason::NoLongerNeeded,
        };
        let request = ret::EndRelationshipRequest {
            name: self.name(who).replace("prospects/", "customers/"),
            cause: ret::LossCause::Voluntary as i32,
            reason: reason as i32,
            request_id: request_id(),
            ..Default::default()
        };
        let mut customers = self.place.retention.customers.clone();
        answered(customers.end_relationship(request).await).map(|_| ())
    }
}

/// Does something for each of these, many at once; the outcomes in the same order.
async fn each<T: Copy, U, F>(these: &[T], act: impl Fn(T) -> F) -> anyhow::Result<Vec<U>>
where
    F: Future<Output = anyhow::Result<U>>,
{
    let acts: Vec<F> = these.iter().map(|this| act(*this)).collect();
    stream::iter(acts).buffered(AT_ONCE).try_collect().await
}

fn answered<T>(answer: Result<tonic::Response<T>, tonic::Status>) -> anyhow::Result<T> {
    answer
        .map(tonic::Response::into_inner)
        .map_err(|status| said(&status))
}
