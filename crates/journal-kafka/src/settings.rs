//! Which settings of a topic keep history: what new topics get, and what old ones are checked for.

use std::fmt;

use journal::Kind;

/// What a topic has to be kept like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keeping {
    pub(crate) kind: Kind,
    /// On how many brokers each record is.
    pub(crate) replicas: usize,
    /// A single broker may acknowledge before its disk has the record.
    pub(crate) trust_page_cache: bool,
}

/// A setting and what it has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) wanted: Wanted,
}

/// What a setting has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wanted {
    /// Exactly this.
    Is(&'static str),
    /// A number that is at least this one, also written as text.
    AtLeast(u64, &'static str),
    /// A number that is at most this one, also written as text.
    AtMost(f64, &'static str),
}

/// A setting that is not what it has to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wrong {
    pub(crate) setting: Setting,
    pub(crate) found: Option<String>,
}

impl Keeping {
    /// The settings that keep it.
    pub(crate) fn settings(self) -> Vec<Setting> {
        let is = |name, value| Setting {
            name,
            wanted: Wanted::Is(value),
        };
        let at_least = |name, number, text| Setting {
            name,
            wanted: Wanted::AtLeast(number, text),
        };
        let at_most = |name, number, text| Setting {
            name,
            wanted: Wanted::AtMost(number, text),
        };
        let mut settings = match self.kind {
            Kind::Journal | Kind::Public => vec![
                is("cleanup.policy", "delete"),
                is("retention.ms", "-1"),
                is("retention.bytes", "-1"),
            ],
            // A key that was destroyed has to leave the disks of the brokers within a bounded time.
            Kind::Keys => vec![
                is("cleanup.policy", "compact"),
                at_most("max.compaction.lag.ms", 86_400_000.0, "86400000"),
                at_most("segment.ms", 86_400_000.0, "86400000"),
                at_most("min.cleanable.dirty.ratio", 0.1, "0.1"),
            ],
        };
        settings.extend([
            is("unclean.leader.election.enable", "false"),
            is("message.timestamp.type", "LogAppendTime"),
            at_least("max.message.bytes", 2_097_152, "2097152"),
        ]);
        match self.replicas {
            // More in sync than there are would refuse every append.
            0 | 1 => settings.push(is("min.insync.replicas", "1")),
            2 => {}
            _ => settings.push(at_least("min.insync.replicas", 2, "2")),
        }
        if self.replicas < 3 && !self.trust_page_cache {
            settings.push(is("flush.messages", "1"));
        }
        settings
    }

    /// Which settings of a topic are not what they have to be.
    pub(crate) fn wrong(self, found: impl Fn(&str) -> Option<String>) -> Vec<Wrong> {
        self.settings()
            .into_iter()
            .map(|setting| Wrong {
                setting,
                found: found(setting.name),
            })
            .filter(|wrong| !wrong.setting.wanted.is_met(wrong.found.as_deref()))
            .collect()
    }
}

impl Setting {
    /// The value that a new topic gets.
    pub(crate) const fn value(self) -> &'static str {
        match self.wanted {
            Wanted::Is(value) | Wanted::AtLeast(_, value) | Wanted::AtMost(_, value) => value,
        }
    }
}

