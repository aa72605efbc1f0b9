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

/// A policy by its name, its configuration and its promise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) name: &'static str,
    config: &'static str,
    pub(crate) promise: Promise,
}

const fn policy(name: &'static str, config: &'static str, share: f64, ejected: Duration) -> Policy {
    let after_fault = SETTLED.saturating_add(ejected);
    let promise = Promise { share, after_kill: after_fault.saturating_add(RECONNECTED), after_fault };
    Policy { name, config, promise }
}

/// All of them.
pub(crate) const POLICIES: [Policy; 4] = [
    policy("round_robin", "{}", 0.5, Duration::ZERO),
    policy("least_request", "{}", 0.5, Duration::ZERO),
    // Rings have long and short arcs.
    policy("ring_hash", r#"{"requestHashHeader": "x-key"}"#, 0.25, Duration::ZERO),
    policy(
        "outlier_detection",
        r#"{"interval": "0.5s", "baseEjectionTime": "1s", "maxEjectionTime": "2s", "maxEjectionPercent": 50,
            "failurePercentageEjection": {"threshold": 30, "minimumHosts": 3, "requestVolume": 20},
            "childPolicy": [{"round_robin": {}}]}"#,
        0.5,
        EJECTED,
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
