//! Stories of `weighted_target`.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use thalweg_core::{
    connectivity::Connectivity,
    endpoint::Endpoint,
    lb::{
        AnyConfig, Failure, Pick, Rejected, Resolution, hierarchy::Path, registry::Policies,
        weighted_target::WeightedTarget,
    },
    status::{Code, Status},
};
use thalweg_sim::{Sim, place::endpoint};

pub(crate) fn config(config: &Value) -> Arc<dyn AnyConfig> {
    Policies::builtin().choose(&json!([{ "weighted_target": config }])).unwrap().config
}

/// These children with these weights, all of one policy.
fn targets(weights: &[(&str, u32)], policy: &str) -> Arc<dyn AnyConfig> {
    let target = |weight| json!({ "weight": weight, "childPolicy": [{ policy: {} }] });
    let targets: BTreeMap<_, _> = weights.iter().map(|(name, weight)| (name, target(weight))).collect();
    config(&json!({ "targets": targets }))
}

/// An endpoint of a child: `"a/1"` is address `a/1` of the child `a`.
pub(crate) fn at(name: &str) -> Endpoint {
    let path: Vec<_> = name.split('/').collect();
    endpoint(&[name]).with(Path::new(path[..path.len() - 1].iter().copied()))
}

fn update(sim: &mut Sim, endpoints: &[&str], config: Option<Arc<dyn AnyConfig>>) -> Result<(), Rejected> {
    sim.resolve_to(Resolution { endpoints: endpoints.iter().map(|name| at(name)).collect(), config })
}

fn started(endpoints: &[&str], config: Arc<dyn AnyConfig>) -> Sim {
    let mut sim = Sim::new(WeightedTarget::default()).uses_what_is_ready();
    update(&mut sim, endpoints, Some(config)).unwrap();
    sim
}

/// Who serves how many of 10,000 calls.
fn spread(sim: &mut Sim) -> BTreeMap<String, i64> {
    let mut spread = BTreeMap::new();
    (0..10_000).filter_map(|_| sim.served_by()).for_each(|name| *spread.entry(name).or_default() += 1);
    spread
}

/// Does everybody serve as many calls as expected, within five standard deviations?
fn is_spread(sim: &mut Sim, expected: &[(&str, i64)]) -> bool {
    let spread = spread(sim);
    let near = |name: &str, calls: i64| {
        let variance = calls as f64 * (1.0 - calls as f64 / 10_000.0);
        (spread.get(name).copied().unwrap_or(0) - calls).abs() as f64 <= 5.0 * variance.sqrt()
    };
    spread.len() == expected.len() && expected.iter().all(|(name, calls)| near(name, *calls))
}

#[test]
fn children_get_calls_by_their_weights() {
    let mut sim = started(&["a/1", "b/1", "b/2"], targets(&[("a", 3), ("b", 1)], "round_robin"));
    assert_eq!(sim.log(), ["0 connect a/1", "0 connect b/1", "0 connect b/2", "0 CONNECTING"]);
    ["a/1", "b/1", "b/2"].iter().for_each(|name| sim.accept(name));
    assert!(is_spread(&mut sim, &[("a/1", 7_500), ("b/1", 1_250), ("b/2", 1_250)]));
    sim.finish();
}

#[test]
fn only_ready_children_share_the_calls() {
    let weights = [("a", 1), ("b", 2), ("c", 3), ("d", 4)];
    let mut sim = started(&["a/1", "b/1", "c/1", "d/1"], targets(&weights, "round_robin"));
    sim.accept("b/1");
    assert!(is_spread(&mut sim, &[("b/1", 10_000)]));
    sim.accept("d/1");
    sim.refuse("a/1");
    assert!(is_spread(&mut sim, &[("b/1", 3_333), ("d/1", 6_667)]));
    sim.close("b/1");
    sim.accept("c/1");
    assert!(is_spread(&mut sim, &[("c/1", 4_286), ("d/1", 5_714)]));
    sim.finish();
}

#[test]
fn a_new_weight_counts_at_once_and_costs_no_connection() {
    let mut sim = started(&["a/1", "b/1"], targets(&[("a", 3), ("b", 1)], "round_robin"));
    ["a/1", "b/1"].iter().for_each(|name| sim.accept(name));
    update(&mut sim, &["a/1", "b/1"], Some(targets(&[("a", 1), ("b", 4)], "round_robin"))).unwrap();
    assert!(is_spread(&mut sim, &[("a/1", 2_000), ("b/1", 8_000)]));
    assert_eq!(sim.log().iter().filter(|line| line.contains("connect")).count(), 2);
    sim.finish();
}

#[test]
fn a_child_that_the_configuration_drops_goes_at_once_and_a_new_one_comes() {
    let mut sim = started(&["a/1", "b/1"], targets(&[("a", 1), ("b", 1)], "round_robin"));
    ["a/1", "b/1"].iter().for_each(|name| sim.accept(name));
    update(&mut sim, &["b/1", "c/1"], Some(targets(&[("b", 1), ("c", 1)], "round_robin"))).unwrap();
    assert_eq!(sim.subchannels().count(), 2);
    assert!(is_spread(&mut sim, &[("b/1", 10_000)]));
    sim.accept("c/1");
    assert!(is_spread(&mut sim, &[("b/1", 5_000), ("c/1", 5_000)]));
    sim.finish();
}

