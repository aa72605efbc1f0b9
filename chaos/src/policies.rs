//! The policies that are put to the test, and what each of them promises.

use std::time::Duration;

use crate::{backend::SERVICE, judge::Promise};

/// The longest pause between attempts to connect.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// The same with its jitter, and the time for an attempt that is under way.
const RECONNECTED: Duration = Duration::from_millis(700);
/// What any policy needs to send calls to who is ready.
const SETTLED: Duration = Duration::from_secs(1);
/// The longest ejection, and two intervals: one in which the last failures are counted, and one until it ends.
const EJECTED: Duration = Duration::from_secs(3);
/// Two intervals, of which the second sees nothing but a backend that fails half of its calls, and time for it to end.
const EJECTED_WITHIN: Duration = Duration::from_millis(1_250);

/// A policy by its name, its configuration and its promise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) name: &'static str,
    config: &'static str,
    pub(crate) promise: Promise,
}

/// One that ejects nobody.
const fn policy(name: &'static str, config: &'static str, share: f64) -> Policy {
    let after_kill = SETTLED.saturating_add(RECONNECTED);
    Policy { name, config, promise: Promise { share, after_kill, after_fault: SETTLED, ejects: None } }
}

/// One that ejects who fails.
const fn ejecting(name: &'static str, config: &'static str, share: f64) -> Policy {
    let after_fault = SETTLED.saturating_add(EJECTED);
    let after_kill = after_fault.saturating_add(RECONNECTED);
    Policy { name, config, promise: Promise { share, after_kill, after_fault, ejects: Some(EJECTED_WITHIN) } }
}

/// All of them.
pub(crate) const POLICIES: [Policy; 4] = [
    policy("round_robin", "{}", 0.5),
    policy("least_request", "{}", 0.5),
    // Rings have long and short arcs.
    policy("ring_hash", r#"{"requestHashHeader": "x-key"}"#, 0.25),
    // However few are left that have calls, those count.
    ejecting(
        "outlier_detection",
        r#"{"interval": "0.5s", "baseEjectionTime": "1s", "maxEjectionTime": "2s", "maxEjectionPercent": 50,
            "failurePercentageEjection": {"threshold": 30, "minimumHosts": 1, "requestVolume": 20},
            "childPolicy": [{"round_robin": {}}]}"#,
        0.5,
    ),
];

impl Policy {
    /// A service config with it, and health checks.
    pub(crate) fn service_config(self) -> String {
        let Self { name, config, .. } = self;
        format!(
            r#"{{"loadBalancingConfig": [{{"{name}": {config}}}], "healthCheckConfig": {{"serviceName": "{SERVICE}"}}}}"#
        )
    }
}
