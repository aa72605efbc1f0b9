//! `streams`: what a message costs on streams that stay open, on tonic and on thalweg.
//!
//! 16 streams on one connection, 16 B messages, generated stubs, against the same server, a minimal one on the `h2` crate
//! that puts every message into a DATA frame of its own.

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
const STREAMS: usize = 16;

/// All cells, in the order of the report.
pub(crate) fn cells(seconds: f64) -> Vec<Cell> {
    vec![
        cell("pingpong", "Bidirectional streams, strictly one message after the other", Work::PingPong, seconds),
        cell("server", "Server streams, as fast as messages come", Work::ServerStream, seconds),
    ]
}

fn cell(name: &str, title: &str, work: Work, seconds: f64) -> Cell {
    let column = |title, kind| {
        let client = ClientArgs { concurrency: STREAMS, ..ClientArgs::new(kind, work, seconds) };
        Column { title, server: Some(ServerArgs::new(ServerKind::RawH2, 1)), client }
    };
    let floor = ClientArgs { concurrency: 1, ..ClientArgs::new(ClientKind::Floor, work, seconds) };
    let floor = Column { title: "stub floor", server: None, client: floor };
    let name = format!("streams.{name}{STREAMS}");
    Cell {
        name: name.clone(),
        table: format!("{title}, 16 B, 1 thread"),
        row: format!("s {STREAMS}"),
        reference: THEIRS,
        bars: vec![Bar {
            name,
            metric: Metric::MessagesPerCpuSecond,
            subject: Subject::Ratio,
            limit: Limit::Least(3.0),
        }],
        columns: vec![column(THEIRS, ClientKind::Tonic), column(OURS, ClientKind::Thalweg), floor],
    }
}
