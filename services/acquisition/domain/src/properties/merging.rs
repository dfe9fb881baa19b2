//! What holds however prospects are merged, converted and absorbed, by anybody, at the same time.
//!
//! A small world of prospects, each in a partition of its own, and one who looks at another may see it as it
//! was at any time before. Merges are absorbed part by part, some of them twice, as several instances do it.

use std::collections::{BTreeMap, BTreeSet};

use eventsourcing::Aggregate as _;
use proptest::prelude::*;
use uuid::Uuid;

use crate::id::TouchpointId;
use crate::input::When;
use crate::offer::Ask;
use crate::prospect::{
    Absorb, AbsorbedKey, AbsorbedTouch, Command, Convert, Kind, Merge, Prospect, Refusal, State,
    Touch, TouchKind,
};
use crate::story;

const PROSPECTS: usize = 5;
/// Touches of a part here, so that there are several parts.
const A_PART: usize = 2;

/// Somebody was reached on the web.
pub(super) fn touch() -> Touch {
    Touch {
        campaign: None,
        presentation_id: None,
        channel: "web".to_owned(),
        kind: TouchKind::Visit,
        utm: None,
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Touch {
        who: usize,
        touchpoint_id: &'static str,
    },
    Convert {
        who: usize,
    },
    Merge {
        who: usize,
        into: usize,
        age: usize,
    },
    Absorb {
        pick: usize,
        age: usize,
        again: bool,
    },
}

/// Every state that each prospect ever had, the present one last.
#[derive(Debug)]
struct World {
    histories: Vec<Vec<Prospect>>,
    /// Merged sources of which not all parts are absorbed, and the next part.
    due: Vec<(usize, usize)>,
}

fn id(who: usize) -> Uuid {
    Uuid::from_u128(who as u128 + 1)
}

fn who(id: Uuid) -> usize {
    usize::try_from(id.as_u128()).unwrap() - 1
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            histories: vec![vec![Prospect::default()]; PROSPECTS],
            due: Vec::new(),
        };
        for who in 0..PROSPECTS {
            let create = Command::Create {
                kind: Kind::Person,
                source: "fair".to_owned(),
                // Two of the same moment are among them.
                when: story::on(i64::try_from(who / 2).unwrap()),
            };
            world.tell(who, create).unwrap();
        }
        world
    }

    fn now(&self, who: usize) -> &Prospect {
        self.histories[who].last().unwrap()
    }

    /// How one was `age` changes ago.
    fn then(&self, who: usize, age: usize) -> &Prospect {
        let history = &self.histories[who];
        &history[(history.len() - 1).saturating_sub(age).max(1)]
    }

    fn tell(&mut self, who: usize, command: Command) -> Result<(), Refusal> {
        let mut state = self.now(who).clone();
        for event in state.decide(command)? {
            state.evolve(&event);
        }
        self.histories[who].push(state);
        Ok(())
    }

    fn merge(&mut self, from: usize, into: usize, age: usize) {
        let seen = self.then(into, age);
        let merge = Merge {
            erased: false,
            id: id(from),
            into: id(into),
            state: seen.state,
            created_at: seen.origin.as_ref().map(|origin| origin.created_at),
            touches: 0,
            when: story::on(50),
        };
        if self.tell(from, Command::Merge(merge)).is_ok() {
            self.due.push((from, 0));
        }
    }

    fn parts(&self, from: usize) -> Vec<Vec<AbsorbedTouch>> {
        let source = self.now(from);
        let own = source
            .touchpoints
            .iter()
            .map(|(touch, touchpoint)| AbsorbedTouch {
                key: AbsorbedKey {
                    from: id(from),
                    touchpoint_id: touch.clone(),
                },
                touchpoint: touchpoint.clone(),
            });
        let absorbed = source.absorbed.iter().map(|(key, absorbed)| AbsorbedTouch {
            key: key.clone(),
            touchpoint: absorbed.touchpoint.clone(),
        });
        let all: Vec<AbsorbedTouch> = own.chain(absorbed).collect();
        if all.is_empty() {
            return vec![vec![]];
        }
        all.chunks(A_PART).map(<[AbsorbedTouch]>::to_vec).collect()
    }

    /// Absorbs the next part of a merge, as an instance does that saw the others as they were.
    fn absorb(&mut self, pick: usize, age: usize, again: bool) {
        if self.due.is_empty() {
            return;
        }
        let place = pick % self.due.len();
        let (from, part) = self.due[place];
        let parts = self.parts(from);
        let touches = parts[part].clone();
        let mut root = from;
        while let State::Merged { into } = self.then(root, if root == from { 0 } else { age }).state
        {
            root = who(into);
        }
        let absorb = Command::Absorb(Absorb {
            from: id(from),
            part: u32::try_from(part + 1).unwrap(),
            parts: u32::try_from(parts.len()).unwrap(),
            touches,
            consents: self.now(from).consents.values().cloned().collect(),
            when: story::on(51),
        });
        loop {
            match self.tell(root, absorb.clone()) {
                Ok(()) => break,
                Err(Refusal::Merged { into }) => root = who(into),
                Err(other) => panic!("{other:?}"),
            }
        }
        if again {
            return;
        }
        if part + 1 == parts.len() {
            self.due.remove(place);
        } else {
            self.due[place].1 += 1;
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Touch { who, touchpoint_id } => {
                let when = When {
                    now: story::day(40),
                    occurred_at: Some(story::day(10)),
                };
                let touchpoint_id = story::id(touchpoint_id);
                let touch = touch();
                // Refused for the merged.
                let _refused = self.tell(
                    who,
                    Command::RecordTouchpoint {
                        touchpoint_id,
                        touch,
                        when,
                    },
                );
            }
            Step::Convert { who } => {
                let _refused = self.tell(who, convert());
            }
            Step::Merge { who, into, age } => self.merge(who, into, age),
            Step::Absorb { pick, age, again } => self.absorb(pick, age, again),
        }
    }

    fn root(&self, from: usize) -> Option<usize> {
        let mut root = from;
        for _ in 0..=PROSPECTS {
            match self.now(root).state {
                State::Merged { into } => root = who(into),
                State::Absent
                | State::Anonymous
                | State::Identified
                | State::Qualified
                | State::Converted
                | State::Closed => return Some(root),
            }
        }
        None
    }
}

