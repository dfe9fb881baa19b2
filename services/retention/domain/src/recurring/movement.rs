//! How recurring revenue moved in a period: new, reactivated, expanded, contracted, churned.

use eventsourcing::Time;

use crate::id::LineId;

/// Something that happened to a customer's lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A line brings another amount a month, in minor units.
    Set {
        /// Which line.
        line_id: LineId,
        /// What it brings from then on.
        monthly: i64,
    },
    /// The customer was lost, and with it every line.
    Lost,
}

/// What a customer's lines come to at both ends of a period, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Course {
    /// Whether any line was above 0 before the start.
    pub before: bool,
    /// All lines at the start.
    pub opening: i64,
    /// All lines at the end.
    pub closing: i64,
}

/// How the recurring revenue of many customers moved, in minor units:
/// `closing - opening = new + reactivated + expanded - contracted - churned`, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Movements {
    /// At the start.
    pub opening: i64,
    /// Of customers without any before.
    pub new: i64,
    /// Of customers with none at the start, but some before that.
    pub reactivated: i64,
    /// More than at the start.
    pub expanded: i64,
    /// Less than at the start; positive.
    pub contracted: i64,
    /// All that customers had who have none at the end; positive.
    pub churned: i64,
    /// At the end.
    pub closing: i64,
}

impl Course {
    /// Follows the changes of one customer, in the order of the journal, over the half-open period. A change
    /// that was told late does not undo one that took effect later; but a loss does, as nothing was to come
    /// any more.
    pub fn follow(changes: &[(Time, Change)], start: Time, end: Time) -> Self {
        let mut ordered = in_force(changes);
        // Stable: what took effect at the same moment stays in the order of the journal.
        ordered.sort_by_key(|(at, _)| *at);
        let mut course = Self::default();
        let mut lines: Vec<(&LineId, i64)> = Vec::new();
        for (at, change) in ordered.into_iter().take_while(|(at, _)| *at < end) {
            match change {
                Change::Set { line_id, monthly } => {
                    lines.retain(|(line, _)| *line != line_id);
                    lines.push((line_id, *monthly));
                }
                Change::Lost => lines.clear(),
            }
            let sum = lines
                .iter()
                .fold(0_i64, |sum, (_, monthly)| sum.saturating_add(*monthly));
            if *at < start {
                course.before |= sum > 0;
                course.opening = sum;
            }
            course.closing = sum;
        }
        course
    }
}

/// Without what was to take effect at or after a loss that was told later.
fn in_force(changes: &[(Time, Change)]) -> Vec<&(Time, Change)> {
    let mut left: Vec<&(Time, Change)> = Vec::new();
    for told in changes {
        if told.1 == Change::Lost {
            left.retain(|(at, change)| *at < told.0 || *change == Change::Lost);
        }
        left.push(told);
    }
    left
}

impl Movements {
    /// Counts a customer in, in one line.
    pub fn count(&mut self, course: Course) {
        let Course {
            before,
            opening,
            closing,
        } = course;
        let (line, by) = match (opening, closing) {
            (0, _) if before => (&mut self.reactivated, closing),
            (0, _) => (&mut self.new, closing),
            (_, 0) => (&mut self.churned, opening),
            _ if closing >= opening => (&mut self.expanded, closing - opening),
            _ => (&mut self.contracted, opening - closing),
        };
        *line = line.saturating_add(by);
        self.opening = self.opening.saturating_add(opening);
        self.closing = self.closing.saturating_add(closing);
    }

    /// GRR: what is left of the opening without churn and contraction; nothing if the opening is 0.
    pub fn gross_rate(&self) -> Option<f64> {
        rate(self.opening - self.churned - self.contracted, self.opening)
    }

