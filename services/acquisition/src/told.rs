//! What retention tells: its public events, as far as they concern acquisition.

mod ledger;

use acquisition_domain::id::{BenefitId, PresentationId, PropositionId};
use acquisition_domain::prospect::Consent;
use bytes::Bytes;
use eventsourcing::Time;
use patron_proto::retention::v1 as proto;
use prost::Message;
use read_model::{Error, RowsMut};
use runtime::Recorded;
use server::{Wrong, money, parse, parse_optional, present, resource_id};
use uuid::Uuid;

use crate::read_model::customers::{self, Fate, Paid, Promise, Verdict};
use crate::read_model::flags;
use crate::wire;
use crate::wire::time;

/// Something that retention told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    /// Of a customer.
    Customer {
        customer: Uuid,
        at: Time,
        what: What,
    },
    /// Of a ledger.
    Ledger(ledger::OfLedger),
}

/// What happened to a customer.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Turned {
        active: bool,
    },
    Erased,
    Consented(Consent),
    Promised {
        promise_id: String,
        promise: Promised,
    },
    Overdue {
        promise_id: String,
    },
    Judged {
        promise_id: String,
        fate: Fate,
    },
    Bought {
        purchase_id: String,
        paid: Paid,
    },
    Reversed {
        purchase_id: String,
        back: Paid,
    },
}

/// A promise as retention tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Promised {
    at_conversion: bool,
    proposition_id: Option<PropositionId>,
    presentation_id: Option<PresentationId>,
    benefit_id: BenefitId,
}

impl Told {
    /// Who was erased, and when, if that is what was told.
    pub(crate) fn erased(&self) -> Option<(Uuid, Time)> {
        match self {
            Self::Customer { customer, at, what } if *what == What::Erased => {
                Some((*customer, *at))
            }
            Self::Customer { .. } | Self::Ledger(_) => None,
        }
    }

    /// What somebody allowed or forbade, if that is what was told.
    pub(crate) fn consented(&self) -> Option<(Uuid, &Consent)> {
        let Self::Customer { customer, what, .. } = self else {
            return None;
        };
        if let What::Consented(consent) = what {
            Some((*customer, consent))
        } else {
            None
        }
    }
}

/// Reads an event of retention. `None` if it does not concern acquisition.
///
/// # Errors
/// If it does and this release cannot read it.
pub(crate) fn read(kind: &str, schema: u32, payload: &Bytes) -> Result<Option<Told>, Wrong> {
    let Some(read) = reader(kind) else {
        return Ok(None);
    };
    if schema != 1 {
        return Err(Wrong::new(
            kind,
            format!("schema {schema} is unknown to this release"),
        ));
    }
    read(payload).map(Some)
}

/// Whether events of this kind mean something to acquisition.
pub(crate) fn concerns(kind: &str) -> bool {
    reader(kind).is_some()
}

type Reader = fn(&Bytes) -> Result<Told, Wrong>;

/// What reads events of this kind.
fn reader(kind: &str) -> Option<Reader> {
    Some(match kind.strip_prefix("patron.retention.v1.")? {
        "RelationshipLost" => lost,
        "RelationshipWonBack" => won_back,
        "CustomerErased" => erased,
        "ConsentChanged" => consented,
        "PromiseMade" => promised,
        "PromiseOverdue" => overdue,
        "PromiseKept" => kept,
        "PromiseBroken" => broken,
        "PromiseRepaired" => repaired,
        "PromiseWaived" => waived,
        "PurchaseRecorded" => bought,
        "PurchaseReversed" => reversed,
        "AssumptionsSet" => ledger::assumed,
        "ModelFitted" => ledger::fitted,
        _ => return None,
    })
}

fn message<M: Message + Default>(payload: &Bytes) -> Result<M, Wrong> {
    M::decode(payload.clone()).map_err(|error| Wrong::new("payload", error))
}

