//! Tests of the cells of the streams benchmark.

use super::{Limit, cells};

#[test]
fn thalweg_is_to_carry_three_times_as_many_messages() {
    let bars: Vec<_> = cells(1.0).into_iter().flat_map(|cell| cell.bars).collect();
    let limits: Vec<_> = bars.iter().map(|bar| (bar.name.as_str(), bar.limit)).collect();
    assert_eq!(limits, [("streams.pingpong16", Limit::Least(3.0)), ("streams.server16", Limit::Least(3.0))]);
}
