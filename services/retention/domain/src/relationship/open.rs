//! A relationship is opened together with everything that belongs to its beginning.

use eventsourcing::Time;

use crate::customer::{Customer, Event, told_again};
use crate::id::PromiseId;
use crate::input::{Invalid, distinct, past};
use crate::promise::{self, MAX_PROMISES, Made, Terms};
use crate::purchase::{self, FirstPurchase};
use crate::refusal::{Refusal, Thing};
use crate::relationship::{Opening, Source};

/// A promise with which a customer was won.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningPromise {
    /// Its id, the same in both services.
    pub promise_id: PromiseId,
    /// What was promised.
    pub terms: Terms,
}

/// Opens a relationship, with everything that belongs to its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRelationship {
    /// How it begins.
    pub opening: Opening,
    /// What the customer was promised; may be empty for an import.
    pub promises: Vec<OpeningPromise>,
    /// What the customer bought at once.
    pub first_purchase: Option<FirstPurchase>,
    /// The present.
    pub now: Time,
}

impl Customer {
    pub(crate) fn open(&self, command: OpenRelationship) -> Result<Vec<Event>, Refusal> {
        let OpenRelationship {
            opening,
            promises,
            first_purchase,
            now,
        } = command;
        if let Some(existing) = &self.relationship {
            let same = existing.origin.source == opening.origin.source;
            return told_again(same, Thing::Customer);
        }
        past("acquired_at", opening.acquired_at, now)?;
        opening.who.check()?;
        for (_, consent) in opening.consents.iter() {
            past("consents.at", consent.at, now)?;
        }
        let promised = opening_promises(&opening, promises)?;
        let bought = first_purchase
            .map(|first| purchase::first(&opening, first))
            .transpose()?;
        let opened = Event::RelationshipOpened(opening);
        Ok(std::iter::once(opened)
            .chain(promised)
            .chain(bought)
            .collect())
    }
}

/// The promises of the beginning. Who was converted was promised something; who was imported may not be.
fn opening_promises(
    opening: &Opening,
    promises: Vec<OpeningPromise>,
) -> Result<Vec<Event>, Refusal> {
    let at_conversion = opening.origin.source == Source::Prospect;
    if at_conversion && promises.is_empty() {
        return Err(Invalid::NoPromise.into());
    }
    distinct(
        "promises.promise_id",
        promises.iter().map(|promise| &promise.promise_id),
    )?;
    if promises.len() > MAX_PROMISES {
        return Err(promise::too_many());
    }
    let made_at = opening.acquired_at;
    let made = promises
        .into_iter()
        .map(|OpeningPromise { promise_id, terms }| {
            terms.check(&promise::OPENING_FIELDS, made_at)?;
            Ok(Event::PromiseMade(Made {
                promise_id,
                terms,
                at_conversion,
                made_at,
            }))
        });
    made.collect()
}
