//! What the tests tell their stories with: a customer in euros, acquired on day 100, and what happens to it.

pub(crate) mod model;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;

use eventsourcing::{Days, Time};
use money::{Currency, Money, Rate};
use read_model::Store;
use retention_domain::Event;
use retention_domain::action::{Completed, Kind, Proposed};
use retention_domain::consent::{self, Consent, Status};
use retention_domain::owner::Assignment;
use retention_domain::person::Who;
use retention_domain::promise::{Assessed, Made, Overdue, Score, Terms};
use retention_domain::purchase::{MarginSource, Recorded, Reversed};
use retention_domain::recurring::Set;
use retention_domain::relationship::{Cause, Loss, Notice, Opening, Origin, Reason, Source};
use retention_domain::risk::{Band, Changed, Driver};
use server::{Known, Moment};
use uuid::Uuid;

/// The customer of most stories.
pub(crate) const ROSA: Uuid = Uuid::from_u128(0xa);
/// Another one.
pub(crate) const LI: Uuid = Uuid::from_u128(0xb);

pub(crate) fn parsed<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(crate) fn day(number: i64) -> Time {
    Time::from_days(number)
}

fn money(code: &str, minor_units: i64) -> Money {
    Money::new(parsed(code), minor_units)
}

pub(crate) fn opened_in(currency: &str, on: i64) -> Event {
    let contact = Consent {
        status: Status::Granted,
        at: day(on),
        evidence: None,
    };
    Event::RelationshipOpened(Opening {
        origin: Origin {
            source: Source::Import {
                external_id: parsed("00042"),
            },
            proposition: Some(parsed("propositions/van-repair")),
            campaign: Some(parsed("propositions/van-repair/campaigns/fast")),
            presentation_id: Some(parsed("speed")),
        },
        acquired_at: day(on),
        currency: parsed::<Currency>(currency),
        consents: [(parsed("contact"), contact)].into_iter().collect(),
        who: Who::default(),
    })
}

pub(crate) fn opened(on: i64) -> Event {
    opened_in("EUR", on)
}

pub(crate) fn bought_in(currency: &str, id: &str, amount: i64, on: i64) -> Event {
    Event::PurchaseRecorded(Recorded {
        purchase_id: parsed(id),
        amount: money(currency, amount),
        contribution_margin: money(currency, amount / 2),
        margin_source: MarginSource::Default,
        occurred_at: day(on),
    })
}

pub(crate) fn bought(id: &str, amount: i64, on: i64) -> Event {
    bought_in("EUR", id, amount, on)
}

pub(crate) fn reversed_in(currency: &str, id: &str, reversal: &str, amount: i64, on: i64) -> Event {
    Event::PurchaseReversed(Reversed {
        purchase_id: parsed(id),
        reversal_id: parsed(reversal),
        amount: money(currency, amount),
        contribution_margin: money(currency, amount / 2),
        margin_source: MarginSource::Given,
        occurred_at: day(on),
    })
}

pub(crate) fn reversed(id: &str, reversal: &str, amount: i64, on: i64) -> Event {
    reversed_in("EUR", id, reversal, amount, on)
}

pub(crate) fn promised(id: &str, benefit: &str) -> Event {
    Event::PromiseMade(Made {
        promise_id: parsed(id),
        terms: Terms {
            proposition: parsed("propositions/van-repair"),
            presentation_id: Some(parsed("speed")),
            benefit_id: parsed(benefit),
            expectation: parsed("Back on the road the next day"),
            expected_score: 6,
            importance: 100,
            due_at: Some(day(100).plus_days(Days(30))),
            made_by: Some(parsed("sales")),
        },
        at_conversion: true,
        made_at: day(100),
    })
}

fn assessed(id: &str, perceived: Option<u32>) -> Assessed {
    let gap = |perceived: u32| perceived.cast_signed() - 6;
    Assessed {
        promise_id: parsed(id),
        score: perceived.map(|perceived| Score {
            perceived,
            gap: gap(perceived),
        }),
        evidence: None,
        occurred_at: day(110),
    }
}

pub(crate) fn kept(id: &str, perceived: Option<u32>) -> Event {
    Event::PromiseKept(assessed(id, perceived))
}

pub(crate) fn broken(id: &str, perceived: Option<u32>) -> Event {
    Event::PromiseBroken(assessed(id, perceived))
}