fn customer(name: &str) -> Result<Uuid, Wrong> {
    let [id] = resource_id("customer", name, ["customers"])?;
    parse("customer", id)
}

fn promise_name(name: &str) -> Result<(Uuid, String), Wrong> {
    let [customer, promise] = resource_id("promise", name, ["customers", "promises"])?;
    Ok((parse("promise", customer)?, promise.to_owned()))
}

fn lost(payload: &Bytes) -> Result<Told, Wrong> {
    let event: proto::RelationshipLost = message(payload)?;
    let at = time("occurred_at", event.occurred_at.as_ref())?;
    Ok(Told::Customer {
        customer: customer(&event.customer)?,
        at,
        what: What::Turned { active: false },
    })
}

fn won_back(payload: &Bytes) -> Result<Told, Wrong> {
    let event: proto::RelationshipWonBack = message(payload)?;
    let at = time("occurred_at", event.occurred_at.as_ref())?;
    Ok(Told::Customer {
        customer: customer(&event.customer)?,
        at,
        what: What::Turned { active: true },
    })
}

fn erased(payload: &Bytes) -> Result<Told, Wrong> {
    let event: proto::CustomerErased = message(payload)?;
    let at = time("occurred_at", event.occurred_at.as_ref())?;
    Ok(Told::Customer {
        customer: customer(&event.customer)?,
        at,
        what: What::Erased,
    })
}

fn consented(payload: &Bytes) -> Result<Told, Wrong> {
    let event: proto::ConsentChanged = message(payload)?;
    let at = time("occurred_at", event.occurred_at.as_ref())?;
    let consent = present("consent", event.consent)?;
    Ok(Told::Customer {
        customer: customer(&event.customer)?,
        at,
        what: What::Consented(wire::prospect::consent(&consent)?),
    })
}

fn promised(payload: &Bytes) -> Result<Told, Wrong> {
    let event: proto::PromiseMade = message(payload)?;
    let (customer, promise_id) = promise_name(&event.promise)?;
    let at = time("occurred_at", event.occurred_at.as_ref())?;
    let terms = present("terms", event.terms)?;
    let proposition_id = match event.proposition.as_str() {
        "" => None,
        name => Some(wire::proposition_id("proposition", name)?),
    };
    let promise = Promised {
        at_conversion: event.at_conversion,
        proposition_id,
        presentation_id: parse_optional("presentation_id", &event.presentation_id)?,
        benefit_id: parse("terms.benefit_id", &terms.benefit_id)?,
    };
    Ok(Told::Customer {
        customer,
        at,
        what: What::Promised {
            promise_id,
            promise,
        },
    })
}

fn overdue(payload: &Bytes) -> Result<Told, Wrong> {
    let event: proto::PromiseOverdue = message(payload)?;
    let (customer, promise_id) = promise_name(&event.promise)?;
    let at = time("occurred_at", event.occurred_at.as_ref())?;
    Ok(Told::Customer {
        customer,
        at,
        what: What::Overdue { promise_id },
    })
}

fn judged(name: &str, at: Option<&prost_types::Timestamp>, fate: Fate) -> Result<Told, Wrong> {
    let (customer, promise_id) = promise_name(name)?;
    let at = time("occurred_at", at)?;
    Ok(Told::Customer {
        customer,
        at,
        what: What::Judged { promise_id, fate },
    })
}

fn kept(payload: &Bytes) -> Result<Told, Wrong> {
    let event: proto::PromiseKept = message(payload)?;
    judged(&event.promise, event.occurred_at.as_ref(), Fate::Kept)
}

fn broken(payload: &Bytes) -> Result<Told, Wrong> {
    let event: proto::PromiseBroken = message(payload)?;
    judged(&event.promise, event.occurred_at.as_ref(), Fate::Broken)
}

