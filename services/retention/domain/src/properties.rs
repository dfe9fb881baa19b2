//! What holds for every history, however odd: stories nobody would think of are told by chance.

use std::collections::BTreeMap;

use eventsourcing::{Aggregate, Parts};
use money::Rate;
use proptest::prelude::*;
use uuid::Uuid;

use crate::action::Kind;
use crate::consent::Status;
use crate::promise::{AssessPromise, Finding};
use crate::purchase::{MarginSource, Purchase};
use crate::relationship::{Cause, Reason, Relationship};
use crate::story::{
    TODAY, assess_risk, assign, bought, cancel, complete, day, end, eur, first_purchase,
    give_notice, live_day, make, note_overdue, on, open, open_with_contact, opening, parsed,
    propose, recurring, repair, reversed, waive, win_back, withdraw_notice,
};
use crate::{Command, Customer, Event, PartId};

/// A day on which anything may happen; a few are before the customer became one, or ahead.
fn days() -> impl Strategy<Value = i64> {
    95_i64..1_002
}

/// One of a few names, so that commands meet.
fn name() -> impl Strategy<Value = String> {
    "[a-d]"
}

fn margins() -> impl Strategy<Value = Option<i64>> {
    prop::option::weighted(0.3, -300_i64..300)
}

fn opens() -> impl Strategy<Value = Command> {
    let with_purchase = || {
        let mut command = opening();
        command.first_purchase = Some(first_purchase());
        Command::OpenRelationship(Box::new(command))
    };
    prop_oneof![
        Just(open()),
        Just(open_with_contact(Status::Granted)),
        Just(with_purchase()),
    ]
}

fn purchases() -> impl Strategy<Value = Command> {
    (name(), 0_i64..200, margins(), 0_u16..=1_000, days()).prop_map(
        |(purchase_id, amount, margin, rate, number)| {
            let mut command = bought(&purchase_id, eur(amount), number);
            command.contribution_margin = margin.map(eur);
            command.default_margin_rate = Rate::per_mille(rate);
            Command::RecordPurchase(command)
        },
    )
}

fn reversals() -> impl Strategy<Value = Command> {
    (name(), name(), 0_i64..100, margins(), days()).prop_map(
        |(purchase_id, reversal_id, amount, margin, number)| {
            let mut command = reversed(&purchase_id, &reversal_id, eur(amount), number);
            command.contribution_margin = margin.map(eur);
            Command::ReversePurchase(command)
        },
    )
}

fn assessments() -> impl Strategy<Value = Command> {
    let finding = prop_oneof![
        Just(Finding::Kept),
        Just(Finding::Broken),
        (0_u32..9).prop_map(Finding::Perceived),
    ];
    (name(), finding, any::<u128>(), days()).prop_map(|(promise_id, finding, request, number)| {
        Command::AssessPromise(AssessPromise {
            request_id: Uuid::from_u128(request),
            promise_id: parsed(&promise_id),
            finding,
            evidence: None,
            when: on(number),
        })
    })
}

fn losses() -> impl Strategy<Value = Command> {
    let cause = prop_oneof![Just(Cause::Voluntary), Just(Cause::Ceased)];
    let reason = prop_oneof![Just(Reason::Price), Just(Reason::PromiseBroken)];
    (cause, prop::option::of(reason), days())
        .prop_map(|(cause, reason, number)| end(cause, reason, number))
}

/// An action is proposed, completed or cancelled.
fn actions() -> impl Strategy<Value = Command> {
    let kind = prop_oneof![Just(Kind::Grow), Just(Kind::Save), Just(Kind::WinBack)];
    let (grow, latest) = (|n: i64| 998 + n, 0_i64..4);
    prop_oneof![
        (name(), kind).prop_map(|(action_id, kind)| propose(&action_id, kind)),
        (name(), latest.clone()).prop_map(move |(id, n)| complete(&id, Some(eur(n)), grow(n))),
        (name(), latest).prop_map(move |(id, n)| cancel(&id, grow(n))),
    ]
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let later = prop_oneof![
        1 => opens(),
        6 => purchases(),
        6 => reversals(),
        3 => (name(), days()).prop_map(|(promise_id, number)| make(&promise_id, number)),
        4 => assessments(),
        1 => (name(), days()).prop_map(|(promise_id, number)| repair(&promise_id, number)),
        1 => (name(), days()).prop_map(|(promise_id, number)| waive(&promise_id, number)),
        1 => losses(),
        1 => days().prop_map(win_back),
        1 => (days(), days()).prop_map(|(number, effective)| give_notice(number, effective)),
        1 => days().prop_map(withdraw_notice),
        1 => ("[ab]", days()).prop_map(|(owner, number)| assign(&owner, "EMEA/ES", number)),
        2 => (name(), 0_i64..200, days())
            .prop_map(|(line_id, monthly, number)| recurring(&line_id, eur(monthly), number)),
        2 => actions(),
        1 => days().prop_map(note_overdue),
        1 => (days(), prop::option::of(0_u16..=1_000))
            .prop_map(|(number, p_alive)| assess_risk(number, p_alive)),
        2 => (days(), prop::option::of(0_u32..30))
            .prop_map(|(number, inactivity)| live_day(number, inactivity)),
    ];
    (opens(), prop::collection::vec(later, 0..60)).prop_map(|(first, mut commands)| {
        commands.insert(0, first);
        commands
    })
}

