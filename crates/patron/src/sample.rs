//! A plausible business of two years, drawn from a seed: for the demo, for tests and for measuring.
//!
//! A company sells coffee to offices. Every quarter it runs one campaign, by turns with one of two presentations:
//! `fresh` promises fresh beans, `speed` promises service on the next day. What a seed means:
//!
//! - people come evenly over the two years; each is touched once and then again and again, 10 times in the mean
//!   and 40 at most, with 4 days between touches in the mean;
//! - 7 of 10 touches belong to the campaign of their day and show its presentation, the others to nothing; one of
//!   five channels each, search most often;
//! - 55 % are qualified; 15 % become customers after their last touch, 35 % are closed, the others stay open;
//! - the first purchase is at least 50.00 EUR, 200.00 in the mean; what follows comes every 50 days in the mean;
//! - 20 to 40 days after the conversion its promise is judged: `fresh` is kept for 93 %, `speed` for 55 %;
//! - 40 % of those whose promise was broken leave in the next two months, of the others 5 %.
//!
//! So `speed` wins as many customers and keeps fewer of them, which is what Patron is there to show. The draw uses
//! no generator but its own, so a seed means the same business for ever.

mod agenda;
mod chance;
pub(crate) mod live;
mod offer;
#[cfg(test)]
mod tests;

pub(crate) use chance::Chance;

/// How long the business is watched.
pub(crate) const DAYS: u32 = 730;
/// How many people a large business meets: with it 200,000 touches and 3,000 customers.
pub(crate) const LARGE: usize = 20_000;

/// Eight campaigns in two years.
const CAMPAIGN_DAYS: u32 = 92;
const CHANNELS: [&str; 10] = [
    "search",
    "search",
    "search",
    "search",
    "social",
    "social",
    "mail",
    "mail",
    "trade-fair",
    "sales_rep",
];
const MOST_TOUCHES: usize = 40;

/// A business.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Business {
    pub(crate) people: Vec<Person>,
}

/// Somebody the business meets. Days count from its beginning.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Person {
    /// In order; the first one is the day on which the prospect is created.
    pub(crate) touches: Vec<Touch>,
    pub(crate) qualified: Option<u32>,
    pub(crate) end: End,
}

/// A touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Touch {
    pub(crate) day: u32,
    /// Seconds of that day.
    pub(crate) second: u32,
    /// The campaign of that day, if it belongs to one.
    pub(crate) campaign: Option<u32>,
    pub(crate) channel: &'static str,
}

/// What becomes of somebody.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    Open,
    Closed(u32),
    Converted(Customer),
}

/// A customer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Customer {
    pub(crate) day: u32,
    /// The campaign named at the conversion: the one of the last touch that has one.
    pub(crate) campaign: Option<u32>,
    pub(crate) presentation: &'static str,
    /// Cents.
    pub(crate) first_purchase: i64,
    /// Day and cents of what follows.
    pub(crate) purchases: Vec<(u32, i64)>,
    /// When the promise is judged, and whether it was kept.
    pub(crate) judged: Option<(u32, bool)>,
    pub(crate) lost: Option<u32>,
}

/// The presentation that a campaign shows.
pub(crate) const fn presentation(campaign: u32) -> &'static str {
    if campaign.is_multiple_of(2) {
        "fresh"
    } else {
        "speed"
    }
}

/// The campaign of a day.
pub(crate) const fn campaign_of(day: u32) -> u32 {
    day / CAMPAIGN_DAYS
}

/// The first day of a campaign.
pub(crate) const fn first_day(campaign: u32) -> u32 {
    campaign * CAMPAIGN_DAYS
}

impl Business {
    /// Draws a business that meets so many people.
    pub(crate) fn draw(seed: u64, people: usize) -> Self {
        let mut chance = Chance::new(seed);
        Self {
            people: (0..people).map(|_| Person::draw(&mut chance)).collect(),
        }
    }
}

impl Person {
    fn draw(chance: &mut Chance) -> Self {
        let touches = touches(chance);
        let last = touches.last().map_or(0, |touch| touch.day);
        let day = last + 1 + chance.days(6.0);
        let fate = chance.unit();
        let qualified = chance.unit() < 0.55;
        let end = if day >= DAYS {
            End::Open
        } else if fate < 0.15 {
            End::Converted(Customer::draw(chance, day, &touches))
        } else if fate < 0.50 {
            End::Closed(day)
        } else {
            End::Open
        };
        Self {
            qualified: qualified.then_some(last),
            touches,
            end,
        }
    }
}

fn touches(chance: &mut Chance) -> Vec<Touch> {
    let count = 1 + chance.days(9.5) as usize;
    let mut day = chance.below(DAYS);
    let mut second = 0;
    let mut touches = Vec::new();
    while touches.len() < count.min(MOST_TOUCHES) && day < DAYS {
        // Two touches of one day follow each other.
        second += 1 + chance.below(1_000);
        let belongs = chance.unit() < 0.7;
        let channel = chance.below(10) as usize;
        touches.push(Touch {
            day,
            second,
            campaign: belongs.then(|| campaign_of(day)),
            channel: CHANNELS.get(channel).copied().unwrap_or("search"),
        });
        day += chance.days(4.0);
    }
    touches
}

impl Customer {
    fn draw(chance: &mut Chance, day: u32, touches: &[Touch]) -> Self {
        let campaign = touches.iter().rev().find_map(|touch| touch.campaign);
        let presentation = presentation(campaign.unwrap_or(0));
        let honest = if presentation == "fresh" { 0.93 } else { 0.55 };
        let first_purchase = 5_000 + i64::from(chance.days(15_000.0));
        let kept = chance.unit() < honest;
        let judged_on = day + 20 + chance.below(21);
        let leaves = chance.unit() < if kept { 0.05 } else { 0.40 };
        let lost_on = judged_on + 5 + chance.below(56);
        let lost = (leaves && lost_on < DAYS).then_some(lost_on);
        let mut purchases = Vec::new();
        let mut next = day + 5 + chance.days(50.0);
        while next < lost.unwrap_or(DAYS) {
            purchases.push((next, 2_000 + i64::from(chance.days(6_000.0))));
            next += 1 + chance.days(50.0);
        }
        Self {
            day,
            campaign,
            presentation,
            first_purchase,
            purchases,
            judged: (judged_on < DAYS).then_some((judged_on, kept)),
            lost,
        }
    }
}
