//! Tests of the policy, without a network: `Sim` plays the channel.

use std::sync::Arc;

use thalweg::core::{
    endpoint::{Endpoint, Locality},
    lb::{AnyConfig, Resolution, petiole::Petiole},
};
use thalweg_sim::{Sim, conformance::Histories, place::endpoint};

use super::{Config, Near};

fn config(far_percent: u64) -> Arc<dyn AnyConfig> {
    Arc::new(Config { zone: "east".into(), far_percent })
}

fn at(name: &str, zone: &str) -> Endpoint {
    endpoint(&[name]).with(Locality { zone: zone.into(), ..Locality::default() })
}

fn resolved(far_percent: u64) -> Sim {
    let mut sim = Sim::new(Petiole::<Near>::default());
    let endpoints = Arc::new([at("e1", "east"), at("e2", "east"), at("w", "west")]);
    sim.resolve_to(Resolution { endpoints, config: Some(config(far_percent)) }).unwrap();
    sim
}

/// How many of a thousand calls go to `name`.
fn share(sim: &mut Sim, name: &str) -> usize {
    (0..1_000).filter(|_| sim.served_by().as_deref() == Some(name)).count()
}

#[test]
fn calls_stay_near_but_for_the_share_that_goes_far() {
    let mut sim = resolved(20);
    ["e1", "e2", "w"].iter().for_each(|name| sim.accept(name));
    assert!((130..270).contains(&share(&mut sim, "w")));
    assert!((300..500).contains(&share(&mut sim, "e1")));
}

#[test]
fn all_calls_go_far_while_nobody_near_is_ready() {
    let mut sim = resolved(0);
    sim.accept("w");
    assert_eq!(share(&mut sim, "w"), 1_000);
    sim.accept("e1");
    assert_eq!(share(&mut sim, "w"), 0);
}

#[test]
fn calls_follow_an_endpoint_that_moves_and_its_connection_stays() {
    let mut sim = resolved(0);
    ["e1", "e2", "w"].iter().for_each(|name| sim.accept(name));
    let connected = sim.log();
    let endpoints = Arc::new([at("e1", "west"), endpoint(&["e2"]), at("w", "east")]);
    sim.resolve_to(Resolution { endpoints, config: None }).unwrap();
    assert_eq!(share(&mut sim, "w"), 1_000, "e1 has moved away, and where e2 is nobody knows any longer");
    assert!(!sim.log()[connected.len()..].iter().any(|line| line.contains("connect")), "{}", sim.story());
}

#[test]
fn it_keeps_the_contract_in_random_histories() {
    let make = |seed| Sim::seeded(seed, Petiole::<Near>::default()).uses_what_is_ready();
    Histories::new(500).configs([config(0), config(50)]).check(make);
}
