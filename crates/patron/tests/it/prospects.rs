//! `patron import prospects|touchpoints|spend`, and what `patron prospects|propositions` show of it.

use std::fmt::Write as _;
use std::time::Duration;

use patron_proto::acquisition::v1 as acq;
use patron_proto::acquisition::v1::campaign_service_client::CampaignServiceClient;
use patron_proto::acquisition::v1::proposition_service_client::PropositionServiceClient;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::services::{Services, import, printed, written};

fn request_id() -> String {
    Uuid::new_v4().to_string()
}

/// A draft with one benefit.
fn drafted() -> acq::CreatePropositionRequest {
    let benefit = acq::Benefit {
        benefit_id: "next-day".to_owned(),
        statement: "back on the road tomorrow".to_owned(),
        nature: acq::BenefitNature::Intangible as i32,
        level: acq::BenefitLevel::Augmented as i32,
        ..Default::default()
    };
    acq::CreatePropositionRequest {
        proposition_id: "van-repair".to_owned(),
        proposition: Some(acq::Proposition {
            display_name: "Van repair".to_owned(),
            problems: vec![acq::Problem {
                problem_id: "van-off-road".to_owned(),
                statement: "the van is off the road".to_owned(),
            }],
            benefits: vec![benefit],
            ..Default::default()
        }),
        request_id: request_id(),
        ..Default::default()
    }
}

/// `van-repair` on the market, with the campaign `fast` running.
#[tokio::main(flavor = "current_thread")]
async fn launch(address: String) {
    let channel = Channel::from_shared(address).unwrap();
    let channel = channel.connect().await.unwrap();
    let mut propositions = PropositionServiceClient::new(channel.clone());
    propositions.create_proposition(drafted()).await.unwrap();
    let claim = acq::Claim {
        benefit_id: "next-day".to_owned(),
        expectation: "tomorrow".to_owned(),
        expected_score: 6,
        importance: 100,
        due_days: None,
    };
    let presented = acq::AddPresentationRequest {
        parent: "propositions/van-repair".to_owned(),
        presentation_id: "speed".to_owned(),
        presentation: Some(acq::Presentation {
            channel: "search".to_owned(),
            message: "we are fast".to_owned(),
            claims: vec![claim],
            ..Default::default()
        }),
        request_id: request_id(),
        ..Default::default()
    };
    propositions.add_presentation(presented).await.unwrap();
    let published = acq::PublishPropositionRequest {
        name: "propositions/van-repair".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    propositions.publish_proposition(published).await.unwrap();
    let mut campaigns = CampaignServiceClient::new(channel);
    let day = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let planned = acq::CreateCampaignRequest {
        parent: "propositions/van-repair".to_owned(),
        campaign_id: "fast".to_owned(),
        campaign: Some(acq::Campaign {
            presentation_ids: vec!["speed".to_owned()],
            starts_at: day(1_767_225_600),
            ends_at: day(1_798_761_600),
            currency_code: "EUR".to_owned(),
            ..Default::default()
        }),
        request_id: request_id(),
        ..Default::default()
    };
    campaigns.create_campaign(planned).await.unwrap();
    let started = acq::StartCampaignRequest {
        name: "propositions/van-repair/campaigns/fast".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    campaigns.start_campaign(started).await.unwrap();
}

#[test]
fn prospects_come_with_who_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let file = folder.path().join("people.csv");
    let rows = "prospect_id,name,email,phone\n\
                1,Ada Lovelace,ada@example.org,\n\
                2,,,+34 600 000 000\n\
                3,,,\n\
                4,Nobody,not an address,\n";
    std::fs::write(&file, rows).unwrap();
    let import = || printed(&services.run(&["import", "prospects", file.to_str().unwrap()]));
    let first = import();
    assert!(
        first.contains("3 prospects recorded; 1 row rejected"),
        "{first}"
    );
    let rejects = std::fs::read_to_string(folder.path().join("people.csv.rejects.csv")).unwrap();
    assert!(
        rejects.contains("identities") && rejects.ends_with("4,Nobody,not an address,\n"),
        "{rejects}"
    );
    let found = printed(&services.run(&["prospects", "--email", "ada@example.org"]));
    assert!(found.contains("Ada Lovelace"), "{found}");
    let second = import();
    assert!(
        second.contains("0 prospects recorded; 3 were in before; 1 row rejected"),
        "{second}"
    );
    // A name that was mended is news.
    std::fs::write(&file, rows.replace("Ada Lovelace", "Ada King")).unwrap();
    let third = import();
    assert!(
        third.contains("1 prospect recorded; 2 were in before"),
        "{third}"
    );
    let found = printed(&services.run(&["prospects", "--email", "ada@example.org"]));
    assert!(found.contains("Ada King"), "{found}");
}

#[test]
fn a_person_is_exported_and_erased_by_the_id_of_an_import() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let people = "prospect_id,name\nada,Ada Lovelace\nboth,Somebody\n";
    let people = written(folder.path(), "people.csv", people);
    import(&services, "prospects", &people);
    let purchases = "customer_id,date,amount_eur\nboth,2026-01-02,5.00\nbob,2026-01-02,5.00\n";
    let purchases = written(folder.path(), "purchases.csv", purchases);
    import(&services, "purchases", &purchases);
    let told = printed(&services.run(&["export", "person", "ada"]));
    assert!(told.contains("Ada Lovelace"), "{told}");
    let told = printed(&services.run(&["export", "person", "bob"]));
    assert!(told.contains("\"acquisition\": null"), "{told}");
    let erased = printed(&services.run(&["erase", "person", "--yes", "ada"]));
    assert!(erased.contains("is erased as prospect:"), "{erased}");
    let list = printed(&services.run(&["prospects"]));
    assert!(list.contains("[erased]"), "{list}");
    for (id, why) in [
        ("both", "say which one is meant"),
        ("nobody", "nobody has the id \"nobody\""),
    ] {
        let refused = services.run(&["erase", "person", "--yes", id]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(why), "{said}");
    }
    let list = printed(&services.run(&["prospects"]));
    assert_eq!(list.matches("[erased]").count(), 1, "{list}");
}

