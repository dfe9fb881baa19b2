//! The work list is, at every moment and on every page, what one gets by looking at all customers.

use eventsourcing::Time;
use money::{Currency, Rate};
use proptest::prelude::*;
use read_model::{Error, Rows, RowsMut, Store};
use retention_domain::Event;
use retention_domain::ledger::{self, Assumptions, Method};
use runtime::Recorded;
use server::{Known, Moment};
use uuid::Uuid;

use super::{Asked, Rankings, owners, page};
use crate::read_model::equity::{books, facts};
use crate::read_model::worth::Worth;
use crate::read_model::{customers, margins, relations};
use crate::story::model::model;
use crate::story::{
    assigned, bought_in, cancelled, completed, day, lost, opened_in, parsed, proposed, reversed_in,
    won_back,
};

/// Half a margin is kept, so that different margins have the same value.
fn worth() -> Worth {
    Worth::by(Assumptions {
        annual_retention_rate: Rate::per_mille(400),
        annual_discount_rate: Rate::per_mille(200),
        ..Assumptions::default()
    })
}

const CUSTOMERS: u128 = 6;

/// Something that happens to a customer, so many days after what happened before.
#[derive(Debug, Clone)]
struct Step {
    customer: u128,
    after: i64,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// So many days ago; a purchase may be dated ahead by one day.
    Bought(i64, i64),
    /// Taken back of the last purchase.
    Reversed(i64, i64),
    Proposed(u8),
    Closed(u8, bool),
    Assigned(&'static str),
    Lost,
    WonBack,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let what = prop_oneof![
        6 => (0_i64..20, -1_i64..500).prop_map(|(margin, ago)| What::Bought(margin, ago)),
        3 => (0_i64..10, -1_i64..5).prop_map(|(margin, ago)| What::Reversed(margin, ago)),
        4 => (0_u8..2).prop_map(What::Proposed),
        2 => (0_u8..2, any::<bool>()).prop_map(|(id, done)| What::Closed(id, done)),
        2 => prop::sample::select(vec!["rosa", "li"]).prop_map(What::Assigned),
        1 => Just(What::Lost),
        1 => Just(What::WonBack),
    ];
    let step = (0..CUSTOMERS, prop_oneof![Just(0), 0_i64..100], what);
    let step = step.prop_map(|(customer, after, what)| Step {
        customer,
        after,
        what,
    });
    prop::collection::vec(step, 1..60)
}

fn currency(customer: u128) -> &'static str {
    if customer.is_multiple_of(3) {
        "USD"
    } else {
        "EUR"
    }
}

/// Lets an event happen to a customer on a day.
fn happens(rows: &mut dyn RowsMut, customer: u128, today: i64, offset: u64, event: &Event) {
    let recorded = Recorded {
        partition: u32::try_from(customer % 2).unwrap(),
        offset,
        at: day(today),
    };
    let id = Uuid::from_u128(customer);
    customers::apply(rows, id, event).unwrap();
    relations::apply(rows, id, event, recorded).unwrap();
    facts::apply(rows, id, event, recorded).unwrap();
}

/// The last purchase of each customer, and its day.
type Last = [Option<(String, i64)>; 6];

/// Lets the step of this number happen on a day, if it makes sense.
fn goes_on(rows: &mut dyn RowsMut, (n, step): (u64, &Step), today: i64, last: &mut Last) {
    let code = currency(step.customer);
    let known = &mut last[usize::try_from(step.customer).unwrap()];
    let event = match step.what {
        What::Bought(margin, ago) => {
            let id = format!("p{n}");
            *known = Some((id.clone(), today - ago));
            bought_in(code, &id, margin * 2, today - ago)
        }
        What::Reversed(margin, ago) => match known {
            Some((id, on)) => {
                let at = (today - ago).max(*on);
                reversed_in(code, id, &format!("r{n}"), margin * 2, at)
            }
            None => return,
        },
        What::Proposed(id) => proposed(&format!("a{id}")),
        What::Closed(id, true) => completed(&format!("a{id}")),
        What::Closed(id, false) => cancelled(&format!("a{id}")),
        What::Assigned(owner) => assigned(owner, "EMEA", today),
        What::Lost => lost(today),
        What::WonBack => won_back(today),
    };
    happens(rows, step.customer, today, n, &event);
}

/// All customers, opened.
fn begun() -> Store {
    let store = Store::in_memory();
    let mut tx = store.begin().unwrap();
    for customer in 0..CUSTOMERS {
        let opened = opened_in(currency(customer), 1);
        happens(&mut tx, customer, 1_000, 0, &opened);
    }
    store.commit(tx).unwrap();
    store
}

/// The rows after these steps, and the day of the last one.
fn told(steps: &[Step]) -> (Store, i64) {
    let store = begun();
    let mut tx = store.begin().unwrap();
    let mut today = 1_000;
    let mut last = Last::default();
    for (n, step) in (1..).zip(steps) {
        today += step.after;
        goes_on(&mut tx, (n, step), today, &mut last);
    }
    store.commit(tx).unwrap();
    (store, today)
}

type Line = (Currency, i64, Uuid);

/// An owner's list as one gets it by looking at all customers.
fn looked_up(rows: &dyn Rows, owner: &str, now: Time) -> Result<Vec<Line>, Error> {
    let mut found = Vec::new();
    for (id, state) in customers::list(rows, None, usize::MAX)? {
        if owners(&state).contains(owner) {
            let currency = state.relationship.unwrap().currency;
            let margin = margins::trailing(rows, id, now, |_| true)?;
            found.push((currency, worth().of_margin(currency, margin).unwrap(), id));
        }
    }
    found.sort_by_key(|(currency, value, id)| (*currency, -value, *id));
    Ok(found)
}

