//! Every policy keeps the contract in thousands of random histories.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::json;
use thalweg_core::lb::{
    AnyConfig, Pick,
    graceful_switch::GracefulSwitch,
    pick_first::{self, PickFirst},
    registry::Policies,
    round_robin::RoundRobin,
};
use thalweg_sim::{Sim, conformance::Histories};

use crate::graceful_switch::probed;

/// Together 20,000 histories.
const EACH: u64 = 5_000;

fn tell(configs: Vec<Arc<dyn AnyConfig>>, make: impl Fn(u64) -> Sim) {
    let tally = Histories::new(EACH).configs(configs).check(|seed| make(seed).uses_what_is_ready());
    let enough = [(tally.calls, 15), (tally.ready, 12), (tally.failed, 2)];
    assert!(enough.iter().all(|(seen, each)| *seen as u64 > each * EACH), "too tame: {tally:?}");
}

/// Do as many picks as there are usable subchannels go to each of them?
fn all_take_turns(sim: &Sim) -> bool {
    let usable: BTreeSet<_> = sim.usable().collect();
    let picks = usable.iter().filter_map(|_| match sim.peek(&sim.args()) {
        Pick::Use(id) => Some(id),
        Pick::Queue | Pick::Fail(_) | Pick::Drop(_) => None,
    });
    picks.collect::<BTreeSet<_>>() == usable
}

#[test]
fn pick_first_keeps_the_contract() {
    let shuffle = |shuffle_address_list| Arc::new(pick_first::Config { shuffle_address_list }) as Arc<dyn AnyConfig>;
    tell(vec![shuffle(false), shuffle(true)], |seed| Sim::seeded(seed, PickFirst::default()));
}

#[test]
fn a_pick_first_leaf_keeps_the_contract() {
    tell(vec![], |seed| Sim::seeded(seed, pick_first::leaf()));
}

#[test]
fn round_robin_keeps_the_contract() {
    tell(vec![], |seed| Sim::seeded(seed, RoundRobin::default()).invariant("all take turns", all_take_turns));
}

#[test]
fn graceful_switch_keeps_the_contract_and_so_do_its_probed_children() {
    let mut policies = Policies::default();
    policies
        .register(probed("round_robin", Duration::from_secs(5)))
        .register(probed("pick_first", Duration::from_secs(3)));
    let choices = [json!([{ "round_robin": {} }]), json!([{ "pick_first": { "shuffleAddressList": true } }])];
    let configs = choices.iter().map(|list| Arc::new(policies.choose(list).unwrap()) as Arc<dyn AnyConfig>);
    tell(configs.collect(), |seed| Sim::seeded(seed, GracefulSwitch::default()));
}
