//! Models: fitted, recorded and used, as the reference tables have them.

use std::collections::BTreeSet;

use patron_proto::retention::v1 as proto;
use patron_proto::types::v1::Money;
use prost::Message as _;
use tonic::Code;

use crate::books::close;
use crate::cdnow::{
    AS_OF, LEDGER, TODAY, fit, fitted, import, instance, moment, number, table, use_model, values,
};
use crate::harness::{DAY, Harness, at, new_id, precondition, purchase, record, refused};

const REFERENCE: &str = "crates/customer-value/tests/data";

#[track_caller]
fn near(what: &str, found: f64, wanted: f64, tolerance: f64) {
    let error = (found - wanted).abs() / wanted.abs();
    assert!(error <= tolerance, "{what}: {found} is not {wanted}");
}

/// A parameter of the reference table with its standard error.
fn reference(model: &str, quantity: &str) -> (f64, f64) {
    let rows = table(&format!("{REFERENCE}/given_params.csv"));
    let row = rows
        .iter()
        .find(|row| row["model"] == model && row["quantity"] == quantity)
        .unwrap();
    let error = row["std_error"].parse().unwrap_or(f64::NAN);
    (number(&row["value"]), error)
}

fn check_purchases(model: &str, fit: &proto::PurchaseFit) {
    let (found, errors) = (fit.parameters.unwrap(), fit.standard_errors.unwrap());
    let figures = [
        ("r", found.r, errors.r),
        ("alpha", found.alpha, errors.alpha),
        ("a", found.a, errors.a),
        ("b", found.b, errors.b),
    ];
    for (name, value, error) in figures {
        let (wanted, wanted_error) = reference(model, name);
        near(name, value, wanted, 1e-6);
        near(name, error, wanted_error, 1e-4);
    }
    let (wanted, _) = reference(model, "loglik");
    assert!((fit.log_likelihood - wanted).abs() <= 1e-6, "{model}");
}

#[tokio::test]
async fn cdnow_is_fitted_and_valued_as_the_reference_tables_say() {
    let harness = instance(None).await;
    let names = import(&harness).await;
    let model = fitted(&harness, fit()).await;
    assert_eq!(
        (model.name.as_str(), model.usable),
        ("ledgers/USD/models/1", true)
    );
    let fit = model.fit.unwrap();
    assert_eq!(
        (fit.customers, fit.repeaters, fit.repeat_purchases),
        (2_357, 946, 2_457)
    );
    let (mbg, bg) = (fit.purchases.unwrap(), fit.other.unwrap());
    assert_eq!(mbg.model(), proto::PurchaseModel::MbgNbd);
    assert!(mbg.aic < bg.aic);
    check_purchases("mbgnbd", &mbg);
    check_purchases("bgnbd", &bg);
    let spend = fit.spend.unwrap();
    let (found, errors) = (spend.parameters.unwrap(), spend.standard_errors.unwrap());
    for (name, value, error) in [
        ("p", found.p, errors.p),
        ("q", found.q, errors.q),
        ("v", found.v, errors.v),
    ] {
        let (wanted, wanted_error) = reference("gammagamma", name);
        near(name, value, wanted, 1e-6);
        near(name, error, wanted_error, 1e-4);
    }
    let holdout = fit.holdout.clone().unwrap();
    assert_eq!((holdout.weeks, holdout.actual), (13, 711));
    assert_eq!(
        (holdout.by_decile.len(), holdout.p_buy_by_decile.len()),
        (10, 10)
    );
    let flags: Vec<_> = fit.flags().collect();
    assert_eq!(flags, [proto::ModelFlag::SpendDependsOnFrequency]);

    use_model(&harness).await;
    for (weeks, purchases) in [(39, "mbg_purchases_39w"), (52, "mbg_purchases_52w")] {
        let asked = proto::StreamCustomerValuesRequest {
            as_of: moment(AS_OF),
            within_days: Some(weeks * 7),
            ..Default::default()
        };
        let found = values(&harness, asked).await;
        assert_eq!(found.len(), 2_357);
        for row in table(&format!("{REFERENCE}/given_customers.csv")) {
            let value = &found[&names[&row["customer_id"]]];
            near(
                "p_alive",
                value.p_alive.unwrap(),
                number(&row["mbg_p_alive"]),
                1e-5,
            );
            let expected = value.expected_purchases.unwrap();
            near(purchases, expected, number(&row[purchases]), 1e-5);
            let spend = value.expected_spend.unwrap();
            near("spend", spend, number(&row["expected_spend"]), 1e-5);
            let days = value.repeat_purchase_days.unwrap().to_string();
            assert_eq!(days, row["x"]);
        }
    }
}

