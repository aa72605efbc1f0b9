//! Stories of `random_subsetting`.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::Arc,
};

use serde_json::{Value, json};
use thalweg_core::{
    connectivity::Connectivity,
    lb::{
        AnyConfig, Failure, Pick, Rejected, Resolution,
        random_subsetting::{Config, RandomSubsetting},
        registry::{Policies, PolicyChoice},
    },
    status::Status,
};
use thalweg_sim::{Sim, place::endpoint};

fn choice(name: &str, config: &Value) -> Result<PolicyChoice, String> {
    Policies::builtin().choose(&json!([{ name: config }])).map_err(|error| error.to_string())
}

pub(crate) fn size(size: usize) -> Arc<dyn AnyConfig> {
    choice("random_subsetting", &json!({ "subsetSize": size, "childPolicy": [{ "round_robin": {} }] })).unwrap().config
}

fn servers(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("10.0.{}.{}:50051", n / 256, n % 256)).collect()
}

fn resolve(sim: &mut Sim, names: &[String], subset: Option<usize>) -> Result<(), Rejected> {
    let endpoints = names.iter().map(|name| endpoint(&[name])).collect();
    sim.resolve_to(Resolution { endpoints, config: subset.map(size) })
}

fn client(seed: u64, names: &[String], subset: usize) -> Sim {
    let mut sim = Sim::seeded(seed, RandomSubsetting::default()).uses_what_is_ready();
    resolve(&mut sim, names, Some(subset)).unwrap();
    sim
}

/// Whom it connects to.
fn connects_to(sim: &Sim) -> BTreeSet<String> {
    sim.subchannels().map(|(_, address, _)| address.to_string()).collect()
}

#[test]
fn the_child_is_given_as_many_endpoints_as_wanted_and_serves_from_them() {
    let mut sim = client(1, &servers(20), 3);
    let subset = connects_to(&sim);
    assert_eq!(subset.len(), 3);
    subset.iter().for_each(|name| sim.accept(name));
    assert_eq!(sim.state(), Connectivity::Ready);
    assert_eq!((0..9).filter_map(|_| sim.served_by()).collect::<BTreeSet<_>>(), subset);
    sim.finish();
}

#[test]
fn of_fewer_endpoints_than_wanted_all_are_used() {
    for count in [1, 4, 5] {
        let sim = client(1, &servers(count), 5);
        assert_eq!(connects_to(&sim).len(), count);
        sim.finish();
    }
}

#[test]
fn one_endpoint_more_or_less_changes_at_most_one_of_the_subset() {
    let (before, after) = (servers(50), servers(51));
    let mut changed = 0;
    for seed in 0..300 {
        let mut sim = client(seed, &before, 10);
        let first = connects_to(&sim);
        resolve(&mut sim, &after, None).unwrap();
        let second = connects_to(&sim);
        assert!(first.difference(&second).count() <= 1 && second.len() == 10, "{first:?} {second:?}");
        changed += first.difference(&second).count();
        resolve(&mut sim, &before, None).unwrap();
        assert_eq!(connects_to(&sim), first, "and back again");
        let rest: Vec<_> = before.iter().skip(1).cloned().collect();
        resolve(&mut sim, &rest, None).unwrap();
        assert!(first.difference(&connects_to(&sim)).count() <= 1);
        sim.finish();
    }
    // The new one is among the first 10 of 51 in about 59 of 300 clients, with a standard deviation of 7.
    assert!((24..=94).contains(&changed), "{changed}");
}

#[test]
fn neither_the_order_of_the_list_nor_attributes_matter() {
    let names = servers(30);
    let mut sim = client(7, &names, 4);
    let first = connects_to(&sim);
    let backwards = names.iter().rev().map(|name| endpoint(&[name]).with(5_u8)).collect();
    sim.resolve_to(Resolution { endpoints: backwards, config: None }).unwrap();
    assert_eq!(connects_to(&sim), first);
    assert_eq!(sim.log().iter().filter(|line| line.contains("connect")).count(), 4);
    sim.finish();
}

#[test]
fn another_size_keeps_what_is_common() {
    let mut sim = client(7, &servers(30), 4);
    let few = connects_to(&sim);
    resolve(&mut sim, &servers(30), Some(9)).unwrap();
    let more = connects_to(&sim);
    assert!(more.len() == 9 && more.is_superset(&few));
    sim.finish();
}

