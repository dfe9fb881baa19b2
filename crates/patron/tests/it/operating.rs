//! docs/OPERATING.md says what the binaries say.

use std::collections::BTreeSet;
use std::process::Command;

const PAGE: &str = include_str!("../../../../docs/OPERATING.md");

/// What stands between `before` and the next of `after`, everywhere in a text.
fn between<'a>(text: &'a str, before: &'a str, after: &'a [char]) -> impl Iterator<Item = String> {
    let parts = text.split(before).skip(1);
    parts.filter_map(move |rest| rest.split(after).next().map(str::to_owned))
}

fn help(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    // As wide as it is, whatever the terminal.
    let text = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// Every way to start a service.
fn all() -> String {
    let mut all = help(env!("CARGO_BIN_EXE_patron"), &["up", "--help"]);
    all += &help(env!("CARGO_BIN_EXE_patron"), &["healthcheck", "--help"]);
    #[cfg(feature = "kafka")]
    for alone in [
        env!("CARGO_BIN_EXE_patron-acquisition"),
        env!("CARGO_BIN_EXE_patron-retention"),
    ] {
        all += &help(alone, &["--help"]);
    }
    all
}

#[test]
fn every_flag_and_variable_of_the_services_is_documented() {
    let all = all();
    let flags: BTreeSet<String> = between(&all, " --", &[' ', '\n', '>', ',', '.', ':', ')'])
        .filter(|flag| !["help", "version"].contains(&flag.as_str()))
        .collect();
    let variables: BTreeSet<String> = between(&all, "[env: ", &['=', ']']).collect();
    assert!(
        flags.len() > 10 && variables.len() > 10,
        "{flags:?} {variables:?}"
    );
    for flag in flags {
        assert!(
            PAGE.contains(&format!("`--{flag}")),
            "--{flag} is not documented"
        );
    }
    for variable in variables {
        assert!(
            PAGE.contains(&format!("`{variable}`")),
            "{variable} is not documented"
        );
    }
}

#[test]
fn every_flag_and_variable_that_is_documented_exists() {
    let all = all();
    for flag in between(PAGE, "| `--", &['`', ' ']) {
        assert!(all.contains(&format!("--{flag}")), "there is no --{flag}");
    }
    for variable in between(PAGE, "| `PATRON_", &['`']) {
        assert!(
            all.contains(&format!("PATRON_{variable}")),
            "there is no PATRON_{variable}"
        );
    }
}

#[test]
fn every_error_page_is_on_the_list() {
    let errors = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors");
    for page in std::fs::read_dir(errors).unwrap() {
        let name = page.unwrap().file_name().into_string().unwrap();
        assert!(
            PAGE.contains(&format!("(errors/{name}) |")),
            "{name} is not on the list"
        );
    }
}
