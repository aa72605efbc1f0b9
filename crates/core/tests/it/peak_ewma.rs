//! Stories of `peak_ewma`.

use std::{
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use thalweg_core::{
    lb::{
        Resolution,
        peak_ewma::{Config, PeakEwma},
        registry::Policies,
    },
    status::Code,
};
use thalweg_sim::{Sim, place::endpoint, sim::Call};

use crate::spread::{assert_shares, counted};

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn resolve(sim: &mut Sim, names: &[&str], config: Config) {
    let endpoints = names.iter().map(|name| endpoint(&[name])).collect();
    sim.resolve_to(Resolution { endpoints, config: Some(Arc::new(config)) }).unwrap();
}

fn serving(names: &[&str]) -> Sim {
    let mut sim = Sim::new(PeakEwma::default()).uses_what_is_ready();
    resolve(&mut sim, names, Config::default());
    names.iter().for_each(|name| sim.accept(name));
    sim
}

fn name(sim: &Sim, call: &Call) -> String {
    sim.address(call.subchannel()).unwrap().to_string()
}

/// A call that goes to this address; those that go elsewhere are cancelled at once, which tells the policy nothing.
fn call_to(sim: &mut Sim, wanted: &str) -> Call {
    for _ in 0..100_000 {
        let call = sim.start_call().unwrap();
        if name(sim, &call) == wanted {
            return call;
        }
        call.end(Code::Cancelled, Duration::ZERO);
    }
    panic!("no call goes to {wanted}");
}

/// A call in flight, by the time of its end.
struct Due(Instant, String, Call);

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.0.cmp(&self.0)
    }
}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl Eq for Due {}

/// A call each millisecond for so long; each lasts and ends as `backend` says of its address. Counts who served.
fn traffic(sim: &mut Sim, ms: u64, backend: impl Fn(&str) -> (Duration, Code)) -> BTreeMap<String, u32> {
    let (mut counts, mut in_flight) = (BTreeMap::new(), BinaryHeap::<Due>::new());
    for _ in 0..ms {
        while in_flight.peek().is_some_and(|due| due.0 <= sim.now()) {
            let Due(_, name, call) = in_flight.pop().unwrap();
            let (latency, code) = backend(&name);
            call.end(code, latency);
        }
        let call = sim.start_call().unwrap();
        let name = name(sim, &call);
        *counts.entry(name.clone()).or_default() += 1;
        in_flight.push(Due(sim.now() + backend(&name).0, name, call));
        sim.advance(millis(1));
    }
    for Due(_, name, call) in in_flight {
        let (latency, code) = backend(&name);
        call.end(code, latency);
    }
    counts
}

fn share(counts: &BTreeMap<String, u32>, name: &str) -> f64 {
    f64::from(counts.get(name).copied().unwrap_or(0)) / f64::from(counts.values().sum::<u32>())
}

#[test]
fn with_nothing_known_every_endpoint_is_as_likely_as_the_others() {
    let mut sim = serving(&["a", "b", "c", "d", "e"]);
    assert_shares(&counted(&sim), &["a", "b", "c", "d", "e"].map(|name| (name, 0.2)));
    sim.close("e");
    assert_shares(&counted(&sim), &["a", "b", "c", "d"].map(|name| (name, 0.25)));
    sim.finish();
}

#[test]
fn one_endpoint_alone_gets_every_call() {
    let mut sim = serving(&["a", "b"]);
    sim.close("b");
    call_to(&mut sim, "a").end(Code::Ok, Duration::from_secs(60));
    assert_shares(&counted(&sim), &[("a", 1.0)]);
}

#[test]
fn of_two_different_endpoints_the_one_with_the_lower_latency_is_picked() {
    let mut sim = serving(&["a", "b", "c", "d"]);
    for (name, ms) in [("d", 400), ("c", 300), ("b", 200)] {
        call_to(&mut sim, name).end(Code::Ok, millis(ms));
    }
    sim.advance(millis(400));
    // The rank among four: each beats those that are worse, in one of six pairs.
    assert_shares(&counted(&sim), &[("a", 3.0 / 6.0), ("b", 2.0 / 6.0), ("c", 1.0 / 6.0), ("d", 0.0)]);
    sim.finish();
}

#[test]
fn calls_in_flight_make_an_endpoint_cost_more() {
    let mut sim = serving(&["a", "b", "c"]);
    let calls = [call_to(&mut sim, "b"), call_to(&mut sim, "c"), call_to(&mut sim, "a")];
    assert_shares(&counted(&sim), &["a", "b", "c"].map(|name| (name, 1.0 / 3.0)));
    let [_b, _c, a] = calls;
    a.end(Code::Ok, millis(20));
    sim.advance(millis(20));
    assert_shares(&counted(&sim), &[("a", 2.0 / 3.0), ("b", 1.0 / 6.0), ("c", 1.0 / 6.0)]);
}

#[test]
fn one_slow_call_is_enough_to_notice_and_fast_ones_restore_trust_little_by_little() {
    let mut sim = serving(&["a", "b"]);
    call_to(&mut sim, "b").end(Code::Ok, millis(500));
    sim.advance(millis(500));
    assert_shares(&counted(&sim), &[("a", 1.0), ("b", 0.0)]);
    let fast = |_: &str| (millis(2), Code::Ok);
    assert!(share(&traffic(&mut sim, 5_000, fast), "b") < 0.01);
    let trusted = traffic(&mut sim, 120_000, fast);
    assert!(share(&trusted, "b") > 0.25, "{trusted:?}");
    let lately = traffic(&mut sim, 20_000, fast);
    assert!((0.45..0.55).contains(&share(&lately, "b")), "{lately:?}");
}