/// What the funnel says under this name.
fn figure(funnel: &str, name: &str) -> f64 {
    let funnel: serde_json::Value = serde_json::from_str(funnel).unwrap();
    let figure = funnel.pointer(&format!("/total/{name}"));
    let number = |figure: &serde_json::Value| {
        let written = || figure.as_str()?.parse().ok();
        figure.as_f64().or_else(written)
    };
    figure
        .and_then(number)
        .unwrap_or_else(|| panic!("no {name} in {funnel}"))
}

#[test]
fn prospects_bring_their_history_and_the_funnel_counts_its_days() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    launch(services.acquisition.clone());
    let heading = "prospect_id,email,created_at,identified_at,proposition,problem,qualified_at,\
                   close_reason,competitor,closed_at\n";
    let file = folder.path().join("history.csv");
    let rows = "1,ada@example.org,2024-01-01,2024-01-05,van-repair,van-off-road,2024-01-11,,,\n\
                2,,2024-02-01,,van-repair,van-off-road,2024-02-05,lost-to-competitor,Acme,2024-03-02\n\
                3,,2024-03-01,,,,,no_need,,2024-03-11\n";
    // Each of these would leave half a prospect behind if its steps were told one by one.
    let wrong = "bad-address,nobody,2024-03-01,,,,,,,\n\
                 bad-problem,,2024-03-01,,van-repair,no-such-problem,2024-03-02,,,\n\
                 bad-proposition,,2024-03-01,,bus-repair,van-off-road,2024-03-02,,,\n\
                 bad-order,,2024-03-02,,,,,no_need,,2024-03-01\n\
                 bad-future,,2999-03-02,,,,,,,\n";
    std::fs::write(&file, format!("{heading}{rows}{wrong}")).unwrap();
    let import = || import(&services, "prospects", &file);
    let first = import();
    assert!(
        first.contains("3 prospects recorded; 5 rows rejected"),
        "{first}"
    );
    let rejects = std::fs::read_to_string(folder.path().join("history.csv.rejects.csv")).unwrap();
    for reason in [
        "UNKNOWN_PROBLEM",
        "UNKNOWN_PROPOSITION",
        "before created_at",
    ] {
        assert!(rejects.contains(reason), "{reason}: {rejects}");
    }
    let everybody = printed(&services.run(&["prospects", "--json"]));
    assert_eq!(everybody.matches("\"name\"").count(), 3, "{everybody}");
    let second = import();
    assert!(
        second.contains("0 prospects recorded; 3 were in before; 5 rows rejected"),
        "{second}"
    );
    let funnel = printed(&services.run(&["funnel", "--json"]));
    let figure = |name: &str| figure(&funnel, name);
    for (name, expected) in [
        ("created", 3.0),
        ("identified", 1.0),
        ("qualified", 2.0),
        ("closed", 2.0),
        // 4; 10 and 4; 30 and 10.
        ("median_days_created_to_identified", 4.0),
        ("median_days_created_to_qualified", 7.0),
        ("median_days_created_to_closed", 20.0),
    ] {
        let found = figure(name);
        assert!((found - expected).abs() < 1e-9, "{name}: {found}\n{funnel}");
    }
    // Whose creation is told otherwise is somebody else.
    std::fs::write(&file, "prospect_id,created_at\n1,2024-01-02\n").unwrap();
    let other = services.run(&["import", "prospects", file.to_str().unwrap()]);
    assert!(!other.status.success());
    let rejects = std::fs::read_to_string(folder.path().join("history.csv.rejects.csv")).unwrap();
    assert!(rejects.contains("created at 2024-01-01"), "{rejects}");
}

