//! Logs, for the person who searches them: one line an event, one name per field, never personal data.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts to write logs to standard error: as text on a terminal, else as JSON, as collectors want it.
///
/// `filter` is a `tracing` filter such as `info` or `info,runtime=debug`.
///
/// # Errors
/// If the filter cannot be read, or logging was started before.
pub fn start_logging(filter: &str) -> Result<(), String> {
    // Taken for the name of a part of the program, it would silence everything, errors included.
    let is_level = ["off", "error", "warn", "info", "debug", "trace"]
        .iter()
        .any(|level| filter.eq_ignore_ascii_case(level));
    if !is_level && !filter.contains(['=', ',', '[']) {
        return Err(format!(
            "log filter {filter:?}: it is off, error, warn, info, debug or trace, or a filter such as info,runtime=debug"
        ));
    }
    let filter =
        EnvFilter::try_new(filter).map_err(|error| format!("log filter {filter:?}: {error}"))?;
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false);
    if std::io::stderr().is_terminal() {
        registry
            .with(layer)
            .try_init()
            .map_err(|error| error.to_string())
    } else {
        registry
            .with(layer.json().flatten_event(true))
            .try_init()
            .map_err(|error| error.to_string())
    }
}