impl Wanted {
    fn is_met(self, found: Option<&str>) -> bool {
        match self {
            Self::Is(value) => found == Some(value),
            Self::AtLeast(least, _) => found
                .and_then(|found| found.parse::<u64>().ok())
                .is_some_and(|found| found >= least),
            Self::AtMost(most, _) => found
                .and_then(|found| found.parse::<f64>().ok())
                .is_some_and(|found| (0.0..=most).contains(&found)),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.found.as_deref().unwrap_or("unknown");
        let value = self.setting.value();
        match self.setting.wanted {
            Wanted::Is(_) => write!(f, "{} is {found} and must be {value}", self.setting.name),
            Wanted::AtMost(..) => {
                write!(
                    f,
                    "{} is {found} and must be at most {value}",
                    self.setting.name
                )
            }
            Wanted::AtLeast(..) => {
                write!(
                    f,
                    "{} is {found} and must be at least {value}",
                    self.setting.name
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use journal::Kind;

    use super::Keeping;

    const JOURNAL: Keeping = Keeping {
        kind: Kind::Journal,
        replicas: 1,
        trust_page_cache: false,
    };

    fn fresh(keeping: Keeping) -> BTreeMap<&'static str, String> {
        let settings = keeping.settings().into_iter();
        settings
            .map(|setting| (setting.name, setting.value().to_owned()))
            .collect()
    }

    fn wrong(keeping: Keeping, found: &BTreeMap<&str, String>) -> Vec<String> {
        let wrong = keeping.wrong(|name| found.get(name).cloned()).into_iter();
        wrong.map(|wrong| wrong.to_string()).collect()
    }

    #[test]
    fn a_new_topic_is_as_it_has_to_be() {
        for kind in [Kind::Journal, Kind::Public, Kind::Keys] {
            for replicas in 1..=5 {
                for trust_page_cache in [false, true] {
                    let keeping = Keeping {
                        kind,
                        replicas,
                        trust_page_cache,
                    };
                    assert_eq!(wrong(keeping, &fresh(keeping)), Vec::<String>::new());
                }
            }
        }
    }

    #[test]
    fn each_setting_that_would_lose_or_change_history_is_refused() {
        let slips = [
            ("cleanup.policy", "compact"),
            ("cleanup.policy", "compact,delete"),
            ("retention.ms", "604800000"),
            ("retention.bytes", "1073741824"),
            ("unclean.leader.election.enable", "true"),
            ("message.timestamp.type", "CreateTime"),
            ("max.message.bytes", "1048588"),
            ("max.message.bytes", "much"),
            ("flush.messages", "9223372036854775807"),
        ];
        for (name, value) in slips {
            let mut found = fresh(JOURNAL);
            found.insert(name, value.to_owned());
            let wrong = wrong(JOURNAL, &found);
            assert_eq!(wrong.len(), 1, "{name}={value}");
            assert!(
                wrong[0].starts_with(&format!("{name} is {value} and must be ")),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn keys_that_would_stay_on_disk_without_a_bound_are_refused() {
        let keys = Keeping {
            kind: Kind::Keys,
            ..JOURNAL
        };
        let slips = [
            ("max.compaction.lag.ms", "9223372036854775807"),
            ("max.compaction.lag.ms", "86400001"),
            ("segment.ms", "604800000"),
            ("min.cleanable.dirty.ratio", "0.5"),
            ("min.cleanable.dirty.ratio", "NaN"),
        ];
        for (name, value) in slips {
            let mut found = fresh(keys);
            found.insert(name, value.to_owned());
            let wrong = wrong(keys, &found);
            assert_eq!(wrong.len(), 1, "{name}={value}");
            assert!(wrong[0].contains("must be at most "), "{wrong:?}");
        }
        let mut sooner = fresh(keys);
        sooner.insert("max.compaction.lag.ms", "3600000".to_owned());
        sooner.insert("min.cleanable.dirty.ratio", "0.01".to_owned());
        assert_eq!(wrong(keys, &sooner), Vec::<String>::new());
    }

    #[test]
    fn a_setting_that_the_broker_does_not_tell_is_refused() {
        let mut found = fresh(JOURNAL);
        found.remove("retention.ms");
        assert_eq!(
            wrong(JOURNAL, &found),
            ["retention.ms is unknown and must be -1"]
        );
    }

    #[test]
    fn more_room_than_needed_is_fine() {
        let mut found = fresh(JOURNAL);
        found.insert("max.message.bytes", "10485760".to_owned());
        assert_eq!(wrong(JOURNAL, &found), Vec::<String>::new());
    }

    #[test]
    fn three_replicas_need_two_acknowledgements_and_no_disk() {
        let three = Keeping {
            replicas: 3,
            ..JOURNAL
        };
        let mut found = fresh(three);
        assert!(!found.contains_key("flush.messages"));
        found.insert("min.insync.replicas", "1".to_owned());
        assert_eq!(
            wrong(three, &found),
            ["min.insync.replicas is 1 and must be at least 2"]
        );
    }

    #[test]
    fn one_replica_needs_the_disk_unless_the_page_cache_is_trusted() {
        let trusting = Keeping {
            trust_page_cache: true,
            ..JOURNAL
        };
        assert!(fresh(JOURNAL).contains_key("flush.messages"));
        assert!(!fresh(trusting).contains_key("flush.messages"));
    }
}
