//! Touches in time: which of them lie on the way to a conversion.

/// A touch as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurred<C> {
    /// When it happened, in milliseconds since any epoch.
    pub at_ms: i64,
    /// Where it stands in the journal: the order of touches at the same time.
    pub position: u64,
    /// What it is credited to: a channel, a campaign, a presentation.
    pub channel: C,
}

/// A touch on a path: how long before the path's end it happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Touch<C> {
    /// What it is credited to.
    pub channel: C,
    /// Days before the conversion, at least 0.
    pub days_before_end: f64,
}

const DAY_MS: i64 = 86_400_000;

/// The path that ends at `end_ms`: the touches of the last `window_days`, both ends included, in order.
///
/// A touch after the end never earns credit, however it came to be recorded; one at the very end does.
/// Touches may be given in any order, late arrivals among them.
pub fn path<C: Clone>(touches: &[Occurred<C>], end_ms: i64, window_days: u32) -> Vec<Touch<C>> {
    let start_ms = end_ms.saturating_sub(i64::from(window_days).saturating_mul(DAY_MS));
    let mut within: Vec<&Occurred<C>> = touches
        .iter()
        .filter(|touch| (start_ms..=end_ms).contains(&touch.at_ms))
        .collect();
    within.sort_by_key(|touch| (touch.at_ms, touch.position));
    within
        .into_iter()
        .map(|touch| Touch {
            channel: touch.channel.clone(),
            days_before_end: days(end_ms.saturating_sub(touch.at_ms)),
        })
        .collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of a window are far below 2^53"
)]
fn days(ms: i64) -> f64 {
    ms as f64 / DAY_MS as f64
}

#[cfg(test)]
mod tests {
    use super::{DAY_MS, Occurred, path};

    fn touches(list: &[(i64, u64, &'static str)]) -> Vec<Occurred<&'static str>> {
        list.iter()
            .map(|&(at_ms, position, channel)| Occurred {
                at_ms,
                position,
                channel,
            })
            .collect()
    }

    fn channels(list: &[(i64, u64, &'static str)], end_ms: i64) -> Vec<&'static str> {
        path(&touches(list), end_ms, 90)
            .into_iter()
            .map(|touch| touch.channel)
            .collect()
    }

    #[test]
    fn e34_a_touch_at_the_conversion_counts_and_equal_times_keep_the_journals_order() {
        let list = [(10, 8, "b"), (10, 7, "a"), (20, 9, "end")];
        assert_eq!(channels(&list, 20), ["a", "b", "end"]);
    }

    #[test]
    fn e35_a_touch_after_the_conversion_is_not_part_of_the_journey() {
        let list = [(10, 1, "before"), (21, 2, "after")];
        assert_eq!(channels(&list, 20), ["before"]);
    }

    #[test]
    fn the_window_includes_its_first_moment_and_nothing_earlier() {
        let list = [(0, 1, "edge"), (-1, 2, "too early")];
        assert_eq!(channels(&list, 90 * DAY_MS), ["edge"]);
        let path = path(&touches(&list), 90 * DAY_MS, 90);
        assert!((path[0].days_before_end - 90.0).abs() < 1e-12);
    }

    #[test]
    fn a_late_arrival_is_put_where_it_belongs() {
        let list = [(10, 1, "a"), (30, 2, "c"), (20, 3, "b")];
        assert_eq!(channels(&list, 40), ["a", "b", "c"]);
    }
}
