//! One process with both services on an embedded log, killed again and again while clients work and a file is
//! imported.

use std::cell::Cell;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context as _, bail};
use patron_proto::retention::v1::scoreboard_service_client::ScoreboardServiceClient;
use patron_proto::retention::v1::{GetScoreboardRequest, ScoreboardMoney};
use prost_types::Timestamp;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use crate::chaos::{Report, ledgers, longest, surprising};
use crate::faults::{Counts, millis, terminate};
use crate::history::Op;
use crate::instance::{Both, Instance, free_ports};
use crate::judge::{Violation, judge};
use crate::logs::Logs;
use crate::pair::{Crew, REST};
use crate::session::{Surroundings, channel};

/// What to do.
#[derive(Debug, Clone)]
pub struct Alone {
    /// The binary `patron`.
    pub binary: PathBuf,
    /// Purchases in US dollars, to be imported meanwhile; the clients trade in euros.
    pub purchases: PathBuf,
    /// How often the process is killed with -9.
    pub kills: u32,
    /// Clients at work.
    pub clients: u32,
    /// The moments follow from it; what the machine adds to them is its own.
    pub seed: u64,
}

/// Makes one run and judges it. With the report comes the money in US dollars: what was imported.
///
/// # Errors
/// When it could not be made. What is wrong with Patron is a violation instead.
pub async fn run_alone(run: &Alone) -> anyhow::Result<(Report, ScoreboardMoney)> {
    let home = Home::new(&run.binary)?;
    let began = Instant::now();
    let around = Surroundings {
        instances: Both {
            acquisition: vec![channel(&home.acquisition())?],
            retention: vec![channel(&home.retention())?],
        },
        began,
        gives_up: began + Duration::from_secs(3) * run.kills + REST * 2,
    };
    let process = home.start()?;
    let crew = Crew::prepare(&around, run.seed).await?;
    let over = Cell::new(false);
    let is_over = || over.get();
    let killing = async {
        let killed = home.kill(process, run).await;
        over.set(true);
        killed
    };
    let ((), killed, imported) = tokio::join!(
        crew.work(run.clients, &is_over),
        killing,
        home.import(&run.purchases, around.gives_up),
    );
    imported?;
    let history = crew.close()?;
    let (process, surprises) = killed?;
    let mut violations: Vec<Violation> = surprises.into_iter().map(surprising).collect();
    let logs = home.rest(process, &mut violations).await?;
    violations.extend(judge(&history, &logs));

    let process = home.ready().await?;
    violations.extend(ledgers(&around.instances.retention, &logs).await?);
    let money = home.money().await?;
    violations.extend(terminate(process).await.map(surprising));
    violations.extend(home.replay().await?);
    let answered = history.ops.iter().filter(|op| !op.answers.is_empty());
    let report = Report {
        commands: answered.count(),
        sent: history.ops.iter().map(|op: &Op| op.sent).sum(),
        records: logs.ends().iter().sum(),
        faults: Counts {
            killed: run.kills,
            ..Counts::default()
        },
        longest: longest(&history),
        kept: (!violations.is_empty()).then(|| home.folder.keep()),
        violations,
    };
    Ok((report, money))
}

/// Where the process lives: its binary, folder and ports.
#[derive(Debug)]
struct Home {
    binary: PathBuf,
    folder: TempDir,
    ports: Both<u16>,
}

impl Home {
    fn new(binary: &Path) -> anyhow::Result<Self> {
        let [acquisition, retention] = free_ports(2)[..] else {
            bail!("no port is free");
        };
        Ok(Self {
            binary: binary.to_owned(),
            folder: TempDir::with_prefix("patron-alone-")?,
            ports: Both {
                acquisition,
                retention,
            },
        })
    }

