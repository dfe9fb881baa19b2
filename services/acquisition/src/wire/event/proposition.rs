//! What happens to propositions, their presentations and campaigns.

use acquisition_domain::campaign;
use acquisition_domain::id::{CampaignId, PresentationId, PropositionId};
use acquisition_domain::presentation::{self, Cause};
use acquisition_domain::proposition;
use journal::Event;
use patron_proto::acquisition::v1 as proto;
use server::{Wrong, money_out, parse, present, resource_id, timestamp};

use super::{PACKAGE, SCHEMA, public, read, unknown};
use crate::wire;
use crate::wire::campaign::{Planned, Spent};
use crate::wire::proposition::Written;
use crate::wire::prospect::text;
use crate::wire::{campaign_name, small, small_out, time};

/// What happened to a proposition, as the journal holds it.
pub(crate) fn of_proposition(id: &PropositionId, event: &proposition::Event) -> Event {
    let name = format!("propositions/{id}");
    match event {
        proposition::Event::Drafted {
            content,
            occurred_at,
        } => public(&proto::PropositionDrafted {
            proposition: name,
            occurred_at: Some(timestamp(*occurred_at)),
            display_name: content.display_name.clone(),
            problems: wire::proposition::problems_out(content),
            benefits: wire::proposition::benefits_out(content),
            differentiators: wire::proposition::differentiators_out(content),
        }),
        proposition::Event::Revised {
            content,
            revision,
            occurred_at,
        } => public(&proto::PropositionRevised {
            proposition: name,
            occurred_at: Some(timestamp(*occurred_at)),
            display_name: content.display_name.clone(),
            problems: wire::proposition::problems_out(content),
            benefits: wire::proposition::benefits_out(content),
            differentiators: wire::proposition::differentiators_out(content),
            revision: small_out(*revision),
        }),
        proposition::Event::Published {
            revision,
            occurred_at,
        } => public(&proto::PropositionPublished {
            proposition: name,
            occurred_at: Some(timestamp(*occurred_at)),
            revision: small_out(*revision),
        }),
        proposition::Event::Retired { occurred_at } => public(&proto::PropositionRetired {
            proposition: name,
            occurred_at: Some(timestamp(*occurred_at)),
        }),
        proposition::Event::Presentation(event) => of_presentation(&name, event),
        proposition::Event::Campaign(event) => of_campaign(&name, event),
    }
}

fn of_presentation(parent: &str, event: &presentation::Event) -> Event {
    let name = |id: &PresentationId| format!("{parent}/presentations/{id}");
    match event {
        presentation::Event::Added {
            presentation_id,
            pitch,
            occurred_at,
        } => public(&proto::PresentationAdded {
            presentation: name(presentation_id),
            occurred_at: Some(timestamp(*occurred_at)),
            channel: pitch.channel.clone(),
            message: pitch.message.clone(),
            claims: wire::proposition::claims_out(&pitch.claims),
        }),
        presentation::Event::Flagged {
            presentation_id,
            cause,
            occurred_at,
        } => public(&proto::PresentationFlagged {
            presentation: name(presentation_id),
            occurred_at: Some(timestamp(*occurred_at)),
            cause: Some(cause_out(cause)),
        }),
        presentation::Event::FlagCleared {
            presentation_id,
            note,
            occurred_at,
        } => public(&proto::PresentationFlagCleared {
            presentation: name(presentation_id),
            occurred_at: Some(timestamp(*occurred_at)),
            note: note.clone(),
        }),
    }
}

fn cause_out(cause: &Cause) -> proto::presentation_flagged::Cause {
    use proto::presentation_flagged::Cause as Out;
    match cause {
        Cause::BrokenPromises {
            kept,
            broken,
            kept_rate_upper,
        } => Out::BrokenPromises(proto::BrokenPromises {
            kept: small_out(*kept),
            broken: small_out(*broken),
            kept_rate_upper: *kept_rate_upper,
        }),
        Cause::ByHand { note } => Out::Note(note.clone()),
    }
}

fn of_campaign(parent: &str, event: &campaign::Event) -> Event {
    let name = |id: &CampaignId| format!("{parent}/campaigns/{id}");
    match event {
        campaign::Event::Planned {
            campaign_id,
            plan,
            occurred_at,
        } => public(&proto::CampaignPlanned {
            campaign: name(campaign_id),
            occurred_at: Some(timestamp(*occurred_at)),
            presentation_ids: plan
                .presentation_ids
                .iter()
                .map(ToString::to_string)
                .collect(),
            starts_at: Some(timestamp(plan.starts_at)),
            ends_at: Some(timestamp(plan.ends_at)),
            currency_code: plan.currency.to_string(),
            budget: plan.budget.map(money_out),
        }),
        campaign::Event::Started {
            campaign_id,
            occurred_at,
        } => public(&proto::CampaignStarted {
            campaign: name(campaign_id),
            occurred_at: Some(timestamp(*occurred_at)),
        }),
        campaign::Event::Ended {
            campaign_id,
            occurred_at,
        } => public(&proto::CampaignEnded {
            campaign: name(campaign_id),
            occurred_at: Some(timestamp(*occurred_at)),
        }),
        campaign::Event::SpendRecorded {
            campaign_id,
            spend_id,
            spend,
        } => public(&proto::SpendRecorded {
            campaign: name(campaign_id),
            occurred_at: Some(timestamp(spend.incurred_at)),
            spend_id: spend_id.to_string(),
            kind: wire::campaign::spend_kind_out(spend.kind),
            amount: Some(money_out(spend.amount)),
            presentation_id: text(spend.presentation_id.as_ref()),
            reverses: text(spend.reverses.as_ref()),
        }),
    }
}

