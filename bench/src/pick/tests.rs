//! Tests of the cells of the pick benchmark.

use std::collections::BTreeSet;

use super::{ClientKind, Limit, OURS, THEIRS, cells, policies};

#[test]
fn every_policy_is_measured_at_every_size_on_one_thread_and_on_two() {
    let names: BTreeSet<_> = cells(&policies(), 1.0, false).into_iter().map(|cell| cell.name).collect();
    assert_eq!(names.len(), policies().len() * (3 * 2 + 2 + 2));
    for name in
        ["pick.random.10", "pick.round_robin.10000.t2", "pick.priority.growth", "control.ready10000.round_robin"]
    {
        assert!(names.contains(name), "{name}");
    }
}

#[test]
fn every_bar_has_the_limit_it_is_known_by() {
    let bars: Vec<_> = cells(&policies(), 1.0, true).into_iter().flat_map(|cell| cell.bars).collect();
    for (name, most) in [
        ("pick.round_robin.10000", 60.0),
        ("pick.random.10000.t2", 60.0),
        ("pick.least_request.10000", 60.0),
        ("pick.weighted_target.10000", 60.0),
        ("pick.outlier_detection.growth", 4.0),
        ("control.ready10000.least_request", 1_000.0),
        ("control.update10000.round_robin", 20.0),
    ] {
        let bar = bars.iter().find(|bar| bar.name == name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(bar.limit, Limit::Most(most), "{name}");
    }
}

#[test]
fn grpc_go_stands_beside_what_it_has_too_and_only_if_asked_for() {
    let columns = |go, name: &str| {
        let cell = cells(&policies(), 1.0, go).into_iter().find(|cell| cell.name == name).unwrap();
        cell.columns.iter().map(|column| (column.title, column.client.kind)).collect::<Vec<_>>()
    };
    let (ours, theirs) = ((OURS, ClientKind::Policy), (THEIRS, ClientKind::GrpcGo));
    assert_eq!(columns(true, "pick.round_robin.10"), [ours, theirs]);
    assert_eq!(columns(true, "pick.random.10"), [ours]);
    assert_eq!(columns(false, "pick.round_robin.10"), [ours]);
    assert_eq!(columns(true, "control.ready10000.round_robin"), [ours]);
}
