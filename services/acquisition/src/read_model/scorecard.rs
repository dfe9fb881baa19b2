//! What a campaign or a presentation cost and what became of its customers.

use acquisition_domain::id::CampaignName;
use customer_value::Simple;
use eventsourcing::{Days, Time};
use money::{Currency, Money};
use read_model::{Error, Rows};
use server::Moment;

use super::credit::{self, Credited, Model};
use super::customers;
use super::figures::{double, ratio, rounded, share};
use super::offers::{self, Cost};
use super::point::{Point, PresentationName};
use super::promises::{self, Promises};

/// After how many days it is asked who stayed.
const RETENTION_AFTER: [Days; 3] = [Days(30), Days(90), Days(365)];

/// How a scorecard is computed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Basis<'a> {
    pub(crate) model: Model,
    pub(crate) moment: &'a Moment,
    pub(crate) simple: Simple,
}

/// What a campaign or a presentation cost and what became of its customers. Customers are counted by their
/// credit; a figure that is undefined is `None`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scorecard {
    /// Customers created.
    pub(crate) created: f64,
    /// Of those, active.
    pub(crate) active: f64,
    /// Of those, lost.
    pub(crate) lost: f64,
    /// Customers whose currency is another one: counted, in none of the amounts.
    pub(crate) other_currency: u32,
    /// What it cost.
    pub(crate) spend: Option<Money>,
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
    /// Its presentations that are flagged.
    pub(crate) flagged: Vec<String>,
}

/// How many stayed so long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Retention {
    pub(crate) days: Days,
    pub(crate) eligible: f64,
    pub(crate) rate: Option<f64>,
}

/// The scorecard of a campaign; its money is in the campaign's currency. Nothing if it was not known.
pub(crate) fn of_campaign(
    rows: &dyn Rows,
    name: &CampaignName,
    basis: Basis<'_>,
) -> Result<Option<Scorecard>, Error> {
    let moment = basis.moment;
    let Some(run) = offers::run(rows, name, &moment.known)? else {
        return Ok(None);
    };
    let costs = offers::costs(rows, name, moment)?;
    let mut flagged = Vec::new();
    for presentation_id in &run.presentation_ids {
        let shown = PresentationName {
            proposition_id: name.proposition_id.clone(),
            presentation_id: presentation_id.clone(),
        };
        let shown = offers::shown(rows, &shown, &moment.known)?;
        if shown.is_some_and(|shown| shown.is_flagged(moment)) {
            flagged.push(presentation_id.to_string());
        }
    }
    let effort = Effort {
        currency: run.currency,
        spend: Some(spent(&costs, run.currency)),
        started_at: run.started_at(moment),
        flagged,
    };
    card(rows, &Point::Campaign(name.clone()), effort, basis).map(Some)
}

/// The scorecard of a presentation, its money in this currency. Nothing if it was not known.
pub(crate) fn of_presentation(
    rows: &dyn Rows,
    name: &PresentationName,
    currency: Currency,
    basis: Basis<'_>,
) -> Result<Option<Scorecard>, Error> {
    let moment = basis.moment;
    let Some(shown) = offers::shown(rows, name, &moment.known)? else {
        return Ok(None);
    };
    let mut costs = offers::costs_naming(rows, name, moment)?;
    costs.retain(|cost| cost.amount.currency == currency);
    let flagged = shown.is_flagged(moment);
    let effort = Effort {
        currency,
        spend: (!costs.is_empty()).then(|| spent(&costs, currency)),
        started_at: offers::first_start(rows, name, moment)?,
        flagged: Vec::from_iter(flagged.then(|| name.presentation_id.to_string())),
    };
    card(rows, &Point::Presentation(name.clone()), effort, basis).map(Some)
}

/// What was put in.
struct Effort {
    currency: Currency,
    spend: Option<Money>,
    started_at: Option<Time>,
    flagged: Vec<String>,
}

fn spent(costs: &[Cost], currency: Currency) -> Money {
    Money::new(
        currency,
        costs.iter().map(|cost| cost.amount.minor_units).sum(),
    )
}

