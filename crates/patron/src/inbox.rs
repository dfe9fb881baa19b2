//! `patron inbox`: events of the other service that could not be read, and taking them after all.

use clap::{Subcommand, ValueEnum};
use patron_proto::admin::v1::inbox_service_client::InboxServiceClient;
use patron_proto::admin::v1::{
    GetParkedEventRequest, ListParkedEventsRequest, ParkedEvent, RetryParkedEventsRequest,
};
use tonic::transport::Channel;

use crate::connect::{Services, channel, request_id, said};
use crate::show::{day, json, last, print, table};

/// What to do with parked events.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the events that wait, of both services.
    List(List),
    /// Show one of them with its payload, as JSON.
    Show(Show),
    /// Take the events of a subject again, in their order.
    Retry(Retry),
}

/// Which.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    services: Services,
    /// JSON for programs, one event a line.
    #[arg(long)]
    json: bool,
}

/// Which one.
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    #[command(flatten)]
    services: Services,
    /// In whose inbox it waits.
    #[arg(value_enum)]
    service: Receiver,
    /// Its name, as the list shows it.
    name: String,
}

/// Whose.
#[derive(Debug, clap::Args)]
pub(crate) struct Retry {
    #[command(flatten)]
    services: Services,
    /// In whose inbox they wait.
    #[arg(value_enum)]
    service: Receiver,
    /// What they happened to, as the list shows it.
    subject: String,
}

/// The service that receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Receiver {
    Acquisition,
    Retention,
}

impl Receiver {
    const fn name(self) -> &'static str {
        match self {
            Self::Acquisition => "acquisition",
            Self::Retention => "retention",
        }
    }

    async fn inbox(self, services: &Services) -> anyhow::Result<InboxServiceClient<Channel>> {
        let url = match self {
            Self::Acquisition => &services.acquisition,
            Self::Retention => &services.retention,
        };
        let channel = channel(self.name(), url).await?;
        let largest = server::MAX_MESSAGE_BYTES;
        Ok(InboxServiceClient::new(channel).max_decoding_message_size(largest))
    }
}

/// Looks after an inbox.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List(args) => list(&args).await,
        Command::Show(args) => show(&args).await,
        Command::Retry(args) => retry(&args).await,
    }
}

async fn list(args: &List) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for receiver in [Receiver::Acquisition, Receiver::Retention] {
        let mut inbox = receiver.inbox(&args.services).await?;
        for event in parked(&mut inbox).await? {
            if args.json {
                print(json(&event)?);
            } else {
                lines.push(line(receiver, &event));
            }
        }
    }
    if args.json {
        return Ok(());
    }
    if lines.is_empty() {
        print("no event waits");
        return Ok(());
    }
    let headings = ["inbox of", "event", "type", "subject", "since", "why"];
    print(table(&headings, lines));
    Ok(())
}

async fn parked(inbox: &mut InboxServiceClient<Channel>) -> anyhow::Result<Vec<ParkedEvent>> {
    let (mut events, mut page_token) = (Vec::new(), String::new());
    loop {
        let asked = ListParkedEventsRequest {
            page_size: 100,
            page_token,
        };
        let page = inbox.list_parked_events(asked).await;
        let page = page.map_err(|status| said(&status))?.into_inner();
        events.extend(page.parked_events);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(events);
        }
    }
}

fn line(receiver: Receiver, event: &ParkedEvent) -> Vec<String> {
    vec![
        receiver.name().to_owned(),
        last(&event.name).to_owned(),
        event.r#type.clone(),
        event.subject.clone(),
        day(event.recorded_at.as_ref()),
        event.reason.clone(),
    ]
}

async fn show(args: &Show) -> anyhow::Result<()> {
    let mut inbox = args.service.inbox(&args.services).await?;
    let asked = GetParkedEventRequest {
        name: format!("parkedEvents/{}", last(&args.name)),
    };
    let event = inbox.get_parked_event(asked).await;
    print(json(&event.map_err(|status| said(&status))?.into_inner())?);
    Ok(())
}

async fn retry(args: &Retry) -> anyhow::Result<()> {
    let mut inbox = args.service.inbox(&args.services).await?;
    let asked = RetryParkedEventsRequest {
        subject: args.subject.clone(),
        request_id: request_id(),
    };
    let taken = inbox.retry_parked_events(asked).await;
    let left = taken.map_err(|status| said(&status))?.into_inner();
    print(match left.still_parked {
        0 => format!("all events of {} are taken", args.subject),
        left => format!("{left} events of {} still wait: try again", args.subject),
    });
    Ok(())
}
