//! How much may be planned and spent at once.

use money::MAX_MINOR_UNITS;

use super::*;

fn too_large(field: &'static str) -> Refusal {
    Invalid::TooLarge {
        field,
        limit: MAX_MINOR_UNITS,
        currency: id("EUR"),
    }
    .into()
}

#[test]
fn a_budget_is_bounded() {
    let within = |minor_units| Plan {
        budget: Some(Money::new(id("EUR"), minor_units)),
        ..plan("speed")
    };
    let largest = plan_campaign("fast", within(MAX_MINOR_UNITS));
    assert!(published().when(largest).result().is_ok());
    published()
        .when(plan_campaign("fast", within(MAX_MINOR_UNITS + 1)))
        .refused(too_large("budget"));
}

#[test]
fn an_amount_spent_is_bounded() {
    let of = |minor_units| spend(Money::new(id("EUR"), minor_units));
    let largest = record("fast", "invoice-1", of(MAX_MINOR_UNITS));
    assert!(on_the_market().when(largest).result().is_ok());
    for beyond in [MAX_MINOR_UNITS + 1, i64::MAX] {
        on_the_market()
            .when(record("fast", "invoice-1", of(beyond)))
            .refused(too_large("amount"));
    }
}
