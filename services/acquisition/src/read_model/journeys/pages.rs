//! The facts of journeys as rows: pages of them for each prospect, in the order of the journal, and beside
//! them every touch that ever was, once.
//!
//! A report over all journeys reads every fact. In pages, a journey is a row or two; and what a touch
//! is credited to, which is long and the same for thousands of touches, is told apart by a short id.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use acquisition_domain::id::CampaignName;
use acquisition_domain::prospect::{CloseReason, Qualification, State};
use eventsourcing::Time;
use read_model::{Error, Rows, RowsMut, Table};
use runtime::Recorded;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Converted, Touched};

/// By prospect and number of the page.
const PAGES: Table<(Uuid, u32), Vec<Fact>> = Table::new("journey");
/// By what the touch is credited to.
const TOUCHES: Table<Uuid, Touched> = Table::new("journey-touch");

/// How many facts a page holds: a new fact writes its page anew.
const PAGE: usize = 32;
/// The namespace of the ids of touches.
const TOUCH_IDS: Uuid = Uuid::from_u128(0x7061_7472_6f6e_4000_8000_746f_7563_6865);

/// Something that happened to a prospect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fact {
    pub(super) at: Time,
    pub(super) recorded: Recorded,
    pub(super) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum What {
    /// It was reached; how, is in a row of its own.
    Touched(Uuid),
    Qualified(Qualification),
    Converted(Box<Converted>),
    Closed(CloseReason),
    /// It was taken up again and goes on where it was: no stage is reached anew.
    Reopened,
    /// It came to this state, and there is no more to say of it: anonymous is created.
    Became(State),
}

