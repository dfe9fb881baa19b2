//! What the tests of the rules tell their stories with: one customer, in euros, acquired on day 100.

use std::fmt::Debug;
use std::str::FromStr;

use eventsourcing::scenario::{Given, given};
use eventsourcing::{Days, Time};
use money::{Currency, Money, Rate};
use uuid::Uuid;

use crate::action::{CompleteAction, Kind, ProposeAction};
use crate::consent::{CONTACT, Consent, Status};
use crate::day::LiveDay;
use crate::input::When;
use crate::owner::AssignOwner;
use crate::person::Who;
use crate::promise::{AssessPromise, Finding, MakePromise, NoteOverdue, Terms};
use crate::purchase::{FirstPurchase, RecordPurchase, ReversePurchase};
use crate::recurring::SetRecurringRevenue;
use crate::relationship::{
    Cause, EndRelationship, GiveNotice, OpenRelationship, Opening, OpeningPromise, Origin, Reason,
    Source,
};
use crate::risk::AssessRisk;
use crate::{Command, Customer};

/// The day on which the customer became one.
pub(crate) const ACQUIRED: i64 = 100;
/// The present, in days, of every command that does not say another.
pub(crate) const TODAY: i64 = 1_000;
/// The request behind every command that needs one.
pub(crate) const REQUEST: Uuid = Uuid::from_u128(7);

pub(crate) fn parsed<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(crate) fn day(number: i64) -> Time {
    Time::from_days(number)
}

/// It happened on that day, and is told today.
pub(crate) fn on(number: i64) -> When {
    When {
        now: day(TODAY),
        occurred_at: Some(day(number)),
    }
}

/// Cents of the customer's currency.
pub(crate) fn eur(cents: i64) -> Money {
    Money::new(parsed("EUR"), cents)
}

pub(crate) fn usd(cents: i64) -> Money {
    Money::new(parsed("USD"), cents)
}

pub(crate) fn terms() -> Terms {
    Terms {
        proposition: parsed("propositions/van-repair"),
        presentation_id: Some(parsed("speed")),
        benefit_id: parsed("next-day"),
        expectation: parsed("Your van is back on the road the next day"),
        expected_score: 6,
        importance: 100,
        due_at: Some(day(ACQUIRED + 30)),
        made_by: None,
    }
}

/// A converted prospect with the promise `next-day`.
pub(crate) fn opening() -> OpenRelationship {
    OpenRelationship {
        opening: Opening {
            origin: Origin {
                source: Source::Prospect,
                proposition: Some(parsed("propositions/van-repair")),
                campaign: Some(parsed("propositions/van-repair/campaigns/fast")),
                presentation_id: Some(parsed("speed")),
            },
            acquired_at: day(ACQUIRED),
            currency: parsed::<Currency>("EUR"),
            consents: [].into_iter().collect(),
            who: Who::default(),
        },
        promises: vec![OpeningPromise {
            promise_id: parsed("next-day"),
            terms: terms(),
        }],
        first_purchase: None,
        now: day(TODAY),
    }
}

pub(crate) fn open() -> Command {
    Command::OpenRelationship(Box::new(opening()))
}

/// The same, of a customer who said this about being contacted.
pub(crate) fn open_with_contact(status: Status) -> Command {
    let mut command = opening();
    let at = day(ACQUIRED);
    command.opening.consents = [(
        parsed(CONTACT),
        Consent {
            status,
            at,
            evidence: None,
        },
    )]
    .into_iter()
    .collect();
    Command::OpenRelationship(Box::new(command))
}

pub(crate) fn first_purchase() -> FirstPurchase {
    FirstPurchase {
        purchase_id: parsed("first"),
        amount: eur(40_000),
        contribution_margin: None,
        default_margin_rate: Rate::per_mille(500),
    }
}

/// A customer who was promised `next-day` and has bought nothing yet.
pub(crate) fn customer() -> Given<Customer> {
    given([]).and(open())
}

/// A purchase by its id, amount and day, with the default margin of a half.
pub(crate) fn bought(purchase_id: &str, amount: Money, number: i64) -> RecordPurchase {
    RecordPurchase {
        purchase_id: parsed(purchase_id),
        amount,
        contribution_margin: None,
        default_margin_rate: Rate::per_mille(500),
        when: on(number),
    }
}

pub(crate) fn buy(purchase_id: &str, amount: Money, number: i64) -> Command {
    Command::RecordPurchase(bought(purchase_id, amount, number))
}

/// A reversal by its purchase, id, amount and day, with the default margin.
pub(crate) fn reversed(
    purchase_id: &str,
    reversal_id: &str,
    amount: Money,
    number: i64,
) -> ReversePurchase {
    ReversePurchase {
        purchase_id: parsed(purchase_id),
        reversal_id: parsed(reversal_id),
        amount,
        contribution_margin: None,
        when: on(number),
    }
}

