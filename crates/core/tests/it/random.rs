//! Stories of `random`.

use serde_json::json;
use thalweg_core::{
    connectivity::Connectivity,
    lb::{random::Random, registry::Policies},
};
use thalweg_sim::Sim;

use crate::spread::{assert_shares, counted};

fn serving(names: &[&str]) -> Sim {
    let mut sim = Sim::new(Random::default()).uses_what_is_ready();
    let endpoints: Vec<_> = names.iter().map(std::slice::from_ref).collect();
    sim.resolve(&endpoints).unwrap();
    names.iter().for_each(|name| sim.accept(name));
    sim
}

#[test]
fn every_ready_endpoint_is_as_likely_as_the_others() {
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let mut sim = serving(&names);
    assert_shares(&counted(&sim), &names.map(|name| (name, 1.0 / 7.0)));
    sim.close("c");
    sim.sicken("d", "draining");
    assert_shares(&counted(&sim), &["a", "b", "e", "f", "g"].map(|name| (name, 0.2)));
    sim.finish();
}

#[test]
fn an_endpoint_with_two_addresses_gets_one_share() {
    let mut sim = Sim::new(Random::default());
    sim.resolve(&[&["a1", "a2"], &["b"], &["b"]]).unwrap();
    sim.accept("a1");
    sim.accept("b");
    assert_shares(&counted(&sim), &[("a1", 0.5), ("b", 0.5)]);
}

#[test]
fn one_pick_says_nothing_of_the_next() {
    let sim = serving(&["a", "b"]);
    let picks: Vec<_> = (0..40_000).map(|_| sim.peek(&sim.args())).collect();
    let changes = picks.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!((19_500..20_500).contains(&changes), "{changes}: five sigma are 500");
}

#[test]
fn it_is_chosen_by_name_and_ignores_its_configuration() {
    for config in [json!({ "seed": 7 }), json!(7)] {
        let choice = Policies::builtin().choose(&json!([{ "random": config }])).unwrap();
        assert_eq!(choice.factory.name(), "random");
    }
}

#[test]
fn it_reconnects_and_fails_as_round_robin_does() {
    let mut sim = serving(&["a"]);
    sim.close("a");
    assert_eq!(sim.state(), Connectivity::Connecting);
    sim.refuse("a");
    assert_eq!(sim.state(), Connectivity::TransientFailure);
    sim.finish();
}
