//! What happens to prospects when they are reopened, merged, or asked for their consent.

use acquisition_domain::prospect::{self, AbsorbedKey, AbsorbedTouch, Consent};
use eventsourcing::Time;
use journal::Event;
use patron_proto::acquisition::v1 as proto;
use server::{Wrong, parse, present, timestamp};
use uuid::Uuid;

use super::{PACKAGE, public, read, unknown};
use crate::wire;
use crate::wire::{prospect_id, small, small_out, time};

pub(super) fn reopened(prospect: String, occurred_at: Time) -> Event {
    public(&proto::ProspectReopened {
        prospect,
        occurred_at: Some(timestamp(occurred_at)),
    })
}

pub(super) fn merged(prospect: String, into: Uuid, occurred_at: Time) -> Event {
    public(&proto::ProspectMerged {
        prospect,
        occurred_at: Some(timestamp(occurred_at)),
        into: format!("prospects/{into}"),
    })
}

pub(super) fn absorbed(
    prospect: String,
    from: Uuid,
    (part, parts): (u32, u32),
    touches: &[AbsorbedTouch],
    consents: &[Consent],
    occurred_at: Time,
) -> Event {
    public(&proto::ProspectAbsorbed {
        prospect,
        occurred_at: Some(timestamp(occurred_at)),
        from: format!("prospects/{from}"),
        touchpoints: touches.iter().map(absorbed_out).collect(),
        consents: consents.iter().map(wire::prospect::consent_out).collect(),
        part: small_out(part),
        parts: small_out(parts),
    })
}

pub(super) fn consent_changed(prospect: String, consent: &Consent) -> Event {
    public(&proto::ConsentChanged {
        prospect,
        occurred_at: Some(timestamp(consent.at)),
        consent: Some(wire::prospect::consent_out(consent)),
    })
}

fn absorbed_out(touch: &AbsorbedTouch) -> proto::AbsorbedTouchpoint {
    let AbsorbedKey {
        from,
        touchpoint_id,
    } = &touch.key;
    proto::AbsorbedTouchpoint {
        prospect: format!("prospects/{from}"),
        touchpoint: Some(wire::prospect::touchpoint_out(
            touchpoint_id,
            &touch.touchpoint,
        )),
    }
}

/// Reads such an event.
pub(super) fn prospect(event: &Event) -> Result<prospect::Event, Wrong> {
    match event.kind.strip_prefix(PACKAGE).unwrap_or_default() {
        "ProspectReopened" => {
            let read: proto::ProspectReopened = read(event)?;
            let occurred_at = time("occurred_at", read.occurred_at.as_ref())?;
            Ok(prospect::Event::Reopened { occurred_at })
        }
        "ProspectMerged" => {
            let read: proto::ProspectMerged = read(event)?;
            Ok(prospect::Event::Merged {
                into: prospect_id("into", &read.into)?,
                occurred_at: time("occurred_at", read.occurred_at.as_ref())?,
            })
        }
        "ProspectAbsorbed" => {
            let read: proto::ProspectAbsorbed = read(event)?;
            let touches = read.touchpoints.iter().map(absorbed_touch);
            let consents = read.consents.iter().map(wire::prospect::consent);
            Ok(prospect::Event::Absorbed {
                from: prospect_id("from", &read.from)?,
                part: small("part", read.part)?,
                parts: small("parts", read.parts)?,
                touches: touches.collect::<Result<_, _>>()?,
                consents: consents.collect::<Result<_, _>>()?,
                occurred_at: time("occurred_at", read.occurred_at.as_ref())?,
            })
        }
        "ConsentChanged" => {
            let read: proto::ConsentChanged = read(event)?;
            let consent = present("consent", read.consent.as_ref())?;
            Ok(prospect::Event::ConsentChanged {
                consent: wire::prospect::consent(consent)?,
            })
        }
        _ => Err(unknown(event)),
    }
}

fn absorbed_touch(read: &proto::AbsorbedTouchpoint) -> Result<AbsorbedTouch, Wrong> {
    let touchpoint = present("touchpoints.touchpoint", read.touchpoint.as_ref())?;
    let key = AbsorbedKey {
        from: prospect_id("touchpoints.prospect", &read.prospect)?,
        touchpoint_id: parse("touchpoints.touchpoint_id", &touchpoint.touchpoint_id)?,
    };
    Ok(AbsorbedTouch {
        key,
        touchpoint: wire::prospect::touchpoint(touchpoint)?,
    })
}
