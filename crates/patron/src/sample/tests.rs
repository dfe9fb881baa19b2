//! What a seed means, and that the services see the business that was drawn.

mod values;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use attribution::{Journey, Occurred, Rule, attribute, path};
use eventsourcing::{FixedClock, Time};
use patron_proto::acquisition::v1 as acq;
use patron_proto::acquisition::v1::AttributionModel;
use server::LogSource;
use tempfile::TempDir;

use super::live::{Place, live};
use super::offer::campaign_name;
use super::{Business, End, LARGE, Person};
use crate::connect::{Acquisition, Retention, Services};
use crate::pair::{Pair, Plan};

/// 2026-01-01T00:00:00Z.
const BEGINS: Time = Time::from_seconds(1_767_225_600);

#[test]
fn a_seed_means_one_business_for_ever() {
    assert_eq!(Business::draw(7, 200), Business::draw(7, 200));
    assert_ne!(Business::draw(7, 200), Business::draw(8, 200));
    let first = &Business::draw(7, 1).people[0].touches[0];
    assert_eq!(
        (first.day, first.second, first.channel),
        (12, 901, "social")
    );
}

#[test]
fn a_large_business_has_the_size_that_is_said() {
    let business = Business::draw(1, LARGE);
    let touches: usize = business
        .people
        .iter()
        .map(|person| person.touches.len())
        .sum();
    assert!((170_000..230_000).contains(&touches), "{touches}");
    let customers = || {
        business
            .people
            .iter()
            .filter_map(|person| match &person.end {
                End::Converted(customer) => Some(customer),
                End::Open | End::Closed(_) => None,
            })
    };
    assert!(
        (2_600..3_200).contains(&customers().count()),
        "{}",
        customers().count()
    );
    let kept = |presentation: &str| {
        let judged = customers()
            .filter(|customer| customer.presentation == presentation)
            .filter_map(|customer| customer.judged);
        let (kept, broken): (Vec<_>, Vec<_>) = judged.partition(|(_, kept)| *kept);
        kept.len() * 100 / (kept.len() + broken.len())
    };
    assert!((90..97).contains(&kept("fresh")), "{}", kept("fresh"));
    assert!((50..60).contains(&kept("speed")), "{}", kept("speed"));
}

/// A business that was lived, and the services that know of it.
struct Lived {
    pair: Pair,
    acquisition: Acquisition,
    retention: Retention,
    business: Business,
    names: Vec<String>,
    _folder: TempDir,
}

impl Lived {
    async fn of(seed: u64, people: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock::at(BEGINS));
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let pair = Pair::start(Plan {
            log: LogSource::Embedded(folder.path().join("journal")),
            data: folder.path().join("data"),
            master_key: None,
            acquisition: Some(local),
            retention: Some(local),
            clock: Arc::<FixedClock>::clone(&clock),
        });
        let pair = pair.await.unwrap();
        pair.until_ready().await.unwrap();
        let services = Services {
            acquisition: format!("http://{}", pair.acquisition.as_ref().unwrap().address),
            retention: format!("http://{}", pair.retention.as_ref().unwrap().address),
        };
        let acquisition = services.acquisition().await.unwrap();
        let retention = services.retention().await.unwrap();
        let business = Business::draw(seed, people);
        let place = Place {
            acquisition: acquisition.clone(),
            retention: retention.clone(),
            begins: BEGINS,
            set_clock: &|time| clock.set(time),
        };
        let names = live(&business, place).await.unwrap();
        Self {
            pair,
            acquisition,
            retention,
            business,
            names,
            _folder: folder,
        }
    }

    /// By name.
    fn people(&self) -> Vec<(&String, &Person)> {
        let people = self.names.iter().zip(&self.business.people);
        let mut people: Vec<(&String, &Person)> = people.collect();
        people.sort_by_key(|(name, _)| *name);
        people
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_see_a_small_business_and_divide_it_as_the_crate_does() {
    let lived = Lived::of(3, 40).await;
    let people = lived.people();
    for rule in Rule::all() {
        let expected = attribute(&journeys(&people, rule), rule).unwrap();
        let credited = expected.credits.into_iter();
        let expected: Vec<(String, i64)> = credited
            .filter(|credit| credit.conversions > 0.0)
            .map(|credit| {
                let name = credit.channel.unwrap_or("(unattributed)".to_owned());
                (name, credit.value_minor)
            })
            .collect();
        let earned = earned(&lived.acquisition, rule).await;
        assert_eq!(earned, expected, "{}", rule.name());
    }
    // From the first touch, to the second, to the end of the day of the conversion.
    let mut lengths: Vec<f64> = people
        .iter()
        .filter_map(|(_, person)| {
            let End::Converted(customer) = &person.end else {
                return None;
            };
            let first = person.touches.first()?;
            let days = f64::from(customer.day) - f64::from(first.day);
            Some(days + (86_399.0 - f64::from(first.second)) / 86_400.0)
        })
        .collect();
    lengths.sort_by(f64::total_cmp);
    let (lower, upper) = ((lengths.len() - 1) / 2, lengths.len() / 2);
    let median = f64::midpoint(lengths[lower], lengths[upper]);
    let mut reports = lived.acquisition.reports.clone();
    let funnel = reports.get_funnel(acq::GetFunnelRequest::default()).await;
    let funnel = funnel.unwrap().into_inner().total.unwrap();
    let found = funnel.median_days_created_to_converted.unwrap();
    assert!((found - median).abs() < 1e-6, "{found} {median}");
    lived.pair.stop().await;
}

/// What each campaign earned through the service, in cents.
async fn earned(acquisition: &Acquisition, rule: Rule) -> Vec<(String, i64)> {
    let name = format!("ATTRIBUTION_MODEL_{}", rule.name());
    let request = acq::GetAttributionRequest {
        model: AttributionModel::from_str_name(&name).unwrap() as i32,
        dimension: acq::AttributionDimension::Campaign as i32,
        currency_code: "EUR".to_owned(),
        ..Default::default()
    };
    let mut reports = acquisition.reports.clone();
    let report = reports.get_attribution(request).await.unwrap().into_inner();
    // A campaign that nobody touched stands in the report for its spend.
    let credited = report.lines.into_iter().filter(|line| line.credit > 0.0);
    credited
        .map(|line| (line.touch_point, line.value.unwrap().minor_units))
        .collect()
}

/// The journeys of the business as the crate wants them.
fn journeys(people: &[(&String, &Person)], rule: Rule) -> Vec<Journey<String>> {
    let ended = people.iter().filter_map(|(_, person)| {
        let (day, value_minor, conversions) = match &person.end {
            End::Converted(customer) => (customer.day, customer.first_purchase, 1),
            End::Closed(day) if rule == Rule::Markov => (*day, 0, 0),
            End::Closed(_) | End::Open => return None,
        };
        let seconds = |day: u32, second: u32| i64::from(day) * 86_400 + i64::from(second);
        let touches: Vec<Occurred<String>> = (0..)
            .zip(&person.touches)
            .filter_map(|(position, touch)| {
                Some(Occurred {
                    at_ms: seconds(touch.day, touch.second) * 1_000,
                    position,
                    channel: campaign_name(touch.campaign?),
                })
            })
            .collect();
        Some(Journey {
            path: path(&touches, seconds(day, 86_399) * 1_000, 90),
            conversions,
            value_minor,
            non_conversions: 1 - conversions,
            open: 0,
        })
    });
    ended.collect()
}
