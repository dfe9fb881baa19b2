//! Credit over a report: exact sums per channel, money rounded once. Credits that are fractions are added as
//! fractions, so that a tie is a tie.

use std::collections::BTreeMap;

use money::allocate::largest_remainder;
use money::{Exact, Share};

use crate::markov::{Chain, Solution};
use crate::{Rule, Touch};

/// Journeys of one path, one or many.
#[derive(Debug, Clone, PartialEq)]
pub struct Journey<C> {
    /// Touches in order; empty if no touch lies in the window.
    pub path: Vec<Touch<C>>,
    /// How many converted.
    pub conversions: u64,
    /// What the conversions were worth together, in minor units.
    pub value_minor: i64,
    /// How many ended without conversion.
    pub non_conversions: u64,
    /// How many may still convert. They are counted and otherwise left out: to take an open journey for a
    /// lost one would punish whatever started last.
    pub open: u64,
}

/// What one channel earned.
#[derive(Debug, Clone, PartialEq)]
pub struct Credit<C> {
    /// `None` is the credit of conversions without a touch: never dropped, never spread.
    pub channel: Option<C>,
    /// In conversions.
    pub conversions: f64,
    /// In minor units, as near as a double is.
    pub value_exact: f64,
    /// In whole minor units; all credits together are the whole value.
    pub value_minor: i64,
}

/// Credits of a set of journeys under one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Report<C> {
    /// Every channel touched, by name, also those without credit; unattributed last, if there is any.
    pub credits: Vec<Credit<C>>,
    /// The chain behind the credits of MARKOV.
    pub markov: Option<Solution<C>>,
    /// How many journeys converted.
    pub conversions: u64,
    /// How many journeys are still open.
    pub open: u64,
    /// The sum of all values in minor units.
    pub value_minor: i64,
}

/// The values of the journeys add up to more than 64 bits of minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the values add up to more than 64 bits hold")]
pub struct ValueTooLarge;

/// Divides the conversions and values of `journeys` by `rule`.
pub fn attribute<C: Ord + Clone>(
    journeys: &[Journey<C>],
    rule: Rule,
) -> Result<Report<C>, ValueTooLarge> {
    let mut sums: BTreeMap<C, Sum> = BTreeMap::new();
    let (mut unattributed, mut attributed) = (Whole::default(), Whole::default());
    let mut open = 0;
    for journey in journeys {
        for touch in &journey.path {
            sums.entry(touch.channel.clone()).or_default();
        }
        open += journey.open;
        if journey.path.is_empty() {
            unattributed.add(journey)?;
            continue;
        }
        attributed.add(journey)?;
        let whole = Whole::of(journey);
        let shares = rule.shares(&journey.path).unwrap_or_default();
        for (touch, share) in journey.path.iter().zip(shares) {
            let sum = sums.entry(touch.channel.clone()).or_default();
            sum.add(whole, share);
        }
    }
    let markov = matches!(rule, Rule::Markov).then(|| solve(journeys));
    if let Some(solution) = &markov {
        divide_by_effect(&mut sums, solution, attributed);
    }
    let channels = sums.into_iter();
    let mut credits: Vec<(Option<C>, Sum)> = channels
        .map(|(channel, sum)| (Some(channel), sum))
        .collect();
    if unattributed != Whole::default() {
        let mut sum = Sum::default();
        sum.add(unattributed, Share::ALL);
        credits.push((None, sum));
    }
    attributed.append(unattributed)?;
    Ok(Report {
        credits: round(credits, attributed.value),
        markov,
        conversions: attributed.conversions,
        open,
        value_minor: attributed.value,
    })
}

/// What is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Whole {
    conversions: u64,
    value: i64,
}

impl Whole {
    const fn of<C>(journey: &Journey<C>) -> Self {
        Self {
            conversions: journey.conversions,
            value: journey.value_minor,
        }
    }

    fn add<C>(&mut self, journey: &Journey<C>) -> Result<(), ValueTooLarge> {
        self.append(Self::of(journey))
    }

    fn append(&mut self, other: Self) -> Result<(), ValueTooLarge> {
        self.conversions += other.conversions;
        let value = self.value.checked_add(other.value);
        self.value = value.ok_or(ValueTooLarge)?;
        Ok(())
    }
}

/// A running sum of credit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Sum {
    conversions: Exact,
    value: Exact,
}

impl Sum {
    fn add(&mut self, whole: Whole, share: Share) {
        let conversions = i64::try_from(whole.conversions).unwrap_or(i64::MAX);
        self.conversions.add(conversions, share);
        self.value.add(whole.value, share);
    }
}

fn solve<C: Ord + Clone>(journeys: &[Journey<C>]) -> Solution<C> {
    let mut chain = Chain::default();
    for journey in journeys {
        chain.add(&journey.path, journey.conversions, journey.non_conversions);
    }
    chain.solve()
}

