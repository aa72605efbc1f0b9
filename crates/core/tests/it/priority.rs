//! Stories of `priority`.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use thalweg_core::{
    connectivity::Connectivity,
    lb::{AnyConfig, Failure, Pick, Rejected, Resolution, SubchannelState, priority::Priority, registry::Policies},
    status::{Code, Status},
};
use thalweg_sim::Sim;

use crate::weighted_target::at;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn config(config: &Value) -> Arc<dyn AnyConfig> {
    Policies::builtin().choose(&json!([{ "priority": config }])).unwrap().config
}

/// These children in this order, all of one policy.
pub(crate) fn order(names: &[&str], policy: &str) -> Arc<dyn AnyConfig> {
    let children = names.iter().map(|name| ((*name).to_owned(), json!({ "config": [{ policy: {} }] })));
    config(&json!({ "children": serde_json::Map::from_iter(children), "priorities": names }))
}

fn update(sim: &mut Sim, endpoints: &[&str], config: Option<Arc<dyn AnyConfig>>) -> Result<(), Rejected> {
    sim.resolve_to(Resolution { endpoints: endpoints.iter().map(|name| at(name)).collect(), config })
}

fn started(endpoints: &[&str], config: Arc<dyn AnyConfig>) -> Sim {
    let mut sim = Sim::new(Priority::default());
    update(&mut sim, endpoints, Some(config)).unwrap();
    sim
}

/// Three children, one endpoint each, of which the first two have failed and the third serves.
fn third_serves() -> Sim {
    let mut sim = started(&["a/1", "b/1", "c/1"], order(&["a", "b", "c"], "round_robin"));
    sim.refuse("a/1");
    sim.refuse("b/1");
    sim.accept("c/1");
    assert_eq!(sim.served_by().as_deref(), Some("c/1"));
    sim
}

/// The addresses to which there are subchannels.
fn held(sim: &Sim) -> Vec<String> {
    sim.subchannels().map(|(_, address, _)| address.to_string()).collect()
}

#[test]
fn a_lower_priority_is_not_even_made_while_a_higher_one_serves() {
    let mut sim = started(&["a/1", "b/1"], order(&["a", "b"], "round_robin"));
    sim.accept("a/1");
    sim.advance(MINUTE);
    assert_eq!((sim.served_by().as_deref(), held(&sim)), (Some("a/1"), vec!["a/1".to_owned()]));
    sim.finish();
}

#[test]
fn the_next_priority_is_tried_as_soon_as_one_has_failed() {
    let mut sim = third_serves();
    let story = ["0 connect a/1", "0 CONNECTING", "0 connect b/1", "0 connect c/1", "0 READY"];
    assert_eq!(sim.log(), story);
    sim.advance(SECOND);
    sim.accept("a/1");
    assert_eq!(sim.served_by().as_deref(), Some("a/1"));
    sim.finish();
}

#[test]
fn the_next_priority_is_tried_when_one_has_been_connecting_for_ten_seconds() {
    let mut sim = started(&["a/1", "b/1", "c/1"], order(&["a", "b", "c"], "round_robin"));
    sim.advance(9 * SECOND);
    assert_eq!(held(&sim), ["a/1"]);
    sim.advance(SECOND);
    assert_eq!(held(&sim), ["a/1", "b/1"]);
    sim.advance(10 * SECOND);
    assert_eq!(held(&sim), ["a/1", "b/1", "c/1"]);
    sim.advance(10 * SECOND);
    assert_eq!((sim.state(), sim.pick()), (Connectivity::Connecting, Pick::Queue));
    sim.accept("b/1");
    assert_eq!(sim.served_by().as_deref(), Some("b/1"));
    sim.finish();
}

#[test]
fn while_nobody_serves_the_first_that_connects_speaks_or_else_the_last() {
    let mut sim = started(&["a/1", "b/1"], order(&["a", "b"], "round_robin"));
    sim.advance(10 * SECOND);
    sim.refuse("b/1");
    assert_eq!(sim.state(), Connectivity::Connecting);
    sim.refuse("a/1");
    let Pick::Fail(failure) = sim.pick() else { panic!("{:?}", sim.state()) };
    assert_eq!(failure.at(sim.now()).to_string(), "b/1 connection refused (next attempt in 1.0s)");
    sim.advance(SECOND);
    assert_eq!(sim.state(), Connectivity::TransientFailure);
    sim.accept("b/1");
    assert_eq!(sim.served_by().as_deref(), Some("b/1"));
    sim.finish();
}

