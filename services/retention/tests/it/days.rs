//! A year of days: whoever lives through it, and however often somebody dies, it is the same year.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use eventsourcing::{FixedClock, Time};
use futures::FutureExt as _;
use journal::memory::MemoryTopics;
use patron_proto::retention::v1 as proto;
use prost::{Message, Name};
use runtime::Options;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::harness::{DAY, Harness, NOW, assess, at, euros, open, purchase, record, terms};

const CUSTOMERS: i64 = 12;
const YEAR: i64 = 365;
/// Everything that is done on a day is done at nine.
const NINE: i64 = 9 * 3_600;
const SEVEN: i64 = 7 * 3_600;
/// On these days nothing is done, and in one of the years nobody is there.
const HOLIDAYS: std::ops::Range<i64> = 100..130;
const INACTIVITY: i64 = 60;

/// Who lives through the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crew {
    /// One instance.
    One,
    /// Two, and every fifth day one of them dies while it works on what the day brings.
    TwoMortals,
    /// One, and during the holidays none.
    OneWithHolidays,
}

/// What happened to each customer, in order: kind and message.
type Story = BTreeMap<String, Vec<(String, Vec<u8>)>>;

/// A log and its clock.
struct Site {
    topics: MemoryTopics,
    clock: Arc<FixedClock>,
}

impl Site {
    fn new() -> Self {
        let clock = Arc::new(FixedClock::at(Time::from_seconds(NOW + NINE)));
        let topics = MemoryTopics::new(Arc::<FixedClock>::clone(&clock));
        Self { topics, clock }
    }

    async fn instance(&self) -> Harness {
        let options = Options {
            partitions: 2,
            tick_patience: Duration::from_millis(20),
            ..Options::for_pair("retention", "acquisition")
        };
        let (topics, clock) = (self.topics.clone(), Arc::clone(&self.clock));
        Harness::on(topics, clock, options).await
    }
}

/// Who buys nothing for so long is no customer any more.
fn silence() -> proto::SetAssumptionsRequest {
    proto::SetAssumptionsRequest {
        name: "ledgers/EUR".to_owned(),
        inactivity_days: Some(i32::try_from(INACTIVITY).unwrap()),
        request_id: Uuid::from_u128(1).to_string(),
        ..Default::default()
    }
}

/// It does nothing more, wherever it was.
fn kill(victim: Harness) {
    victim.running.engine.stopping().cancel();
    drop(victim);
}

async fn year(crew: Crew) -> (Story, Vec<proto::Customer>) {
    let site = Site::new();
    let mut one = site.instance().await;
    let mut two = match crew {
        Crew::TwoMortals => Some(site.instance().await),
        Crew::One | Crew::OneWithHolidays => None,
    };
    one.ledgers().set_assumptions(silence()).await.unwrap();
    let names = begin(&one).await;
    for day in 1..=YEAR {
        if crew == Crew::OneWithHolidays && HOLIDAYS.contains(&day) {
            if day == HOLIDAYS.start {
                one.running.engine.stopping().cancel();
            }
            continue;
        }
        site.clock.set(Time::from_seconds(NOW + day * DAY + NINE));
        if crew == Crew::OneWithHolidays && day == HOLIDAYS.end {
            one = site.instance().await;
        }
        for instance in [Some(&one), two.as_ref()].into_iter().flatten() {
            instance.running.engine.clock_moved();
        }
        if let Some(victim) = two.take_if(|_| day % 5 == 0) {
            // At another place in its work each time.
            work(&victim, day % 7).await;
            kill(victim);
            one.running.engine.until_ticked(now(&site)).await.unwrap();
            // The one that is left is the next to die.
            two = Some(std::mem::replace(&mut one, site.instance().await));
        }
        one.running.engine.until_ticked(now(&site)).await.unwrap();
        if !HOLIDAYS.contains(&day) {
            spend(&one, &names, day).await;
        }
    }
    one.running.engine.barrier().await.unwrap();
    if let Some(two) = two {
        two.running.engine.barrier().await.unwrap();
        let digest = |harness: &Harness| harness.running.engine.store().digest();
        assert_eq!(digest(&one), digest(&two));
    }
    let mut customers = Vec::new();
    for name in &names {
        // How often somebody looked and found nothing to do is part of the version.
        let etag = String::new();
        let shown = one.full(name).await;
        customers.push(proto::Customer { etag, ..shown });
    }
    (story(&one), customers)
}