#[test]
fn many_clients_spread_evenly_over_the_servers() {
    for (clients, count, subset) in [(2_000_u32, 10_usize, 5_usize), (500, 100, 20)] {
        let names = servers(count);
        let mut connections: BTreeMap<String, u32> = BTreeMap::new();
        for seed in 0..u64::from(clients) {
            for name in connects_to(&client(seed, &names, subset)) {
                *connections.entry(name).or_default() += 1;
            }
        }
        let share = subset as f64 / count as f64;
        let (mean, deviation) = (f64::from(clients) * share, (f64::from(clients) * share * (1.0 - share)).sqrt());
        assert_eq!(connections.len(), count);
        let within = |seen: &u32| (f64::from(*seen) - mean).abs() < 5.0 * deviation;
        assert!(connections.values().all(within), "{mean} ± {deviation}: {connections:?}");
    }
}

#[test]
fn endpoints_without_an_address_and_repeated_ones_do_not_count() {
    let mut sim = Sim::new(RandomSubsetting::default());
    let list: &[&[&str]] = &[&[], &["a1", "a2"], &["a2", "a1"], &[], &["b"], &["b"]];
    let endpoints = list.iter().map(|names| endpoint(names)).collect();
    sim.resolve_to(Resolution { endpoints, config: Some(size(2)) }).unwrap();
    sim.accept("a1");
    sim.accept("b");
    sim.finish();
}

#[test]
fn endpoints_that_share_their_first_address_are_told_apart_by_the_others() {
    let both = [endpoint(&["a", "b"]), endpoint(&["a", "c"]), endpoint(&["a"])];
    let mut sim = Sim::new(RandomSubsetting::default());
    sim.resolve_to(Resolution { endpoints: both.clone().into(), config: Some(size(2)) }).unwrap();
    let chosen: BTreeSet<_> = sim.subchannels().map(|(id, ..)| id).collect();
    let other_order = both.into_iter().rev().collect();
    sim.resolve_to(Resolution { endpoints: other_order, config: None }).unwrap();
    assert_eq!(sim.subchannels().map(|(id, ..)| id).collect::<BTreeSet<_>>(), chosen);
    sim.finish();
}

#[test]
fn no_endpoints_and_a_failing_resolver_are_the_childs_business() {
    let mut sim = Sim::new(RandomSubsetting::default());
    assert_eq!(resolve(&mut sim, &servers(3), None), Err(Rejected), "no configuration, no child");
    assert_eq!(resolve(&mut sim, &[], Some(2)), Err(Rejected));
    sim.resolver_fails(Status::unavailable("no such name"));
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(Status::unavailable("no such name"))));
    resolve(&mut sim, &servers(3), None).unwrap();
    assert_eq!(connects_to(&sim).len(), 2);
    sim.finish();
}

#[test]
fn a_configuration_written_for_grpc_go_means_the_same() {
    let config = json!({ "subsetSize": 3, "childPolicy": [{ "unknown": {} }, { "round_robin": {} }] });
    for name in ["random_subsetting_experimental", "random_subsetting"] {
        let choice = choice(name, &config).unwrap();
        let config = choice.config.downcast_ref::<Config>().unwrap();
        assert_eq!((Some(config.subset_size), config.child_policy.factory.name()), (NonZeroU32::new(3), "round_robin"));
    }
}

#[test]
fn a_bad_configuration_is_rejected_with_a_path_and_a_reason() {
    let child = json!([{ "round_robin": {} }]);
    for (config, error) in [
        (json!([]), "$[0].random_subsetting: expected an object, found an array"),
        (json!({ "childPolicy": child }), "$[0].random_subsetting.subsetSize: this field is required"),
        (
            json!({ "childPolicy": child, "subsetSize": 0 }),
            "$[0].random_subsetting.subsetSize: expected a whole number from 1 on, found 0",
        ),
        (
            json!({ "childPolicy": child, "subsetSize": -3 }),
            "$[0].random_subsetting.subsetSize: expected a whole number from 0 to 4294967295, found -3",
        ),
        (json!({ "subsetSize": 3 }), "$[0].random_subsetting.childPolicy: this field is required"),
        (
            json!({ "subsetSize": 3, "childPolicy": [{ "xds": {} }] }),
            "$[0].random_subsetting.childPolicy: no known policy in [xds]",
        ),
    ] {
        assert_eq!(choice("random_subsetting", &config).unwrap_err(), error);
    }
}
