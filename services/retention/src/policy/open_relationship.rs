//! R1: a prospect was converted, so a relationship begins, with its promises and its first purchase.

use eventsourcing::{Aggregate as _, Explain as _, Time};
use retention_domain::Command;
use retention_domain::relationship::OpenRelationship;
use runtime::{ApplyError, Receipt, Work};

use crate::margin_rate;
use crate::read_model::customers;
use crate::service::customer_stream;
use crate::told::Conversion;
use crate::wire;

/// Opens the relationship, told at `told_at` by acquisition's clock. All of it, or nothing and the reason.
pub(crate) fn perform(
    work: &mut Work<'_>,
    conversion: Conversion,
    told_at: Time,
) -> Result<Receipt, ApplyError> {
    let id = conversion.customer;
    let stream = customer_stream(id)?;
    // Guarded even if it refuses: the refusal is final, so it must be about the customer as it is.
    work.version(&stream)?;
    let mut command = Command::OpenRelationship(Box::new(OpenRelationship {
        opening: conversion.opening,
        promises: conversion.promises,
        first_purchase: conversion.first_purchase,
        // Acquisition has accepted its time already; a slow clock here must not refuse it.
        now: work.now().max(told_at),
    }));
    margin_rate::put_in_force(work.rows(), &mut command)?;
    let state = customers::load(work.rows(), id, &command.parts())?;
    match state.decide(command) {
        Ok(events) => {
            for event in events {
                work.emit(&stream, wire::event::write(id, &event))?;
            }
            Ok(Receipt::Applied)
        }
        Err(refusal) => Ok(Receipt::Refused(format!("{}: {refusal}", refusal.reason()))),
    }
}
