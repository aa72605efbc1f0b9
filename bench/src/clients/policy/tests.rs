//! Every policy can be measured.

use std::time::Duration;

use super::{names, pick, ready, update};
use crate::{error::Error, sample::Metric};

#[test]
fn every_policy_serves_all_calls_and_is_measured() {
    for name in names() {
        let sample = pick(&name, 25, 2, Duration::from_millis(2)).unwrap_or_else(|error| panic!("{error}"));
        assert!(sample.get(Metric::PickNs) > Some(0.0) && sample.get(Metric::CallNs) > Some(0.0), "{name}: {sample}");
        assert!(ready(&name, 25).unwrap().get(Metric::ReadyMs).is_some());
        assert!(update(&name, 25).unwrap().get(Metric::UpdateMs).is_some());
    }
}

#[test]
fn an_unknown_policy_is_named() {
    let error = ready("no_such", 10).unwrap_err();
    assert!(matches!(&error, Error::NoSuchPolicy(name) if name == "no_such"), "{error}");
}
