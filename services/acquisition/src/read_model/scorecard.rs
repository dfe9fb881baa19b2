//! What a campaign cost and what became of its customers.

use acquisition_domain::campaign::Campaign;
use acquisition_domain::id::CampaignName;
use customer_value::{Interval, Simple};
use eventsourcing::{Days, Time};
use money::{Money, div_half_even};
use read_model::{Error, Rows};
use uuid::Uuid;

use super::customers::{self, Customer, Fate};
use super::{credit, propositions};

/// After how many days it is asked who stayed.
const RETENTION_AFTER: [Days; 3] = [Days(30), Days(90), Days(365)];

/// What a campaign cost and what became of its customers. Money is in the campaign's currency; a figure
/// that is undefined is `None`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scorecard {
    /// Customers created.
    pub(crate) created: u32,
    /// Of those, active.
    pub(crate) active: u32,
    /// Customers whose currency is another one: counted, in none of the amounts.
    pub(crate) other_currency: u32,
    /// What the campaign cost.
    pub(crate) spend: Money,
    /// Spend per customer created, half to even.
    pub(crate) cac: Option<Money>,
    /// What the customers are worth.
    pub(crate) equity: Money,
    /// Equity per unit of spend.
    pub(crate) equity_per_spend: Option<f64>,
    /// Mean value at creation, divided by CAC.
    pub(crate) ltv_to_cac: Option<f64>,
    /// Contribution margin so far.
    pub(crate) margin: Money,
    /// Days from the start until the margin had paid the spend back.
    pub(crate) payback_days: Option<u32>,
    /// Who stayed.
    pub(crate) retention: Vec<Retention>,
    /// What became of the promises.
    pub(crate) promises: Promises,
    /// Presentations of the campaign that are flagged.
    pub(crate) flagged: Vec<String>,
}

/// How many stayed so long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Retention {
    pub(crate) days: Days,
    pub(crate) eligible: u32,
    pub(crate) rate: Option<f64>,
}

/// What became of promises, by their state.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Promises {
    pub(crate) made: u32,
    pub(crate) kept: u32,
    /// Repaired ones among them.
    pub(crate) broken: u32,
    pub(crate) repaired: u32,
    pub(crate) waived: u32,
    pub(crate) open: u32,
    pub(crate) overdue: u32,
}

impl Promises {
    /// Kept of those kept or broken.
    pub(crate) fn kept_rate(self) -> Option<f64> {
        ratio(i64::from(self.kept), i64::from(self.kept + self.broken))
    }

    /// The Wilson 95 % interval of the kept rate.
    pub(crate) fn interval(self) -> Option<Interval> {
        Interval::wilson95(u64::from(self.kept), u64::from(self.kept + self.broken))
    }
}

/// Computes the scorecard of a campaign as of a moment.
pub(crate) fn scorecard(
    rows: &dyn Rows,
    name: &CampaignName,
    as_of: Time,
    simple: Simple,
) -> Result<Option<Scorecard>, Error> {
    let Some(proposition) = propositions::get(rows, &name.proposition_id)? else {
        return Ok(None);
    };
    let Some(campaign) = proposition.campaigns.get(&name.campaign_id) else {
        return Ok(None);
    };
    let spend = Money::new(campaign.plan.currency, spend_until(rows, name, as_of)?);
    let cohort = Cohort::of(rows, name, campaign, as_of, simple)?;
    let money = |minor_units| Money::new(campaign.plan.currency, minor_units);
    let cac = share(spend.minor_units, cohort.created);
    let shown = campaign.plan.presentation_ids.iter();
    let flagged = shown.filter(|id| {
        proposition
            .presentations
            .get(*id)
            .is_some_and(|shown| shown.flag.is_some())
    });
    Ok(Some(Scorecard {
        created: cohort.created,
        active: cohort.active,
        other_currency: cohort.other_currency,
        spend,
        cac: cac.map(money),
        equity: money(cohort.equity),
        equity_per_spend: ratio(cohort.equity, spend.minor_units),
        ltv_to_cac: ratio(cohort.value_at_creation, spend.minor_units),
        margin: money(cohort.payments.iter().map(|(_, margin)| margin).sum()),
        payback_days: cohort.payback_days(spend.minor_units, campaign.started_at),
        retention: cohort.retention,
        promises: promises(rows, name, as_of)?,
        flagged: flagged.map(ToString::to_string).collect(),
    }))
}

