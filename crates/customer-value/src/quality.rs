//! What to know before a figure is used: flags that travel with every fit.

use crate::bg_nbd::Fit;
use crate::gamma_gamma::SpendFit;
use crate::holdout::Report;

/// A caution about a fit that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// "The same rate goes on" did better in the holdout: published, never used for value.
    WorseThanNaive,
    /// Fewer than [`SETTLED_REPEATERS`] customers came back.
    Provisional,
    /// A parameter's standard error is larger than the parameter.
    Weak,
    /// How much customers spend goes with how often they buy, which the spend model assumes away.
    SpendDependsOnFrequency,
    /// The holdout's total was wrong by more than [`LARGEST_BIAS`].
    Biased,
    /// Fitted too long ago, or too much has happened since.
    Stale,
}

/// From this many repeat buyers on a fit is not provisional.
pub const SETTLED_REPEATERS: u64 = 300;
/// The largest bias of the holdout's total without a flag.
pub const LARGEST_BIAS: f64 = 0.15;
/// The largest rank correlation of frequency and spend without a flag.
pub const LARGEST_DEPENDENCE: f64 = 0.2;
/// A fit is stale after this many days.
pub const STALE_DAYS: i32 = 35;

impl Flag {
    /// The name that answers use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WorseThanNaive => "WORSE_THAN_NAIVE",
            Self::Provisional => "PROVISIONAL",
            Self::Weak => "WEAK",
            Self::SpendDependsOnFrequency => "SPEND_DEPENDS_ON_FREQUENCY",
            Self::Biased => "BIASED",
            Self::Stale => "STALE",
        }
    }
}

/// The flags of a fit, from what is known of it, in a fixed order.
pub fn flags(fit: &Fit, spend: Option<&SpendFit>, holdout: Option<&Report>) -> Vec<Flag> {
    let mut flags = Vec::new();
    if holdout.is_some_and(Report::is_worse_than_naive) {
        flags.push(Flag::WorseThanNaive);
    }
    if fit.repeaters < SETTLED_REPEATERS {
        flags.push(Flag::Provisional);
    }
    if fit.largest_relative_error() > 1.0 {
        flags.push(Flag::Weak);
    }
    let dependence = spend.and_then(|spend| spend.spearman);
    if dependence.is_some_and(|rho| rho.abs() > LARGEST_DEPENDENCE) {
        flags.push(Flag::SpendDependsOnFrequency);
    }
    if holdout.is_some_and(Report::is_biased) {
        flags.push(Flag::Biased);
    }
    flags
}

/// Whether a fit as of the day `fitted` is stale on the day `today`: more than [`STALE_DAYS`] days old, or
/// purchases have grown by more than a tenth since.
pub fn is_stale(fitted: i32, today: i32, purchases_then: u64, purchases_now: u64) -> bool {
    let age = i64::from(today) - i64::from(fitted);
    let new = u128::from(purchases_now.saturating_sub(purchases_then));
    age > i64::from(STALE_DAYS) || new * 10 > u128::from(purchases_then)
}

/// Whether a fit with these flags may be used for value.
pub fn is_usable(flags: &[Flag]) -> bool {
    !flags.contains(&Flag::WorseThanNaive)
}

#[cfg(test)]
mod tests {
    use super::{Flag, is_stale, is_usable};

    #[test]
    fn a_fit_is_stale_after_35_days_or_a_tenth_of_new_purchases() {
        assert!(!is_stale(100, 135, 1_000, 1_100));
        assert!(is_stale(100, 136, 1_000, 1_000));
        assert!(is_stale(100, 101, 1_000, 1_101));
        assert!(is_stale(100, 100, 0, 1));
        assert!(!is_stale(100, 100, 10, 5));
    }

    #[test]
    fn what_is_worse_than_naive_is_never_used_for_value() {
        assert!(is_usable(&[Flag::Provisional, Flag::Biased]));
        assert!(!is_usable(&[Flag::Weak, Flag::WorseThanNaive]));
    }
}