#[test]
fn who_is_first_known_by_a_touch_is_first_heard_of_then() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let touches = "prospect_id,date,channel\n\
                   new,2024-02-04,fair\n\
                   new,2024-01-31,search\n\
                   later,2999-01-01,fair\n";
    let touches = written(folder.path(), "touches.csv", touches);
    let first = import(&services, "touchpoints", &touches);
    assert!(
        first.contains("2 touchpoints recorded; 1 row rejected"),
        "{first}"
    );
    let rejects = std::fs::read_to_string(folder.path().join("touches.csv.rejects.csv")).unwrap();
    assert!(rejects.contains("FUTURE_TIME"), "{rejects}");
    let list = printed(&services.run(&["prospects", "--json"]));
    let then = "\"create_time\": \"2024-01-31T00:00:00Z\"";
    assert_eq!(list.matches(then).count(), 1, "{list}");
}

#[test]
fn prospects_and_their_touches_go_in_once_and_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let prospects = written(
        folder.path(),
        "prospects.csv",
        "prospect_id,kind,source\n\
         a7,organisation,trade-fair\n\
         b9,,\n\
         c1,alien,fair\n",
    );
    let first = import(&services, "prospects", &prospects);
    assert!(
        first.contains("2 prospects recorded; 1 row rejected"),
        "{first}"
    );
    let second = import(&services, "prospects", &prospects);
    assert!(
        second.contains("0 prospects recorded; 2 were in before; 1 row rejected"),
        "{second}"
    );

    // The first one is known, the last one is created on the way.
    let touches = written(
        folder.path(),
        "touches.csv",
        "prospect_id,date,channel,kind,campaign,touchpoint_id\n\
         a7,2026-01-02,search,click,van-repair/fast,click-1\n\
         a7,2026-01-03,search,visit,,\n\
         a7,2026-01-03,search,visit,,\n\
         new,2026-01-04,fair,meeting,,\n\
         a7,2026-01-05,radio,call,,click-1\n\
         a7,2026-13-05,radio,call,,\n",
    );
    let first = import(&services, "touchpoints", &touches);
    assert!(
        first.contains("4 touchpoints recorded; 2 rows rejected"),
        "{first}"
    );
    let rejects = folder.path().join("touches.csv.rejects.csv");
    let rejects = std::fs::read_to_string(rejects).unwrap();
    assert!(
        rejects.contains("ALREADY_EXISTS") && rejects.contains("neither a date"),
        "{rejects}"
    );
    let second = import(&services, "touchpoints", &touches);
    assert!(
        second.contains("0 touchpoints recorded; 4 were in before; 2 rows rejected"),
        "{second}"
    );

    let list = printed(&services.run(&["prospects", "--state", "anonymous"]));
    assert_eq!(list.matches("anonymous").count(), 3, "{list}");
    let organisation = list.lines().find(|line| line.contains("trade-fair"));
    let organisation = organisation.unwrap();
    assert!(organisation.trim_end().ends_with('3'), "{list}");
    let id = organisation.split_whitespace().next().unwrap();
    let full = printed(&services.run(&["prospects", id]));
    let places = ["2026-01-02", "2026-01-03"].map(|day| full.find(day));
    assert!(places[0].is_some() && places[0] < places[1], "{full}");
    assert!(full.contains("fast") && full.contains("organisation"));
    assert!(full.lines().all(|line| line.chars().count() <= 100));
    let json = printed(&services.run(&["prospects", id, "--json"]));
    assert!(json.contains("\"total_size\": 3"), "{json}");
    let nobody = services.run(&["prospects", "--state", "merged"]);
    assert!(printed(&nobody).contains("no prospects"));
}

