//! Dividing one conversion over the touches of its path.

use std::collections::BTreeMap;
use std::str::FromStr;

use money::Share;

use crate::Touch;

/// How credit is divided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// All to the first touch: what makes people known to us.
    First,
    /// All to the last touch: what closes.
    Last,
    /// Equally over the touches.
    Linear,
    /// A touch weighs half as much for each half-life that it lies before the conversion.
    TimeDecay(HalfLife),
    /// 40 % to the first, 40 % to the last, 20 % equally over those between; one touch 100 %, two 50 % each.
    Position,
    /// By what a channel's removal from a Markov chain of all journeys would cost. There is no credit for one journey.
    Markov,
    /// Equally over the *distinct* channels: the Shapley value of the game whose coalitions convert the journeys
    /// that need no other channel (Dalessandro et al. 2012).
    Shapley,
}

/// Days in which a touch loses half its weight; positive and finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalfLife(f64);

impl HalfLife {
    /// The usual half-life: a week.
    pub const WEEK: Self = Self(7.0);

    /// `None` unless positive and finite.
    pub fn days(days: f64) -> Option<Self> {
        (days > 0.0 && days.is_finite()).then_some(Self(days))
    }
}

/// A name that is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of FIRST, LAST, LINEAR, TIME_DECAY, POSITION, MARKOV, SHAPLEY")]
pub struct UnknownRule(String);

impl FromStr for Rule {
    type Err = UnknownRule;

    /// By name, in capitals; `TIME_DECAY` with a half-life of a week.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::all()
            .into_iter()
            .find(|rule| rule.name() == name)
            .ok_or_else(|| UnknownRule(name.to_owned()))
    }
}

impl Rule {
    /// Every rule once, with the usual half-life.
    pub const fn all() -> [Self; 7] {
        [
            Self::First,
            Self::Last,
            Self::Linear,
            Self::TimeDecay(HalfLife::WEEK),
            Self::Position,
            Self::Markov,
            Self::Shapley,
        ]
    }

    /// The name that tables and answers use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "FIRST",
            Self::Last => "LAST",
            Self::Linear => "LINEAR",
            Self::TimeDecay(_) => "TIME_DECAY",
            Self::Position => "POSITION",
            Self::Markov => "MARKOV",
            Self::Shapley => "SHAPLEY",
        }
    }

    /// The share of one conversion for each touch of `path`, in its order, adding to 1: fractions, except for
    /// `TIME_DECAY`.
    ///
    /// `None` for MARKOV, which has no credit for one journey, and for an empty path, whose credit is unattributed.
    pub fn shares<C: Ord>(self, path: &[Touch<C>]) -> Option<Vec<Share>> {
        let last = path.len().checked_sub(1)?;
        let n = count(path.len());
        let one = |part: u64, of: u64| Share::Fraction { part, of };
        let all_to = |place: usize| {
            let share = |i| if i == place { Share::ALL } else { Share::NONE };
            (0..=last).map(share).collect()
        };
        Some(match self {
            Self::First => all_to(0),
            Self::Last => all_to(last),
            Self::Linear => vec![one(1, n); path.len()],
            Self::TimeDecay(half_life) => half_life.shares(path),
            Self::Position if last < 2 => vec![one(1, n); path.len()],
            Self::Position => {
                // Two fifths at either end, and one fifth in n - 2 parts.
                let whole = 5 * (n - 2);
                let end = |i| i == 0 || i == last;
                let part = |i| if end(i) { 2 * (n - 2) } else { 1 };
                (0..=last).map(|i| one(part(i), whole)).collect()
            }
            Self::Shapley => {
                let mut times: BTreeMap<&C, u64> = BTreeMap::new();
                for touch in path {
                    *times.entry(&touch.channel).or_default() += 1;
                }
                let distinct = count(times.len());
                let times = |touch: &Touch<C>| times.get(&touch.channel).copied().unwrap_or(1);
                let touches = path.iter();
                touches
                    .map(|touch| one(1, distinct * times(touch)))
                    .collect()
            }
            Self::Markov => return None,
        })
    }
}

