//! `patron propositions`: what is offered, to whose problem; one of them in full with its presentations.

use patron_proto::acquisition::v1::{
    Benefit, GetPropositionRequest, ListPropositionsRequest, Presentation, Proposition,
    PropositionView,
};

use crate::connect::{Services, said};
use crate::pages::Paging;
use crate::show::{json, last, more, print, table};

/// Which propositions.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    /// One proposition, by id, in full.
    #[arg(value_name = "ID")]
    id: Option<String>,
    #[command(flatten)]
    paging: Paging,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

/// Shows propositions.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut acquisition = args.services.acquisition().await?;
    if let Some(id) = &args.id {
        let request = GetPropositionRequest {
            name: format!("propositions/{}", last(id)),
            view: PropositionView::Full as i32,
            min_position: String::new(),
        };
        let found = acquisition.propositions.get_proposition(request).await;
        let found = found.map_err(|status| said(&status))?.into_inner();
        print(if args.json {
            json(&found)?
        } else {
            one(&found)
        });
        return Ok(());
    }
    let ask = |page_size, page_token| {
        let request = ListPropositionsRequest {
            view: PropositionView::Full as i32,
            page_size,
            page_token,
            min_position: String::new(),
        };
        let mut propositions = acquisition.propositions.clone();
        async move { propositions.list_propositions(request).await }
    };
    let page = args.paging.ask(args.json, ask).await?;
    if args.json {
        print(json(&page)?);
        return Ok(());
    }
    if page.propositions.is_empty() {
        print("no propositions yet");
        return Ok(());
    }
    let headings = [
        "proposition",
        "called",
        "state",
        "problems",
        "benefits",
        "presentations",
        "flagged",
    ];
    let shown = table(&headings, page.propositions.iter().map(line).collect());
    print(shown + &more(&page.next_page_token));
    Ok(())
}

fn line(proposition: &Proposition) -> Vec<String> {
    let flagged = proposition.presentations.iter();
    let flagged = flagged.filter(|presentation| presentation.flag.is_some());
    vec![
        last(&proposition.name).to_owned(),
        proposition.display_name.clone(),
        state(proposition),
        proposition.problems.len().to_string(),
        proposition.benefits.len().to_string(),
        proposition.presentations.len().to_string(),
        flagged.count().to_string(),
    ]
}

fn state(proposition: &Proposition) -> String {
    let name = proposition.state().as_str_name();
    name.trim_start_matches("PROPOSITION_STATE_").to_lowercase()
}

/// Problems first, then what solves them, then the difference, then how it is told.
fn one(proposition: &Proposition) -> String {
    let mut lines = vec![
        vec!["called".to_owned(), proposition.display_name.clone()],
        vec!["state".to_owned(), state(proposition)],
        vec!["revision".to_owned(), proposition.revision.to_string()],
    ];
    let mut add = |what: String, text: String| lines.push(vec![what, text]);
    for problem in &proposition.problems {
        let what = format!("problem {}", problem.problem_id);
        add(what, problem.statement.clone());
    }
    for benefit in &proposition.benefits {
        add(format!("benefit {}", benefit.benefit_id), told(benefit));
    }
    for different in &proposition.differentiators {
        let what = format!("better than {}", different.competitor);
        add(
            what,
            format!("{}: {}", different.benefit_id, different.claim),
        );
    }
    for presentation in &proposition.presentations {
        let what = format!("presentation {}", last(&presentation.name));
        add(what, presented(presentation));
    }
    table(&[last(&proposition.name), ""], lines)
}

fn told(benefit: &Benefit) -> String {
    let level = benefit.level().as_str_name();
    let level = level.trim_start_matches("BENEFIT_LEVEL_").to_lowercase();
    let nature = benefit.nature().as_str_name();
    let nature = nature.trim_start_matches("BENEFIT_NATURE_").to_lowercase();
    format!("{} ({level}, {nature})", benefit.statement)
}

fn presented(presentation: &Presentation) -> String {
    let claims = presentation.claims.iter();
    let claims: Vec<String> = claims
        .map(|claim| format!("{} {} %", claim.benefit_id, claim.importance))
        .collect();
    let flag = if presentation.flag.is_some() {
        "⚑ "
    } else {
        ""
    };
    format!(
        "{flag}{}: {} ({})",
        presentation.channel,
        presentation.message,
        claims.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use patron_proto::acquisition::v1 as acq;

    use super::one;

    #[test]
    fn a_proposition_begins_with_the_problem_and_fits_a_hundred_columns() {
        let proposition = acq::Proposition {
            name: "propositions/van-repair".to_owned(),
            display_name: "Van repair".to_owned(),
            problems: vec![acq::Problem {
                problem_id: "van-off-road".to_owned(),
                statement: "the van is off the road and earns nothing ".repeat(5),
            }],
            benefits: vec![acq::Benefit {
                benefit_id: "next-day".to_owned(),
                statement: "back on the road tomorrow".to_owned(),
                level: acq::BenefitLevel::Augmented as i32,
                nature: acq::BenefitNature::Intangible as i32,
                ..Default::default()
            }],
            ..Default::default()
        };
        let shown = one(&proposition);
        assert!(
            shown.lines().all(|line| line.chars().count() <= 100),
            "{shown}"
        );
        assert!(shown.contains("augmented, intangible"), "{shown}");
        assert!(
            shown.find("van-off-road") < shown.find("next-day"),
            "{shown}"
        );
    }
}
