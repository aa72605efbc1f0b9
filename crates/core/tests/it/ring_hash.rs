//! Stories of `ring_hash`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use thalweg_core::{
    connectivity::Connectivity,
    endpoint::{Endpoint, HashKey, Weight},
    lb::{
        AnyConfig, Failure, Pick, PickArgs, Rejected, Resolution,
        registry::Policies,
        ring_hash::{Config, Factory, RingHash},
    },
    metadata::Metadata,
    random::mix,
    status::{Code, Status},
};
use thalweg_sim::{Sim, place::endpoint};

const ABC: [&str; 3] = ["a", "b", "c"];

pub(crate) fn config(config: &Value) -> Arc<dyn AnyConfig> {
    Policies::builtin().choose(&json!([{ "ring_hash": config }])).unwrap().config
}

/// Calls bear their hash in the header `user`.
fn by_user() -> Arc<dyn AnyConfig> {
    config(&json!({ "requestHashHeader": "user" }))
}

/// The values of the header `user`.
struct User<'a>(&'a [&'a str]);

impl Metadata for User<'_> {
    fn each_value(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
        if key == "user" {
            self.0.iter().for_each(|value| each(value.as_bytes()));
        }
    }
}

fn resolved_to(endpoints: &[Endpoint], config: Arc<dyn AnyConfig>) -> Sim {
    let mut sim = Sim::new(RingHash::default()).lazy().uses_what_is_ready();
    sim.resolve_to(Resolution { endpoints: endpoints.into(), config: Some(config) }).unwrap();
    sim
}

fn plain(names: &[&str]) -> Vec<Endpoint> {
    names.iter().map(|name| endpoint(&[name])).collect()
}

fn resolved(names: &[&str]) -> Sim {
    resolved_to(&plain(names), by_user())
}

/// Every endpoint is READY.
fn connected_to(endpoints: &[Endpoint], config: Arc<dyn AnyConfig>) -> Sim {
    let mut sim = resolved_to(endpoints, config);
    let all: BTreeSet<_> = endpoints.iter().map(|endpoint| endpoint.addresses()[0].to_string()).collect();
    for n in 0..10_000 {
        pick(&mut sim, mix(n));
        for name in &all {
            if is(&sim, name, Connectivity::Connecting) {
                sim.accept(name);
            }
        }
        if sim.usable().count() == all.len() {
            return sim;
        }
    }
    panic!("not all of {all:?} are on the ring");
}

fn connected(names: &[&str]) -> Sim {
    connected_to(&plain(names), by_user())
}

fn is(sim: &Sim, name: &str, state: Connectivity) -> bool {
    sim.subchannels().any(|(_, address, s)| address.to_string() == name && s.connectivity() == state)
}

fn hashed(sim: &Sim, hash: u64) -> PickArgs<'static> {
    let mut args = sim.args();
    args.hash = Some(hash);
    args
}

fn pick(sim: &mut Sim, hash: u64) -> Pick {
    let args = hashed(sim, hash);
    sim.pick_with(&args)
}

/// Which endpoint serves a call with this hash.
fn call(sim: &mut Sim, hash: u64) -> Option<String> {
    let args = hashed(sim, hash);
    sim.served_by_with(&args)
}

/// Which endpoint serves a call with these values of the header.
fn call_of(sim: &mut Sim, users: &[&str]) -> Option<String> {
    let user = User(users);
    let mut args: PickArgs<'_> = sim.args();
    args.metadata = &user;
    sim.served_by_with(&args)
}

/// Hashes whose calls prefer these endpoints in this order, of all `names`.
fn hash_preferring(names: &[&str], order: &[&str]) -> u64 {
    let mut sim = connected(names);
    'hashes: for hash in (0..10_000).map(mix) {
        names.iter().for_each(|name| sim.heal(name));
        for name in order {
            if call(&mut sim, hash).as_deref() != Some(*name) {
                continue 'hashes;
            }
            sim.sicken(name, "sick");
        }
        return hash;
    }
    panic!("no hash prefers {order:?}")
}

