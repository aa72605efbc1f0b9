//! `cargo xtask chaos`: six backends that are killed, made slow, made to fail and taken out of service at random, a client
//! that calls them all the while, and a judge of what it sees.

mod run;

mod load;
mod policies;

mod backend;

mod judge;

mod schedule;

use std::{
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use clap::Parser;

use crate::{
    judge::{NEWS, Outcome, Record, judge},
    load::RATE,
    policies::{LONGEST_PAUSE, POLICIES, Policy},
};

/// How many violations are printed of each run.
const PRINTED: usize = 20;

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Kills, slows, fails and withdraws backends under load, and checks what callers see.
#[derive(Debug, Parser)]
struct Arguments {
    /// What the faults are drawn from; without one, another each time.
    #[arg(long)]
    seed: Option<u64>,
    /// How long each policy is tested: `60s`, `5m`.
    #[arg(long, default_value = "60s", value_parser = duration)]
    duration: Duration,
    /// Only this policy.
    #[arg(long, value_parser = POLICIES.map(|policy| policy.name))]
    policy: Option<String>,
}

/// Reads `60s` or `5m`.
fn duration(text: &str) -> Result<Duration, NoDuration> {
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or(NoDuration)?;
    let number: u64 = number.parse().map_err(|_| NoDuration)?;
    let seconds = match unit {
        "s" => Some(number),
        "m" => number.checked_mul(60),
        _ => None,
    };
    seconds.filter(|seconds| (3..=86_400).contains(seconds)).map(Duration::from_secs).ok_or(NoDuration)
}

/// What is no duration of a run.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a run lasts 3s to 1440m: a whole number, and s or m")]
struct NoDuration;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    count_panics();
    println!(
        "--seed {seed}; {RATE} calls/s; reconnecting after at most {LONGEST_PAUSE:?}; NOT_SERVING known within {NEWS:?}"
    );
    let (mut violations, mut interrupted) = (0, false);
    let mut table = vec![];
    for policy in
        POLICIES.into_iter().filter(|policy| arguments.policy.as_deref().is_none_or(|name| name == policy.name))
    {
        let stop = async {
            // Without a handler for the signal the process just ends by it.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            interrupted = true;
        };
        match run::run(policy, seed, arguments.duration, stop).await {
            Ok(record) => {
                let (row, found) = report(policy, &record);
                table.push(row);
                violations += found;
            }
            Err(error) => {
                eprintln!("{}: {error}", policy.name);
                return ExitCode::FAILURE;
            }
        }
        if interrupted {
            break;
        }
    }
    println!("\n{:<18} {:>8} {:>8} {:>12} {:>12}", "policy", "calls", "failed", "latest start", "violations");
    table.iter().for_each(|row| println!("{row}"));
    let panics = PANICS.load(Relaxed);
    if panics > 0 {
        println!("{panics} panics");
    }
    if violations + panics == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Counts panics, wherever they are, and prints them as ever.
fn count_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Relaxed);
        print(panic);
    }));
}

/// Prints the violations of a run. A row of the table, and how many there are.
fn report(policy: Policy, record: &Record) -> (String, usize) {
    let found = judge(record, RATE, policy.promise);
    for violation in found.iter().take(PRINTED) {
        println!("{}: {violation}", policy.name);
    }
    if found.len() > PRINTED {
        println!("{}: and {} more", policy.name, found.len() - PRINTED);
    }
    let calls = record.calls.len();
    let failed = record.calls.iter().filter(|call| call.outcome != Outcome::Served).count();
    let violations = found.len();
    let latest = format!("{:.1?}", record.latest());
    (format!("{:<18} {calls:>8} {failed:>8} {latest:>12} {violations:>12}", policy.name), violations)
}
