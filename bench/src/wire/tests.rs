//! Tests of the cells of the wire benchmark.

use super::{Limit, cells};

#[test]
fn every_bar_has_the_limit_it_is_known_by() {
    let bars: Vec<_> = cells(1.0).into_iter().flat_map(|cell| cell.bars).collect();
    let limits: Vec<_> = bars.iter().map(|bar| (bar.name.as_str(), bar.limit)).collect();
    let wanted = [
        ("wire.client_cpu.c64.t1", Limit::Most(0.40)),
        ("wire.client_cpu.c64.t2", Limit::Most(0.33)),
        ("wire.calls_per_write.c64.t2", Limit::Least(10.0)),
        ("wire.echo64k.c8", Limit::Most(0.6)),
        ("wire.response1m.c4", Limit::Most(0.9)),
    ];
    assert_eq!(limits, wanted);
}

#[test]
fn what_has_no_stub_is_compared_with_what_has_none() {
    let cells = cells(1.0);
    let references: Vec<_> = cells.iter().map(|cell| cell.reference).collect();
    assert_eq!(references, ["h2", "h2", "tonic", "tonic"]);
    for cell in &cells {
        assert_eq!(cell.clone().without_bystanders().columns.len(), 2, "{}", cell.name);
    }
}