#[test]
fn spend_goes_in_once_and_the_campaign_knows_it() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    launch(services.acquisition.clone());
    let spend = written(
        folder.path(),
        "spend.csv",
        "campaign,date,amount_eur,kind,spend_id,reverses\n\
         van-repair/fast,2026-01-05,1000.00,media,invoice-1,\n\
         van-repair/fast,2026-01-06,200.00,media,credit-1,invoice-1\n\
         van-repair/fast,2026-01-07,50.00,tools,,\n\
         van-repair/slow,2026-01-07,50.00,tools,,\n\
         van-repair/fast,2026-01-08,5000.00,media,credit-2,invoice-1\n",
    );
    let first = import(&services, "spend", &spend);
    assert!(
        first.contains("3 spends recorded; 2 rows rejected"),
        "{first}"
    );
    let second = import(&services, "spend", &spend);
    assert!(
        second.contains("0 spends recorded; 3 were in before; 2 rows rejected"),
        "{second}"
    );
    let campaigns = printed(&services.run(&["campaigns"]));
    assert!(campaigns.contains("850.00 EUR"), "{campaigns}");

    let propositions = printed(&services.run(&["propositions"]));
    assert!(
        propositions.contains("van-repair") && propositions.contains("published"),
        "{propositions}"
    );
    let one = printed(&services.run(&["propositions", "van-repair"]));
    assert!(
        one.find("the van is off the road") < one.find("back on the road"),
        "problems come first: {one}"
    );
    let json = printed(&services.run(&["propositions", "van-repair", "--json"]));
    assert!(json.contains("\"benefit_id\": \"next-day\""), "{json}");
}

#[test]
fn killing_everything_in_the_middle_of_an_import_of_touches_loses_and_doubles_nothing() {
    const PROSPECTS: usize = 40;
    const TOUCHES: usize = 60;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut text = "prospect_id,date,channel\n".to_owned();
    for touch in 0..TOUCHES {
        for prospect in 0..PROSPECTS {
            writeln!(text, "p{prospect},2026-01-{:02},web", 1 + touch % 28).unwrap();
        }
    }
    let touches = written(folder.path(), "touches.csv", &text);
    for round in 0_u64..4 {
        let services = Services::start(&data);
        let mut importing = services
            .command(&["import", "touchpoints", touches.to_str().unwrap()])
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // A moment that differs from round to round; whatever has happened by then has to hold.
        std::thread::sleep(Duration::from_millis(40 + round * 90));
        services.kill();
        importing.wait().unwrap();
    }
    let services = Services::start(&data);
    let last = import(&services, "touchpoints", &touches);
    let list = printed(&services.run(&["prospects", "--limit", "1000", "--json"]));
    let counted = format!("\"touchpoint_count\": {TOUCHES}");
    assert_eq!(list.matches(&counted).count(), PROSPECTS, "{last}\n{list}");
}

#[test]
fn a_touch_that_has_not_come_yet_makes_no_prospect() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let file = written(
        folder.path(),
        "touches.csv",
        "prospect_id,date,channel\nearly,2026-01-02,web\nearly,2999-01-01,web\nlate,2999-01-01,web\n",
    );
    let said = import(&services, "touchpoints", &file);
    assert!(
        said.contains("1 touchpoint recorded; 2 rows rejected"),
        "{said}"
    );
    let prospects = printed(&services.run(&["prospects", "--json"]));
    assert_eq!(
        prospects.matches("\"create_time\"").count(),
        1,
        "{prospects}"
    );
    // By the id that it was imported with.
    let early = printed(&services.run(&["prospects", "early"]));
    assert!(early.contains("2026-01-02"), "{early}");
}