pub(crate) fn repaired(id: &str) -> Event {
    Event::PromiseRepaired {
        promise_id: parsed(id),
        occurred_at: day(111),
    }
}

pub(crate) fn waived(id: &str) -> Event {
    Event::PromiseWaived {
        promise_id: parsed(id),
        note: None,
        occurred_at: day(111),
    }
}

pub(crate) fn lost(on: i64) -> Event {
    Event::RelationshipLost(Loss {
        ended_at: day(on),
        cause: Cause::Voluntary,
        reason: Some(Reason::PromiseBroken),
        competitor: Some(parsed("Acme")),
        broken_promise_ids: vec![parsed("next-day")],
    })
}

pub(crate) fn won_back(on: i64) -> Event {
    Event::RelationshipWonBack {
        won_back_at: day(on),
    }
}

pub(crate) fn proposed(id: &str) -> Event {
    Event::ActionProposed(Proposed {
        action_id: parsed(id),
        kind: Kind::Repair,
        owner: None,
        promise_id: Some(parsed("next-day")),
        trigger_event_id: None,
        proposed_at: day(110),
        due_at: day(112),
    })
}

pub(crate) fn cancelled(id: &str) -> Event {
    Event::ActionCancelled {
        action_id: parsed(id),
        cancelled_at: day(113),
    }
}

pub(crate) fn notice(on: i64, effective: i64) -> Event {
    Event::NoticeGiven(Notice {
        notice_at: day(on),
        effective_at: day(effective),
        cause: Cause::Voluntary,
        reason: Some(Reason::Competitor),
        competitor: Some(parsed("Acme")),
    })
}

pub(crate) fn stays(on: i64) -> Event {
    Event::NoticeWithdrawn {
        withdrawn_at: day(on),
    }
}

pub(crate) fn overdue(id: &str, on: i64) -> Event {
    Event::PromiseOverdue(Overdue {
        promise_id: parsed(id),
        due_at: day(130),
        occurred_at: day(on),
    })
}

/// The risk is high, as far as promises, notice and purchases tell.
pub(crate) fn risky(on: i64) -> Event {
    Event::RiskChanged(Changed {
        band: Band::High,
        previous: Band::Low,
        p_alive: Some(Rate::per_mille(125)),
        drivers: vec![Driver::PromiseOverdue, Driver::LowPAlive],
        occurred_at: day(on),
    })
}

pub(crate) fn assigned(owner: &str, territory: &str, on: i64) -> Event {
    Event::OwnerAssigned(Assignment {
        owner: parsed(owner),
        territory: Some(parsed(territory)),
        effective_at: day(on),
    })
}

pub(crate) fn recurring(monthly: i64, previous: i64, on: i64) -> Event {
    Event::RecurringRevenueSet(Set {
        line_id: parsed("support"),
        monthly: money("EUR", monthly),
        previous: money("EUR", previous),
        effective_at: day(on),
    })
}

pub(crate) fn withdrew(on: i64) -> Event {
    Event::ConsentChanged(consent::Changed {
        purpose: parsed("contact"),
        consent: Consent {
            status: Status::Withdrawn,
            at: day(on),
            evidence: Some(parsed("form 7")),
        },
    })
}

pub(crate) fn completed(id: &str) -> Event {
    Event::ActionCompleted(Completed {
        action_id: parsed(id),
        succeeded: true,
        cost: Some(money("EUR", 2_500)),
        completed_at: day(112),
    })
}

/// Everything that happens in a story, as it is known in the end.
pub(crate) fn in_the_end() -> Moment {
    Moment {
        as_of: day(1_000_000),
        known: Known::At(day(120)),
    }
}

/// The rows after these events, in this order, all told on day 120. Each customer's are counted by
/// themselves, so that the order between customers changes nothing.
pub(crate) fn rows(events: &[(Uuid, Event)]) -> Store {
    let store = Store::in_memory();
    let mut tx = store.begin().unwrap();
    let mut ends: BTreeMap<Uuid, u64> = BTreeMap::new();
    for (customer, event) in events {
        let end = ends.entry(*customer).or_default();
        let recorded = runtime::Recorded {
            partition: 0,
            offset: *end,
            at: day(120),
        };
        *end += 1;
        crate::read_model::of_customer(&mut tx, *customer, event, recorded).unwrap();
    }
    store.commit(tx).unwrap();
    store
}