fn now(site: &Site) -> Time {
    use eventsourcing::Clock as _;
    site.clock.now()
}

/// Waits until so many records have come of the day, or all of it is done.
async fn work(instance: &Harness, records: i64) {
    let engine = &instance.running.engine;
    let applied = || engine.position().offsets.iter().sum::<u64>();
    let enough = applied() + records.unsigned_abs();
    let today = engine.clock().now();
    while applied() < enough && engine.until_ticked(today).now_or_never().is_none() {
        tokio::task::yield_now().await;
    }
}

/// The same request in every year.
fn request_id(what: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, what.as_bytes()).to_string()
}

/// The first day: everybody becomes a customer. Of four, one will give notice, one will fall silent, one
/// is owed something, and one stays.
async fn begin(instance: &Harness) -> Vec<String> {
    let mut names = Vec::new();
    for number in 0..CUSTOMERS {
        let mut opened = open(&number.to_string());
        opened.request_id = request_id(&format!("open {number}"));
        let opened = instance.customers().open_relationship(opened).await;
        let name = opened.unwrap().into_inner().name;
        if number % 4 == 2 {
            let mut promise = terms("later");
            promise.due_at = at((15 + 7 * number) * DAY);
            let made = proto::MakePromiseRequest {
                parent: name.clone(),
                promise: Some(proto::Promise {
                    proposition: "propositions/van-repair".to_owned(),
                    terms: Some(promise),
                    ..Default::default()
                }),
                request_id: request_id(&format!("promise {number}")),
                ..Default::default()
            };
            instance.promises().make_promise(made).await.unwrap();
        } else {
            let mut kept = assess(&name, "next-day", proto::PromiseVerdict::Kept);
            kept.request_id = request_id(&format!("assess {number}"));
            instance.promises().assess_promise(kept).await.unwrap();
        }
        names.push(name);
    }
    names
}

/// What people do on an ordinary day.
async fn spend(instance: &Harness, names: &[String], day: i64) {
    for (number, name) in (0..).zip(names) {
        let what = |what: &str| request_id(&format!("{what} {number} {day}"));
        if buys(number, day) {
            let bought = purchase(&format!("p{day}"), 10_000, day * DAY + NINE);
            let mut bought = record(name, bought);
            bought.request_id = what("buy");
            instance.customers().record_purchase(bought).await.unwrap();
        }
        if number % 4 == 0 && day == 3 + 24 * number {
            let notice = proto::GiveNoticeRequest {
                name: name.clone(),
                effective_at: at((day + 20) * DAY + SEVEN),
                cause: proto::LossCause::Voluntary as i32,
                reason: proto::LossReason::Price as i32,
                request_id: what("notice"),
                ..Default::default()
            };
            instance.customers().give_notice(notice).await.unwrap();
        }
        if number % 4 == 3 && day == 40 {
            let reversed = proto::ReversePurchaseRequest {
                parent: name.clone(),
                purchase_id: "p40".to_owned(),
                reversal: Some(proto::Reversal {
                    reversal_id: "r".to_owned(),
                    amount: euros(100),
                    ..Default::default()
                }),
                request_id: what("reverse"),
                ..Default::default()
            };
            instance
                .customers()
                .reverse_purchase(reversed)
                .await
                .unwrap();
        }
    }
}

/// Everybody buys every 20 days; one of four stops.
fn buys(number: i64, day: i64) -> bool {
    let stops = number % 4 == 1 && day > 20 * (1 + number / 4);
    day % 20 == 0 && !stops && !HOLIDAYS.contains(&day) && !left_by(number, day)
}

/// Whether a customer's notice has taken effect by that day.
fn left_by(number: i64, day: i64) -> bool {
    number % 4 == 0 && day >= 3 + 24 * number + 20
}

