//! Tests of choosing cells and pairing samples.

use super::{Cell, Column, Measured, OURS, select, shuffled};
use crate::{
    bar::{Bar, Limit, Subject},
    clients::{ClientArgs, ClientKind, Work},
    sample::{Metric, Sample},
    stats::Summary,
};

fn bar(name: &str, subject: Subject) -> Bar {
    Bar { name: name.to_owned(), metric: Metric::ClientCpuUs, subject, limit: Limit::Most(1.0) }
}

fn named(name: &str) -> Cell {
    let bars = vec![bar(name, Subject::Ratio), bar(&format!("p50.{name}"), Subject::Ratio)];
    let columns = ["tonic", OURS, "h2"].map(column).to_vec();
    Cell { name: name.to_owned(), table: String::new(), row: String::new(), reference: "tonic", bars, columns }
}

fn names(only: &[&str]) -> Vec<String> {
    let cells = ["client.c1", "client.c1.64k", "client.c8", "server.c8"].map(named).to_vec();
    let only: Vec<String> = only.iter().copied().map(str::to_owned).collect();
    select(cells, &only).unwrap().into_iter().map(|cell| cell.name).collect()
}

fn titles(cell: &Cell) -> Vec<&str> {
    cell.columns.iter().map(|column| column.title).collect()
}

fn sample(client_cpu_us: f64) -> Sample {
    Sample::from_iter([(Metric::ClientCpuUs, client_cpu_us)])
}

fn column(title: &'static str) -> Column {
    Column { title, server: None, client: ClientArgs::new(ClientKind::Floor, Work::Unary, 1.0) }
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
fn the_name_of_a_bar_selects_its_cell() {
    assert_eq!(names(&["p50.client.c1"]), ["client.c1"]);
}

#[test]
fn a_check_needs_only_the_columns_that_are_compared() {
    let mut cell = named("client.c1");
    assert_eq!(titles(&cell.clone().without_bystanders()), ["tonic", OURS]);
    cell.reference = "h2";
    assert_eq!(titles(&cell.clone().without_bystanders()), [OURS, "h2"]);
    cell.bars = vec![bar("client.c1", Subject::Figure)];
    assert_eq!(titles(&cell.without_bystanders()), [OURS]);
}

#[test]
fn samples_of_the_same_round_form_a_pair() {
    let mut measured = Measured::nothing_of(named("client.c1"));
    assert_eq!(measured.ratio(Metric::ClientCpuUs), None);
    measured.samples = vec![vec![sample(2.0), sample(4.0), sample(1.0)], vec![sample(1.0), sample(3.0)], Vec::new()];
    assert_eq!(measured.ratio(Metric::ClientCpuUs), Some(Summary { median: 0.625, min: 0.5, max: 0.75 }));
    assert_eq!(measured.ratio(Metric::ServerCpuUs), None);
    assert!(measured.samples_of("nobody").is_empty());
}

#[test]
fn a_bar_looks_at_the_ratio_or_at_the_figure_itself() {
    let mut measured = Measured::nothing_of(named("client.c1"));
    measured.samples = vec![vec![sample(4.0)], vec![sample(3.0)], vec![]];
    let median = |subject| measured.value(&bar("client.c1", subject)).unwrap().median;
    assert_eq!((median(Subject::Ratio), median(Subject::Figure)), (0.75, 3.0));
}

#[test]
fn a_shuffled_order_visits_everything_once() {
    let mut order = shuffled(9);
    order.sort_unstable();
    assert_eq!(order, (0..9).collect::<Vec<_>>());
}
