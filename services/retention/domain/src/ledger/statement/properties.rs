//! What holds for every history: statements add up, follow each other, and know nothing of what comes later.

use std::collections::BTreeMap;

use money::Rate;
use proptest::prelude::*;
use uuid::Uuid;

use super::{Account, Assumptions, Fact, Lines, Movement, Period, Standing, Valuation, What};
use crate::ledger::Method;
use crate::ledger::model::tests::model;
use crate::story::day;

/// How many periods are closed, each of ten days.
const PERIODS: i64 = 6;
const LENGTH: i64 = 100;

/// What may happen next to a customer; what makes no sense is left out when it is told.
#[derive(Debug, Clone, Copy)]
enum Next {
    Status,
    Notice,
    Buy(i64),
    Reverse(usize, i64),
}

/// A fact of one customer: which, what, how many days after the one before it happened or before today,
/// and how long it takes until it is recorded.
#[derive(Debug, Clone, Copy)]
struct Told {
    customer: usize,
    next: Next,
    days: i64,
    delay: i64,
}

fn told() -> impl Strategy<Value = Told> {
    let next = prop_oneof![
        2 => Just(Next::Status),
        1 => Just(Next::Notice),
        4 => (-2_000_i64..50_000).prop_map(Next::Buy),
        2 => (0_usize..8, 1_i64..30_000).prop_map(|(which, margin)| Next::Reverse(which, margin)),
    ];
    (0_usize..4, next, 0_i64..60, 0_i64..250).prop_map(|(customer, next, days, delay)| Told {
        customer,
        next,
        days,
        delay,
    })
}

/// Rates, and a model or none: each time another one, as if it had been fitted again.
fn valuation() -> impl Strategy<Value = Valuation> {
    let rates = (0_u16..1_000, 0_u16..1_000, 1_u32..60);
    (rates, any::<bool>(), 1_u32..4).prop_map(
        |((retention, discount, months), by_model, number)| {
            let assumptions = Assumptions {
                method: if by_model {
                    Method::MbgNbd
                } else {
                    Method::Simple
                },
                annual_retention_rate: Rate::per_mille(retention),
                annual_discount_rate: Rate::per_mille(discount),
                horizon_months: months,
                ..Assumptions::default()
            };
            Valuation::new(assumptions, Some(&model(number)), "EUR".parse().unwrap())
        },
    )
}

/// A customer's facts in the order of the journal, each with the day on which it was recorded.
type History = Vec<(Fact, i64)>;

/// Makes histories that the rules of a customer allow: relationships never go back in time, purchases may.
fn histories(told: &[Told]) -> BTreeMap<usize, History> {
    let mut all: BTreeMap<usize, History> = BTreeMap::new();
    for step in told {
        let history = all.entry(step.customer).or_default();
        let clock = history.last().map_or(0, |(_, recorded)| *recorded);
        let recorded = clock + step.delay;
        let is_money =
            |fact: &Fact| matches!(fact.what, What::Bought { .. } | What::Reversed { .. });
        let status = history.iter().rev().find(|(fact, _)| !is_money(fact));
        let status = status.map(|(fact, _)| (fact.what, fact.at.day()));
        let Some((stands, since)) = status else {
            let at = day(recorded - step.days);
            history.push((
                Fact {
                    at,
                    what: What::Opened,
                },
                recorded,
            ));
            continue;
        };
        let later = day((since + step.days).min(recorded).max(since));
        let fact = match (step.next, stands) {
            (Next::Status, What::Lost) => Fact {
                at: later,
                what: What::WonBack,
            },
            (Next::Status, _) => Fact {
                at: later,
                what: What::Lost,
            },
            (Next::Notice, What::Lost) => continue,
            (Next::Notice, What::NoticeGiven) => Fact {
                at: later,
                what: What::NoticeWithdrawn,
            },
            (Next::Notice, _) => Fact {
                at: later,
                what: What::NoticeGiven,
            },
            (Next::Buy(margin), _) => {
                let at = day(recorded - step.days);
                Fact {
                    at,
                    what: What::Bought { margin },
                }
            }
            (Next::Reverse(which, margin), _) => {
                let is_purchase = |fact: &Fact| matches!(fact.what, What::Bought { .. });
                let bought = history.iter().filter(|(fact, _)| is_purchase(fact));
                let bought = bought.map(|(fact, _)| fact.at);
                let Some(bought_at) = bought.clone().nth(which % bought.count().max(1)) else {
                    continue;
                };
                let at = day(recorded - step.days).max(bought_at);
                Fact {
                    at,
                    what: What::Reversed {
                        margin,
                        bought_at,
                        purchase: Uuid::from_u128(which as u128 % 4),
                        paid: 2,
                        amount: margin % 3,
                        told_last: margin % 3 == 0,
                    },
                }
            }
        };
        history.push((fact, recorded));
    }
    all
}

