//! Whose turn it is on a to-do list: a few items at once, and each that was tried rests before it is tried
//! again, so that those that always fail do not stand in the way of the others.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::Todo;

/// How many items are performed at once.
pub(crate) const AT_ONCE: usize = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What is being done, and what was tried before.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    busy: HashSet<Todo>,
    resting: HashMap<Todo, Rest>,
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Instant,
    /// How long it rests the next time; nothing for one that succeeded.
    next: Option<Duration>,
}

impl Turns {
    /// How long a list has to be asked for, so that it has something new if there is something new.
    pub(crate) fn wanted(&self) -> usize {
        self.busy.len() + self.resting.len() + AT_ONCE
    }

    /// Takes those of the list whose turn it is. `wanted` is how long a list was asked for.
    pub(crate) fn take(&mut self, due: Vec<Todo>, wanted: usize, now: Instant) -> Vec<Todo> {
        let complete = due.len() < wanted;
        let listed: HashSet<&Todo> = due.iter().collect();
        self.resting.retain(|todo, rest| {
            let failed = rest.next.is_some();
            (failed || rest.until > now) && (!complete || listed.contains(todo))
        });
        let free = AT_ONCE.saturating_sub(self.busy.len());
        let ready = |todo: &Todo| {
            let rests = self.resting.get(todo).is_some_and(|rest| rest.until > now);
            !self.busy.contains(todo) && !rests
        };
        let taken: Vec<Todo> = due.into_iter().filter(ready).take(free).collect();
        self.busy.extend(taken.iter().cloned());
        taken
    }

    /// One has been tried. It rests even if it succeeded: if it is due again at once, something is wrong with
    /// it, and if it is due again later, it has rested.
    pub(crate) fn tried(&mut self, todo: Todo, succeeded: bool, now: Instant) {
        self.busy.remove(&todo);
        let before = self.resting.get(&todo).and_then(|rest| rest.next);
        let pause = if succeeded {
            FIRST_PAUSE
        } else {
            before.unwrap_or(FIRST_PAUSE)
        };
        let rest = Rest {
            until: now + pause,
            next: (!succeeded).then(|| (pause * 2).min(LONGEST_PAUSE)),
        };
        self.resting.insert(todo, rest);
    }

    /// Whether one more can be done at once.
    pub(crate) fn has_room(&self) -> bool {
        self.busy.len() < AT_ONCE
    }

    /// When the next one has rested; absent if nothing rests or no more can be done at once.
    pub(crate) fn next_rested(&self, now: Instant) -> Option<Instant> {
        if !self.has_room() {
            return None;
        }
        let ends = self.resting.values().map(|rest| rest.until);
        ends.filter(|until| *until > now).min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{AT_ONCE, FIRST_PAUSE, LONGEST_PAUSE, Turns};
    use crate::Todo;

    fn list(numbers: std::ops::Range<usize>) -> Vec<Todo> {
        numbers.map(|number| Todo(format!("{number:03}"))).collect()
    }

    #[test]
    fn a_few_are_taken_at_once_and_none_twice() {
        let (mut turns, now) = (Turns::default(), Instant::now());
        assert_eq!(turns.take(list(0..64), 64, now), list(0..AT_ONCE));
        assert_eq!(turns.take(list(0..64), 64, now), []);
        turns.tried(Todo("003".to_owned()), true, now);
        let next = turns.take(list(0..64), 64, now);
        assert_eq!(next, list(AT_ONCE..AT_ONCE + 1));
    }

    #[test]
    fn those_that_fail_do_not_stand_in_the_way_of_later_ones() {
        let (mut turns, now) = (Turns::default(), Instant::now());
        let due = list(0..100);
        let mut seen = Vec::new();
        while seen.len() < 100 {
            let wanted = turns.wanted();
            let taken = turns.take(due.iter().take(wanted).cloned().collect(), wanted, now);
            assert!(!taken.is_empty(), "{seen:?}");
            for todo in taken {
                turns.tried(todo.clone(), false, now);
                seen.push(todo);
            }
        }
        assert_eq!(seen, due);
    }

    #[test]
    fn what_fails_rests_longer_each_time() {
        let (mut turns, mut now) = (Turns::default(), Instant::now());
        let mut pause = FIRST_PAUSE;
        for _ in 0..20 {
            assert_eq!(turns.take(list(0..1), 9, now), list(0..1));
            turns.tried(Todo("000".to_owned()), false, now);
            assert_eq!(turns.next_rested(now), Some(now + pause));
            let just_before = now + pause.checked_sub(Duration::from_millis(1)).unwrap();
            assert_eq!(turns.take(list(0..1), 9, just_before), []);
            now += pause;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    #[test]
    fn what_is_no_longer_due_is_forgotten() {
        let (mut turns, now) = (Turns::default(), Instant::now());
        turns.take(list(0..5), 64, now);
        for todo in list(0..5) {
            turns.tried(todo, false, now);
        }
        assert_eq!(turns.wanted(), 5 + AT_ONCE);
        turns.take(Vec::new(), 64, now);
        assert_eq!(turns.wanted(), AT_ONCE);
    }
}
