//! Tests of the cells of the memory benchmark.

use super::{Limit, OURS, cells};

#[test]
fn every_bar_has_the_limit_it_is_known_by() {
    let bars: Vec<_> = cells(1).into_iter().flat_map(|cell| cell.bars).collect();
    let limits: Vec<_> = bars.iter().map(|bar| (bar.name.as_str(), bar.limit)).collect();
    let wanted = [
        ("memory.transport", Limit::Most(1536.0)),
        ("memory.stub", Limit::Most(4096.0)),
        ("memory.idle_connection", Limit::Most(40.0)),
        ("memory.growth", Limit::Most(1.0)),
    ];
    assert_eq!(limits, wanted);
}

#[test]
fn a_check_of_figures_measures_thalweg_alone() {
    for cell in cells(1) {
        let columns = cell.without_bystanders().columns;
        assert_eq!(columns.iter().map(|column| column.title).collect::<Vec<_>>(), [OURS]);
    }
}

#[test]
fn the_calls_are_those_of_growth() {
    let calls: Vec<_> = cells(7).iter().map(|cell| cell.columns[0].client.calls).collect();
    assert_eq!(calls, [0, 0, 0, 7]);
}