#[test]
fn a_backend_that_is_ten_times_slower_gets_few_calls() {
    let mut sim = serving(&["a", "b", "c", "slow"]);
    let counts = traffic(&mut sim, 30_000, |name| (millis(if name == "slow" { 100 } else { 10 }), Code::Ok));
    assert!((0.0001..0.05).contains(&share(&counts, "slow")), "{counts:?}");
    for name in ["a", "b", "c"] {
        assert!((0.25..0.45).contains(&share(&counts, name)), "{counts:?}");
    }
}

#[test]
fn a_slow_endpoint_is_tried_again_after_a_silence_by_one_call() {
    let mut sim = serving(&["a", "b"]);
    call_to(&mut sim, "b").end(Code::Ok, millis(500));
    let mut waited = 0;
    let probe = loop {
        sim.advance(millis(1_000));
        waited += 1;
        let call = sim.start_call().unwrap();
        if name(&sim, &call) == "b" {
            break call;
        }
        call.end(Code::Ok, millis(30));
        assert!(waited < 60, "nobody tries it again");
    };
    assert!(waited > 20, "500 ms fall to 30 ms in 28 s: {waited}");
    // With that its 500 ms count in full again: all others go to "a", though they pile up there.
    let others: Vec<_> = (0..10).map(|_| sim.start_call().unwrap()).collect();
    assert!(others.iter().all(|call| name(&sim, call) == "a"));
    probe.end(Code::Ok, millis(10));
}

#[test]
fn an_endpoint_that_fails_fast_does_not_look_cheap() {
    let mut sim = serving(&["a", "b", "c", "broken"]);
    let backend = |name: &str| if name == "broken" { (millis(0), Code::Unavailable) } else { (millis(20), Code::Ok) };
    traffic(&mut sim, 500, backend);
    let counts = traffic(&mut sim, 60_000, backend);
    assert!(share(&counts, "broken") < 0.005, "{counts:?}");
}

#[test]
fn answers_that_are_errors_are_no_failures() {
    for code in [Code::NotFound, Code::InvalidArgument, Code::PermissionDenied, Code::Aborted] {
        let mut sim = serving(&["a", "b"]);
        traffic(&mut sim, 2_000, |_| (millis(20), Code::Ok));
        let counts = traffic(&mut sim, 20_000, |name| (millis(20), if name == "b" { code } else { Code::Ok }));
        assert!((0.45..0.55).contains(&share(&counts, "b")), "{code}: {counts:?}");
    }
}

#[test]
fn a_cancelled_call_counts_only_if_it_took_longer_than_expected() {
    let mut sim = serving(&["a", "b"]);
    call_to(&mut sim, "b").end(Code::Cancelled, millis(29));
    assert_shares(&counted(&sim), &[("a", 0.5), ("b", 0.5)]);
    call_to(&mut sim, "b").end(Code::Cancelled, millis(31));
    assert_shares(&counted(&sim), &[("a", 1.0), ("b", 0.0)]);
}

#[test]
fn a_new_connection_begins_anew() {
    let mut sim = serving(&["a", "b"]);
    call_to(&mut sim, "b").end(Code::Unavailable, millis(500));
    assert_shares(&counted(&sim), &[("a", 1.0), ("b", 0.0)]);
    sim.close("b");
    sim.accept("b");
    assert_shares(&counted(&sim), &[("a", 0.5), ("b", 0.5)]);
    sim.finish();
}

#[test]
fn what_is_known_outlives_snapshots_and_a_new_configuration_counts_at_once() {
    let mut sim = serving(&["a", "b"]);
    call_to(&mut sim, "b").end(Code::Ok, millis(500));
    resolve(&mut sim, &["b", "a", "c"], Config { decay: millis(10), ..Config::default() });
    assert_shares(&counted(&sim), &[("a", 1.0), ("b", 0.0)]);
    // Silence now makes a stranger of "b" in less than a second; "a" has calls in flight.
    let _calls = [call_to(&mut sim, "a"), call_to(&mut sim, "a")];
    sim.advance(millis(600));
    call_to(&mut sim, "b").end(Code::Ok, millis(5));
    sim.advance(millis(5));
    assert_eq!(sim.served_by().as_deref(), Some("b"));
    sim.finish();
}

fn parsed(config: &Value) -> Result<Config, String> {
    let list = json!([{ "peak_ewma": config }]);
    let choice = Policies::builtin().choose(&list).map_err(|error| error.to_string())?;
    Ok(*choice.config.downcast_ref::<Config>().unwrap())
}

#[test]
fn its_configuration_is_durations_with_defaults() {
    let given = json!({ "defaultRtt": "0.005s", "decay": "2s", "failurePenalty": "1.5s" });
    let config = Config { default_rtt: millis(5), decay: millis(2_000), failure_penalty: millis(1_500) };
    assert_eq!(parsed(&given), Ok(config));
    let config = Config { default_rtt: millis(30), decay: millis(10_000), failure_penalty: millis(10_000) };
    assert_eq!(parsed(&json!({ "decay": null, "unknown": 1 })), Ok(config));
}

#[test]
fn a_bad_configuration_is_rejected_with_a_path_and_what_is_allowed() {
    for field in ["defaultRtt", "decay", "failurePenalty"] {
        let error = |value: Value| parsed(&json!({ field: value })).unwrap_err();
        assert_eq!(error(json!("0s")), format!("$[0].peak_ewma.{field}: must be greater than zero"));
        assert!(error(json!("-1s")).contains("not negative"));
        assert!(error(json!(30)).contains("expected a duration such as \"1.5s\", found 30"));
    }
    assert_eq!(parsed(&json!(1)).unwrap_err(), "$[0].peak_ewma: expected an object, found 1");
}
