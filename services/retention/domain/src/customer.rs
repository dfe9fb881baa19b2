//! A customer: the state, and a table of contents of what can be asked of it and what happens to it.

use std::collections::BTreeMap;

use eventsourcing::{Aggregate, Parts, Sealed, Time};
use serde::{Deserialize, Serialize};

use crate::action::{self, Action, CompleteAction, Outcome, ProposeAction};
use crate::consent::{self, SetConsent};
use crate::day::LiveDay;
use crate::id::{ActionId, LineId, PromiseId, PurchaseId};
use crate::input::When;
use crate::owner::{AssignOwner, Assignment};
use crate::person::Erasure;
use crate::promise::{self, AssessPromise, MakePromise, NoteOverdue, Promise, State};
use crate::purchase::{self, Purchase, RecordPurchase, ReversePurchase, Totals};
use crate::recurring::{self, Line, SetRecurringRevenue};
use crate::refusal::{Refusal, Thing};
use crate::relationship::{
    EndRelationship, GiveNotice, Loss, Notice, OpenRelationship, Opening, Relationship,
};
use crate::risk::{self, AssessRisk, Risk};

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Customer {
    /// The relationship; absent until it was opened.
    pub relationship: Option<Relationship>,
    /// The promises that were made.
    pub promises: BTreeMap<PromiseId, Promise>,
    /// The purchases in total.
    pub totals: Totals,
    /// The actions that somebody should take.
    pub open_actions: BTreeMap<ActionId, Action>,
    /// The risk that it is lost.
    pub risk: Risk,
    /// Whether it is forgotten who it was.
    pub erasure: Erasure,
    /// What it pays month by month.
    pub lines: BTreeMap<LineId, Line>,
    /// The purchases; only those in question are loaded.
    #[serde(skip)]
    pub purchases: Parts<PurchaseId, Purchase>,
    /// The actions that came to an end; only those in question are loaded.
    #[serde(skip)]
    pub closed_actions: Parts<ActionId, Action>,
}

/// What somebody wants of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Open the relationship.
    OpenRelationship(Box<OpenRelationship>),
    /// Record a purchase.
    RecordPurchase(RecordPurchase),
    /// Take a purchase back.
    ReversePurchase(ReversePurchase),
    /// Make a promise.
    MakePromise(Box<MakePromise>),
    /// Say whether a promise was kept.
    AssessPromise(AssessPromise),
    /// Say that a broken promise was made good.
    RepairPromise {
        /// Which promise.
        promise_id: PromiseId,
        /// When that was.
        when: When,
    },
    /// Say that the customer does not insist on a promise.
    WaivePromise {
        /// Which promise.
        promise_id: PromiseId,
        /// What the customer said, sealed.
        note: Option<Sealed>,
        /// When that was.
        when: When,
    },
    /// End the relationship.
    EndRelationship(EndRelationship),
    /// Take it up again.
    WinBack {
        /// When that was.
        when: When,
    },
    /// Give notice.
    GiveNotice(GiveNotice),
    /// Take the notice back.
    WithdrawNotice {
        /// When that was.
        when: When,
    },
    /// Note the promises whose day has passed.
    NoteOverdue(NoteOverdue),
    /// Assess the risk that the customer is lost.
    AssessRisk(AssessRisk),
    /// Say who looks after the customer.
    AssignOwner(AssignOwner),
    /// Say what is paid month by month.
    SetRecurringRevenue(SetRecurringRevenue),
    /// Take note of what the customer allows.
    SetConsent(SetConsent),
    /// Propose that something should be done.
    ProposeAction(Box<ProposeAction>),
    /// Say that it was done.
    CompleteAction(CompleteAction),
    /// Say that it is no longer to be done.
    CancelAction {
        /// Which action.
        action_id: ActionId,
        /// When that was.
        when: When,
    },
    /// Let a day come.
    LiveDay(LiveDay),
    /// Forget who it is.
    Erase {
        /// When that was asked for.
        when: When,
    },
    /// Take over what acquisition was told about a purpose.
    HearConsent(consent::Changed),
    /// Take over that acquisition has forgotten who it is.
    HearErased {
        /// When that was.
        erased_at: Time,
        /// The present.
        now: Time,
    },
    /// Record that the keys of its personal data are destroyed.
    NoteDestroyed {
        /// When that was known.
        now: Time,
    },
}

