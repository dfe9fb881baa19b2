//! How figures look to a person: tables that fit 100 columns, and JSON for programs.

use std::io::{self, Write as _};

use eventsourcing::{Clock as _, SystemClock};
use patron_proto::types::v1::{Identity, Money};
use prost::{Message, Name};
use prost_reflect::{DynamicMessage, SerializeOptions};
use prost_types::Timestamp;
use serde_json::Value;

pub(crate) use crate::grid::{table, words};

/// Prints what a command is asked for. A reader that has seen enough, such as `head`, is no error.
pub(crate) fn print(text: impl std::fmt::Display) {
    let written = writeln!(io::stdout().lock(), "{text}");
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        tracing::error!(%error, "the answer could not be printed");
    }
}

/// Says something beside the answer, where a program that reads the answer does not stumble over it.
pub(crate) fn note(text: impl std::fmt::Display) {
    // Whoever closed this end does not want to know.
    let _unheard = writeln!(io::stderr().lock(), "{text}");
}

/// A message as the contract's JSON.
pub(crate) fn json<M: Message + Name>(message: &M) -> anyhow::Result<String> {
    let descriptor = patron_proto::descriptor_pool()
        .get_message_by_name(&M::full_name())
        .ok_or_else(|| anyhow::anyhow!("{} has no descriptor", M::full_name()))?;
    let mut dynamic = DynamicMessage::new(descriptor);
    dynamic.transcode_from(message)?;
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .skip_default_fields(false);
    let mut value = dynamic.serialize_with_options(serde_json::value::Serializer, &options)?;
    number(&mut value);
    Ok(serde_json::to_string_pretty(&value)?)
}

/// Puts what is kept by number in the order of the numbers: the same answer is the same text. Fields stay in the
/// order of the contract.
fn number(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let place = |name: &str| name.parse::<u64>().ok();
            if fields.keys().all(|name| place(name).is_some()) {
                let mut entries: Vec<_> = std::mem::take(fields).into_iter().collect();
                entries.sort_by_key(|(name, _)| place(name));
                fields.extend(entries);
            }
            fields.values_mut().for_each(number);
        }
        Value::Array(values) => values.iter_mut().for_each(number),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// An amount: `1,234.50 EUR`; a dash where it is undefined.
pub(crate) fn amount(money: Option<&Money>) -> String {
    let Some(money) = money else {
        return "–".to_owned();
    };
    let Ok(currency) = money.currency_code.parse() else {
        return "?".to_owned();
    };
    let plain = ::money::Money::new(currency, money.minor_units).to_string();
    let (number, code) = plain.split_once(' ').unwrap_or((&plain, ""));
    format!("{} {code}", grouped(number))
}

/// An amount as a sheet wants it: `1234.50`.
pub(crate) fn figure(money: &Money) -> String {
    let currency = money.currency_code.parse();
    let plain =
        currency.map(|currency| ::money::Money::new(currency, money.minor_units).to_string());
    let number = |plain: String| plain.split(' ').next().unwrap_or_default().to_owned();
    plain.map(number).unwrap_or_default()
}

/// Lines with headings, separated by commas.
pub(crate) fn csv(headings: &[&str], lines: Vec<Vec<String>>) -> anyhow::Result<String> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(headings)?;
    for line in lines {
        writer.write_record(line)?;
    }
    let text = String::from_utf8(writer.into_inner()?)?;
    Ok(text.trim_end().to_owned())
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: &str) -> String {
    let (sign, digits) = number
        .strip_prefix('-')
        .map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut out = String::from(sign);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A share in percent; a dash where it is undefined.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

/// An interval in percent; a dash where it is undefined.
pub(crate) fn interval(lower: Option<f64>, upper: Option<f64>) -> String {
    match (lower, upper) {
        (Some(lower), Some(upper)) => {
            let ends =
                |decimals: usize| [lower, upper].map(|it| format!("{:.decimals$}", it * 100.0));
            // Rounded until both ends are the same, it would look like certainty.
            let hides = |decimals: &usize| ends(*decimals)[0] == ends(*decimals)[1];
            let decimals = (0..3).find(|decimals| !hides(decimals)).unwrap_or(3);
            ends(decimals).join("–") + " %"
        }
        _ => "–".to_owned(),
    }
}

/// A ratio with two decimals; a dash where it is undefined.
pub(crate) fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"))
}

/// The day of a moment; a dash where there is none.
pub(crate) fn day(timestamp: Option<&Timestamp>) -> String {
    timestamp.map_or_else(
        || "–".to_owned(),
        |at| {
            server::from_timestamp(at)
                .to_string()
                .chars()
                .take(10)
                .collect()
        },
    )
}

/// A value of an enum as a person says it: `LOSS_REASON_PROMISE_BROKEN` is `promise broken`.
pub(crate) fn spoken(name: &str, prefix: &str) -> String {
    let value = name.strip_prefix(prefix).unwrap_or(name);
    value.to_lowercase().replace('_', " ")
}

