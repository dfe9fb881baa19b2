//! The `patron` command line: starts the pair, shows what it knows, brings data in, checks and measures it.

mod attribution;
mod bench;
mod book;
mod campaigns;
mod cohorts;
mod confirm;
mod connect;
mod customers;
mod demo;
mod funnel;
mod gaps;
mod grid;
mod import;
mod inbox;
mod ledger;
mod moment;
mod pages;
mod person;
mod promises;
mod propositions;
mod prospects;
mod report;
mod sample;
mod scoreboard;
mod scorecard;
mod sheet;
mod show;
mod value;
mod variables;
mod verify;
mod work;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use patron::{healthcheck, master_key, pair, run_to_end, up};

/// The system of record for creating and keeping customers.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    /// What is logged: error, warn, info, debug, or a filter such as `info,runtime=debug`.
    #[arg(long, env = "PATRON_LOG", default_value = "warn", global = true)]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start acquisition and retention.
    Up(up::Args),
    /// Show the whole idea on real data, in a temporary folder.
    Demo(demo::Args),
    /// Bring data in from files.
    Import(import::Args),
    /// Customers created, kept, lost and won back; then money.
    Scoreboard(scoreboard::Args),
    /// What is offered, to whose problem, and how it is presented.
    Propositions(propositions::Args),
    /// Campaigns, and whether their customers stay.
    Campaigns(campaigns::Args),
    /// Whether a campaign, a presentation or a benefit created customers who stay.
    #[command(subcommand)]
    Scorecard(scorecard::Command),
    /// Who may become a customer, and how they came.
    Prospects(prospects::Args),
    /// How far prospects come.
    Funnel(funnel::Args),
    /// Which touches earned the credit for customers.
    Attribution(attribution::Args),
    /// Customers.
    Customers(customers::Args),
    /// How promises were kept, by benefit.
    Promises(promises::Args),
    /// Where customers perceive less than they were made to expect, the worst first.
    Gaps(gaps::Args),
    /// Whom to keep today and why, the most at stake first.
    Work(work::Args),
    /// The customers of an owner or a territory and what they are worth, as of any day.
    Book(book::Args),
    /// Who stayed in a period, who left and why, and how recurring revenue moved.
    Report(report::Args),
    /// What became of customers month by month after they were acquired.
    Cohorts(cohorts::Args),
    /// The books: what customers are worth, period by period, to the cent.
    Ledger(ledger::Args),
    /// What customers are worth, from files and without a service.
    Value(value::Args),
    /// Tell a person all that is known of them.
    #[command(subcommand)]
    Export(person::Export),
    /// Forget a person.
    #[command(subcommand)]
    Erase(person::Erase),
    /// Make the key under which personal data is sealed.
    MasterKey(master_key::Args),
    /// Look after a journal.
    #[command(subcommand)]
    Journal(verify::Command),
    /// Look after events of the other service that could not be read.
    #[command(subcommand)]
    Inbox(inbox::Command),
    /// Ask a server whether it is ready; exit status 0 if it is.
    Healthcheck(healthcheck::Args),
    /// Measure.
    #[command(subcommand)]
    Bench(bench::Command),
}

fn main() -> ExitCode {
    let matches = variables::named(Cli::command()).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    run_to_end(&cli.log, async move {
        match cli.command {
            Command::Up(args) => up::run(args).await,
            Command::Demo(args) => demo::run(args).await,
            Command::Import(args) => import::run(args).await,
            Command::Scoreboard(args) => scoreboard::run(args).await,
            Command::Campaigns(args) => campaigns::run(args).await,
            Command::Customers(args) => customers::run(args).await,
            Command::Promises(args) => promises::run(args).await,
            Command::Propositions(args) => propositions::run(args).await,
            Command::Prospects(args) => prospects::run(args).await,
            Command::Value(args) => tokio::task::block_in_place(|| value::run(args)),
            Command::Journal(command) => verify::run(command).await,
            Command::Inbox(command) => inbox::run(command).await,
            Command::Bench(command) => bench::run(command).await,
            Command::Export(what) => person::export(what).await,
            Command::Erase(what) => person::erase(what).await,
            Command::MasterKey(args) => master_key::run(&args),
            Command::Healthcheck(args) => healthcheck::run(args).await,
            Command::Ledger(args) => ledger::run(args).await,
            Command::Work(args) => work::run(args).await,
            Command::Book(args) => book::run(args).await,
            Command::Report(args) => report::run(args).await,
            Command::Cohorts(args) => cohorts::run(args).await,
            Command::Gaps(args) => gaps::run(args).await,
            Command::Funnel(args) => funnel::run(args).await,
            Command::Attribution(args) => attribution::run(args).await,
            Command::Scorecard(command) => scorecard::run(command).await,
        }
    })
}
