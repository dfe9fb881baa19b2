//! What an import does the second time: what is in is in, what was corrected goes in, and what is news counts.

use eventsourcing::{Clock as _, SystemClock, Time};
use patron_proto::retention::v1 as ret;
use patron_proto::retention::v1::customer_service_client::CustomerServiceClient;
use tonic::transport::Channel;

use crate::services::{Services, import, printed, written};

#[test]
fn a_corrected_row_goes_in_and_the_others_stay_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let wrong = "customer_id,date,amount,currency,purchase_id\n\
                 v1,2026-01-02,10.00,EUR,w1\n\
                 v1,2026-01-03,20.00,USD,w2\n\
                 v1,2026-01-04,\"30.00\",USD,w3\n";
    let file = written(folder.path(), "bought.csv", wrong);
    let first = import(&services, "purchases", &file);
    assert!(
        first.contains("1 purchase recorded; 2 rows rejected"),
        "{first}"
    );
    let right = wrong.replace("20.00,USD", "20.00,EUR");
    let second = import(
        &services,
        "purchases",
        &written(folder.path(), "bought.csv", &right),
    );
    assert!(
        second.contains("1 purchase recorded; 1 was in before; 1 row rejected"),
        "{second}"
    );

    // The file of rejects has the row as it was; corrected, it is imported itself.
    let rejects = folder.path().join("bought.csv.rejects.csv");
    let text = std::fs::read_to_string(&rejects).unwrap();
    assert!(
        text.starts_with("line,reason,customer_id,date,amount,currency,purchase_id\n4,"),
        "{text}"
    );
    assert!(
        text.ends_with(",v1,2026-01-04,\"30.00\",USD,w3\n"),
        "{text}"
    );
    std::fs::write(&rejects, text.replace(",USD,w3", ",EUR,w3")).unwrap();
    let third = import(&services, "purchases", &rejects);
    assert!(third.contains("1 purchase recorded"), "{third}");
    let customers = printed(&services.run(&["customers", "--json"]));
    assert!(customers.contains("\"purchase_count\": 3"), "{customers}");
}

#[tokio::main(flavor = "current_thread")]
async fn customer_of(services: &Services, request: Ask) {
    let channel = Channel::from_shared(services.retention.clone()).unwrap();
    let mut customers = CustomerServiceClient::new(channel.connect().await.unwrap());
    let id = retention::customer_imported_as("v1").unwrap();
    let (name, request_id) = (format!("customers/{id}"), uuid::Uuid::new_v4().to_string());
    match request {
        Ask::End => {
            let ended = ret::EndRelationshipRequest {
                name,
                cause: ret::LossCause::Voluntary as i32,
                reason: ret::LossReason::Price as i32,
                request_id,
                ..Default::default()
            };
            customers.end_relationship(ended).await.unwrap();
        }
        Ask::WinBack => {
            let won = ret::WinBackCustomerRequest {
                name,
                request_id,
                ..Default::default()
            };
            customers.win_back_customer(won).await.unwrap();
        }
    }
}

#[derive(Clone, Copy)]
enum Ask {
    End,
    WinBack,
}

#[test]
fn a_row_goes_in_when_the_reason_for_its_refusal_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let heading = "customer_id,date,amount,currency\nv1,2026-01-02,10.00,EUR\n";
    let file = written(folder.path(), "bought.csv", heading);
    import(&services, "purchases", &file);
    customer_of(&services, Ask::End);
    let soon = Time::from_micros(SystemClock.now().micros() + 60_000_000);
    let more = format!("{heading}v1,2026-01-03,5.00,EUR\nv1,{soon},7.00,EUR\n");
    let file = written(folder.path(), "bought.csv", &more);
    let refused = import(&services, "purchases", &file);
    assert!(
        refused.contains("1 purchase recorded; 1 was in before; 1 row rejected"),
        "{refused}"
    );
    customer_of(&services, Ask::WinBack);
    let again = import(&services, "purchases", &file);
    assert!(
        again.contains("1 purchase recorded; 2 were in before"),
        "{again}"
    );
}

#[test]
fn an_owner_may_come_back_and_the_last_row_of_a_customer_counts() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let owned = |owners: &[&str]| {
        let rows = owners.iter().map(|owner| format!("b10,EUR,{owner}\n"));
        let text = "customer_id,currency,owner\n".to_owned() + &rows.collect::<String>();
        let said = import(
            &services,
            "customers",
            &written(folder.path(), "base.csv", &text),
        );
        let shown = printed(&services.run(&["customers", "b10", "--json"]));
        let customer: serde_json::Value = serde_json::from_str(&shown).unwrap();
        (said, customer["owner"].as_str().unwrap().to_owned())
    };
    for owner in ["rosa", "li", "rosa"] {
        let (said, now) = owned(&[owner]);
        assert!(
            said.contains("1 customer recorded") && now == owner,
            "{said} {now}"
        );
    }
    let (said, now) = owned(&["rosa"]);
    assert!(said.contains("1 was in before") && now == "rosa", "{said}");
    let many = ["li", "mo", "li", "rosa", "mo", "li", "rosa", "mo"];
    let (said, now) = owned(&many);
    assert!(
        said.contains("8 customers recorded") && now == "mo",
        "{said} {now}"
    );
    // By the id that it has in the other system, and that is shown.
    let shown = printed(&services.run(&["customers", "b10"]));
    assert!(
        shown.contains("id elsewhere") && shown.contains("b10"),
        "{shown}"
    );
    let id = shown.split_whitespace().next().unwrap().to_owned();
    let value = printed(&services.run(&["customers", "b10", "--value"]));
    assert!(value.contains(&id), "{value}");
    let nobody = services.run(&["customers", "b11"]);
    let said = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert!(
        !nobody.status.success()
            && said.contains("no customer has the id \"b11\"")
            && said.contains("NOT_FOUND"),
        "{said}"
    );
}

#[test]
fn an_import_of_which_nothing_goes_in_has_failed() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::start(&folder.path().join("data"));
    let run = |text: &str| {
        let file = written(folder.path(), "bought.csv", text);
        let output = services.run(&["import", "purchases", "--json", file.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let counts = serde_json::from_slice::<serde_json::Value>(&output.stdout);
        (output.status.success(), said, counts.ok())
    };
    let commas = "customer_id,date,amount_eur\nk,2026-01-06,5,50\nk,2026-01-07,1,234.50\n";
    let (ok, said, counts) = run(commas);
    let counts = counts.unwrap();
    assert!(!ok && said.contains("no row went in"), "{said}");
    assert_eq!(
        (&counts["recorded"], &counts["rejected"]),
        (&0.into(), &2.into())
    );
    let rejects = std::fs::read_to_string(counts["rejects"].as_str().unwrap()).unwrap();
    assert_eq!(
        rejects.matches("has 4 fields and the heading 3").count(),
        2,
        "{rejects}"
    );

    let (ok, said, counts) = run(&format!("{commas}k,2026-01-08,5.50\n"));
    assert!(ok && said.is_empty(), "{said}");
    assert_eq!(counts.unwrap()["recorded"], 1);
    let (ok, said, _) = run(&commas.replace(',', ";"));
    assert!(!ok && said.contains("separated by semicolons"), "{said}");
    let (ok, said, _) = run("customer_id,date,amount_eur,amount_usd\nk,2026-01-08,1,2\n");
    assert!(
        !ok && said.contains("amount_eur and amount_usd mean the same"),
        "{said}"
    );
    let (ok, said, _) = run("customer_id,date,amount_eur\n");
    assert!(
        ok,
        "a file without rows has none that could be rejected: {said}"
    );
}
