//! Every policy keeps the contract in thousands of random histories.

use std::{cell::Cell, collections::BTreeSet, rc::Rc, sync::Arc, time::Duration};

use serde_json::json;
use thalweg_core::{
    endpoint::{Endpoint, Weight},
    lb::{
        AnyConfig, Pick,
        graceful_switch::GracefulSwitch,
        hierarchy::Path,
        least_request::{self, LeastRequest},
        outlier_detection::OutlierDetection,
        peak_ewma::{self, PeakEwma},
        pick_first::{self, PickFirst},
        priority::Priority,
        random::Random,
        random_subsetting::RandomSubsetting,
        registry::Policies,
        ring_hash::RingHash,
        round_robin::RoundRobin,
        weighted_target::WeightedTarget,
    },
    random::mix,
};
use thalweg_sim::{Sim, conformance::Histories};

use crate::{
    graceful_switch::probed,
    outlier_detection::{ejections, overheard, those_not_ejected_take_turns},
    priority, random_subsetting, ring_hash, weighted_target,
};

/// So many histories for each policy.
const EACH: u64 = 5_000;

fn tell(configs: Vec<Arc<dyn AnyConfig>>, make: impl Fn(u64) -> Sim) {
    tell_patient(configs, |seed| make(seed).uses_what_is_ready());
}