/// How to go on behind a page, if it is not the last one.
pub(crate) fn more(next_page_token: &str) -> String {
    if next_page_token.is_empty() {
        return String::new();
    }
    format!("\nmore with --page {next_page_token}")
}

/// This moment.
pub(crate) fn now() -> Timestamp {
    server::timestamp(SystemClock.now())
}

/// A count with its thousands apart.
pub(crate) fn count(number: i64) -> String {
    grouped(&number.to_string())
}

/// So many of something: `1 row`, `1,200 rows`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let one = noun.strip_suffix('s').filter(|_| number == 1);
    format!("{} {}", grouped(&number.to_string()), one.unwrap_or(noun))
}

/// A number of people that credit may have divided: whole ones without decimals.
pub(crate) fn people(credit: f64) -> String {
    let text = format!("{credit:.2}");
    grouped(text.strip_suffix(".00").unwrap_or(&text))
}

/// Days with one decimal; a dash where they are undefined.
pub(crate) fn days(days: Option<f64>) -> String {
    days.map_or_else(|| "–".to_owned(), |days| format!("{days:.1}"))
}

/// A difference of shares in points; a dash where it is undefined.
pub(crate) fn points(difference: Option<f64>) -> String {
    let text = |difference: f64| format!("{:+.1} points", difference * 100.0);
    difference.map_or_else(|| "–".to_owned(), text)
}

/// A resource name without the collections: `van-repair/fast`; anything else as it is.
pub(crate) fn short(name: &str) -> String {
    let Some(rest) = name.strip_prefix("propositions/") else {
        return name.to_owned();
    };
    let parts = rest.split('/').step_by(2);
    parts.collect::<Vec<&str>>().join("/")
}

/// What comes after the last slash of a name.
pub(crate) fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Lines that say who somebody is, for a table of two columns.
pub(crate) fn named(name: &str, identities: &[Identity]) -> Vec<Vec<String>> {
    let name = Some(name).filter(|name| !name.is_empty());
    let name = name.map(|name| vec!["name".to_owned(), name.to_owned()]);
    let identities = identities.iter().map(|identity| {
        let kind = spoken(identity.kind().as_str_name(), "IDENTITY_KIND_");
        vec![kind, identity.value.clone()]
    });
    name.into_iter().chain(identities).collect()
}

#[cfg(test)]
mod tests {
    use patron_proto::retention::v1::EquityStatement;
    use patron_proto::types::v1::Money;

    use super::{amount, counted, grouped, interval, json, percent, spoken};

    #[test]
    fn amounts_have_their_thousands_apart() {
        let eur = |minor_units| Money {
            currency_code: "EUR".to_owned(),
            minor_units,
        };
        assert_eq!(amount(Some(&eur(123_456_789))), "1,234,567.89 EUR");
        assert_eq!(amount(Some(&eur(-50))), "-0.50 EUR");
        assert_eq!(amount(None), "–");
        assert_eq!(
            (grouped("999"), grouped("-1000")),
            ("999".to_owned(), "-1,000".to_owned())
        );
    }

    #[test]
    fn what_is_kept_by_number_is_shown_in_that_order() {
        let cut: Vec<(u32, u64)> = (0..12).rev().map(|k| (k, 100)).collect();
        let statement = EquityStatement {
            cut: cut.into_iter().collect(),
            ..Default::default()
        };
        let shown = json(&statement).unwrap();
        let keys: Vec<u32> = shown
            .lines()
            .filter_map(|line| {
                line.trim()
                    .strip_suffix(": \"100\"")
                    .or(line.trim().strip_suffix(": \"100\","))
            })
            .map(|key| key.trim_matches('"').parse().unwrap())
            .collect();
        assert_eq!(keys, (0..12).collect::<Vec<_>>());
        assert!(shown.trim_start().starts_with("{\n  \"name\""), "{shown}");
    }

    #[test]
    fn what_is_undefined_is_a_dash_and_never_a_zero() {
        assert_eq!(
            (percent(None), percent(Some(0.25))),
            ("–".to_owned(), "25.0 %".to_owned())
        );
        assert_eq!(interval(None, None), "–");
        assert_eq!(interval(Some(0.046), Some(0.699)), "5–70 %");
        assert_eq!(interval(Some(0.998_37), Some(1.0)), "99.8–100.0 %");
        assert_eq!(interval(Some(0.999_99), Some(1.0)), "99.999–100.000 %");
    }

    #[test]
    fn one_thing_is_not_called_by_its_plural() {
        assert_eq!(counted(1, "cohorts"), "1 cohort");
        assert_eq!(counted(0, "rows"), "0 rows");
        assert_eq!(counted(1_200, "rows"), "1,200 rows");
    }

    #[test]
    fn values_of_enums_are_words() {
        let reason = spoken("LOSS_REASON_PROMISE_BROKEN", "LOSS_REASON_");
        assert_eq!(reason, "promise broken");
    }
}