fn repaired(payload: &Bytes) -> Result<Told, Wrong> {
    let event: proto::PromiseRepaired = message(payload)?;
    judged(&event.promise, event.occurred_at.as_ref(), Fate::Repaired)
}

fn waived(payload: &Bytes) -> Result<Told, Wrong> {
    let event: proto::PromiseWaived = message(payload)?;
    judged(&event.promise, event.occurred_at.as_ref(), Fate::Waived)
}

fn paid(
    amount: Option<&patron_proto::types::v1::Money>,
    margin: Option<&patron_proto::types::v1::Money>,
) -> Result<Paid, Wrong> {
    Ok(Paid {
        amount: money("amount", present("amount", amount)?)?.minor_units,
        margin: money(
            "contribution_margin",
            present("contribution_margin", margin)?,
        )?
        .minor_units,
    })
}

fn bought(payload: &Bytes) -> Result<Told, Wrong> {
    let event: proto::PurchaseRecorded = message(payload)?;
    let at = time("occurred_at", event.occurred_at.as_ref())?;
    let paid = paid(event.amount.as_ref(), event.contribution_margin.as_ref())?;
    let what = What::Bought {
        purchase_id: event.purchase_id,
        paid,
    };
    Ok(Told::Customer {
        customer: customer(&event.customer)?,
        at,
        what,
    })
}

fn reversed(payload: &Bytes) -> Result<Told, Wrong> {
    let event: proto::PurchaseReversed = message(payload)?;
    let at = time("occurred_at", event.occurred_at.as_ref())?;
    let back = paid(event.amount.as_ref(), event.contribution_margin.as_ref())?;
    let what = What::Reversed {
        purchase_id: event.purchase_id,
        back,
    };
    Ok(Told::Customer {
        customer: customer(&event.customer)?,
        at,
        what,
    })
}

/// Folds what was told into the views; `sequence` is its place among all that was told in its partition.
pub(crate) fn apply(
    rows: &mut dyn RowsMut,
    recorded: Recorded,
    sequence: u64,
    told: &Told,
) -> Result<(), Error> {
    match told {
        Told::Customer { customer, at, what } => {
            of_customer(rows, recorded, (*customer, sequence), (*at, what))
        }
        Told::Ledger(told) => ledger::apply(rows, recorded, sequence, told),
    }
}

fn of_customer(
    rows: &mut dyn RowsMut,
    recorded: Recorded,
    (customer, sequence): (Uuid, u64),
    (at, what): (Time, &What),
) -> Result<(), Error> {
    match what {
        What::Turned { active } => customers::turned(rows, customer, recorded, (at, *active)),
        What::Promised {
            promise_id,
            promise,
        } if promise.at_conversion => {
            let made = Promise {
                recorded,
                made_at: at,
                overdue: None,
                proposition_id: promise.proposition_id.clone(),
                presentation_id: promise.presentation_id.clone(),
                benefit_id: promise.benefit_id.clone(),
                verdicts: Vec::new(),
            };
            customers::promised(rows, customer, promise_id, &made)
        }
        // Reports and flags judge what led to the conversion; an erasure changes no number.
        What::Promised { .. } | What::Erased | What::Consented(_) => Ok(()),
        What::Overdue { promise_id } => {
            customers::overdue(rows, customer, promise_id, (at, recorded))
        }
        What::Judged { promise_id, fate } => {
            let said = Verdict {
                recorded,
                at,
                fate: *fate,
            };
            let promise = customers::judged(rows, customer, promise_id, said)?;
            promise.map_or(Ok(()), |promise| {
                flags::assessed(rows, customer, promise_id, &promise)
            })
        }
        What::Bought { purchase_id, paid } => {
            let of = (customer, sequence);
            customers::bought(rows, of, recorded, (at, purchase_id), *paid)
        }
        What::Reversed { purchase_id, back } => {
            let of = (customer, sequence);
            customers::reversed(rows, of, recorded, (at, purchase_id), *back)
        }
    }
}
