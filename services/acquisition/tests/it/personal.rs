//! Who a prospect is: said, looked up, exported, forgotten.

use std::sync::Arc;

use eventsourcing::{Clock as _, FixedClock, Time};
use patron_proto::acquisition::v1 as proto;
use patron_proto::retention::v1 as retention;
use patron_proto::types::v1::{Identity, IdentityKind};
use tonic::Code;

use crate::harness::{Harness, at, new_id, refused};
use crate::retention::Retention;

fn identity(kind: IdentityKind, value: &str) -> Identity {
    Identity {
        kind: kind as i32,
        value: value.to_owned(),
    }
}

fn email(value: &str) -> Identity {
    identity(IdentityKind::Email, value)
}

fn identify(
    prospect: &str,
    identities: Vec<Identity>,
    name: &str,
) -> proto::IdentifyProspectRequest {
    proto::IdentifyProspectRequest {
        name: prospect.to_owned(),
        identities,
        display_name: name.to_owned(),
        request_id: new_id(),
        ..Default::default()
    }
}

/// A prospect that is younger than all others.
async fn younger(harness: &Harness) -> String {
    let now = harness.clock.now();
    harness.clock.set(Time::from_micros(now.micros() + 1));
    harness.prospect().await
}

async fn known(harness: &Harness, address: &str, name: &str) -> String {
    let prospect = younger(harness).await;
    let request = identify(&prospect, vec![email(address)], name);
    harness
        .prospects()
        .identify_prospect(request)
        .await
        .unwrap();
    prospect
}

async fn get(harness: &Harness, name: &str) -> proto::Prospect {
    let request = proto::GetProspectRequest {
        name: name.to_owned(),
        ..Default::default()
    };
    let found = harness.prospects().get_prospect(request).await;
    found.unwrap().into_inner()
}

async fn find(harness: &Harness, asked: Identity) -> Vec<String> {
    let request = proto::FindProspectsRequest {
        identity: Some(asked),
        ..Default::default()
    };
    let found = harness.prospects().find_prospects(request).await.unwrap();
    let found = found.into_inner().prospects.into_iter();
    found.map(|prospect| prospect.name).collect()
}

fn erase(name: &str) -> proto::EraseProspectRequest {
    proto::EraseProspectRequest {
        name: name.to_owned(),
        request_id: new_id(),
        ..Default::default()
    }
}

fn export(name: &str) -> proto::ExportProspectRequest {
    proto::ExportProspectRequest {
        name: name.to_owned(),
        ..Default::default()
    }
}

async fn merge(harness: &Harness, source: &str, into: &str) {
    let request = proto::MergeProspectsRequest {
        name: source.to_owned(),
        into: into.to_owned(),
        request_id: new_id(),
        ..Default::default()
    };
    harness.prospects().merge_prospects(request).await.unwrap();
}

#[tokio::test]
async fn a_prospect_that_is_identified_is_shown_and_found_by_it() {
    let harness = Harness::start().await;
    let ada = known(&harness, "Ada@Example.org", "Ada Lovelace").await;
    let shown = get(&harness, &ada).await;
    assert_eq!(shown.display_name, "Ada Lovelace");
    assert_eq!(shown.identities, [email("Ada@Example.org")]);
    assert_eq!(shown.state(), proto::ProspectState::Identified);
    assert_eq!(
        find(&harness, email(" ada@example.ORG")).await,
        std::slice::from_ref(&ada)
    );
    assert!(find(&harness, email("bob@example.org")).await.is_empty());
    let same_text = identity(IdentityKind::ExternalId, "ada@example.org");
    assert!(find(&harness, same_text).await.is_empty());
}

#[tokio::test]
async fn a_unique_identity_is_one_and_others_may_be_several() {
    let harness = Harness::start().await;
    let ada = known(&harness, "ada@example.org", "Ada").await;
    let mut prospects = harness.prospects();
    let again = identify(&ada, vec![email("ADA@example.org")], "Ada");
    let again = prospects
        .identify_prospect(again)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again.prospect.unwrap().identities.len(), 1, "it is known");
    let another = identify(&ada, vec![email("lovelace@example.org")], "");
    assert_eq!(
        refused(prospects.identify_prospect(another).await),
        (Code::FailedPrecondition, "IDENTITY_CONFLICT".to_owned())
    );
    let phone = |digits: &str| identity(IdentityKind::Phone, digits);
    let phones = vec![
        phone("+34 600 10 20 30"),
        phone("+34600102030"),
        phone("+1 555 0100"),
    ];
    let phones = identify(&ada, phones, "");
    let known = prospects.identify_prospect(phones).await.unwrap();
    let known = known.into_inner().prospect.unwrap();
    assert_eq!(known.identities.len(), 3, "two spellings are one number");
    assert_eq!(known.display_name, "Ada", "what is left out stays");
}

