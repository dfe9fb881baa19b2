//! What a customer is led to expect: a benefit, how much of it, how important, by when.

use eventsourcing::{Days, Time};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{BenefitId, PromiseId};
use crate::input::{Invalid, MAX_STATEMENT, distinct, required};

/// How many claims a presentation, and how many promises a conversion may carry.
pub const MAX_PROMISES: usize = 20;
/// The furthest a claim may be due after the conversion: a hundred years.
pub const MAX_DUE: Days = Days(36_500);
/// The scale of expected and perceived scores.
pub const SCORES: std::ops::RangeInclusive<u32> = 1..=7;
/// What the importances of a presentation's claims add up to.
pub const WHOLE_IMPORTANCE: u32 = 100;

/// A promise in general, as a presentation makes it to everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The benefit it is about.
    pub benefit_id: BenefitId,
    /// What is expected, in the customer's words.
    pub expectation: String,
    /// How much is expected, 1 to 7.
    pub expected_score: u32,
    /// How much it matters, 0 to 100; the claims of a presentation add up to 100.
    pub importance: u32,
    /// How long after the conversion it is due; without it, never.
    pub due_days: Option<Days>,
}

/// A promise to one customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseTerms {
    /// The benefit it is about.
    pub benefit_id: BenefitId,
    /// What is expected, in the customer's words.
    pub expectation: String,
    /// How much is expected, 1 to 7.
    pub expected_score: u32,
    /// How much it matters, 0 to 100.
    pub importance: u32,
    /// When it is due; without it, never.
    pub due_at: Option<Time>,
}

/// A promise as somebody asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// The id that the client chose, if it chose one.
    pub promise_id: Option<PromiseId>,
    /// What is promised.
    pub terms: PromiseTerms,
}

/// A promise to one customer, with its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// Its id, the same in both services.
    pub promise_id: PromiseId,
    /// What is promised.
    pub terms: PromiseTerms,
}

impl Claim {
    /// What this claim promises to somebody who converts at `converted_at`.
    pub fn promised_at(&self, converted_at: Time) -> PromiseTerms {
        PromiseTerms {
            benefit_id: self.benefit_id.clone(),
            expectation: self.expectation.clone(),
            expected_score: self.expected_score,
            importance: self.importance,
            due_at: self.due_days.map(|days| converted_at.plus_days(days)),
        }
    }

    /// Whether each field is what it must be.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        required("claims.expectation", &self.expectation, MAX_STATEMENT)?;
        score("claims.expected_score", self.expected_score)?;
        importance("claims.importance", self.importance)?;
        let days = self.due_days.unwrap_or_default();
        within("claims.due_days", days.0, &(0..=MAX_DUE.0))
    }
}

impl PromiseTerms {
    /// Whether each field is what it must be for a promise made at `made_at`.
    pub(crate) fn check(&self, made_at: Time) -> Result<(), Invalid> {
        required("promises.expectation", &self.expectation, MAX_STATEMENT)?;
        score("promises.expected_score", self.expected_score)?;
        importance("promises.importance", self.importance)?;
        match self.due_at {
            Some(at) if at < made_at => Err(Invalid::TooEarly {
                field: "promises.due_at",
                at,
                earliest: made_at,
            }),
            Some(_) | None => Ok(()),
        }
    }
}

impl Proposed {
    /// What is promised under an id that the service is to make.
    pub const fn without_id(terms: PromiseTerms) -> Self {
        Self {
            promise_id: None,
            terms,
        }
    }

    /// Whether a command repeated later may mean this promise: it does unless it says other terms or
    /// another id.
    pub(crate) fn may_mean(&self, promise: &Promise) -> bool {
        let same_id = |id: &PromiseId| *id == promise.promise_id;
        self.promise_id.as_ref().is_none_or(same_id) && self.terms == promise.terms
    }
}

/// Gives each promise without an id the one that follows from the request: the `UUIDv5` of the promise's
/// number, from 0, in the request id's namespace. So the same request makes the same promises.
pub(crate) fn number(request_id: Uuid, proposed: Vec<Proposed>) -> Result<Vec<Promise>, Invalid> {
    let derived = |n: u32| Uuid::new_v5(&request_id, n.to_string().as_bytes()).into();
    let promises: Vec<Promise> = (0_u32..)
        .zip(proposed)
        .map(|(n, Proposed { promise_id, terms })| Promise {
            promise_id: promise_id.unwrap_or_else(|| derived(n)),
            terms,
        })
        .collect();
    distinct(
        "promises.promise_id",
        promises.iter().map(|promise| &promise.promise_id),
    )?;
    Ok(promises)
}

fn score(field: &'static str, score: u32) -> Result<(), Invalid> {
    within(field, score, &SCORES)
}

fn importance(field: &'static str, importance: u32) -> Result<(), Invalid> {
    within(field, importance, &(0..=WHOLE_IMPORTANCE))
}

fn within(
    field: &'static str,
    value: u32,
    range: &std::ops::RangeInclusive<u32>,
) -> Result<(), Invalid> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(Invalid::OutOfRange {
        field,
        value,
        min: *range.start(),
        max: *range.end(),
    })
}

#[cfg(test)]
mod tests {
    use eventsourcing::{Days, Time};
    use uuid::Uuid;

    use super::{Claim, Proposed, number};

    fn claim(due_days: Option<u32>) -> Claim {
        Claim {
            benefit_id: "next-day".parse().unwrap(),
            expectation: "back on the road tomorrow".to_owned(),
            expected_score: 6,
            importance: 100,
            due_days: due_days.map(Days),
        }
    }

    #[test]
    fn a_claim_is_due_its_days_after_the_conversion() {
        let converted_at = Time::from_days(10);
        assert_eq!(
            claim(Some(30)).promised_at(converted_at).due_at,
            Some(Time::from_days(40))
        );
        assert_eq!(claim(None).promised_at(converted_at).due_at, None);
    }

    #[test]
    fn the_same_request_makes_promises_with_the_same_ids() {
        let two = vec![Proposed::without_id(claim(None).promised_at(Time::EPOCH)); 2];
        let first = number(Uuid::from_u128(1), two.clone()).unwrap();
        assert_eq!(first, number(Uuid::from_u128(1), two.clone()).unwrap());
        assert_ne!(first[0].promise_id, first[1].promise_id);
        assert_ne!(first, number(Uuid::from_u128(2), two).unwrap());
    }
}
