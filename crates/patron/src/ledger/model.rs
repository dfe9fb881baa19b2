//! `patron ledger fit` and `patron ledger models`: how customers buy, and how far to trust it.

use patron_proto::retention::v1::ledger_service_client::LedgerServiceClient;
use patron_proto::retention::v1::{
    FitModelRequest, Holdout, ListModelsRequest, ListModelsResponse, Model, ModelFit, ModelFlag,
    PurchaseFit, PurchaseModel,
};
use tonic::transport::Channel;

use super::{Format, name};
use crate::connect::{request_id, said};
use crate::moment::{AS_OF, AsOf, as_of};
use crate::pages::Paging;
use crate::show::{day, grouped, last, more, note, percent, spoken, table, words};

/// What to fit to.
#[derive(Debug, clap::Args)]
pub(super) struct Fit {
    /// The currency of the ledger, such as EUR.
    currency: String,
    #[arg(long, value_name = "DAY", value_parser = as_of, help = AS_OF)]
    as_of: Option<AsOf>,
    /// How many last weeks the model is checked on, by a fit that does not know them.
    #[arg(long, value_name = "WEEKS", default_value_t = 13)]
    holdout_weeks: i32,
    /// Only fit and show; record nothing.
    #[arg(long)]
    validate_only: bool,
    #[command(flatten)]
    format: Format,
}

/// Of which ledger.
#[derive(Debug, clap::Args)]
pub(super) struct Models {
    /// The currency of the ledger, such as EUR.
    currency: String,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    format: Format,
}

const HEADINGS: [&str; 3] = ["figure", "value", "standard_error"];

/// Fits a model and shows it.
pub(super) async fn fit(
    ledgers: &mut LedgerServiceClient<Channel>,
    args: Fit,
) -> anyhow::Result<()> {
    let request = FitModelRequest {
        parent: name(&args.currency),
        as_of: AsOf::of(args.as_of),
        holdout_weeks: Some(args.holdout_weeks),
        request_id: request_id(),
        etag: String::new(),
        validate_only: args.validate_only,
    };
    let model = ledgers.fit_model(request).await;
    let model = model.map_err(|status| said(&status))?.into_inner();
    if args.validate_only {
        note("Only asked: nothing was recorded.".to_owned());
    }
    args.format.print(&model, &HEADINGS, plain, shown)
}

/// Lists the models of a ledger.
pub(super) async fn list(
    ledgers: &LedgerServiceClient<Channel>,
    args: Models,
) -> anyhow::Result<()> {
    let ask = |page_size, page_token| {
        let request = ListModelsRequest {
            parent: name(&args.currency),
            page_size,
            page_token,
            min_position: String::new(),
        };
        let mut ledgers = ledgers.clone();
        async move { ledgers.list_models(request).await }
    };
    let listed = args.paging.ask(args.format.for_programs(), ask).await?;
    let headings = [
        "model",
        "as_of",
        "customers",
        "came_back",
        "bias",
        "usable",
        "flags",
    ];
    args.format
        .print(&listed, &headings, plain_list, shown_list)
}

/// The flags of a model in words, as answers name them.
pub(crate) fn flags(flags: impl Iterator<Item = ModelFlag>) -> String {
    let words: Vec<&str> = flags
        .map(|flag| flag.as_str_name().trim_start_matches("MODEL_FLAG_"))
        .collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}

/// The name of a model of purchases, as people write it.
fn kind(fit: &PurchaseFit) -> &'static str {
    match fit.model() {
        PurchaseModel::Unspecified => "?",
        PurchaseModel::BgNbd => "BG/NBD",
        PurchaseModel::MbgNbd => "MBG/NBD",
    }
}

/// Each parameter with its standard error.
fn parameters(fit: &ModelFit) -> Vec<(&'static str, f64, f64)> {
    let purchases = fit.purchases.unwrap_or_default();
    let (four, errors) = (
        purchases.parameters.unwrap_or_default(),
        purchases.standard_errors.unwrap_or_default(),
    );
    let spend = fit.spend.unwrap_or_default();
    let (three, spend_errors) = (
        spend.parameters.unwrap_or_default(),
        spend.standard_errors.unwrap_or_default(),
    );
    vec![
        ("r", four.r, errors.r),
        ("alpha", four.alpha, errors.alpha),
        ("a", four.a, errors.a),
        ("b", four.b, errors.b),
        ("p", three.p, spend_errors.p),
        ("q", three.q, spend_errors.q),
        ("v", three.v, spend_errors.v),
    ]
}

fn plain(model: &Model) -> Vec<Vec<String>> {
    let fit = model.fit.clone().unwrap_or_default();
    let purchases = fit.purchases.unwrap_or_default();
    let line = |what: &str, value: String| vec![what.to_owned(), value, String::new()];
    let mut lines = vec![
        line("model", model.name.clone()),
        line("kind", kind(&purchases).to_owned()),
        line("as_of", day(fit.as_of.as_ref())),
        line("customers", fit.customers.to_string()),
        line("came_back", fit.repeaters.to_string()),
        line("log_likelihood", purchases.log_likelihood.to_string()),
        line("aic", purchases.aic.to_string()),
        line("flags", flags(fit.flags())),
        line("usable", model.usable.to_string()),
    ];
    for (what, value, error) in parameters(&fit) {
        lines.push(vec![what.to_owned(), value.to_string(), error.to_string()]);
    }
    if let Some(holdout) = &fit.holdout {
        lines.extend([
            line("holdout_weeks", holdout.weeks.to_string()),
            line("holdout_predicted", holdout.predicted.to_string()),
            line("holdout_actual", holdout.actual.to_string()),
            line("holdout_mae", holdout.mae.to_string()),
            line("holdout_naive_mae", holdout.naive_mae.to_string()),
        ]);
    }
    lines
}

