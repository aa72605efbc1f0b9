//! `wire`: what is below the stub, and big messages.
//!
//! The channel called by hand stands against the `h2` crate alone, without a stub on either side; big messages go
//! through the stubs, against tonic. The server is a minimal one on the `h2` crate.

use crate::{
    bar::{Bar, Limit, Subject},
    clients::{ClientArgs, ClientKind, Work},
    harness::{Cell, Column, OURS},
    sample::Metric,
    servers::{ServerArgs, ServerKind},
};

#[cfg(test)]
mod tests;

/// All cells, in the order of the report.
pub(crate) fn cells(seconds: f64) -> Vec<Cell> {
    let one_thread = without_stub(1, 0.40, seconds);
    let mut two_threads = without_stub(2, 0.33, seconds);
    // On one thread everybody has appended before the writer has its turn: two show whether it waits for them.
    two_threads.bars.push(Bar {
        name: "wire.calls_per_write.c64.t2".to_owned(),
        metric: Metric::CallsPerWrite,
        subject: Subject::Figure,
        limit: Limit::Least(10.0),
    });
    vec![one_thread, two_threads, echo(seconds), response(seconds)]
}

/// Clients without a stub, 64 callers; held to the `h2` crate's CPU time.
fn without_stub(threads: usize, limit: f64, seconds: f64) -> Cell {
    let column = |title, kind, server| {
        let client = ClientArgs { threads, ..ClientArgs::new(kind, Work::Unary, seconds) };
        Column { title, server: Some(ServerArgs::new(server, 1)), client }
    };
    let name = format!("wire.client_cpu.c64.t{threads}");
    Cell {
        name: name.clone(),
        table: format!("Clients without a stub, 16 B, threads: {threads}"),
        row: "c 64".to_owned(),
        reference: "h2",
        bars: vec![cpu(name, limit)],
        columns: vec![
            column("h2", ClientKind::RawH2, ServerKind::RawH2),
            column(OURS, ClientKind::ThalwegByHand, ServerKind::RawH2),
            column("bare echo", ClientKind::BareEcho, ServerKind::BareEcho),
        ],
    }
}

/// 64 KiB both ways.
fn echo(seconds: f64) -> Cell {
    let client = |kind| ClientArgs { concurrency: 8, payload: 64 << 10, ..ClientArgs::new(kind, Work::Unary, seconds) };
    let name = "wire.echo64k.c8".to_owned();
    Cell {
        name: name.clone(),
        table: "Clients, 64 KiB both ways, 1 thread".to_owned(),
        row: "c 8".to_owned(),
        reference: "tonic",
        bars: vec![cpu(name, 0.6)],
        columns: vec![
            big("tonic", client(ClientKind::Tonic)),
            big(OURS, client(ClientKind::Thalweg)),
            big("h2", client(ClientKind::RawH2)),
        ],
    }
}

/// 1 MiB for a request of a few bytes.
fn response(seconds: f64) -> Cell {
    let client =
        |kind| ClientArgs { concurrency: 4, payload: 1 << 20, ..ClientArgs::new(kind, Work::Download, seconds) };
    let name = "wire.response1m.c4".to_owned();
    Cell {
        name: name.clone(),
        table: "Clients, small requests, 1 MiB responses, 1 thread".to_owned(),
        row: "c 4".to_owned(),
        reference: "tonic",
        bars: vec![cpu(name, 0.9)],
        columns: vec![big("tonic", client(ClientKind::Tonic)), big(OURS, client(ClientKind::Thalweg))],
    }
}

fn big(title: &'static str, client: ClientArgs) -> Column {
    Column { title, server: Some(ServerArgs::new(ServerKind::RawH2, 1)), client }
}

fn cpu(name: String, limit: f64) -> Bar {
    Bar { name, metric: Metric::ClientCpuUs, subject: Subject::Ratio, limit: Limit::Most(limit) }
}
