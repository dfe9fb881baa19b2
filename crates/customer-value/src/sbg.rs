//! How long contracts last: the shifted-beta-geometric model of cohorts.
//!
//! Each customer ends the contract with a probability of her own in every period, Beta(alpha, beta) over customers.
//! The weak leave first, so the retention rate of a cohort grows with its age although nobody changes.
//!
//! Fader & Hardie (2007), "How to project customer retention", Journal of Interactive Marketing 21.

use crate::Refusal;
use crate::linalg::inverse;
use crate::newton::{Evaluation, maximize, to_logarithms};
use crate::special::real;

/// How many customers were lost and kept in each period of age, over any number of cohorts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contracts {
    /// (lost, kept) in the period of age 1, 2, ….
    periods: Vec<(u64, u64)>,
}

/// A cohort whose count of survivors grows: who comes back signs a new contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "more customers survive period {period} than were there before it: a return is a new contract"
)]
pub struct GrowingCohort {
    /// The first period that grows, counted from 1.
    pub period: usize,
}

/// A fitted model and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SbgFit {
    /// First shape of the probability to leave: its mean is alpha/(alpha + beta).
    pub alpha: f64,
    /// Second shape.
    pub beta: f64,
    /// The standard errors of alpha and beta.
    pub standard_errors: (f64, f64),
    /// The log-likelihood.
    pub log_likelihood: f64,
}

impl Contracts {
    /// Adds a cohort: how many customers there were at first and after each period.
    pub fn add_cohort(&mut self, survivors: &[u64]) -> Result<(), GrowingCohort> {
        let steps = || survivors.iter().zip(survivors.iter().skip(1));
        if let Some(grown) = steps().position(|(before, after)| after > before) {
            return Err(GrowingCohort { period: grown + 1 });
        }
        for (age, (before, after)) in steps().enumerate() {
            if self.periods.len() == age {
                self.periods.push((0, 0));
            }
            if let Some((lost, kept)) = self.periods.get_mut(age) {
                *lost += before - after;
                *kept += after;
            }
        }
        Ok(())
    }

    /// Adds the cohorts of another partition.
    pub fn merge(&mut self, other: &Self) {
        if self.periods.len() < other.periods.len() {
            self.periods.resize(other.periods.len(), (0, 0));
        }
        for (ours, theirs) in self.periods.iter_mut().zip(&other.periods) {
            ours.0 += theirs.0;
            ours.1 += theirs.1;
        }
    }

    /// Fits the model to all cohorts together.
    ///
    /// Refused: [`Refusal::AtBoundary`] when nobody or everybody was lost,
    /// [`Refusal::NotEnoughPeriods`] below two periods with both losses and survivors.
    pub fn fit(&self) -> Result<SbgFit, Refusal> {
        if self.periods.is_empty() {
            return Err(Refusal::NotEnoughPeriods);
        }
        let (nobody, everybody) = (
            self.periods.iter().all(|(lost, _)| *lost == 0),
            self.periods.iter().all(|(_, kept)| *kept == 0),
        );
        if nobody || everybody {
            return Err(Refusal::AtBoundary);
        }
        let telling = |(lost, kept): &&(u64, u64)| *lost > 0 && *kept > 0;
        if self.periods.iter().filter(telling).count() < 2 {
            return Err(Refusal::NotEnoughPeriods);
        }
        let maximum = maximize([0.0, 1.0], |log| {
            let parameters = log.map(libm::exp);
            to_logarithms(self.evaluate(&parameters), &parameters)
        })
        .map_err(|_| Refusal::AtBoundary)?;
        let [alpha, beta] = maximum.point.map(libm::exp);
        let [[var_alpha, _], [_, var_beta]] = inverse(&maximum.factor);
        // Beyond this the customers are all alike, or their differences cannot be told.
        if maximum.point.iter().any(|log| log.abs() > 12.0) {
            return Err(Refusal::AtBoundary);
        }
        Ok(SbgFit {
            alpha,
            beta,
            standard_errors: (alpha * var_alpha.sqrt(), beta * var_beta.sqrt()),
            log_likelihood: maximum.value,
        })
    }