fn shown(model: &Model) -> String {
    let fit = model.fit.clone().unwrap_or_default();
    let purchases = fit.purchases.unwrap_or_default();
    let rows = parameters(&fit).into_iter();
    let rows = rows.map(|(what, value, error)| {
        vec![
            what.to_owned(),
            format!("{value:.4}"),
            format!("{error:.4}"),
        ]
    });
    let count = |number: i64| grouped(&number.to_string());
    let other = fit.other.map_or_else(
        || format!("the other one: {}", fit.other_refused),
        |other| format!("{}: {:.2}", kind(&other), other.aic),
    );
    let checked = fit
        .holdout
        .as_ref()
        .map_or_else(|| format!("Not checked: {}", fit.holdout_refused), check);
    let use_it = if !model.usable {
        "\nA guess does better: it is never used for value."
    } else if model.stale {
        "\nIt is stale: fit again."
    } else {
        ""
    };
    format!(
        "{}\n{} of {} customers, {} of them came back, as of {}\n{}\nAIC {}: {:.2}, {other}\n{checked}\nFlags: {}{use_it}",
        if model.name.is_empty() {
            "not recorded"
        } else {
            &model.name
        },
        kind(&purchases),
        count(fit.customers),
        count(fit.repeaters),
        day(fit.as_of.as_ref()),
        table(&["parameter", "value", "standard error"], rows.collect()),
        kind(&purchases),
        purchases.aic,
        flags(fit.flags()),
    )
}

/// The check in a sentence.
fn check(holdout: &Holdout) -> String {
    format!(
        "Checked on the {} weeks after {}: {:.1} purchases expected, {} came (bias {});\nmean error per customer {:.3}, if everybody went on at the same rate {:.3}",
        holdout.weeks,
        day(holdout.as_of.as_ref()),
        holdout.predicted,
        holdout.actual,
        percent(holdout.bias),
        holdout.mae,
        holdout.naive_mae,
    )
}

fn plain_list(listed: &ListModelsResponse) -> Vec<Vec<String>> {
    let row = |model: &Model| {
        let fit = model.fit.clone().unwrap_or_default();
        let bias = fit.holdout.as_ref().and_then(|holdout| holdout.bias);
        vec![
            last(&model.name).to_owned(),
            day(fit.as_of.as_ref()),
            fit.customers.to_string(),
            fit.repeaters.to_string(),
            bias.map(|bias| bias.to_string()).unwrap_or_default(),
            model.usable.to_string(),
            flags(fit.flags()),
        ]
    };
    listed.models.iter().map(row).collect()
}

fn shown_list(listed: &ListModelsResponse) -> String {
    let row = |model: &Model| {
        let fit = model.fit.clone().unwrap_or_default();
        let bias = fit.holdout.as_ref().and_then(|holdout| holdout.bias);
        let words = fit
            .flags()
            .map(|flag| spoken(flag.as_str_name(), "MODEL_FLAG_"));
        vec![
            last(&model.name).to_owned(),
            day(fit.as_of.as_ref()),
            grouped(&fit.customers.to_string()),
            grouped(&fit.repeaters.to_string()),
            percent(bias),
            words.collect::<Vec<_>>().join(", "),
        ]
    };
    let rows = listed.models.iter().map(row).collect();
    let headings = ["model", "as of", "customers", "came back", "bias", "flags"];
    words(&headings, rows) + &more(&listed.next_page_token)
}

#[cfg(test)]
mod tests {
    use patron_proto::retention::v1::{
        Holdout, Model, ModelFit, ModelFlag, PurchaseFit, PurchaseParameters,
    };

    use super::{plain, shown};

    fn model() -> Model {
        Model {
            name: "ledgers/USD/models/1".to_owned(),
            usable: true,
            fit: Some(ModelFit {
                purchases: Some(PurchaseFit {
                    model: 2,
                    parameters: Some(PurchaseParameters {
                        r: 0.524_843,
                        ..PurchaseParameters::default()
                    }),
                    aic: 19_172.27,
                    ..PurchaseFit::default()
                }),
                other_refused: "AT_BOUNDARY".to_owned(),
                customers: 2_357,
                repeaters: 946,
                holdout: Some(Holdout {
                    weeks: 13,
                    predicted: 695.4,
                    actual: 711,
                    bias: Some(-0.022),
                    mae: 0.385,
                    naive_mae: 0.481,
                    ..Holdout::default()
                }),
                flags: vec![ModelFlag::SpendDependsOnFrequency as i32],
                ..ModelFit::default()
            }),
            ..Model::default()
        }
    }

    #[test]
    fn a_person_reads_how_far_to_trust_it() {
        let text = shown(&model());
        assert!(
            text.contains("MBG/NBD of 2,357 customers, 946 of them came back"),
            "{text}"
        );
        assert!(
            text.contains("695.4 purchases expected, 711 came"),
            "{text}"
        );
        assert!(text.contains("the other one: AT_BOUNDARY"), "{text}");
        assert!(
            text.ends_with("Flags: SPEND_DEPENDS_ON_FREQUENCY"),
            "{text}"
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
    }

    #[test]
    fn what_is_worse_than_a_guess_is_said_to_be() {
        let worse = Model {
            usable: false,
            ..model()
        };
        assert!(shown(&worse).contains("never used for value"));
        let sheet = plain(&worse);
        assert!(
            sheet
                .iter()
                .any(|row| row[0] == "usable" && row[1] == "false")
        );
    }
}
