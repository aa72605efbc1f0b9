//! Stories of `least_request` (A48).

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use thalweg_core::{
    lb::{
        Resolution,
        least_request::{Config, LeastRequest},
        registry::Policies,
    },
    status::Code,
};
use thalweg_sim::{Sim, place::endpoint, sim::Call};

use crate::spread::{assert_shares, counted};

fn resolve(sim: &mut Sim, names: &[&str], choices: u32) {
    let endpoints = names.iter().map(|name| endpoint(&[name])).collect();
    sim.resolve_to(Resolution { endpoints, config: Some(Arc::new(Config::new(choices))) }).unwrap();
}

fn serving(names: &[&str], choices: u32) -> Sim {
    let mut sim = Sim::new(LeastRequest::default()).uses_what_is_ready();
    resolve(&mut sim, names, choices);
    names.iter().for_each(|name| sim.accept(name));
    sim
}

/// Starts calls until there are so many in flight to each address; those that go elsewhere end at once.
fn load(sim: &mut Sim, wanted: &[(&str, usize)]) -> Vec<Call> {
    let mut kept: Vec<Call> = vec![];
    for (name, count) in wanted {
        for _ in 0..*count {
            kept.push(call_to(sim, name));
        }
    }
    kept
}

fn call_to(sim: &mut Sim, name: &str) -> Call {
    for _ in 0..100_000 {
        let call = sim.start_call().unwrap();
        if sim.address(call.subchannel()).unwrap().to_string() == name {
            return call;
        }
        call.end(Code::Ok, Duration::ZERO);
    }
    panic!("no call goes to {name}");
}

#[test]
fn with_nothing_in_flight_every_endpoint_is_as_likely_as_the_others() {
    let sim = serving(&["a", "b", "c", "d", "e"], 2);
    assert_shares(&counted(&sim), &["a", "b", "c", "d", "e"].map(|name| (name, 0.2)));
}

#[test]
fn of_two_drawn_endpoints_the_one_with_fewer_calls_in_flight_is_picked() {
    let mut sim = serving(&["a", "b", "c", "d"], 2);
    let calls = load(&mut sim, &[("b", 1), ("c", 2), ("d", 3)]);
    // "d" only if it is drawn twice, and so on.
    assert_shares(&counted(&sim), &[("a", 7.0 / 16.0), ("b", 5.0 / 16.0), ("c", 3.0 / 16.0), ("d", 1.0 / 16.0)]);
    // Whether they went well or not, they are gone.
    for (n, call) in calls.into_iter().enumerate() {
        call.end(if n % 2 == 0 { Code::Ok } else { Code::Unavailable }, Duration::from_secs(1));
    }
    assert_shares(&counted(&sim), &["a", "b", "c", "d"].map(|name| (name, 0.25)));
    sim.finish();
}

#[test]
fn more_choices_find_the_least_loaded_more_often() {
    let mut sim = serving(&["a", "b", "c", "d"], 4);
    let _calls = load(&mut sim, &[("b", 1), ("c", 2), ("d", 3)]);
    let share = |places: f64| ((4.0 - places).powi(4) - (3.0 - places).powi(4)) / 256.0;
    assert_shares(&counted(&sim), &[("a", share(0.0)), ("b", share(1.0)), ("c", share(2.0)), ("d", share(3.0))]);
}

#[test]
fn ties_are_broken_by_chance() {
    let mut sim = serving(&["a", "b", "c"], 2);
    let _calls = load(&mut sim, &[("c", 1)]);
    assert_shares(&counted(&sim), &[("a", 4.0 / 9.0), ("b", 4.0 / 9.0), ("c", 1.0 / 9.0)]);
}

#[test]
fn what_is_in_flight_is_known_to_every_later_snapshot() {
    let mut sim = serving(&["a", "b"], 2);
    let _calls = load(&mut sim, &[("b", 1)]);
    resolve(&mut sim, &["b", "a", "c"], 2);
    sim.accept("c");
    sim.close("c");
    assert_shares(&counted(&sim), &[("a", 0.75), ("b", 0.25)]);
    resolve(&mut sim, &["a"], 2);
    resolve(&mut sim, &["a", "b"], 2);
    sim.accept("b");
    assert_shares(&counted(&sim), &[("a", 0.5), ("b", 0.5)]);
    sim.finish();
}

