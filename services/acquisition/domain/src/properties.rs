//! What holds for any history: it can be told again, and it does not matter which parts are in memory.

use std::fmt::Debug;

use eventsourcing::{Aggregate, Parts};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::campaign::{BookedSpend, SpendKey};
use crate::id::TouchpointId;
use crate::input::When;
use crate::offer::Ask;
use crate::proposition::{self, Proposition};
use crate::prospect::{
    self, CloseReason, Closing, Convert, FirstPurchase, Kind, Prospect, Qualification, Touch,
    TouchKind, Touchpoint,
};
use crate::story;

/// An aggregate with a large collection, seen from whoever loads it.
trait Partial: Aggregate<Command: Clone, Event: Debug + PartialEq, Refusal: Debug + PartialEq>
where
    Self: Clone + Debug + PartialEq + Serialize + DeserializeOwned,
{
    type Key: Ord + Clone + Debug;
    type Part: Clone + Debug + PartialEq;

    fn parts(&mut self) -> &mut Parts<Self::Key, Self::Part>;
    fn needed_to_decide(command: &Self::Command) -> Vec<Self::Key>;
    fn needed_to_evolve(event: &Self::Event) -> Vec<Self::Key>;

    /// The same state with only these parts in memory.
    fn with_only(&self, keys: &[Self::Key]) -> Self {
        let mut all = self.clone();
        let mut partial = self.clone();
        *partial.parts() = Parts::default();
        for key in keys {
            if let Some(part) = all.parts().get(key) {
                partial.parts().load(key.clone(), part.clone());
            }
        }
        partial
    }
}

impl Partial for Proposition {
    type Key = SpendKey;
    type Part = BookedSpend;

    fn parts(&mut self) -> &mut Parts<SpendKey, BookedSpend> {
        &mut self.spends
    }

    fn needed_to_decide(command: &proposition::Command) -> Vec<SpendKey> {
        command.parts()
    }

    fn needed_to_evolve(event: &proposition::Event) -> Vec<SpendKey> {
        event.parts()
    }
}

impl Partial for Prospect {
    type Key = TouchpointId;
    type Part = Touchpoint;

    fn parts(&mut self) -> &mut Parts<TouchpointId, Touchpoint> {
        &mut self.touchpoints
    }

    fn needed_to_decide(command: &prospect::Command) -> Vec<TouchpointId> {
        command.parts()
    }

    fn needed_to_evolve(event: &prospect::Event) -> Vec<TouchpointId> {
        event.parts()
    }
}

/// Lets the commands happen that are allowed, and checks on the way that the decision and the change are
/// the same with only those parts in memory that the command and the event name, and that the state comes
/// back from its stored form. Returns how many events there were.
fn live<A: Partial>(commands: Vec<A::Command>) -> Result<usize, TestCaseError> {
    let mut state = A::default();
    let mut history = Vec::new();
    for command in commands {
        let decided = state.decide(command.clone());
        let partial = state.with_only(&A::needed_to_decide(&command));
        prop_assert_eq!(&partial.decide(command), &decided);
        for event in decided.unwrap_or_default() {
            let mut partial = state.with_only(&A::needed_to_evolve(&event));
            partial.evolve(&event);
            state.parts().take_changes();
            state.evolve(&event);
            same_change(&mut state, &mut partial)?;
            let stored = postcard::to_stdvec(&state).unwrap();
            prop_assert_eq!(
                postcard::from_bytes::<A>(&stored).unwrap(),
                state.with_only(&[])
            );
            history.push(event);
        }
    }
    let mut told_again = A::default();
    for event in &history {
        told_again.evolve(event);
    }
    told_again.parts().take_changes();
    state.parts().take_changes();
    prop_assert_eq!(told_again, state);
    Ok(history.len())
}

fn same_change<A: Partial>(whole: &mut A, partial: &mut A) -> Result<(), TestCaseError> {
    prop_assert_eq!(whole.with_only(&[]), partial.with_only(&[]));
    let whole = whole.parts().take_changes();
    prop_assert_eq!(whole, partial.parts().take_changes());
    Ok(())
}

fn any_id() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["speed", "durable", "fast", "tough"])
}

fn any_when() -> impl Strategy<Value = When> {
    (0_i64..100, prop::option::of(0_i64..110)).prop_map(|(now, occurred)| When {
        now: story::day(now),
        occurred_at: occurred.map(story::day),
    })
}

fn any_spend() -> impl Strategy<Value = proposition::Command> {
    let spend_id = || prop::sample::select(vec!["a", "b", "c", "d", "e", "f"]);
    (
        any_id(),
        spend_id(),
        prop::option::of(spend_id()),
        -1_i64..50,
        0_i64..75,
    )
        .prop_map(|(campaign_id, spend_id, reverses, amount, on)| {
            let mut spend = story::spend(story::eur(amount));
            spend.reverses = reverses.map(story::id);
            spend.incurred_at = story::day(on);
            story::record(campaign_id, spend_id, spend)
        })
}