/// The same for a policy that may wait for something better than what is READY.
fn tell_patient(configs: Vec<Arc<dyn AnyConfig>>, make: impl Fn(u64) -> Sim) {
    let tally = Histories::new(EACH).configs(configs).check(make);
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

/// Does every usable subchannel, but for so many, get a call now and then? Each that does has at least the chance of the
/// only pair that it would be picked from.
fn all_have_a_chance(sim: &Sim, but: usize) -> bool {
    let usable = sim.usable().count();
    let mut reached = BTreeSet::new();
    for _ in 0..30 * usable * usable {
        if let Pick::Use(id) = sim.peek(&sim.args()) {
            reached.insert(id);
        }
        if reached.len() + but >= usable {
            return true;
        }
    }
    usable == 0
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
fn random_keeps_the_contract() {
    tell(vec![], |seed| {
        Sim::seeded(seed, Random::default()).invariant("all have a chance", |sim| all_have_a_chance(sim, 0))
    });
}

#[test]
fn least_request_keeps_the_contract() {
    let choices = |count| Arc::new(least_request::Config::new(count)) as Arc<dyn AnyConfig>;
    tell(vec![choices(2)], |seed| {
        Sim::seeded(seed, LeastRequest::default()).invariant("all have a chance", |sim| all_have_a_chance(sim, 0))
    });
    tell(vec![choices(2), choices(10)], |seed| Sim::seeded(seed, LeastRequest::default()));
}

#[test]
fn peak_ewma_keeps_the_contract() {
    let config = |decay| {
        let decay = Duration::from_millis(decay);
        Arc::new(peak_ewma::Config { decay, ..peak_ewma::Config::default() }) as Arc<dyn AnyConfig>
    };
    tell(vec![config(10_000), config(100)], |seed| {
        Sim::seeded(seed, PeakEwma::default())
            .invariant("all but the worst have a chance", |sim| all_have_a_chance(sim, 1))
    });
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

/// The first endpoint goes to the child `a`, the second to `c`, all others to `b`; what it was is remembered.
fn share_out(place: usize, endpoint: Endpoint) -> Endpoint {
    let child = ["a", "c"].get(place).copied().unwrap_or("b");
    endpoint.with(Path::new([child])).with(child)
}

/// Which child a subchannel belongs to.
fn child_of(sim: &Sim, pick: &Pick) -> Option<&'static str> {
    let Pick::Use(id) = pick else { return None };
    sim.endpoint(*id)?.attributes().get().copied()
}

#[test]
fn weighted_target_keeps_the_contract_and_spreads_by_weight() {
    let child = |weight: u32, policy: &str| json!({ "weight": weight, "childPolicy": [{ policy: {} }] });
    let configs = [
        json!({ "a": child(3, "round_robin"), "b": child(1, "round_robin") }),
        json!({ "a": child(3, "pick_first"), "b": child(1, "round_robin"), "c": child(7, "pick_first") }),
        json!({ "a": child(3, "round_robin"), "b": child(1, "pick_first") }),
    ];
    let configs = configs.iter().map(|targets| weighted_target::config(&json!({ "targets": targets })));
    let (served, expected) = (Rc::new(Cell::new((0_u64, 0_u64))), 3.0 / 4.0);
    tell(configs.collect(), |seed| {
        let served = served.clone();
        Sim::seeded(seed, WeightedTarget::default()).attaching(share_out).invariant("weights decide", move |sim| {
            let ready: BTreeSet<_> = sim.usable().filter_map(|id| child_of(sim, &Pick::Use(id))).collect();
            let picks = [(); 8].map(|()| child_of(sim, &sim.peek(&sim.args())));
            if ready == BTreeSet::from(["a", "b"]) {
                let (a, all) = served.get();
                served.set((a + picks.iter().filter(|child| **child == Some("a")).count() as u64, all + 8));
            }
            picks.into_iter().flatten().all(|child| ready.contains(child))
        })
    });
    let (a, all) = served.get();
    let deviation = (a as f64 - all as f64 * expected) / (all as f64 * expected * (1.0 - expected)).sqrt();
    assert!(all > 100_000 && deviation.abs() < 5.0, "a serves {a} of {all} calls");
}

/// Calls go to a child before which no other can serve, and fail only if none can.
fn best_is_used(sim: &Sim, order: &[&str]) -> bool {
    let rank = |pick: &Pick| child_of(sim, pick).and_then(|child| order.iter().position(|name| *name == child));
    let best = sim.usable().filter_map(|id| rank(&Pick::Use(id))).min();
    match sim.peek(&sim.args()) {
        pick @ Pick::Use(_) => rank(&pick) == best,
        Pick::Fail(_) => best.is_none(),
        Pick::Queue | Pick::Drop(_) => best != Some(0),
    }
}

fn priorities(order: &[&str], policies: [&str; 3]) -> Arc<dyn AnyConfig> {
    let child =
        |policy: &str| json!({ "config": [{ policy: {} }], "ignoreReresolutionRequests": policy == "pick_first" });
    let children = ["a", "b", "c"].into_iter().zip(policies).filter(|(name, _)| order.contains(name));
    let children: serde_json::Map<_, _> = children.map(|(name, policy)| (name.to_owned(), child(policy))).collect();
    priority::config(&json!({ "children": children, "priorities": order }))
}

#[test]
fn priority_keeps_the_contract_and_uses_the_best() {
    let configs = vec![
        priorities(&["a", "b"], ["round_robin"; 3]),
        priorities(&["a", "c", "b"], ["round_robin", "pick_first", "round_robin"]),
        priorities(&["a", "c"], ["pick_first"; 3]),
    ];
    tell_patient(configs, |seed| {
        let sim = Sim::seeded(seed, Priority::default()).attaching(share_out);
        sim.invariant("the best is used", |sim| best_is_used(sim, &["a", "c", "b"]))
    });
}

#[test]
fn priority_keeps_the_contract_while_children_change_places() {
    let configs = vec![
        priorities(&["a", "b"], ["round_robin"; 3]),
        priorities(&["b", "c", "a"], ["pick_first", "round_robin", "round_robin"]),
        priorities(&["c", "a"], ["pick_first"; 3]),
    ];
    tell_patient(configs, |seed| Sim::seeded(seed, Priority::default()).attaching(share_out));
}

#[test]
fn outlier_detection_keeps_the_contract_and_nobody_calls_who_is_ejected() {
    // Short enough ejections for the end of a history, when all must be well again.
    let often = json!({ "minimumHosts": 1, "requestVolume": 1, "threshold": 30 });
    let configs = [
        json!({ "baseEjectionTime": "1s", "maxEjectionTime": "5s", "failurePercentageEjection": often }),
        json!({ "baseEjectionTime": "5s", "maxEjectionTime": "5s", "failurePercentageEjection": null,
            "successRateEjection": { "minimumHosts": 2, "requestVolume": 1, "stdevFactor": 500 } }),
        json!({ "failurePercentageEjection": null }),
    ];
    let configs: Vec<_> =
        configs.into_iter().map(|config| overheard(config, || Box::new(RoundRobin::default()))).collect();
    let make = |seed| {
        let sim = Sim::seeded(seed, OutlierDetection::default());
        sim.invariant("who is well and not ejected takes turns", those_not_ejected_take_turns)
    };
    let tally = Histories::new(EACH).configs(configs).check(make);
    let enough = [(tally.calls as u64, 15), (tally.ready as u64, 10), (2 * ejections(), 1)];
    assert!(enough.iter().all(|(seen, each)| *seen > each * EACH), "too tame: {tally:?}, {} ejections", ejections());
}

#[test]
fn random_subsetting_keeps_the_contract() {
    // The first is the one to recover with: of the four endpoints then, two may be out of reach.
    let configs = [3, 1, 2].map(random_subsetting::size);
    let make = |seed| Sim::seeded(seed, RandomSubsetting::default()).invariant("all take turns", all_take_turns);
    tell(configs.into(), make);
}

/// A call with a hash is answered alike twice, and fails only if none can serve; one without never waits for an endpoint
/// while another can serve.
fn hashes_decide(sim: &Sim) -> bool {
    let nobody = sim.usable().next().is_none();
    let hashed = |n: u64| {
        let mut args = sim.args();
        args.hash = Some(mix(n));
        (sim.peek(&args), args.wanted())
    };
    let repeatable = (0..4).all(|n| hashed(n) == hashed(n) && (nobody || !matches!(hashed(n).0, Pick::Fail(_))));
    repeatable && (nobody || matches!(sim.peek(&sim.args()), Pick::Use(_) | Pick::Drop(_)))
}

#[test]
fn ring_hash_keeps_the_contract_and_sends_equal_hashes_the_same_way() {
    let configs = [
        json!({ "requestHashHeader": "user" }),
        json!({ "requestHashHeader": "user", "minRingSize": 1, "maxRingSize": 3 }),
        json!({ "requestHashHeader": "user", "minRingSize": 1 }),
        json!({ "minRingSize": 64 }),
    ];
    let weigh = |place: usize, endpoint: Endpoint| endpoint.with(Weight::new(place as u32));
    tell(configs.iter().map(ring_hash::config).collect(), |seed| {
        let sim = Sim::seeded(seed, RingHash::default()).lazy().attaching(weigh);
        sim.invariant("hashes decide", hashes_decide)
    });
}
