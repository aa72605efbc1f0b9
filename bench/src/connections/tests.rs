//! Tests of the cells of the connections benchmark.

use super::{Limit, cells};

#[test]
fn more_connections_are_to_bring_more_calls_and_to_cost_little_where_they_do_not() {
    let bars: Vec<_> = cells(1.0).into_iter().flat_map(|cell| cell.bars).collect();
    let limits: Vec<_> = bars.iter().map(|bar| (bar.name.as_str(), bar.limit)).collect();
    let expected = [("connections.slow.c512.t2", Limit::Least(3.0)), ("connections.quick.c512.t2", Limit::Least(0.8))];
    assert_eq!(limits, expected);
}