#[test]
fn an_update_without_a_configuration_only_brings_endpoints() {
    let mut sim = started(&["a/1", "b/1"], targets(&[("a", 1), ("b", 1)], "round_robin"));
    update(&mut sim, &["a/2", "b/1"], None).unwrap();
    ["a/2", "b/1"].iter().for_each(|name| sim.accept(name));
    assert!(is_spread(&mut sim, &[("a/2", 5_000), ("b/1", 5_000)]));
    sim.finish();
}

#[test]
fn another_policy_of_a_child_takes_over_without_a_gap() {
    let mut sim = started(&["a/1"], targets(&[("a", 1)], "round_robin"));
    sim.accept("a/1");
    update(&mut sim, &["a/2"], Some(targets(&[("a", 1)], "pick_first"))).unwrap();
    assert_eq!(sim.served_by().as_deref(), Some("a/1"));
    sim.accept("a/2");
    assert_eq!((sim.served_by().as_deref(), sim.subchannels().count()), (Some("a/2"), 1));
    sim.finish();
}

#[test]
fn an_idle_child_is_asked_to_connect() {
    let mut sim = started(&["a/1", "b/1"], targets(&[("a", 1), ("b", 1)], "pick_first"));
    ["a/1", "b/1"].iter().for_each(|name| sim.accept(name));
    sim.close("a/1");
    assert_eq!(sim.log().last().unwrap(), "0 connect a/1");
    sim.close("b/1");
    assert_eq!(sim.state(), Connectivity::Connecting);
    sim.finish();
}

#[test]
fn endpoints_of_nobody_are_left_out_and_a_child_without_any_fails_alone() {
    let config = targets(&[("a", 1), ("b", 1)], "round_robin");
    let mut sim = started(&["a/1", "c/1", "nobody's"], config);
    assert_eq!(sim.subchannels().count(), 1);
    assert_eq!(sim.state(), Connectivity::Connecting);
    sim.refuse("a/1");
    let Pick::Fail(failure) = sim.pick() else { panic!("{:?}", sim.state()) };
    assert_eq!(failure.at(sim.now()).to_string(), "a/1 connection refused (next attempt in 1.0s)");
    assert_eq!(update(&mut sim, &["c/1"], None), Err(Rejected));
    let status = Status::unavailable("the resolver returned no addresses");
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(status)));
    sim.finish();
}

#[test]
fn it_stays_failed_while_children_connect_in_vain() {
    let mut sim = started(&["a/1", "b/1"], targets(&[("a", 1), ("b", 1)], "pick_first"));
    sim.refuse("a/1");
    assert_eq!(sim.state(), Connectivity::Connecting);
    sim.refuse("b/1");
    sim.advance(std::time::Duration::from_secs(1));
    assert_eq!(sim.state(), Connectivity::TransientFailure);
    sim.accept("b/1");
    assert_eq!(sim.served_by().as_deref(), Some("b/1"));
    sim.finish();
}

#[test]
fn a_tree_of_them_leads_endpoints_to_the_leaves() {
    let child = |weight: u32| json!({ "weight": weight, "childPolicy": [{ "round_robin": {} }] });
    let tree = |weight: u32, leaves: Value| json!({ "weight": weight, "childPolicy": [{ "weighted_target": { "targets": leaves } }] });
    let config = config(&json!({ "targets": {
        "eu": tree(4, json!({ "x": child(3), "y": child(1) })),
        "us": tree(1, json!({ "x": child(1) })),
    } }));
    let mut sim = started(&["eu/x/1", "eu/y/1", "us/x/1"], config);
    ["eu/x/1", "eu/y/1", "us/x/1"].iter().for_each(|name| sim.accept(name));
    assert!(is_spread(&mut sim, &[("eu/x/1", 6_000), ("eu/y/1", 2_000), ("us/x/1", 2_000)]));
    sim.finish();
}

#[test]
fn without_targets_or_a_configuration_calls_fail_and_say_why() {
    let mut sim = Sim::new(WeightedTarget::default());
    sim.resolver_fails(Status::unavailable("no such name"));
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(Status::unavailable("no such name"))));
    assert_eq!(update(&mut sim, &["a/1"], None), Err(Rejected));
    let status = Status::new(Code::Internal, "weighted_target has no configuration");
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(status)));
    update(&mut sim, &["a/1"], Some(targets(&[], "round_robin"))).unwrap();
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(Status::unavailable("weighted_target has no targets"))));
    update(&mut sim, &["a/1"], Some(targets(&[("a", 1)], "round_robin"))).unwrap();
    sim.accept("a/1");
    assert_eq!(sim.served_by().as_deref(), Some("a/1"));
    update(&mut sim, &[], Some(targets(&[], "round_robin"))).unwrap();
    assert_eq!((sim.state(), sim.subchannels().count()), (Connectivity::TransientFailure, 0));
    sim.finish();
}

#[test]
fn children_hear_of_a_failed_resolution() {
    let mut sim = Sim::new(WeightedTarget::default());
    assert_eq!(update(&mut sim, &[], Some(targets(&[("a", 1)], "pick_first"))), Err(Rejected));
    sim.resolver_fails(Status::unavailable("no such name"));
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(Status::unavailable("no such name"))));
    sim.finish();
}
