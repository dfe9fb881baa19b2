//! What the binaries share: how the services are started, watched over and stopped.
//!
//! | binary | what |
//! |---|---|
//! | `patron` | the command line; `patron up` runs the pair, or one service |
//! | `patron-acquisition`, `patron-retention` | one service alone, on Kafka |

#[cfg(feature = "kafka")]
pub mod alone;
pub mod healthcheck;
pub mod master_key;
pub mod pair;
pub mod up;

use std::process::ExitCode;
use std::time::Duration;

/// Half of the work of a command is small pieces of memory, allocated on one thread and freed on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long something that cannot be interrupted may keep the process alive after its work is done.
const FAREWELL: Duration = Duration::from_secs(2);

/// Runs a command with logs by `filter`, and says what went wrong, if it did.
///
/// The process ends when the command does, whatever may still hang: a broker that does not answer keeps
/// nobody alive.
pub fn run_to_end(filter: &str, command: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    if let Err(error) = server::start_logging(filter) {
        complain(&anyhow::anyhow!(error));
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&anyhow::Error::new(error).context("no threads can be started"));
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(command);
    runtime.shutdown_timeout(FAREWELL);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "this is where a person reads what went wrong"
)]
fn complain(error: &anyhow::Error) {
    eprintln!("patron: {error:#}");
}
