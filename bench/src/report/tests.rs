//! Tests of the three forms of a report.

use super::{Settings, any_short, bars, json, tables};
use crate::{
    bar::{Bar, Limit, Subject},
    clients::{ClientArgs, ClientKind, Work},
    harness::{Cell, Column, Ended, Measured, OURS},
    sample::{Metric, Sample},
};

fn sample(client_cpu_us: f64) -> Sample {
    Sample::from_iter([
        (Metric::ClientCpuUs, client_cpu_us),
        (Metric::ServerCpuUs, 3.0),
        (Metric::CallsPerSecond, 90_000.4),
        (Metric::P50Us, 71.25),
    ])
}

fn column(title: &'static str) -> Column {
    Column { title, server: None, client: ClientArgs::new(ClientKind::Tonic, Work::Unary, 1.0) }
}

/// Two rounds in which tonic takes 10 µs.
fn measured(name: &str, limit: f64, ours: [f64; 2]) -> Measured {
    let limit = Limit::MostOrLevel(limit);
    let cell = Cell {
        name: name.to_owned(),
        table: "Clients, 16 B".to_owned(),
        row: "c 64".to_owned(),
        reference: "tonic",
        bars: vec![Bar { name: name.to_owned(), metric: Metric::ClientCpuUs, subject: Subject::Ratio, limit }],
        columns: vec![column("tonic"), column(OURS), column("h2")],
    };
    Measured { cell, samples: vec![vec![sample(10.0); 2], ours.map(sample).to_vec(), vec![Sample::default(); 2]] }
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
fn a_cell_may_have_several_bars_also_on_figures_themselves() {
    let mut cell = measured("a.c64", 0.72, [7.0, 7.0]);
    let limit = Limit::Least(100_000.0);
    let metric = Metric::CallsPerSecond;
    cell.cell.bars.push(Bar { name: "a.calls".to_owned(), metric, subject: Subject::Figure, limit });
    let cells = [cell];
    assert_eq!(bars(&cells), "bar a.c64 0.700 0.72 ok\nbar a.calls 90000.400 100000.00 short\n");
    assert!(any_short(&cells));
    assert!(tables(&cells).contains("SHORT, at least 100000.00"));
}

#[test]
fn a_bar_whose_figure_nobody_measured_is_short_once_there_was_a_round() {
    let mut cell = measured("a.c64", 0.72, [7.0, 7.0]);
    cell.cell.bars[0].metric = Metric::CallsPerWrite;
    assert_eq!(bars(std::slice::from_ref(&cell)), "bar a.c64 - 0.72 short\n");
    let nothing = Measured::nothing_of(cell.cell);
    assert_eq!(bars(&[nothing]), "");
}

#[test]
fn json_has_every_figure_as_median_and_spread() {
    let settings = Settings { benchmark: "unary", rounds: 2, seconds: Some(1.0) };
    let json = json(&settings, Ended::Finished, &[measured("a.c64", 0.72, [6.0, 8.0])]);
    let cell = &json["cells"][0];
    assert_eq!(cell["name"], "a.c64");
    assert_eq!(cell["columns"]["thalweg"]["client_cpu_us"]["median"], 7.0);
    assert_eq!(cell["ratio"]["client_cpu_us"]["max"], 0.8);
    assert_eq!(cell["reference"], "tonic");
    assert_eq!(cell["bars"][0]["ok"], true);
    assert_eq!(json["interrupted"], false);
    assert_eq!(json["warm_up"], 0.2);
}