fn happened(customer: &mut Customer, events: &[Event]) {
    for event in events {
        customer.evolve(event);
    }
}

/// Everything that comes of these commands, refusals left out.
fn history(commands: Vec<Command>) -> (Customer, Vec<Event>) {
    let mut customer = Customer::default();
    let mut history = Vec::new();
    for command in commands {
        let events = customer.decide(command).unwrap_or_default();
        happened(&mut customer, &events);
        history.extend(events);
    }
    (customer, history)
}

/// The same state with only these parts in memory.
fn with_only(customer: &Customer, needed: &[PartId]) -> Customer {
    let mut partial = customer.clone();
    partial.purchases = Parts::default();
    partial.closed_actions = Parts::default();
    for part in needed {
        match part {
            PartId::Purchase(id) => {
                if let Some(stored) = customer.purchases.get(id) {
                    partial.purchases.load(id.clone(), stored.clone());
                }
            }
            PartId::ClosedAction(id) => {
                if let Some(stored) = customer.closed_actions.get(id) {
                    partial.closed_actions.load(id.clone(), stored.clone());
                }
            }
        }
    }
    partial
}

/// What would be written back of a collection.
fn written<K: Ord + Clone, V: Clone>(parts: &mut Parts<K, V>) -> BTreeMap<K, V> {
    parts
        .take_changes()
        .into_iter()
        .map(|(id, part)| (id, part.clone()))
        .collect()
}

