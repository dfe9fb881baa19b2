//! How a prospect was reached: each touchpoint once, late arrivals included, none after the conversion.

use eventsourcing::Time;
use serde::{Deserialize, Serialize};

use super::{Event, Prospect, Refusal, Thing};
use crate::id::{CampaignName, PresentationId, TouchpointId};
use crate::input::{Invalid, MAX_LABEL, When, optional, required};

/// How many touchpoints a prospect may have, with all that were absorbed into it.
pub const MAX_TOUCHPOINTS: u32 = 10_000;

/// What kind of contact a touchpoint was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TouchKind {
    /// Something was shown.
    Impression,
    /// Something shown was followed.
    Click,
    /// A place or a page was visited.
    Visit,
    /// A letter went out or came in.
    Email,
    /// A talk on the phone.
    Call,
    /// A talk in person.
    Meeting,
    /// The product was shown.
    Demo,
    /// A fair, a talk, a party.
    Event,
    /// A customer brought it.
    Referral,
    /// Anything else.
    Other,
}

/// The marks that links carry so that their clicks can be told apart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Utm {
    /// `utm_source`.
    pub source: String,
    /// `utm_medium`.
    pub medium: String,
    /// `utm_campaign`.
    pub campaign: String,
    /// `utm_term`.
    pub term: String,
    /// `utm_content`.
    pub content: String,
}

/// How a prospect was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// By which campaign, if by one; not checked, it is another aggregate.
    pub campaign: Option<CampaignName>,
    /// By which presentation of the campaign's proposition, if known; it needs the campaign.
    pub presentation_id: Option<PresentationId>,
    /// Over which channel.
    pub channel: String,
    /// By what kind of contact.
    pub kind: TouchKind,
    /// The marks of the link that was followed, if there were any.
    pub utm: Option<Utm>,
}

/// How and when a prospect was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touchpoint {
    /// How.
    pub touch: Touch,
    /// When.
    pub occurred_at: Time,
}

impl Prospect {
    pub(super) fn record_touchpoint(
        &self,
        touchpoint_id: TouchpointId,
        touch: Touch,
        when: When,
    ) -> Result<Vec<Event>, Refusal> {
        self.must_exist_unmerged()?;
        if let Some(present) = self.touchpoints.get(&touchpoint_id) {
            let same = present.touch == touch && when.may_mean(present.occurred_at);
            return same
                .then(Vec::new)
                .ok_or(Refusal::AlreadyExists(Thing::Touchpoint(touchpoint_id)));
        }
        let occurred_at = when.happened("occurred_at")?;
        touch.check()?;
        if let Some(conversion) = &self.conversion
            && occurred_at > conversion.converted_at
        {
            return Err(Refusal::AfterConversion {
                converted_at: conversion.converted_at,
            });
        }
        if self.touch_count >= MAX_TOUCHPOINTS {
            return Err(Refusal::Limit {
                what: "touchpoints",
                limit: MAX_TOUCHPOINTS as usize,
            });
        }
        Ok(vec![Event::TouchpointRecorded {
            touchpoint_id,
            touchpoint: Touchpoint { touch, occurred_at },
        }])
    }

    pub(super) fn add_touchpoint(&mut self, id: &TouchpointId, touchpoint: &Touchpoint) {
        self.count_touch(touchpoint.occurred_at);
        self.touchpoints.insert(id.clone(), touchpoint.clone());
    }

    pub(super) fn count_touch(&mut self, at: Time) {
        self.touch_count = self.touch_count.saturating_add(1);
        self.first_touch_at = Some(self.first_touch_at.map_or(at, |first| first.min(at)));
    }
}

impl Touch {
    fn check(&self) -> Result<(), Invalid> {
        required("channel", &self.channel, MAX_LABEL)?;
        if self.presentation_id.is_some() && self.campaign.is_none() {
            return Err(Invalid::Missing { field: "campaign" });
        }
        if let Some(utm) = &self.utm {
            optional("utm.source", &utm.source, MAX_LABEL)?;
            optional("utm.medium", &utm.medium, MAX_LABEL)?;
            optional("utm.campaign", &utm.campaign, MAX_LABEL)?;
            optional("utm.term", &utm.term, MAX_LABEL)?;
            optional("utm.content", &utm.content, MAX_LABEL)?;
        }
        Ok(())
    }
}
