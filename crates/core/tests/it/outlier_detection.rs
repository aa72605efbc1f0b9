//! Stories of `outlier_detection`.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use thalweg_core::{
    connectivity::Connectivity,
    endpoint::Endpoint,
    json::ConfigError,
    lb::{
        AnyConfig, Cx, Event, Health, LbPolicy, Pick, Picker, Rejected, Resolution, SubchannelId,
        outlier_detection::{self, Config, OutlierDetection},
        pick_first,
        registry::{Policies, PolicyFactory},
    },
    status::{Code, Status},
};
use thalweg_sim::{Sim, place::endpoint, sim::Call};

/// `config` as the policy's factory reads it, with `round_robin` below unless it says otherwise.
fn parsed(mut config: Value) -> Arc<dyn AnyConfig> {
    config.as_object_mut().unwrap().entry("childPolicy").or_insert(json!([{ "round_robin": {} }]));
    outlier_detection::Factory.parse(&config, &Policies::builtin()).unwrap()
}

/// Ejects whoever fails most of at least ten calls.
fn strict(mut config: Value) -> Value {
    let rule = json!({ "minimumHosts": 1, "requestVolume": 10 });
    let fields = config.as_object_mut().unwrap();
    fields.entry("maxEjectionPercent").or_insert(json!(100));
    fields.entry("failurePercentageEjection").or_insert(rule);
    config
}

fn listed(endpoints: &[&[&str]]) -> Arc<[Endpoint]> {
    endpoints.iter().map(|names| endpoint(names)).collect()
}

/// READY, with every first address connected.
fn started(config: Value, endpoints: &[&[&str]]) -> Sim {
    let mut sim = Sim::new(OutlierDetection::default());
    sim.resolve_to(Resolution { endpoints: listed(endpoints), config: Some(parsed(config)) }).unwrap();
    endpoints.iter().for_each(|names| sim.accept(names[0]));
    sim
}

fn configure(sim: &mut Sim, config: Value, endpoints: &[&[&str]]) {
    sim.resolve_to(Resolution { endpoints: listed(endpoints), config: Some(parsed(config)) }).unwrap();
}

fn end(sim: &Sim, call: Call, failing: &[&str]) {
    let at = sim.address(call.subchannel()).map(ToString::to_string).unwrap_or_default();
    let code = if failing.contains(&at.as_str()) { Code::Unavailable } else { Code::Ok };
    call.end(code, Duration::from_millis(5));
}

/// Makes calls, of which those to `failing` fail.
fn calls(sim: &mut Sim, count: usize, failing: &[&str]) {
    for _ in 0..count {
        let call = sim.start_call().unwrap();
        end(sim, call, failing);
    }
}

