//! Dependencies point one way: the test that holds the picture in docs/ARCHITECTURE.md.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "in a test, what is not as it must be should panic where it is found"
)]

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// The tier of each crate, and what else of its own tier or below it may not use.
const TIERS: &[(&str, u8)] = &[
    ("eventsourcing", 0),
    ("money", 0),
    ("customer-value", 0),
    ("attribution", 0),
    ("acquisition-domain", 1),
    ("retention-domain", 1),
    ("patron-proto", 1),
    ("journal", 2),
    ("read-model", 2),
    ("journal-embedded", 3),
    ("journal-kafka", 3),
    ("runtime", 3),
    ("vault", 3),
    ("server", 4),
    ("acquisition", 5),
    ("retention", 5),
    ("patron", 6),
    ("scoreboard", 6),
    ("testkit", 6),
    ("xtask", 7),
];

/// Dependencies within a tier that are meant: everything else points strictly down.
const WITHIN_A_TIER: &[(&str, &str)] = &[("customer-value", "money"), ("attribution", "money")];

/// What the pure crates may use from outside.
const PURE: &[&str] = &["thiserror", "libm", "serde", "uuid", "iso_currency"];

/// Which crates may use a driver.
const DRIVERS: &[(&str, &[&str])] = &[
    ("rdkafka", &["journal-kafka"]),
    ("redb", &["journal-embedded"]),
    ("sled", &["read-model"]),
];

fn packages() -> BTreeMap<String, Vec<String>> {
    let cargo = env!("CARGO");
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .output()
        .expect("cargo metadata runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages
        .iter()
        .map(|package| {
            let name = package["name"].as_str().expect("a name").to_owned();
            let dependencies = package["dependencies"].as_array().expect("a list");
            let normal = dependencies
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| dependency["name"].as_str().expect("a name").to_owned())
                .collect();
            (name, normal)
        })
        .collect()
}

fn tier(name: &str) -> Option<u8> {
    TIERS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, tier)| *tier)
}

#[test]
fn every_crate_has_a_tier() {
    for name in packages().keys() {
        assert!(
            tier(name).is_some(),
            "give {name} a tier here and in docs/ARCHITECTURE.md"
        );
    }
}

#[test]
fn dependencies_point_down() {
    for (name, dependencies) in packages() {
        for dependency in dependencies {
            let (Some(here), Some(there)) = (tier(&name), tier(&dependency)) else {
                continue;
            };
            let meant = WITHIN_A_TIER.contains(&(name.as_str(), dependency.as_str()));
            assert!(
                there < here || meant,
                "{name} (tier {here}) must not depend on {dependency} (tier {there})"
            );
        }
    }
}

#[test]
fn the_services_do_not_know_each_other() {
    let packages = packages();
    for (one, other) in [("acquisition", "retention"), ("retention", "acquisition")] {
        for of_one in [one.to_owned(), format!("{one}-domain")] {
            let used = &packages[&of_one];
            assert!(
                !used
                    .iter()
                    .any(|name| name == other || *name == format!("{other}-domain")),
                "{of_one} knows {other}"
            );
        }
    }
}

#[test]
fn the_rules_are_pure() {
    for (name, dependencies) in packages() {
        let pure = tier(&name) == Some(0) || name.ends_with("-domain");
        for dependency in dependencies.iter().filter(|_| pure) {
            assert!(
                tier(dependency) == Some(0) || PURE.contains(&dependency.as_str()),
                "{name} is pure and must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn each_driver_is_known_to_one_crate() {
    for (name, dependencies) in packages() {
        for (driver, allowed) in DRIVERS {
            let uses = dependencies.iter().any(|dependency| dependency == driver);
            assert!(
                !uses || allowed.contains(&name.as_str()),
                "{name} must not know {driver}"
            );
        }
    }
}
