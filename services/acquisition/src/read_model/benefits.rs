//! Whether a benefit wins customers and whether it keeps them.

use std::collections::BTreeSet;

use acquisition_domain::id::{BenefitId, CampaignId, PresentationId, PropositionId};
use eventsourcing::{Days, Time};
use read_model::{Error, Rows};
use server::Moment;
use uuid::Uuid;

use super::customers::{self, Fate};
use super::journeys::{self, Journey, Standing};
use super::offers;
use super::promises::Promises;
use super::scorecard::stayed;

/// After how many days it is asked who stayed.
const YEAR: Days = Days(365);

/// From which reward or penalty on a benefit matters, in hundredths: five points.
pub(crate) const THRESHOLD_PERCENT: u8 = 5;
/// How many customers each group needs before anything is said of its kind.
pub(crate) const MINIMUM_ELIGIBLE: u32 = 20;

/// What a benefit did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Scorecard {
    /// Prospects to whom it was presented, and those to whom the rest of the proposition was.
    pub(crate) presented: Reach,
    pub(crate) not_presented: Reach,
    /// The promises of it that conversions made.
    pub(crate) promises: Promises,
    /// Customers by what became of that.
    pub(crate) kept: Group,
    pub(crate) broken: Group,
    pub(crate) never_promised: Group,
}

/// How many were reached and converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Reach {
    pub(crate) prospects: u32,
    pub(crate) converted: u32,
}

/// Customers, and how many of them stayed a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Group {
    pub(crate) customers: u32,
    pub(crate) eligible: u32,
    pub(crate) stayed: u32,
}

/// What keeping and breaking a benefit does, after Kano.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kano {
    MustBe,
    Attractive,
    OneDimensional,
    Indifferent,
}

impl Group {
    /// Who stayed of those who could; nothing if nobody could.
    pub(crate) fn rate(self) -> Option<f64> {
        super::figures::ratio(f64::from(self.stayed), f64::from(self.eligible))
    }

    fn count(&mut self, customer: &customers::Customer, acquired_at: Time, moment: &Moment) {
        self.customers += 1;
        if let Some(stayed) = stayed(customer, acquired_at, YEAR, moment) {
            self.eligible += 1;
            self.stayed += u32::from(stayed);
        }
    }

    /// Whether its rate is above another one's by the threshold or more: exact, without a division.
    fn exceeds(self, other: Self) -> bool {
        let cross = |a: u32, b: u32| i64::from(a) * i64::from(b);
        let difference = cross(self.stayed, other.eligible) - cross(other.stayed, self.eligible);
        let whole = cross(self.eligible, other.eligible);
        i128::from(difference) * 100 >= i128::from(whole) * i128::from(THRESHOLD_PERCENT)
    }

    const fn is_enough(self) -> bool {
        self.eligible >= MINIMUM_ELIGIBLE
    }
}

impl Scorecard {
    /// How much better retention is when it is kept than when it is never promised.
    pub(crate) fn reward(&self) -> Option<f64> {
        Some(self.kept.rate()? - self.never_promised.rate()?)
    }

    /// How much worse retention is when it is broken than when it is never promised.
    pub(crate) fn penalty(&self) -> Option<f64> {
        Some(self.never_promised.rate()? - self.broken.rate()?)
    }

    /// What kind of benefit that makes it; nothing while a group is too small.
    pub(crate) fn kano(&self) -> Option<Kano> {
        let enough = self.kept.is_enough() && self.broken.is_enough();
        if !(enough && self.never_promised.is_enough()) {
            return None;
        }
        let reward = self.kept.exceeds(self.never_promised);
        let penalty = self.never_promised.exceeds(self.broken);
        Some(match (reward, penalty) {
            (false, true) => Kano::MustBe,
            (true, false) => Kano::Attractive,
            (true, true) => Kano::OneDimensional,
            (false, false) => Kano::Indifferent,
        })
    }
}

/// Computes the scorecard of a benefit; nothing if no published proposition was known to have it.
pub(crate) fn scorecard(
    rows: &dyn Rows,
    proposition: &PropositionId,
    benefit: &BenefitId,
    moment: &Moment,
) -> Result<Option<Scorecard>, Error> {
    if !offers::has_benefit(rows, proposition, benefit, &moment.known)? {
        return Ok(None);
    }
    let claiming = Claiming::of(rows, proposition, benefit, moment)?;
    let mut card = Scorecard::default();
    let mut customers: Vec<(Uuid, Time, bool)> = Vec::new();
    journeys::visit(rows, moment, |journey| {
        if journey.stands == Standing::Merged {
            return;
        }
        let converted = journey.converted.as_ref();
        let converted = converted.filter(|(_, how)| how.proposition_id == *proposition);
        if let Some((at, how)) = converted {
            customers.push((journey.prospect, *at, how.benefits.contains(benefit)));
        }
        if let Some(presented) = claiming.reached(&journey) {
            let reach = if presented {
                &mut card.presented
            } else {
                &mut card.not_presented
            };
            reach.prospects += 1;
            reach.converted += u32::from(converted.is_some());
        }
    })?;
    for (id, acquired_at, promised) in customers {
        card.count(rows, benefit, (id, acquired_at, promised), moment)?;
    }
    Ok(Some(card))
}