proptest! {
    #[test]
    fn the_totals_are_the_sums_of_the_purchases(commands in commands()) {
        let (customer, _) = history(commands);
        let all = || customer.purchases.iter().map(|(_, purchase)| purchase);
        let totals = &customer.totals;
        prop_assert_eq!(totals.purchases as usize, all().count());
        prop_assert_eq!(totals.reversals as usize, all().map(|p| p.reversals.len()).sum::<usize>());
        prop_assert_eq!(totals.revenue, all().map(Purchase::remaining).sum::<i64>());
        let margin_left = |p: &Purchase| p.contribution_margin - p.margin_reversed;
        prop_assert_eq!(totals.contribution_margin, all().map(margin_left).sum::<i64>());
        prop_assert_eq!(totals.last_purchase_at, all().map(|p| p.occurred_at).max());
    }

    #[test]
    fn no_more_is_reversed_than_was_bought(commands in commands()) {
        let (customer, _) = history(commands);
        for (_, purchase) in customer.purchases.iter() {
            let reversals = || purchase.reversals.values();
            prop_assert_eq!(purchase.amount_reversed, reversals().map(|r| r.amount).sum::<i64>());
            let margins = reversals().map(|r| r.contribution_margin).sum::<i64>();
            prop_assert_eq!(purchase.margin_reversed, margins);
            prop_assert!((0..=purchase.amount).contains(&purchase.amount_reversed));
            prop_assert!(reversals().all(|r| r.occurred_at >= purchase.occurred_at));
        }
    }

    #[test]
    fn a_purchase_wholly_reversed_by_default_leaves_no_margin(
        amount in 1_i64..2_000,
        margin in margins(),
        slices in prop::collection::vec(1_i64..200, 0..20),
    ) {
        let mut purchase = bought("p", eur(amount), 200);
        purchase.contribution_margin = margin.map(eur);
        let mut commands = vec![open(), Command::RecordPurchase(purchase)];
        let mut rest = amount;
        for slice in slices {
            let slice = slice.min(rest - 1);
            if slice > 0 {
                let id = format!("r{}", commands.len());
                commands.push(Command::ReversePurchase(reversed("p", &id, eur(slice), 210)));
                rest -= slice;
            }
        }
        commands.push(Command::ReversePurchase(reversed("p", "last", eur(rest), 210)));
        let (customer, _) = history(commands);
        let purchase = customer.purchases.get(&parsed("p")).unwrap();
        prop_assert_eq!(purchase.remaining(), 0);
        prop_assert_eq!(purchase.contribution_margin, purchase.margin_reversed);
        prop_assert_eq!(customer.totals.contribution_margin, 0);
        prop_assert!(purchase.reversals.values().all(|r| r.margin_source == MarginSource::Default));
    }

    #[test]
    fn the_parts_that_a_command_names_are_all_that_its_decision_needs(commands in commands()) {
        let mut customer = Customer::default();
        for command in commands {
            let partial = with_only(&customer, &command.parts());
            let decision = customer.decide(command.clone());
            prop_assert_eq!(&partial.decide(command), &decision);
            happened(&mut customer, &decision.unwrap_or_default());
        }
    }

    #[test]
    fn the_parts_that_an_event_names_are_all_that_evolving_needs(commands in commands()) {
        let (_, history) = history(commands);
        let mut whole = Customer::default();
        for event in history {
            let needed = event.parts();
            let mut partial = with_only(&whole, &needed);
            whole.evolve(&event);
            partial.evolve(&event);
            let bought = (written(&mut whole.purchases), written(&mut partial.purchases));
            let closed = (written(&mut whole.closed_actions), written(&mut partial.closed_actions));
            prop_assert_eq!(&bought.0, &bought.1);
            prop_assert_eq!(&closed.0, &closed.1);
            let bought = bought.0.into_keys().map(PartId::Purchase);
            let changed: Vec<_> =
                bought.chain(closed.0.into_keys().map(PartId::ClosedAction)).collect();
            prop_assert_eq!(changed, needed);
            prop_assert_eq!(with_only(&whole, &[]), with_only(&partial, &[]));
        }
    }

    #[test]
    fn what_has_happened_cannot_be_refused_in_any_order(
        commands in commands(),
        start in any::<prop::sample::Index>(),
    ) {
        let (_, mut events) = history(commands);
        let middle = start.index(events.len());
        events.rotate_left(middle);
        let mut customer = Customer::default();
        happened(&mut customer, &events);
    }

    #[test]
    fn a_stored_state_is_read_back_as_it_was(commands in commands()) {
        let (customer, _) = history(commands);
        let core = with_only(&customer, &[]);
        let stored = postcard::to_stdvec(&customer).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Customer>(&stored).unwrap(), core);
        for (_, purchase) in customer.purchases.iter() {
            let stored = postcard::to_stdvec(purchase).unwrap();
            prop_assert_eq!(&postcard::from_bytes::<Purchase>(&stored).unwrap(), purchase);
        }
    }

    #[test]
    fn nothing_is_left_to_do_for_a_lost_customer_but_to_win_back(commands in commands()) {
        let mut customer = Customer::default();
        for command in commands {
            let events = customer.decide(command).unwrap_or_default();
            happened(&mut customer, &events);
            let lost = customer.relationship.as_ref().is_some_and(Relationship::is_lost);
            let kinds = || customer.open_actions.values().map(|action| action.kind);
            let as_it_should = !lost || kinds().all(|kind| kind == Kind::WinBack);
            prop_assert!(as_it_should, "lost: {}, to do: {:?}", lost, kinds().collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_a_line_brought_before_is_what_it_brought_since_the_last_change(commands in commands()) {
        let (_, history) = history(commands);
        let mut brings: BTreeMap<String, i64> = BTreeMap::new();
        for event in history {
            if let Event::RecurringRevenueSet(set) = event {
                let before = brings.insert(set.line_id.to_string(), set.monthly.minor_units);
                prop_assert_eq!(before.unwrap_or(0), set.previous.minor_units);
                // An amount above nothing may be confirmed for a later day.
                prop_assert!(set.previous != set.monthly || set.monthly.minor_units > 0);
            } else if let Event::RelationshipLost(_) = event {
                brings.clear();
            }
        }
    }

    #[test]
    fn the_present_owner_is_the_one_since_last(
        assignments in prop::collection::vec(("[a-c]", days()), 1..12),
    ) {
        let commands = assignments.iter();
        let commands = commands.map(|(owner, number)| assign(owner, "EMEA", *number));
        let (customer, history) = history(std::iter::once(open()).chain(commands).collect());
        let assigned = history.iter().filter_map(|event| {
            let Event::OwnerAssigned(assignment) = event else {
                return None;
            };
            Some(assignment)
        });
        let last = assigned.max_by_key(|assignment| assignment.effective_at);
        let relationship = customer.relationship.unwrap();
        prop_assert_eq!(relationship.assignment.as_ref(), last);
    }

    #[test]
    fn whatever_a_day_brings_was_awaited(commands in commands(), later in 0_i64..400) {
        let (customer, _) = history(commands);
        let present = day(TODAY);
        let comes = TODAY + later;
        let events = customer.decide(live_day(comes, None)).unwrap();
        let awaited = customer.awaits(present).is_some_and(|awaited| awaited <= day(comes));
        prop_assert!(events.is_empty() || awaited, "{:?} {:?}", customer.awaits(present), events);
    }

    #[test]
    fn a_day_brings_nothing_twice(commands in commands(), inactivity in prop::option::of(0_u32..30)) {
        let (mut customer, _) = history(commands);
        let events = customer.decide(live_day(TODAY, inactivity)).unwrap();
        happened(&mut customer, &events);
        prop_assert_eq!(customer.decide(live_day(TODAY, inactivity)).unwrap(), []);
    }
}
