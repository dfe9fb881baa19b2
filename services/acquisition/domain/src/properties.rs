//! What holds for any history: it can be told again, and it does not matter which parts are in memory.

mod merging;

use std::fmt::Debug;

use eventsourcing::{Aggregate, Parts, Sealed};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::campaign::{BookedSpend, SpendKey};
use crate::id::TouchpointId;
use crate::input::When;
use crate::offer::Ask;
use crate::proposition::{self, Proposition};
use crate::prospect::{
    self, Absorb, Absorbed, AbsorbedKey, AbsorbedTouch, Claimed, CloseReason, Closing, Consent,
    ConsentStatus, Convert, FirstPurchase, Identify, Identity, IdentityKind, Kind, Merge, Prospect,
    Qualification, Touch, TouchKind, Touchpoint, Verdict,
};
use crate::story;

/// An aggregate with a large collection, seen from whoever loads it.
trait Partial: Aggregate<Command: Clone, Event: Debug + PartialEq, Refusal: Debug + PartialEq>
where
    Self: Clone + Debug + PartialEq + Serialize + DeserializeOwned,
{
    type Key: Clone + Debug;
    type Changes: Debug + PartialEq;

    fn needed_to_decide(command: &Self::Command) -> Vec<Self::Key>;
    fn needed_to_evolve(event: &Self::Event) -> Vec<Self::Key>;

    /// The same state with only these parts in memory.
    fn with_only(&self, keys: &[Self::Key]) -> Self;

    /// The parts that were changed since the last call.
    fn take_changes(&mut self) -> Self::Changes;
}

/// Those of the parts that are named.
fn only<K: Ord + Clone, V: Clone>(all: &Parts<K, V>, keys: impl Iterator<Item = K>) -> Parts<K, V> {
    let mut parts = Parts::default();
    for key in keys {
        if let Some(part) = all.get(&key) {
            parts.load(key, part.clone());
        }
    }
    parts
}

fn changes<K: Ord + Clone, V: Clone>(parts: &mut Parts<K, V>) -> Vec<(K, V)> {
    let changed = parts.take_changes().into_iter();
    changed.map(|(key, part)| (key, part.clone())).collect()
}

impl Partial for Proposition {
    type Key = SpendKey;
    type Changes = Vec<(SpendKey, BookedSpend)>;

    fn needed_to_decide(command: &proposition::Command) -> Vec<SpendKey> {
        command.parts()
    }

    fn needed_to_evolve(event: &proposition::Event) -> Vec<SpendKey> {
        event.parts()
    }

    fn with_only(&self, keys: &[SpendKey]) -> Self {
        let spends = only(&self.spends, keys.iter().cloned());
        Self {
            spends,
            ..self.clone()
        }
    }

    fn take_changes(&mut self) -> Self::Changes {
        changes(&mut self.spends)
    }
}

/// A touchpoint of the prospect, or one that it absorbed.
#[derive(Debug, Clone)]
enum TouchKey {
    Own(TouchpointId),
    Absorbed(AbsorbedKey),
}

impl Partial for Prospect {
    type Key = TouchKey;
    type Changes = (
        Vec<(TouchpointId, Touchpoint)>,
        Vec<(AbsorbedKey, Absorbed)>,
    );

    fn needed_to_decide(command: &prospect::Command) -> Vec<TouchKey> {
        let own = command.parts().into_iter().map(TouchKey::Own);
        let absorbed = command.absorbed_parts().into_iter();
        own.chain(absorbed.map(TouchKey::Absorbed)).collect()
    }

    fn needed_to_evolve(event: &prospect::Event) -> Vec<TouchKey> {
        event.parts().into_iter().map(TouchKey::Own).collect()
    }