pub(crate) fn reverse(purchase_id: &str, reversal_id: &str, amount: Money, number: i64) -> Command {
    Command::ReversePurchase(reversed(purchase_id, reversal_id, amount, number))
}

pub(crate) fn promise(promise_id: &str, number: i64) -> MakePromise {
    MakePromise {
        promise_id: parsed(promise_id),
        terms: Terms {
            due_at: None,
            ..terms()
        },
        when: on(number),
    }
}

pub(crate) fn make(promise_id: &str, number: i64) -> Command {
    Command::MakePromise(Box::new(promise(promise_id, number)))
}

pub(crate) fn assess(promise_id: &str, finding: Finding, number: i64) -> Command {
    Command::AssessPromise(AssessPromise {
        request_id: REQUEST,
        promise_id: parsed(promise_id),
        finding,
        evidence: None,
        when: on(number),
    })
}

pub(crate) fn repair(promise_id: &str, number: i64) -> Command {
    Command::RepairPromise {
        promise_id: parsed(promise_id),
        when: on(number),
    }
}

pub(crate) fn waive(promise_id: &str, number: i64) -> Command {
    Command::WaivePromise {
        promise_id: parsed(promise_id),
        note: None,
        when: on(number),
    }
}

pub(crate) fn ending(cause: Cause, reason: Option<Reason>, number: i64) -> EndRelationship {
    EndRelationship {
        request_id: REQUEST,
        cause,
        reason,
        competitor: None,
        when: on(number),
    }
}

/// The customer leaves because of the price.
pub(crate) fn leave(number: i64) -> Command {
    Command::EndRelationship(ending(Cause::Voluntary, Some(Reason::Price), number))
}

pub(crate) fn end(cause: Cause, reason: Option<Reason>, number: i64) -> Command {
    Command::EndRelationship(ending(cause, reason, number))
}

/// Notice for the price, given on one day and effective on another.
pub(crate) fn notice(number: i64, effective: i64) -> GiveNotice {
    GiveNotice {
        request_id: REQUEST,
        effective_at: day(effective),
        cause: Cause::Voluntary,
        reason: Some(Reason::Price),
        competitor: None,
        when: on(number),
    }
}

pub(crate) fn give_notice(number: i64, effective: i64) -> Command {
    Command::GiveNotice(notice(number, effective))
}

pub(crate) fn withdraw_notice(number: i64) -> Command {
    Command::WithdrawNotice { when: on(number) }
}

/// Notes what is overdue on that day.
pub(crate) fn note_overdue(number: i64) -> Command {
    Command::NoteOverdue(NoteOverdue {
        request_id: REQUEST,
        now: day(number),
    })
}

/// Assesses the risk on that day, with a chance of being alive in thousandths.
pub(crate) fn assess_risk(number: i64, p_alive: Option<u16>) -> Command {
    Command::AssessRisk(AssessRisk {
        request_id: REQUEST,
        p_alive: p_alive.map(Rate::per_mille),
        now: day(number),
    })
}

/// Somebody looks after the customer since that day.
pub(crate) fn assign(owner: &str, territory: &str, number: i64) -> Command {
    Command::AssignOwner(AssignOwner {
        owner: parsed(owner),
        territory: Some(parsed(territory)),
        when: on(number),
    })
}

/// What a line brings a month since that day.
pub(crate) fn recurring(line_id: &str, monthly: Money, number: i64) -> Command {
    Command::SetRecurringRevenue(SetRecurringRevenue {
        line_id: parsed(line_id),
        monthly,
        when: on(number),
    })
}

/// An action to be done by day 1,010.
pub(crate) fn proposal(action_id: &str, kind: Kind) -> ProposeAction {
    ProposeAction {
        action_id: parsed(action_id),
        kind,
        owner: None,
        promise_id: None,
        due_at: day(TODAY + 10),
        trigger_event_id: None,
        when: When::now(day(TODAY)),
    }
}

pub(crate) fn propose(action_id: &str, kind: Kind) -> Command {
    Command::ProposeAction(Box::new(proposal(action_id, kind)))
}

/// It worked, and cost so much.
pub(crate) fn complete(action_id: &str, cost: Option<Money>, number: i64) -> Command {
    Command::CompleteAction(CompleteAction {
        action_id: parsed(action_id),
        succeeded: true,
        cost,
        when: on(number),
    })
}

pub(crate) fn cancel(action_id: &str, number: i64) -> Command {
    Command::CancelAction {
        action_id: parsed(action_id),
        when: on(number),
    }
}

/// Lets that day come to whoever may be silent for so many days.
pub(crate) fn live_day(number: i64, inactivity: Option<u32>) -> Command {
    Command::LiveDay(LiveDay {
        request_id: REQUEST,
        midnight: day(number),
        inactivity: inactivity.map(Days),
        p_alive: None,
    })
}

pub(crate) fn win_back(number: i64) -> Command {
    Command::WinBack { when: on(number) }
}
