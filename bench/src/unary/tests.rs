//! Tests of the cells of the unary benchmark.

use std::collections::BTreeSet;

use super::{Cell, LEAST_ROUNDS, SECONDS_OF_CHECK, WARM_UP, cells};

fn limit(name: &str) -> (f64, bool) {
    let cells = cells(1.0);
    let bar = cells.iter().find(|cell| cell.name == name).unwrap_or_else(|| panic!("no cell {name}")).bar;
    (bar.limit, bar.or_within_spread)
}

#[test]
fn the_named_bars_have_hard_limits() {
    for name in ["unary.client_cpu.c64.t1", "unary.client_cpu.c64.t2"] {
        assert_eq!(limit(name), (0.72, false));
    }
    for name in ["unary.server_cpu.c64", "unary.server_cpu.c64.t2"] {
        assert_eq!(limit(name), (0.95, false));
    }
}

#[test]
fn every_other_bar_asks_for_no_more_cpu_than_the_pairs_can_tell() {
    for name in ["unary.client_cpu.c1.t1", "unary.client_cpu.c64.t1.64k", "unary.server_cpu.c512.t2.64k"] {
        assert_eq!(limit(name), (1.05, true));
    }
}

#[test]
fn every_cell_has_its_own_name() {
    let cells = cells(1.0);
    let names: BTreeSet<_> = cells.iter().map(|Cell { name, .. }| name).collect();
    assert_eq!((cells.len(), names.len()), (32, 32));
}

#[test]
fn a_check_of_all_cells_takes_six_minutes_at_most() {
    // Starting a server and a client takes a few milliseconds; a tenth of a second is ample.
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let samples = (cells(1.0).len() * 2 * LEAST_ROUNDS) as f64;
    assert!(samples * (SECONDS_OF_CHECK + WARM_UP + 0.1) <= 360.0);
}
