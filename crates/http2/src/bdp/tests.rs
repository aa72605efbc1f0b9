//! When the estimate asks for a PING, and when it grows.

use super::*;

#[test]
fn one_probe_is_under_way_at_a_time() {
    let mut estimate = Estimate::new(65_535, 1 << 24);
    assert!(estimate.received(100, 0));
    assert!(!estimate.received(100, 1));
    assert_eq!(estimate.acknowledged(5), None);
    assert!(estimate.received(100, 6));
}

#[test]
fn a_filled_window_doubles_what_came_in() {
    let mut estimate = Estimate::new(60_000, 1 << 24);
    assert!(estimate.received(16_384, 0));
    assert!(!estimate.received(33_616, 9));
    assert_eq!(estimate.acknowledged(10), Some(100_000));
}

#[test]
fn two_thirds_of_the_window_are_needed_and_enough() {
    let mut estimate = Estimate::new(60_000, 1 << 24);
    assert!(estimate.received(39_999, 0));
    assert_eq!(estimate.acknowledged(10), None);
    assert!(estimate.received(40_000, 20));
    assert_eq!(estimate.acknowledged(30), Some(80_000));
}

#[test]
fn a_slower_round_trip_never_makes_it_grow() {
    let mut estimate = Estimate::new(60_000, 1 << 24);
    assert!(estimate.received(60_000, 0));
    assert_eq!(estimate.acknowledged(10), Some(120_000));
    assert!(estimate.received(120_000, 20));
    assert_eq!(estimate.acknowledged(520), None);
}

#[test]
fn it_stops_at_its_limit_and_sends_no_more_probes() {
    let mut estimate = Estimate::new(60_000, 100_000);
    assert!(estimate.received(u32::MAX, 0));
    assert_eq!(estimate.acknowledged(1), Some(100_000));
    assert!(!estimate.received(1, 2));
}

#[test]
fn round_trips_below_the_clocks_resolution_count() {
    let mut estimate = Estimate::new(60_000, 1 << 24);
    assert!(estimate.received(60_000, 7));
    assert_eq!(estimate.acknowledged(7), Some(120_000));
}

#[test]
fn an_acknowledgement_that_nobody_asked_for_changes_nothing() {
    let mut estimate = Estimate::new(60_000, 1 << 24);
    assert_eq!(estimate.acknowledged(7), None);
}