#[tokio::test]
async fn a_request_that_comes_twice_takes_effect_once_and_two_spellings_are_told_apart() {
    let harness = Harness::start().await;
    let ada = harness.prospect().await;
    let request = identify(&ada, vec![email("ada@example.org")], "Ada");
    let mut prospects = harness.prospects();
    let first = prospects.identify_prospect(request.clone()).await.unwrap();
    let second = prospects.identify_prospect(request.clone()).await.unwrap();
    assert_eq!(first.into_inner(), second.into_inner());
    // Personal fields are no part of what a request is recognised by: no log may hold even a hash of them.
    let other = proto::IdentifyProspectRequest {
        display_name: "Augusta".to_owned(),
        ..request.clone()
    };
    let answered = prospects.identify_prospect(other).await.unwrap();
    assert_eq!(answered.into_inner().prospect.unwrap().display_name, "Ada");
    let reused = proto::IdentifyProspectRequest {
        identities: vec![],
        ..request
    };
    assert_eq!(
        refused(prospects.identify_prospect(reused).await),
        (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned())
    );
}

#[tokio::test]
async fn what_is_no_identity_is_refused_without_repeating_it() {
    let harness = Harness::start().await;
    let ada = harness.prospect().await;
    let mut prospects = harness.prospects();
    let wrong = identify(&ada, vec![email("ada.example.org")], "");
    let status = prospects.identify_prospect(wrong).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(!status.message().contains("ada.example"), "{status}");
    let mut asked = identify(&ada, vec![email("ada@example.org")], "Ada");
    asked.validate_only = true;
    let possible = prospects.identify_prospect(asked).await.unwrap();
    let possible = possible.into_inner().prospect.unwrap();
    assert_eq!(
        (possible.display_name.as_str(), possible.identities.len()),
        ("", 1)
    );
    assert!(
        get(&harness, &ada).await.identities.is_empty(),
        "it was only asked"
    );
    let nothing = identify(&ada, vec![], " ");
    assert_eq!(
        refused(prospects.identify_prospect(nothing).await).0,
        Code::InvalidArgument
    );
    let nobody = "prospects/00000000-0000-4000-8000-000000000000";
    let nobody = identify(nobody, vec![email("ada@example.org")], "");
    assert_eq!(
        refused(prospects.identify_prospect(nobody).await).0,
        Code::NotFound
    );
    let person = "00000000-0000-4000-8000-000000000000".parse().unwrap();
    assert!(
        !harness.vault.has_key(vault::Person(person)),
        "nobody gets a key who does not exist"
    );
}

#[tokio::test]
async fn possible_duplicates_are_named_and_a_merged_one_is_told_by_who_goes_on() {
    let harness = Harness::start().await;
    let first = known(&harness, "ada@example.org", "Ada").await;
    let second = younger(&harness).await;
    let request = identify(&second, vec![email("ada@example.org")], "A. Lovelace");
    let answered = harness
        .prospects()
        .identify_prospect(request)
        .await
        .unwrap();
    let twins = answered.into_inner().possible_duplicates;
    assert_eq!(twins, std::slice::from_ref(&first));
    let mut both = vec![first.clone(), second.clone()];
    both.sort();
    assert_eq!(find(&harness, email("ada@example.org")).await, both);
    merge(&harness, &second, &first).await;
    assert_eq!(find(&harness, email("ada@example.org")).await, [first]);
}

#[tokio::test]
async fn the_words_with_which_a_prospect_was_closed_are_kept_until_it_is_reopened() {
    let harness = Harness::start().await;
    let ada = harness.prospect().await;
    let close = proto::CloseProspectRequest {
        name: ada.clone(),
        reason: proto::CloseReason::Other as i32,
        note: "moved to Ockham Park".to_owned(),
        request_id: new_id(),
        ..Default::default()
    };
    let closed = harness.prospects().close_prospect(close).await.unwrap();
    assert_eq!(
        closed.into_inner().closing.unwrap().note,
        "moved to Ockham Park"
    );
    harness
        .prospects()
        .erase_prospect(erase(&ada))
        .await
        .unwrap();
    assert_eq!(get(&harness, &ada).await.closing.unwrap().note, "[erased]");
}