#[tokio::test]
async fn a_value_says_all_that_it_is_made_of() {
    let harness = instance(None).await;
    let names = import(&harness).await;
    fitted(&harness, fit()).await;
    use_model(&harness).await;
    let asked = proto::GetCustomerValueRequest {
        name: names["1"].clone(),
        as_of: moment(AS_OF),
        ..Default::default()
    };
    let one = harness.values().get_customer_value(asked.clone()).await;
    let one = one.unwrap().into_inner();
    assert_eq!(
        (one.model.as_str(), one.method()),
        ("ledgers/USD/models/1", proto::ValueMethod::MbgNbd)
    );
    let said = "residual contribution margin before acquisition cost, by MBG_NBD";
    assert!(one.meaning.contains(said), "{}", one.meaning);
    assert_eq!(
        (one.within_days, one.model_as_of),
        (Some(91), moment(AS_OF))
    );
    assert!(one.purchases.is_some() && one.spend.is_some());
    let exact = one.discounted_purchases.unwrap() * one.expected_spend.unwrap() * 100.0;
    let stated = one.value.as_ref().unwrap().minor_units;
    assert_eq!(format!("{exact:.0}"), stated.to_string());
    // More than a tenth was bought after the moment of the model.
    assert!(one.flags.contains(&(proto::ModelFlag::Stale as i32)));
    // The other method is there for who asks for it.
    let simple = proto::GetCustomerValueRequest {
        method: proto::ValueMethod::Simple as i32,
        ..asked
    };
    let simple = harness.values().get_customer_value(simple).await;
    let simple = simple.unwrap().into_inner();
    assert_eq!(
        (simple.method(), simple.p_alive),
        (proto::ValueMethod::Simple, None)
    );
    assert_ne!(simple.value, one.value);
}

/// The statement of a period that ends so many seconds after 1970.
async fn closed(harness: &Harness, id: &str, (start, end): (i64, i64)) -> proto::EquityStatement {
    let period = proto::ClosePeriodRequest {
        start: moment(start),
        end: moment(end),
        ..close("USD", id, (0, 0))
    };
    let closed = harness.ledgers().close_period(period).await;
    closed.unwrap().into_inner()
}

/// 1997-01-01T00:00:00Z.
const NEW_YEAR: i64 = 852_076_800;

#[tokio::test]
async fn values_add_up_to_the_equity_and_another_model_remeasures_it() {
    let harness = instance(None).await;
    import(&harness).await;
    fitted(&harness, fit()).await;
    use_model(&harness).await;
    let at_the_end = proto::StreamCustomerValuesRequest {
        as_of: moment(AS_OF),
        ..Default::default()
    };
    let all = values(&harness, at_the_end).await;
    let worth = |one: &proto::CustomerValue| one.value.as_ref().unwrap().minor_units;
    let sum: i64 = all.values().map(worth).sum();

    let asked = proto::GetScoreboardRequest {
        end: moment(AS_OF + 1),
        ..Default::default()
    };
    let board = harness.scoreboards().get_scoreboard(asked).await;
    let equity = board.unwrap().into_inner().money[0].equity.clone();
    assert_eq!(equity.unwrap().minor_units, sum);

    // It ends at the moment after the last one that the values know.
    let first = closed(&harness, "1997", (NEW_YEAR, AS_OF + 1)).await;
    let (lines, counts) = (first.lines.clone().unwrap(), first.counts.unwrap());
    assert_eq!(
        (counts.closing, lines.closing.unwrap().minor_units),
        (2_357, sum)
    );
    let behind = first.model.clone().unwrap();
    assert_eq!(behind.name, "ledgers/USD/models/1");
    assert!(behind.holdout_bias.unwrap() < 0.0 && behind.band_rate.unwrap() > 0.02);

    // Another model changes nothing of it, and remeasures the next one.
    let later = proto::FitModelRequest {
        as_of: moment(TODAY),
        ..fit()
    };
    assert_eq!(fitted(&harness, later).await.name, "ledgers/USD/models/2");
    let again = proto::GetEquityStatementRequest {
        name: first.name.clone(),
        ..Default::default()
    };
    let again = harness.ledgers().get_equity_statement(again).await;
    assert_eq!(again.unwrap().into_inner(), first);
    let next = closed(&harness, "1998", (AS_OF + 1, TODAY)).await;
    assert_eq!(next.model.unwrap().name, "ledgers/USD/models/2");
    let lines = next.lines.unwrap();
    assert_eq!(lines.opening.unwrap().minor_units, sum);
    assert_ne!(lines.remeasured.unwrap().minor_units, 0);

    let listed = proto::ListEquityMovementsRequest {
        parent: first.name,
        line: proto::EquityLine::Closing as i32,
        page_size: 1_000,
        ..Default::default()
    };
    let listed = harness.ledgers().list_equity_movements(listed).await;
    let listed = listed.unwrap().into_inner();
    assert_eq!(listed.total.unwrap().minor_units, sum);
    assert_eq!(listed.movements.len(), 1_000);
    for moved in listed.movements {
        assert_eq!(moved.amount, all[&moved.customer].value);
    }
}

