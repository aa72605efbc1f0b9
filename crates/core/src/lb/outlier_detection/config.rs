//! The configuration of `outlier_detection` (A50).

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::OutlierDetection;
use crate::{
    json::{ConfigError, Node},
    lb::{
        LbPolicy,
        event::AnyConfig,
        registry::{Policies, PolicyChoice, PolicyFactory},
    },
};

/// Sweeps are no closer together than this, whatever the configuration says.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

/// `outlier_detection`'s configuration; fields it does not know are ignored.
///
/// With neither algorithm it does nothing but pass on: no call is counted and nothing is ejected.
#[derive(Clone, Debug)]
pub struct Config {
    /// From one sweep to the next; 10 s unless given, and never less than 1 ms.
    pub interval: Duration,
    /// How long an endpoint is ejected for the first time; 30 s unless given.
    pub base_ejection_time: Duration,
    /// The longest that an endpoint is ejected, unless `base_ejection_time` is longer; 300 s unless given.
    pub max_ejection_time: Duration,
    /// Nothing more is ejected once this share of the endpoints is, in percent; 10 unless given. Since the share is
    /// looked at before an ejection, anything but 0 lets at least one endpoint be ejected.
    pub max_ejection_percent: u32,
    /// Ejects endpoints that do much worse than the others.
    pub success_rate_ejection: Option<SuccessRateEjection>,
    /// Ejects endpoints of which too many calls fail.
    pub failure_percentage_ejection: Option<FailurePercentageEjection>,
    /// The policy that balances.
    pub child_policy: Arc<PolicyChoice>,
}

/// How the success rate algorithm finds outliers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SuccessRateEjection {
    /// An outlier's success rate is below the mean by more than this many thousandths of the standard deviation; 1900
    /// unless given.
    pub stdev_factor: u32,
    /// The chance that an outlier is ejected, in percent; 100 unless given.
    pub enforcement_percentage: u32,
    /// How many endpoints must have enough calls, or else nobody is an outlier; 5 unless given.
    pub minimum_hosts: u32,
    /// How many calls of an interval are enough to judge an endpoint by; 100 unless given. 0 counts as 1.
    pub request_volume: u32,
}

/// How the failure percentage algorithm finds outliers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FailurePercentageEjection {
    /// Of an outlier's calls more than this share fails, in percent; 85 unless given.
    pub threshold: u32,
    /// The chance that an outlier is ejected, in percent; 100 unless given, as A50 says (grpc-go's default is 0).
    pub enforcement_percentage: u32,
    /// How many endpoints must have enough calls, or else nobody is an outlier; 5 unless given.
    pub minimum_hosts: u32,
    /// How many calls of an interval are enough to judge an endpoint by; 50 unless given. 0 counts as 1.
    pub request_volume: u32,
}

impl Config {
    fn parse(config: &Value, policies: &Policies) -> Result<Self, ConfigError> {
        let fields = Node::root(config).object()?;
        let duration = |name, seconds| {
            let given = fields.optional(name, Node::duration)?;
            Ok(given.unwrap_or_else(|| Duration::from_secs(seconds)))
        };
        Ok(Self {
            interval: duration("interval", 10)?.max(SHORTEST_INTERVAL),
            base_ejection_time: duration("baseEjectionTime", 30)?,
            max_ejection_time: duration("maxEjectionTime", 300)?,
            max_ejection_percent: fields.optional("maxEjectionPercent", percentage)?.unwrap_or(10),
            success_rate_ejection: fields.optional("successRateEjection", SuccessRateEjection::parse)?,
            failure_percentage_ejection: fields
                .optional("failurePercentageEjection", FailurePercentageEjection::parse)?,
            child_policy: Arc::new(fields.required("childPolicy", |list| policies.choose_at(list))?),
        })
    }

    /// Is there anything to count calls for?
    pub(super) fn detects(&self) -> bool {
        self.success_rate_ejection.is_some() || self.failure_percentage_ejection.is_some()
    }

    /// How long an endpoint stays ejected that has been ejected this many times, lately.
    pub(super) fn ejection_time(&self, times: u32) -> Duration {
        let longest = self.base_ejection_time.max(self.max_ejection_time);
        self.base_ejection_time.saturating_mul(times).min(longest)
    }
}

impl SuccessRateEjection {
    fn parse(node: &Node<'_>) -> Result<Self, ConfigError> {
        let fields = node.object()?;
        Ok(Self {
            stdev_factor: fields.optional("stdevFactor", Node::u32)?.unwrap_or(1900),
            enforcement_percentage: fields.optional("enforcementPercentage", percentage)?.unwrap_or(100),
            minimum_hosts: fields.optional("minimumHosts", Node::u32)?.unwrap_or(5),
            request_volume: fields.optional("requestVolume", Node::u32)?.unwrap_or(100),
        })
    }
}

impl FailurePercentageEjection {
    fn parse(node: &Node<'_>) -> Result<Self, ConfigError> {
        let fields = node.object()?;
        Ok(Self {
            threshold: fields.optional("threshold", percentage)?.unwrap_or(85),
            enforcement_percentage: fields.optional("enforcementPercentage", percentage)?.unwrap_or(100),
            minimum_hosts: fields.optional("minimumHosts", Node::u32)?.unwrap_or(5),
            request_volume: fields.optional("requestVolume", Node::u32)?.unwrap_or(50),
        })
    }
}

fn percentage(node: &Node<'_>) -> Result<u32, ConfigError> {
    let percent = node.u32()?;
    if percent > 100 {
        Err(node.error(format!("expected a percentage from 0 to 100, found {percent}")))
    } else {
        Ok(percent)
    }
}

/// Makes `outlier_detection` policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Factory;

impl PolicyFactory for Factory {
    fn name(&self) -> &'static str {
        "outlier_detection"
    }

    fn parse(&self, config: &Value, policies: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        Ok(Arc::new(Config::parse(config, policies)?))
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(OutlierDetection::default())
    }
}
