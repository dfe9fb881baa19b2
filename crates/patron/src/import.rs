//! `patron import`: brings data in from files.
//!
//! Every row has an id that is the same at every import, and the services take each id once. So an import
//! that was cut off, by Ctrl-C or worse, is simply run again: what is in is in, the rest follows.

mod columns;
pub(crate) mod customers;
mod file;
pub(crate) mod heading;
mod original;
mod promises;
pub(crate) mod prospects;
pub(crate) mod purchases;
mod rejects;
mod row;
pub(crate) mod send;
mod spend;
pub(crate) mod touchpoints;
mod values;

use anyhow::ensure;
use uuid::Uuid;

use self::send::summary;
use crate::show::print;

/// What to bring in, and how its outcome is written.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Command,
    /// The counts as JSON for programs.
    #[arg(long, global = true)]
    json: bool,
}

/// What to bring in.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Purchases, and the customers who made them.
    Purchases(purchases::Args),
    /// Customers, with what won them and who looks after them.
    Customers(customers::Args),
    /// What customers were promised and still expect.
    Promises(promises::Args),
    /// Who may become a customer.
    Prospects(prospects::Args),
    /// Contacts with prospects, and the prospects.
    Touchpoints(touchpoints::Args),
    /// What campaigns cost.
    Spend(spend::Args),
}

/// The namespace of this command's request ids: a batch cut the same way again is the same request.
const REQUESTS: Uuid = Uuid::from_u128(0x7061_7472_6f6e_4000_8000_696d_706f_7274);

/// Imports. If nothing went in of what there was, it has failed.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let (outcome, pace) = match args.what {
        Command::Purchases(args) => {
            let retention = args.services.retention().await?;
            let done = purchases::import(&retention, &args.file, args.currency).await?;
            (done, purchases::PACE)
        }
        Command::Customers(args) => {
            let retention = args.services.retention().await?;
            let done = customers::import(&retention, &args.file, args.currency).await?;
            (done, customers::PACE)
        }
        Command::Promises(args) => {
            let retention = args.services.retention().await?;
            let done = promises::import(&retention, &args.file).await?;
            (done, promises::PACE)
        }
        Command::Prospects(args) => {
            let acquisition = args.services.acquisition().await?;
            let done = prospects::import(&acquisition, &args.file).await?;
            (done, prospects::PACE)
        }
        Command::Touchpoints(args) => {
            let acquisition = args.services.acquisition().await?;
            let done = touchpoints::import(&acquisition, &args.file).await?;
            (done, touchpoints::PACE)
        }
        Command::Spend(args) => {
            let acquisition = args.services.acquisition().await?;
            let done = spend::import(&acquisition, &args.file, args.currency).await?;
            (done, spend::PACE)
        }
    };
    print(if args.json {
        serde_json::to_string_pretty(&outcome)?
    } else {
        summary(&outcome, pace.noun)
    });
    ensure!(
        outcome.rejected == 0 || outcome.recorded + outcome.unchanged > 0,
        "no row went in"
    );
    Ok(())
}