/// The same, page by page.
fn paged(rows: &dyn Rows, asked: Asked<'_>, size: usize) -> Result<Vec<Line>, Error> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let rows = page(rows, asked, after, size)?;
        let full = rows.len() == size;
        after = rows.last().map(|row| row.place);
        let lines = rows.iter();
        found.extend(lines.map(|row| (row.currency, row.at_stake, row.id)));
        if !full {
            return Ok(found);
        }
    }
}

proptest! {
    #[test]
    fn a_list_is_what_one_gets_by_looking_at_all_customers(
        steps in steps(),
        later in prop_oneof![Just(0_i64), 0_i64..500],
        size in 1_usize..5,
    ) {
        let (store, today) = told(&steps);
        let now = day(today + later);
        for owner in ["", "rosa", "li"] {
            let expected = store.read(|rows| looked_up(rows, owner, now)).unwrap();
            let asked = Asked {
                owner,
                worth: &worth(),
                now,
                rankings: &Rankings::default(),
            };
            let found = store.read(|rows| paged(rows, asked, size)).unwrap();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_list_by_a_model_is_the_same_whatever_is_remembered_of_it(
        steps in steps(),
        asked_at in prop::collection::vec((any::<bool>(), 0_i64..40), 60),
        size in 1_usize..5,
    ) {
        let (store, rankings) = (begun(), Rankings::default());
        let mut today = 1_000;
        let (mut last, worth) = (Last::default(), by_model());
        for ((n, step), (is_asked, hours)) in (1..).zip(&steps).zip(asked_at) {
            today += step.after;
            let mut tx = store.begin().unwrap();
            goes_on(&mut tx, (n, step), today, &mut last);
            store.commit(tx).unwrap();
            if !is_asked {
                let now = day(today).plus_seconds(hours * 3_600);
                prepare(&store, &rankings, &worth, now);
                continue;
            }
            // Also with what is dated ahead by a day, and from one day into the next.
            let now = day(today).plus_seconds(hours * 3_600);
            for owner in ["", "rosa", "li"] {
                let asked = Asked { owner, worth: &worth, now, rankings: &rankings };
                let expected = store.read(|rows| looked_up_by(rows, owner, &worth, now)).unwrap();
                let found = store.read(|rows| paged(rows, asked, size)).unwrap();
                prop_assert_eq!(found, expected);
            }
        }
    }
}

fn prepare(store: &Store, rankings: &Rankings, worth: &Worth, now: Time) {
    let lists = store.read(|rows| rankings.to_prepare(rows, worth));
    for list in lists.unwrap() {
        let prepared = store.read(|rows| rankings.prepare(rows, worth, now, &list));
        prepared.unwrap();
    }
}

#[test]
fn lists_by_a_model_are_valued_before_they_are_asked_for() {
    let step = |customer, what| Step {
        customer,
        after: 0,
        what,
    };
    let (store, today) = told(&[
        step(1, What::Assigned("rosa")),
        step(1, What::Proposed(0)),
        step(2, What::Proposed(0)),
        // In dollars, which no model values.
        step(3, What::Assigned("rosa")),
        step(3, What::Proposed(0)),
        step(4, What::Assigned("li")),
        step(4, What::Proposed(0)),
        step(5, What::Assigned("li")),
        step(5, What::Proposed(0)),
    ]);
    let (rankings, worth) = (Rankings::default(), by_model());
    prepare(&store, &rankings, &worth, day(today));
    let valued = |owner: &str, customers| (owner.to_owned(), customers);
    let all = [valued("", 1), valued("li", 2), valued("rosa", 1)];
    assert_eq!(rankings.valued(), all);

    // Whoever was asked for last is the last to be forgotten, whatever is prepared.
    let asked = Asked {
        owner: "li",
        worth: &worth,
        now: day(today),
        rankings: &rankings,
    };
    store.read(|rows| paged(rows, asked, 9)).unwrap();
    prepare(&store, &rankings, &worth, day(today + 1));
    assert_eq!(rankings.valued().pop(), Some(valued("li", 2)));
}

/// Euros are valued by a model.
fn by_model() -> Worth {
    let store = Store::in_memory();
    let mut tx = store.begin().unwrap();
    let recorded = Recorded {
        partition: 0,
        offset: 0,
        at: day(1),
    };
    let assumptions = Assumptions {
        method: Method::MbgNbd,
        ..Assumptions::default()
    };
    let fitted = ledger::Event::ModelFitted(Box::new(model(1)));
    let set = ledger::Event::AssumptionsSet {
        assumptions,
        set_at: day(1),
    };
    for (version, event) in (1..).zip([fitted, set]) {
        books::apply(
            &mut tx,
            parsed("EUR"),
            &event,
            (version, Uuid::nil()),
            recorded,
        )
        .unwrap();
    }
    store.commit(tx).unwrap();
    store.read(|rows| Worth::in_force(rows)).unwrap()
}

/// An owner's list as one gets it by looking at all customers, euros by a model.
fn looked_up_by(
    rows: &dyn Rows,
    owner: &str,
    worth: &Worth,
    now: Time,
) -> Result<Vec<Line>, Error> {
    let mut found = Vec::new();
    let moment = Moment {
        as_of: now,
        known: Known::At(Time::from_micros(i64::MAX)),
    };
    for (id, state) in customers::list(rows, None, usize::MAX)? {
        if owners(&state).contains(owner) {
            let currency = state.relationship.unwrap().currency;
            found.push((currency, worth.at(rows, (currency, id), &moment)?, id));
        }
    }
    found.sort_by_key(|(currency, value, id)| (*currency, -value, *id));
    Ok(found)
}
