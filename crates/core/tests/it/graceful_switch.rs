//! Stories of the graceful switch.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use thalweg_core::{
    connectivity::Connectivity,
    json::ConfigError,
    lb::{
        AnyConfig, Failure, LbPolicy, Pick, Rejected, Resolution,
        graceful_switch::GracefulSwitch,
        registry::{Policies, PolicyFactory},
    },
    orca::LoadReport,
    status::{Code, Status},
};
use thalweg_sim::{Probe, Sim, place::endpoint};

/// A built-in policy of this name, wrapped in a probe.
#[derive(Debug)]
pub(crate) struct Probed {
    policies: Policies,
    name: &'static str,
    every: Duration,
}

pub(crate) fn probed(name: &'static str, every: Duration) -> Probed {
    Probed { policies: Policies::builtin(), name, every }
}

impl PolicyFactory for Probed {
    fn name(&self) -> &str {
        self.name
    }
    fn parse(&self, config: &Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        self.policies.get(self.name).unwrap().parse(config, &self.policies)
    }
    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(Probe::new(self.policies.get(self.name).unwrap().build(), self.every))
    }
}

/// Resolves to these single-address endpoints, with a policy chosen by this name.
fn resolve(sim: &mut Sim, names: &[&str], policy: &str) -> Result<(), Rejected> {
    let mut policies = Policies::default();
    policies.register(probed("round_robin", Duration::from_secs(5)));
    policies.register(probed("pick_first", Duration::from_secs(3)));
    let choice = policies.choose(&json!([{ policy: {} }])).unwrap();
    let endpoints = names.iter().map(|name| endpoint(&[name])).collect();
    sim.resolve_to(Resolution { endpoints, config: Some(Arc::new(choice)) })
}

fn started(names: &[&str], policy: &str) -> Sim {
    let mut sim = Sim::new(GracefulSwitch::default()).uses_what_is_ready();
    resolve(&mut sim, names, policy).unwrap();
    sim
}

#[test]
fn the_chosen_policy_serves() {
    let mut sim = started(&["a", "b"], "round_robin");
    sim.accept("a");
    assert_eq!(sim.log(), ["0 connect a", "0 connect b", "0 CONNECTING", "0 READY"]);
    assert_eq!(sim.served_by().as_deref(), Some("a"));
    sim.finish();
}

#[test]
fn the_old_policy_serves_until_the_new_one_can() {
    let mut sim = started(&["a"], "pick_first");
    sim.accept("a");
    resolve(&mut sim, &["a", "b"], "round_robin").unwrap();
    assert_eq!(sim.served_by().as_deref(), Some("a"));
    assert_eq!(sim.subchannels().count(), 3, "the old connection, and two attempts");
    sim.accept("b");
    assert_eq!(sim.served_by().as_deref(), Some("b"));
    assert_eq!(sim.subchannels().count(), 2, "the old policy is gone");
    assert_eq!(sim.state(), Connectivity::Ready);
    sim.finish();
}

#[test]
fn a_new_policy_that_fails_takes_over_too() {
    let mut sim = started(&["a"], "pick_first");
    sim.accept("a");
    resolve(&mut sim, &["b"], "round_robin").unwrap();
    sim.refuse("b");
    assert_eq!(sim.state(), Connectivity::TransientFailure);
    sim.finish();
}

#[test]
fn the_new_policy_takes_over_when_the_old_one_loses_its_connection() {
    let mut sim = started(&["a"], "pick_first");
    sim.accept("a");
    resolve(&mut sim, &["b"], "round_robin").unwrap();
    sim.close("a");
    assert_eq!((sim.state(), sim.subchannels().count()), (Connectivity::Connecting, 1));
    sim.accept("b");
    assert_eq!(sim.served_by().as_deref(), Some("b"));
    sim.finish();
}

#[test]
fn nobody_waits_for_an_old_policy_that_is_not_ready() {
    let mut sim = started(&["a"], "pick_first");
    resolve(&mut sim, &["b"], "round_robin").unwrap();
    assert_eq!(sim.subchannels().count(), 1);
    sim.accept("b");
    sim.finish();
}

#[test]
fn a_policy_of_the_same_name_only_hears_of_the_update() {
    let mut sim = started(&["a", "b"], "round_robin");
    sim.accept("a");
    resolve(&mut sim, &["a", "c"], "round_robin").unwrap();
    sim.resolve(&[&["a"], &["c"]]).unwrap();
    assert_eq!(sim.served_by().as_deref(), Some("a"));
    assert_eq!(sim.log().iter().filter(|line| line.contains("connect a")).count(), 1);
    sim.finish();
}

#[test]
fn a_third_policy_replaces_the_pending_one() {
    let mut sim = started(&["a"], "pick_first");
    sim.accept("a");
    resolve(&mut sim, &["b"], "round_robin").unwrap();
    resolve(&mut sim, &["c"], "pick_first").unwrap();
    assert_eq!(sim.served_by().as_deref(), Some("a"));
    sim.accept("c");
    assert_eq!((sim.served_by().as_deref(), sim.subchannels().count()), (Some("c"), 1));
    sim.finish();
}

#[test]
fn without_a_policy_calls_fail_and_say_why() {
    let mut sim = Sim::new(GracefulSwitch::default());
    assert_eq!(sim.resolve(&[&["a"]]), Err(Rejected));
    let status = Status::new(Code::Internal, "no load-balancing policy was chosen");
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(status)));
    sim.resolver_fails(Status::unavailable("no such name"));
    assert_eq!(sim.pick(), Pick::Fail(Failure::Status(Status::unavailable("no such name"))));
    resolve(&mut sim, &["a"], "pick_first").unwrap();
    assert_eq!(sim.state(), Connectivity::Connecting);
    sim.finish();
}

#[test]
fn a_rejection_by_the_policy_reaches_the_resolver() {
    let mut sim = started(&["a"], "round_robin");
    assert_eq!(resolve(&mut sim, &[], "round_robin"), Err(Rejected));
    sim.finish();
}

#[test]
fn a_load_report_reaches_the_old_policy_and_the_new_one() {
    let mut sim = started(&["a"], "pick_first");
    sim.accept("a");
    assert_eq!(sim.load_interval("a"), Some(Duration::from_secs(3)));
    resolve(&mut sim, &["a"], "round_robin").unwrap();
    assert_eq!(sim.report_load("a", &LoadReport::default()), 2);
    sim.finish();
}
