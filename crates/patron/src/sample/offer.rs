//! What the business offers: coffee for offices.

use patron_proto::acquisition::v1 as acq;
use patron_proto::types::v1::Money;

pub(super) const PROPOSITION: &str = "propositions/office-coffee";

/// The name of a campaign.
pub(super) fn campaign_name(campaign: u32) -> String {
    format!("{PROPOSITION}/campaigns/quarter-{}", campaign + 1)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "message fields are optional in protobuf"
)]
pub(super) fn euros(minor_units: i64) -> Option<Money> {
    Some(Money {
        currency_code: "EUR".to_owned(),
        minor_units,
    })
}

/// The proposition.
pub(super) fn office_coffee() -> acq::Proposition {
    let benefit = |id: &str, statement: &str, level: acq::BenefitLevel| acq::Benefit {
        benefit_id: id.to_owned(),
        statement: statement.to_owned(),
        nature: acq::BenefitNature::Tangible as i32,
        level: level as i32,
        problem_ids: vec!["bad-coffee".to_owned()],
        ..Default::default()
    };
    acq::Proposition {
        display_name: "Office coffee".to_owned(),
        problems: vec![acq::Problem {
            problem_id: "bad-coffee".to_owned(),
            statement: "Nobody stays in the kitchen for a talk".to_owned(),
        }],
        benefits: vec![
            benefit(
                "fresh-beans",
                "Roasted this week",
                acq::BenefitLevel::Expected,
            ),
            benefit(
                "next-day",
                "Repaired on the next day",
                acq::BenefitLevel::Augmented,
            ),
        ],
        ..Default::default()
    }
}

/// A presentation that claims one benefit.
pub(super) fn shown(benefit: &str) -> acq::Presentation {
    acq::Presentation {
        channel: "search".to_owned(),
        message: format!("Office coffee: {benefit}"),
        claims: vec![acq::Claim {
            benefit_id: benefit.to_owned(),
            expectation: "every week of the year".to_owned(),
            expected_score: 6,
            importance: 100,
            due_days: Some(45),
        }],
        ..Default::default()
    }
}
