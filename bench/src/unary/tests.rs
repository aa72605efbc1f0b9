//! Tests of the cells of the unary benchmark.

use std::collections::BTreeSet;

use super::{LEVEL, Limit, OURS, THEIRS, cells};
use crate::{
    benchmark::{LEAST_ROUNDS, SECONDS_OF_CHECK},
    clients::WARM_UP,
};

fn limit(name: &str) -> Limit {
    let bars: Vec<_> = cells(1.0).into_iter().flat_map(|cell| cell.bars).collect();
    bars.iter().find(|bar| bar.name == name).unwrap_or_else(|| panic!("no bar {name}")).limit
}

#[test]
fn small_calls_of_a_client_have_hard_limits() {
    let limits = [("c1", 0.80, 0.80), ("c8", 0.50, 0.50), ("c64", 0.28, 0.22), ("c512", 0.20, 0.20)];
    for (callers, of_one_thread, of_two) in limits {
        assert_eq!(limit(&format!("unary.client_cpu.{callers}.t1")), Limit::Most(of_one_thread));
        assert_eq!(limit(&format!("unary.client_cpu.{callers}.t2")), Limit::Most(of_two));
    }
}

#[test]
fn a_busy_server_and_a_client_by_tls_have_hard_limits() {
    for name in ["unary.server_cpu.c64", "unary.server_cpu.c64.t2"] {
        assert_eq!(limit(name), Limit::Most(0.45));
    }
    assert_eq!(limit("unary.tls.c64"), Limit::Most(0.50));
}

#[test]
fn every_other_bar_asks_for_no_more_than_the_pairs_can_tell() {
    for name in ["unary.p50.c1.t1", "unary.p50.c512.t2", "unary.client_cpu.c64.t1.64k", "unary.server_cpu.c512.t2.64k"]
    {
        assert_eq!(limit(name), LEVEL);
    }
}

#[test]
fn every_cell_and_every_bar_has_its_own_name() {
    let cells = cells(1.0);
    let names: BTreeSet<_> = cells.iter().map(|cell| &cell.name).collect();
    assert_eq!((cells.len(), names.len()), (33, 33));
    let bars: Vec<_> = cells.iter().flat_map(|cell| &cell.bars).map(|bar| &bar.name).collect();
    assert_eq!((bars.len(), bars.iter().collect::<BTreeSet<_>>().len()), (41, 41));
}

#[test]
fn every_cell_has_the_two_columns_that_are_compared() {
    for cell in cells(1.0) {
        for title in [THEIRS, OURS] {
            assert!(cell.columns.iter().any(|column| column.title == title), "{} has no {title}", cell.name);
        }
    }
}

#[test]
fn a_check_of_all_cells_takes_six_minutes_at_most() {
    // Starting a server and a client takes a few milliseconds; a tenth of a second is ample.
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let samples = (cells(1.0).len() * 2 * LEAST_ROUNDS) as f64;
    assert!(samples * (SECONDS_OF_CHECK + WARM_UP + 0.1) <= 360.0);
}
