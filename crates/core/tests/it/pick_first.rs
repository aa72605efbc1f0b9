//! Stories of `pick_first` (A62, A61).

use std::{sync::Arc, time::Duration};

use thalweg_core::{
    connectivity::Connectivity,
    endpoint::Weight,
    lb::{
        Failure, Pick, Rejected, Resolution,
        pick_first::{self, Config, PickFirst},
    },
    status::Status,
};
use thalweg_sim::{Sim, place::endpoint};

use crate::spread::assert_shares;

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn resolved(endpoints: &[&[&str]]) -> Sim {
    let mut sim = Sim::new(PickFirst::default()).uses_what_is_ready();
    sim.resolve(endpoints).unwrap();
    sim
}

/// What a failed call would be told, as of now.
fn story(sim: &mut Sim) -> String {
    match sim.pick() {
        Pick::Fail(failure) => failure.at(sim.now()).to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_second_address_joins_the_race_after_250_ms() {
    let mut sim = resolved(&[&["a", "b"]]);
    sim.advance(millis(300));
    sim.accept("b");
    assert_eq!(sim.log(), ["0 connect a", "0 CONNECTING", "250 connect b", "300 READY"]);
    assert_eq!(sim.subchannels().count(), 1, "the loser is gone");
    sim.finish();
}

#[test]
fn a_refused_address_makes_room_for_the_next_at_once() {
    let mut sim = resolved(&[&["a"], &["b"], &["c"]]);
    sim.refuse("a");
    sim.advance(millis(249));
    sim.advance(millis(1));
    assert_eq!(sim.log(), ["0 connect a", "0 CONNECTING", "0 connect b", "250 connect c"]);
}

#[test]
fn an_early_attempt_that_fails_late_does_not_hurry_the_next() {
    let mut sim = resolved(&[&["a"], &["b"], &["c"]]);
    sim.advance(millis(300));
    sim.refuse("a");
    sim.advance(millis(250));
    assert_eq!(sim.log(), ["0 connect a", "0 CONNECTING", "250 connect b", "500 connect c"]);
}

#[test]
fn families_take_turns_in_the_race() {
    let mut sim = resolved(&[&["[::1]:1", "[::2]:1"], &["1.1.1.1:1"]]);
    sim.advance(millis(600));
    assert_eq!(sim.log()[2..], ["250 connect 1.1.1.1:1", "500 connect [::2]:1"]);
}

#[test]
fn when_every_address_has_failed_it_stays_failed_until_one_answers() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    sim.refuse("a");
    sim.refuse("b");
    assert_eq!((sim.state(), sim.resolutions_wanted()), (Connectivity::TransientFailure, 1));
    sim.advance(millis(1_500));
    assert_eq!(sim.state(), Connectivity::TransientFailure);
    sim.refuse("b");
    sim.advance(millis(2_000));
    sim.accept("b");
    let log = sim.log();
    assert_eq!(log[..4], ["0 connect a", "0 CONNECTING", "0 connect b", "0 TRANSIENT_FAILURE"]);
    assert_eq!(log[4..], ["1000 connect a", "1000 connect b", "2500 connect b", "3500 READY"]);
}

#[test]
fn a_new_pass_waits_for_every_address_again() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    sim.refuse("a");
    sim.accept("b");
    sim.close("b");
    sim.exit_idle();
    sim.advance(millis(250));
    sim.refuse("b");
    assert_eq!(sim.state(), Connectivity::Connecting, "a may still answer");
    sim.accept("a");
    assert_eq!(sim.served_by().as_deref(), Some("a"));
}

#[test]
fn as_many_failures_as_addresses_ask_the_resolver_again() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    for _ in 0..3 {
        sim.refuse("a");
        sim.refuse("b");
        sim.advance(millis(1_000));
    }
    assert_eq!(sim.resolutions_wanted(), 3);
}

#[test]
fn a_failed_call_is_told_of_every_address_why_and_when_the_next_attempt_is() {
    let mut sim = resolved(&[&["10.0.0.1:50051"], &["10.0.0.2:50051"]]);
    sim.refuse("10.0.0.1:50051");
    sim.fail("10.0.0.2:50051", "TLS: certificate not valid for \"greeter\"");
    sim.advance(millis(600));
    assert_eq!(
        story(&mut sim),
        "10.0.0.1:50051 connection refused; 10.0.0.2:50051 TLS: certificate not valid for \"greeter\" (next attempt in 0.4s)"
    );
    sim.advance(millis(600));
    assert!(story(&mut sim).ends_with("\"greeter\""), "an attempt is under way, none is planned");
}