/// Who serves each of `count` hashes.
fn homes(sim: &mut Sim, count: u64) -> Vec<String> {
    (0..count).map(|n| call(sim, mix(n)).unwrap()).collect()
}

fn shares(homes: &[String]) -> BTreeMap<&str, f64> {
    let mut shares = BTreeMap::new();
    for home in homes {
        *shares.entry(home.as_str()).or_default() += 1.0 / homes.len() as f64;
    }
    shares
}

#[test]
fn nothing_connects_until_a_call_comes_and_then_one_endpoint() {
    let mut sim = resolved(&ABC);
    assert_eq!((sim.state(), sim.subchannels().count()), (Connectivity::Idle, 0));
    let hash = hash_preferring(&ABC, &["b"]);
    assert_eq!(pick(&mut sim, hash), Pick::Queue);
    assert_eq!(pick(&mut sim, hash), Pick::Queue);
    sim.accept("b");
    assert_eq!(call(&mut sim, hash).as_deref(), Some("b"));
    assert_eq!(sim.log(), ["0 IDLE", "0 connect b", "0 CONNECTING", "0 READY"]);
    sim.finish();
}

#[test]
fn somebody_who_wants_a_connection_gets_one() {
    let mut sim = resolved(&ABC);
    sim.exit_idle();
    sim.exit_idle();
    assert_eq!((sim.state(), sim.subchannels().count()), (Connectivity::Connecting, 1));
}

#[test]
fn calls_with_the_same_hash_go_to_the_same_endpoint_whatever_happens_to_others() {
    let mut sim = connected(&ABC);
    let hash = hash_preferring(&ABC, &["a"]);
    sim.close("b");
    assert_eq!(call(&mut sim, hash).as_deref(), Some("a"));
    let other = hash_preferring(&ABC, &["b"]);
    assert_eq!(call(&mut sim, other), None);
    assert_eq!(call(&mut sim, hash).as_deref(), Some("a"));
    sim.refuse("b");
    sim.sicken("c", "draining");
    assert_eq!(call(&mut sim, hash).as_deref(), Some("a"));
    sim.resolve(&[&["c"], &["b"], &["a"]]).unwrap();
    assert_eq!(call(&mut sim, hash).as_deref(), Some("a"));
    sim.finish();
}

#[test]
fn a_call_waits_for_its_endpoint_although_others_are_ready() {
    let mut sim = connected(&ABC);
    let hash = hash_preferring(&ABC, &["a"]);
    sim.close("a");
    assert_eq!((pick(&mut sim, hash), sim.state()), (Pick::Queue, Connectivity::Ready));
    assert_eq!(pick(&mut sim, hash), Pick::Queue);
    sim.accept("a");
    assert_eq!(call(&mut sim, hash).as_deref(), Some("a"));
}

#[test]
fn a_call_whose_endpoint_has_failed_goes_to_the_next_and_comes_back() {
    let mut sim = connected(&ABC);
    let hash = hash_preferring(&ABC, &["c", "a"]);
    sim.close("c");
    pick(&mut sim, hash);
    sim.refuse("c");
    assert_eq!(call(&mut sim, hash).as_deref(), Some("a"));
    sim.sicken("a", "draining");
    assert_eq!(call(&mut sim, hash).as_deref(), Some("b"));
    sim.heal("a");
    sim.advance(Duration::from_secs(1));
    assert_eq!(call(&mut sim, hash).as_deref(), Some("a"));
    sim.accept("c");
    assert_eq!(call(&mut sim, hash).as_deref(), Some("c"));
    sim.finish();
}

#[test]
fn only_the_calls_of_a_failed_endpoint_move() {
    let mut sim = connected(&["a", "b", "c", "d", "e"]);
    let before = homes(&mut sim, 2_000);
    sim.sicken("d", "draining");
    let after = homes(&mut sim, 2_000);
    assert!(before.iter().zip(&after).all(|(before, after)| (before == after) == (before != "d")));
    sim.heal("d");
    assert_eq!(homes(&mut sim, 2_000), before);
}