#[test]
fn a_priority_that_served_gets_ten_seconds_to_connect_again() {
    let mut sim = started(&["a/1", "b/1"], order(&["a", "b"], "round_robin"));
    sim.accept("a/1");
    sim.advance(MINUTE);
    sim.close("a/1");
    assert_eq!((sim.state(), sim.pick()), (Connectivity::Connecting, Pick::Queue));
    sim.advance(9 * SECOND);
    assert_eq!(held(&sim), ["a/1"]);
    sim.advance(SECOND);
    assert_eq!(held(&sim), ["a/1", "b/1"]);
    sim.accept("b/1");
    assert_eq!(sim.served_by().as_deref(), Some("b/1"));
    sim.finish();
}

#[test]
fn a_priority_that_failed_last_gets_no_time_when_it_connects_again() {
    let mut sim = third_serves();
    sim.advance(SECOND);
    let connecting = sim.subchannels().filter(|(_, _, state)| **state == SubchannelState::Connecting).count();
    assert_eq!((connecting, sim.served_by().as_deref()), (2, Some("c/1")));
    sim.finish();
}

#[test]
fn a_lower_priority_goes_fifteen_minutes_after_a_higher_one_serves() {
    let mut sim = third_serves();
    sim.advance(SECOND);
    sim.accept("a/1");
    sim.advance(15 * MINUTE - SECOND);
    assert_eq!(sim.subchannels().count(), 3);
    sim.advance(SECOND);
    assert_eq!(held(&sim), ["a/1"]);
    assert_eq!(sim.served_by().as_deref(), Some("a/1"));
    sim.close("a/1");
    sim.refuse("a/1");
    assert_eq!(held(&sim), ["a/1", "b/1"]);
    sim.finish();
}

#[test]
fn a_lower_priority_that_is_needed_again_by_then_serves_at_once_and_stays() {
    let mut sim = started(&["a/1", "b/1"], order(&["a", "b"], "round_robin"));
    sim.refuse("a/1");
    sim.accept("b/1");
    sim.advance(SECOND);
    sim.accept("a/1");
    sim.advance(14 * MINUTE);
    sim.close("a/1");
    sim.refuse("a/1");
    assert_eq!(sim.served_by().as_deref(), Some("b/1"));
    sim.advance(2 * MINUTE);
    assert_eq!(sim.served_by().as_deref(), Some("b/1"));
    assert_eq!(sim.log().iter().filter(|line| line.contains("connect b/1")).count(), 1);
    sim.finish();
}

#[test]
fn an_idle_priority_is_used_and_connects_for_a_call() {
    let mut sim = started(&["a/1", "b/1"], order(&["a", "b"], "pick_first"));
    sim.accept("a/1");
    sim.close("a/1");
    assert_eq!((sim.state(), held(&sim)), (Connectivity::Idle, vec!["a/1".to_owned()]));
    assert_eq!(sim.pick(), Pick::Queue);
    sim.advance(9 * SECOND);
    assert_eq!((sim.state(), held(&sim)), (Connectivity::Connecting, vec!["a/1".to_owned()]));
    sim.accept("a/1");
    sim.close("a/1");
    sim.exit_idle();
    sim.refuse("a/1");
    sim.accept("b/1");
    assert_eq!(sim.served_by().as_deref(), Some("b/1"));
    sim.finish();
}

#[test]
fn a_child_may_move_to_another_priority_and_keeps_its_connections() {
    let mut sim = third_serves();
    update(&mut sim, &["a/1", "b/1", "c/1"], Some(order(&["c", "a", "b"], "round_robin"))).unwrap();
    assert_eq!(sim.served_by().as_deref(), Some("c/1"));
    sim.advance(SECOND);
    sim.accept("a/1");
    assert_eq!(sim.served_by().as_deref(), Some("c/1"));
    assert_eq!(sim.log().iter().filter(|line| line.contains("connect c/1")).count(), 1);
    sim.finish();
}

