//! What customers are valued with: assumptions, and a model if the method is one. The one function from a
//! customer's standing to its value.

use std::rc::Rc;

use customer_value::Simple;
use customer_value::scorer::Seen;
use eventsourcing::Days;
use money::Currency;

use super::model::{Model, UNIT};
use super::statement::Standing;
use super::{ALGORITHM, Assumptions, Method};

/// What customers of a ledger are valued with. Clones share what they have worked out.
#[derive(Debug, Clone)]
pub struct Valuation {
    /// The method and its rates.
    pub assumptions: Assumptions,
    /// By which rules of statements the facts are read.
    pub algorithm: u32,
    scorer: Option<Rc<Scorer>>,
}

/// A model at work.
#[derive(Debug)]
struct Scorer {
    number: u32,
    model: customer_value::Scorer,
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
            algorithm: ALGORITHM,
            scorer: scorer.map(Rc::new),
        }
    }

    /// By SIMPLE with these assumptions, whatever their method.
    pub const fn simple(assumptions: Assumptions) -> Self {
        Self {
            assumptions,
            algorithm: ALGORITHM,
            scorer: None,
        }
    }

    /// The same, as in a statement that was measured by these rules.
    #[must_use]
    pub fn under(self, algorithm: u32) -> Self {
        Self { algorithm, ..self }
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
        let seen = scorer.seen(standing)?;
        Some(scorer.model.purchases().p_alive(&seen.recency))
    }

    const fn rates(&self) -> Simple {
        self.assumptions.simple()
    }
}

impl Scorer {
    fn new(assumptions: &Assumptions, model: &Model, currency: Currency) -> Option<Self> {
        let discount = assumptions.annual_discount_rate.to_f64();
        let terms = (assumptions.horizon_months, discount);
        let models = model.fitted.models()?;
        Some(Self {
            number: model.number,
            model: customer_value::Scorer::new(models, UNIT, terms, currency.decimals())?,
        })
    }

    /// How the model sees a customer; days behind the standing's last one are not in its summary.
    fn seen(&self, standing: &Standing) -> Option<Seen> {
        let (summary, until) = standing.summary()?;
        self.model.seen(&summary, until)
    }

    /// Nothing before the first purchase.
    fn value(&self, standing: &Standing) -> i64 {
        let seen = self.seen(standing);
        seen.map_or(0, |seen| self.model.value(&seen))
    }

    fn score(&self, standing: &Standing, within: Days) -> Option<Score> {
        let seen = self.seen(standing)?;
        let within = UNIT.from_days(f64::from(within.0));
        let (purchases, recency) = (self.model.purchases(), &seen.recency);
        Some(Score {
            repeat_days: recency.x(),
            p_alive: purchases.p_alive(recency),
            p_buy_within: purchases.p_buy_within(recency, within),
            expected_purchases: purchases.expected_purchases(recency, within),
            discounted_purchases: self.model.discounted_purchases(&seen),
            expected_spend: seen.expected_spend,
        })
    }
}
