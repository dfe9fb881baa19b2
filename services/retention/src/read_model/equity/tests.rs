//! Statements measured from rows: whatever was told, of whatever currency, in whatever order of partitions.

use eventsourcing::Time;
use journal::Position;
use money::{Currency, Rate};
use proptest::prelude::*;
use read_model::{RowsMut, Store};
use retention_domain::Event;
use retention_domain::ledger::model::Flag;
use retention_domain::ledger::statement::{Fact, Line, Standing, What};
use retention_domain::ledger::{Assumptions, Closed, Figures, Method, StatementId};
use runtime::Recorded;
use server::Known;
use uuid::Uuid;

use super::measure::{Measurement, Scope, cut, measure, movements};
use super::{books, facts};
use crate::read_model::customers;
use crate::story::model::model;
use crate::story::{ROSA, bought_in, day, lost, opened_in, parsed, reversed, won_back};

const JOURNAL: Uuid = Uuid::from_u128(1);

/// A journal of two partitions: customers with even ids are in the first one, ledgers in the second.
#[derive(Debug)]
struct Journal {
    store: Store,
    ends: [u64; 2],
}

impl Journal {
    fn new() -> Self {
        Self {
            store: Store::in_memory(),
            ends: [0; 2],
        }
    }

    /// The place of the next record of a partition.
    fn place(&mut self, partition: u32) -> Recorded {
        let end = &mut self.ends[usize::try_from(partition).unwrap()];
        let offset = *end;
        *end += 1;
        let at = Time::EPOCH;
        Recorded {
            partition,
            offset,
            at,
        }
    }

    fn write(&self, write: impl FnOnce(&mut dyn RowsMut)) {
        let mut tx = self.store.begin().unwrap();
        write(&mut tx);
        self.store.commit(tx).unwrap();
    }

    fn tell(&mut self, customer: Uuid, event: &Event) {
        let recorded = self.place(u32::try_from(customer.as_u128() % 2).unwrap());
        self.write(|rows| {
            customers::apply(rows, customer, event).unwrap();
            facts::apply(rows, customer, event, recorded).unwrap();
        });
    }

    /// Sets the method, too: a model is used from then on if there is one.
    fn set(&mut self, currency: Currency, retention: u16) {
        let recorded = self.place(1);
        let ledger = self.store.read(|rows| books::ledger(rows, currency));
        let by_model = ledger.unwrap().usable_model.is_some();
        let event = retention_domain::ledger::Event::AssumptionsSet {
            assumptions: Assumptions {
                method: if by_model {
                    Method::MbgNbd
                } else {
                    Method::Simple
                },
                annual_retention_rate: Rate::per_mille(retention),
                ..Assumptions::default()
            },
            set_at: Time::EPOCH,
        };
        self.books(currency, &event, recorded);
    }

    /// Lets an event happen to a ledger.
    fn books(
        &self,
        currency: Currency,
        event: &retention_domain::ledger::Event,
        recorded: Recorded,
    ) {
        let made = (recorded.offset, Uuid::nil());
        self.write(|rows| books::apply(rows, currency, event, made, recorded).unwrap());
    }

    /// Fits another model; every third one is worse than a guess.
    fn fit(&mut self, currency: Currency) {
        let recorded = self.place(1);
        let ledger = self.store.read(|rows| books::ledger(rows, currency));
        let mut model = model(ledger.unwrap().models + 1);
        if model.number.is_multiple_of(3) {
            model.fitted.flags.push(Flag::WorseThanNaive);
        }
        let event = retention_domain::ledger::Event::ModelFitted(Box::new(model));
        self.books(currency, &event, recorded);
    }

    fn known(&self) -> Known {
        Known::Before(Position {
            journal: JOURNAL,
            offsets: self.ends.to_vec(),
        })
    }

    fn last(&self, currency: Currency) -> Option<Closed> {
        let known = self.known();
        self.store
            .read(|rows| books::last(rows, currency, &known))
            .unwrap()
    }

    fn close(&mut self, currency: Currency, id: &str, span: (i64, i64)) -> Closed {
        let (before, known) = (self.last(currency), self.known());
        let span = (day(span.0), day(span.1));
        let (scope, measured) = self
            .store
            .read(|rows| -> Result<_, super::measure::Unmeasured> {
                let known = known.clone();
                let scope = Scope::following(rows, currency, before.as_ref(), span, known)?;
                let measured = measure(rows, &scope)?;
                Ok((scope, measured))
            })
            .unwrap();
        let closed = Closed {
            statement_id: parsed::<StatementId>(id),
            closed_at: day(1_000),
            start: span.0,
            end: span.1,
            figures: measured.figures,
            assumptions: scope.period.after.assumptions,
            model: scope.period.after.model(),
            cut: cut(&known),
            algorithm: scope.period.after.algorithm,
            movements_digest: measured.movements_digest,
        };
        let recorded = self.place(1);
        let event = retention_domain::ledger::Event::PeriodClosed(Box::new(closed.clone()));
        self.books(currency, &event, recorded);
        closed
    }