#[test]
fn an_endpoint_that_goes_takes_few_other_calls_along() {
    let names: Vec<String> = (0..20).map(|n| format!("10.0.0.{n}:443")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // A place for each endpoint times 16, with or without the one that goes.
    let sizes = config(&json!({ "minRingSize": 320, "requestHashHeader": "user" }));
    let mut sim = connected_to(&plain(&names), sizes);
    let before = homes(&mut sim, 10_000);
    sim.resolve_to(Resolution {
        endpoints: plain(&names[1..]).into(),
        config: Some(config(&json!({ "minRingSize": 304, "requestHashHeader": "user" }))),
    })
    .unwrap();
    let after = homes(&mut sim, 10_000);
    let moved = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert_eq!(moved, before.iter().filter(|home| *home == names[0]).count());
    assert!((250..=850).contains(&moved), "{moved} of 10,000 calls moved, a twentieth is 500");
}

#[test]
fn with_the_ring_size_left_alone_a_few_more_calls_move() {
    let names: Vec<String> = (0..20).map(|n| format!("10.0.0.{n}:443")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut sim = connected(&names);
    let before = homes(&mut sim, 10_000);
    sim.resolve(&names[1..].iter().map(std::slice::from_ref).collect::<Vec<_>>()).unwrap();
    let after = homes(&mut sim, 10_000);
    let moved = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    // The others have three places more each, to fill the ring.
    assert!((500..=1_500).contains(&moved), "{moved} of 10,000 calls moved");
}

#[test]
fn a_failure_has_another_endpoint_connect_without_a_call_until_one_answers() {
    let mut sim = resolved(&["a", "b", "c", "d"]);
    sim.exit_idle();
    let mut refused = BTreeSet::new();
    for state in [Connectivity::Connecting, Connectivity::TransientFailure, Connectivity::TransientFailure] {
        let connecting = ["a", "b", "c", "d"].into_iter().filter(|name| is(&sim, name, Connectivity::Connecting));
        let [name] = connecting.collect::<Vec<_>>()[..] else { panic!("{}", sim.story()) };
        sim.refuse(name);
        assert!(refused.insert(name));
        assert_eq!(sim.state(), state);
    }
    let last = ["a", "b", "c", "d"].into_iter().find(|name| !refused.contains(name)).unwrap();
    assert!(matches!(pick(&mut sim, 1), Pick::Queue));
    sim.accept(last);
    assert_eq!(sim.state(), Connectivity::Ready);
    assert_eq!(homes(&mut sim, 10), [last; 10]);
    sim.finish();
}

#[test]
fn when_all_have_failed_a_call_is_told_of_its_own_endpoint_and_how_many_more() {
    let hash = hash_preferring(&ABC, &["b"]);
    let mut sim = connected(&ABC);
    for name in ABC {
        sim.sicken(name, &format!("{name} is draining"));
    }
    let Pick::Fail(failure) = pick(&mut sim, hash) else { panic!("{:?}", sim.state()) };
    assert_eq!(failure.at(sim.now()).to_string(), "b b is draining; and 2 more");
    let Pick::Fail(_) = sim.pick() else { panic!("a call without a hash fails as well") };
    sim.finish();
}

#[test]
fn the_only_endpoint_fails_alone() {
    let mut sim = resolved(&["a"]);
    pick(&mut sim, 0);
    sim.refuse("a");
    assert_eq!(sim.state(), Connectivity::TransientFailure);
    let Pick::Fail(failure) = pick(&mut sim, 0) else { panic!("{:?}", sim.state()) };
    assert_eq!(failure.at(sim.now()).to_string(), "a connection refused (next attempt in 1.0s)");
    sim.advance(Duration::from_secs(1));
    sim.accept("a");
    assert_eq!(call(&mut sim, 0).as_deref(), Some("a"));
}

#[test]
fn a_connection_that_ends_is_made_anew_when_a_call_wants_it() {
    let mut sim = connected(&["a"]);
    sim.close("a");
    assert_eq!(sim.state(), Connectivity::Idle);
    sim.quiet();
    assert!(is(&sim, "a", Connectivity::Idle));
    assert_eq!(pick(&mut sim, 7), Pick::Queue);
    assert_eq!(sim.state(), Connectivity::Connecting);
    sim.accept("a");
    assert_eq!(call(&mut sim, 7).as_deref(), Some("a"));
}

#[test]
fn an_endpoint_has_its_other_addresses_to_fall_back_on() {
    let mut sim = resolved_to(&[endpoint(&["a1", "a2"]), endpoint(&["b"])], by_user());
    let hash = (0..100).map(mix).find(|hash| {
        let mut fresh = resolved_to(&[endpoint(&["a1", "a2"]), endpoint(&["b"])], by_user());
        pick(&mut fresh, *hash);
        is(&fresh, "a1", Connectivity::Connecting)
    });
    let hash = hash.unwrap();
    pick(&mut sim, hash);
    sim.refuse("a1");
    assert_eq!((pick(&mut sim, hash), sim.state()), (Pick::Queue, Connectivity::Connecting));
    sim.accept("a2");
    assert_eq!(call(&mut sim, hash).as_deref(), Some("a2"));
}

#[test]
fn calls_of_one_user_go_to_one_endpoint() {
    let mut sim = connected(&ABC);
    let users: Vec<String> = (0..200).map(|n| format!("user-{n}")).collect();
    let first: Vec<_> = users.iter().map(|user| call_of(&mut sim, &[user]).unwrap()).collect();
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 3);
    let again: Vec<_> = users.iter().map(|user| call_of(&mut sim, &[user]).unwrap()).collect();
    assert_eq!(first, again);
}

#[test]
fn several_values_count_as_one_with_commas() {
    let mut sim = connected(&ABC);
    for n in 0..200 {
        let [one, two] = [format!("{n}"), format!("{n}{n}")];
        let joined = call_of(&mut sim, &[&format!("{one},{two}")]);
        assert_eq!(call_of(&mut sim, &[&one, &two]), joined);
    }
    let empty: BTreeSet<_> = (0..200).map(|_| call_of(&mut sim, &["", ""]).unwrap()).collect();
    assert_eq!(empty.len(), 1, "two empty values make a comma");
}

#[test]
fn a_hash_from_the_config_selector_comes_before_the_header() {
    let mut sim = connected(&ABC);
    let (hash, user) = (hash_preferring(&ABC, &["c"]), User(&["ann"]));
    for _ in 0..50 {
        let mut args: PickArgs<'_> = hashed(&sim, hash);
        args.metadata = &user;
        assert_eq!(sim.served_by_with(&args).as_deref(), Some("c"));
    }
}

#[test]
fn calls_without_the_header_use_what_is_ready_and_wake_one_endpoint_at_a_time() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let mut sim = resolved(&names);
    assert_eq!(sim.pick(), Pick::Queue);
    assert_eq!((sim.pick(), sim.subchannels().count()), (Pick::Queue, 1));
    while sim.usable().count() < names.len() {
        let connecting: Vec<_> = names.into_iter().filter(|name| is(&sim, name, Connectivity::Connecting)).collect();
        assert!(connecting.len() <= 1, "{connecting:?} connect together");
        connecting.iter().for_each(|name| sim.accept(name));
        assert!(sim.served_by().is_some(), "a call waits although there is a connection");
    }
    let served: Vec<_> = (0..6_000).map(|_| sim.served_by().unwrap()).collect();
    let shares = shares(&served);
    assert!(shares.len() == 6 && shares.values().all(|share| (0.12..0.22).contains(share)), "{shares:?}");
    // An empty header is none.
    let empty: BTreeSet<_> = (0..200).map(|_| call_of(&mut sim, &[""]).unwrap()).collect();
    assert_eq!(empty.len(), 6);
    sim.finish();
}

