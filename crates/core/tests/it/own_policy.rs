//! A user's own policy, in the traits that users have: half of the endpoints serve, the other half stand by.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use thalweg_core::{
    connectivity::Connectivity,
    json::ConfigError,
    lb::{
        AnyConfig, Cx, Event, Fixed, LbPolicy, Pick, Picker, Rejected, Resolution,
        child::{ChildSet, Key},
        graceful_switch::GracefulSwitch,
        pick_first,
        registry::{Policies, PolicyFactory, from_json},
    },
    status::Status,
};
use thalweg_sim::{Sim, conformance::Histories, place::endpoint};

#[derive(Clone, Debug, Deserialize)]
struct Config {
    keep: usize,
}

#[derive(Debug)]
struct FirstFew;

impl PolicyFactory for FirstFew {
    fn name(&self) -> &'static str {
        "first_few"
    }
    fn parse(&self, config: &Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        Ok(Arc::new(from_json::<Config>(config)?))
    }
    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(First::default())
    }
}

/// Sends every call to the oldest of the first few endpoints that is READY.
#[derive(Debug, Default)]
struct First {
    children: ChildSet,
    keep: usize,
}

impl First {
    fn best(&self) -> Option<Key> {
        let order = [Connectivity::Ready, Connectivity::Connecting, Connectivity::TransientFailure];
        let find = |state| self.children.keys().find(|key| self.children.state(*key) == Some(state));
        order.into_iter().find_map(find)
    }
    fn report(&mut self, cx: &mut Cx<'_>) {
        let state = self.best().and_then(|best| self.children.state(best));
        cx.report(state.unwrap_or(Connectivity::TransientFailure));
    }
}

impl LbPolicy for First {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        self.keep = update.config_as::<Config>().map_or(self.keep, |config| config.keep);
        self.children.clear(cx);
        for endpoint in update.endpoints.iter().filter(|e| !e.addresses().is_empty()).take(self.keep) {
            let key = self.children.insert(Box::new(pick_first::leaf()));
            let one = Resolution { endpoints: Arc::new([endpoint.clone()]), config: None };
            self.children.call(cx, key, |leaf, cx| leaf.on_resolution(cx, &one).unwrap());
        }
        self.report(cx);
        if self.children.is_empty() { Err(Rejected) } else { Ok(()) }
    }
    fn on_resolver_error(&mut self, _: &mut Cx<'_>, _: &Status) {}
    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        let Some(report) = self.children.route(cx, event) else { return };
        if report.to == Connectivity::Idle {
            self.children.call(cx, report.child, |leaf, cx| leaf.exit_idle(cx));
        }
        self.report(cx);
    }
    fn exit_idle(&mut self, _: &mut Cx<'_>) {}
    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        let nobody = || Arc::new(Fixed::new(Pick::Fail(thalweg_core::lb::Failure::of([])))) as Arc<dyn Picker>;
        self.best().and_then(|best| self.children.picker(cx, best)).unwrap_or_else(nobody)
    }
    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.children.clear(cx);
    }
}

fn chosen(keep: usize) -> Arc<dyn AnyConfig> {
    let mut policies = Policies::builtin();
    policies.register(FirstFew);
    Arc::new(policies.choose(&json!([{ "first_few": { "keep": keep } }, { "pick_first": {} }])).unwrap())
}

#[test]
fn a_registered_policy_is_chosen_and_serves() {
    let mut sim = Sim::new(GracefulSwitch::default());
    let endpoints = ["a", "b", "c"].iter().map(|name| endpoint(&[name])).collect();
    sim.resolve_to(Resolution { endpoints, config: Some(chosen(2)) }).unwrap();
    assert_eq!(sim.log(), ["0 connect a", "0 connect b", "0 CONNECTING"]);
    sim.accept("b");
    assert_eq!(sim.served_by().as_deref(), Some("b"));
    sim.accept("a");
    assert_eq!(sim.served_by().as_deref(), Some("a"));
    sim.finish();
}

#[test]
fn its_configuration_is_checked_with_a_path() {
    let mut policies = Policies::default();
    policies.register(FirstFew);
    let error = policies.choose(&json!([{ "xds": {} }, { "first_few": { "keep": -1 } }])).unwrap_err();
    assert_eq!(error.to_string(), "$[1].first_few.keep: invalid value: integer `-1`, expected usize");
}

#[test]
fn it_is_checked_with_random_histories_like_the_ones_that_come_with_the_crate() {
    let histories = Histories::new(500).configs([Arc::new(Config { keep: 3 }) as _, Arc::new(Config { keep: 1 }) as _]);
    histories.check(|seed| Sim::seeded(seed, First::default()).uses_what_is_ready());
}
