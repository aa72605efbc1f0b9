//! The flags of `thalweg demo`.

#[cfg(test)]
mod tests;

use std::time::Duration;

use clap::{Args, value_parser};
use thiserror::Error;

/// The shortest run: the story needs time to be told.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest run.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Start a small fleet in this process, call it at a steady rate, and watch what happens.
///
/// Several backends of different speed listen on loopback TCP. A channel resolves them, balances by the policy of your
/// choice, and calls them through a generated stub. Meanwhile one backend is drained and comes back: no call may fail.
/// Another is killed and comes back: only calls that had reached it may fail, with UNAVAILABLE. Runs longer than 20s tell
/// this story again and again, each time of other backends.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Exit code: 0 if nothing failed but calls that a killed backend had; 1 if anything else failed, which is then named; 2 if an \
option is wrong. Ctrl-C ends the run early, with its summary and the exit code it has earned so far.

On a terminal the display is live. Piped, there is one line a second and one for everything that happens.")]
pub(crate) struct Options {
    /// The load-balancing policy, by its name in the service config [default: round_robin]
    #[arg(long, value_name = "NAME")]
    pub(super) policy: Option<String>,

    /// A service config, as JSON: timeouts, wait-for-ready, or a policy with its configuration
    #[arg(long, value_name = "JSON")]
    pub(super) service_config: Option<String>,

    /// How many backends to start, 2 to 64
    #[arg(long, value_name = "N", default_value = "4", value_parser = value_parser!(u8).range(2..=64),
          allow_hyphen_values = true)]
    pub(super) backends: u8,

    /// Calls per second, 1 to 100000; they begin on time whether earlier ones are answered or not
    #[arg(long, value_name = "N", default_value = "500", value_parser = value_parser!(u32).range(1..=100_000),
          allow_hyphen_values = true)]
    pub(super) rate: u32,

    /// How long to run, 1s to 24h, with a unit: ms, s, m or h
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = parse_duration, allow_hyphen_values = true)]
    pub(super) duration: Duration,

    /// End with one line of JSON: calls, ok, failed by code, shares and percentiles
    #[arg(long)]
    pub(super) json: bool,

    /// Serve the demo's Greeter (package thalweg.demo.v1) to foreign clients too, for as long as the run takes:
    /// 127.0.0.1:50051, 0.0.0.0:50051, unix:greeter.sock
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<String>,
}

/// Why a text is no duration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(super) enum DurationError {
    #[error("a duration is a number and a unit (ms, s, m or h), as in 500ms, 1.5s or 2m")]
    Form,
    #[error("a run takes from 1s to 24h")]
    Range,
}

/// Reads `500ms`, `1.5s`, `2m` or `1h`.
fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or(DurationError::Form)?;
    let (number, unit) = text.split_at(split);
    let unit = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(DurationError::Form),
    };
    let number: f64 = number.parse().map_err(|_| DurationError::Form)?;
    let duration = Duration::try_from_secs_f64(number * unit).map_err(|_| DurationError::Range)?;
    if (SHORTEST..=LONGEST).contains(&duration) { Ok(duration) } else { Err(DurationError::Range) }
}