#[test]
fn a_connection_that_ends_leaves_it_idle_until_a_call_wakes_it() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    sim.accept("a");
    sim.close("a");
    assert_eq!((sim.state(), sim.resolutions_wanted()), (Connectivity::Idle, 1));
    sim.quiet();
    assert_eq!(sim.pick(), Pick::Queue);
    sim.accept("a");
    assert_eq!(sim.log()[2..], ["0 READY", "0 IDLE", "600000 connect a", "600000 CONNECTING", "600000 READY"]);
    sim.finish();
}

#[test]
fn a_connection_that_ends_while_another_is_made_starts_the_race_again_without_a_call() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    sim.accept("a");
    sim.close_while_connecting("a");
    assert_eq!((sim.state(), sim.resolutions_wanted()), (Connectivity::Connecting, 1));
    assert_eq!(sim.pick(), Pick::Queue);
    sim.advance(millis(250));
    assert_eq!(sim.log()[2..], ["0 READY", "0 CONNECTING", "250 connect b"], "the attempt at a is one of the race");
    sim.accept("a");
    assert_eq!((sim.state(), sim.served_by().as_deref()), (Connectivity::Ready, Some("a")));
    sim.finish();
}

#[test]
fn a_connection_that_ends_after_another_could_not_be_made_leaves_the_race_to_the_other_addresses() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    sim.accept("a");
    sim.close_while_backing_off("a");
    assert_eq!((sim.state(), sim.resolutions_wanted()), (Connectivity::Connecting, 1));
    assert_eq!(sim.log()[2..], ["0 READY", "0 connect b", "0 CONNECTING"]);
    sim.accept("b");
    assert_eq!(sim.served_by().as_deref(), Some("b"));
    sim.finish();
}

#[test]
fn without_other_addresses_it_fails_until_the_backoff_is_over_and_one_answers() {
    let mut sim = resolved(&[&["a"]]);
    sim.accept("a");
    sim.close_while_backing_off("a");
    assert_eq!(sim.state(), Connectivity::TransientFailure);
    assert_eq!(story(&mut sim), "a connection refused (next attempt in 1.0s)");
    sim.advance(millis(1_000));
    sim.accept("a");
    assert_eq!(sim.served_by().as_deref(), Some("a"));
    sim.finish();
}

#[test]
fn exit_idle_leaves_idle_and_means_nothing_elsewhere() {
    let mut sim = resolved(&[&["a"]]);
    sim.exit_idle();
    sim.accept("a");
    sim.exit_idle();
    sim.close("a");
    sim.exit_idle();
    assert_eq!(sim.log(), ["0 connect a", "0 CONNECTING", "0 READY", "0 IDLE", "0 connect a", "0 CONNECTING"]);
}

#[test]
fn a_connection_survives_an_update_that_still_lists_its_address() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    sim.accept("a");
    sim.resolve(&[&["c"], &["a"]]).unwrap();
    assert_eq!((sim.state(), sim.served_by().as_deref()), (Connectivity::Ready, Some("a")));
    sim.resolve(&[&["c"]]).unwrap();
    assert_eq!(sim.state(), Connectivity::Connecting);
    sim.accept("c");
    assert_eq!(sim.served_by().as_deref(), Some("c"));
    sim.finish();
}

#[test]
fn an_update_starts_a_new_pass_and_respects_the_backoff_of_addresses_that_stay() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    sim.refuse("a");
    sim.resolve(&[&["a"], &["c"]]).unwrap();
    assert_eq!(sim.log(), ["0 connect a", "0 CONNECTING", "0 connect b", "0 connect c"]);
    sim.refuse("c");
    assert_eq!(sim.state(), Connectivity::TransientFailure);
    sim.finish();
}

#[test]
fn an_update_leaves_it_failed_until_an_address_answers() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    sim.refuse("a");
    sim.refuse("b");
    for list in [&[&["b"][..], &["c"]][..], &[&["d"]]] {
        sim.resolve(list).unwrap();
        assert_eq!(sim.state(), Connectivity::TransientFailure, "new addresses are no news yet");
    }
    assert_eq!(sim.log()[3..], ["0 TRANSIENT_FAILURE", "0 connect c", "0 connect d"]);
    sim.accept("d");
    assert_eq!(sim.served_by().as_deref(), Some("d"));
    sim.finish();
}