#[tokio::test]
async fn two_instances_fit_the_same_bits_and_a_restart_fits_nothing() {
    let one = instance(None).await;
    import(&one).await;
    let two = instance(Some(&one)).await;
    let (first, second) = (fitted(&one, fit()).await, fitted(&two, fit()).await);
    assert_eq!(
        (first.name.as_str(), second.name.as_str()),
        ("ledgers/USD/models/1", "ledgers/USD/models/2")
    );
    let bytes = |model: &proto::Model| {
        // The second fit comes after the first one in the journal.
        let fit = proto::ModelFit {
            cut: std::collections::BTreeMap::default(),
            ..model.fit.clone().unwrap()
        };
        fit.encode_to_vec()
    };
    assert_eq!(bytes(&first), bytes(&second));
    use_model(&two).await;
    one.running.engine.barrier().await.unwrap();
    two.running.engine.barrier().await.unwrap();
    let digest = |harness: &Harness| harness.running.engine.store().digest();
    assert_eq!(digest(&one), digest(&two));

    let asked = proto::StreamCustomerValuesRequest {
        as_of: moment(AS_OF),
        ..Default::default()
    };
    let before = values(&one, asked.clone()).await;
    let fresh = instance(Some(&one)).await;
    let after = values(&fresh, asked).await;
    let plain = |values: std::collections::BTreeMap<String, proto::CustomerValue>| {
        let values = values.into_values();
        let plain = values.map(|value| {
            (
                value.customer,
                value.value,
                value.p_alive,
                value.p_buy_within,
            )
        });
        plain.collect::<Vec<_>>()
    };
    assert_eq!(plain(before), plain(after));
}

#[tokio::test]
async fn the_day_tells_who_is_hardly_alive() {
    let harness = instance(None).await;
    let names = import(&harness).await;
    // Every other one of those looked at below pays month by month, which the model does not know of.
    let sorted: BTreeSet<&String> = names.values().collect();
    for name in sorted.into_iter().step_by(20) {
        let line = proto::SetRecurringRevenueRequest {
            name: name.clone(),
            line_id: "care".to_owned(),
            monthly: Some(Money {
                currency_code: "USD".to_owned(),
                minor_units: 500,
            }),
            request_id: new_id(),
            ..Default::default()
        };
        let set = harness.customers().set_recurring_revenue(line).await;
        set.unwrap();
    }
    fitted(&harness, fit()).await;
    use_model(&harness).await;
    let tomorrow = TODAY + DAY;
    harness
        .clock
        .set(eventsourcing::Time::from_seconds(tomorrow));
    harness.running.engine.clock_moved();
    let now = eventsourcing::Time::from_seconds(tomorrow);
    harness.running.engine.until_ticked(now).await.unwrap();
    let midnight = proto::StreamCustomerValuesRequest {
        as_of: moment(tomorrow - tomorrow.rem_euclid(DAY)),
        ..Default::default()
    };
    let mut bands = [0; 3];
    for value in values(&harness, midnight).await.values().step_by(10) {
        let shown = harness.full(&value.customer).await;
        let p_alive = value.p_alive.unwrap();
        let (band, wanted) = if p_alive < 0.2 {
            (2, proto::RiskBand::High)
        } else if p_alive < 0.5 {
            (1, proto::RiskBand::Medium)
        } else {
            (0, proto::RiskBand::Low)
        };
        bands[band] += 1;
        assert_eq!(shown.risk_band(), wanted, "{p_alive}");
        assert_eq!(shown.value, value.value);
    }
    assert!(bands.iter().all(|band| *band > 0), "{bands:?}");
    // The list of those to be kept is by what is at stake.
    let work = proto::ListWorkRequest {
        page_size: 300,
        ..Default::default()
    };
    let first = harness
        .work()
        .list_work(work.clone())
        .await
        .unwrap()
        .into_inner();
    let second = proto::ListWorkRequest {
        page_token: first.next_page_token,
        ..work
    };
    let second = harness.work().list_work(second).await.unwrap().into_inner();
    let items: Vec<_> = first.items.into_iter().chain(second.items).collect();
    assert_eq!(items.len(), 600);
    let stakes: Vec<i64> = items
        .iter()
        .map(|item| item.at_stake.as_ref().unwrap().minor_units)
        .collect();
    assert!(stakes.is_sorted_by(|a, b| a >= b) && stakes[0] > stakes[599]);
    let names: BTreeSet<_> = items.iter().map(|item| &item.customer).collect();
    assert_eq!(names.len(), 600);
}