#[test]
fn a_child_that_the_configuration_drops_goes_at_once() {
    let mut sim = third_serves();
    assert_eq!(update(&mut sim, &["a/1", "c/1"], Some(order(&["a", "d"], "round_robin"))), Err(Rejected));
    assert_eq!((sim.state(), held(&sim)), (Connectivity::TransientFailure, vec!["a/1".to_owned()]));
    update(&mut sim, &["d/1"], None).unwrap();
    sim.accept("d/1");
    assert_eq!((sim.served_by().as_deref(), held(&sim)), (Some("d/1"), vec!["d/1".to_owned()]));
    sim.finish();
}

#[test]
fn an_update_reaches_the_children_that_are_kept() {
    let mut sim = third_serves();
    update(&mut sim, &["a/1", "b/1", "c/2"], None).unwrap();
    sim.accept("c/2");
    assert_eq!(sim.served_by().as_deref(), Some("c/2"));
    assert_eq!(update(&mut sim, &[], None), Err(Rejected));
    let status = Status::unavailable("the resolver returned no addresses");
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(status)));
    sim.finish();
}

#[test]
fn a_child_may_be_one_whose_wish_for_a_resolution_counts_for_nothing() {
    for (ignored, wanted) in [(true, 0), (false, 1)] {
        let child = json!({ "config": [{ "pick_first": {} }], "ignoreReresolutionRequests": ignored });
        let config = config(&json!({ "children": { "a": child }, "priorities": ["a"] }));
        let mut sim = started(&["a/1"], config);
        sim.accept("a/1");
        sim.close("a/1");
        assert_eq!(sim.resolutions_wanted(), wanted, "ignored: {ignored}");
        update(&mut sim, &["a/1"], Some(order(&["a"], "pick_first"))).unwrap();
        sim.exit_idle();
        sim.accept("a/1");
        sim.close("a/1");
        assert_eq!(sim.resolutions_wanted(), wanted + 1);
        sim.finish();
    }
}

#[test]
fn priorities_may_lead_to_weighted_targets() {
    let target = json!({ "weight": 1, "childPolicy": [{ "round_robin": {} }] });
    let targets =
        json!({ "config": [{ "weighted_target_experimental": { "targets": { "x": target, "y": target } } }] });
    let config = config(&json!({ "children": { "a": targets, "b": targets }, "priorities": ["a", "b"] }));
    let mut sim = started(&["a/x/1", "a/y/1", "b/x/1", "b/y/1"], config);
    sim.refuse("a/x/1");
    assert_eq!(sim.subchannels().count(), 2);
    sim.refuse("a/y/1");
    sim.accept("b/y/1");
    assert_eq!(sim.served_by().as_deref(), Some("b/y/1"));
    sim.finish();
}

#[test]
fn without_priorities_or_a_configuration_calls_fail_and_say_why() {
    let mut sim = Sim::new(Priority::default());
    sim.resolver_fails(Status::unavailable("no such name"));
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(Status::unavailable("no such name"))));
    assert_eq!(update(&mut sim, &["a/1"], None), Err(Rejected));
    let status = Status::new(Code::Internal, "priority has no configuration");
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(status)));
    update(&mut sim, &["a/1"], Some(order(&["a"], "round_robin"))).unwrap();
    sim.accept("a/1");
    update(&mut sim, &["a/1"], Some(order(&[], "round_robin"))).unwrap();
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(Status::unavailable("priority has no priorities"))));
    assert_eq!(sim.subchannels().count(), 0);
    sim.finish();
}

#[test]
fn children_hear_of_a_failed_resolution() {
    let mut sim = Sim::new(Priority::default());
    assert_eq!(update(&mut sim, &[], Some(order(&["a", "b"], "pick_first"))), Err(Rejected));
    sim.resolver_fails(Status::unavailable("no such name"));
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(Status::unavailable("no such name"))));
    sim.finish();
}