#[test]
fn the_same_list_again_changes_nothing() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    sim.refuse("a");
    sim.refuse("b");
    let before = (sim.log(), sim.resolutions_wanted());
    sim.resolve(&[&["a"], &["b"]]).unwrap();
    assert_eq!((sim.log(), sim.resolutions_wanted()), before);
}

#[test]
fn an_update_while_idle_is_remembered_for_the_next_call() {
    let mut sim = resolved(&[&["a"]]);
    sim.accept("a");
    sim.close("a");
    sim.resolve(&[&["b"]]).unwrap();
    assert_eq!(sim.state(), Connectivity::Idle);
    sim.pick();
    assert_eq!(sim.log().last().unwrap(), "0 CONNECTING");
    sim.accept("b");
}

#[test]
fn a_list_without_addresses_is_rejected_and_fails_calls() {
    let mut sim = resolved(&[&["a"]]);
    assert_eq!(sim.resolve(&[&[]]), Err(Rejected));
    let status = Status::unavailable("the resolver returned no addresses");
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(status)));
    assert_eq!(sim.subchannels().count(), 0);
    sim.resolve(&[&["a"]]).unwrap();
    assert_eq!(sim.state(), Connectivity::Connecting, "only connections that failed make it stick");
}

#[test]
fn a_resolver_error_matters_only_to_one_that_has_no_addresses() {
    let error = Status::unavailable("no such name");
    let mut sim = Sim::new(PickFirst::default());
    sim.resolver_fails(error.clone());
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(error.clone())));
    sim.resolve(&[&["a"]]).unwrap();
    sim.resolver_fails(error);
    assert_eq!(sim.state(), Connectivity::Connecting);
}

#[test]
fn a_connection_that_came_and_went_unseen_leaves_it_idle() {
    let mut sim = resolved(&[&["a"], &["b"]]);
    let (id, ..) = sim.subchannels().next().unwrap();
    sim.change_states([(id, thalweg_core::lb::SubchannelState::Idle)]);
    assert_eq!(sim.state(), Connectivity::Idle);
    sim.finish();
}

#[test]
fn shuffling_spreads_clients_over_the_addresses() {
    let mut first = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let mut sim = Sim::seeded(seed, PickFirst::default());
        let endpoints = ["a", "b", "c"].iter().map(|name| endpoint(&[name])).collect();
        let config = Some(Arc::new(Config { shuffle_address_list: true }) as _);
        sim.resolve_to(Resolution { endpoints, config }).unwrap();
        first.insert(sim.log()[0].clone());
    }
    assert_eq!(first.into_iter().collect::<Vec<_>>(), ["0 connect a", "0 connect b", "0 connect c"]);
}

#[test]
fn shuffling_spreads_clients_as_endpoints_weigh() {
    let config = Arc::new(Config { shuffle_address_list: true });
    let weighted = |(name, weight): &(&str, u32)| endpoint(&[name]).with(Weight::new(*weight));
    let endpoints: Arc<[_]> = [("a", 1), ("b", 0), ("c", 2), ("d", 4)].iter().map(weighted).collect();
    let mut counts = std::collections::BTreeMap::new();
    for seed in 0..4_000 {
        let mut sim = Sim::seeded(seed, PickFirst::default());
        sim.resolve_to(Resolution { endpoints: Arc::clone(&endpoints), config: Some(config.clone()) }).unwrap();
        let (_, first, _) = sim.subchannels().next().unwrap();
        *counts.entry(first.to_string()).or_default() += 1;
    }
    assert_shares(&counts, &[("a", 0.125), ("b", 0.125), ("c", 0.25), ("d", 0.5)]);
}

#[test]
fn only_a_leaf_heeds_the_health_of_its_connection() {
    let mut sim = resolved(&[&["a"]]);
    sim.accept("a");
    sim.sicken("a", "draining");
    assert_eq!(sim.state(), Connectivity::Ready);

    let mut sim = Sim::new(pick_first::leaf()).uses_what_is_ready();
    sim.resolve(&[&["a"]]).unwrap();
    sim.accept("a");
    sim.sicken("a", "draining");
    assert_eq!(story(&mut sim), "a draining");
    sim.heal("a");
    assert_eq!(sim.served_by().as_deref(), Some("a"));
    assert_eq!(sim.log(), ["0 connect a", "0 CONNECTING", "0 READY", "0 TRANSIENT_FAILURE", "0 READY"]);
    sim.finish();
}