#[tokio::test]
async fn what_carries_no_model_is_refused_with_what_there_is() {
    let harness = Harness::start().await;
    let refuse = async |request| refused(harness.ledgers().fit_model(request).await);
    let fit = |ledger: &str| proto::FitModelRequest {
        parent: ledger.to_owned(),
        request_id: new_id(),
        ..Default::default()
    };
    assert_eq!(
        refuse(fit("ledgers/EUR")).await,
        precondition("NOT_ENOUGH_DATA")
    );
    let rosa = harness.customer("rosa").await;
    let bought = record(&rosa, purchase("p1", 20_000, -5 * DAY));
    harness.customers().record_purchase(bought).await.unwrap();
    assert_eq!(
        refuse(fit("ledgers/EUR")).await,
        precondition("NO_REPEAT_PURCHASES")
    );
    let status = harness
        .ledgers()
        .fit_model(fit("ledgers/EUR"))
        .await
        .unwrap_err();
    let details = tonic_types::StatusExt::get_error_details(&status);
    let metadata = &details.error_info().unwrap().metadata;
    assert_eq!(
        (
            metadata["customers"].as_str(),
            metadata["repeaters"].as_str()
        ),
        ("1", "0")
    );
    let bought = record(&rosa, purchase("p2", 20_000, -4 * DAY));
    harness.customers().record_purchase(bought).await.unwrap();
    assert_eq!(
        refuse(fit("ledgers/EUR")).await,
        precondition("NOT_ENOUGH_DATA")
    );
    let ahead = proto::FitModelRequest {
        as_of: at(1),
        ..fit("ledgers/EUR")
    };
    assert_eq!(refuse(ahead).await.0, Code::InvalidArgument);
    let never = proto::FitModelRequest {
        holdout_weeks: Some(0),
        ..fit("ledgers/EUR")
    };
    assert_eq!(refuse(never).await.1, "OUT_OF_RANGE");
    let unknown = proto::GetModelRequest {
        name: "ledgers/EUR/models/1".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        harness
            .ledgers()
            .get_model(unknown)
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn the_same_request_fits_once_and_models_are_listed_the_last_one_first() {
    let harness = instance(None).await;
    import(&harness).await;
    let request = fit();
    let first = fitted(&harness, request.clone()).await;
    assert_eq!(fitted(&harness, request.clone()).await, first);
    let only_asked = proto::FitModelRequest {
        validate_only: true,
        ..fit()
    };
    harness.ledgers().fit_model(only_asked).await.unwrap();
    let earlier = proto::FitModelRequest {
        as_of: moment(AS_OF - 30 * DAY),
        ..fit()
    };
    let second = fitted(&harness, earlier).await;
    // Whatever was fitted since, a request is answered with its own model.
    assert_eq!(fitted(&harness, request).await, first);
    let asked = proto::ListModelsRequest {
        parent: LEDGER.to_owned(),
        page_size: 1,
        ..Default::default()
    };
    let page = harness
        .ledgers()
        .list_models(asked.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(page.models, std::slice::from_ref(&second));
    let rest = proto::ListModelsRequest {
        page_token: page.next_page_token,
        ..asked
    };
    let rest = harness
        .ledgers()
        .list_models(rest)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (rest.models, rest.next_page_token.as_str()),
        (vec![first.clone()], "")
    );
    let asked = proto::GetLedgerRequest {
        name: LEDGER.to_owned(),
        ..Default::default()
    };
    let ledger = harness
        .ledgers()
        .get_ledger(asked)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (&ledger.last_model, &ledger.usable_model),
        (&second.name, &second.name)
    );
    // It is months old by now.
    assert!(ledger.refit_due && first.stale);
}
