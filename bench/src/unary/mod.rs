//! `unary`: what a unary call costs, on tonic, on thalweg and without either.
//!
//! *Client* cells compare clients against the same server process, a minimal one on the `h2` crate. *Server* cells
//! compare servers under the same client, a minimal one on the `h2` crate. The minimal counterpart always has one
//! thread; the side under test has one (tokio's `current_thread` runtime) or two (`multi_thread`).

use clap::Args;

use crate::{
    bar::Bar,
    clients::{ClientArgs, ClientKind},
    error::Error,
    harness::{self, Cell, Column, Ended, Measured, OURS, THEIRS},
    report::{self, Settings},
    sample::Metric,
    servers::{ServerArgs, ServerKind},
};

#[cfg(test)]
mod tests;

const CONCURRENCIES: [usize; 4] = [1, 8, 64, 512];
const PAYLOADS: [Payload; 2] =
    [Payload { bytes: 16, title: "16 B", suffix: "" }, Payload { bytes: 64 << 10, title: "64 KiB", suffix: ".64k" }];
const THREADS: [usize; 2] = [1, 2];
/// Pairs that it takes for a verdict.
const LEAST_ROUNDS: usize = 5;
/// Seconds of a window in a report; under `--check`, enough for a verdict within six minutes for all cells.
const SECONDS: f64 = 2.0;
const SECONDS_OF_CHECK: f64 = 0.7;
const WARM_UP: f64 = 0.2;

/// The options of `unary`.
#[derive(Clone, Debug, Args)]
pub(crate) struct UnaryArgs {
    /// Rounds; each gives every cell one pair of samples.
    #[arg(long, default_value_t = LEAST_ROUNDS)]
    rounds: usize,
    /// Seconds that each sample measures, after a warm-up [default: 2, with --check 0.7].
    #[arg(long)]
    seconds: Option<f64>,
    /// Prints one JSON object instead of tables, on the last line.
    #[arg(long)]
    json: bool,
    /// Measures tonic and thalweg alone, prints a line per bar, and exits with 1 if any is short.
    #[arg(long)]
    check: bool,
    /// Measures only the cells with this in their name, or the one of exactly this name; may be repeated.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
}

/// A size of message.
#[derive(Clone, Copy, Debug)]
struct Payload {
    bytes: usize,
    title: &'static str,
    /// The end of the names of its cells.
    suffix: &'static str,
}

/// What a run of a benchmark came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It ended, and no bar that was to be checked is short.
    Fine,
    /// `--check` found a bar short.
    Short,
    /// Ctrl-C.
    Interrupted,
}

/// Runs the benchmark and prints its report on standard output.
///
/// # Errors
///
/// An option makes no sense, or a process fails.
pub(crate) async fn run(args: UnaryArgs) -> Result<Outcome, Error> {
    if args.check && args.rounds < LEAST_ROUNDS {
        return Err(Error::TooFewRounds { rounds: args.rounds, least: LEAST_ROUNDS });
    }
    let seconds = args.seconds.unwrap_or(if args.check { SECONDS_OF_CHECK } else { SECONDS });
    let settings = Settings { benchmark: "unary", rounds: args.rounds, seconds, warm_up: WARM_UP };
    let mut cells = cells(seconds);
    if args.check {
        for cell in &mut cells {
            cell.columns.retain(|column| [OURS, THEIRS].contains(&column.title));
        }
    }
    let cells = harness::select(cells, &args.only)?;
    let mut measured: Vec<Measured> = cells.into_iter().map(Measured::nothing_of).collect();
    let ended = harness::run(&mut measured, args.rounds).await?;
    if !args.json {
        println!("{}", report::tables(&measured));
    }
    if args.check {
        print!("{}", report::bars(&measured));
    }
    if args.json {
        println!("{}", report::json(&settings, ended, &measured));
    }
    Ok(match ended {
        Ended::Interrupted => Outcome::Interrupted,
        Ended::Finished if args.check && report::any_short(&measured) => Outcome::Short,
        Ended::Finished => Outcome::Fine,
    })
}

/// All cells, in the order of the report.
fn cells(seconds: f64) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (side, payload) in [(client_cell as MakeCell, PAYLOADS), (server_cell, PAYLOADS)] {
        for payload in payload {
            for threads in THREADS {
                cells.extend(CONCURRENCIES.map(|concurrency| side(payload, threads, concurrency, seconds)));
            }
        }
    }
    cells
}

type MakeCell = fn(Payload, usize, usize, f64) -> Cell;

/// Clients against the same server; held to their CPU time.
fn client_cell(payload: Payload, threads: usize, concurrency: usize, seconds: f64) -> Cell {
    let server = ServerArgs { kind: ServerKind::RawH2, threads: 1 };
    let client = |kind, concurrency| client(kind, threads, concurrency, payload, seconds);
    let column = |title, kind| Column { title, server: Some(server), client: client(kind, concurrency) };
    // Without a network a call never waits, so that more callers than threads would change nothing.
    let floor = Column { title: "stub floor", server: None, client: client(ClientKind::Floor, threads) };
    let limit = if payload.bytes == 16 && concurrency == 64 { 0.72 } else { 1.05 };
    Cell {
        name: format!("unary.client_cpu.c{concurrency}.t{threads}{}", payload.suffix),
        table: format!("Clients, {}, {}, against the same server", payload.title, with_threads(threads)),
        row: format!("c {concurrency}"),
        bar: bar(Metric::ClientCpu, limit),
        columns: vec![
            column(THEIRS, ClientKind::Tonic),
            column(OURS, ClientKind::Thalweg),
            column("h2", ClientKind::RawH2),
            floor,
        ],
    }
}

/// Servers under the same client; held to their CPU time.
fn server_cell(payload: Payload, threads: usize, concurrency: usize, seconds: f64) -> Cell {
    let client = client(ClientKind::RawH2, 1, concurrency, payload, seconds);
    let column = |title, kind| Column { title, server: Some(ServerArgs { kind, threads }), client: client.clone() };
    let limit = if payload.bytes == 16 && concurrency == 64 { 0.95 } else { 1.05 };
    // One thread goes without saying in a server's names.
    let suffix = if threads == 1 { String::new() } else { format!(".t{threads}") };
    Cell {
        name: format!("unary.server_cpu.c{concurrency}{suffix}{}", payload.suffix),
        table: format!("Servers, {}, {}, under the same client", payload.title, with_threads(threads)),
        row: format!("c {concurrency}"),
        bar: bar(Metric::ServerCpu, limit),
        columns: vec![
            column(THEIRS, ServerKind::Tonic),
            column(OURS, ServerKind::Thalweg),
            column("h2", ServerKind::RawH2),
        ],
    }
}

/// A limit above 1 only says "not slower", for which the pairs must be able to tell.
fn bar(metric: Metric, limit: f64) -> Bar {
    Bar { metric, limit, or_within_spread: limit > 1.0 }
}

fn client(kind: ClientKind, threads: usize, concurrency: usize, payload: Payload, seconds: f64) -> ClientArgs {
    ClientArgs {
        kind,
        threads,
        concurrency,
        payload: payload.bytes,
        warm_up: WARM_UP,
        seconds,
        server: None,
        server_pid: None,
    }
}

fn with_threads(threads: usize) -> String {
    format!("{threads} thread{}", if threads == 1 { "" } else { "s" })
}
