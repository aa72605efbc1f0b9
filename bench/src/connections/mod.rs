//! `connections`: what several connections to one address bring (A105).
//!
//! 512 callers against thalweg's server that allows 100 calls on a connection, as most servers do. With one connection 412 of
//! them wait for a stream at any time. Where a call takes the server a while, that is what calls wait for; where it answers at
//! once, the processors are.

use crate::{
    bar::{Bar, Limit, Subject},
    clients::{ClientArgs, ClientKind, Work},
    harness::{Cell, Column, OURS},
    sample::Metric,
    servers::{ServerArgs, ServerKind},
};

#[cfg(test)]
mod tests;

/// The column that the others are compared with.
const ONE: &str = "1 connection";
const CALLERS: usize = 512;
const THREADS: usize = 2;

/// All cells, in the order of the report.
pub(crate) fn cells(seconds: f64) -> Vec<Cell> {
    vec![
        cell("slow", "calls that take the server 10 ms", ServerKind::ThalwegSlow, Limit::Least(3.0), seconds),
        cell("quick", "calls that are answered at once", ServerKind::ThalwegNarrow, Limit::Least(0.8), seconds),
    ]
}

fn cell(name: &str, title: &str, server: ServerKind, limit: Limit, seconds: f64) -> Cell {
    let column = |title, connections| {
        let client = ClientArgs {
            threads: THREADS,
            concurrency: CALLERS,
            connections,
            ..ClientArgs::new(ClientKind::Thalweg, Work::Unary, seconds)
        };
        Column { title, server: Some(ServerArgs::new(server, 1)), client }
    };
    let name = format!("connections.{name}.c{CALLERS}.t{THREADS}");
    Cell {
        name: name.clone(),
        table: format!(
            "100 calls on a connection, {title}; 16 B, {THREADS} threads, thalweg with up to 10 connections"
        ),
        row: format!("c {CALLERS}"),
        reference: ONE,
        bars: vec![Bar { name, metric: Metric::CallsPerSecond, subject: Subject::Ratio, limit }],
        columns: vec![column(ONE, 1), column("4 connections", 4), column(OURS, 10)],
    }
}
