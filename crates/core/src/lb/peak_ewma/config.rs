//! The configuration of `peak_ewma`.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use super::PeakEwma;
use crate::{
    json::{ConfigError, Node},
    lb::{
        LbPolicy,
        event::AnyConfig,
        registry::{Policies, PolicyFactory},
    },
};

/// `peak_ewma`'s configuration: durations such as `"1.5s"`, all greater than zero; fields it does not know are ignored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// `defaultRtt`: the latency that a new connection is taken to have until calls have told more. 30 ms.
    pub default_rtt: Duration,
    /// `decay`: the time after which what was measured counts `1/e` of what it did. 10 s.
    pub decay: Duration,
    /// `failurePenalty`: the latency that a failed call counts as, unless it took longer. 10 s.
    pub failure_penalty: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            default_rtt: Duration::from_millis(30),
            decay: Duration::from_secs(10),
            failure_penalty: Duration::from_secs(10),
        }
    }
}

/// Makes `peak_ewma` policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Factory;

impl PolicyFactory for Factory {
    fn name(&self) -> &'static str {
        "peak_ewma"
    }

    fn parse(&self, config: &Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        let (fields, default) = (Node::root(config).object()?, Config::default());
        let duration = |name, default| fields.optional(name, positive).map(|given| given.unwrap_or(default));
        Ok(Arc::new(Config {
            default_rtt: duration("defaultRtt", default.default_rtt)?,
            decay: duration("decay", default.decay)?,
            failure_penalty: duration("failurePenalty", default.failure_penalty)?,
        }))
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(PeakEwma::default())
    }
}

fn positive(node: &Node<'_>) -> Result<Duration, ConfigError> {
    let duration = node.duration()?;
    if duration.is_zero() { Err(node.error("must be greater than zero")) } else { Ok(duration) }
}
