//! What the figures of a statement cost, without the rows they come from: `cargo bench -p retention-domain`.

use divan::Bencher;
use divan::counter::ItemsCount;
use eventsourcing::Time;
use money::Rate;
use retention_domain::ledger::model::{
    Fitted, PurchaseFit, Purchasing, SpendFit, Spending, Variant,
};
use retention_domain::ledger::statement::{Account, Fact, Movement, Period, What};
use retention_domain::ledger::{Assumptions, Method, Model, Valuation};

const CUSTOMERS: i64 = 1_000_000;

fn main() {
    divan::main();
}

/// A quarter in which the assumptions change.
fn period() -> Period {
    let before = Assumptions::default();
    Period {
        start: Time::from_days(1_000),
        end: Time::from_days(1_091),
        before: Valuation::simple(before),
        after: Valuation::simple(Assumptions {
            annual_retention_rate: Rate::per_mille(800),
            ..before
        }),
    }
}

/// Five facts of a customer, of whom every seventh is lost; the same ones in every run.
fn facts(customer: i64) -> [Fact; 5] {
    let bought = |days| Fact {
        at: Time::from_days(days),
        what: What::Bought {
            margin: customer * 7_919 % 50_000,
        },
    };
    let opened = Fact {
        at: Time::from_days(700 + customer % 390),
        what: What::Opened,
    };
    let what = if customer % 7 == 0 {
        What::Lost
    } else {
        What::NoticeWithdrawn
    };
    let last = Fact {
        at: Time::from_days(1_090),
        what,
    };
    [opened, bought(900), bought(980), bought(1_050), last]
}

/// The same quarter, valued by one model and then by another.
fn refitted() -> Period {
    let by = |number| {
        let assumptions = Assumptions {
            method: Method::MbgNbd,
            ..Assumptions::default()
        };
        let euros = "EUR"
            .parse()
            .unwrap_or_else(|_| unreachable!("it is a currency"));
        Valuation::new(assumptions, Some(&model(number)), euros)
    };
    Period {
        before: by(1),
        after: by(2),
        ..period()
    }
}

/// A model like that of CDNOW.
fn model(number: u32) -> Model {
    let four = Purchasing {
        r: 0.5 + f64::from(number) / 50.0,
        alpha: 6.2,
        a: 0.9,
        b: 1.6,
    };
    let three = Spending {
        p: 6.2,
        q: 3.7,
        v: 15.4,
    };
    let fitted = Fitted {
        as_of: Time::from_days(1_000),
        purchases: PurchaseFit {
            variant: Variant::MbgNbd,
            parameters: four,
            standard_errors: four,
            log_likelihood: 0.0,
            aic: 0.0,
        },
        other: Err(String::new()),
        spend: SpendFit {
            parameters: three,
            standard_errors: three,
            log_likelihood: 0.0,
            aic: 0.0,
            customers: 0,
            spearman: None,
        },
        customers: 0,
        repeaters: 0,
        repeat_purchases: 0,
        purchase_count: 0,
        histogram_digest: [0; 32],
        holdout: Err(String::new()),
        flags: vec![],
        cut: std::collections::BTreeMap::new(),
    };
    Model {
        number,
        fitted_at: Time::from_days(1_000),
        algorithm: 1,
        fitted,
    }
}

#[divan::bench(sample_count = 5)]
fn a_million_customers_by_simple(bencher: Bencher<'_, '_>) {
    measure(bencher, period);
}

#[divan::bench(sample_count = 5)]
fn a_million_customers_by_two_models(bencher: Bencher<'_, '_>) {
    measure(bencher, refitted);
}

fn measure(bencher: Bencher<'_, '_>, period: fn() -> Period) {
    bencher
        .counter(ItemsCount::new(CUSTOMERS.unsigned_abs()))
        .bench(|| {
            let period = period();
            (0..CUSTOMERS).try_fold(Movement::default(), |sum, customer| {
                let mut account = Account::new(&period);
                for fact in facts(customer) {
                    account.take(&fact, fact.at < period.start);
                }
                sum.plus(&account.movement())
            })
        });
}