fn convert() -> Command {
    let offer = story::on_the_market().state().offer(Ask {
        campaign: None,
        ..story::ask()
    });
    Command::Convert(Convert {
        request_id: Uuid::from_u128(7),
        offer: offer.unwrap(),
        first_purchase: None,
        currency: story::id("EUR"),
        consents: vec![],
        steps: vec![],
        when: story::on(39),
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let one = || 0..PROSPECTS;
    let touchpoint_id = prop::sample::select(vec!["a", "b", "c", "d", "e"]);
    prop_oneof![
        6 => (one(), touchpoint_id)
            .prop_map(|(who, touchpoint_id)| Step::Touch { who, touchpoint_id }),
        1 => one().prop_map(|who| Step::Convert { who }),
        5 => (one(), one(), 0_usize..6)
            .prop_map(|(who, into, age)| Step::Merge { who, into, age }),
        6 => (0_usize..8, 0_usize..6, any::<bool>())
            .prop_map(|(pick, age, again)| Step::Absorb { pick, age, again }),
    ]
}

/// Every touch that was recorded for a prospect, wherever it is by now.
fn touches(world: &World, who: usize) -> BTreeSet<(Uuid, TouchpointId)> {
    let own = world.now(who).touchpoints.iter();
    own.map(|(touch, _)| (id(who), touch.clone())).collect()
}

fn known(world: &World, root: usize) -> BTreeSet<(Uuid, TouchpointId)> {
    let absorbed = world.now(root).absorbed.iter();
    let absorbed = absorbed.map(|(key, _)| (key.from, key.touchpoint_id.clone()));
    touches(world, root).into_iter().chain(absorbed).collect()
}

proptest! {
    #[test]
    fn a_chain_of_merges_ends_with_all_touches_and_the_strictest_word(
        consents in prop::collection::vec((0..PROSPECTS, super::any_consent()), 0..10),
        steps in prop::collection::vec(any_step(), 0..80),
    ) {
        let mut world = World::new();
        // What is said before. A later yes is another word, which may count again.
        for (who, consent) in consents {
            let now = story::day(40);
            world.tell(who, Command::SetConsent { consent, now }).unwrap();
        }
        for step in steps {
            world.take(step);
        }
        while !world.due.is_empty() {
            world.absorb(0, 0, false);
        }
        let mut families: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for member in 0..PROSPECTS {
            let root = world.root(member);
            prop_assert!(root.is_some(), "there is a cycle");
            families.entry(root.unwrap()).or_default().push(member);
        }
        for (root, members) in families {
            let union: BTreeSet<_> =
                members.iter().flat_map(|who| touches(&world, *who)).collect();
            prop_assert_eq!(world.now(root).touch_count as usize, union.len());
            prop_assert_eq!(known(&world, root), union);
            for consent in members.iter().flat_map(|who| world.now(*who).consents.values()) {
                let ours = world.now(root).consents.get(&consent.purpose);
                let allowed = ours.is_some_and(|ours| consent.status.is_stricter_than(ours.status));
                prop_assert!(!allowed, "{:?} is forgotten", consent);
            }
        }
    }
}
