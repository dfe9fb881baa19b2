//! What the figures of a statement cost, without the rows they come from: `cargo bench -p retention-domain`.

use divan::Bencher;
use divan::counter::ItemsCount;
use eventsourcing::Time;
use money::Rate;
use retention_domain::ledger::statement::{Account, Fact, Movement, Period, What};
use retention_domain::ledger::{Assumptions, Valuation};

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

#[divan::bench(sample_count = 5)]
fn a_million_customers(bencher: Bencher<'_, '_>) {
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