/// Everything that stands in the journal about customers.
fn story(instance: &Harness) -> Story {
    let engine = &instance.running.engine;
    let mut story = Story::new();
    for partition in 0..engine.placement().partitions() {
        let mut accepted = engine.accepted_from(partition, 0);
        while let Some(Ok(accepted)) = accepted.next().now_or_never() {
            for append in accepted.commit.appends.clone() {
                let events = append.events.into_iter();
                let told = events.filter(|event| event.kind.starts_with("patron.retention."));
                let told = told.map(|event| (event.kind, event.payload.to_vec()));
                if append.stream.collection() == "customers" {
                    let stream = append.stream.to_string();
                    story.entry(stream).or_default().extend(told);
                }
            }
        }
    }
    story
}

/// The events of one kind that happened to a customer.
fn of<M: Message + Name + Default>(story: &Story, name: &str) -> Vec<M> {
    let told = story[name]
        .iter()
        .filter(|(kind, _)| *kind == M::full_name());
    told.map(|(_, payload)| M::decode(payload.as_slice()).unwrap())
        .collect()
}

/// What the year must have brought to a customer.
fn judge(story: &Story, name: &str, number: i64) {
    let losses: Vec<proto::RelationshipLost> = of(story, name);
    let losses: Vec<_> = losses
        .iter()
        .map(|loss| (loss.occurred_at, loss.cause))
        .collect();
    let expected = match number % 4 {
        0 => {
            let ended_at = at((3 + 24 * number + 20) * DAY + SEVEN);
            vec![(ended_at, proto::LossCause::Voluntary as i32)]
        }
        1 => {
            let last = (1..=YEAR).rfind(|day| buys(number, *day)).unwrap();
            let ended_at = at((last + INACTIVITY + 1) * DAY);
            vec![(ended_at, proto::LossCause::Inactivity as i32)]
        }
        _ => vec![],
    };
    assert_eq!(losses, expected, "{name}, {number}");

    let overdue: Vec<proto::PromiseOverdue> = of(story, name);
    let mut overdue: Vec<_> = overdue
        .into_iter()
        .map(|overdue| (overdue.promise, overdue.occurred_at))
        .collect();
    overdue.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = if number % 4 == 2 {
        let promise = |id: &str| format!("{name}/promises/{id}");
        vec![
            (promise("later"), at((15 + 7 * number + 1) * DAY)),
            (promise("next-day"), at(31 * DAY)),
        ]
    } else {
        vec![]
    };
    assert_eq!(overdue, expected, "{name}, {number}");

    let risks: Vec<proto::RiskChanged> = of(story, name);
    let risks: Vec<_> = risks
        .iter()
        .map(|risk| (risk.occurred_at, risk.band))
        .collect();
    let expected = match number % 4 {
        // On the day after the notice; and on the day when the reversal no longer speaks.
        0 => vec![(at((4 + 24 * number) * DAY), proto::RiskBand::High as i32)],
        2 => vec![(
            at((15 + 7 * number + 1).min(31) * DAY),
            proto::RiskBand::Medium as i32,
        )],
        3 => vec![
            (at(41 * DAY), proto::RiskBand::Medium as i32),
            (at(131 * DAY), proto::RiskBand::Low as i32),
        ],
        _ => vec![],
    };
    assert_eq!(risks, expected, "{name}, {number}");
}

/// The year of one instance, which the others are measured by.
async fn measure() -> &'static (Story, Vec<proto::Customer>) {
    static YEAR_OF_ONE: OnceCell<(Story, Vec<proto::Customer>)> = OnceCell::const_new();
    YEAR_OF_ONE.get_or_init(|| year(Crew::One)).await
}

#[tokio::test]
async fn a_year_brings_everything_once_and_on_its_day() {
    let (story, customers) = measure().await;
    assert_eq!(customers.len(), story.len());
    for (number, customer) in (0..).zip(customers) {
        judge(story, &customer.name, number);
    }
}

#[tokio::test]
async fn a_year_is_the_same_for_two_of_whom_one_dies_every_few_days() {
    assert_eq!(&year(Crew::TwoMortals).await, measure().await);
}

#[tokio::test]
async fn a_year_is_the_same_if_nobody_was_there_for_thirty_days() {
    assert_eq!(&year(Crew::OneWithHolidays).await, measure().await);
}
