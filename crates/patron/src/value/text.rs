//! Days and amounts as files write them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use money::Currency;
use rust_decimal::Decimal;

/// The day number of 1970-01-01 is 0.
const EPOCH: Date = Date::constant(1970, 1, 1);

/// The UTC day of a date (`1997-01-31`) or of a moment in RFC 3339.
pub(super) fn day(text: &str) -> Result<i32, String> {
    let date = match (text.parse::<Date>(), text.parse::<jiff::Timestamp>()) {
        (Ok(date), _) if text.len() == 10 => date,
        (_, Ok(moment)) => moment.to_zoned(TimeZone::UTC).date(),
        _ => {
            return Err(format!(
                "{text:?} is neither a date such as 1997-01-31 nor a time such as 1997-01-31T12:00:00Z"
            ));
        }
    };
    let since = date.since(EPOCH).map_err(|error| error.to_string())?;
    Ok(since.get_days())
}

/// The date of a day number.
pub(super) fn date(day: i32) -> String {
    EPOCH
        .checked_add(jiff::Span::new().days(day))
        .map_or_else(|_| format!("day {day}"), |date| date.to_string())
}

/// An amount in major units as minor units, if it is exact.
pub(super) fn minor_units(text: &str, currency: Currency) -> Result<i64, String> {
    let exact = scaled(text, currency).filter(|minor| minor.fract().is_zero());
    exact
        .and_then(|minor| i64::try_from(minor.trunc().mantissa()).ok())
        .ok_or_else(|| {
            let decimals = currency.decimals();
            format!("{text:?} is not an amount with at most {decimals} decimals")
        })
}

/// A mean amount over `days`, as the whole of these days rounded to minor units.
pub(super) fn minor_units_of_mean(
    text: &str,
    days: u32,
    currency: Currency,
) -> Result<i64, String> {
    scaled(text, currency)
        .and_then(|mean| mean.checked_mul(Decimal::from(days)))
        .and_then(|whole| i64::try_from(whole.round().mantissa()).ok())
        .ok_or_else(|| format!("{text:?} is not an amount"))
}

fn scaled(text: &str, currency: Currency) -> Option<Decimal> {
    let unit = 10_u64.checked_pow(currency.decimals())?;
    Decimal::from_str_exact(text)
        .ok()?
        .checked_mul(Decimal::from(unit))
        .map(|minor| minor.normalize())
}

#[cfg(test)]
mod tests {
    use super::{date, day, minor_units, minor_units_of_mean};

    #[test]
    fn a_day_is_a_date_or_the_utc_date_of_a_moment() {
        assert_eq!(day("1970-01-02"), Ok(1));
        assert_eq!(day("1997-09-30"), Ok(10_134));
        assert_eq!(day("1997-10-01T00:30:00+02:00"), Ok(10_134));
        assert_eq!(date(10_134), "1997-09-30");
        for wrong in [
            "",
            "30.09.1997",
            "1997-02-30",
            "19970930",
            "1997-09-30T12:00:00",
        ] {
            assert!(day(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_amount_is_exact_or_refused() {
        let (usd, jpy) = ("USD".parse().unwrap(), "JPY".parse().unwrap());
        assert_eq!(minor_units("29.73", usd), Ok(2_973));
        assert_eq!(minor_units("-5.0", usd), Ok(-500));
        assert_eq!(minor_units("100", usd), Ok(10_000));
        assert_eq!(minor_units("500", jpy), Ok(500));
        for (wrong, currency) in [("1.001", usd), ("1.5", jpy), ("one", usd), ("", usd)] {
            assert!(minor_units(wrong, currency).is_err(), "{wrong}");
        }
        assert!(minor_units("99999999999999999999999", usd).is_err());
        assert_eq!(minor_units_of_mean("22.345", 2, usd), Ok(4_469));
        assert_eq!(minor_units_of_mean("33.333333", 3, usd), Ok(10_000));
    }
}