/// The statement of a period: facts recorded by the old and the new day of closing are known to it.
fn statement(histories: &BTreeMap<usize, History>, period: &Period, cuts: (i64, i64)) -> Movement {
    let movements = histories.values().map(|history| {
        let mut account = Account::new(period);
        for (fact, recorded) in history.iter().filter(|(_, recorded)| *recorded < cuts.1) {
            account.take(fact, *recorded < cuts.0);
        }
        account.movement()
    });
    movements.fold(Movement::default(), |sum, one| sum.plus(&one).unwrap())
}

/// What the customers are worth by what is known, counted another way: customer by customer, at one moment.
fn worth(histories: &BTreeMap<usize, History>, end: i64, cut: i64, with: &Valuation) -> i64 {
    let values = histories.values().map(|history| {
        let mut standing = Standing::before(day(end), with.algorithm).for_valuation(with);
        for (fact, recorded) in history {
            if *recorded < cut && fact.at < day(end) {
                standing.take(fact);
            }
        }
        with.value(&standing)
    });
    values.sum()
}

proptest! {
    #[test]
    fn every_statement_adds_up_and_begins_where_the_last_one_ended(
        told in prop::collection::vec(told(), 0..60),
        assumptions in prop::collection::vec(valuation(), 7),
        closed_late in prop::collection::vec(0_i64..90, 7),
    ) {
        let histories = histories(&told);
        let mut before: Option<(i64, Movement)> = None;
        for k in 0..PERIODS {
            let place = usize::try_from(k).unwrap();
            let (start, end) = (k * LENGTH, (k + 1) * LENGTH);
            let cut = end + closed_late[place];
            // The first statement is its own past.
            let (old_cut, old) = before.as_ref().map_or((cut, place + 1), |(cut, _)| (*cut, place));
            let cut = cut.max(old_cut);
            let period = Period {
                start: day(start),
                end: day(end),
                before: assumptions[old].clone(),
                after: assumptions[place + 1].clone(),
            };
            let this = statement(&histories, &period, (old_cut, cut));
            prop_assert!(this.lines.add_up(), "{this:?}");
            prop_assert!(this.counts.add_up(), "{this:?}");
            let Lines { grown, created, won_back, eroded, lost, .. } = this.lines;
            prop_assert!(grown >= 0 && created >= 0 && won_back >= 0 && eroded <= 0 && lost <= 0);
            prop_assert_eq!(this.lines.closing, worth(&histories, end, cut, &assumptions[place + 1]));
            if let Some((_, last)) = before {
                prop_assert_eq!(this.lines.opening, last.lines.closing);
                prop_assert_eq!(this.counts.opening, last.counts.closing);
            }
            before = Some((cut, this));
        }
    }

    #[test]
    fn what_is_recorded_after_a_cut_changes_nothing(
        told in prop::collection::vec(told(), 0..40),
        after in valuation(),
    ) {
        let histories = histories(&told);
        let period = Period {
            start: day(100),
            end: day(200),
            before: Valuation::simple(Assumptions::default()),
            after,
        };
        let known = |history: &History| {
            history.iter().filter(|(_, recorded)| *recorded < 230).copied().collect::<History>()
        };
        let then = histories.iter().map(|(customer, history)| (*customer, known(history))).collect();
        prop_assert_eq!(statement(&histories, &period, (130, 230)), statement(&then, &period, (130, 230)));
    }
}