#[test]
fn a_call_that_cannot_have_a_hash_is_dropped_and_told_why() {
    let mut sim = connected_to(&plain(&ABC), config(&json!({})));
    assert_eq!(
        sim.pick(),
        Pick::Drop(Status::new(
            Code::Internal,
            "ring_hash has no hash for this call: its configuration has no requestHashHeader, and the config selector \
             gave no hash"
        ))
    );
    // A new configuration leaves ring and connections alone.
    let homes_before = homes(&mut sim, 100);
    sim.resolve_to(Resolution { endpoints: plain(&ABC).into(), config: Some(by_user()) }).unwrap();
    assert_eq!(homes(&mut sim, 100), homes_before);
    assert!(sim.served_by().is_some());
}

fn weighing(name: &str, weight: u32) -> Endpoint {
    endpoint(&[name]).with(Weight::new(weight))
}

fn large_ring() -> Arc<dyn AnyConfig> {
    let (min_ring_size, max_ring_size) = (65_536, 65_536);
    Arc::new(Config { min_ring_size, max_ring_size, request_hash_header: Some("user".into()) })
}

#[test]
fn each_endpoint_gets_calls_as_it_weighs() {
    let weights = [("a", 1), ("b", 2), ("c", 3), ("d", 14)];
    let mut sim = connected_to(&weights.map(|(name, weight)| weighing(name, weight)), large_ring());
    let hashed = homes(&mut sim, 100_000);
    let random: Vec<_> = (0..100_000).map(|_| sim.served_by().unwrap()).collect();
    for served in [hashed, random] {
        let shares = shares(&served);
        for (name, weight) in weights {
            let expected = f64::from(weight) / 20.0;
            // Three deviations of calls and places each: a few percent.
            let (calls, places) = (100_000.0 * expected, 65_536.0 * expected);
            let bound = 3.0 * (1.0 / calls + 1.0 / places).sqrt();
            assert!((shares[name] / expected - 1.0).abs() < bound, "{name}: {shares:?}");
        }
    }
}

