//! What customers are valued with: assumptions, and a model if the method is one. The one function from a
//! customer's standing to its value.

use std::cell::RefCell;
use std::rc::Rc;

use customer_value::bg_nbd;
use customer_value::gamma_gamma::SpendModel;
use customer_value::{Recency, Simple, Terms, Valuer};
use eventsourcing::Days;
use money::Currency;

use super::model::{Model, UNIT};
use super::statement::Standing;
use super::{Assumptions, Method};

/// What customers of a ledger are valued with. Clones share what they have worked out.
#[derive(Debug, Clone)]
pub struct Valuation {
    /// The method and its rates.
    pub assumptions: Assumptions,
    scorer: Option<Rc<Scorer>>,
}

/// A model at work.
#[derive(Debug)]
struct Scorer {
    number: u32,
    purchases: bg_nbd::Model,
    spend: SpendModel,
    valuer: RefCell<Valuer>,
    /// Minor units in a major one.
    unit: f64,
}

/// What a model says of a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Purchase days after the first one.
    pub repeat_days: u32,
    /// The chance that the customer still is one.
    pub p_alive: f64,
    /// The chance of at least one purchase within the days asked for.
    pub p_buy_within: f64,
    /// Purchase days to be expected within the days asked for.
    pub expected_purchases: f64,
    /// Purchase days to be expected over the horizon, in today's terms.
    pub discounted_purchases: f64,
    /// Margin to be expected of a purchase day, in major units.
    pub expected_spend: f64,
}

impl Valuation {
    /// By these assumptions, and by this model if they ask for one. Amounts are of this currency.
    ///
    /// A model is recorded before assumptions name its method; without one the method is SIMPLE.
    pub fn new(assumptions: Assumptions, model: Option<&Model>, currency: Currency) -> Self {
        let model = model.filter(|_| assumptions.method == Method::MbgNbd);
        let scorer = model.and_then(|model| Scorer::new(&assumptions, model, currency));
        Self {
            assumptions,
            scorer: scorer.map(Rc::new),
        }
    }

    /// By SIMPLE with these assumptions, whatever their method.
    pub const fn simple(assumptions: Assumptions) -> Self {
        Self {
            assumptions,
            scorer: None,
        }
    }

    /// The method that is really used.
    pub const fn method(&self) -> Method {
        match self.scorer {
            Some(_) => Method::MbgNbd,
            None => Method::Simple,
        }
    }

    /// The number of the model; nothing for SIMPLE.
    pub fn model(&self) -> Option<u32> {
        self.scorer.as_ref().map(|scorer| scorer.number)
    }

    /// Whether it needs to know the days of purchases.
    pub const fn needs_days(&self) -> bool {
        self.scorer.is_some()
    }

    /// What a customer is worth, in minor units; nothing unless it is active. A model needs a standing with
    /// days.
    pub fn value(&self, standing: &Standing) -> i64 {
        if standing.is_active() {
            self.value_if_active(standing)
        } else {
            0
        }
    }

    /// What a customer would be worth if it were active.
    pub fn value_if_active(&self, standing: &Standing) -> i64 {
        match &self.scorer {
            None => self.rates().value(standing.margin),
            Some(scorer) => scorer.value(standing),
        }
    }

    /// What SIMPLE makes of a margin; nothing if a model is used, which looks at more than that.
    pub fn of_margin(&self, margin: i64) -> Option<i64> {
        match self.scorer {
            None => Some(self.rates().value(margin)),
            Some(_) => None,
        }
    }

    /// What the model says of a customer; nothing by SIMPLE, and before the first purchase.
    pub fn score(&self, standing: &Standing, within: Days) -> Option<Score> {
        self.scorer.as_ref()?.score(standing, within)
    }

    /// The chance that a customer still is one; nothing by SIMPLE, and before the first purchase.
    pub fn p_alive(&self, standing: &Standing) -> Option<f64> {
        let scorer = self.scorer.as_ref()?;
        let (seen, _) = scorer.seen(standing)?;
        Some(scorer.purchases.p_alive(&seen))
    }

    const fn rates(&self) -> Simple {
        self.assumptions.simple()
    }
}

impl Scorer {
    fn new(assumptions: &Assumptions, model: &Model, currency: Currency) -> Option<Self> {
        let (purchases, spend) = model.fitted.models()?;
        let discount = assumptions.annual_discount_rate.to_f64();
        let terms = Terms::new(assumptions.horizon_months, discount, UNIT)?;
        Some(Self {
            number: model.number,
            purchases,
            spend,
            valuer: RefCell::new(Valuer::new(purchases, terms)),
            unit: (0..currency.decimals()).fold(1.0, |unit, _| unit * 10.0),
        })
    }

    /// How the model sees a customer, and the margin that it expects of a purchase day, in major units.
    fn seen(&self, standing: &Standing) -> Option<(Recency, f64)> {
        let (summary, until) = standing.summary()?;
        // Days behind `until` are left out of the summary, so none can be.
        let seen = summary.cell.seen(until, UNIT).ok()?;
        let repeat_spend = major(summary.repeat_spend_minor, self.unit);
        Some((seen, self.spend.expected_spend(seen.x(), repeat_spend)))
    }

    /// Nothing before the first purchase, never below 0, half to even.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast stops at the largest amount, and what is no number is no value"
    )]
    fn value(&self, standing: &Standing) -> i64 {
        let Some((seen, spend)) = self.seen(standing) else {
            return 0;
        };
        let purchases = self.valuer.borrow_mut().purchases(&seen);
        (purchases * spend * self.unit).max(0.0).round_ties_even() as i64
    }

    fn score(&self, standing: &Standing, within: Days) -> Option<Score> {
        let (seen, expected_spend) = self.seen(standing)?;
        let within = UNIT.from_days(f64::from(within.0));
        Some(Score {
            repeat_days: seen.x(),
            p_alive: self.purchases.p_alive(&seen),
            p_buy_within: self.purchases.p_buy_within(&seen, within),
            expected_purchases: self.purchases.expected_purchases(&seen, within),
            discounted_purchases: self.valuer.borrow_mut().purchases(&seen),
            expected_spend,
        })
    }
}

/// Minor units as major ones, for a model.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact below 2^53 minor units, and the model is not exacter than that"
)]
fn major(minor_units: i64, unit: f64) -> f64 {
    minor_units as f64 / unit
}
