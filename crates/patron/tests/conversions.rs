//! What acquisition accepts as a conversion, retention accepts as the beginning of a relationship: a prospect who is
//! converted there and refused here would be a customer for ever whom nobody knows.
//!
//! Both services are asked by their deciders, and what is told in between keeps the texts, numbers and times as the
//! public event carries them. `cfg(test)` tells the lints that helpers of tests are tests too.
#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::str::FromStr;

    use acquisition_domain::input::{self, When};
    use acquisition_domain::offer::Offer;
    use acquisition_domain::promise::{MAX_PROMISES, PromiseTerms, Proposed};
    use acquisition_domain::prospect::{
        self, Command, Consent, ConsentStatus, Conversion, Convert, Event, FirstPurchase,
        MAX_CONSENTS, MAX_IDENTITIES, Prospect,
    };
    use eventsourcing::{Aggregate as _, Days, Sealed, Time};
    use money::{Currency, MAX_MINOR_UNITS, Money, Rate};
    use proptest::prelude::*;
    use proptest::sample::select;
    use retention_domain::consent::{self, Consents};
    use retention_domain::person::{Identity, IdentityKind, Who};
    use retention_domain::promise::Terms;
    use retention_domain::purchase;
    use retention_domain::relationship::{
        OpenRelationship, Opening, OpeningPromise, Origin, Source,
    };
    use retention_domain::{Command as Keep, Customer};
    use uuid::Uuid;

    /// A text that both services read, or the rules of its form differ.
    #[track_caller]
    fn read<T: FromStr<Err: Debug>>(text: &str) -> T {
        text.parse()
            .unwrap_or_else(|error| panic!("unreadable to retention: {text:?}: {error:?}"))
    }

    fn now() -> Time {
        Time::from_days(20_000)
    }

    fn euro() -> Currency {
        "EUR".parse().unwrap()
    }

    /// A conversion as somebody may ask for it; most are possible, with much at its limits.
    #[derive(Debug, Clone)]
    struct Asked {
        ids: [String; 3],
        promises: Vec<Proposed>,
        first_purchase: Option<FirstPurchase>,
        consents: Vec<Consent>,
        /// Seconds from now.
        converted_at: i64,
        identities: usize,
    }

    fn id() -> impl Strategy<Value = String> {
        prop_oneof![Just("a".repeat(63)), "[a-z0-9-]{1,20}"]
    }

    fn text(limit: usize) -> impl Strategy<Value = String> {
        prop_oneof![
            4 => Just("as the poster says".to_owned()),
            2 => Just("é".repeat(limit)),
            1 => Just("é".repeat(limit + 1)),
            1 => select(vec![String::new(), " \t".to_owned(), " x ".to_owned()]),
        ]
    }

    fn amount() -> impl Strategy<Value = Money> {
        let edges = vec![
            0,
            1,
            -1,
            MAX_MINOR_UNITS,
            -MAX_MINOR_UNITS,
            MAX_MINOR_UNITS + 1,
            50_000_000_000_000,
            i64::MAX,
            i64::MIN,
        ];
        prop_oneof![3 => 0..100_000_i64, 4 => select(edges)]
            .prop_map(|minor_units| Money::new(euro(), minor_units))
    }

    fn promise() -> impl Strategy<Value = Proposed> {
        let due = prop_oneof![8 => 0..36_500_i64, 1 => Just(-1_i64)];
        let scores = (
            prop_oneof![8 => 1..=7_u32, 1 => Just(8)],
            prop_oneof![8 => 0..=100_u32, 1 => Just(101)],
        );
        let terms = (id(), text(input::MAX_STATEMENT), scores);
        let all = (proptest::option::of(id()), terms, proptest::option::of(due));
        all.prop_map(
            |(chosen, (benefit, expectation, (score, importance)), due)| Proposed {
                promise_id: chosen.map(|id| id.parse().unwrap()),
                terms: PromiseTerms {
                    benefit_id: benefit.parse().unwrap(),
                    expectation,
                    expected_score: score,
                    importance,
                    due_at: due.map(|days| Time::from_days(20_000 + days)),
                },
            },
        )
    }

    fn said() -> impl Strategy<Value = Consent> {
        let statuses = vec![
            ConsentStatus::Granted,
            ConsentStatus::Denied,
            ConsentStatus::Withdrawn,
        ];
        let at = prop_oneof![4 => -900..=0_i64, 1 => 295..=305_i64];
        let all = (
            prop_oneof![text(input::MAX_LABEL), "[a-z]{1,9}"],
            select(statuses),
            at,
            text(input::MAX_LABEL),
        );
        all.prop_map(|(purpose, status, at, evidence)| Consent {
            purpose,
            status,
            at: now().plus_seconds(at),
            evidence,
        })
    }

    fn asked() -> impl Strategy<Value = Asked> {
        let many = prop_oneof![6 => 1..4_usize, 1 => Just(0), 1 => Just(MAX_PROMISES)];
        let promises = many.prop_flat_map(|many| proptest::collection::vec(promise(), many));
        let bought = (amount(), proptest::option::of(amount()));
        let bought = bought.prop_map(|(amount, contribution_margin)| FirstPurchase {
            amount,
            contribution_margin,
        });
        let converted_at = prop_oneof![4 => -86_400..=0_i64, 1 => 295..=305_i64];
        let all = (
            [id(), id(), id()],
            promises,
            proptest::option::of(bought),
            proptest::collection::vec(said(), 0..4),
            converted_at,
            prop_oneof![4 => 0..3_usize, 1 => Just(MAX_IDENTITIES)],
        );
        all.prop_map(
            |(ids, promises, first_purchase, consents, converted_at, identities)| Asked {
                ids,
                promises,
                first_purchase,
                consents,
                converted_at,
                identities,
            },
        )
    }

    fn sealed() -> Sealed {
        Sealed {
            subject: "persons/1".to_owned(),
            key_id: "k".to_owned(),
            nonce: [1; 24],
            ciphertext: vec![1],
        }
    }

    /// What acquisition says to it.
    fn convert(asked: Asked) -> Option<(Conversion, Vec<prospect::Identity>)> {
        let [proposition, campaign, presentation] = asked.ids;
        let mut state = Prospect::default();
        let create = Command::Create {
            kind: prospect::Kind::Person,
            source: "fair".to_owned(),
            when: When::now(now()),
        };
        for event in state.decide(create).unwrap() {
            state.evolve(&event);
        }
        let identity = prospect::Identity {
            kind: prospect::IdentityKind::Cookie,
            value: sealed(),
        };
        state.identities = vec![identity; asked.identities];
        let command = Command::Convert(Convert {
            request_id: Uuid::from_u128(7),
            offer: Offer {
                proposition_id: proposition.parse().unwrap(),
                revision: 1,
                problem_id: "van-off-road".parse().unwrap(),
                campaign_id: Some(campaign.parse().unwrap()),
                presentation_id: Some(presentation.parse().unwrap()),
                promises: asked.promises,
                claims: vec![],
            },
            first_purchase: asked.first_purchase,
            currency: euro(),
            consents: asked.consents,
            steps: vec![],
            when: When {
                now: now(),
                occurred_at: Some(now().plus_seconds(asked.converted_at)),
            },
        });
        let events = state.decide(command).ok()?;
        let Some(Event::Converted {
            conversion,
            identities,
            ..
        }) = events.into_iter().next()
        else {
            panic!("accepted, and nothing follows");
        };
        Some((*conversion, identities))
    }

    fn consents(conversion: &Conversion) -> Consents {
        let said = conversion.consents.iter();
        let heard = said.map(|said| {
            let evidence = said.evidence.trim();
            let consent = consent::Consent {
                status: match said.status {
                    ConsentStatus::Granted => consent::Status::Granted,
                    ConsentStatus::Denied => consent::Status::Denied,
                    ConsentStatus::Withdrawn => consent::Status::Withdrawn,
                },
                at: said.at,
                evidence: (!evidence.is_empty()).then(|| read(evidence)),
            };
            (read(&said.purpose), consent)
        });
        heard.collect()
    }

    /// The command with which retention answers the event of a conversion.
    fn opening(
        conversion: &Conversion,
        identities: &[prospect::Identity],
    ) -> Box<OpenRelationship> {
        let proposition = format!("propositions/{}", conversion.proposition_id);
        let campaign = conversion.campaign_id.as_ref();
        let campaign = campaign.map(|id| format!("{proposition}/campaigns/{id}"));
        let presentation_id = conversion.presentation_id.as_ref();
        let presentation_id = presentation_id.map(|id| read(id.as_str()));
        let customer = Uuid::from_u128(1);
        let bought = conversion.first_purchase.as_ref();
        let promises = conversion.promises.iter();
        Box::new(OpenRelationship {
            opening: Opening {
                origin: Origin {
                    source: Source::Prospect,
                    proposition: Some(read(&proposition)),
                    campaign: campaign.map(|name| read(&name)),
                    presentation_id: presentation_id.clone(),
                },
                acquired_at: conversion.converted_at,
                currency: conversion.currency,
                consents: consents(conversion),
                who: Who {
                    identities: identities
                        .iter()
                        .map(|identity| Identity {
                            kind: IdentityKind::Cookie,
                            value: identity.value.clone(),
                        })
                        .collect(),
                    display_name: None,
                },
            },
            promises: promises
                .map(|promise| OpeningPromise {
                    promise_id: read(promise.promise_id.as_str()),
                    terms: Terms {
                        proposition: read(&proposition),
                        presentation_id: presentation_id.clone(),
                        benefit_id: read(promise.terms.benefit_id.as_str()),
                        expectation: read(&promise.terms.expectation),
                        expected_score: promise.terms.expected_score,
                        importance: promise.terms.importance,
                        due_at: promise.terms.due_at,
                        made_by: None,
                    },
                })
                .collect(),
            first_purchase: bought.map(|bought| purchase::FirstPurchase {
                purchase_id: read(&format!("first-{customer}")),
                amount: bought.amount,
                contribution_margin: bought.contribution_margin,
                default_margin_rate: Rate::per_mille(1_000),
            }),
            now: now(),
        })
    }

    /// Whether acquisition accepts it. Retention must not refuse what it accepts.
    #[track_caller]
    fn agreed(asked: Asked) -> bool {
        let Some((conversion, identities)) = convert(asked) else {
            return false;
        };
        let command = Keep::OpenRelationship(opening(&conversion, &identities));
        let opened = Customer::default().decide(command);
        assert!(opened.is_ok(), "{conversion:?}: {opened:?}");
        true
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn retention_opens_a_relationship_for_every_conversion_that_acquisition_accepts(asked in asked()) {
            agreed(asked);
        }
    }

    #[test]
    fn the_largest_conversion_of_all_is_accepted_by_both() {
        let largest = |minor_units| Asked {
            ids: ["a", "b", "c"].map(|letter| letter.repeat(63)),
            promises: (0..MAX_PROMISES)
                .map(|number| Proposed {
                    promise_id: Some(format!("{number:063}").parse().unwrap()),
                    terms: PromiseTerms {
                        benefit_id: "b".repeat(63).parse().unwrap(),
                        expectation: "é".repeat(input::MAX_STATEMENT),
                        expected_score: 7,
                        importance: 100,
                        due_at: Some(now().plus_days(Days(36_500))),
                    },
                })
                .collect(),
            first_purchase: Some(FirstPurchase {
                amount: Money::new(euro(), minor_units),
                contribution_margin: Some(Money::new(euro(), -minor_units)),
            }),
            consents: (0..MAX_CONSENTS)
                .map(|number| Consent {
                    purpose: format!("{number:0200}"),
                    status: ConsentStatus::Granted,
                    at: now().plus_seconds(300),
                    evidence: "é".repeat(input::MAX_LABEL),
                })
                .collect(),
            converted_at: 300,
            identities: MAX_IDENTITIES,
        };
        // Those promises are due after the conversion, which lies ahead by what clocks may differ.
        assert!(agreed(largest(MAX_MINOR_UNITS)));
        assert!(!agreed(largest(MAX_MINOR_UNITS + 1)));
    }
}
