//! Tests of the three forms of a report.

use super::{Settings, any_short, bars, json, tables};
use crate::{
    bar::Bar,
    clients::{ClientArgs, ClientKind},
    harness::{Cell, Column, Ended, Measured, OURS, THEIRS},
    sample::{Metric, Sample},
};

fn sample(client_cpu_us: f64) -> Sample {
    Sample { calls_per_second: 90_000.4, client_cpu_us, server_cpu_us: Some(3.0), p50_us: 71.25, p99_us: 140.0 }
}

fn column(title: &'static str) -> Column {
    let client = ClientArgs {
        kind: ClientKind::Tonic,
        threads: 1,
        concurrency: 64,
        payload: 16,
        warm_up: 0.2,
        seconds: 1.0,
        server: None,
        server_pid: None,
    };
    Column { title, server: None, client }
}

/// Two rounds in which tonic takes 10 µs.
fn measured(name: &str, limit: f64, ours: [f64; 2]) -> Measured {
    let cell = Cell {
        name: name.to_owned(),
        table: "Clients, 16 B".to_owned(),
        row: "c 64".to_owned(),
        bar: Bar { metric: Metric::ClientCpu, limit, or_within_spread: true },
        columns: vec![column(THEIRS), column(OURS), column("h2")],
    };
    Measured { cell, samples: vec![vec![sample(10.0); 2], ours.map(sample).to_vec(), Vec::new()] }
}

#[test]
fn every_bar_has_a_line() {
    let cells = [measured("a.c64", 0.72, [7.0, 7.0]), measured("a.c8", 1.05, [12.0, 11.0])];
    assert_eq!(bars(&cells), "bar a.c64 0.700 0.72 ok\nbar a.c8 1.150 1.05 short\n");
    assert!(any_short(&cells));
}

#[test]
fn a_bar_within_the_spread_is_ok_and_the_table_says_why() {
    let cells = [measured("a.c8", 1.05, [13.0, 9.0])];
    assert_eq!(bars(&cells), "bar a.c8 1.100 1.05 ok\n");
    assert!(!any_short(&cells));
    let tables = tables(&cells);
    assert!(tables.contains("1.10 (0.90..1.30)  ok, above 1.05 but within the pairs' spread\n"), "{tables}");
}

#[test]
fn a_table_has_its_title_its_columns_and_a_dash_for_what_was_not_measured() {
    let tables = tables(&[measured("a.c64", 0.72, [7.0, 7.0])]);
    let lines: Vec<Vec<&str>> = tables.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["Clients,", "16", "B"]);
    assert_eq!(lines[1], ["median", "of", "rounds", "tonic", "thalweg", "h2", "thalweg/tonic", "(pairs)"]);
    assert_eq!(lines[2][..9], ["c", "64", "client", "CPU", "µs/call", "10.00", "7.00", "-", "0.70"]);
    assert_eq!(lines[4], ["calls/s", "90000", "90000", "-", "1.00", "(1.00..1.00)"]);
}

#[test]
fn json_has_every_figure_as_median_and_spread() {
    let settings = Settings { benchmark: "unary", rounds: 2, seconds: 1.0, warm_up: 0.2 };
    let json = json(&settings, Ended::Finished, &[measured("a.c64", 0.72, [6.0, 8.0])]);
    let cell = &json["cells"][0];
    assert_eq!(cell["name"], "a.c64");
    assert_eq!(cell["columns"]["thalweg"]["client_cpu_us"]["median"], 7.0);
    assert_eq!(cell["ratio"]["client_cpu_us"]["max"], 0.8);
    assert_eq!(cell["bar"]["ok"], true);
    assert_eq!(json["interrupted"], false);
}