    /// What a closed statement comes to when it is measured again.
    fn again(&self, currency: Currency, closed: &Closed) -> Measurement {
        self.store
            .read(|rows| -> Result<_, super::measure::Unmeasured> {
                measure(rows, &Scope::of(rows, currency, closed, JOURNAL)?)
            })
            .unwrap()
    }
}

fn euros() -> Currency {
    parsed("EUR")
}

fn measurement(closed: &Closed) -> Measurement {
    Measurement {
        figures: closed.figures,
        movements_digest: closed.movements_digest,
    }
}

#[test]
fn facts_come_customer_by_customer_however_many_there_are() {
    let mut journal = Journal::new();
    let others = [Uuid::from_u128(2), Uuid::from_u128(4)];
    for customer in [ROSA, others[0], others[1]] {
        journal.tell(customer, &opened_in("EUR", 100));
    }
    for n in 0..100 {
        journal.tell(ROSA, &bought_in("EUR", &format!("p{n}"), 2, 101 + n));
    }
    let seen = |after| {
        let mut seen = Vec::new();
        let store = &journal.store;
        let each = |customer, facts: &[facts::Kept]| {
            seen.push((customer, facts.len(), facts.last().map(|kept| kept.fact.at)));
            std::ops::ControlFlow::Continue(())
        };
        store
            .read(|rows| facts::visit(rows, euros(), after, each))
            .unwrap();
        seen
    };
    let last = Some(day(200));
    let expected = [
        (others[0], 1, Some(day(100))),
        (others[1], 1, Some(day(100))),
        (ROSA, 101, last),
    ];
    assert_eq!(seen(None), expected);
    assert_eq!(seen(Some(others[1])), [(ROSA, 101, last)]);
    assert_eq!(seen(Some(ROSA)), []);
    let store = &journal.store;
    let kept = store
        .read(|rows| facts::of_customer(rows, euros(), ROSA))
        .unwrap();
    let expected = Fact {
        at: day(150),
        what: What::Bought { margin: 1 },
    };
    assert_eq!(kept[50].fact, expected);
}

#[test]
fn a_ledger_knows_nothing_of_other_currencies() {
    let mut journal = Journal::new();
    journal.tell(ROSA, &opened_in("USD", 100));
    journal.tell(ROSA, &bought_in("USD", "p", 40_000, 101));
    journal.set(parsed("USD"), 800);
    let statement = journal.close(euros(), "q1", (0, 190));
    assert_eq!(statement.figures, Figures::default());
    assert_eq!(statement.assumptions, Assumptions::default());
    let dollars = journal.close(parsed("USD"), "q1", (0, 190));
    assert_eq!(dollars.figures.counts.created, 1);
}

#[test]
fn values_rest_on_the_last_known_model_that_is_better_than_a_guess() {
    let mut journal = Journal::new();
    journal.fit(euros());
    journal.set(euros(), 800);
    let early = journal.known();
    journal.fit(euros());
    // The third one is worse than a guess.
    journal.fit(euros());
    let (late, store) = (journal.known(), &journal.store);
    let by = |known: &Known| {
        let valuation = store.read(|rows| books::valuation_known(rows, euros(), known));
        valuation.unwrap().model()
    };
    assert_eq!((by(&early), by(&late)), (Some(1), Some(2)));
    let now = store.read(|rows| books::valuation(rows, euros()));
    assert_eq!(now.unwrap().model(), Some(2));
    let last = store.read(|rows| books::last_model(rows, euros(), &late));
    assert_eq!(last.unwrap().map(|model| model.number), Some(3));
}

/// What may happen next, to one of four customers, two of each currency.
#[derive(Debug, Clone)]
enum Next {
    Buy(i64, i64),
    Reverse(i64),
    Turn,
    Set(u16),
    Fit,
    Close(i64),
}

fn next() -> impl Strategy<Value = (u128, Next)> {
    let next = prop_oneof![
        5 => (0_i64..50_000, 0_i64..400).prop_map(|(amount, ago)| Next::Buy(amount, ago)),
        2 => (1_i64..500).prop_map(Next::Reverse),
        2 => Just(Next::Turn),
        1 => (0_u16..1_000).prop_map(Next::Set),
        1 => Just(Next::Fit),
        2 => (1_i64..120).prop_map(Next::Close),
    ];
    (0_u128..4, next)
}