/// What claims a benefit of a proposition.
struct Claiming<'a> {
    proposition: &'a PropositionId,
    presentations: BTreeSet<PresentationId>,
    /// Those that show one of these presentations.
    campaigns: BTreeSet<CampaignId>,
}

impl<'a> Claiming<'a> {
    fn of(
        rows: &dyn Rows,
        proposition: &'a PropositionId,
        benefit: &BenefitId,
        moment: &Moment,
    ) -> Result<Self, Error> {
        let shown = offers::all_shown(rows, proposition, &moment.known)?;
        let presentations: BTreeSet<PresentationId> = shown
            .into_iter()
            .filter(|(_, shown)| shown.benefits.contains(benefit))
            .map(|(id, _)| id)
            .collect();
        let claims = |id: &PresentationId| presentations.contains(id);
        let runs = offers::all_runs(rows, proposition, &moment.known)?;
        let campaigns = runs
            .into_iter()
            .filter(|(_, run)| run.presentation_ids.iter().any(claims))
            .map(|(id, _)| id)
            .collect();
        Ok(Self {
            proposition,
            presentations,
            campaigns,
        })
    }

    /// Whether a touch of the proposition's campaigns presented the benefit; nothing without such a touch. One
    /// that names no presentation presented what those of its campaign claim.
    fn reached(&self, journey: &Journey) -> Option<bool> {
        let presented = journey.touches.iter().filter_map(|met| {
            let touched = &met.touched;
            let campaign = touched.campaign.as_ref()?;
            let own = campaign.proposition_id == *self.proposition;
            own.then(|| match &touched.presentation_id {
                Some(presentation) => self.presentations.contains(presentation),
                None => self.campaigns.contains(&campaign.campaign_id),
            })
        });
        presented.reduce(|any, presented| any || presented)
    }
}

impl Scorecard {
    /// Counts in a customer of the proposition.
    fn count(
        &mut self,
        rows: &dyn Rows,
        benefit: &BenefitId,
        (id, acquired_at, promised): (Uuid, Time, bool),
        moment: &Moment,
    ) -> Result<(), Error> {
        let customer = customers::get(rows, id)?;
        if !promised {
            self.never_promised.count(&customer, acquired_at, moment);
            return Ok(());
        }
        let mut fates = Vec::new();
        for promise in customers::promises(rows, id, moment)? {
            if promise.benefit_id == *benefit {
                self.promises.count(&promise, moment);
                fates.extend(promise.fate(moment));
            }
        }
        if fates
            .iter()
            .any(|fate| matches!(fate, Fate::Broken | Fate::Repaired))
        {
            self.broken.count(&customer, acquired_at, moment);
        } else if fates.contains(&Fate::Kept) {
            self.kept.count(&customer, acquired_at, moment);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Group, Kano, Scorecard};

    /// So many of a hundred stayed.
    fn stayed(stayed: u32) -> Group {
        Group {
            customers: 100,
            eligible: 100,
            stayed,
        }
    }

    fn kano(kept: u32, broken: u32) -> Option<Kano> {
        let card = Scorecard {
            kept: stayed(kept),
            broken: stayed(broken),
            never_promised: stayed(70),
            ..Scorecard::default()
        };
        card.kano()
    }

    #[test]
    fn reward_and_penalty_of_five_points_make_the_kind_of_a_benefit() {
        assert_eq!(kano(74, 65), Some(Kano::MustBe));
        assert_eq!(kano(75, 66), Some(Kano::Attractive));
        assert_eq!(kano(75, 65), Some(Kano::OneDimensional));
        assert_eq!(kano(74, 66), Some(Kano::Indifferent));
    }

    #[test]
    fn of_fewer_than_twenty_customers_a_group_nothing_is_said() {
        let few = Group {
            customers: 30,
            eligible: 19,
            stayed: 19,
        };
        let card = Scorecard {
            kept: few,
            broken: stayed(10),
            never_promised: stayed(50),
            ..Scorecard::default()
        };
        assert_eq!((card.kano(), card.reward()), (None, Some(0.5)));
        assert_eq!(Scorecard::default().reward(), None);
    }
}
