//! Scorecards, as they are told.

use acquisition_domain::id::{BenefitId, CampaignName, PropositionId};
use customer_value::Interval;
use patron_proto::acquisition::v1 as proto;
use server::{Moment, money_out, pairs, timestamp};

use super::small_out;
use crate::read_model::benefits::{self, Group, Kano, MINIMUM_ELIGIBLE, Reach, THRESHOLD_PERCENT};
use crate::read_model::figures::ratio;
use crate::read_model::point::PresentationName;
use crate::read_model::promises::Promises;
use crate::read_model::scorecard::{Basis, Retention, Scorecard};
use crate::read_model::valuation::{self, Method};

pairs!(kano_out, _kano: Kano = proto::KanoClass {
    MustBe = MustBe, Attractive = Attractive, OneDimensional = OneDimensional,
    Indifferent = Indifferent,
});

pub(crate) fn campaign_out(
    name: &CampaignName,
    card: &Scorecard,
    basis: Basis<'_>,
) -> proto::CampaignScorecard {
    proto::CampaignScorecard {
        campaign: name.to_string(),
        as_of: Some(timestamp(basis.moment.as_of)),
        model: basis.model.name().to_owned(),
        created: card.created,
        active: card.active,
        lost: card.lost,
        spend: card.spend.map(money_out),
        cac: card.cac.map(money_out),
        cac_media_only: card.cac_media_only.map(money_out),
        equity: Some(money_out(card.equity)),
        equity_per_spend: card.equity_per_spend,
        ltv_to_cac: card.ltv_to_cac,
        margin_to_date: Some(money_out(card.margin)),
        payback_days: card.payback_days.map(small_out),
        retention: retention_out(&card.retention),
        promises: Some(promises_out(card.promises)),
        other_currency_customers: small_out(card.other_currency),
        flagged_presentation_ids: card.flagged.clone(),
        value_basis: Some(basis_out(&card.value_basis)),
        known_at_position: basis.moment.known.token(),
    }
}

pub(crate) fn presentation_out(
    name: &PresentationName,
    card: &Scorecard,
    basis: Basis<'_>,
) -> proto::PresentationScorecard {
    proto::PresentationScorecard {
        presentation: name.to_string(),
        as_of: Some(timestamp(basis.moment.as_of)),
        model: basis.model.name().to_owned(),
        created: card.created,
        active: card.active,
        lost: card.lost,
        flagged: !card.flagged.is_empty(),
        promises: Some(promises_out(card.promises)),
        retention: retention_out(&card.retention),
        spend: card.spend.map(money_out),
        cac: card.cac.map(money_out),
        cac_media_only: card.cac_media_only.map(money_out),
        equity: Some(money_out(card.equity)),
        equity_per_spend: card.equity_per_spend,
        ltv_to_cac: card.ltv_to_cac,
        margin_to_date: Some(money_out(card.margin)),
        payback_days: card.payback_days.map(small_out),
        other_currency_customers: small_out(card.other_currency),
        value_basis: Some(basis_out(&card.value_basis)),
        known_at_position: basis.moment.known.token(),
    }
}

pub(crate) fn benefit_out(
    (proposition, benefit): &(PropositionId, BenefitId),
    card: &benefits::Scorecard,
    moment: &Moment,
) -> proto::BenefitScorecard {
    proto::BenefitScorecard {
        benefit: format!("propositions/{proposition}/benefits/{benefit}"),
        as_of: Some(timestamp(moment.as_of)),
        presented: Some(reach_out(card.presented)),
        not_presented: Some(reach_out(card.not_presented)),
        promises: Some(promises_out(card.promises)),
        kept: Some(group_out(card.kept)),
        broken: Some(group_out(card.broken)),
        never_promised: Some(group_out(card.never_promised)),
        reward: card.reward(),
        penalty: card.penalty(),
        kano_class: card.kano().map(kano_out),
        kano_threshold: f64::from(THRESHOLD_PERCENT) / 100.0,
        kano_minimum_eligible: small_out(MINIMUM_ELIGIBLE),
        known_at_position: moment.known.token(),
    }
}

fn reach_out(reach: Reach) -> proto::BenefitReach {
    let interval = Interval::wilson95(u64::from(reach.converted), u64::from(reach.prospects));
    proto::BenefitReach {
        prospects: i64::from(reach.prospects),
        converted: i64::from(reach.converted),
        conversion_rate: ratio(f64::from(reach.converted), f64::from(reach.prospects)),
        conversion_rate_lower: interval.map(|interval| interval.low),
        conversion_rate_upper: interval.map(|interval| interval.high),
    }
}

fn group_out(group: Group) -> proto::BenefitRetention {
    let interval = Interval::wilson95(u64::from(group.stayed), u64::from(group.eligible));
    proto::BenefitRetention {
        customers: i64::from(group.customers),
        eligible: i64::from(group.eligible),
        stayed: i64::from(group.stayed),
        rate: group.rate(),
        rate_lower: interval.map(|interval| interval.low),
        rate_upper: interval.map(|interval| interval.high),
    }
}

fn retention_out(retention: &[Retention]) -> Vec<proto::RetentionAfter> {
    let retention = retention.iter();
    retention
        .map(|after| proto::RetentionAfter {
            days: small_out(after.days.0),
            eligible: after.eligible,
            rate: after.rate,
        })
        .collect()
}

fn promises_out(tally: Promises) -> proto::PromiseTally {
    let interval = tally.interval();
    proto::PromiseTally {
        made: small_out(tally.made),
        kept: small_out(tally.kept),
        broken: small_out(tally.broken),
        repaired: small_out(tally.repaired),
        waived: small_out(tally.waived),
        open: small_out(tally.open),
        overdue: small_out(tally.overdue),
        kept_rate: tally.kept_rate(),
        kept_rate_lower: interval.map(|interval| interval.low),
        kept_rate_upper: interval.map(|interval| interval.high),
    }
}

fn basis_out(basis: &valuation::Basis) -> proto::ValueBasis {
    let (assumptions, ledger) = (basis.assumptions, format!("ledgers/{}", basis.currency));
    let method = match assumptions.method {
        Method::Simple => "SIMPLE",
        Method::MbgNbd => "MBG_NBD",
    };
    let model = basis.model;
    proto::ValueBasis {
        method: method.to_owned(),
        annual_retention_rate: assumptions.annual_retention_rate.to_f64(),
        annual_discount_rate: assumptions.annual_discount_rate.to_f64(),
        model: model.map_or_else(String::new, |number| format!("{ledger}/models/{number}")),
        ledger,
        horizon_months: model.map(|_| small_out(assumptions.horizon_months)),
    }
}