/// Lets it happen on a day, to a customer who was opened before; what makes no sense is left out.
fn happen(journal: &mut Journal, who: u128, next: &Next, today: i64, n: usize) -> Option<Closed> {
    let code = if who < 2 { "EUR" } else { "USD" };
    let (customer, currency) = (Uuid::from_u128(who), parsed(code));
    let store = journal.store.clone();
    let state = store.read(|rows| customers::get(rows, customer)).unwrap();
    let event = match (next, state) {
        (Next::Set(retention), _) => {
            journal.set(currency, *retention);
            return None;
        }
        (Next::Fit, _) => {
            journal.fit(currency);
            return None;
        }
        (Next::Close(days), _) => {
            let start = journal.last(currency).map_or(0, |last| last.end.day());
            let end = (start + days).min(today);
            return (start < end).then(|| journal.close(currency, &format!("s{n}"), (start, end)));
        }
        (_, None) => opened_in(code, today - 40),
        (Next::Buy(amount, ago), _) => {
            bought_in(code, &format!("p{}", n % 8), *amount, today - ago)
        }
        (Next::Reverse(amount), _) => reversed("p1", &format!("r{n}"), *amount, today),
        (Next::Turn, Some(state)) => match state.relationship {
            Some(relationship) if relationship.is_lost() => won_back(today),
            _ => lost(today),
        },
    };
    journal.tell(customer, &event);
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn closed_statements_add_up_follow_each_other_and_come_out_the_same_for_ever(
        story in prop::collection::vec(next(), 0..120),
    ) {
        let mut journal = Journal::new();
        let mut closed: Vec<(Currency, Closed)> = Vec::new();
        for (n, (who, next)) in story.iter().enumerate() {
            let today = 100 + i64::try_from(n).unwrap() * 5;
            if let Some(statement) = happen(&mut journal, *who, next, today, n) {
                let currency = parsed(if *who < 2 { "EUR" } else { "USD" });
                closed.push((currency, statement));
            }
        }
        for (currency, statement) in &closed {
            prop_assert!(statement.figures.lines.add_up());
            prop_assert!(statement.figures.counts.add_up());
            prop_assert_eq!(journal.again(*currency, statement), measurement(statement));
            let scope = journal.store.read(|rows| Scope::of(rows, *currency, statement, JOURNAL)).unwrap();
            let mut sum = 0;
            journal.store.read(|rows| movements(rows, &scope, None, |_, movement| {
                sum += movement.of(Line::Closing).1;
                std::ops::ControlFlow::Continue(())
            })).unwrap();
            prop_assert_eq!(sum, statement.figures.lines.closing);
        }
        for currency in ["EUR", "USD"].map(parsed::<Currency>) {
            let of = |wanted: Currency| closed.iter().filter(move |(currency, _)| *currency == wanted);
            for ((_, before), (_, after)) in of(currency).zip(of(currency).skip(1)) {
                let (before, after) = (&before.figures, &after.figures);
                prop_assert_eq!(before.lines.closing, after.lines.opening);
                prop_assert_eq!(before.counts.closing, after.counts.opening);
            }
        }
    }
}

#[test]
fn what_is_left_of_a_purchase_is_judged_as_of_the_moment_that_is_asked_for() {
    let mut journal = Journal::new();
    for event in [
        opened_in("EUR", 100),
        bought_in("EUR", "p", 10_000, 101),
        bought_in("EUR", "q", 10_000, 101),
        reversed("p", "later", 6_000, 110),
        reversed("p", "earlier", 4_000, 105),
    ] {
        journal.tell(ROSA, &event);
    }
    let spent = |journal: &Journal, number| {
        let standing = Standing::at(day(number)).with_days();
        let counts = |kept: &facts::Kept| kept.fact.at <= day(number);
        let standing = journal
            .store
            .read(|rows| facts::standing(rows, (euros(), ROSA), standing, counts));
        let days = standing.unwrap().days().unwrap().clone();
        days.between(100, 200).collect::<Vec<_>>()
    };
    assert_eq!(spent(&journal, 101), [(101, 10_000)]);
    assert_eq!(spent(&journal, 107), [(101, 8_000)]);
    assert_eq!(spent(&journal, 110), [(101, 5_000)]);
    journal.tell(ROSA, &reversed("q", "earlier", 10_000, 105));
    assert_eq!(spent(&journal, 107), [(101, 3_000)]);
    assert_eq!(spent(&journal, 110), []);
}