/// Reads what happened to a proposition.
pub(crate) fn proposition(event: &Event) -> Result<proposition::Event, Wrong> {
    if event.schema != SCHEMA {
        return Err(unknown(event));
    }
    let kind = event.kind.strip_prefix(PACKAGE).unwrap_or_default();
    match kind {
        "PropositionDrafted" => {
            let read: proto::PropositionDrafted = read(event)?;
            let content = wire::proposition::content(&Written {
                display_name: &read.display_name,
                problems: &read.problems,
                benefits: &read.benefits,
                differentiators: &read.differentiators,
            })?;
            let occurred_at = time("occurred_at", read.occurred_at.as_ref())?;
            Ok(proposition::Event::Drafted {
                content,
                occurred_at,
            })
        }
        "PropositionRevised" => {
            let read: proto::PropositionRevised = read(event)?;
            let content = wire::proposition::content(&Written {
                display_name: &read.display_name,
                problems: &read.problems,
                benefits: &read.benefits,
                differentiators: &read.differentiators,
            })?;
            let revision = small("revision", read.revision)?;
            let occurred_at = time("occurred_at", read.occurred_at.as_ref())?;
            Ok(proposition::Event::Revised {
                content,
                revision,
                occurred_at,
            })
        }
        "PropositionPublished" => {
            let read: proto::PropositionPublished = read(event)?;
            let occurred_at = time("occurred_at", read.occurred_at.as_ref())?;
            let revision = small("revision", read.revision)?;
            Ok(proposition::Event::Published {
                revision,
                occurred_at,
            })
        }
        "PropositionRetired" => {
            let read: proto::PropositionRetired = read(event)?;
            let occurred_at = time("occurred_at", read.occurred_at.as_ref())?;
            Ok(proposition::Event::Retired { occurred_at })
        }
        _ if kind.starts_with("Presentation") => {
            presentation(kind, event).map(proposition::Event::Presentation)
        }
        _ => campaign(kind, event).map(proposition::Event::Campaign),
    }
}

fn presentation(kind: &str, event: &Event) -> Result<presentation::Event, Wrong> {
    let id = |name: &str| -> Result<PresentationId, Wrong> {
        let [_, id] = resource_id("presentation", name, ["propositions", "presentations"])?;
        parse("presentation", id)
    };
    match kind {
        "PresentationAdded" => {
            let read: proto::PresentationAdded = read(event)?;
            Ok(presentation::Event::Added {
                presentation_id: id(&read.presentation)?,
                pitch: wire::proposition::pitch(&read.channel, &read.message, &read.claims)?,
                occurred_at: time("occurred_at", read.occurred_at.as_ref())?,
            })
        }
        "PresentationFlagged" => {
            let read: proto::PresentationFlagged = read(event)?;
            Ok(presentation::Event::Flagged {
                presentation_id: id(&read.presentation)?,
                cause: cause(present("cause", read.cause)?)?,
                occurred_at: time("occurred_at", read.occurred_at.as_ref())?,
            })
        }
        "PresentationFlagCleared" => {
            let read: proto::PresentationFlagCleared = read(event)?;
            Ok(presentation::Event::FlagCleared {
                presentation_id: id(&read.presentation)?,
                note: read.note,
                occurred_at: time("occurred_at", read.occurred_at.as_ref())?,
            })
        }
        _ => Err(unknown(event)),
    }
}

fn cause(cause: proto::presentation_flagged::Cause) -> Result<Cause, Wrong> {
    use proto::presentation_flagged::Cause as Read;
    Ok(match cause {
        Read::BrokenPromises(tally) => Cause::BrokenPromises {
            kept: small("kept", tally.kept)?,
            broken: small("broken", tally.broken)?,
            kept_rate_upper: tally.kept_rate_upper,
        },
        Read::Note(note) => Cause::ByHand { note },
    })
}

fn campaign(kind: &str, event: &Event) -> Result<campaign::Event, Wrong> {
    let id = |name: &str| campaign_name("campaign", name).map(|name| name.campaign_id);
    match kind {
        "CampaignPlanned" => {
            let read: proto::CampaignPlanned = read(event)?;
            let plan = wire::campaign::plan(&Planned {
                presentation_ids: &read.presentation_ids,
                starts_at: read.starts_at.as_ref(),
                ends_at: read.ends_at.as_ref(),
                currency_code: &read.currency_code,
                budget: read.budget.as_ref(),
            })?;
            let occurred_at = time("occurred_at", read.occurred_at.as_ref())?;
            Ok(campaign::Event::Planned {
                campaign_id: id(&read.campaign)?,
                plan,
                occurred_at,
            })
        }
        "CampaignStarted" => {
            let read: proto::CampaignStarted = read(event)?;
            let occurred_at = time("occurred_at", read.occurred_at.as_ref())?;
            Ok(campaign::Event::Started {
                campaign_id: id(&read.campaign)?,
                occurred_at,
            })
        }
        "CampaignEnded" => {
            let read: proto::CampaignEnded = read(event)?;
            let occurred_at = time("occurred_at", read.occurred_at.as_ref())?;
            Ok(campaign::Event::Ended {
                campaign_id: id(&read.campaign)?,
                occurred_at,
            })
        }
        "SpendRecorded" => {
            let read: proto::SpendRecorded = read(event)?;
            let spent = Spent {
                kind: read.kind,
                amount: read.amount.as_ref(),
                presentation_id: &read.presentation_id,
                reverses: &read.reverses,
            };
            let incurred_at = time("occurred_at", read.occurred_at.as_ref())?;
            Ok(campaign::Event::SpendRecorded {
                campaign_id: id(&read.campaign)?,
                spend_id: parse("spend_id", &read.spend_id)?,
                spend: wire::campaign::spend(&spent, incurred_at)?,
            })
        }
        _ => Err(unknown(event)),
    }
}