/// What has happened to a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The relationship began.
    RelationshipOpened(Opening),
    /// A promise was made.
    PromiseMade(promise::Made),
    /// Something was bought.
    PurchaseRecorded(purchase::Recorded),
    /// A purchase was taken back, in whole or in part.
    PurchaseReversed(purchase::Reversed),
    /// A promise was kept.
    PromiseKept(promise::Assessed),
    /// A promise was broken.
    PromiseBroken(promise::Assessed),
    /// A broken promise was made good.
    PromiseRepaired {
        /// Which promise.
        promise_id: PromiseId,
        /// When that was.
        occurred_at: Time,
    },
    /// The customer does not insist on a promise.
    PromiseWaived {
        /// Which promise.
        promise_id: PromiseId,
        /// What the customer said, sealed.
        note: Option<Sealed>,
        /// When that was.
        occurred_at: Time,
    },
    /// The relationship ended.
    RelationshipLost(Loss),
    /// The relationship was taken up again.
    RelationshipWonBack {
        /// When that was.
        won_back_at: Time,
    },
    /// Somebody should do something.
    ActionProposed(action::Proposed),
    /// It is no longer to be done.
    ActionCancelled {
        /// The id of the action.
        action_id: ActionId,
        /// When that was.
        cancelled_at: Time,
    },
    /// Notice was given.
    NoticeGiven(Notice),
    /// It was taken back.
    NoticeWithdrawn {
        /// When that was.
        withdrawn_at: Time,
    },
    /// The day of a promise has passed, and nobody has said whether it was kept.
    PromiseOverdue(promise::Overdue),
    /// The risk that the customer is lost is in another band.
    RiskChanged(risk::Changed),
    /// Somebody looks after the customer.
    OwnerAssigned(Assignment),
    /// Another amount is paid month by month.
    RecurringRevenueSet(recurring::Set),
    /// Something else is allowed.
    ConsentChanged(consent::Changed),
    /// Something was done.
    ActionCompleted(action::Completed),
    /// It was erased: who it is cannot be read any more.
    Erased {
        /// When that was asked for.
        erased_at: Time,
    },
    /// The keys of its personal data are destroyed.
    KeysDestroyed {
        /// When that was known.
        destroyed_at: Time,
    },
}

/// One entry of a customer's large collections.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartId {
    /// Of [`Customer::purchases`].
    Purchase(PurchaseId),
    /// Of [`Customer::closed_actions`].
    ClosedAction(ActionId),
}

impl Command {
    /// The parts that the decision reads: load those of them that exist.
    pub fn parts(&self) -> Vec<PartId> {
        match self {
            Self::RecordPurchase(RecordPurchase { purchase_id, .. })
            | Self::ReversePurchase(ReversePurchase { purchase_id, .. }) => {
                vec![PartId::Purchase(purchase_id.clone())]
            }
            Self::CompleteAction(CompleteAction { action_id, .. })
            | Self::CancelAction { action_id, .. } => {
                vec![PartId::ClosedAction(action_id.clone())]
            }
            Self::ProposeAction(command) => {
                vec![PartId::ClosedAction(command.action_id.clone())]
            }
            Self::OpenRelationship(_)
            | Self::MakePromise(_)
            | Self::AssessPromise(_)
            | Self::RepairPromise { .. }
            | Self::WaivePromise { .. }
            | Self::EndRelationship(_)
            | Self::WinBack { .. }
            | Self::GiveNotice(_)
            | Self::WithdrawNotice { .. }
            | Self::NoteOverdue(_)
            | Self::AssessRisk(_)
            | Self::AssignOwner(_)
            | Self::SetRecurringRevenue(_)
            | Self::SetConsent(_)
            | Self::LiveDay(_)
            | Self::Erase { .. }
            | Self::HearConsent(_)
            | Self::HearErased { .. }
            | Self::NoteDestroyed { .. } => vec![],
        }
    }
}

impl Event {
    /// The parts that evolving by it writes: load those of them that exist.
    pub fn parts(&self) -> Vec<PartId> {
        match self {
            Self::PurchaseRecorded(purchase::Recorded { purchase_id, .. })
            | Self::PurchaseReversed(purchase::Reversed { purchase_id, .. }) => {
                vec![PartId::Purchase(purchase_id.clone())]
            }
            Self::ActionCancelled { action_id, .. }
            | Self::ActionCompleted(action::Completed { action_id, .. }) => {
                vec![PartId::ClosedAction(action_id.clone())]
            }
            Self::RelationshipOpened(_)
            | Self::PromiseMade(_)
            | Self::PromiseKept(_)
            | Self::PromiseBroken(_)
            | Self::PromiseRepaired { .. }
            | Self::PromiseWaived { .. }
            | Self::RelationshipLost(_)
            | Self::RelationshipWonBack { .. }
            | Self::ActionProposed(_)
            | Self::NoticeGiven(_)
            | Self::NoticeWithdrawn { .. }
            | Self::PromiseOverdue(_)
            | Self::RiskChanged(_)
            | Self::OwnerAssigned(_)
            | Self::RecurringRevenueSet(_)
            | Self::ConsentChanged(_)
            | Self::Erased { .. }
            | Self::KeysDestroyed { .. } => vec![],
        }
    }
}