#[tokio::test]
async fn whoever_is_erased_is_gone_with_all_who_were_the_same_and_the_numbers_stay() {
    let harness = Harness::start().await;
    let ada = known(&harness, "ada@example.org", "Ada").await;
    let twin = known(&harness, "countess@example.org", "Augusta").await;
    let bob = known(&harness, "bob@example.org", "Bob").await;
    merge(&harness, &twin, &ada).await;
    let told = harness.prospects().export_prospect(export(&ada)).await;
    let told = told.unwrap().into_inner();
    assert_eq!(told.prospect.unwrap().display_name, "Ada");
    assert_eq!(told.merged[0].display_name, "Augusta");

    let erased = harness
        .prospects()
        .erase_prospect(erase(&ada))
        .await
        .unwrap();
    let erased = erased.into_inner();
    assert!(erased.erased_at.is_some() && erased.identities.is_empty());
    assert_eq!(erased.display_name, "[erased]");
    for name in [&ada, &twin] {
        let shown = get(&harness, name).await;
        assert!(shown.erased_at.is_some());
        assert_eq!(shown.display_name, "[erased]");
        let id = name.strip_prefix("prospects/").unwrap().parse().unwrap();
        assert!(harness.vault.is_erased(vault::Person(id)), "{name}");
    }
    for address in ["ada@example.org", "countess@example.org"] {
        assert!(find(&harness, email(address)).await.is_empty());
    }
    let mut prospects = harness.prospects();
    let gone = refused(prospects.export_prospect(export(&ada)).await);
    assert_eq!(gone, (Code::NotFound, "ERASED".to_owned()));
    let again = identify(&ada, vec![email("ada@example.org")], "Ada");
    assert_eq!(
        refused(prospects.identify_prospect(again).await),
        (Code::FailedPrecondition, "ERASED".to_owned())
    );
    prospects.erase_prospect(erase(&ada)).await.unwrap();
    assert_eq!(get(&harness, &bob).await.display_name, "Bob");
}

#[tokio::test]
async fn a_question_whether_an_erasure_is_possible_erases_nobody() {
    let harness = Harness::start().await;
    let ada = known(&harness, "ada@example.org", "Ada").await;
    let mut asked = erase(&ada);
    asked.validate_only = true;
    harness.prospects().erase_prospect(asked).await.unwrap();
    assert_eq!(get(&harness, &ada).await.display_name, "Ada");
    let nobody = erase("prospects/00000000-0000-4000-8000-000000000000");
    let nobody = harness.prospects().erase_prospect(nobody).await;
    assert_eq!(refused(nobody).0, Code::NotFound);
}

#[tokio::test]
async fn a_request_that_took_effect_is_answered_after_the_erasure_too() {
    let harness = Harness::start().await;
    let ada = harness.prospect().await;
    let request = identify(&ada, vec![email("ada@example.org")], "Ada");
    let mut prospects = harness.prospects();
    prospects.identify_prospect(request.clone()).await.unwrap();
    prospects.erase_prospect(erase(&ada)).await.unwrap();
    let again = prospects.identify_prospect(request).await.unwrap();
    let again = again.into_inner().prospect.unwrap();
    assert_eq!(again.display_name, "[erased]");
}

#[tokio::test]
async fn a_replica_that_starts_later_knows_whom_to_find() {
    let harness = Harness::start().await;
    let ada = known(&harness, "ada@example.org", "Ada").await;
    let bob = known(&harness, "bob@example.org", "Bob").await;
    harness
        .prospects()
        .erase_prospect(erase(&bob))
        .await
        .unwrap();
    let options = runtime::Options {
        inbox_topic: None,
        ..runtime::Options::for_pair("acquisition", "retention")
    };
    let clock = Arc::<FixedClock>::clone(&harness.clock);
    let later = Harness::start_on(harness.topics.clone(), clock, options).await;
    assert_eq!(find(&later, email("ada@example.org")).await, [ada]);
    assert!(find(&later, email("bob@example.org")).await.is_empty());
    assert_eq!(get(&later, &bob).await.display_name, "[erased]");
}

/// X1. The keys are destroyed by the policy alone: nobody here asked for it.
#[tokio::test]
async fn whom_retention_has_erased_is_erased_here_with_all_who_were_the_same() {
    let harness = Harness::start_listening().await;
    let ada = known(&harness, "ada@example.org", "Ada").await;
    let twin = known(&harness, "countess@example.org", "Augusta").await;
    merge(&harness, &twin, &ada).await;
    let customer = ada.replace("prospects", "customers");
    let event = retention::CustomerErased {
        customer: customer.clone(),
        occurred_at: at(-60),
    };
    let mut other = Retention::default();
    other
        .tells(&harness, &customer, "CustomerErased", &event)
        .await;
    let shown = get(&harness, &ada).await;
    assert_eq!(shown.erased_at, at(-60));
    assert_eq!(shown.display_name, "[erased]");
    for name in [&ada, &twin] {
        let id = name.strip_prefix("prospects/").unwrap().parse().unwrap();
        while !harness.vault.is_erased(vault::Person(id)) {
            harness.running.engine.barrier().await.unwrap();
            tokio::task::yield_now().await;
        }
        assert!(get(&harness, name).await.erased_at.is_some(), "{name}");
    }
    // Told of somebody who is unknown here, nothing happens; told twice, nothing more.
    let nobody = "customers/00000000-0000-4000-8000-000000000000";
    for name in [nobody, &customer] {
        let event = retention::CustomerErased {
            customer: name.to_owned(),
            occurred_at: at(0),
        };
        other.tells(&harness, name, "CustomerErased", &event).await;
    }
    assert_eq!(get(&harness, &ada).await.erased_at, at(-60));
}