/// Who serves, in alphabetical order.
fn serving(sim: &mut Sim) -> Vec<String> {
    (0..40).filter_map(|_| sim.served_by()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn seconds(sim: &mut Sim, seconds: u64) {
    sim.advance(Duration::from_secs(seconds));
}

fn error(sim: &mut Sim) -> String {
    let Pick::Fail(failure) = sim.pick() else { panic!("{:?}", sim.state()) };
    failure.at(sim.now()).to_string()
}

const ABC: &[&[&str]] = &[&["a"], &["b"], &["c"]];

#[test]
fn an_endpoint_whose_calls_fail_is_ejected_at_the_end_of_the_interval_and_comes_back() {
    let mut sim = started(strict(json!({})), ABC);
    calls(&mut sim, 60, &["a"]);
    seconds(&mut sim, 9);
    assert_eq!(serving(&mut sim), ["a", "b", "c"]);
    seconds(&mut sim, 1);
    assert_eq!(serving(&mut sim), ["b", "c"]);
    seconds(&mut sim, 29);
    assert_eq!(serving(&mut sim), ["b", "c"]);
    seconds(&mut sim, 1);
    assert_eq!(serving(&mut sim), ["a", "b", "c"]);
    assert_eq!(sim.log().iter().filter(|line| line.contains("connect")).count(), 3, "connections stay");
    sim.finish();
}

#[test]
fn when_all_are_ejected_a_call_is_told_why_of_each() {
    let mut sim = started(strict(json!({})), &[&["a"], &["b"]]);
    calls(&mut sim, 40, &["a", "b"]);
    seconds(&mut sim, 10);
    assert_eq!(sim.state(), Connectivity::TransientFailure);
    let each = "ejected by outlier detection (20 of 20 calls failed, and 85% may fail)";
    let mut told: Vec<_> = error(&mut sim).split("; ").map(str::to_owned).collect();
    told.sort();
    assert_eq!(told, [format!("a {each}"), format!("b {each}")]);
    sim.finish();
}

#[test]
fn each_ejection_is_longer_than_the_last_up_to_the_longest_and_good_intervals_are_rewarded() {
    let mut sim = started(strict(json!({ "baseEjectionTime": "20s", "maxEjectionTime": "50s" })), ABC);
    let ejected_for = |sim: &mut Sim| {
        calls(sim, 60, &["a"]);
        seconds(sim, 10);
        let still_ejected = |sim: &mut Sim| {
            let ejected = serving(sim) == ["b", "c"];
            seconds(sim, if ejected { 10 } else { 0 });
            ejected
        };
        10 * (0..20).take_while(|_| still_ejected(sim)).count()
    };
    assert_eq!([ejected_for(&mut sim), ejected_for(&mut sim), ejected_for(&mut sim)], [20, 40, 50]);
    // Back at three times at the end of the last one. Two intervals without an ejection leave one.
    seconds(&mut sim, 20);
    assert_eq!(ejected_for(&mut sim), 40);
    seconds(&mut sim, 1_000);
    assert_eq!(ejected_for(&mut sim), 20);
    sim.finish();
}

#[test]
fn the_longest_ejection_is_never_shorter_than_the_first() {
    let mut sim = started(strict(json!({ "baseEjectionTime": "30s", "maxEjectionTime": "1s" })), ABC);
    calls(&mut sim, 60, &["a"]);
    seconds(&mut sim, 39);
    assert_eq!(serving(&mut sim), ["b", "c"]);
    seconds(&mut sim, 1);
    assert_eq!(serving(&mut sim), ["a", "b", "c"]);
}

#[test]
fn an_endpoint_far_below_the_others_success_is_ejected() {
    let five: &[&[&str]] = &[&["a"], &["b"], &["c"], &["d"], &["e"]];
    // 0, 1, 1, 1, 1: the mean is 0.8, the standard deviation 0.4.
    for (factor, ejected) in [(1_900, true), (2_000, false)] {
        let rule = json!({ "successRateEjection": { "requestVolume": 10, "stdevFactor": factor } });
        let mut sim = started(rule, five);
        calls(&mut sim, 100, &["a"]);
        seconds(&mut sim, 10);
        assert_eq!(serving(&mut sim).len(), if ejected { 4 } else { 5 });
        sim.finish();
    }
}

#[test]
fn no_more_endpoints_are_ejected_than_allowed_but_one_at_least_unless_none_is() {
    let names: Vec<String> = (0..10).map(|n| format!("backend-{n}")).collect();
    let endpoints: Vec<Vec<&str>> = names.iter().map(|name| vec![name.as_str()]).collect();
    let endpoints: Vec<&[&str]> = endpoints.iter().map(Vec::as_slice).collect();
    let failing: Vec<&str> = names.iter().take(7).map(String::as_str).collect();
    for (percent, left) in [(0, 10), (1, 9), (10, 9), (25, 7), (30, 7), (69, 3), (100, 3)] {
        let mut sim = started(strict(json!({ "maxEjectionPercent": percent })), &endpoints);
        calls(&mut sim, 200, &failing);
        seconds(&mut sim, 10);
        assert_eq!(serving(&mut sim).len(), left, "{percent}%");
        sim.finish();
    }
}

#[test]
fn who_is_spared_when_too_many_would_go_is_a_matter_of_chance() {
    let mut spared = BTreeSet::new();
    for seed in 0..50 {
        let mut sim = Sim::seeded(seed, OutlierDetection::default());
        let config = Some(parsed(strict(json!({ "maxEjectionPercent": 1 }))));
        sim.resolve_to(Resolution { endpoints: listed(ABC), config }).unwrap();
        ["a", "b", "c"].iter().for_each(|name| sim.accept(name));
        calls(&mut sim, 60, &["a", "b"]);
        seconds(&mut sim, 10);
        spared.insert(serving(&mut sim));
    }
    assert_eq!(spared, BTreeSet::from([vec!["a".to_owned(), "c".into()], vec!["b".into(), "c".into()]]));
}

#[test]
fn an_outlier_is_ejected_with_the_chance_that_is_configured() {
    let ejected = |percent: u32| {
        let rule = json!({ "minimumHosts": 1, "requestVolume": 1, "enforcementPercentage": percent });
        let config = parsed(strict(json!({ "failurePercentageEjection": rule })));
        let ejected = |seed: &u64| {
            let mut sim = Sim::seeded(*seed, OutlierDetection::default());
            let update = Resolution { endpoints: listed(&[&["a"]]), config: Some(Arc::clone(&config)) };
            sim.resolve_to(update).unwrap();
            sim.accept("a");
            calls(&mut sim, 1, &["a"]);
            seconds(&mut sim, 10);
            sim.state() == Connectivity::TransientFailure
        };
        (0..400).filter(ejected).count()
    };
    assert_eq!((ejected(0), ejected(100)), (0, 400));
    // 120 are expected, with a standard deviation of 9.
    let some = ejected(30);
    assert!((75..=165).contains(&some), "{some}");
}

#[test]
fn too_few_calls_and_too_few_endpoints_with_enough_of_them_eject_nobody() {
    for (volume, hosts, left) in [(20, 3, 2), (21, 3, 3), (20, 4, 3)] {
        for rule in ["failurePercentageEjection", "successRateEjection"] {
            let rule = json!({ rule: { "requestVolume": volume, "minimumHosts": hosts, "stdevFactor": 1_000 } });
            let mut sim = started(rule, ABC);
            calls(&mut sim, 60, &["a"]);
            seconds(&mut sim, 10);
            assert_eq!(serving(&mut sim).len(), left);
        }
    }
}

#[test]
fn only_the_calls_of_the_last_interval_count() {
    let mut sim = started(strict(json!({})), ABC);
    calls(&mut sim, 27, &["a"]);
    seconds(&mut sim, 10);
    calls(&mut sim, 27, &["a"]);
    seconds(&mut sim, 10);
    assert_eq!(serving(&mut sim), ["a", "b", "c"], "nine calls in each interval");
    calls(&mut sim, 30, &["a"]);
    seconds(&mut sim, 10);
    assert_eq!(serving(&mut sim), ["b", "c"]);
}

#[test]
fn success_rates_come_first_and_an_endpoint_is_ejected_once_for_both() {
    let both = json!({
        "baseEjectionTime": "10s",
        "successRateEjection": { "minimumHosts": 1, "requestVolume": 10, "stdevFactor": 1_000 },
    });
    let mut sim = started(strict(both), ABC);
    calls(&mut sim, 60, &["a"]);
    seconds(&mut sim, 10);
    assert!(format!("{sim:?}").contains("calls failed, and 19.5% must succeed"), "{sim:?}");
    seconds(&mut sim, 10);
    assert_eq!(serving(&mut sim), ["a", "b", "c"], "ejected once: for 10 s, not for 20");
}

#[test]
fn calls_that_were_in_flight_make_no_ejection_longer() {
    let mut sim = started(strict(json!({ "baseEjectionTime": "20s" })), ABC);
    let in_flight: Vec<_> = (0..60).map(|_| sim.start_call().unwrap()).collect();
    calls(&mut sim, 60, &["a"]);
    seconds(&mut sim, 10);
    in_flight.into_iter().for_each(|call| end(&sim, call, &["a"]));
    seconds(&mut sim, 20);
    assert_eq!(serving(&mut sim), ["a", "b", "c"]);
    sim.finish();
}

#[test]
fn without_an_algorithm_no_call_is_counted_and_no_timer_runs() {
    let mut sim = started(json!({}), ABC);
    calls(&mut sim, 300, &["a"]);
    seconds(&mut sim, 100);
    assert_eq!(serving(&mut sim), ["a", "b", "c"]);
    assert!(!sim.story().contains("observe the calls") && !sim.story().contains("Timer"), "{}", sim.story());
    // With one, counting begins now, and so does the interval.
    configure(&mut sim, strict(json!({})), ABC);
    assert_eq!(sim.story().matches("observe the calls").count(), 3);
    calls(&mut sim, 60, &["a"]);
    seconds(&mut sim, 9);
    assert_eq!(serving(&mut sim), ["a", "b", "c"]);
    seconds(&mut sim, 1);
    assert_eq!(serving(&mut sim), ["b", "c"]);
    sim.finish();
}

#[test]
fn a_configuration_without_an_algorithm_ends_all_ejections_and_forgets_them() {
    let mut sim = started(strict(json!({})), ABC);
    calls(&mut sim, 60, &["a"]);
    seconds(&mut sim, 10);
    assert_eq!(serving(&mut sim), ["b", "c"]);
    configure(&mut sim, json!({}), ABC);
    assert_eq!(serving(&mut sim), ["a", "b", "c"]);
    assert_eq!(sim.story().matches("    unwatch").count(), 3, "{}", sim.story());
    calls(&mut sim, 60, &["a"]);
    seconds(&mut sim, 3);
    configure(&mut sim, strict(json!({})), ABC);
    seconds(&mut sim, 10);
    assert_eq!(serving(&mut sim), ["a", "b", "c"], "nothing was counted before");
    calls(&mut sim, 60, &["a"]);
    seconds(&mut sim, 10);
    seconds(&mut sim, 30);
    assert_eq!(serving(&mut sim), ["a", "b", "c"], "it counts as the first ejection");
    sim.finish();
}

#[test]
fn an_update_leaves_the_interval_its_remaining_time() {
    let mut sim = started(strict(json!({})), ABC);
    calls(&mut sim, 60, &["a"]);
    seconds(&mut sim, 7);
    configure(&mut sim, strict(json!({ "interval": "12s" })), ABC);
    seconds(&mut sim, 4);
    assert_eq!(serving(&mut sim), ["a", "b", "c"], "11 of 12 s are over");
    sim.resolve(ABC).unwrap();
    seconds(&mut sim, 1);
    assert_eq!(serving(&mut sim), ["b", "c"]);
    // An interval that should be over by now is over at once.
    calls(&mut sim, 60, &["b"]);
    seconds(&mut sim, 7);
    configure(&mut sim, strict(json!({ "interval": "5s" })), ABC);
    seconds(&mut sim, 0);
    assert_eq!(serving(&mut sim), ["c"]);
    sim.finish();
}

#[test]
fn an_endpoint_with_several_addresses_is_ejected_as_one() {
    let endpoints: &[&[&str]] = &[&["a1", "a2"], &["b"], &["c"]];
    let mut sim = started(strict(json!({})), endpoints);
    calls(&mut sim, 15, &["a1"]);
    sim.close("a1");
    sim.refuse("a1");
    sim.accept("a2");
    calls(&mut sim, 15, &["a2"]);
    seconds(&mut sim, 10);
    assert_eq!(serving(&mut sim), ["b", "c"], "five calls failed at each address");
    sim.close("a2");
    sim.accept("a1");
    assert_eq!(serving(&mut sim), ["b", "c"], "a new connection does not help");
    seconds(&mut sim, 30);
    assert_eq!(serving(&mut sim), ["a1", "b", "c"]);
    sim.finish();
}

#[test]
fn an_update_keeps_what_is_known_of_endpoints_that_stay() {
    let mut sim = started(strict(json!({})), &[&["a1", "a2"], &["b"], &["c"]]);
    calls(&mut sim, 60, &["a1"]);
    sim.resolve(&[&["c"], &["a2", "a1"]]).unwrap();
    seconds(&mut sim, 10);
    assert_eq!(serving(&mut sim), ["c"], "the calls before the update count");
    sim.resolve(&[&["c"], &["a1", "a2"], &["b"]]).unwrap();
    sim.accept("b");
    assert_eq!(serving(&mut sim), ["b", "c"], "the ejection lasts");
    sim.resolve(&[&["c"]]).unwrap();
    sim.resolve(&[&["c"], &["a1", "a2"]]).unwrap();
    sim.accept("a1");
    assert_eq!(serving(&mut sim), ["a1", "c"], "who was gone begins anew");
    sim.finish();
}

#[test]
fn a_connection_whose_address_moves_to_another_endpoint_shares_its_fate() {
    let mut sim = Sim::new(OutlierDetection::default());
    let config = Some(overheard(json!({}), || Box::new(pick_first::leaf())));
    sim.resolve_to(Resolution { endpoints: listed(&[&["a", "b"]]), config }).unwrap();
    sim.accept("a");
    assert_eq!(told(&sim, "a"), Some(Health::Serving));
    calls(&mut sim, 60, &["a"]);
    seconds(&mut sim, 10);
    assert!(matches!(told(&sim, "a"), Some(Health::NotServing(_))));
    sim.resolve(&[&["a"]]).unwrap();
    assert_eq!(told(&sim, "a"), Some(Health::Serving), "[a] is another endpoint than [a, b]");
    sim.resolve(&[&["a", "b"]]).unwrap();
    assert_eq!(told(&sim, "a"), Some(Health::Serving), "and [a, b] has begun anew");
    sim.finish();
}

#[test]
fn a_connection_whose_address_several_endpoints_have_shares_the_fate_of_the_first() {
    let mut sim = Sim::new(OutlierDetection::default());
    let config = Some(overheard(json!({}), || Box::new(pick_first::leaf())));
    sim.resolve_to(Resolution { endpoints: listed(&[&["a"]]), config }).unwrap();
    sim.accept("a");
    let (first, second): (&[&str], &[&str]) = (&["a", "z"], &["a", "b"]);
    sim.resolve(&[first, second]).unwrap();
    calls(&mut sim, 20, &["a"]);
    seconds(&mut sim, 10);
    assert!(matches!(told(&sim, "a"), Some(Health::NotServing(_))));
    sim.resolve(&[first]).unwrap();
    assert!(matches!(told(&sim, "a"), Some(Health::NotServing(_))), "the calls were those of {first:?}");
    sim.resolve(&[second]).unwrap();
    assert_eq!(told(&sim, "a"), Some(Health::Serving), "and never those of {second:?}");
    sim.finish();
}

#[test]
fn ejection_and_sickness_add_up() {
    let mut sim = started(strict(json!({})), &[&["a"], &["b"]]);
    calls(&mut sim, 40, &["a"]);
    seconds(&mut sim, 10);
    sim.sicken("b", "draining");
    let ejected = "a ejected by outlier detection (20 of 20 calls failed, and 85% may fail)";
    let told = |sim: &mut Sim| error(sim).split("; ").map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(told(&mut sim), BTreeSet::from([ejected.to_owned(), "b draining".into()]));
    sim.sicken("a", "out of memory");
    assert!(told(&mut sim).contains(&format!("{ejected}, and out of memory")), "{:?}", told(&mut sim));
    seconds(&mut sim, 30);
    assert_eq!(told(&mut sim), BTreeSet::from(["a out of memory".to_owned(), "b draining".into()]));
    sim.heal("a");
    assert_eq!(serving(&mut sim), ["a"]);
    sim.finish();
}

#[test]
fn an_ejected_endpoint_that_heals_stays_ejected() {
    let mut sim = started(strict(json!({})), &[&["a"], &["b"]]);
    calls(&mut sim, 40, &["a"]);
    sim.sicken("a", "draining");
    seconds(&mut sim, 10);
    sim.heal("a");
    assert_eq!(serving(&mut sim), ["b"]);
    seconds(&mut sim, 30);
    assert_eq!(serving(&mut sim), ["a", "b"]);
    sim.finish();
}

#[test]
fn pick_first_balances_nothing_and_minds_no_ejection() {
    let mut sim = started(strict(json!({ "childPolicy": [{ "pick_first": {} }] })), &[&["a"]]);
    calls(&mut sim, 20, &["a"]);
    seconds(&mut sim, 10);
    assert_eq!(serving(&mut sim), ["a"]);
    assert!(format!("{sim:?}").contains("ejected by outlier detection"));
    sim.finish();
}

#[test]
fn the_policy_below_changes_without_a_gap_and_ejections_last() {
    let mut sim = started(strict(json!({})), &[&["a"], &["b"]]);
    calls(&mut sim, 40, &["a"]);
    seconds(&mut sim, 10);
    let nested = json!([{ "outlier_detection_experimental": { "childPolicy": [{ "round_robin": {} }] } }]);
    configure(&mut sim, strict(json!({ "childPolicy": nested })), &[&["a"], &["b"]]);
    assert_eq!(serving(&mut sim), ["b"]);
    sim.accept("a");
    sim.accept("b");
    assert_eq!(serving(&mut sim), ["b"]);
    assert_eq!(sim.subchannels().count(), 2);
    seconds(&mut sim, 30);
    assert_eq!(serving(&mut sim), ["a", "b"]);
    sim.finish();
}

#[test]
fn no_ejection_time_ejects_nobody_and_no_interval_is_a_millisecond() {
    let mut sim = started(strict(json!({ "baseEjectionTime": "0s", "maxEjectionTime": "0s" })), ABC);
    calls(&mut sim, 60, &["a"]);
    seconds(&mut sim, 10);
    assert_eq!(serving(&mut sim), ["a", "b", "c"]);
    let mut sim = started(strict(json!({ "interval": "0s" })), ABC);
    calls(&mut sim, 60, &["a"]);
    sim.advance(Duration::from_millis(1));
    assert_eq!(serving(&mut sim), ["b", "c"]);
    sim.finish();
}

#[test]
fn without_endpoints_it_rejects_as_its_child_does_and_without_a_configuration_nobody_serves() {
    let mut sim = Sim::new(OutlierDetection::default());
    assert_eq!(sim.resolve(ABC), Err(Rejected));
    assert_eq!(error(&mut sim), "no load-balancing policy was chosen");
    let config = Some(parsed(strict(json!({}))));
    assert_eq!(sim.resolve_to(Resolution { endpoints: listed(&[]), config }), Err(Rejected));
    seconds(&mut sim, 10);
    sim.resolver_fails(Status::unavailable("no such name"));
    assert_eq!(error(&mut sim), "no such name");
    sim.finish();
}

#[test]
fn duplicate_endpoints_and_endpoints_without_addresses_count_once_and_never() {
    let endpoints: &[&[&str]] = &[&["a"], &["a"], &["b"], &[], &[]];
    let mut sim = Sim::new(OutlierDetection::default());
    let config = Some(parsed(strict(json!({ "maxEjectionPercent": 50 }))));
    sim.resolve_to(Resolution { endpoints: listed(endpoints), config }).unwrap();
    sim.accept("a");
    sim.accept("b");
    calls(&mut sim, 40, &["a", "b"]);
    seconds(&mut sim, 10);
    assert_eq!(serving(&mut sim).len(), 1, "one of two endpoints is half of them");
    sim.finish();
}

#[test]
fn its_debug_output_shows_counts_and_ejections() {
    let mut sim = started(strict(json!({})), &[&["a"], &["b"]]);
    calls(&mut sim, 40, &["a"]);
    assert!(format!("{sim:?}").contains("calls: Counter { succeeded: 0, failed: 20 }, ejection: None"), "{sim:?}");
    seconds(&mut sim, 10);
    let ejected =
        "reason: \"ejected by outlier detection (20 of 20 calls failed, and 85% may fail)\" }), times_ejected: 1";
    assert!(format!("{sim:?}").contains(ejected), "{sim:?}");
}

#[test]
fn a_configuration_has_the_defaults_of_its_specification() {
    let config = json!({ "successRateEjection": {}, "failurePercentageEjection": {} });
    let config = parsed(config);
    let config = config.downcast_ref::<Config>().unwrap();
    let times = [config.interval, config.base_ejection_time, config.max_ejection_time].map(|time| time.as_secs());
    assert_eq!((times, config.max_ejection_percent), ([10, 30, 300], 10));
    let rule = config.success_rate_ejection.unwrap();
    assert_eq!(
        [rule.stdev_factor, rule.enforcement_percentage, rule.minimum_hosts, rule.request_volume],
        [1900, 100, 5, 100]
    );
    let rule = config.failure_percentage_ejection.unwrap();
    assert_eq!(
        [rule.threshold, rule.enforcement_percentage, rule.minimum_hosts, rule.request_volume],
        [85, 100, 5, 50]
    );
    let absent = parsed(json!({ "successRateEjection": null, "unknown": 7 }));
    let absent = absent.downcast_ref::<Config>().unwrap();
    assert_eq!((absent.success_rate_ejection, absent.failure_percentage_ejection), (None, None));
}

#[test]
fn a_configuration_written_for_grpc_go_means_the_same() {
    let list = json!([{ "outlier_detection_experimental": {
        "interval": "15.5s",
        "baseEjectionTime": "10s",
        "maxEjectionTime": "200s",
        "maxEjectionPercent": 50,
        "successRateEjection": {
            "stdevFactor": 2000, "enforcementPercentage": 50, "minimumHosts": 10, "requestVolume": 50
        },
        "failurePercentageEjection": {
            "threshold": 95, "enforcementPercentage": 50, "minimumHosts": 2, "requestVolume": 40
        },
        "childPolicy": [{ "unknown": {} }, { "round_robin": {} }]
    } }]);
    let choice = Policies::builtin().choose(&list).unwrap();
    let config = choice.config.downcast_ref::<Config>().unwrap();
    let times = [config.interval, config.base_ejection_time, config.max_ejection_time].map(|time| time.as_millis());
    assert_eq!((times, config.max_ejection_percent), ([15_500, 10_000, 200_000], 50));
    let rule = config.success_rate_ejection.unwrap();
    assert_eq!(
        [rule.stdev_factor, rule.enforcement_percentage, rule.minimum_hosts, rule.request_volume],
        [2000, 50, 10, 50]
    );
    let rule = config.failure_percentage_ejection.unwrap();
    assert_eq!([rule.threshold, rule.enforcement_percentage, rule.minimum_hosts, rule.request_volume], [95, 50, 2, 40]);
    assert_eq!(config.child_policy.factory.name(), "round_robin");
    assert!(Policies::builtin().get("outlier_detection").is_some());
}

#[test]
fn a_bad_configuration_is_rejected_with_a_path_and_a_reason() {
    let child = json!([{ "round_robin": {} }]);
    for (config, error) in [
        (json!(7), "$[0].outlier_detection: expected an object, found 7"),
        (json!({}), "$[0].outlier_detection.childPolicy: this field is required"),
        (json!({ "childPolicy": [] }), "$[0].outlier_detection.childPolicy: no known policy in []"),
        (
            json!({ "childPolicy": [{ "pick_first": 7 }] }),
            "$[0].outlier_detection.childPolicy[0].pick_first: must be an object",
        ),
        (
            json!({ "childPolicy": child, "interval": "-1s" }),
            "$[0].outlier_detection.interval: expected a duration that is not negative, found \"-1s\"",
        ),
        (
            json!({ "childPolicy": child, "baseEjectionTime": 30 }),
            "$[0].outlier_detection.baseEjectionTime: expected a duration such as \"1.5s\", found 30",
        ),
        (
            json!({ "childPolicy": child, "maxEjectionTime": "315576000001s" }),
            "$[0].outlier_detection.maxEjectionTime: expected a duration of at most 315576000000s, found \"315576000001s\"",
        ),
        (
            json!({ "childPolicy": child, "maxEjectionPercent": 101 }),
            "$[0].outlier_detection.maxEjectionPercent: expected a percentage from 0 to 100, found 101",
        ),
        (
            json!({ "childPolicy": child, "successRateEjection": { "enforcementPercentage": 101 } }),
            "$[0].outlier_detection.successRateEjection.enforcementPercentage: expected a percentage from 0 to 100, found 101",
        ),
        (
            json!({ "childPolicy": child, "successRateEjection": { "stdevFactor": -1 } }),
            "$[0].outlier_detection.successRateEjection.stdevFactor: expected a whole number from 0 to 4294967295, found -1",
        ),
        (
            json!({ "childPolicy": child, "failurePercentageEjection": { "threshold": 200 } }),
            "$[0].outlier_detection.failurePercentageEjection.threshold: expected a percentage from 0 to 100, found 200",
        ),
    ] {
        let chosen = Policies::builtin().choose(&json!([{ "outlier_detection": config }]));
        assert_eq!(chosen.unwrap_err().to_string(), error);
    }
}

thread_local! {
    /// What was last told of the health of each subchannel, below.
    static TOLD: RefCell<BTreeMap<SubchannelId, Health>> = const { RefCell::new(BTreeMap::new()) };
    /// How often anybody was told of an ejection.
    static EJECTIONS: Cell<u64> = const { Cell::new(0) };
}

fn told(sim: &Sim, name: &str) -> Option<Health> {
    let (id, ..) = sim.subchannels().find(|(_, address, _)| address.to_string() == name)?;
    TOLD.with_borrow(|told| told.get(&id).cloned())
}

/// How often a policy below was told of an ejection, in this test.
pub(crate) fn ejections() -> u64 {
    EJECTIONS.get()
}

/// Do the subchannels that are well and not ejected get calls in turn, and no others?
pub(crate) fn those_not_ejected_take_turns(sim: &Sim) -> bool {
    let ejected = |id: &SubchannelId| TOLD.with_borrow(|told| matches!(told.get(id), Some(Health::NotServing(_))));
    let well: BTreeSet<_> = sim.usable().filter(|id| !ejected(id)).collect();
    let picks = well.iter().map(|_| sim.peek(&sim.args()));
    well.is_empty() == (sim.state() != Connectivity::Ready)
        && picks.map(|pick| if let Pick::Use(id) = pick { Some(id) } else { None }).collect::<BTreeSet<_>>()
            == well.iter().copied().map(Some).collect()
}

/// A configuration that hosts what `build` builds, and notes what that is told of its subchannels' health.
pub(crate) fn overheard(config: Value, build: fn() -> Box<dyn LbPolicy>) -> Arc<dyn AnyConfig> {
    let mut policies = Policies::default();
    policies.register(Overheard(build));
    let mut config = strict(config);
    config["childPolicy"] = json!([{ "overheard": {} }]);
    outlier_detection::Factory.parse(&config, &policies).unwrap()
}

#[derive(Debug)]
struct Overheard(fn() -> Box<dyn LbPolicy>);

impl PolicyFactory for Overheard {
    fn name(&self) -> &'static str {
        "overheard"
    }
    fn parse(&self, _: &Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        Ok(Arc::new(()))
    }
    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(Notes(self.0()))
    }
}

#[derive(Debug)]
struct Notes(Box<dyn LbPolicy>);

impl LbPolicy for Notes {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, update: &Resolution) -> Result<(), Rejected> {
        self.0.on_resolution(cx, update)
    }
    fn on_resolver_error(&mut self, cx: &mut Cx<'_>, error: &Status) {
        self.0.on_resolver_error(cx, error);
    }
    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        if let Event::Health(watch, health) = event {
            TOLD.with_borrow_mut(|told| told.insert(watch.of(), health.clone()));
            let ejected = matches!(health, Health::NotServing(why) if why.starts_with("ejected"));
            EJECTIONS.set(EJECTIONS.get() + u64::from(ejected));
        }
        self.0.on_event(cx, event);
    }
    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        self.0.picker(cx)
    }
    fn exit_idle(&mut self, cx: &mut Cx<'_>) {
        self.0.exit_idle(cx);
    }
    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        self.0.shutdown(cx);
    }
}
