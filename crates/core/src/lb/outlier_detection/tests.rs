//! The algorithms, by numbers; the policy's stories are in `tests/it`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    Config, Factory,
    calls::{Calls, Counter},
    outliers::{by_failure_percentage, by_success_rate},
};
use crate::{
    lb::{
        picker::{CallEnd, CallObserver},
        registry::{Policies, PolicyFactory},
    },
    status::Code,
};

fn config(mut config: Value) -> Config {
    config["childPolicy"] = json!([{ "round_robin": {} }]);
    let parsed = Factory.parse(&config, &Policies::builtin()).unwrap();
    parsed.downcast_ref::<Config>().unwrap().clone()
}

/// Of a hundred calls to each endpoint, these many fail.
fn hundreds(failed: &[u64]) -> Vec<Calls> {
    failed.iter().map(|failed| Calls { succeeded: 100 - failed, failed: *failed }).collect()
}

fn unsuccessful(rule: &Value, calls: &[Calls]) -> Vec<usize> {
    let rule = config(json!({ "successRateEjection": rule })).success_rate_ejection.unwrap();
    by_success_rate(&rule, calls).into_iter().map(|outlier| outlier.place).collect()
}

fn failing(rule: &Value, calls: &[Calls]) -> Vec<usize> {
    let rule = config(json!({ "failurePercentageEjection": rule })).failure_percentage_ejection.unwrap();
    by_failure_percentage(&rule, calls).into_iter().map(|outlier| outlier.place).collect()
}

#[test]
fn a_success_rate_is_held_against_the_mean_and_the_standard_deviation() {
    // The rates' mean is 0.76 and their standard deviation 0.2653: required are 0.256, 0.229 and 0.76.
    let calls = hundreds(&[5, 5, 10, 25, 75]);
    assert_eq!(unsuccessful(&json!({}), &calls), [4]);
    assert_eq!(unsuccessful(&json!({ "stdevFactor": 2_000 }), &calls), [0; 0]);
    assert_eq!(unsuccessful(&json!({ "stdevFactor": 0 }), &calls), [3, 4]);
}

#[test]
fn equals_are_no_outliers_however_bad_they_are() {
    assert_eq!(unsuccessful(&json!({ "stdevFactor": 0 }), &hundreds(&[90, 90, 90, 90, 90])), [0; 0]);
}

#[test]
fn who_has_too_few_calls_neither_counts_nor_is_judged() {
    let mut calls = hundreds(&[0, 0, 0, 0, 100]);
    calls.insert(0, Calls { succeeded: 0, failed: 99 });
    assert_eq!(unsuccessful(&json!({}), &calls), [5]);
    assert_eq!(failing(&json!({ "requestVolume": 100 }), &calls), [5]);
    assert_eq!(unsuccessful(&json!({ "minimumHosts": 6 }), &calls), [0; 0]);
    assert_eq!(failing(&json!({ "requestVolume": 100, "minimumHosts": 6 }), &calls), [0; 0]);
}

#[test]
fn only_more_failures_than_the_threshold_make_an_outlier() {
    assert_eq!(failing(&json!({}), &hundreds(&[0, 84, 85, 86, 100])), [3, 4]);
    assert_eq!(failing(&json!({ "threshold": 100 }), &hundreds(&[100, 100, 100, 100, 100])), [0; 0]);
    assert_eq!(failing(&json!({ "threshold": 0 }), &hundreds(&[0, 1, 0, 0, 0])), [1]);
}

#[test]
fn without_calls_there_is_nothing_to_judge_whatever_the_volume() {
    let nothing = [Calls::default(); 5];
    let rule = json!({ "requestVolume": 0, "threshold": 0, "stdevFactor": 0, "minimumHosts": 0 });
    assert_eq!(unsuccessful(&rule, &nothing), [0; 0]);
    assert_eq!(failing(&rule, &nothing), [0; 0]);
    assert_eq!((unsuccessful(&rule, &[]), failing(&rule, &[])), (vec![], vec![]));
}

#[test]
fn an_ejection_takes_longer_each_time_and_never_overflows() {
    let config = config(json!({ "baseEjectionTime": "30s", "maxEjectionTime": "100s" }));
    let seconds = [1, 2, 3, 4, u32::MAX].map(|times| config.ejection_time(times).as_secs());
    assert_eq!(seconds, [30, 60, 90, 100, 100]);
}

#[test]
#[allow(clippy::disallowed_methods)] // A call must end some time.
fn every_end_is_counted_once_and_everything_but_ok_is_a_failure() {
    let counter = Arc::new(Counter::default());
    let at = Instant::now();
    let end = |code| CallEnd::new(code, at, Duration::ZERO);
    for code in [Code::Ok, Code::Ok, Code::Unavailable, Code::Cancelled] {
        counter.end(&end(code));
    }
    assert_eq!(counter.take(), Calls { succeeded: 2, failed: 2 });
    assert_eq!(counter.take(), Calls::default());
}
