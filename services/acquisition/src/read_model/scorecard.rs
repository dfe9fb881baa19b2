//! What a campaign or a presentation cost and what became of its customers.

use acquisition_domain::id::CampaignName;
use eventsourcing::{Days, Time};
use money::{Currency, Exact, Money, Share};
use read_model::{Error, Rows};
use server::Moment;

use super::credit::{self, Credited, Model};
use super::customers;
use super::figures::{double, ratio, share, total};
use super::offers::{self, Cost};
use super::point::{Point, PresentationName};
use super::promises::{self, Promises};
use super::valuation::{self, Valuation};

/// After how many days it is asked who stayed.
const RETENTION_AFTER: [Days; 3] = [Days(30), Days(90), Days(365)];

/// How a scorecard is computed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Basis<'a> {
    pub(crate) model: Model,
    pub(crate) moment: &'a Moment,
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
    /// Spend per customer created, half to even; and that of media alone.
    pub(crate) cac: Option<Money>,
    pub(crate) cac_media_only: Option<Money>,
    /// What the customers are worth.
    pub(crate) equity: Money,
    /// Equity per unit of spend.
    pub(crate) equity_per_spend: Option<f64>,
    /// Mean value at creation of the customers of its currency, divided by CAC.
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
    /// How values were worked out.
    pub(crate) value_basis: valuation::Basis,
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
        spend: Some(Spend::of(&costs)),
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
        spend: (!costs.is_empty()).then(|| Spend::of(&costs)),
        started_at: offers::first_start(rows, name, moment)?,
        flagged: Vec::from_iter(flagged.then(|| name.presentation_id.to_string())),
    };
    card(rows, &Point::Presentation(name.clone()), effort, basis).map(Some)
}

/// What was put in.
struct Effort {
    currency: Currency,
    spend: Option<Spend>,
    started_at: Option<Time>,
    flagged: Vec<String>,
}

/// What was spent, in minor units; nothing of what is beyond 64 bits.
#[derive(Debug, Clone, Copy)]
struct Spend {
    all: Option<i64>,
    media: Option<i64>,
}

impl Spend {
    fn of(costs: &[Cost]) -> Self {
        let amount = |cost: &Cost| cost.amount.minor_units;
        Self {
            all: total(costs.iter().map(amount)),
            media: total(costs.iter().filter(|cost| cost.is_media).map(amount)),
        }
    }
}

fn card(
    rows: &dyn Rows,
    point: &Point,
    effort: Effort,
    basis: Basis<'_>,
) -> Result<Scorecard, Error> {
    let valuation = Valuation::known(rows, effort.currency, &basis.moment.known)?;
    let cohort = Cohort::of(rows, point, &valuation, basis)?;
    let money = |minor_units| Money::new(effort.currency, minor_units);
    let sum = |exact: &Exact| money(exact.rounded().unwrap_or(i64::MAX));
    let spend = effort.spend.and_then(|spend| spend.all);
    let media = effort.spend.and_then(|spend| spend.media);
    let created = cohort.created.to_f64();
    let per_customer = |spend: Option<i64>| {
        let share = spend.and_then(|spend| share(spend, created));
        share.map(money)
    };
    let per_spend = |figure: f64| spend.and_then(|spend| ratio(figure, double(spend)));
    // The mean is over those whose value is known; CAC is spend by all of them.
    let ltv = ratio(cohort.value_at_creation.to_f64(), cohort.valued.to_f64());
    let paid_back = effort
        .started_at
        .zip(spend)
        .and_then(|(started_at, spend)| cohort.payback_days(spend, started_at));
    Ok(Scorecard {
        created,
        active: cohort.active.to_f64(),
        lost: cohort.lost.to_f64(),
        other_currency: cohort.other_currency,
        spend: spend.map(money),
        cac: per_customer(spend),
        cac_media_only: per_customer(media),
        equity: sum(&cohort.equity),
        equity_per_spend: per_spend(cohort.equity.to_f64()),
        ltv_to_cac: ltv.and_then(|ltv| per_spend(ltv * created)),
        margin: sum(&cohort.margin_to_date()),
        payback_days: paid_back,
        retention: cohort.retention,
        promises: promises::named(rows, point, basis.moment)?,
        flagged: effort.flagged,
        value_basis: valuation.basis,
    })
}

/// The customers credited to a touch point, added up.
#[derive(Debug, Default)]
struct Cohort {
    created: Exact,
    active: Exact,
    lost: Exact,
    other_currency: u32,
    /// Those of the currency that it is about, and what they are and were worth.
    valued: Exact,
    equity: Exact,
    value_at_creation: Exact,
    /// Margins with their times and how much of them counts, in the order of time.
    margins: Vec<(Time, i64, Share)>,
    retention: Vec<Retention>,
}

impl Cohort {
    fn of(
        rows: &dyn Rows,
        point: &Point,
        valuation: &Valuation,
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
            cohort.created.add(1, share);
            let stands = if active {
                &mut cohort.active
            } else {
                &mut cohort.lost
            };
            stands.add(1, share);
            for stay in &mut stays {
                stay.count(&customer, acquired_at, share, basis.moment);
            }
            if credited.currency != valuation.basis.currency {
                cohort.other_currency += 1;
                continue;
            }
            cohort.valued.add(1, share);
            let account = customers::account(rows, credited.customer, known)?;
            if active {
                cohort.equity.add(valuation.value(&account, as_of), share);
            }
            let at_creation = valuation.value(&account, acquired_at);
            cohort.value_at_creation.add(at_creation, share);
            let margins = account.margins(as_of);
            cohort
                .margins
                .extend(margins.map(|(at, margin)| (at, margin, share)));
        }
        cohort.margins.sort_by_key(|(at, ..)| *at);
        cohort.retention = stays.map(Stay::retention).to_vec();
        Ok(cohort)
    }

    fn margin_to_date(&self) -> Exact {
        let mut sum = Exact::default();
        for (_, margin, share) in &self.margins {
            sum.add(*margin, *share);
        }
        sum
    }

    /// UTC days from the start to the first day on which the cumulative margin had reached the spend; 0 if that
    /// was before the start.
    fn payback_days(&self, spend: i64, started_at: Time) -> Option<u32> {
        let mut sum = Exact::default();
        for (i, (at, margin, share)) in self.margins.iter().enumerate() {
            sum.add(*margin, *share);
            let day_ends = self
                .margins
                .get(i + 1)
                .is_none_or(|(next, ..)| next.day() > at.day());
            if day_ends && sum.rounded().is_some_and(|margin| margin >= spend) {
                return u32::try_from((at.day() - started_at.day()).max(0)).ok();
            }
        }
        None
    }
}

/// Who stayed so long, while customers are counted.
struct Stay {
    days: Days,
    eligible: Exact,
    stayed: Exact,
}

impl Stay {
    fn after(days: Days) -> Self {
        Self {
            days,
            eligible: Exact::default(),
            stayed: Exact::default(),
        }
    }

    fn count(
        &mut self,
        customer: &customers::Customer,
        acquired_at: Time,
        share: Share,
        moment: &Moment,
    ) {
        let Some(stayed) = stayed(customer, acquired_at, self.days, moment) else {
            return;
        };
        self.eligible.add(1, share);
        if stayed {
            self.stayed.add(1, share);
        }
    }

    fn retention(self) -> Retention {
        let (eligible, stayed) = (self.eligible.to_f64(), self.stayed.to_f64());
        Retention {
            days: self.days,
            eligible,
            rate: ratio(stayed, eligible),
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
