//! Policies by name, and the choice of one from a `loadBalancingConfig` list (A24).

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use serde_json::Value;

use super::{AnyConfig, LbPolicy};
use crate::json::ConfigError;

/// Makes policies of one name and parses their configuration.
pub trait PolicyFactory: Send + Sync + Debug {
    /// The name in the service config (`"round_robin"`).
    fn name(&self) -> &str;

    /// Parses the policy's configuration. A parent parses its children's with `policies`.
    ///
    /// # Errors
    ///
    /// Which field is wrong, as a path below `config`, and why.
    fn parse(&self, config: &Value, policies: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError>;

    /// A fresh policy, which will be given its parsed configuration with the first resolution.
    fn build(&self) -> Box<dyn LbPolicy>;
}

/// A policy chosen by a configuration, and its parsed configuration.
#[derive(Clone, Debug)]
pub struct PolicyChoice {
    /// Makes the policy.
    pub factory: Arc<dyn PolicyFactory>,
    /// What [`PolicyFactory::parse`] made of its configuration.
    pub config: Arc<dyn AnyConfig>,
}

/// The policies that a channel knows, by name.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    by_name: BTreeMap<String, Arc<dyn PolicyFactory>>,
}
