//! Small conversions between the contract's types and Patron's own.

use eventsourcing::Time;
use money::{Currency, Money};
use prost_types::Timestamp;

use crate::Wrong;

/// A moment as the contract has it.
pub fn timestamp(time: Time) -> Timestamp {
    let micros = time.micros();
    let nanos = i32::try_from(micros.rem_euclid(1_000_000)).unwrap_or_default() * 1_000;
    Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos,
    }
}

/// A moment as Patron has it: what is below a microsecond is cut off.
pub fn from_timestamp(timestamp: &Timestamp) -> Time {
    let micros = timestamp.seconds.saturating_mul(1_000_000);
    Time::from_micros(micros.saturating_add(i64::from(timestamp.nanos.div_euclid(1_000))))
}

/// A currency by its code.
pub fn currency(field: &str, code: &str) -> Result<Currency, Wrong> {
    code.parse()
        .map_err(|unknown: money::UnknownCurrency| Wrong::new(field, unknown))
}

/// An amount as Patron has it.
pub fn money(field: &str, amount: &patron_proto::types::v1::Money) -> Result<Money, Wrong> {
    let field = format!("{field}.currency_code");
    Ok(Money::new(
        currency(&field, &amount.currency_code)?,
        amount.minor_units,
    ))
}

/// An amount as the contract has it.
pub fn money_out(amount: Money) -> patron_proto::types::v1::Money {
    patron_proto::types::v1::Money {
        currency_code: amount.currency.code().to_owned(),
        minor_units: amount.minor_units,
    }
}

/// The ids in a resource name: `resource_id("name", "propositions/a/campaigns/b", ["propositions",
/// "campaigns"])` is `["a", "b"]`.
pub fn resource_id<'a, const N: usize>(
    field: &str,
    name: &'a str,
    collections: [&str; N],
) -> Result<[&'a str; N], Wrong> {
    let wrong = || {
        let pattern: Vec<String> = collections.iter().map(|c| format!("{c}/{{id}}")).collect();
        Wrong::new(
            field,
            format!("must be a resource name of the form {}", pattern.join("/")),
        )
    };
    let mut parts = name.split('/');
    let mut ids = [""; N];
    for (id, collection) in ids.iter_mut().zip(collections) {
        if parts.next() != Some(collection) {
            return Err(wrong());
        }
        *id = parts
            .next()
            .filter(|part| !part.is_empty())
            .ok_or_else(wrong)?;
    }
    if parts.next().is_some() {
        Err(wrong())
    } else {
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use eventsourcing::Time;

    use super::{from_timestamp, resource_id, timestamp};

    #[test]
    fn moments_survive_the_way_there_and_back() {
        for micros in [0, 1, -1, 1_500_000, -1_500_001, 951_782_400_000_000] {
            let time = Time::from_micros(micros);
            assert_eq!(from_timestamp(&timestamp(time)), time);
        }
    }

    #[test]
    fn a_resource_name_has_exactly_its_collections() {
        let collections = ["propositions", "campaigns"];
        assert_eq!(
            resource_id("name", "propositions/a/campaigns/b", collections).unwrap(),
            ["a", "b"]
        );
        for wrong in [
            "",
            "a",
            "propositions/a",
            "propositions//campaigns/b",
            "campaigns/b/propositions/a",
            "propositions/a/campaigns/b/c",
        ] {
            assert!(resource_id("name", wrong, collections).is_err(), "{wrong}");
        }
    }
}