    fn acquisition(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.acquisition)
    }

    fn retention(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.retention)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn start(&self) -> anyhow::Result<Instance> {
        let mut command = Command::new(&self.binary);
        command.args(["--log", "info", "up", "--data"]);
        command.arg(self.data());
        for (flag, port) in [
            ("--acquisition-address", self.ports.acquisition),
            ("--retention-address", self.ports.retention),
        ] {
            command.args([flag, &format!("127.0.0.1:{port}")]);
        }
        Instance::start(&mut command, &self.folder.path().join("log"))
    }

    /// Kills the process at moments that chance chooses, some of them before it is ready again.
    async fn kill(
        &self,
        mut process: Instance,
        run: &Alone,
    ) -> anyhow::Result<(Instance, Vec<String>)> {
        let mut chance = StdRng::seed_from_u64(run.seed);
        let mut surprises = Vec::new();
        for _ in 0..run.kills {
            sleep(millis(&mut chance, 50..1_200)).await;
            if let Some(status) = process.ended()? {
                surprises.push(format!("the process ended by itself: {status}"));
            }
            process.kill()?;
            process = self.start()?;
        }
        Ok((process, surprises))
    }

    /// Imports the file, however often it has to be begun again. Every row is good, so none may be rejected.
    async fn import(&self, file: &Path, gives_up: Instant) -> anyhow::Result<()> {
        let copy = self.folder.path().join("purchases.csv");
        std::fs::copy(file, &copy).context("copying the purchases")?;
        loop {
            let mut command = self.client();
            command.args(["import", "purchases"]).arg(&copy);
            let output = outcome(command).await?;
            if output.status.success() {
                let rejects = self.folder.path().join("purchases.csv.rejects.csv");
                return match std::fs::read_to_string(&rejects) {
                    Ok(rows) => bail!("the import rejected good rows: {rows}"),
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                    Err(error) => Err(error.into()),
                };
            }
            if Instant::now() > gives_up {
                bail!("{}", String::from_utf8_lossy(&output.stderr));
            }
        }
    }

    /// Waits until everything that was told has arrived. To read the logs the process has to end.
    async fn rest(
        &self,
        mut process: Instance,
        violations: &mut Vec<Violation>,
    ) -> anyhow::Result<Logs> {
        let until = Instant::now() + REST;
        loop {
            sleep(Duration::from_secs(1)).await;
            violations.extend(terminate(process).await.map(surprising));
            let logs = Logs::read_embedded(&self.data().join("journal")).await?;
            match logs.at_rest() {
                Ok(()) => return Ok(logs),
                Err(why) if Instant::now() > until => bail!("it does not come to rest: {why}"),
                Err(_) => process = self.ready().await?,
            }
        }
    }

    /// Starts the process and waits until both services are ready.
    async fn ready(&self) -> anyhow::Result<Instance> {
        let process = self.start()?;
        let until = Instant::now() + REST;
        for url in [self.acquisition(), self.retention()] {
            loop {
                let mut check = Command::new(&self.binary);
                check.args(["healthcheck", &url]);
                if outcome(check).await?.status.success() {
                    break;
                }
                if Instant::now() > until {
                    bail!("{url} is not ready after {REST:?}");
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(process)
    }

    /// What the scoreboard says of US dollars.
    async fn money(&self) -> anyhow::Result<ScoreboardMoney> {
        let mut client = ScoreboardServiceClient::new(channel(&self.retention())?);
        let board = client.get_scoreboard(GetScoreboardRequest {
            start: Some(Timestamp::default()),
            ..GetScoreboardRequest::default()
        });
        let money = board.await?.into_inner().money.into_iter();
        let mut dollars = money.filter(|money| {
            let revenue = money.revenue.as_ref();
            revenue.is_some_and(|revenue| revenue.currency_code == "USD")
        });
        dollars.next().context("the scoreboard has no US dollars")
    }

    /// The read models are what a fresh replay makes of the journals, row for row and by digest.
    async fn replay(&self) -> anyhow::Result<Option<Violation>> {
        let mut verify = Command::new(&self.binary);
        verify
            .args(["journal", "verify", "--data"])
            .arg(self.data());
        let verified = outcome(verify).await?;
        Ok((!verified.status.success()).then(|| Violation {
            check: "the read models and a fresh replay are equal",
            what: String::from_utf8_lossy(&verified.stdout).into_owned(),
        }))
    }

    fn client(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.env("PATRON_ACQUISITION", self.acquisition());
        command.env("PATRON_RETENTION", self.retention());
        command
    }
}

async fn outcome(mut command: Command) -> anyhow::Result<Output> {
    let output = spawn_blocking(move || command.output()).await?;
    output.context("the binary cannot be run")
}
