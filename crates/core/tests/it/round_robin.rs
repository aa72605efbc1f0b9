//! Stories of `round_robin`.

use std::{collections::BTreeSet, time::Duration};

use thalweg_core::{
    connectivity::Connectivity,
    lb::{Failure, Pick, Rejected, round_robin::RoundRobin},
    status::Status,
};
use thalweg_sim::Sim;

fn resolved(endpoints: &[&[&str]]) -> Sim {
    let mut sim = Sim::new(RoundRobin::default()).uses_what_is_ready();
    sim.resolve(endpoints).unwrap();
    sim
}

fn serving(count: usize, sim: &mut Sim) -> Vec<String> {
    (0..count).filter_map(|_| sim.served_by()).collect()
}

#[test]
fn every_ready_endpoint_gets_each_nth_call() {
    let mut sim = resolved(&[&["a"], &["b"], &["c"]]);
    for name in ["a", "b", "c"] {
        sim.accept(name);
    }
    let calls = serving(30, &mut sim);
    assert_eq!(calls[..3].iter().collect::<BTreeSet<_>>().len(), 3);
    assert!(calls.chunks(3).all(|round| round == &calls[..3]));
    sim.finish();
}

#[test]
fn it_starts_somewhere_else_for_every_channel() {
    let mut first = BTreeSet::new();
    for seed in 0..50 {
        let mut sim = Sim::seeded(seed, RoundRobin::default());
        sim.resolve(&[&["a"], &["b"], &["c"]]).unwrap();
        ["a", "b", "c"].iter().for_each(|name| sim.accept(name));
        first.insert(sim.served_by().unwrap());
    }
    assert_eq!(first.len(), 3);
}

#[test]
fn the_first_ready_endpoint_serves_while_others_still_connect_or_fail() {
    let mut sim = resolved(&[&["a"], &["b"], &["c"]]);
    assert_eq!(sim.pick(), Pick::Queue);
    sim.refuse("a");
    assert_eq!(sim.state(), Connectivity::Connecting);
    sim.accept("b");
    assert_eq!(serving(2, &mut sim), ["b", "b"]);
}

#[test]
fn an_endpoint_with_two_addresses_gets_one_share() {
    let mut sim = resolved(&[&["a1", "a2"], &["b"]]);
    sim.refuse("a1");
    sim.accept("a2");
    sim.accept("b");
    let calls = serving(4, &mut sim);
    assert_eq!(calls.iter().filter(|call| *call == "a2").count(), 2);
}

#[test]
fn an_endpoint_whose_connection_ends_reconnects_at_once() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    sim.accept("a");
    sim.accept("b");
    sim.close("a");
    assert_eq!(serving(2, &mut sim), ["b", "b"]);
    assert_eq!(sim.log().last().unwrap(), "0 connect a");
    sim.close("b");
    assert_eq!(sim.state(), Connectivity::Connecting);
    sim.finish();
}

#[test]
fn a_sick_endpoint_gets_no_calls_and_keeps_its_connection() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    sim.accept("a");
    sim.accept("b");
    sim.sicken("a", "draining");
    assert_eq!(serving(2, &mut sim), ["b", "b"]);
    sim.heal("a");
    assert_eq!(serving(2, &mut sim).into_iter().collect::<BTreeSet<_>>().len(), 2);
    assert_eq!(sim.log().iter().filter(|line| line.contains("connect a")).count(), 1);
}

#[test]
fn when_all_have_failed_a_call_is_told_of_each() {
    let mut sim = resolved(&[&["a"], &["b1", "b2"]]);
    for name in ["a", "b1", "b2"] {
        sim.refuse(name);
    }
    let Pick::Fail(failure) = sim.pick() else { panic!("{:?}", sim.state()) };
    let refused = "a connection refused; b1 connection refused; b2 connection refused (next attempt in 1.0s)";
    assert_eq!(failure.at(sim.now()).to_string(), refused);
}

#[test]
fn an_endpoint_that_is_gone_is_not_named_any_more() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    ["a", "b"].iter().for_each(|name| sim.refuse(name));
    sim.resolve(&[&["b"]]).unwrap();
    let Pick::Fail(failure) = sim.pick() else { panic!("{:?}", sim.state()) };
    assert_eq!(failure.at(sim.now()).to_string(), "b connection refused (next attempt in 1.0s)");
    sim.finish();
}

#[test]
fn of_many_that_have_failed_eight_are_named_and_the_rest_counted() {
    let names: Vec<String> = (0..20).map(|n| format!("backend-{n:02}")).collect();
    let endpoints: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
    let mut sim = resolved(&endpoints.iter().map(|e| &e[..]).collect::<Vec<_>>());
    names.iter().for_each(|name| sim.refuse(name));
    let Pick::Fail(Failure::Backends { named, more }) = sim.pick() else { panic!("{:?}", sim.state()) };
    assert_eq!((named.len(), more), (8, 12));
}

#[test]
fn it_stays_failed_while_endpoints_reconnect_in_vain() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    for _ in 0..3 {
        sim.refuse("a");
        sim.refuse("b");
        sim.advance(Duration::from_millis(1_000));
        assert_eq!(sim.state(), Connectivity::TransientFailure);
    }
    sim.accept("b");
    assert_eq!(sim.state(), Connectivity::Ready);
}

#[test]
fn an_update_keeps_the_connections_of_endpoints_that_stay() {
    let mut sim = resolved(&[&["a1", "a2"], &["b"]]);
    sim.accept("a1");
    sim.accept("b");
    sim.resolve(&[&["c"], &["a2", "a1"]]).unwrap();
    assert_eq!(serving(2, &mut sim), ["a1", "a1"]);
    assert_eq!(sim.subchannels().count(), 2);
    sim.finish();
}

#[test]
fn an_endpoint_that_is_listed_twice_counts_once() {
    let mut sim = resolved(&[&["a", "b"], &["b", "a"], &["c"]]);
    sim.accept("a");
    sim.accept("c");
    assert_eq!(sim.subchannels().count(), 2);
}

#[test]
fn no_endpoints_are_rejected_and_fail_calls() {
    let mut sim = resolved(&[&["a"]]);
    for nothing in [&[][..], &[&[][..]]] {
        assert_eq!(sim.resolve(nothing), Err(Rejected));
        let status = Status::unavailable("the resolver returned no addresses");
        assert_eq!(sim.pick(), Pick::Fail(Failure::Status(status)));
    }
    sim.resolver_fails(Status::unavailable("no such name"));
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(Status::unavailable("no such name"))));
    sim.resolve(&[&["a"]]).unwrap();
    sim.accept("a");
    assert_eq!(sim.served_by().as_deref(), Some("a"));
    sim.finish();
}