#[test]
fn a_new_weight_moves_calls_and_no_connection() {
    let mut sim = connected_to(&[weighing("a", 1), weighing("b", 1)], large_ring());
    let attempts = sim.log().len();
    let endpoints = [weighing("a", 3), weighing("b", 0)];
    sim.resolve_to(Resolution { endpoints: endpoints.into(), config: None }).unwrap();
    let share = shares(&homes(&mut sim, 10_000))["a"];
    assert!((0.73..0.77).contains(&share), "a has {share}, b's weight of zero is one");
    assert_eq!(sim.log().len(), attempts);
}

#[test]
fn an_endpoint_that_is_listed_several_times_weighs_as_much_together() {
    let twice = [weighing("a", 1), weighing("b", 2), weighing("a", u32::MAX), weighing("b", u32::MAX)];
    let mut sim = connected_to(&twice, large_ring());
    let share = shares(&homes(&mut sim, 10_000))["a"];
    assert!((0.48..0.52).contains(&share), "{share}");
    assert_eq!(sim.subchannels().count(), 2);
    sim.finish();
}

#[test]
fn a_backend_that_moves_keeps_its_calls_if_it_keeps_its_hash_key() {
    let pod = |n: u32, address: &str| endpoint(&[address]).with(HashKey::new(format!("pod-{n}")));
    let mut sim = connected_to(&[pod(0, "a"), pod(1, "b"), pod(2, "c")], by_user());
    let before = homes(&mut sim, 500);
    let moved = [pod(0, "a"), pod(1, "new"), pod(2, "c")];
    sim.resolve_to(Resolution { endpoints: moved.into(), config: None }).unwrap();
    let hash = (0..500).find(|n| before[*n as usize] == "b").map(mix).unwrap();
    assert_eq!(pick(&mut sim, hash), Pick::Queue);
    sim.accept("new");
    let after = homes(&mut sim, 500);
    assert!(before.iter().zip(&after).all(|(before, after)| if before == "b" {
        after == "new"
    } else {
        before == after
    }));
    // An empty key is none, so the first address counts.
    let unkeyed = plain(&ABC).into_iter().map(|endpoint| endpoint.with(HashKey::new(""))).collect::<Vec<_>>();
    let (mut keyed, mut plain) = (connected_to(&unkeyed, by_user()), connected(&ABC));
    assert_eq!(homes(&mut keyed, 500), homes(&mut plain, 500));
}