impl Aggregate for Customer {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::OpenRelationship(command) => self.open(*command),
            Command::RecordPurchase(command) => self.record_purchase(command),
            Command::ReversePurchase(command) => self.reverse_purchase(command),
            Command::MakePromise(command) => self.make_promise(*command),
            Command::AssessPromise(command) => self.assess(command),
            Command::RepairPromise { promise_id, when } => self.repair(promise_id, when),
            Command::WaivePromise {
                promise_id,
                note,
                when,
            } => self.waive(promise_id, note, when),
            Command::EndRelationship(command) => self.end(command),
            Command::WinBack { when } => self.win_back(when),
            Command::GiveNotice(command) => self.give_notice(command),
            Command::WithdrawNotice { when } => self.withdraw_notice(when),
            Command::NoteOverdue(command) => self.note_overdue(command),
            Command::AssessRisk(command) => self.assess_risk(command),
            Command::AssignOwner(command) => self.assign_owner(command),
            Command::SetRecurringRevenue(command) => self.set_recurring_revenue(command),
            Command::SetConsent(command) => self.set_consent(command),
            Command::ProposeAction(command) => self.propose_action(*command),
            Command::CompleteAction(command) => self.complete_action(command),
            Command::CancelAction { action_id, when } => self.cancel_action(action_id, when),
            Command::LiveDay(command) => self.live_day(command),
            Command::Erase { when } => self.erase(when),
            Command::HearConsent(changed) => Ok(self.hear_consent(changed)),
            Command::HearErased { erased_at, now } => Ok(self.hear_erased(erased_at, now)),
            Command::NoteDestroyed { now } => Ok(self.note_destroyed(now)),
        }
    }

    fn evolve(&mut self, event: &Event) {
        match event {
            Event::RelationshipOpened(opening) => self.relationship_opened(opening),
            Event::PromiseMade(made) => self.promise_made(made),
            Event::PurchaseRecorded(recorded) => self.purchase_recorded(recorded),
            Event::PurchaseReversed(reversed) => self.purchase_reversed(reversed),
            Event::PromiseKept(assessed) => self.promise_assessed(assessed, State::Kept),
            Event::PromiseBroken(assessed) => self.promise_assessed(assessed, State::Broken),
            Event::PromiseRepaired {
                promise_id,
                occurred_at,
            } => {
                self.promise_changed(promise_id, State::Repaired, *occurred_at);
            }
            Event::PromiseWaived {
                promise_id,
                note,
                occurred_at,
            } => self.promise_waived(promise_id, note.as_ref(), *occurred_at),
            Event::RelationshipLost(loss) => self.relationship_lost(loss),
            Event::RelationshipWonBack { won_back_at } => self.relationship_won_back(*won_back_at),
            Event::ActionProposed(proposed) => self.action_proposed(proposed),
            Event::ActionCancelled {
                action_id,
                cancelled_at,
            } => {
                self.action_closed(action_id, Outcome::Cancelled, *cancelled_at, None);
            }
            Event::NoticeGiven(notice) => self.notice_given(notice),
            Event::NoticeWithdrawn { withdrawn_at } => self.notice_withdrawn(*withdrawn_at),
            Event::PromiseOverdue(overdue) => self.promise_overdue(overdue),
            Event::RiskChanged(changed) => self.risk_changed(changed),
            Event::OwnerAssigned(assignment) => self.owner_assigned(assignment),
            Event::RecurringRevenueSet(set) => self.recurring_revenue_set(set),
            Event::ConsentChanged(changed) => self.consent_changed(changed),
            Event::ActionCompleted(completed) => self.action_completed(completed),
            Event::Erased { erased_at } => self.forget(*erased_at),
            Event::KeysDestroyed { .. } => self.erasure.keys_destroyed = true,
        }
    }
}

/// What comes of a command about something that exists: nothing, if it says the same again.
pub(crate) fn told_again(same: bool, thing: Thing) -> Result<Vec<Event>, Refusal> {
    if same {
        Ok(vec![])
    } else {
        Err(Refusal::AlreadyExists(thing))
    }
}