    fn with_only(&self, keys: &[TouchKey]) -> Self {
        let own = keys.iter().filter_map(|key| match key {
            TouchKey::Own(id) => Some(id.clone()),
            TouchKey::Absorbed(_) => None,
        });
        let absorbed = keys.iter().filter_map(|key| match key {
            TouchKey::Own(_) => None,
            TouchKey::Absorbed(key) => Some(key.clone()),
        });
        Self {
            touchpoints: only(&self.touchpoints, own),
            absorbed: only(&self.absorbed, absorbed),
            ..self.clone()
        }
    }

    fn take_changes(&mut self) -> Self::Changes {
        (changes(&mut self.touchpoints), changes(&mut self.absorbed))
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
            state.take_changes();
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
    told_again.take_changes();
    state.take_changes();
    prop_assert_eq!(told_again, state);
    Ok(history.len())
}

fn same_change<A: Partial>(whole: &mut A, partial: &mut A) -> Result<(), TestCaseError> {
    prop_assert_eq!(whole.with_only(&[]), partial.with_only(&[]));
    prop_assert_eq!(whole.take_changes(), partial.take_changes());
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

fn any_identity() -> impl Strategy<Value = prospect::Command> {
    let kind = prop::sample::select(vec![IdentityKind::Email, IdentityKind::Phone]);
    let verdict = prop::sample::select(vec![Verdict::Same, Verdict::Other]);
    (kind, verdict, any_when()).prop_map(|(kind, verdict, when)| {
        let value = Sealed {
            subject: "prospects/1".to_owned(),
            key_id: "k".to_owned(),
            nonce: [0; 24],
            ciphertext: vec![1],
        };
        prospect::Command::Identify(Identify {
            identities: vec![Claimed {
                identity: Identity { kind, value },
                verdict,
            }],
            name: None,
            when,
        })
    })
}

fn any_consent() -> impl Strategy<Value = Consent> {
    let purpose = prop::sample::select(vec!["contact", "call"]);
    let status = prop::sample::select(vec![
        ConsentStatus::Granted,
        ConsentStatus::Denied,
        ConsentStatus::Withdrawn,
    ]);
    (purpose, status, 0_i64..8).prop_map(|(purpose, status, number)| Consent {
        purpose: purpose.to_owned(),
        status,
        at: story::day(number),
        evidence: String::new(),
    })
}

fn any_absorption() -> impl Strategy<Value = prospect::Command> {
    let touchpoint_id = prop::sample::select(vec!["a", "b", "c"]);
    let touch = (touchpoint_id, 0_u128..2, 0_i64..9).prop_map(|(id, from, number)| AbsorbedTouch {
        key: AbsorbedKey {
            from: Uuid::from_u128(from),
            touchpoint_id: story::id(id),
        },
        touchpoint: Touchpoint {
            touch: merging::touch(),
            occurred_at: story::day(number),
        },
    });
    let touches = prop::collection::btree_map(0_u8..4, touch, 0..3);
    let consents = prop::collection::vec(any_consent(), 0..2);
    (touches, consents, any_when()).prop_map(|(touches, consents, when)| {
        let mut touches: Vec<AbsorbedTouch> = touches.into_values().collect();
        touches.sort_by(|a, b| a.key.cmp(&b.key));
        touches.dedup_by(|a, b| a.key == b.key);
        prospect::Command::Absorb(Absorb {
            from: Uuid::from_u128(1),
            part: 1,
            parts: 1,
            touches,
            consents,
            when,
        })
    })
}

fn any_merge() -> impl Strategy<Value = prospect::Command> {
    any_when().prop_map(|when| {
        prospect::Command::Merge(Merge {
            erased: false,
            id: Uuid::from_u128(2),
            into: Uuid::from_u128(1),
            state: prospect::State::Converted,
            created_at: Some(story::day(0)),
            touches: 0,
            when,
        })
    })
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
            note: None,
            when,
        }),
        1 => any_when().prop_map(|when| prospect::Command::Reopen { when }),
        2 => any_identity(),
        2 => any_consent().prop_map(|consent| prospect::Command::SetConsent {
            consent,
            now: story::day(90),
        }),
        4 => any_absorption(),
        1 => any_merge(),
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
