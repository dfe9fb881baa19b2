//! Every rule whose credits are fractions, against the same rules in whole numbers over a common denominator.
//!
//! `cfg(test)` tells the lints that helpers of tests are tests too.
#[cfg(test)]
mod tests {
    use attribution::{Journey, Rule, Touch, attribute};
    use proptest::prelude::*;

    /// A multiple of the denominators of all shares of paths of up to six touches.
    const COMMON: i128 = 60;

    const RULES: [Rule; 5] = [
        Rule::First,
        Rule::Last,
        Rule::Linear,
        Rule::Position,
        Rule::Shapley,
    ];

    /// What each of five channels earned of one unit, in parts of [`COMMON`].
    fn credit(rule: Rule, path: &[usize]) -> [i128; 5] {
        let mut earned = [0; 5];
        let n = i128::try_from(path.len()).unwrap();
        let (first, last) = (path[0], path[path.len() - 1]);
        match rule {
            Rule::First => earned[first] += COMMON,
            Rule::Last => earned[last] += COMMON,
            Rule::Linear => path.iter().for_each(|c| earned[*c] += COMMON / n),
            Rule::Position if n < 3 => path.iter().for_each(|c| earned[*c] += COMMON / n),
            Rule::Position => {
                earned[first] += COMMON * 2 / 5;
                earned[last] += COMMON * 2 / 5;
                let between = COMMON / 5 / (n - 2);
                path[1..path.len() - 1]
                    .iter()
                    .for_each(|c| earned[*c] += between);
            }
            Rule::Shapley => {
                let touched = |c: &usize| path.contains(c);
                let distinct = i128::try_from((0..5).filter(touched).count()).unwrap();
                (0..5)
                    .filter(touched)
                    .for_each(|c| earned[c] += COMMON / distinct);
            }
            Rule::TimeDecay(_) | Rule::Markov => unreachable!("no fractions"),
        }
        earned
    }

    /// One largest remainder, ties by name, in whole numbers.
    fn expected(rule: Rule, journeys: &[(Vec<usize>, i64)]) -> [i64; 5] {
        let mut exact = [0_i128; 5];
        for (path, value) in journeys {
            for (sum, share) in exact.iter_mut().zip(credit(rule, path)) {
                *sum += share * i128::from(*value);
            }
        }
        let mut rounded = exact.map(|sum| i64::try_from(sum / COMMON).unwrap());
        let total: i64 = journeys.iter().map(|(_, value)| value).sum();
        let missing = usize::try_from(total - rounded.iter().sum::<i64>()).unwrap();
        let mut order: Vec<usize> = (0..5).collect();
        order.sort_by_key(|c| (-(exact[*c] % COMMON), *c));
        for c in order.into_iter().take(missing) {
            rounded[c] += 1;
        }
        rounded
    }

    fn answered(rule: Rule, journeys: &[(Vec<usize>, i64)]) -> [i64; 5] {
        let journeys: Vec<Journey<usize>> = journeys
            .iter()
            .map(|(path, value)| Journey {
                path: path
                    .iter()
                    .map(|channel| Touch {
                        channel: *channel,
                        days_before_end: 1.0,
                    })
                    .collect(),
                conversions: 1,
                value_minor: *value,
                non_conversions: 0,
                open: 0,
            })
            .collect();
        let mut values = [0; 5];
        for credit in attribute(&journeys, rule).unwrap().credits {
            values[credit.channel.unwrap()] = credit.value_minor;
        }
        values
    }

    #[test]
    fn a_tie_between_sums_of_halves_goes_by_name() {
        let journeys = [(vec![0], 30_000), (vec![1, 0], 12_345)];
        for rule in [Rule::Linear, Rule::Position, Rule::Shapley] {
            assert_eq!(
                answered(rule, &journeys),
                [36_173, 6_172, 0, 0, 0],
                "{rule:?}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn money_is_divided_as_whole_numbers_divide_it(
            journeys in prop::collection::vec(
                (prop::collection::vec(0_usize..5, 1..7), prop_oneof![0_i64..200, 0_i64..10_000_000]),
                1..12,
            ),
        ) {
            for rule in RULES {
                prop_assert_eq!(answered(rule, &journeys), expected(rule, &journeys), "{:?}", rule);
            }
        }
    }
}
