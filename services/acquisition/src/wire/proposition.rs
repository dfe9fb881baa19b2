//! Propositions and presentations.

use acquisition_domain::presentation::Pitch;
use acquisition_domain::promise::Claim;
use acquisition_domain::proposition::{
    Benefit, Content, Differentiator, Dimension, Level, Nature, Problem, State,
};
use eventsourcing::Days;
use patron_proto::acquisition::v1 as proto;
use server::{Wrong, pairs, parse};

use super::{small, small_out};

pairs!(nature_out, nature: Nature = proto::BenefitNature {
    Tangible = Tangible, Intangible = Intangible,
});
pairs!(level_out, level: Level = proto::BenefitLevel {
    Generic = Generic, Expected = Expected, Augmented = Augmented, Potential = Potential,
});
pairs!(dimension_out, dimension: Dimension = proto::QualityDimension {
    Reliability = Reliability, Assurance = Assurance, Tangibles = Tangibles,
    Empathy = Empathy, Responsiveness = Responsiveness,
});

pub(crate) const fn state_out(state: State) -> i32 {
    match state {
        State::Absent => proto::PropositionState::Unspecified as i32,
        State::Draft => proto::PropositionState::Draft as i32,
        State::Published => proto::PropositionState::Published as i32,
        State::Retired => proto::PropositionState::Retired as i32,
    }
}

/// The parts of a message that are a proposition's content.
pub(crate) struct Written<'a> {
    pub(crate) display_name: &'a str,
    pub(crate) problems: &'a [proto::Problem],
    pub(crate) benefits: &'a [proto::Benefit],
    pub(crate) differentiators: &'a [proto::Differentiator],
}

pub(crate) fn content(written: &Written<'_>) -> Result<Content, Wrong> {
    Ok(Content {
        display_name: written.display_name.to_owned(),
        problems: written
            .problems
            .iter()
            .map(problem)
            .collect::<Result<_, _>>()?,
        benefits: written
            .benefits
            .iter()
            .map(benefit)
            .collect::<Result<_, _>>()?,
        differentiators: written
            .differentiators
            .iter()
            .map(differentiator)
            .collect::<Result<_, _>>()?,
    })
}

fn problem(problem: &proto::Problem) -> Result<Problem, Wrong> {
    Ok(Problem {
        problem_id: parse("problems.problem_id", &problem.problem_id)?,
        statement: problem.statement.clone(),
    })
}

fn benefit(benefit: &proto::Benefit) -> Result<Benefit, Wrong> {
    let problem_ids = benefit
        .problem_ids
        .iter()
        .map(|id| parse("benefits.problem_ids", id));
    let unset = proto::QualityDimension::Unspecified as i32;
    Ok(Benefit {
        benefit_id: parse("benefits.benefit_id", &benefit.benefit_id)?,
        statement: benefit.statement.clone(),
        nature: nature("benefits.nature", benefit.nature)?,
        level: level("benefits.level", benefit.level)?,
        dimension: (benefit.dimension != unset)
            .then(|| dimension("benefits.dimension", benefit.dimension))
            .transpose()?,
        problem_ids: problem_ids.collect::<Result<_, _>>()?,
    })
}

fn differentiator(written: &proto::Differentiator) -> Result<Differentiator, Wrong> {
    Ok(Differentiator {
        differentiator_id: parse(
            "differentiators.differentiator_id",
            &written.differentiator_id,
        )?,
        benefit_id: parse("differentiators.benefit_id", &written.benefit_id)?,
        competitor: written.competitor.clone(),
        claim: written.claim.clone(),
    })
}

pub(crate) fn problems_out(content: &Content) -> Vec<proto::Problem> {
    let problems = content.problems.iter();
    problems
        .map(|problem| proto::Problem {
            problem_id: problem.problem_id.to_string(),
            statement: problem.statement.clone(),
        })
        .collect()
}

pub(crate) fn benefits_out(content: &Content) -> Vec<proto::Benefit> {
    let benefits = content.benefits.iter();
    benefits
        .map(|benefit| proto::Benefit {
            benefit_id: benefit.benefit_id.to_string(),
            statement: benefit.statement.clone(),
            nature: nature_out(benefit.nature),
            level: level_out(benefit.level),
            dimension: benefit.dimension.map_or(0, dimension_out),
            problem_ids: benefit
                .problem_ids
                .iter()
                .map(ToString::to_string)
                .collect(),
        })
        .collect()
}

pub(crate) fn differentiators_out(content: &Content) -> Vec<proto::Differentiator> {
    let differentiators = content.differentiators.iter();
    differentiators
        .map(|differentiator| proto::Differentiator {
            differentiator_id: differentiator.differentiator_id.to_string(),
            benefit_id: differentiator.benefit_id.to_string(),
            competitor: differentiator.competitor.clone(),
            claim: differentiator.claim.clone(),
        })
        .collect()
}

/// What a presentation says, from the parts of a message that carry it.
pub(crate) fn pitch(channel: &str, message: &str, claims: &[proto::Claim]) -> Result<Pitch, Wrong> {
    Ok(Pitch {
        channel: channel.to_owned(),
        message: message.to_owned(),
        claims: claims.iter().map(claim).collect::<Result<_, _>>()?,
    })
}

fn claim(claim: &proto::Claim) -> Result<Claim, Wrong> {
    Ok(Claim {
        benefit_id: parse("claims.benefit_id", &claim.benefit_id)?,
        expectation: claim.expectation.clone(),
        expected_score: small("claims.expected_score", claim.expected_score)?,
        importance: small("claims.importance", claim.importance)?,
        due_days: claim
            .due_days
            .map(|days| small("claims.due_days", days).map(Days))
            .transpose()?,
    })
}

pub(crate) fn claims_out(claims: &[Claim]) -> Vec<proto::Claim> {
    claims
        .iter()
        .map(|claim| proto::Claim {
            benefit_id: claim.benefit_id.to_string(),
            expectation: claim.expectation.clone(),
            expected_score: small_out(claim.expected_score),
            importance: small_out(claim.importance),
            due_days: claim.due_days.map(|days| small_out(days.0)),
        })
        .collect()
}
