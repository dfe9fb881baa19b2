//! A variable for every option, named by a rule, so that nobody has to look one up.

use clap::{Arg, Command};

/// What the help says about it.
const RULE: &str = "Every option can be given as a variable too. Where the help names none, it is PATRON, the command and \
                    the option: PATRON_LEDGER_CLOSE_START for --start of `patron ledger close`.";

/// Gives each option that has no variable of its own one by the rule.
pub(crate) fn named(command: Command) -> Command {
    let name = command.get_name().to_owned();
    let command = with_usage(command, &name);
    below(command, &name.to_uppercase()).after_help(RULE)
}

/// Each command with the usage that it has for whoever gives nothing: else a variable that is set would stand
/// in a complaint as if it had to be given.
fn with_usage(command: Command, path: &str) -> Command {
    let usage = command.clone().bin_name(path).render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    let command = command.mut_subcommands(|command| {
        let path = format!("{path} {}", command.get_name());
        with_usage(command, &path)
    });
    command.override_usage(usage)
}

fn below(command: Command, path: &str) -> Command {
    command
        .mut_args(|option| with_variable(option, path))
        .mut_subcommands(|command| {
            let path = joined(path, command.get_name());
            below(command, &path)
        })
}

/// The help does not repeat a name that follows from the rule.
fn with_variable(option: Arg, path: &str) -> Arg {
    let long = option.get_long().map(|long| joined(path, long));
    match long {
        Some(variable) if option.get_env().is_none() => option.env(variable).hide_env(true),
        Some(_) | None => option,
    }
}

fn joined(path: &str, name: &str) -> String {
    format!("{path}_{}", name.replace('-', "_").to_uppercase())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::{Command, CommandFactory as _};

    use super::named;
    use crate::Cli;

    /// Each option of each command with its variable.
    fn options(command: &Command, path: &str, found: &mut Vec<(String, Option<String>)>) {
        for option in command.get_arguments() {
            if let Some(long) = option.get_long() {
                let variable = option
                    .get_env()
                    .map(|name| name.to_str().unwrap().to_owned());
                found.push((format!("{path} --{long}"), variable));
            }
        }
        for below in command.get_subcommands() {
            options(below, &format!("{path} {}", below.get_name()), found);
        }
    }

    #[test]
    fn every_option_has_a_variable_and_none_means_two_things() {
        let mut found = Vec::new();
        options(&named(Cli::command()), "patron", &mut found);
        assert!(found.len() > 100, "{found:?}");
        let mut means: BTreeMap<String, String> = BTreeMap::new();
        for (option, variable) in found {
            let variable = variable.unwrap_or_else(|| panic!("{option} has no variable"));
            let long = option.rsplit(" --").next().unwrap().to_owned();
            let known = means.entry(variable.clone()).or_insert(long.clone());
            assert_eq!(*known, long, "{variable}");
        }
        assert_eq!(
            means.get("PATRON_LEDGER_CLOSE_START").map(String::as_str),
            Some("start")
        );
        assert_eq!(means.get("PATRON_KAFKA").map(String::as_str), Some("kafka"));
    }
}