    /// `Σ lost ln(α/(α+β+t-1)) + kept ln((β+t-1)/(α+β+t-1))`.
    fn evaluate(&self, [alpha, beta]: &[f64; 2]) -> Evaluation<2> {
        let (mut value, mut by_alpha, mut by_beta) = (0.0, 0.0, 0.0);
        let (mut aa, mut ab, mut bb) = (0.0, 0.0, 0.0);
        let mut age = 0.0;
        for (lost, kept) in &self.periods {
            let (lost, kept) = (real(*lost), real(*kept));
            let (stay, all) = (beta + age, alpha + beta + age);
            value += lost * libm::log(alpha / all) + kept * libm::log(stay / all);
            let at_risk = lost + kept;
            by_alpha += lost / alpha - at_risk / all;
            by_beta += kept / stay - at_risk / all;
            aa += at_risk / (all * all) - lost / (alpha * alpha);
            ab += at_risk / (all * all);
            bb += at_risk / (all * all) - kept / (stay * stay);
            age += 1.0;
        }
        Evaluation {
            value,
            gradient: [by_alpha, by_beta],
            hessian: [[aa, ab], [ab, bb]],
        }
    }
}

impl SbgFit {
    /// r(t): the share of those who were there before period t (from 1) that is there after it.
    pub fn retention(&self, t: u32) -> f64 {
        let age = f64::from(t.max(1)) - 1.0;
        (self.beta + age) / (self.alpha + self.beta + age)
    }

    /// S(t): the share of a cohort that is left after t periods.
    pub fn survival(&self, t: u32) -> f64 {
        (1..=t).map(|age| self.retention(age)).product()
    }

    /// The discounted number of further periods that a customer active in period `n` (from 1) will pay
    /// for, without the payment of period n itself: `Σ_{k>=1} S(n-1+k)/S(n-1) (1+d)^-k`.
    ///
    /// `discount` is per period and must be above 0, else the sum may have no end: `None`.
    pub fn residual_periods(&self, n: u32, discount: f64) -> Option<f64> {
        if !(discount > 0.0 && discount.is_finite()) || n == 0 {
            return None;
        }
        let (mut age, mut term, mut sum) = (f64::from(n) - 1.0, 1.0, 0.0);
        loop {
            term *= (self.beta + age) / (self.alpha + self.beta + age) / (1.0 + discount);
            sum += term;
            age += 1.0;
            // All later terms together are below term/d.
            if term < sum * discount * 1e-17 {
                return Some(sum);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Contracts, GrowingCohort};
    use crate::Refusal;

    fn contracts(survivors: &[u64]) -> Contracts {
        let mut contracts = Contracts::default();
        contracts.add_cohort(survivors).unwrap();
        contracts
    }

    #[test]
    fn e30_cohorts_that_cannot_tell_are_refused() {
        assert_eq!(
            contracts(&[100, 100, 100, 100]).fit(),
            Err(Refusal::AtBoundary)
        );
        assert_eq!(contracts(&[100, 0]).fit(), Err(Refusal::AtBoundary));
        assert_eq!(contracts(&[100, 0, 0]).fit(), Err(Refusal::AtBoundary));
        assert_eq!(contracts(&[100, 80]).fit(), Err(Refusal::NotEnoughPeriods));
        assert_eq!(contracts(&[100]).fit(), Err(Refusal::NotEnoughPeriods));
        assert_eq!(
            contracts(&[100, 80, 80]).fit(),
            Err(Refusal::NotEnoughPeriods)
        );
    }

    #[test]
    fn a_cohort_that_leaves_at_one_rate_shows_no_differences() {
        assert_eq!(
            contracts(&[1_000, 500, 250, 125]).fit(),
            Err(Refusal::AtBoundary)
        );
    }

    #[test]
    fn e31_a_cohort_that_grows_is_rejected_whole() {
        let mut sum = contracts(&[100, 80, 70]);
        let before = sum.clone();
        assert_eq!(
            sum.add_cohort(&[50, 40, 41, 30]),
            Err(GrowingCohort { period: 2 })
        );
        assert_eq!(sum, before);
    }

    #[test]
    fn without_a_discount_the_residual_may_have_no_end() {
        let fit = contracts(&[100, 80, 70, 65]).fit().unwrap();
        assert_eq!(fit.residual_periods(1, 0.0), None);
        assert_eq!(fit.residual_periods(0, 0.1), None);
        assert!(fit.residual_periods(3, 0.1) > fit.residual_periods(1, 0.1));
    }

    proptest! {
        #[test]
        fn survival_falls_and_retention_rises(alpha in 0.05_f64..5.0, beta in 0.05_f64..5.0) {
            let fit = super::SbgFit { alpha, beta, standard_errors: (0.0, 0.0), log_likelihood: 0.0 };
            for t in 1..50 {
                prop_assert!(fit.survival(t) < fit.survival(t - 1));
                prop_assert!(fit.retention(t + 1) > fit.retention(t));
            }
        }
    }
}
