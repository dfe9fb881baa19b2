//! `patron prospects`: who may become a customer; one of them in full, with the journey.

use patron_proto::acquisition::v1::{
    FindProspectsRequest, GetJourneyRequest, GetProspectRequest, Journey, JourneyStep,
    ListProspectsRequest, ListProspectsResponse, Prospect, ProspectState,
};
use patron_proto::types::v1::{Identity, IdentityKind};

use crate::connect::{Acquisition, Services, said};
use crate::import::prospects::name_of;
use crate::pages::Paging;
use crate::show::{day, json, last, more, named, print, table};

/// Which prospects.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    services: Services,
    /// One prospect, by id, in full.
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Only those in this state: anonymous, identified, qualified, converted, closed or merged.
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<ProspectState>,
    /// Those who are known by this e-mail address.
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["id", "state"])]
    email: Option<String>,
    #[command(flatten)]
    paging: Paging,
    /// JSON for programs.
    #[arg(long)]
    json: bool,
}

const PAGE: i32 = 1_000;

fn state(text: &str) -> Result<ProspectState, String> {
    let name = format!("PROSPECT_STATE_{}", text.to_ascii_uppercase());
    ProspectState::from_str_name(&name)
        .filter(|state| *state != ProspectState::Unspecified)
        .ok_or_else(|| {
            "it is anonymous, identified, qualified, converted, closed or merged".to_owned()
        })
}

/// Shows prospects.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut acquisition = args.services.acquisition().await?;
    if let Some(id) = &args.id {
        let name = match last(id).parse::<uuid::Uuid>() {
            Ok(id) => format!("prospects/{id}"),
            Err(_) => name_of(id),
        };
        return one(&mut acquisition, name, args.json).await;
    }
    let page = if let Some(address) = args.email {
        known_by(&mut acquisition, address).await?
    } else {
        let ask = |page_size, page_token| {
            let request = ListProspectsRequest {
                page_size,
                page_token,
                state: args.state.map_or(0, |state| state as i32),
                min_position: String::new(),
            };
            let mut prospects = acquisition.prospects.clone();
            async move { prospects.list_prospects(request).await }
        };
        args.paging.ask(args.json, ask).await?
    };
    if args.json {
        print(json(&page)?);
        return Ok(());
    }
    if page.prospects.is_empty() {
        print("no prospects");
        return Ok(());
    }
    let lines = page.prospects.iter().map(|prospect| {
        vec![
            last(&prospect.name).to_owned(),
            prospect.display_name.clone(),
            state_of(prospect),
            prospect.source.clone(),
            day(prospect.create_time.as_ref()),
            prospect.touchpoint_count.to_string(),
        ]
    });
    let headings = ["prospect", "name", "state", "source", "since", "touches"];
    let shown = table(&headings, lines.collect());
    print(shown + &more(&page.next_page_token));
    Ok(())
}

/// Those who are known by an e-mail address.
async fn known_by(
    acquisition: &mut Acquisition,
    address: String,
) -> anyhow::Result<ListProspectsResponse> {
    let request = FindProspectsRequest {
        identity: Some(Identity {
            kind: IdentityKind::Email as i32,
            value: address,
        }),
        min_position: String::new(),
    };
    let found = acquisition.prospects.find_prospects(request).await;
    let found = found.map_err(|status| said(&status))?.into_inner();
    Ok(ListProspectsResponse {
        prospects: found.prospects,
        next_page_token: String::new(),
    })
}

async fn one(acquisition: &mut Acquisition, name: String, as_json: bool) -> anyhow::Result<()> {
    let request = GetProspectRequest {
        name: name.clone(),
        min_position: String::new(),
    };
    let prospect = acquisition.prospects.get_prospect(request).await;
    let prospect = prospect.map_err(|status| said(&status))?.into_inner();
    let journey = journey(acquisition, name).await?;
    if as_json {
        let (prospect, journey) = (json(&prospect)?, json(&journey)?);
        print(format!(
            "{{\"prospect\": {prospect},\n\"journey\": {journey}}}"
        ));
    } else {
        print(in_full(&prospect));
        print(steps(&journey));
    }
    Ok(())
}

/// The whole journey, all its pages in one.
async fn journey(acquisition: &mut Acquisition, name: String) -> anyhow::Result<Journey> {
    let mut whole = Journey::default();
    loop {
        let request = GetJourneyRequest {
            name: name.clone(),
            page_size: PAGE,
            page_token: whole.next_page_token,
            min_position: String::new(),
        };
        let page = acquisition.prospects.get_journey(request).await;
        let mut page = page.map_err(|status| said(&status))?.into_inner();
        whole.steps.append(&mut page.steps);
        whole = Journey {
            steps: whole.steps,
            ..page
        };
        if whole.next_page_token.is_empty() {
            return Ok(whole);
        }
    }
}

