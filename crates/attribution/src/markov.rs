//! Credit by removal: how many conversions would be lost if a channel led nowhere.
//!
//! All journeys together are a first-order Markov chain from the start over channels to conversion or not. The
//! removal effect of a channel is the share of conversions whose path visits it, under the chain. Anderl, Becker,
//! von Wangenheim & Schumann (2016), "Mapping the customer journey", IJRM 33. It is solved exactly, never simulated.
//!
//! With N = (I - Q)⁻¹ over the channels, s the first steps and h = N·exit the chance to convert from each channel:
//! `P(convert) = s·h`, `P(visit c) = (sN)_c / N_cc`, and the removal effect is `P(visit c) h_c / P(convert)`. So one
//! factorisation serves all removals.

use std::collections::BTreeMap;

use crate::Touch;
use crate::solve::Factored;

/// Counted transitions of all journeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain<C: Ord> {
    channels: BTreeMap<C, Steps<C>>,
    start: BTreeMap<C, u64>,
}

impl<C: Ord> Default for Chain<C> {
    fn default() -> Self {
        Self {
            channels: BTreeMap::new(),
            start: BTreeMap::new(),
        }
    }
}

/// Where journeys went from a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Steps<C: Ord> {
    next: BTreeMap<C, u64>,
    converted: u64,
    ended: u64,
}

impl<C: Ord> Default for Steps<C> {
    fn default() -> Self {
        Self {
            next: BTreeMap::new(),
            converted: 0,
            ended: 0,
        }
    }
}

/// What the chain says.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution<C> {
    /// P(a journey converts); equals conversions/journeys. 0 without journeys.
    pub p_conversion: f64,
    /// The removal effect of each channel in `[0, 1]`, by name.
    pub removal_effects: Vec<(C, f64)>,
}

impl<C: Ord + Clone> Chain<C> {
    /// Counts journeys of one path: how many of them converted and how many ended without. A journey without
    /// touches passes no channel and does not count.
    pub fn add(&mut self, path: &[Touch<C>], conversions: u64, non_conversions: u64) {
        let journeys = conversions + non_conversions;
        let (Some(first), Some(last)) = (path.first(), path.last()) else {
            return;
        };
        for touch in path {
            self.channels.entry(touch.channel.clone()).or_default();
        }
        *self.start.entry(first.channel.clone()).or_default() += journeys;
        for (from, to) in path.iter().zip(path.iter().skip(1)) {
            let steps = self.channels.entry(from.channel.clone()).or_default();
            *steps.next.entry(to.channel.clone()).or_default() += journeys;
        }
        let steps = self.channels.entry(last.channel.clone()).or_default();
        steps.converted += conversions;
        steps.ended += non_conversions;
    }

    /// Solves the chain.
    pub fn solve(&self) -> Solution<C> {
        let names: Vec<&C> = self.channels.keys().collect();
        let none = Solution {
            p_conversion: 0.0,
            removal_effects: names.iter().map(|name| ((*name).clone(), 0.0)).collect(),
        };
        let journeys: u64 = self.start.values().sum();
        // Every journey ends, so I - Q is regular; a chain without journeys has nothing to solve.
        let Some(factored) = Factored::new(self.matrix(&names)) else {
            return none;
        };
        let exits: Vec<f64> = self
            .channels
            .values()
            .map(|steps| ratio(steps.converted, steps.total()))
            .collect();
        let converts = factored.solve(&exits);
        let start: Vec<f64> = names
            .iter()
            .map(|name| ratio(self.start.get(*name).copied().unwrap_or(0), journeys))
            .collect();
        let p_conversion = dot(&start, &converts);
        if p_conversion <= 0.0 {
            return none;
        }
        let effect = |channel: usize, from_here: f64| {
            let mut unit = vec![0.0; names.len()];
            if let Some(entry) = unit.get_mut(channel) {
                *entry = 1.0;
            }
            // The column of N: expected visits to this channel from each one.
            let visits = factored.solve(&unit);
            let returns = visits.get(channel).copied().unwrap_or(1.0);
            (dot(&start, &visits) / returns * from_here / p_conversion).clamp(0.0, 1.0)
        };
        Solution {
            p_conversion,
            removal_effects: names
                .iter()
                .zip(&converts)
                .enumerate()
                .map(|(channel, (name, from_here))| ((*name).clone(), effect(channel, *from_here)))
                .collect(),
        }
    }

    /// I - Q. A channel that no counted journey passes leads nowhere.
    fn matrix(&self, names: &[&C]) -> Vec<Vec<f64>> {
        self.channels
            .iter()
            .map(|(from, steps)| {
                let total = steps.total();
                names
                    .iter()
                    .map(|to| {
                        let diagonal = if from == *to { 1.0 } else { 0.0 };
                        diagonal - ratio(steps.next.get(*to).copied().unwrap_or(0), total)
                    })
                    .collect()
            })
            .collect()
    }
}

