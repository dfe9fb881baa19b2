//! How much a customer spends on a purchase day: the Gamma-Gamma model.
//!
//! A day's spend of one customer is Gamma(p, rate ν), and ν is Gamma(q, rate v) over customers. The mean of
//! few days is drawn towards the mean of all customers, the mean of many days is believed. It assumes that how
//! much does not depend on how often; [`SpendFit::spearman`] says whether that holds.
//!
//! Fader & Hardie (2013), "The Gamma-Gamma model of monetary value", brucehardie.com/notes/025.

mod fit;
mod table;

pub use fit::{SpendFit, fit};
pub use table::SpendTable;

/// The three parameters, all positive and finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpendParameters {
    /// Shape of a customer's spends.
    pub p: f64,
    /// Shape of the rates over customers; the mean spend is finite only above 1.
    pub q: f64,
    /// Rate of the rates, in major units of money.
    pub v: f64,
}

/// A spend model that has a mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpendModel {
    parameters: SpendParameters,
}

impl SpendModel {
    /// `None` unless all parameters are positive and finite and q > 1.
    pub fn new(parameters: SpendParameters) -> Option<Self> {
        let SpendParameters { p, q, v } = parameters;
        let positive = [p, q, v]
            .iter()
            .all(|value| value.is_finite() && *value > 0.0);
        (positive && q > 1.0).then_some(Self { parameters })
    }

    /// Its parameters.
    pub const fn parameters(&self) -> SpendParameters {
        self.parameters
    }

    /// The mean spend per purchase day over all customers, `p v/(q-1)`, in major units.
    pub fn population_mean(&self) -> f64 {
        let SpendParameters { p, q, v } = self.parameters;
        p * v / (q - 1.0)
    }

    /// The expected spend on a future purchase day of a customer with `x` repeat purchase days that came
    /// to `repeat_spend` in all, in major units: `p (v + spend)/(p x + q - 1)`.
    ///
    /// The population mean for a customer without repeat purchases or without positive spend.
    pub fn expected_spend(&self, x: u32, repeat_spend: f64) -> f64 {
        if x == 0 || repeat_spend <= 0.0 {
            return self.population_mean();
        }
        let SpendParameters { p, q, v } = self.parameters;
        p * (v + repeat_spend) / (p * f64::from(x) + q - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{SpendModel, SpendParameters};

    fn model(q: f64) -> Option<SpendModel> {
        SpendModel::new(SpendParameters { p: 6.0, q, v: 15.0 })
    }

    #[test]
    fn e25_a_customer_without_repeat_spend_gets_the_population_mean() {
        let model = model(4.0).unwrap();
        for (x, spend) in [(0, 0.0), (3, 0.0), (2, -5.0)] {
            assert!((model.expected_spend(x, spend) - 30.0).abs() < 1e-12);
        }
    }

    #[test]
    fn many_days_are_believed_and_few_are_drawn_to_the_mean() {
        let model = model(4.0).unwrap();
        let once = model.expected_spend(1, 100.0);
        let often = model.expected_spend(1_000, 100_000.0);
        assert!(30.0 < once && once < often && often < 100.0);
        assert!(often > 99.9);
    }

    #[test]
    fn a_model_without_a_mean_cannot_be_made() {
        assert!(model(1.0).is_none() && model(0.784).is_none() && model(f64::NAN).is_none());
    }
}
