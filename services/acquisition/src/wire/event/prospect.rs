//! What happens to prospects.

use acquisition_domain::id::TouchpointId;
use acquisition_domain::prospect::{
    self, Closing, Conversion, Identity, Origin, Qualification, Touchpoint,
};
use eventsourcing::{Sealed, Time};
use journal::Event;
use patron_proto::acquisition::v1 as proto;
use patron_proto::journal::v1::KeysDestroyed;
use prost::Name as _;
use server::{
    Wrong, currency, from_timestamp, optional_sealed, parse, parse_optional, present, sealed_out,
    timestamp,
};
use uuid::Uuid;

use super::{PACKAGE, SCHEMA, keys_destroyed, merging, public, read, unknown};
use crate::wire;
use crate::wire::personal;
use crate::wire::prospect::{Touched, text};
use crate::wire::{small, small_out, time};

/// What happened to a prospect, as the journal holds it.
pub(crate) fn of_prospect(id: Uuid, event: &prospect::Event) -> Event {
    let name = format!("prospects/{id}");
    match event {
        prospect::Event::Created { origin } => public(&proto::ProspectCreated {
            prospect: name,
            occurred_at: Some(timestamp(origin.created_at)),
            kind: wire::prospect::kind_out(origin.kind),
            source: origin.source.clone(),
        }),
        prospect::Event::TouchpointRecorded {
            touchpoint_id,
            touchpoint,
        } => public(&touched(name, touchpoint_id, touchpoint)),
        prospect::Event::Qualified {
            qualification,
            occurred_at,
        } => public(&proto::ProspectQualified {
            prospect: name,
            occurred_at: Some(timestamp(*occurred_at)),
            proposition: format!("propositions/{}", qualification.proposition_id),
            problem_id: qualification.problem_id.to_string(),
        }),
        prospect::Event::Converted {
            conversion,
            path,
            identities,
            display_name,
        } => {
            let converted = converted(id, name, conversion);
            public(&with_person(
                converted,
                path,
                identities,
                display_name.as_ref(),
            ))
        }
        prospect::Event::Closed {
            closing,
            note,
            occurred_at,
        } => public(&closed(name, closing, note.as_ref(), *occurred_at)),
        prospect::Event::Identified {
            identities,
            display_name,
            occurred_at,
        } => public(&proto::ProspectIdentified {
            prospect: name,
            occurred_at: Some(timestamp(*occurred_at)),
            identities: identities.iter().map(personal::identity_out).collect(),
            display_name: display_name.as_ref().map(sealed_out),
        }),
        prospect::Event::Reopened { occurred_at } => merging::reopened(name, *occurred_at),
        prospect::Event::Merged { into, occurred_at } => merging::merged(name, *into, *occurred_at),
        prospect::Event::Absorbed {
            from,
            part,
            parts,
            touches,
            consents,
            occurred_at,
        } => {
            let which = (*part, *parts);
            merging::absorbed(name, *from, which, touches, consents, *occurred_at)
        }
        prospect::Event::ConsentChanged { consent } => merging::consent_changed(name, consent),
        prospect::Event::Erased { erased_at } => public(&erased(name, *erased_at)),
        prospect::Event::KeysDestroyed { destroyed_at } => keys_destroyed(*destroyed_at),
    }
}

fn closed(
    prospect: String,
    closing: &Closing,
    note: Option<&Sealed>,
    at: Time,
) -> proto::ProspectClosed {
    proto::ProspectClosed {
        prospect,
        occurred_at: Some(timestamp(at)),
        reason: wire::prospect::close_reason_out(closing.reason),
        competitor: closing.competitor.clone().unwrap_or_default(),
        note: note.map(sealed_out),
    }
}

fn erased(prospect: String, at: Time) -> proto::ProspectErased {
    proto::ProspectErased {
        prospect,
        occurred_at: Some(timestamp(at)),
    }
}

/// With who it is, and how it came.
fn with_person(
    converted: proto::ProspectConverted,
    path: &[TouchpointId],
    identities: &[Identity],
    display_name: Option<&Sealed>,
) -> proto::ProspectConverted {
    let kinds = identities.iter().map(|identity| identity.kind);
    let values = identities.iter().map(|identity| &identity.value);
    proto::ProspectConverted {
        path: path.iter().map(ToString::to_string).collect(),
        identities: values.map(sealed_out).collect(),
        display_name: display_name.map(sealed_out),
        identity_kinds: kinds.map(personal::identity_kind_out).collect(),
        ..converted
    }
}

fn touched(
    prospect: String,
    id: &TouchpointId,
    touchpoint: &Touchpoint,
) -> proto::TouchpointRecorded {
    let touch = &touchpoint.touch;
    proto::TouchpointRecorded {
        prospect,
        occurred_at: Some(timestamp(touchpoint.occurred_at)),
        touchpoint_id: id.to_string(),
        campaign: text(touch.campaign.as_ref()),
        presentation_id: text(touch.presentation_id.as_ref()),
        channel: touch.channel.clone(),
        kind: wire::prospect::touch_kind_out(touch.kind),
        utm: touch.utm.as_ref().map(wire::prospect::utm_out),
    }
}

