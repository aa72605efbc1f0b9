//! Tests of choosing cells and pairing samples.

use super::{Cell, Column, Measured, OURS, THEIRS, select, shuffled};
use crate::{
    bar::Bar,
    clients::{ClientArgs, ClientKind},
    sample::{Metric, Sample},
    stats::Summary,
};

fn named(name: &str) -> Cell {
    let bar = Bar { metric: Metric::ClientCpu, limit: 1.0, or_within_spread: false };
    Cell { name: name.to_owned(), table: String::new(), row: String::new(), bar, columns: Vec::new() }
}

fn names(only: &[&str]) -> Vec<String> {
    let cells = ["client.c1", "client.c1.64k", "client.c8", "server.c8"].map(named).to_vec();
    let only: Vec<String> = only.iter().copied().map(str::to_owned).collect();
    select(cells, &only).unwrap().into_iter().map(|cell| cell.name).collect()
}

fn sample(client_cpu_us: f64) -> Sample {
    Sample { calls_per_second: 1.0, client_cpu_us, server_cpu_us: None, p50_us: 1.0, p99_us: 1.0 }
}

fn column(title: &'static str) -> Column {
    let client = ClientArgs {
        kind: ClientKind::Floor,
        threads: 1,
        concurrency: 1,
        payload: 16,
        warm_up: 0.0,
        seconds: 1.0,
        server: None,
        server_pid: None,
    };
    Column { title, server: None, client }
}

#[test]
fn without_only_every_cell_runs() {
    assert_eq!(names(&[]).len(), 4);
}

#[test]
fn a_whole_name_selects_that_cell_alone() {
    assert_eq!(names(&["client.c1"]), ["client.c1"]);
}

#[test]
fn a_part_of_a_name_selects_every_cell_that_has_it() {
    assert_eq!(names(&["c8"]), ["client.c8", "server.c8"]);
    assert_eq!(names(&["64k", "server"]), ["client.c1.64k", "server.c8"]);
}

#[test]
fn a_pattern_that_selects_nothing_is_an_error_that_names_it() {
    let error = select(vec![named("client.c1")], &["c9".to_owned()]).unwrap_err();
    assert!(error.to_string().starts_with("--only c9: "), "{error}");
}

#[test]
fn samples_of_the_same_round_form_a_pair() {
    let mut measured = Measured::nothing_of(Cell { columns: vec![column(THEIRS), column(OURS)], ..named("client.c1") });
    assert_eq!(measured.ratio(Metric::ClientCpu), None);
    measured.samples = vec![vec![sample(2.0), sample(4.0), sample(1.0)], vec![sample(1.0), sample(3.0)]];
    assert_eq!(measured.ratio(Metric::ClientCpu), Some(Summary { median: 0.625, min: 0.5, max: 0.75 }));
    assert_eq!(measured.ratio(Metric::ServerCpu), None);
    assert!(measured.samples_of("nobody").is_empty());
}

#[test]
fn a_shuffled_order_visits_everything_once() {
    let mut order = shuffled(9);
    order.sort_unstable();
    assert_eq!(order, (0..9).collect::<Vec<_>>());
}