fn state_of(prospect: &Prospect) -> String {
    let name = prospect.state().as_str_name();
    name.trim_start_matches("PROSPECT_STATE_").to_lowercase()
}

fn in_full(prospect: &Prospect) -> String {
    let line = |what: &str, text: String| vec![what.to_owned(), text];
    let kind = prospect.kind().as_str_name();
    let mut lines = named(&prospect.display_name, &prospect.identities);
    lines.extend([
        line("state", state_of(prospect)),
        line(
            "kind",
            kind.trim_start_matches("PROSPECT_KIND_").to_lowercase(),
        ),
        line("source", prospect.source.clone()),
        line("since", day(prospect.create_time.as_ref())),
        line("touches", prospect.touchpoint_count.to_string()),
        line("first touch", day(prospect.first_touch_at.as_ref())),
    ]);
    let mut add = |what: &str, text: &str| {
        if !text.is_empty() {
            lines.push(line(what, text.to_owned()));
        }
    };
    add("merged into", last(&prospect.into));
    add("wants", last(&prospect.proposition));
    add("because of", &prospect.problem_id);
    if let Some(conversion) = &prospect.conversion {
        add("customer since", &day(conversion.converted_at.as_ref()));
        add("took", last(&conversion.proposition));
        add("campaign", last(&conversion.campaign));
        for promise in &conversion.promises {
            add("was promised", &promise.expectation);
        }
    }
    if let Some(closing) = &prospect.closing {
        let reason = closing.reason().as_str_name();
        let reason = reason.trim_start_matches("CLOSE_REASON_").to_lowercase();
        add("closed for", &reason.replace('_', " "));
        add("lost to", &closing.competitor);
        add("they said", &closing.note);
    }
    for consent in &prospect.consents {
        let status = consent.status().as_str_name();
        let status = status.trim_start_matches("CONSENT_STATUS_").to_lowercase();
        add(&format!("consent to {}", consent.purpose), &status);
    }
    table(&[last(&prospect.name), ""], lines)
}

fn steps(journey: &Journey) -> String {
    if journey.steps.is_empty() {
        return "no touches yet".to_owned();
    }
    let headings = [
        "when",
        "what",
        "channel",
        "campaign",
        "presentation",
        "note",
    ];
    table(&headings, journey.steps.iter().map(step).collect())
}

fn step(step: &JourneyStep) -> Vec<String> {
    let touch = step.touchpoint.clone().unwrap_or_default();
    let kind = touch.kind().as_str_name();
    let merged = !step.absorbed_from.is_empty();
    let notes = [
        (step.late, "told late"),
        (merged, "merged in"),
        (step.after_conversion, "no credit"),
    ];
    let notes: Vec<&str> = notes
        .iter()
        .filter(|(so, _)| *so)
        .map(|(_, note)| *note)
        .collect();
    vec![
        day(touch.occurred_at.as_ref()),
        kind.trim_start_matches("TOUCHPOINT_KIND_").to_lowercase(),
        touch.channel.clone(),
        last(&touch.campaign).to_owned(),
        touch.presentation_id.clone(),
        notes.join(", "),
    ]
}

#[cfg(test)]
mod tests {
    use patron_proto::acquisition::v1 as acq;

    use super::{state, steps};

    #[test]
    fn a_journey_fits_a_hundred_columns_and_says_what_is_special() {
        let touchpoint = acq::Touchpoint {
            touchpoint_id: "click".to_owned(),
            campaign: format!("propositions/{0}/campaigns/{0}", "long-name-".repeat(6)),
            presentation_id: "presentation-".repeat(4),
            channel: "a channel with a name ".repeat(4),
            kind: acq::TouchpointKind::Click as i32,
            ..Default::default()
        };
        let journey = acq::Journey {
            steps: vec![acq::JourneyStep {
                touchpoint: Some(touchpoint),
                absorbed_from: "prospects/1".to_owned(),
                late: false,
                after_conversion: true,
            }],
            ..Default::default()
        };
        let shown = steps(&journey);
        assert!(
            shown.lines().all(|line| line.chars().count() <= 100),
            "{shown}"
        );
        assert!(shown.contains("merged in"), "{shown}");
    }

    #[test]
    fn states_are_named_as_people_do() {
        assert_eq!(state("closed"), Ok(acq::ProspectState::Closed));
        assert!(state("unspecified").is_err() && state("gone").is_err());
    }
}
