//! The rules of risk: its bands, what speaks for them, and when somebody is told.

use eventsourcing::scenario::given;
use money::Rate;

use super::{AssessRisk, Band, Changed, Driver};
use crate::input::Invalid;
use crate::promise::Finding;
use crate::story::{
    REQUEST, assess, assess_risk, buy, customer, day, eur, give_notice, leave, repair, reverse,
    win_back, withdraw_notice,
};
use crate::{Command, Customer, Event, Refusal, Thing};

/// The band after an assessment on a day, and what speaks for it.
fn assessed(
    story: eventsourcing::scenario::Given<Customer>,
    number: i64,
    p_alive: Option<u16>,
) -> (Band, Vec<Driver>) {
    let story = story.and(assess_risk(number, p_alive));
    let risk = story.state().risk.clone();
    (risk.band, risk.drivers)
}

#[test]
fn nothing_speaks_for_losing_a_quiet_customer() {
    customer().when(assess_risk(120, None)).nothing();
    customer().when(assess_risk(120, Some(500))).nothing();
}

#[test]
fn a_broken_promise_makes_the_risk_high_and_the_customer_is_to_be_kept() {
    let story = customer().and(assess("next-day", Finding::Broken, 110));
    let events = story.when(assess_risk(120, None)).result().unwrap();
    let [Event::RiskChanged(changed), Event::ActionProposed(_)] = events.as_slice() else {
        panic!("{events:?}");
    };
    let expected = Changed {
        band: Band::High,
        previous: Band::Low,
        p_alive: None,
        drivers: vec![Driver::PromiseBroken],
        occurred_at: day(120),
    };
    assert_eq!(changed, &expected);
}

#[test]
fn notice_makes_the_risk_high_but_the_customer_is_to_be_kept_once() {
    let story = customer().and(give_notice(110, 500));
    let events = story.when(assess_risk(120, None)).result().unwrap();
    assert!(
        matches!(events.as_slice(), [Event::RiskChanged(_)]),
        "{events:?}"
    );
}

#[test]
fn an_overdue_promise_makes_the_risk_medium() {
    let expected = (Band::Medium, vec![Driver::PromiseOverdue]);
    assert_eq!(assessed(customer(), 131, None), expected);
}

#[test]
fn a_reversal_makes_the_risk_medium_for_90_days() {
    let story = || {
        customer()
            .and(assess("next-day", Finding::Kept, 110))
            .and(buy("p", eur(100), 110))
            .and(reverse("p", "r", eur(50), 200))
    };
    let expected = (Band::Medium, vec![Driver::Reversal]);
    assert_eq!(assessed(story(), 289, None), expected);
    assert_eq!(assessed(story(), 290, None), (Band::Low, vec![]));
}

#[test]
fn a_small_chance_of_being_alive_makes_the_risk_medium_and_a_tiny_one_high() {
    let low = vec![Driver::LowPAlive];
    for (p_alive, band) in [
        (499, Band::Medium),
        (200, Band::Medium),
        (199, Band::High),
        (0, Band::High),
    ] {
        assert_eq!(
            assessed(customer(), 120, Some(p_alive)),
            (band, low.clone())
        );
    }
}

#[test]
fn the_strongest_driver_decides_and_all_are_named() {
    let story = customer().and(give_notice(110, 500));
    let drivers = vec![Driver::PromiseOverdue, Driver::Notice, Driver::LowPAlive];
    assert_eq!(assessed(story, 131, Some(300)), (Band::High, drivers));
}

#[test]
fn somebody_is_told_only_when_the_band_changes() {
    let story = customer()
        .and(assess("next-day", Finding::Broken, 110))
        .and(assess_risk(120, None));
    story.when(assess_risk(121, Some(100))).nothing();
    let story = customer()
        .and(give_notice(110, 500))
        .and(assess_risk(111, None))
        .and(withdraw_notice(112));
    let calmed = story.when(assess_risk(113, None)).result().unwrap();
    assert!(
        matches!(
            calmed.as_slice(),
            [Event::RiskChanged(Changed {
                band: Band::Low,
                previous: Band::High,
                ..
            })]
        ),
        "{calmed:?}"
    );
}

#[test]
fn a_repaired_promise_no_longer_speaks_for_a_loss() {
    let story = customer()
        .and(assess("next-day", Finding::Broken, 110))
        .and(assess_risk(111, None))
        .and(repair("next-day", 112));
    assert_eq!(assessed(story, 113, None), (Band::Low, vec![]));
}

#[test]
fn nobody_can_lose_a_lost_customer() {
    let lost = || {
        customer()
            .and(assess("next-day", Finding::Broken, 110))
            .and(assess_risk(111, None))
            .and(leave(120))
    };
    lost().when(assess_risk(121, Some(0))).nothing();
    assert_eq!(lost().state().risk.band, Band::Low);
    let story = lost().and(win_back(130));
    assert_eq!(story.state().risk.band, Band::Low);
    assert_eq!(
        assessed(story, 131, None),
        (Band::High, vec![Driver::PromiseBroken])
    );
}

#[test]
fn a_chance_is_a_share() {
    let command = Command::AssessRisk(AssessRisk {
        request_id: REQUEST,
        p_alive: Rate::from_f64(1.5),
        now: day(120),
    });
    customer()
        .when(command)
        .refused(Invalid::NoShare { field: "p_alive" }.into());
    given::<Customer>([])
        .when(assess_risk(120, None))
        .refused(Refusal::NotFound(Thing::Customer));
}