impl HalfLife {
    fn shares<C>(self, path: &[Touch<C>]) -> Vec<Share> {
        // Relative to the latest touch, so that an old journey does not underflow.
        let days = || path.iter().map(|touch| touch.days_before_end);
        let latest = days().fold(f64::INFINITY, f64::min);
        let weights: Vec<f64> = days()
            .map(|days| libm::exp2(-(days - latest) / self.0))
            .collect();
        let sum: f64 = weights.iter().sum();
        let weights = weights.into_iter();
        weights.map(|weight| Share::Real(weight / sum)).collect()
    }
}

/// A length as shares count.
const fn count(length: usize) -> u64 {
    length as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{HalfLife, Rule};
    use crate::Touch;
    use money::Share;

    fn shares<C: Ord>(rule: Rule, path: &[Touch<C>]) -> Vec<f64> {
        let shares = rule.shares(path).unwrap().into_iter();
        shares.map(Share::to_f64).collect()
    }

    fn path(touches: &[(&'static str, f64)]) -> Vec<Touch<&'static str>> {
        touches
            .iter()
            .map(|&(channel, days_before_end)| Touch {
                channel,
                days_before_end,
            })
            .collect()
    }

    /// Cents of 1,000.00 for W(-28 d) S(-14 d) R(-7 d) W(-1 d).
    fn cents(rule: Rule) -> Vec<f64> {
        let path = path(&[("W", 28.0), ("S", 14.0), ("R", 7.0), ("W", 1.0)]);
        let shares = shares(rule, &path);
        shares.iter().map(|share| (share * 1e5).round()).collect()
    }

    #[test]
    fn a_thousand_is_divided_as_the_domain_says() {
        assert_eq!(cents(Rule::First), [100_000.0, 0.0, 0.0, 0.0]);
        assert_eq!(cents(Rule::Last), [0.0, 0.0, 0.0, 100_000.0]);
        assert_eq!(cents(Rule::Linear), [25_000.0; 4]);
        assert_eq!(
            cents(Rule::TimeDecay(HalfLife::WEEK)),
            [3_637.0, 14_550.0, 29_100.0, 52_713.0]
        );
        assert_eq!(
            cents(Rule::Position),
            [40_000.0, 10_000.0, 10_000.0, 40_000.0]
        );
    }

    #[test]
    fn position_gives_one_touch_all_and_two_a_half() {
        assert_eq!(shares(Rule::Position, &path(&[("a", 1.0)])), [1.0]);
        let two = path(&[("a", 1.0), ("b", 1.0)]);
        assert_eq!(shares(Rule::Position, &two), [0.5, 0.5]);
    }

    #[test]
    fn e37_a_repeated_channel_earns_per_touch_except_under_shapley() {
        let aab = path(&[("a", 3.0), ("a", 2.0), ("b", 1.0)]);
        let first_two = |rule: Rule| {
            let shares = shares(rule, &aab);
            shares[0] + shares[1]
        };
        assert!((first_two(Rule::Linear) - 2.0 / 3.0).abs() < 1e-15);
        assert!((first_two(Rule::Position) - 0.6).abs() < 1e-15);
        assert!((first_two(Rule::Shapley) - 0.5).abs() < 1e-15);
    }

    #[test]
    fn a_journey_of_years_ago_still_has_credit() {
        let old = path(&[("a", 40_000.0), ("b", 39_993.0)]);
        let shares = shares(Rule::TimeDecay(HalfLife::WEEK), &old);
        assert!((shares[0] - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn names_are_read_back() {
        for rule in Rule::all() {
            assert_eq!(rule.name().parse(), Ok(rule));
        }
        assert!("first".parse::<Rule>().is_err());
        assert_eq!(HalfLife::days(0.0), None);
        assert_eq!(HalfLife::days(f64::NAN), None);
    }

    proptest! {
        #[test]
        fn the_shares_of_a_conversion_add_to_one(
            touches in prop::collection::vec((0_u8..5, 0.0_f64..90.0), 1..30),
        ) {
            let path: Vec<Touch<u8>> = touches
                .into_iter()
                .map(|(channel, days_before_end)| Touch { channel, days_before_end })
                .collect();
            for rule in Rule::all() {
                let Some(shares) = rule.shares(&path) else {
                    prop_assert_eq!(rule, Rule::Markov);
                    continue;
                };
                let shares: Vec<f64> = shares.into_iter().map(Share::to_f64).collect();
                prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                prop_assert!(shares.iter().all(|share| *share >= 0.0));
            }
        }
    }
}
