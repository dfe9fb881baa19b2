//! A4, A6, A9 and the edge cases of prediction.

use customer_value::Recency;
use customer_value::bg_nbd::{Model, Parameters, Variant};

use crate::support::{close, number, parameter, table, weeks, whole};

pub(crate) fn published(variant: Variant) -> Model {
    let value = |quantity| parameter(variant.name(), quantity).0;
    let parameters = Parameters {
        r: value("r"),
        alpha: value("alpha"),
        a: value("a"),
        b: value("b"),
    };
    Model::new(variant, parameters).unwrap()
}

#[test]
fn a4_customers_have_the_published_probabilities_and_purchases() {
    let (bg, mbg) = (published(Variant::BgNbd), published(Variant::MbgNbd));
    for row in table("given_customers") {
        let seen = weeks(&row);
        let check = |column: &str, computed| close(column, computed, number(&row, column), 1e-9);
        check("p_alive", bg.p_alive(&seen));
        check("purchases_13w", bg.expected_purchases(&seen, 13.0));
        check("purchases_39w", bg.expected_purchases(&seen, 39.0));
        check("purchases_52w", bg.expected_purchases(&seen, 52.0));
        check("purchases_104w", bg.expected_purchases(&seen, 104.0));
        check("p_buy_13w", bg.p_buy_within(&seen, 13.0));
        check("p_buy_52w", bg.p_buy_within(&seen, 52.0));
        check("mbg_p_alive", mbg.p_alive(&seen));
        check("mbg_purchases_39w", mbg.expected_purchases(&seen, 39.0));
        check("mbg_purchases_52w", mbg.expected_purchases(&seen, 52.0));
    }
}

#[test]
fn a6_purchases_given_alive_have_no_poles_and_no_overflow() {
    let rows = table("given_numeric_y_alive");
    assert_eq!(rows.len(), 520);
    for row in rows {
        let parameters = Parameters {
            r: number(&row, "r"),
            alpha: number(&row, "alpha"),
            a: number(&row, "a"),
            b: number(&row, "b"),
        };
        let model = Model::new(Variant::BgNbd, parameters).unwrap();
        let computed = model
            .given_alive(whole(&row, "x"))
            .purchases(number(&row, "T_weeks"), number(&row, "t_weeks"));
        let expected = number(&row, "expected_purchases_given_alive");
        close(&format!("{row:?}"), computed, expected, 1e-9);
    }
}

#[test]
fn a9_e22_a_new_customer_buys_as_published() {
    let model = published(Variant::BgNbd);
    let newcomer = Recency::newcomer();
    assert!((model.p_alive(&newcomer) - 1.0).abs() < 1e-300);
    for row in table("given_expected_new_customer") {
        let computed = model.expected_purchases(&newcomer, number(&row, "weeks"));
        let expected = number(&row, "expected_repeat_purchases_random_new_customer");
        close("new customer", computed, expected, 1e-9);
    }
}