fn about_a_proposition() -> impl Strategy<Value = proposition::Command> {
    let benefit = || prop::sample::select(vec!["next-day", "steel-frame", "coffee"]);
    prop_oneof![
        1 => Just(story::create()),
        1 => Just(story::publish()),
        1 => any::<bool>().prop_map(|renamed| {
            let mut content = story::content();
            if renamed {
                content.display_name = "Bus repair".to_owned();
            }
            story::update(content)
        }),
        3 => (any_id(), benefit()).prop_map(|(id, benefit)| story::add(id, story::pitch(benefit))),
        2 => any_id().prop_map(story::flag),
        2 => (any_id(), "[ a]").prop_map(|(id, note)| story::clear(id, &note)),
        3 => (any_id(), any_id())
            .prop_map(|(id, shown)| story::plan_campaign(id, story::plan(shown))),
        3 => any_id().prop_map(story::start),
        1 => any_id().prop_map(story::end),
        12 => any_spend(),
    ]
}

fn any_touch() -> impl Strategy<Value = prospect::Command> {
    let touchpoint_id = prop::sample::select(vec!["a", "b", "c", "d", "e", "f"]);
    (touchpoint_id, any_id(), any_when()).prop_map(|(touchpoint_id, campaign, when)| {
        prospect::Command::RecordTouchpoint {
            touchpoint_id: story::id(touchpoint_id),
            touch: Touch {
                campaign: Some(story::campaign(campaign)),
                presentation_id: None,
                channel: "radio".to_owned(),
                kind: TouchKind::Visit,
                utm: None,
            },
            when,
        }
    })
}

fn any_conversion() -> impl Strategy<Value = prospect::Command> {
    (any::<bool>(), 0_i64..3, any::<u128>(), any_when()).prop_map(
        |(convincing, amount, request_id, when)| {
            let presentation_id = convincing.then(|| story::id("speed"));
            let market = story::on_the_market();
            let offer = market.state().offer(Ask {
                presentation_id,
                ..story::ask()
            });
            prospect::Command::Convert(Convert {
                request_id: Uuid::from_u128(request_id),
                offer: offer.unwrap(),
                first_purchase: Some(FirstPurchase {
                    amount: story::eur(amount),
                    contribution_margin: None,
                }),
                currency: story::id("EUR"),
                consents: vec![],
                steps: vec![],
                when,
            })
        },
    )
}

fn about_a_prospect() -> impl Strategy<Value = prospect::Command> {
    prop_oneof![
        2 => any_when().prop_map(|when| prospect::Command::Create {
            kind: Kind::Person,
            source: "trade fair".to_owned(),
            when,
        }),
        8 => any_touch(),
        2 => any_when().prop_map(|when| prospect::Command::Qualify {
            qualification: Qualification {
                proposition_id: story::id("van-repair"),
                problem_id: story::id("van-off-road"),
            },
            when,
        }),
        2 => any_conversion(),
        1 => any_when().prop_map(|when| prospect::Command::Close {
            closing: Closing { reason: CloseReason::NoNeed, competitor: None },
            note_given: false,
            when,
        }),
    ]
}

proptest! {
    #[test]
    fn any_history_of_a_proposition_can_be_told_again_with_any_parts_in_memory(
        commands in prop::collection::vec(about_a_proposition(), 0..60),
    ) {
        let market = [story::create(), story::add("speed", story::pitch("next-day")),
            story::plan_campaign("fast", story::plan("speed")), story::publish(),
            story::start("fast")];
        live::<Proposition>(commands.clone())?;
        let events = live::<Proposition>(market.into_iter().chain(commands).collect())?;
        prop_assert!(events >= 5);
    }

    #[test]
    fn any_history_of_a_prospect_can_be_told_again_with_any_parts_in_memory(
        commands in prop::collection::vec(about_a_prospect(), 0..40),
    ) {
        live::<Prospect>(commands)?;
    }

    #[test]
    fn no_campaign_ever_gets_back_more_than_it_cost(
        commands in prop::collection::vec(any_spend(), 0..80),
    ) {
        let mut market = story::on_the_market().state().clone();
        for command in commands {
            for event in market.decide(command).unwrap_or_default() {
                market.evolve(&event);
            }
        }
        for (key, booked) in market.spends.iter() {
            let reversals = market.spends.iter().filter(|(other, reversal)| {
                other.campaign_id == key.campaign_id
                    && reversal.spend.reverses.as_ref() == Some(&key.spend_id)
            });
            let back: i64 = reversals.map(|(_, r)| r.spend.amount.minor_units).sum();
            prop_assert_eq!(back, booked.reversed_minor_units);
            prop_assert!(back <= booked.spend.amount.minor_units);
        }
    }
}
