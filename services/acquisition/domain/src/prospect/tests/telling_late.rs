//! Histories are told late: what happened long ago happened then, and nothing happens ahead.

use eventsourcing::scenario::given;

use super::*;
use crate::prospect::{Claimed, Identify, Identity, IdentityKind, Merge, Verdict};

const LONG_AGO: i64 = -500;

fn created_on(when: When) -> Command {
    Command::Create {
        kind: Kind::Person,
        source: "trade fair".to_owned(),
        when,
    }
}

fn identified_on(when: When) -> Command {
    let identity = Identity {
        kind: IdentityKind::Email,
        value: sealed(1),
    };
    Command::Identify(Identify {
        identities: vec![Claimed {
            identity,
            verdict: Verdict::Other,
        }],
        name: None,
        when,
    })
}

fn qualified_on(when: When) -> Command {
    Command::Qualify {
        qualification: qualification("van-off-road"),
        when,
    }
}

fn closed_on(when: When) -> Command {
    let (reason, competitor) = (CloseReason::NoNeed, None);
    Command::Close {
        closing: Closing { reason, competitor },
        note: None,
        when,
    }
}

fn merged_on(when: When) -> Command {
    Command::Merge(Merge {
        id: Uuid::from_u128(2),
        into: Uuid::from_u128(1),
        state: State::Converted,
        erased: false,
        created_at: Some(day(0)),
        touches: 0,
        when,
    })
}

#[test]
fn each_event_is_of_the_day_that_the_command_names() {
    let long_ago = || about(LONG_AGO);
    given::<Prospect>([])
        .when(created_on(long_ago()))
        .then([Event::Created {
            origin: Origin {
                kind: Kind::Person,
                source: "trade fair".to_owned(),
                created_at: day(LONG_AGO),
            },
        }]);
    let occurred_at = day(LONG_AGO);
    created()
        .when(identified_on(long_ago()))
        .then([Event::Identified {
            identities: vec![Identity {
                kind: IdentityKind::Email,
                value: sealed(1),
            }],
            display_name: None,
            occurred_at,
        }]);
    created()
        .when(qualified_on(long_ago()))
        .then([Event::Qualified {
            qualification: qualification("van-off-road"),
            occurred_at,
        }]);
    let (reason, competitor) = (CloseReason::NoNeed, None);
    created().when(closed_on(long_ago())).then([Event::Closed {
        closing: Closing { reason, competitor },
        note: None,
        occurred_at,
    }]);
    closed()
        .when(Command::Reopen { when: long_ago() })
        .then([Event::Reopened { occurred_at }]);
    let into = Uuid::from_u128(1);
    created()
        .when(merged_on(long_ago()))
        .then([Event::Merged { into, occurred_at }]);
}

#[test]
fn nothing_happens_more_than_five_minutes_ahead() {
    let ahead = |seconds| When {
        now: day(40),
        occurred_at: Some(day(40).plus_seconds(seconds)),
    };
    let refusal = || {
        let (at, latest) = (day(40).plus_seconds(301), day(40).plus_seconds(300));
        let field = "occurred_at";
        Refusal::from(Invalid::FutureTime { field, at, latest })
    };
    given::<Prospect>([])
        .when(created_on(ahead(301)))
        .refused(refusal());
    let _ = given::<Prospect>([]).and(created_on(ahead(300)));
    for command in [identified_on, qualified_on, closed_on, merged_on] {
        created().when(command(ahead(301))).refused(refusal());
        let _ = created().and(command(ahead(300)));
    }
    let reopen = |when| Command::Reopen { when };
    closed().when(reopen(ahead(301))).refused(refusal());
    let _ = closed().and(reopen(ahead(300)));
}

#[test]
fn a_prospect_created_again_at_another_time_is_another_one() {
    let story = || given::<Prospect>([]).and(created_on(about(LONG_AGO)));
    story().when(created_on(about(LONG_AGO))).nothing();
    story().when(create()).nothing();
    story()
        .when(created_on(about(LONG_AGO + 1)))
        .refused(Refusal::AlreadyExists(Thing::Prospect));
}