impl<C: Ord> Steps<C> {
    fn total(&self) -> u64 {
        self.next.values().sum::<u64>() + self.converted + self.ended
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(l, r)| l * r).sum()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Chain;
    use crate::Touch;

    fn path(channels: &[u8]) -> Vec<Touch<u8>> {
        channels
            .iter()
            .map(|channel| Touch {
                channel: *channel,
                days_before_end: 0.0,
            })
            .collect()
    }

    #[test]
    fn e37_a_repeated_touch_changes_nothing_whether_merged_or_kept() {
        let solve = |channels: &[u8]| {
            let mut chain = Chain::default();
            chain.add(&path(channels), 3, 2);
            chain.add(&path(&[2]), 1, 5);
            chain.solve()
        };
        let (kept, merged) = (solve(&[1, 1, 2]), solve(&[1, 2]));
        assert!((kept.p_conversion - merged.p_conversion).abs() < 1e-15);
        for (a, b) in kept.removal_effects.iter().zip(&merged.removal_effects) {
            assert!((a.1 - b.1).abs() < 1e-15);
        }
    }

    #[test]
    fn e36_a_channel_of_unconverted_journeys_has_no_effect_and_is_listed() {
        let mut chain = Chain::default();
        chain.add(&path(&[1]), 3, 2);
        chain.add(&path(&[9]), 0, 5);
        assert_eq!(chain.solve().removal_effects[1], (9, 0.0));
    }

    #[test]
    fn e33_without_conversions_everything_is_zero_and_nothing_is_nan() {
        let mut chain = Chain::default();
        chain.add(&path(&[1, 2]), 0, 5);
        let solution = chain.solve();
        assert!(solution.p_conversion.abs() < 1e-300);
        assert_eq!(solution.removal_effects, [(1, 0.0), (2, 0.0)]);
        assert!(Chain::<u8>::default().solve().removal_effects.is_empty());
    }

    /// P(convert) when all steps into `removed` end the journey, by repeated steps instead of equations.
    fn without(journeys: &[(Vec<u8>, u64, u64)], removed: Option<u8>) -> f64 {
        let mut counts = std::collections::BTreeMap::<(u8, u8), f64>::new();
        let mut totals = std::collections::BTreeMap::<u8, f64>::new();
        // 100 is the start, 101 the conversion, 102 the end without.
        for (channels, converted, ended) in journeys {
            let mut add = |from: u8, to: u8, n: u64| {
                let n = f64::from(u32::try_from(n).unwrap());
                *counts.entry((from, to)).or_default() += n;
                *totals.entry(from).or_default() += n;
            };
            let mut from = 100;
            for to in channels {
                add(from, *to, converted + ended);
                from = *to;
            }
            add(from, 101, *converted);
            add(from, 102, *ended);
        }
        let mut here = std::collections::BTreeMap::from([(100_u8, 1.0)]);
        let mut converted = 0.0;
        for _ in 0..3_000 {
            let mut next = std::collections::BTreeMap::<u8, f64>::new();
            for ((from, to), n) in &counts {
                let flow = here.get(from).copied().unwrap_or(0.0) * n / totals[from].max(1.0);
                if *to == 101 {
                    converted += flow;
                } else if *to != 102 && Some(*to) != removed {
                    *next.entry(*to).or_default() += flow;
                }
            }
            here = next;
        }
        converted
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn the_effects_are_those_of_removing_each_channel(
            journeys in prop::collection::vec((prop::collection::vec(0_u8..4, 1..5), 0_u64..5, 0_u64..5), 1..8),
        ) {
            let mut chain = Chain::default();
            let (mut converted, mut all) = (0, 0);
            for (channels, conversions, others) in &journeys {
                chain.add(&path(channels), *conversions, *others);
                converted += conversions;
                all += conversions + others;
            }
            let solution = chain.solve();
            if converted == 0 {
                prop_assert!(solution.p_conversion.abs() < 1e-300);
                return Ok(());
            }
            let share = super::ratio(converted, all);
            prop_assert!((solution.p_conversion - share).abs() < 1e-12);
            let whole = without(&journeys, None);
            prop_assert!((whole - share).abs() < 1e-9);
            for (channel, effect) in solution.removal_effects {
                let lost = 1.0 - without(&journeys, Some(channel)) / whole;
                prop_assert!((effect - lost).abs() < 1e-8, "{}: {} {}", channel, effect, lost);
            }
        }
    }
}