/// Value follows the same shares as conversions.
fn divide_by_effect<C: Ord>(
    sums: &mut BTreeMap<C, Sum>,
    solution: &Solution<C>,
    attributed: Whole,
) {
    let effects = solution.removal_effects.iter();
    let total: f64 = effects.clone().map(|(_, effect)| effect).sum();
    if total <= 0.0 {
        return;
    }
    for (channel, effect) in effects {
        if let Some(sum) = sums.get_mut(channel) {
            sum.add(attributed, Share::Real(effect / total));
        }
    }
}

/// One largest remainder over the report, ties by name. Without a positive credit there is nothing to round by,
/// and then the value is 0 as well.
fn round<C>(sums: Vec<(Option<C>, Sum)>, value_minor: i64) -> Vec<Credit<C>> {
    let values: Vec<Exact> = sums.iter().map(|(_, sum)| sum.value.clone()).collect();
    let parts = largest_remainder(value_minor, &values).unwrap_or_default();
    let credits = sums.into_iter().enumerate();
    credits
        .map(|(i, (channel, sum))| Credit {
            channel,
            conversions: sum.conversions.to_f64(),
            value_exact: sum.value.to_f64(),
            value_minor: parts.get(i).copied().unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Journey, attribute};
    use crate::{Rule, Touch};

    fn journey(
        channels: &[&'static str],
        conversions: u64,
        value_minor: i64,
    ) -> Journey<&'static str> {
        Journey {
            path: channels
                .iter()
                .map(|channel| Touch {
                    channel: *channel,
                    days_before_end: 1.0,
                })
                .collect(),
            conversions,
            value_minor,
            non_conversions: 0,
            open: 0,
        }
    }

    #[test]
    fn e32_a_conversion_without_a_touch_is_unattributed_whole() {
        for rule in Rule::all() {
            let report =
                attribute(&[journey(&["a"], 1, 100), journey(&[], 2, 5_000)], rule).unwrap();
            let last = report.credits.last().unwrap();
            assert_eq!((last.channel, last.value_minor), (None, 5_000), "{rule:?}");
            assert!((last.conversions - 2.0).abs() < 1e-12);
            assert_eq!(report.credits[0].value_minor, 100);
        }
    }

    #[test]
    fn e39_an_open_journey_is_counted_and_otherwise_left_out() {
        let mut open = journey(&["b"], 0, 0);
        open.open = 7;
        let report = attribute(&[journey(&["a"], 1, 100), open], Rule::Markov).unwrap();
        assert_eq!(report.open, 7);
        assert!((report.markov.unwrap().p_conversion - 1.0).abs() < 1e-15);
        assert_eq!(report.credits[1].channel, Some("b"));
        assert_eq!(report.credits[1].value_minor, 0);
    }

    #[test]
    fn the_story_of_three_touches_adds_up_to_the_cent() {
        // Touches fast, tough, fast of one prospect, value 400.00.
        let path = [journey(&["fast", "tough", "fast"], 1, 40_000)];
        let values = |rule| {
            let report = attribute(&path, rule).unwrap();
            report
                .credits
                .iter()
                .map(|c| c.value_minor)
                .collect::<Vec<_>>()
        };
        assert_eq!(values(Rule::Linear), [26_667, 13_333]);
        assert_eq!(values(Rule::Position), [32_000, 8_000]);
    }

    proptest! {
        #[test]
        fn e38_the_credits_add_to_the_value_and_the_conversions(
            journeys in prop::collection::vec(
                (prop::collection::vec((0_u8..5, 0.0_f64..90.0), 0..6), 0_u64..20, 0_i64..1_000_000, 0_u64..20),
                1..12,
            ),
        ) {
            let journeys: Vec<Journey<u8>> = journeys
                .into_iter()
                .map(|(path, conversions, value, non_conversions)| Journey {
                    path: path
                        .into_iter()
                        .map(|(channel, days_before_end)| Touch { channel, days_before_end })
                        .collect(),
                    conversions,
                    value_minor: if conversions > 0 { value } else { 0 },
                    non_conversions,
                    open: 0,
                })
                .collect();
            for rule in Rule::all() {
                let report = attribute(&journeys, rule).unwrap();
                let value: i64 = report.credits.iter().map(|c| c.value_minor).sum();
                prop_assert_eq!(value, report.value_minor, "{:?}", rule);
                let conversions: f64 = report.credits.iter().map(|c| c.conversions).sum();
                #[expect(clippy::cast_precision_loss, reason = "a test's own small count")]
                let expected = report.conversions as f64;
                prop_assert!((conversions - expected).abs() < 1e-9);
                prop_assert!(report.credits.iter().all(|c| c.value_minor >= 0));
            }
        }
    }
}
