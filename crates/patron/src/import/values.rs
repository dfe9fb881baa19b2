//! The values of a row: moments, amounts, words of the contract, and ids that stay the same.

use std::collections::HashMap;

use csv::StringRecord;
use eventsourcing::Time;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use money::Currency;
use rust_decimal::Decimal;

/// The text of a column, without blanks around it.
pub(crate) fn field(record: &StringRecord, place: usize) -> &str {
    record.get(place).unwrap_or_default().trim()
}

/// The same for a column that may be missing or empty.
pub(crate) fn optional(record: &StringRecord, place: Option<usize>) -> Option<&str> {
    place
        .map(|place| field(record, place))
        .filter(|text| !text.is_empty())
}

/// A day (its 00:00 UTC) or a moment in RFC 3339.
pub(crate) fn moment(text: &str) -> Result<Time, String> {
    let wrong = || {
        format!(
            "{text:?} is neither a date such as 1997-01-31 nor a time such as 1997-01-31T12:00:00Z"
        )
    };
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Ok(Time::from_micros(timestamp.as_microsecond()));
    }
    let civil: DateTime = match text.parse::<Date>() {
        Ok(date) if text.len() == 10 => date.at(0, 0, 0, 0),
        _ => return Err(wrong()),
    };
    let zoned = civil.to_zoned(TimeZone::UTC).map_err(|_| wrong())?;
    Ok(Time::from_micros(zoned.timestamp().as_microsecond()))
}

/// The currency that the row says, or the heading of its amount, or the command line.
pub(crate) fn currency(
    said: Option<&str>,
    in_heading: Option<&str>,
    else_this: Option<Currency>,
) -> Result<Currency, String> {
    let parsed = |code: &str| -> Result<Currency, String> {
        code.parse()
            .map_err(|unknown: money::UnknownCurrency| unknown.to_string())
    };
    let said = said.map(parsed).transpose()?;
    let in_heading = in_heading.map(parsed).transpose()?;
    if let (Some(said), Some(heading)) = (said, in_heading)
        && said != heading
    {
        return Err(format!(
            "the row says {said}, and the heading of the amount {heading}"
        ));
    }
    let currency = said.or(in_heading).or(else_this);
    currency.ok_or_else(|| "no currency: add a column or give --currency".to_owned())
}

/// The currency of the command line is for files that do not say theirs.
pub(crate) fn check_heading(
    in_heading: Option<&str>,
    on_command_line: Option<Currency>,
) -> Result<(), String> {
    match (in_heading, on_command_line) {
        (Some(heading), Some(given)) if heading != given.to_string() => Err(format!(
            "the heading of the amount says {heading}, and --currency {given}"
        )),
        _ => Ok(()),
    }
}

/// A decimal in major units as minor units, if it is exact.
pub(crate) fn minor_units(column: &str, text: &str, currency: Currency) -> Result<i64, String> {
    let decimals = currency.decimals();
    let wrong = || {
        format!("{column} {text:?} is not an amount with at most {decimals} decimals in {currency}")
    };
    let decimal = Decimal::from_str_exact(text).map_err(|_| wrong())?;
    let scale = Decimal::from(10_u64.pow(decimals));
    let minor = decimal.checked_mul(scale).ok_or_else(wrong)?;
    if !minor.fract().is_zero() {
        return Err(wrong());
    }
    i64::try_from(minor.trunc().mantissa() / 10_i128.pow(minor.trunc().scale()))
        .map_err(|_| wrong())
}

/// A word of the contract's enum `PREFIX_WORD`, in any case; `read` looks it up by its whole name.
pub(crate) fn word<T>(
    column: &str,
    text: &str,
    prefix: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, String> {
    let plain = text.replace([' ', '-'], "_").to_ascii_uppercase();
    let unspecified = plain == "UNSPECIFIED";
    let found = read(&format!("{prefix}_{plain}")).filter(|_| !unspecified);
    found.ok_or_else(|| format!("{column} {text:?} is not known"))
}

/// A proposition by its full name, or by its id.
pub(crate) fn proposition(text: &str) -> String {
    if text.is_empty() || text.starts_with("propositions/") {
        return text.to_owned();
    }
    format!("propositions/{text}")
}

/// A campaign by its full name, or as `proposition/campaign`.
pub(crate) fn campaign(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        ["propositions", proposition, "campaigns", campaign] | [proposition, campaign] => {
            Ok(format!("propositions/{proposition}/campaigns/{campaign}"))
        }
        _ => Err(format!(
            "campaign {text:?} is not of the form proposition/campaign"
        )),
    }
}

/// Ids for rows that have none.
#[derive(Debug, Default)]
pub(crate) struct DerivedIds {
    /// How often each row stood in the file so far.
    seen: HashMap<[u8; 16], u32>,
}

impl DerivedIds {
    /// An id made of the row's content and of how often it stood in the file before: two identical rows
    /// are two facts, and the same file read again gives the same ids, in whatever order it is.
    pub(crate) fn next(&mut self, hasher: &blake3::Hasher) -> String {
        let mut hash = [0; 16];
        hasher.finalize_xof().fill(&mut hash);
        let nth = self.seen.entry(hash).or_default();
        *nth += 1;
        format!("row-{:032x}-{nth}", u128::from_be_bytes(hash))
    }

    /// The same for a row of texts.
    pub(crate) fn of(&mut self, texts: &[&str]) -> String {
        let mut hasher = blake3::Hasher::new();
        for text in texts {
            hasher.update(text.as_bytes()).update(&[0]);
        }
        self.next(&hasher)
    }
}

#[cfg(test)]
mod tests {
    use patron_proto::acquisition::v1::TouchpointKind;

    use super::{DerivedIds, campaign, word};

    #[test]
    fn words_are_read_in_any_case() {
        let kind = |text| {
            word(
                "kind",
                text,
                "TOUCHPOINT_KIND",
                TouchpointKind::from_str_name,
            )
        };
        assert_eq!(kind("click"), Ok(TouchpointKind::Click));
        assert_eq!(kind("DEMO"), Ok(TouchpointKind::Demo));
        for wrong in ["", "tap", "unspecified"] {
            assert!(kind(wrong).unwrap_err().contains("kind"), "{wrong}");
        }
    }

    #[test]
    fn a_campaign_has_a_short_name_and_a_long_one() {
        let full = "propositions/van-repair/campaigns/fast";
        assert_eq!(campaign("van-repair/fast").as_deref(), Ok(full));
        assert_eq!(campaign(full).as_deref(), Ok(full));
        assert!(campaign("fast").is_err());
    }

    #[test]
    fn a_derived_id_is_one_that_the_services_take() {
        let mut ids = DerivedIds::default();
        let first = ids.of(&["a", "b"]);
        assert!(first.len() <= 63 && first.ends_with("-1"));
        assert_ne!(first, ids.of(&["a", "b"]));
        assert_ne!(ids.of(&["ab", ""]), ids.of(&["a", "b"]));
    }
}