#[test]
fn an_endpoint_with_another_hash_key_has_other_places_and_the_same_connection() {
    let keyed = |key: &str| [endpoint(&["a"]).with(HashKey::new(key)), endpoint(&["b"]), endpoint(&["c"])];
    let mut sim = connected_to(&keyed("one"), by_user());
    let (before, attempts) = (homes(&mut sim, 500), sim.log().len());
    sim.resolve_to(Resolution { endpoints: keyed("two").into(), config: None }).unwrap();
    let after = homes(&mut sim, 500);
    assert_eq!(after, homes(&mut connected_to(&keyed("two"), by_user()), 500));
    assert!(before != after && sim.log().len() == attempts);
}

#[test]
fn a_thousand_endpoints_wait_until_they_are_wanted() {
    let names: Vec<String> = (0..1_000).map(|n| format!("backend-{n}")).collect();
    let mut sim = resolved(&names.iter().map(String::as_str).collect::<Vec<_>>());
    (0..5).for_each(|n| assert_eq!(pick(&mut sim, mix(n)), Pick::Queue));
    assert_eq!(sim.subchannels().count(), 5);
    sim.finish();
}

#[test]
fn of_two_endpoints_with_one_hash_key_the_second_stands_by() {
    let keyed = |name: &str| endpoint(&[name]).with(HashKey::new("one"));
    let mut sim = resolved_to(&[keyed("b"), keyed("a")], by_user());
    assert_eq!(pick(&mut sim, 5), Pick::Queue);
    sim.accept("a");
    assert!(homes(&mut sim, 100).iter().all(|home| home == "a"));
    sim.sicken("a", "draining");
    assert_eq!(sim.subchannels().count(), 2);
    sim.accept("b");
    assert!(homes(&mut sim, 100).iter().all(|home| home == "b"));
    sim.finish();
}

#[test]
fn endpoints_for_which_the_ring_has_no_place_are_left_alone() {
    let small = config(&json!({ "minRingSize": 2, "maxRingSize": 2, "requestHashHeader": "user" }));
    let mut sim = connected(&["a", "b", "c", "d"]);
    sim.resolve_to(Resolution { endpoints: plain(&["a", "b", "c", "d"]).into(), config: Some(small) }).unwrap();
    assert_eq!(sim.subchannels().count(), 2);
    let served = homes(&mut sim, 100).into_iter().collect::<BTreeSet<_>>();
    assert_eq!(served.len(), 2);
    for name in &served {
        sim.sicken(name, "draining");
    }
    assert_eq!(sim.state(), Connectivity::TransientFailure);
    assert!(matches!(sim.pick(), Pick::Fail(_)));
    sim.finish();
}

#[test]
fn no_endpoints_are_rejected_and_fail_calls() {
    let mut sim = connected(&["a"]);
    for nothing in [&[][..], &[&[][..]]] {
        assert_eq!(sim.resolve(nothing), Err(Rejected));
        let status = Status::unavailable("the resolver returned no addresses");
        assert_eq!(pick(&mut sim, 0), Pick::Fail(Failure::Status(status)));
    }
    sim.resolver_fails(Status::unavailable("no such name"));
    assert_eq!(pick(&mut sim, 0), Pick::Fail(Failure::Status(Status::unavailable("no such name"))));
    sim.resolve(&[&["a"]]).unwrap();
    assert_eq!((pick(&mut sim, 0), sim.state()), (Pick::Queue, Connectivity::Connecting));
    sim.resolver_fails(Status::unavailable("no such name"));
    sim.accept("a");
    assert_eq!(call(&mut sim, 0).as_deref(), Some("a"));
    sim.finish();
}