/// Shows the facts of each prospect in the order of the journal, prospects by id.
pub(super) fn visit(
    rows: &dyn Rows,
    mut each: impl FnMut(Uuid, &mut Vec<Fact>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut of: Option<Uuid> = None;
    let mut facts = Vec::new();
    let mut outcome = Ok(());
    PAGES.visit(rows, &(), |(prospect, _), page| {
        if let Some(done) = of.filter(|of| *of != prospect) {
            outcome = each(done, &mut facts);
            facts.clear();
        }
        of = Some(prospect);
        facts.extend(page);
        match outcome {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    outcome?;
    of.map_or(Ok(()), |last| each(last, &mut facts))
}

/// The facts of one prospect in the order of the journal.
pub(super) fn of_prospect(rows: &dyn Rows, prospect: Uuid) -> Result<Vec<Fact>, Error> {
    let pages = PAGES.scan(rows, &(prospect,), None, usize::MAX)?;
    Ok(pages.into_iter().flat_map(|(_, page)| page).collect())
}

/// How many facts of a prospect there are.
pub(super) fn count(rows: &dyn Rows, prospect: Uuid) -> Result<usize, Error> {
    let last = PAGES.scan_rev(rows, &(prospect,), None, 1)?;
    let last = last.into_iter().next();
    Ok(last.map_or(0, |((_, number), page)| number as usize * PAGE + page.len()))
}

/// Adds facts of a prospect behind those that are there.
pub(super) fn add(
    rows: &mut dyn RowsMut,
    prospect: Uuid,
    facts: impl IntoIterator<Item = Fact>,
) -> Result<(), Error> {
    let mut facts = facts.into_iter().peekable();
    if facts.peek().is_none() {
        return Ok(());
    }
    let last = PAGES.scan_rev(rows, &(prospect,), None, 1)?;
    let last = last.into_iter().next();
    let (mut number, mut page) = last.map_or((0, Vec::new()), |((_, number), page)| (number, page));
    while facts.peek().is_some() {
        if page.len() >= PAGE {
            number += 1;
            page.clear();
        }
        let room = PAGE - page.len();
        page.extend(facts.by_ref().take(room));
        PAGES.put(rows, &(prospect, number), &page)?;
    }
    Ok(())
}

/// The id of a touch, whose row there is from now on.
pub(super) fn touch_id(rows: &mut dyn RowsMut, touched: &Touched) -> Result<Uuid, Error> {
    let id = id_of(touched);
    if !TOUCHES.contains(rows, &id)? {
        TOUCHES.put(rows, &id, touched)?;
    }
    Ok(id)
}

/// Made of all that there is to a touch, so that everybody comes to the same ids, in whatever order.
fn id_of(touched: &Touched) -> Uuid {
    let campaign = touched.campaign.as_ref().map(CampaignName::to_string);
    let presentation = touched.presentation_id.as_ref().map(ToString::to_string);
    let mut text = Vec::new();
    for part in [campaign, presentation, Some(touched.channel.clone())] {
        // An absent part is none of the texts that there may be: it has no length.
        if let Some(part) = part {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part.as_bytes());
        } else {
            text.extend_from_slice(&u64::MAX.to_be_bytes());
        }
    }
    Uuid::new_v5(&TOUCH_IDS, &text)
}

/// A touch as a reader met it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Met {
    pub(crate) at: Time,
    /// The same number for the same touched, counted from 0 by each [`Acquaintances`].
    pub(crate) number: usize,
    pub(crate) touched: Rc<Touched>,
}

/// The touches that a reader has met: each is read once.
#[derive(Debug, Default)]
pub(crate) struct Acquaintances(HashMap<Uuid, (usize, Rc<Touched>)>);

impl Acquaintances {
    /// A touch of this id at a moment; nothing if there is none, which never happens.
    pub(crate) fn meet(
        &mut self,
        rows: &dyn Rows,
        id: Uuid,
        at: Time,
    ) -> Result<Option<Met>, Error> {
        if let Some((number, touched)) = self.0.get(&id) {
            let (number, touched) = (*number, Rc::clone(touched));
            return Ok(Some(Met {
                at,
                number,
                touched,
            }));
        }
        let Some(touched) = TOUCHES.get(rows, &id)? else {
            return Ok(None);
        };
        let (number, touched) = (self.0.len(), Rc::new(touched));
        self.0.insert(id, (number, Rc::clone(&touched)));
        Ok(Some(Met {
            at,
            number,
            touched,
        }))
    }
}

#[cfg(test)]
mod tests {
    use acquisition_domain::prospect::State;
    use eventsourcing::Time;
    use proptest::prelude::*;
    use read_model::Store;
    use runtime::Recorded;
    use uuid::Uuid;

    use super::{Acquaintances, Fact, PAGE, What, add, id_of, of_prospect, touch_id, visit};
    use crate::read_model::journeys::Touched;

    fn fact(number: usize) -> Fact {
        let micros = i64::try_from(number).unwrap();
        Fact {
            at: Time::from_micros(micros),
            recorded: Recorded {
                partition: 0,
                offset: 0,
                at: Time::EPOCH,
            },
            what: What::Became(State::Anonymous),
        }
    }

    fn touched(campaign: Option<&str>, presentation: Option<&str>, channel: &str) -> Touched {
        Touched {
            campaign: campaign.map(|name| acquisition_domain::id::CampaignName {
                proposition_id: "shop".parse().unwrap(),
                campaign_id: name.parse().unwrap(),
            }),
            presentation_id: presentation.map(|name| name.parse().unwrap()),
            channel: channel.to_owned(),
        }
    }

    proptest! {
        #[test]
        fn facts_come_back_in_the_order_in_which_they_were_added(
            told in prop::collection::vec((0_u128..3, 0..PAGE * 3), 0..20),
        ) {
            let store = Store::in_memory();
            let mut tx = store.begin().unwrap();
            let mut expected: Vec<(u128, Vec<Fact>)> = (0..3).map(|who| (who, Vec::new())).collect();
            let mut number = 0;
            for (who, count) in told {
                let facts: Vec<Fact> = (number..number + count).map(fact).collect();
                number += count;
                expected[usize::try_from(who).unwrap()].1.extend(facts.clone());
                add(&mut tx, Uuid::from_u128(who), facts).unwrap();
            }
            store.commit(tx).unwrap();
            let mut seen = Vec::new();
            let visited = |rows: &read_model::Snapshot<'_>| visit(rows, |who, facts| {
                seen.push((who.as_u128(), facts.clone()));
                Ok(())
            });
            store.read(visited).unwrap();
            for (who, facts) in &expected {
                let alone = store.read(|rows| of_prospect(rows, Uuid::from_u128(*who))).unwrap();
                prop_assert_eq!(&alone, facts);
            }
            expected.retain(|(_, facts)| !facts.is_empty());
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn touches_are_told_apart_by_all_that_there_is_to_them() {
        let all = [
            touched(None, None, "ab"),
            touched(Some("ab"), None, "ab"),
            touched(Some("a"), Some("b"), "ab"),
            touched(Some("ab"), Some("b"), "ab"),
            touched(Some("ab"), Some("b"), "a"),
            touched(None, Some("ab"), "b"),
        ];
        let ids: std::collections::BTreeSet<Uuid> = all.iter().map(id_of).collect();
        assert_eq!(ids.len(), all.len());
    }

    #[test]
    fn the_same_touch_has_the_same_number_and_is_read_back() {
        let store = Store::in_memory();
        let mut tx = store.begin().unwrap();
        let (search, mail) = (touched(None, None, "search"), touched(None, None, "mail"));
        let ids = [&search, &mail, &search].map(|touched| touch_id(&mut tx, touched).unwrap());
        let mut met = Acquaintances::default();
        let mut meet = |id| met.meet(&tx, id, Time::EPOCH).unwrap().unwrap();
        let met = ids.map(&mut meet);
        assert_eq!(met.clone().map(|met| met.number), [0, 1, 0]);
        let [first, second, third] = met.map(|met| (*met.touched).clone());
        assert_eq!((first, second, third), (search.clone(), mail, search));
    }
}
