//! `unary`: what a unary call costs, on tonic, on thalweg and without either.
//!
//! *Client* cells compare clients against the same server process, a minimal one on the `h2` crate. *Server* cells
//! compare servers under the same client, a minimal one on the `h2` crate. The minimal counterpart always has one
//! thread; the side under test has one (tokio's `current_thread` runtime) or two (`multi_thread`).

use crate::{
    bar::{Bar, Limit, Subject},
    clients::{ClientArgs, ClientKind, Work},
    harness::{Cell, Column, OURS},
    sample::Metric,
    servers::{ServerArgs, ServerKind},
};

#[cfg(test)]
mod tests;

/// The column that thalweg is compared with.
const THEIRS: &str = "tonic";
const CONCURRENCIES: [usize; 4] = [1, 8, 64, 512];
const PAYLOADS: [Payload; 2] =
    [Payload { bytes: 16, title: "16 B", suffix: "" }, Payload { bytes: 64 << 10, title: "64 KiB", suffix: ".64k" }];
const THREADS: [usize; 2] = [1, 2];
/// "Not slower", as far as the pairs can tell.
const LEVEL: Limit = Limit::MostOrLevel(1.05);

/// A size of message.
#[derive(Clone, Copy, Debug)]
struct Payload {
    bytes: usize,
    title: &'static str,
    /// The end of the names of its cells.
    suffix: &'static str,
}

impl Payload {
    fn is_small(self) -> bool {
        self.bytes == PAYLOADS[0].bytes
    }
}

/// All cells, in the order of the report.
pub(crate) fn cells(seconds: f64) -> Vec<Cell> {
    let mut cells = Vec::new();
    for side in [client_cell, server_cell] {
        for payload in PAYLOADS {
            for threads in THREADS {
                cells.extend(CONCURRENCIES.map(|concurrency| side(payload, threads, concurrency, seconds)));
            }
        }
    }
    cells.push(tls_cell(seconds));
    cells
}

/// Clients against the same server; held to their CPU time, and with small messages to their latency too.
fn client_cell(payload: Payload, threads: usize, concurrency: usize, seconds: f64) -> Cell {
    let column = |title, kind, server: ServerKind| {
        let client = client(kind, threads, concurrency, payload, seconds);
        Column { title, server: Some(ServerArgs::new(server, 1)), client }
    };
    // Without a network a call never waits, so that more callers than threads would change nothing.
    let floor = Column {
        title: "stub floor",
        server: None,
        client: client(ClientKind::Floor, threads, threads, payload, seconds),
    };
    let place = format!("c{concurrency}.t{threads}{}", payload.suffix);
    let name = format!("unary.client_cpu.{place}");
    let limit = match (payload.is_small(), concurrency, threads) {
        (false, ..) => LEVEL,
        (true, 1, _) => Limit::Most(0.80),
        (true, 8, _) => Limit::Most(0.50),
        (true, 64, 1) => Limit::Most(0.28),
        (true, 64, _) => Limit::Most(0.22),
        (true, ..) => Limit::Most(0.20),
    };
    let mut bars = vec![ratio(name.clone(), Metric::ClientCpuUs, limit)];
    if payload.is_small() {
        bars.push(ratio(format!("unary.p50.{place}"), Metric::P50Us, LEVEL));
    }
    Cell {
        name,
        table: format!("Clients, {}, {}, against the same server", payload.title, with_threads(threads)),
        row: format!("c {concurrency}"),
        reference: THEIRS,
        bars,
        columns: vec![
            column(THEIRS, ClientKind::Tonic, ServerKind::RawH2),
            column(OURS, ClientKind::Thalweg, ServerKind::RawH2),
            column("h2", ClientKind::RawH2, ServerKind::RawH2),
            floor,
            column("bare echo", ClientKind::BareEcho, ServerKind::BareEcho),
        ],
    }
}

/// Servers under the same client; held to their CPU time.
fn server_cell(payload: Payload, threads: usize, concurrency: usize, seconds: f64) -> Cell {
    let client = client(ClientKind::RawH2, 1, concurrency, payload, seconds);
    let column = |title, kind| Column { title, server: Some(ServerArgs::new(kind, threads)), client: client.clone() };
    let limit = if payload.is_small() && concurrency == 64 { Limit::Most(0.45) } else { LEVEL };
    // One thread goes without saying in a server's names.
    let suffix = if threads == 1 { String::new() } else { format!(".t{threads}") };
    let name = format!("unary.server_cpu.c{concurrency}{suffix}{}", payload.suffix);
    Cell {
        name: name.clone(),
        table: format!("Servers, {}, {}, under the same client", payload.title, with_threads(threads)),
        row: format!("c {concurrency}"),
        reference: THEIRS,
        bars: vec![ratio(name, Metric::ServerCpuUs, limit)],
        columns: vec![
            column(THEIRS, ServerKind::Tonic),
            column(OURS, ServerKind::Thalweg),
            column("h2", ServerKind::RawH2),
        ],
    }
}

/// Clients by TLS against the same server; held to their CPU time.
fn tls_cell(seconds: f64) -> Cell {
    let column = |title, kind| {
        let client = client(kind, 1, 64, PAYLOADS[0], seconds);
        Column { title, server: Some(ServerArgs::new(ServerKind::RawH2Tls, 1)), client }
    };
    let name = "unary.tls.c64".to_owned();
    Cell {
        name: name.clone(),
        table: "Clients by TLS, 16 B, 1 thread, against the same server".to_owned(),
        row: "c 64".to_owned(),
        reference: THEIRS,
        bars: vec![ratio(name, Metric::ClientCpuUs, Limit::Most(0.50))],
        columns: vec![
            column(THEIRS, ClientKind::Tonic),
            column(OURS, ClientKind::Thalweg),
            column("h2", ClientKind::RawH2),
        ],
    }
}

fn ratio(name: String, metric: Metric, limit: Limit) -> Bar {
    Bar { name, metric, subject: Subject::Ratio, limit }
}

fn client(kind: ClientKind, threads: usize, concurrency: usize, payload: Payload, seconds: f64) -> ClientArgs {
    ClientArgs { threads, concurrency, payload: payload.bytes, ..ClientArgs::new(kind, Work::Unary, seconds) }
}

fn with_threads(threads: usize) -> String {
    format!("{threads} thread{}", if threads == 1 { "" } else { "s" })
}