fn parsed(config: &Value) -> Config {
    let choice = Policies::builtin().choose(&json!([{ "ring_hash_experimental": config }])).unwrap();
    choice.config.downcast_ref::<Config>().unwrap().clone()
}

#[test]
fn the_configurations_of_grpc_gos_tests_mean_the_same() {
    let sizes = |min_ring_size, max_ring_size| Config { min_ring_size, max_ring_size, request_hash_header: None };
    for (config, expected) in [
        (json!({}), sizes(1024, 4096)),
        (json!({ "minRingSize": 1, "maxRingSize": 2 }), sizes(1, 2)),
        (json!({ "minRingSize": 2000 }), sizes(2000, 4096)),
        (json!({ "minRingSize": "1", "maxRingSize": "6000" }), sizes(1, 4096)),
        (json!({ "minRingSize": 5000, "maxRingSize": 6000 }), sizes(4096, 4096)),
        (json!({ "minRingSize": 0, "maxRingSize": 8_388_608, "unheardOf": true }), sizes(1024, 4096)),
        (json!({ "requestHashHeader": "" }), sizes(1024, 4096)),
    ] {
        assert_eq!(parsed(&config), expected, "{config}");
    }
    let header = parsed(&json!({ "requestHashHeader": "x-FOO" })).request_hash_header;
    assert_eq!(header.as_deref(), Some("x-foo"));
}

#[test]
fn the_cap_is_the_clients_to_set_under_either_name() {
    let factory = Factory::default().ring_size_cap(65_536);
    let mut policies = Policies::builtin();
    policies.register(factory).alias("ring_hash_experimental", factory);
    for name in ["ring_hash", "ring_hash_experimental"] {
        let wanted = json!([{ name: { "minRingSize": 50_000, "maxRingSize": 8_000_000 } }]);
        let config = policies.choose(&wanted).unwrap().config;
        let Config { min_ring_size, max_ring_size, .. } = *config.downcast_ref().unwrap();
        assert_eq!((min_ring_size, max_ring_size), (50_000, 65_536));
    }
}

#[test]
fn a_wrong_configuration_is_rejected_by_path() {
    let order = "minRingSize (10) must not be greater than maxRingSize (2); the defaults are 1024 and 4096";
    let key = "must be a metadata key (letters, digits, '-', '_' and '.'), found \"!invalid\"";
    for (config, expected) in [
        (json!([]), "$[0].ring_hash: expected an object, found an array".to_owned()),
        (json!({ "minRingSize": -1 }), {
            let expected = "expected a whole number from 0 to 18446744073709551615, found -1";
            format!("$[0].ring_hash.minRingSize: {expected}")
        }),
        (json!({ "minRingSize": 8_388_610, "maxRingSize": 10 }), {
            "$[0].ring_hash.minRingSize: must be at most 8388608, found 8388610".to_owned()
        }),
        (json!({ "maxRingSize": u64::MAX }), {
            format!("$[0].ring_hash.maxRingSize: must be at most 8388608, found {}", u64::MAX)
        }),
        (json!({ "minRingSize": 10, "maxRingSize": 2 }), format!("$[0].ring_hash.maxRingSize: {order}")),
        (json!({ "minRingSize": 5000 }), {
            let order = order.replace("(10)", "(5000)").replace("(2)", "(4096)");
            format!("$[0].ring_hash.minRingSize: {order}")
        }),
        (json!({ "requestHashHeader": 1 }), "$[0].ring_hash.requestHashHeader: expected a string, found 1".to_owned()),
        (json!({ "requestHashHeader": "!invalid" }), format!("$[0].ring_hash.requestHashHeader: {key}")),
        (json!({ "requestHashHeader": "x-Bin" }), {
            let binary = "must not be the key of a binary header (\"-bin\"), found \"x-bin\"";
            format!("$[0].ring_hash.requestHashHeader: {binary}")
        }),
    ] {
        let rejected = Policies::builtin().choose(&json!([{ "ring_hash": config }])).unwrap_err();
        assert_eq!(rejected.to_string(), expected);
    }
}