    /// NRR: the same with expansion. What is new or reactivated is in neither.
    pub fn net_rate(&self) -> Option<f64> {
        let left = self.opening - self.churned - self.contracted;
        rate(left.saturating_add(self.expanded), self.opening)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio for people; no sum is made of it"
)]
fn rate(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use eventsourcing::Time;
    use proptest::prelude::{Strategy, any};
    use proptest::{collection, prop_assert_eq, proptest};

    use super::{Change, Course, Movements};

    fn set(day: i64, line: &str, monthly: i64) -> (Time, Change) {
        let line_id = line.parse().expect("a line id");
        (Time::from_days(day), Change::Set { line_id, monthly })
    }

    fn lost(day: i64) -> (Time, Change) {
        (Time::from_days(day), Change::Lost)
    }

    fn follow(changes: &[(Time, Change)]) -> Course {
        Course::follow(changes, Time::from_days(10), Time::from_days(20))
    }

    #[test]
    fn the_worked_example_of_gross_and_net_retention() {
        let movements = Movements {
            opening: 100_000,
            churned: 8_000,
            contracted: 5_000,
            expanded: 15_000,
            closing: 102_000,
            ..Movements::default()
        };
        assert_eq!(movements.gross_rate(), Some(0.87));
        assert_eq!(movements.net_rate(), Some(1.02));
        assert_eq!(Movements::default().gross_rate(), None);
    }

    #[test]
    fn each_customer_counts_in_one_line() {
        let mut movements = Movements::default();
        for course in [
            follow(&[set(12, "a", 10)]),
            follow(&[set(1, "a", 7), set(2, "a", 0), set(12, "b", 20)]),
            follow(&[set(1, "a", 100), set(15, "b", 30)]),
            follow(&[set(1, "a", 100), set(15, "a", 60)]),
            follow(&[set(1, "a", 100), set(2, "b", 5), lost(19)]),
        ] {
            movements.count(course);
        }
        let expected = Movements {
            opening: 305,
            new: 10,
            reactivated: 20,
            expanded: 30,
            contracted: 40,
            churned: 105,
            closing: 220,
        };
        assert_eq!(movements, expected);
    }

    #[test]
    fn the_start_is_in_the_period_and_the_end_is_not() {
        let at_start = follow(&[set(10, "a", 5)]);
        assert_eq!((at_start.opening, at_start.closing), (0, 5));
        let at_end = follow(&[set(20, "a", 5)]);
        assert_eq!((at_end.opening, at_end.closing), (0, 0));
    }

    #[test]
    fn a_change_told_late_does_not_undo_one_that_took_effect_later() {
        let course = follow(&[set(15, "a", 9), set(12, "a", 4)]);
        assert_eq!(course.closing, 9);
    }

    #[test]
    fn who_comes_back_begins_anew() {
        let course = follow(&[set(1, "a", 9), lost(5), set(12, "b", 4)]);
        let expected = Course {
            before: true,
            opening: 0,
            closing: 4,
        };
        assert_eq!(course, expected);
    }

    #[test]
    fn a_loss_told_later_ends_lines_that_were_to_begin_after_it() {
        let course = follow(&[set(1, "a", 9), set(15, "b", 200), lost(12)]);
        let expected = Course {
            before: true,
            opening: 9,
            closing: 0,
        };
        assert_eq!(course, expected);
        let at_once = follow(&[set(12, "b", 200), lost(12)]);
        assert_eq!(at_once, Course::default());
        let back = follow(&[set(15, "a", 200), lost(12), set(14, "a", 3)]);
        assert_eq!(back.closing, 3);
    }

    fn change() -> impl Strategy<Value = (Time, Change)> {
        (0_i64..30, 0_u8..3, 0_i64..500, any::<bool>()).prop_map(|(day, line, monthly, ends)| {
            if ends && line == 0 {
                lost(day)
            } else {
                set(day, &format!("line-{line}"), monthly)
            }
        })
    }

    proptest! {
        #[test]
        fn the_lines_add_up_to_the_cent(
            customers in collection::vec(collection::vec(change(), 0..12), 0..12),
        ) {
            let mut it = Movements::default();
            for changes in &customers {
                it.count(follow(changes));
            }
            let moved = it.new + it.reactivated + it.expanded - it.contracted - it.churned;
            prop_assert_eq!(it.closing - it.opening, moved);
        }

        #[test]
        fn nothing_goes_on_after_a_loss_told_last(
            changes in collection::vec(change(), 0..12),
            ended in 0_i64..20,
        ) {
            let told = [changes, vec![lost(ended)]].concat();
            let start = Time::from_days(ended + 1);
            let course = Course::follow(&told, start, Time::from_days(40));
            prop_assert_eq!((course.opening, course.closing), (0, 0));
        }
    }
}
