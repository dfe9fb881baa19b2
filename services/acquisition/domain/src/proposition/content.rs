//! What a proposition says: problems first, then the benefits that solve them, then the difference.

use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::id::{BenefitId, DifferentiatorId, ProblemId};
use crate::input::{MAX_LABEL, MAX_STATEMENT, distinct, required};

/// How many problems a proposition may name.
pub const MAX_PROBLEMS: usize = 50;
/// How many benefits a proposition may name.
pub const MAX_BENEFITS: usize = 100;
/// How many differentiators a proposition may name.
pub const MAX_DIFFERENTIATORS: usize = 100;

/// What a proposition says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Content {
    /// What people call it.
    pub display_name: String,
    /// Which problems of customers it is about.
    pub problems: Vec<Problem>,
    /// What customers get.
    pub benefits: Vec<Benefit>,
    /// How that differs from what competitors offer.
    pub differentiators: Vec<Differentiator>,
}

/// A problem that customers have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Its id within the proposition.
    pub problem_id: ProblemId,
    /// The problem in the customer's words.
    pub statement: String,
}

/// Something that customers get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Benefit {
    /// Its id within the proposition.
    pub benefit_id: BenefitId,
    /// The benefit in the customer's words.
    pub statement: String,
    /// Whether it can be touched.
    pub nature: Nature,
    /// How far it goes beyond the bare product.
    pub level: Level,
    /// Which dimension of service quality it belongs to, if any.
    pub dimension: Option<Dimension>,
    /// Which of the proposition's problems it solves.
    pub problem_ids: Vec<ProblemId>,
}

/// A benefit that a competitor does not give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differentiator {
    /// Its id within the proposition.
    pub differentiator_id: DifferentiatorId,
    /// The benefit that differs.
    pub benefit_id: BenefitId,
    /// Whose offer it differs from.
    pub competitor: String,
    /// In what it differs.
    pub claim: String,
}

/// Whether a benefit can be touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Nature {
    /// It can be seen or measured before buying.
    Tangible,
    /// It has to be believed before buying.
    Intangible,
}

/// How far a benefit goes beyond the bare product (Levitt's total product).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Level {
    /// What everybody in the market must have.
    Generic,
    /// What customers take for granted.
    Expected,
    /// More than they thought of.
    Augmented,
    /// What could be done one day.
    Potential,
}

/// A dimension of service quality (SERVQUAL).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dimension {
    /// Doing what was promised, dependably.
    Reliability,
    /// Knowledge and courtesy that inspire trust.
    Assurance,
    /// How facilities, equipment and people look.
    Tangibles,
    /// Individual attention.
    Empathy,
    /// Prompt help.
    Responsiveness,
}

impl Content {
    /// Whether it names this problem.
    pub fn has_problem(&self, id: &ProblemId) -> bool {
        self.problems.iter().any(|known| known.problem_id == *id)
    }

    /// Whether it names this benefit.
    pub fn has_benefit(&self, id: &BenefitId) -> bool {
        self.benefits.iter().any(|known| known.benefit_id == *id)
    }

    /// Refuses a problem that it does not name, under the name of the field that does.
    pub(crate) fn must_have_problem(
        &self,
        field: &'static str,
        id: &ProblemId,
    ) -> Result<(), Refusal> {
        if self.has_problem(id) {
            return Ok(());
        }
        Err(Refusal::UnknownProblem {
            field,
            problem_id: id.clone(),
        })
    }

    /// Refuses a benefit that it does not name, under the name of the field that does.
    pub(crate) fn must_have_benefit(
        &self,
        field: &'static str,
        id: &BenefitId,
    ) -> Result<(), Refusal> {
        if self.has_benefit(id) {
            return Ok(());
        }
        Err(Refusal::UnknownBenefit {
            field,
            benefit_id: id.clone(),
        })
    }

    /// Whether each field is what it must be, and every id that is named is there.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        required("display_name", &self.display_name, MAX_LABEL)?;
        self.check_problems()?;
        self.check_benefits()?;
        self.check_differentiators()
    }

    fn check_problems(&self) -> Result<(), Refusal> {
        Refusal::limit("problems", self.problems.len(), MAX_PROBLEMS)?;
        let ids = self.problems.iter().map(|problem| &problem.problem_id);
        distinct("problems.problem_id", ids)?;
        for problem in &self.problems {
            required("problems.statement", &problem.statement, MAX_STATEMENT)?;
        }
        Ok(())
    }

    fn check_benefits(&self) -> Result<(), Refusal> {
        Refusal::limit("benefits", self.benefits.len(), MAX_BENEFITS)?;
        let ids = self.benefits.iter().map(|benefit| &benefit.benefit_id);
        distinct("benefits.benefit_id", ids)?;
        for benefit in &self.benefits {
            required("benefits.statement", &benefit.statement, MAX_STATEMENT)?;
            distinct("benefits.problem_ids", &benefit.problem_ids)?;
            for problem_id in &benefit.problem_ids {
                self.must_have_problem("benefits.problem_ids", problem_id)?;
            }
        }
        Ok(())
    }

    fn check_differentiators(&self) -> Result<(), Refusal> {
        let count = self.differentiators.len();
        Refusal::limit("differentiators", count, MAX_DIFFERENTIATORS)?;
        let ids = self.differentiators.iter().map(|d| &d.differentiator_id);
        distinct("differentiators.differentiator_id", ids)?;
        for differentiator in &self.differentiators {
            required(
                "differentiators.competitor",
                &differentiator.competitor,
                MAX_LABEL,
            )?;
            required(
                "differentiators.claim",
                &differentiator.claim,
                MAX_STATEMENT,
            )?;
            self.must_have_benefit("differentiators.benefit_id", &differentiator.benefit_id)?;
        }
        Ok(())
    }
}