fn converted(id: Uuid, prospect: String, conversion: &Conversion) -> proto::ProspectConverted {
    proto::ProspectConverted {
        prospect,
        occurred_at: Some(timestamp(conversion.converted_at)),
        customer: format!("customers/{id}"),
        proposition: format!("propositions/{}", conversion.proposition_id),
        revision: small_out(conversion.revision),
        campaign: wire::prospect::campaign_of(conversion),
        presentation_id: text(conversion.presentation_id.as_ref()),
        problem_id: conversion.problem_id.to_string(),
        promises: conversion
            .promises
            .iter()
            .map(wire::prospect::promise_out)
            .collect(),
        first_purchase: conversion
            .first_purchase
            .as_ref()
            .map(wire::prospect::first_purchase_out),
        currency_code: conversion.currency.to_string(),
        consents: conversion
            .consents
            .iter()
            .map(wire::prospect::consent_out)
            .collect(),
        ..Default::default()
    }
}

/// Reads what happened to a prospect.
pub(crate) fn prospect(event: &Event) -> Result<prospect::Event, Wrong> {
    if event.schema != SCHEMA {
        return Err(unknown(event));
    }
    if event.kind == KeysDestroyed::full_name() {
        let read: KeysDestroyed = read(event)?;
        let destroyed_at = time("occurred_at", read.occurred_at.as_ref())?;
        return Ok(prospect::Event::KeysDestroyed { destroyed_at });
    }
    match event.kind.strip_prefix(PACKAGE).unwrap_or_default() {
        "ProspectCreated" => {
            let read: proto::ProspectCreated = read(event)?;
            let origin = Origin {
                kind: wire::prospect::kind("kind", read.kind)?,
                source: read.source,
                created_at: time("occurred_at", read.occurred_at.as_ref())?,
            };
            Ok(prospect::Event::Created { origin })
        }
        "TouchpointRecorded" => {
            let read: proto::TouchpointRecorded = read(event)?;
            let touch = wire::prospect::touch(&Touched {
                campaign: &read.campaign,
                presentation_id: &read.presentation_id,
                channel: &read.channel,
                kind: read.kind,
                utm: read.utm.as_ref(),
            })?;
            let occurred_at = time("occurred_at", read.occurred_at.as_ref())?;
            Ok(prospect::Event::TouchpointRecorded {
                touchpoint_id: parse("touchpoint_id", &read.touchpoint_id)?,
                touchpoint: Touchpoint { touch, occurred_at },
            })
        }
        "ProspectQualified" => {
            let read: proto::ProspectQualified = read(event)?;
            Ok(prospect::Event::Qualified {
                qualification: Qualification {
                    proposition_id: wire::proposition_id("proposition", &read.proposition)?,
                    problem_id: parse("problem_id", &read.problem_id)?,
                },
                occurred_at: time("occurred_at", read.occurred_at.as_ref())?,
            })
        }
        "ProspectConverted" => conversion(&read(event)?),
        "ProspectClosed" => {
            let read: proto::ProspectClosed = read(event)?;
            Ok(prospect::Event::Closed {
                closing: Closing {
                    reason: wire::prospect::close_reason("reason", read.reason)?,
                    competitor: Some(read.competitor).filter(|name| !name.is_empty()),
                },
                note: optional_sealed("note", read.note.as_ref())?,
                occurred_at: time("occurred_at", read.occurred_at.as_ref())?,
            })
        }
        "ProspectIdentified" => identified(&read(event)?),
        "ProspectErased" => {
            let read: proto::ProspectErased = read(event)?;
            let erased_at = time("occurred_at", read.occurred_at.as_ref())?;
            Ok(prospect::Event::Erased { erased_at })
        }
        _ => merging::prospect(event),
    }
}

fn identified(read: &proto::ProspectIdentified) -> Result<prospect::Event, Wrong> {
    let identities = read.identities.iter().map(personal::identity);
    Ok(prospect::Event::Identified {
        identities: identities.collect::<Result<_, _>>()?,
        display_name: optional_sealed("display_name", read.display_name.as_ref())?,
        occurred_at: time("occurred_at", read.occurred_at.as_ref())?,
    })
}

fn conversion(read: &proto::ProspectConverted) -> Result<prospect::Event, Wrong> {
    let campaign = wire::optional_campaign("campaign", &read.campaign)?;
    let promises = read.promises.iter().map(wire::prospect::promise);
    let purchase = read
        .first_purchase
        .as_ref()
        .map(wire::prospect::first_purchase);
    let consents = read.consents.iter().map(wire::prospect::consent);
    let conversion = Conversion {
        converted_at: present("occurred_at", read.occurred_at.as_ref()).map(from_timestamp)?,
        proposition_id: wire::proposition_id("proposition", &read.proposition)?,
        revision: small("revision", read.revision)?,
        problem_id: parse("problem_id", &read.problem_id)?,
        campaign_id: campaign.map(|name| name.campaign_id),
        presentation_id: parse_optional("presentation_id", &read.presentation_id)?,
        promises: promises.collect::<Result<_, _>>()?,
        first_purchase: purchase.transpose()?,
        currency: currency("currency_code", &read.currency_code)?,
        consents: consents.collect::<Result<_, _>>()?,
    };
    let path = read
        .path
        .iter()
        .map(|id| parse("path", id))
        .collect::<Result<_, _>>()?;
    Ok(prospect::Event::Converted {
        conversion: Box::new(conversion),
        path,
        identities: personal::identities(&read.identities, &read.identity_kinds)?,
        display_name: optional_sealed("display_name", read.display_name.as_ref())?,
    })
}
