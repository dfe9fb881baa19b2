//! When something happened, told by somebody whose clock may differ a little from ours.

use eventsourcing::Time;

use crate::input::Invalid;

/// How far the clock of whoever reports something may be ahead of ours.
pub const MAX_AHEAD_SECONDS: i64 = 300;

/// When something happened as far as the command says, and the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// The present.
    pub now: Time,
    /// When it happened; left out, it happened now.
    pub occurred_at: Option<Time>,
}

impl When {
    /// It happened now.
    pub const fn now(now: Time) -> Self {
        Self {
            now,
            occurred_at: None,
        }
    }

    /// The moment it happened, which is `earliest` or later.
    ///
    /// What comes without a time happened now, and after what it follows from: that may have come from a
    /// clock slightly ahead of ours.
    pub(crate) fn happened_since(
        self,
        field: &'static str,
        earliest: Time,
    ) -> Result<Time, Invalid> {
        let Some(at) = self.occurred_at else {
            return Ok(self.now.max(earliest));
        };
        past(field, at, self.now)?;
        not_before(field, at, earliest)?;
        Ok(at)
    }

    /// Whether a command that comes again may speak of what happened at `recorded`: unless it gives
    /// another time, it does.
    pub(crate) fn may_mean(self, recorded: Time) -> bool {
        self.occurred_at.is_none_or(|at| at == recorded)
    }
}

/// A moment that has come, give or take what clocks may differ.
pub(crate) fn past(field: &'static str, at: Time, now: Time) -> Result<(), Invalid> {
    let latest = now.plus_seconds(MAX_AHEAD_SECONDS);
    if at > latest {
        return Err(Invalid::FutureTime { field, at, latest });
    }
    Ok(())
}

/// A moment that is `earliest` or later.
pub(crate) fn not_before(field: &'static str, at: Time, earliest: Time) -> Result<(), Invalid> {
    if at < earliest {
        return Err(Invalid::TooEarly {
            field,
            at,
            earliest,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use eventsourcing::Time;

    use super::When;
    use crate::input::Invalid;

    #[test]
    fn a_clock_may_be_five_minutes_ahead_and_no_more() {
        let now = Time::from_days(1);
        let ahead = |seconds| {
            let occurred_at = Some(now.plus_seconds(seconds));
            When { now, occurred_at }.happened_since("occurred_at", Time::EPOCH)
        };
        assert_eq!(ahead(300), Ok(now.plus_seconds(300)));
        let (field, at, latest) = ("occurred_at", now.plus_seconds(301), now.plus_seconds(300));
        assert_eq!(ahead(301), Err(Invalid::FutureTime { field, at, latest }));
    }

    #[test]
    fn what_comes_without_a_time_happened_now() {
        let now = Time::from_days(1);
        assert_eq!(
            When::now(now).happened_since("occurred_at", Time::EPOCH),
            Ok(now)
        );
    }

    #[test]
    fn what_comes_without_a_time_follows_what_a_fast_clock_recorded() {
        let now = Time::from_days(1);
        let recorded = now.plus_seconds(200);
        assert_eq!(
            When::now(now).happened_since("occurred_at", recorded),
            Ok(recorded)
        );
    }

    #[test]
    fn nothing_happens_before_what_it_follows_from() {
        let (now, at, earliest) = (Time::from_days(3), Time::from_days(1), Time::from_days(2));
        let (field, occurred_at) = ("occurred_at", Some(at));
        assert_eq!(
            When { now, occurred_at }.happened_since(field, earliest),
            Err(Invalid::TooEarly {
                field,
                at,
                earliest
            })
        );
    }

    #[test]
    fn a_repeated_command_without_a_time_means_what_was_recorded() {
        let (now, recorded) = (Time::from_days(2), Time::from_days(1));
        assert!(When::now(now).may_mean(recorded));
        assert!(
            When {
                now,
                occurred_at: Some(recorded)
            }
            .may_mean(recorded)
        );
        assert!(
            !When {
                now,
                occurred_at: Some(now)
            }
            .may_mean(recorded)
        );
    }
}