fn card(
    rows: &dyn Rows,
    point: &Point,
    effort: Effort,
    basis: Basis<'_>,
) -> Result<Scorecard, Error> {
    let cohort = Cohort::of(rows, point, effort.currency, basis)?;
    let money = |minor_units| Money::new(effort.currency, minor_units);
    let sum = |exact| money(rounded(exact).unwrap_or(i64::MAX));
    let spend = effort.spend.map(|spend| spend.minor_units);
    let per_spend = |figure: f64| spend.and_then(|spend| ratio(figure, double(spend)));
    let paid_back = effort
        .started_at
        .zip(spend)
        .and_then(|(started_at, spend)| cohort.payback_days(spend, started_at));
    let margin = cohort.margins.iter().map(|(_, margin)| margin).sum();
    Ok(Scorecard {
        created: cohort.created,
        active: cohort.active,
        lost: cohort.lost,
        other_currency: cohort.other_currency,
        spend: effort.spend,
        cac: spend
            .and_then(|spend| share(spend, cohort.created))
            .map(money),
        equity: sum(cohort.equity),
        equity_per_spend: per_spend(cohort.equity),
        ltv_to_cac: per_spend(cohort.value_at_creation),
        margin: sum(margin),
        payback_days: paid_back,
        retention: cohort.retention,
        promises: promises::named(rows, point, basis.moment)?,
        flagged: effort.flagged,
    })
}

/// The customers credited to a touch point, added up.
#[derive(Debug, Default)]
struct Cohort {
    created: f64,
    active: f64,
    lost: f64,
    other_currency: u32,
    equity: f64,
    value_at_creation: f64,
    /// Margins with their times, in order.
    margins: Vec<(Time, f64)>,
    retention: Vec<Retention>,
}

impl Cohort {
    fn of(
        rows: &dyn Rows,
        point: &Point,
        currency: Currency,
        basis: Basis<'_>,
    ) -> Result<Self, Error> {
        let mut cohort = Self::default();
        let mut stays = RETENTION_AFTER.map(Stay::after);
        for credited in credit::credited(rows, point, basis.model, basis.moment)? {
            let Credited {
                acquired_at, share, ..
            } = credited;
            let (as_of, known) = (basis.moment.as_of, &basis.moment.known);
            let customer = customers::get(rows, credited.customer)?;
            let active = customer.is_active_at(as_of, known);
            cohort.created += share;
            *(if active {
                &mut cohort.active
            } else {
                &mut cohort.lost
            }) += share;
            for stay in &mut stays {
                stay.count(&customer, acquired_at, share, basis.moment);
            }
            if credited.currency != currency {
                cohort.other_currency += 1;
                continue;
            }
            let account = customer.account(known);
            let value = |at| double(basis.simple.value(account.trailing_margin(at)));
            if active {
                cohort.equity += share * value(as_of);
            }
            cohort.value_at_creation += share * value(acquired_at);
            let margins = account.margins(as_of);
            cohort
                .margins
                .extend(margins.map(|(at, margin)| (at, share * double(margin))));
        }
        cohort
            .margins
            .sort_by(|(a, x), (b, y)| a.cmp(b).then(x.total_cmp(y)));
        cohort.retention = stays.map(Stay::retention).to_vec();
        Ok(cohort)
    }

    /// UTC days from the start to the first day on which the cumulative margin had reached the spend.
    fn payback_days(&self, spend: i64, started_at: Time) -> Option<u32> {
        let mut margin = 0.0;
        for (i, (at, earned)) in self.margins.iter().enumerate() {
            margin += earned;
            let day_ends = self
                .margins
                .get(i + 1)
                .is_none_or(|(next, _)| next.day() > at.day());
            if day_ends && rounded(margin).is_some_and(|margin| margin >= spend) {
                return u32::try_from(at.day() - started_at.day()).ok();
            }
        }
        None
    }
}

/// Who stayed so long, while customers are counted.
struct Stay {
    days: Days,
    eligible: f64,
    stayed: f64,
}

impl Stay {
    const fn after(days: Days) -> Self {
        Self {
            days,
            eligible: 0.0,
            stayed: 0.0,
        }
    }

    fn count(
        &mut self,
        customer: &customers::Customer,
        acquired_at: Time,
        share: f64,
        moment: &Moment,
    ) {
        let Some(stayed) = stayed(customer, acquired_at, self.days, moment) else {
            return;
        };
        self.eligible += share;
        if stayed {
            self.stayed += share;
        }
    }

    fn retention(self) -> Retention {
        Retention {
            days: self.days,
            eligible: self.eligible,
            rate: ratio(self.stayed, self.eligible),
        }
    }
}

/// Whether a customer was not lost so long after the acquisition; nothing while that is not past.
pub(crate) fn stayed(
    customer: &customers::Customer,
    acquired_at: Time,
    days: Days,
    moment: &Moment,
) -> Option<bool> {
    let due = acquired_at.plus_days(days);
    (due <= moment.as_of).then(|| customer.is_active_at(due, &moment.known))
}