#[test]
fn calls_that_a_lost_connection_leaves_behind_count_until_they_end() {
    let mut sim = serving(&["a", "b"], 2);
    let calls = load(&mut sim, &[("b", 1)]);
    sim.close("b");
    sim.accept("b");
    assert_shares(&counted(&sim), &[("a", 0.75), ("b", 0.25)]);
    calls.into_iter().for_each(|call| call.end(Code::Unavailable, Duration::ZERO));
    assert_shares(&counted(&sim), &[("a", 0.5), ("b", 0.5)]);
    sim.finish();
}

#[test]
fn a_new_choice_count_takes_effect_without_a_new_connection() {
    let mut sim = serving(&["a", "b"], 2);
    let _calls = load(&mut sim, &[("b", 1)]);
    resolve(&mut sim, &["a", "b"], 5);
    assert_shares(&counted(&sim), &[("a", 31.0 / 32.0), ("b", 1.0 / 32.0)]);
    sim.resolve(&[&["a"], &["b"]]).unwrap();
    assert_shares(&counted(&sim), &[("a", 31.0 / 32.0), ("b", 1.0 / 32.0)]);
}

#[test]
fn a_slow_backend_gets_fewer_calls() {
    let mut sim = serving(&["a", "b", "c", "slow"], 2);
    let (mut slow, mut in_flight) = (0, std::collections::VecDeque::new());
    for _ in 0..10_000 {
        let call = sim.start_call().unwrap();
        if sim.address(call.subchannel()).unwrap().to_string() == "slow" {
            slow += 1;
            in_flight.push_back(call);
            if in_flight.len() > 20 {
                in_flight.pop_front().unwrap().end(Code::Ok, Duration::from_secs(1));
            }
        } else {
            call.end(Code::Ok, Duration::from_millis(1));
        }
    }
    // Only if it is drawn twice: one of 16, by five sigma.
    assert!((505..746).contains(&slow), "{slow}");
}

fn choices(policy: &str, config: &Value) -> Result<u32, String> {
    let list = json!([{ policy: config }]);
    let choice = Policies::builtin().choose(&list).map_err(|error| error.to_string())?;
    assert_eq!(choice.factory.name(), "least_request");
    Ok(choice.config.downcast_ref::<Config>().unwrap().choice_count())
}

#[test]
fn its_configuration_is_read_as_grpc_go_reads_it() {
    for policy in ["least_request_experimental", "least_request"] {
        assert_eq!(choices(policy, &json!({ "choiceCount": 3 })), Ok(3));
        assert_eq!(choices(policy, &json!({})), Ok(2));
        assert_eq!(choices(policy, &json!({ "choiceCount": null, "activeRequestBias": 1.5 })), Ok(2));
        assert_eq!(choices(policy, &json!({ "choiceCount": 10 })), Ok(10));
        assert_eq!(choices(policy, &json!({ "choiceCount": 11 })), Ok(10));
        assert_eq!(choices(policy, &json!({ "choiceCount": u32::MAX })), Ok(10));
    }
}

#[test]
fn a_bad_configuration_is_rejected_with_a_path_and_what_is_allowed() {
    let path = "$[0].least_request.choiceCount";
    for bad in [0, 1] {
        let error = choices("least_request", &json!({ "choiceCount": bad })).unwrap_err();
        assert_eq!(error, format!("{path}: must be at least 2, and is {bad}; above 10 counts as 10"));
    }
    for bad in [json!(-1), json!(2.5), json!("two"), json!(1_u64 << 32), json!([2])] {
        let error = choices("least_request", &json!({ "choiceCount": bad })).unwrap_err();
        assert!(error.starts_with(&format!("{path}: expected a whole number from 0 to 4294967295")), "{error}");
    }
    let error = choices("least_request_experimental", &json!([])).unwrap_err();
    assert_eq!(error, "$[0].least_request_experimental: expected an object, found an array");
}