fn spend_until(rows: &dyn Rows, name: &CampaignName, as_of: Time) -> Result<i64, Error> {
    let spends = propositions::spends(rows, name)?.into_iter();
    let counted = spends.filter(|booked| booked.spend.incurred_at <= as_of);
    Ok(counted
        .map(|booked| {
            let sign = if booked.spend.reverses.is_some() {
                -1
            } else {
                1
            };
            sign * booked.spend.amount.minor_units
        })
        .sum())
}

/// The customers credited to a campaign, added up.
#[derive(Debug, Default)]
struct Cohort {
    created: u32,
    active: u32,
    other_currency: u32,
    equity: i64,
    value_at_creation: i64,
    /// Margins with their times.
    payments: Vec<(Time, i64)>,
    retention: Vec<Retention>,
}

impl Cohort {
    fn of(
        rows: &dyn Rows,
        name: &CampaignName,
        campaign: &Campaign,
        as_of: Time,
        simple: Simple,
    ) -> Result<Self, Error> {
        let mut cohort = Self::default();
        let mut known = Vec::new();
        for id in credit::credited(rows, name)? {
            // Until retention has told of it, there is nothing to say of a customer but that it was created.
            let Some(customer) = customers::get(rows, id)? else {
                cohort.created += 1;
                cohort.active += 1;
                continue;
            };
            if customer.acquired_at > as_of {
                continue;
            }
            cohort.created += 1;
            cohort.active += u32::from(customer.is_active_at(as_of));
            if customer.currency == campaign.plan.currency {
                cohort.add_money(rows, id, &customer, as_of, simple)?;
            } else {
                cohort.other_currency += 1;
            }
            known.push(customer);
        }
        cohort.payments.sort_unstable();
        cohort.retention = RETENTION_AFTER
            .map(|days| retention(&known, days, as_of))
            .to_vec();
        Ok(cohort)
    }

    fn add_money(
        &mut self,
        rows: &dyn Rows,
        id: Uuid,
        customer: &Customer,
        as_of: Time,
        simple: Simple,
    ) -> Result<(), Error> {
        if customer.is_active_at(as_of) {
            self.equity += simple.value(customers::trailing_margin(rows, id, as_of)?);
        }
        let first = customers::trailing_margin(rows, id, customer.acquired_at)?;
        self.value_at_creation += simple.value(first);
        let payments = customers::payments(rows, id, as_of)?.into_iter();
        self.payments
            .extend(payments.map(|(at, paid)| (at, paid.margin)));
        Ok(())
    }

    /// UTC days from the start to the first day on which the cumulative margin had reached the spend.
    fn payback_days(&self, spend: i64, started_at: Option<Time>) -> Option<u32> {
        let started_at = started_at?;
        let mut margin = 0;
        for (i, (at, earned)) in self.payments.iter().enumerate() {
            margin += earned;
            let day_ends = self
                .payments
                .get(i + 1)
                .is_none_or(|(next, _)| next.day() > at.day());
            if day_ends && margin >= spend {
                return u32::try_from(at.day() - started_at.day()).ok();
            }
        }
        None
    }
}

fn retention(customers: &[Customer], days: Days, as_of: Time) -> Retention {
    let due = |customer: &Customer| customer.acquired_at.plus_days(days);
    let eligible: Vec<&Customer> = customers
        .iter()
        .filter(|customer| due(customer) <= as_of)
        .collect();
    let stayed = eligible
        .iter()
        .filter(|customer| customer.is_active_at(due(customer)))
        .count();
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    Retention {
        days,
        eligible: u32::try_from(eligible.len()).unwrap_or(u32::MAX),
        rate: ratio(count(stayed), count(eligible.len())),
    }
}

fn promises(rows: &dyn Rows, name: &CampaignName, as_of: Time) -> Result<Promises, Error> {
    let mut tally = Promises::default();
    for customer in credit::named(rows, name)? {
        for promise in customers::promises(rows, customer)? {
            if promise.made_at > as_of {
                continue;
            }
            tally.made += 1;
            match promise.fate_at(as_of) {
                Some(Fate::Kept) => tally.kept += 1,
                Some(Fate::Broken) => tally.broken += 1,
                Some(Fate::Repaired) => {
                    tally.broken += 1;
                    tally.repaired += 1;
                }
                Some(Fate::Waived) => tally.waived += 1,
                None if promise.due_at.is_some_and(|due_at| due_at < as_of) => tally.overdue += 1,
                None => tally.open += 1,
            }
        }
    }
    Ok(tally)
}

/// An amount divided among so many, half to even; nothing among none.
fn share(minor_units: i64, among: u32) -> Option<i64> {
    div_half_even(i128::from(minor_units), i128::from(among))
        .and_then(|each| i64::try_from(each).ok())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio for people; no sum is made of it"
)]
fn ratio(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
