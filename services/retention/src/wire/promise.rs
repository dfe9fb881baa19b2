//! Promises: their terms, what became of them, and what an assessment found.

use eventsourcing::Sealed;
use patron_proto::retention::v1 as proto;
use patron_proto::types::v1 as types;
use retention_domain::id::PromiseId;
use retention_domain::promise::{Assessed, Finding, Promise, Score, State, Terms};
use server::{Opener, Wrong, from_timestamp, pairs, parse, parse_optional, timestamp};
use uuid::Uuid;
use vault::Field;

use super::resource::etag;
use super::{promise_name, proposition_name, small, small_out, text};

pairs!(state_out, state: State = proto::PromiseState {
    Open = Open, Kept = Kept, Broken = Broken, Repaired = Repaired, Waived = Waived,
});

/// The parts of a message that say what is promised.
pub(crate) struct Promised<'a> {
    pub(crate) terms: &'a types::PromiseTerms,
    pub(crate) proposition: &'a str,
    pub(crate) presentation_id: &'a str,
    pub(crate) made_by: &'a str,
}

/// What is promised. The id in the terms is read by [`promise_id`].
pub(crate) fn terms(promised: &Promised<'_>) -> Result<Terms, Wrong> {
    let terms = promised.terms;
    Ok(Terms {
        proposition: proposition_name("proposition", promised.proposition)?,
        presentation_id: parse_optional("presentation_id", promised.presentation_id)?,
        benefit_id: parse("terms.benefit_id", &terms.benefit_id)?,
        expectation: parse("terms.expectation", &terms.expectation)?,
        expected_score: small("terms.expected_score", terms.expected_score)?,
        importance: small("terms.importance", terms.importance)?,
        due_at: terms.due_at.as_ref().map(from_timestamp),
        made_by: parse_optional("made_by", promised.made_by)?,
    })
}

/// The id of a promise, or the `n`th one made from the request if the client chose none.
pub(crate) fn promise_id(
    terms: &types::PromiseTerms,
    request_id: Uuid,
    n: usize,
) -> Result<PromiseId, Wrong> {
    let chosen = parse_optional("terms.promise_id", &terms.promise_id)?;
    Ok(chosen
        .unwrap_or_else(|| Uuid::new_v5(&request_id, format!("PROMISE/{n}").as_bytes()).into()))
}

/// What is promised, as protobuf writes it.
pub(crate) fn terms_out(id: &PromiseId, terms: &Terms) -> types::PromiseTerms {
    types::PromiseTerms {
        promise_id: id.to_string(),
        benefit_id: terms.benefit_id.to_string(),
        expectation: terms.expectation.to_string(),
        expected_score: small_out(terms.expected_score),
        importance: small_out(terms.importance),
        due_at: terms.due_at.map(timestamp),
    }
}

/// What was found out: a verdict, or a score that decides it.
pub(crate) fn finding(verdict: i32, perceived_score: i32) -> Result<Finding, Wrong> {
    let unsaid = proto::PromiseVerdict::Unspecified as i32;
    match (verdict, perceived_score) {
        (verdict, 0) if verdict == unsaid => Err(Wrong::new(
            "verdict",
            "is required, or else perceived_score",
        )),
        (verdict, score) if verdict == unsaid => {
            Ok(Finding::Perceived(small("perceived_score", score)?))
        }
        (verdict, 0) if verdict == proto::PromiseVerdict::Kept as i32 => Ok(Finding::Kept),
        (verdict, 0) if verdict == proto::PromiseVerdict::Broken as i32 => Ok(Finding::Broken),
        (_, 0) => Err(Wrong::new("verdict", "must be KEPT or BROKEN")),
        _ => Err(Wrong::new(
            "perceived_score",
            "decides the verdict by itself: give one of the two",
        )),
    }
}

/// An assessment, from the parts of an event but for the evidence.
pub(crate) fn assessed(
    customer: Uuid,
    promise: &str,
    occurred_at: Option<&prost_types::Timestamp>,
    score: (Option<i32>, Option<i32>),
) -> Result<Assessed, Wrong> {
    let score = match score {
        (None, None) => None,
        (Some(perceived), Some(gap)) => Some(Score {
            perceived: small("perceived_score", perceived)?,
            gap,
        }),
        (None, Some(_)) => return Err(Wrong::new("perceived_score", "is missing beside gap")),
        (Some(_), None) => return Err(Wrong::new("gap", "is missing beside perceived_score")),
    };
    Ok(Assessed {
        promise_id: own(customer, promise)?,
        score,
        evidence: None,
        occurred_at: super::time("occurred_at", occurred_at)?,
    })
}

/// The id in the name of a promise, which must be one of this customer.
pub(crate) fn own(customer: Uuid, name: &str) -> Result<PromiseId, Wrong> {
    let (parent, promise_id) = promise_name("promise", name)?;
    if parent == customer {
        Ok(promise_id)
    } else {
        Err(Wrong::new("promise", "is not one of this customer"))
    }
}

/// The perceived score and the gap, as protobuf writes them.
pub(crate) fn score_out(score: Option<Score>) -> (Option<i32>, Option<i32>) {
    (
        score.map(|score| small_out(score.perceived)),
        score.map(|score| score.gap),
    )
}

/// A promise and what became of it.
pub(crate) fn promise_out(
    customer: Uuid,
    id: &PromiseId,
    promise: &Promise,
    version: u64,
    opener: &Opener,
) -> proto::Promise {
    let shown = |field, words: Option<&Sealed>| opener.show_of(false, field, words);
    let (perceived_score, gap) = score_out(promise.score);
    proto::Promise {
        name: format!("customers/{customer}/promises/{id}"),
        terms: Some(terms_out(id, &promise.terms)),
        proposition: promise.terms.proposition.to_string(),
        presentation_id: text(promise.terms.presentation_id.as_ref()),
        made_by: text(promise.terms.made_by.as_ref()),
        at_conversion: promise.at_conversion,
        made_at: Some(timestamp(promise.made_at)),
        state: state_out(promise.state),
        assessed_at: promise.assessed_at.map(timestamp),
        perceived_score,
        gap,
        etag: etag(version),
        evidence: shown(Field::Evidence, promise.evidence.as_ref()),
        note: shown(Field::Note, promise.note.as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use patron_proto::retention::v1::PromiseVerdict;
    use retention_domain::promise::Finding;

    use super::finding;

    #[test]
    fn either_a_verdict_or_a_score_says_whether_a_promise_was_kept() {
        let (unsaid, kept, broken) = (
            PromiseVerdict::Unspecified as i32,
            PromiseVerdict::Kept as i32,
            PromiseVerdict::Broken as i32,
        );
        assert_eq!(finding(kept, 0), Ok(Finding::Kept));
        assert_eq!(finding(broken, 0), Ok(Finding::Broken));
        assert_eq!(finding(unsaid, 3), Ok(Finding::Perceived(3)));
        for (verdict, score) in [(unsaid, 0), (kept, 7), (unsaid, -1), (9, 0)] {
            assert!(finding(verdict, score).is_err(), "{verdict} {score}");
        }
    }
}
