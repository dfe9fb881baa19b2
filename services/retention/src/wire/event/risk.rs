//! What the days bring as the journal holds it: promises overdue, and risk in another band.

use money::Rate;
use patron_proto::retention::v1 as proto;
use retention_domain::Event;
use retention_domain::promise::Overdue;
use retention_domain::risk::Changed;
use server::{Wrong, timestamp};
use uuid::Uuid;

use super::same;
use crate::wire::promise::own;
use crate::wire::risk::{band, band_out, driver, driver_out};
use crate::wire::time;

pub(super) fn overdue_out(customer: &str, overdue: &Overdue) -> proto::PromiseOverdue {
    proto::PromiseOverdue {
        promise: format!("{customer}/promises/{}", overdue.promise_id),
        occurred_at: Some(timestamp(overdue.occurred_at)),
        due_at: Some(timestamp(overdue.due_at)),
    }
}

pub(super) fn overdue(customer: Uuid, read: &proto::PromiseOverdue) -> Result<Event, Wrong> {
    Ok(Event::PromiseOverdue(Overdue {
        promise_id: own(customer, &read.promise)?,
        due_at: time("due_at", read.due_at.as_ref())?,
        occurred_at: time("occurred_at", read.occurred_at.as_ref())?,
    }))
}

pub(super) fn changed_out(customer: String, changed: &Changed) -> proto::RiskChanged {
    proto::RiskChanged {
        customer,
        occurred_at: Some(timestamp(changed.occurred_at)),
        band: band_out(changed.band),
        previous: band_out(changed.previous),
        p_alive: changed.p_alive.map(Rate::to_f64),
        drivers: changed.drivers.iter().copied().map(driver_out).collect(),
    }
}

pub(super) fn changed(customer: Uuid, read: &proto::RiskChanged) -> Result<Event, Wrong> {
    same(customer, &read.customer)?;
    let drivers = read.drivers.iter().map(|&it| driver("drivers", it));
    Ok(Event::RiskChanged(Changed {
        band: band("band", read.band)?,
        previous: band("previous", read.previous)?,
        p_alive: read.p_alive.map(share).transpose()?,
        drivers: drivers.collect::<Result<_, _>>()?,
        occurred_at: time("occurred_at", read.occurred_at.as_ref())?,
    }))
}

/// A chance as a decimal, which is how it was written.
fn share(chance: f64) -> Result<Rate, Wrong> {
    let share = Rate::from_f64(chance).filter(|share| share.is_share());
    share.ok_or_else(|| Wrong::new("p_alive", "is no decimal from 0 to 1"))
}
