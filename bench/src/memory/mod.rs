//! `memory`: what the client's process keeps resident for open calls and idle connections, and after many calls.

use clap::Args;

use crate::{
    bar::{Bar, Limit, Subject},
    benchmark::{Benchmark, RunArgs},
    clients::{ClientArgs, ClientKind, Work},
    harness::{Cell, Column, OURS},
    sample::Metric,
    servers::{ServerArgs, ServerKind},
};

#[cfg(test)]
mod tests;

/// Calls that wait for an answer that doesn't come.
const HELD_CALLS: usize = 10_000;
/// Connections to one server that nobody uses.
const IDLE_CONNECTIONS: usize = 1_000;

/// The options of `memory`.
#[derive(Clone, Debug, Args)]
pub(crate) struct MemoryArgs {
    /// What to run, and what to print.
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Calls of `memory.growth`; the first twentieth warms up.
    #[arg(long, default_value_t = 10_000_000)]
    calls: u64,
}

impl MemoryArgs {
    /// The benchmark. One round will do: memory is what it is.
    pub(crate) fn benchmark(&self) -> Benchmark {
        Benchmark { name: "memory", cells: cells(self.calls), seconds: None, least_rounds: 1 }
    }
}

/// All cells, in the order of the report.
fn cells(calls: u64) -> Vec<Cell> {
    let held = ("Calls that wait, without a stub", HELD_CALLS, Work::Hold, ServerKind::Silent);
    let held_by_stub = ("Calls that wait, with the stub", HELD_CALLS, Work::Hold, ServerKind::Silent);
    let idle = ("Idle connections, a channel for each", IDLE_CONNECTIONS, Work::Idle, ServerKind::RawH2);
    let many = ("Many calls, 64 at a time, with the stub", 64, Work::Growth, ServerKind::RawH2);
    let (tonic, thalweg, h2) = (("tonic", ClientKind::Tonic), (OURS, ClientKind::Thalweg), ("h2", ClientKind::RawH2));
    let transport = at_most("transport", Metric::CallBytes, 1536.0);
    let stub = at_most("stub", Metric::CallBytes, 4096.0);
    let connection = at_most("idle_connection", Metric::ConnectionKib, 40.0);
    let growth = at_most("growth", Metric::GrowthMib, 1.0);
    vec![
        cell(transport, held, &[h2, (OURS, ClientKind::ThalwegByHand)], 0),
        cell(stub, held_by_stub, &[tonic, thalweg], 0),
        cell(connection, idle, &[tonic, thalweg, h2], 0),
        cell(growth, many, &[tonic, thalweg], calls),
    ]
}

fn at_most(name: &str, metric: Metric, limit: f64) -> Bar {
    Bar { name: format!("memory.{name}"), metric, subject: Subject::Figure, limit: Limit::Most(limit) }
}

/// A title, how many calls or connections at a time, what is done with them, and at which server.
type Shape = (&'static str, usize, Work, ServerKind);

/// Compared with the first column.
fn cell(bar: Bar, (title, concurrency, work, server): Shape, kinds: &[(&'static str, ClientKind)], calls: u64) -> Cell {
    let column = |(title, kind)| {
        let client = ClientArgs { concurrency, calls, ..ClientArgs::new(kind, work, 0.0) };
        Column { title, server: Some(ServerArgs::new(server, 1)), client }
    };
    Cell {
        name: bar.name.clone(),
        table: title.to_owned(),
        row: concurrency.to_string(),
        reference: kinds[0].0,
        bars: vec![bar],
        columns: kinds.iter().copied().map(column).collect(),
    }
}
