//! The configuration of `random_subsetting` (A68).

use std::{num::NonZeroU32, sync::Arc};

use serde_json::Value;

use super::RandomSubsetting;
use crate::{
    json::{ConfigError, Node},
    lb::{
        LbPolicy,
        event::AnyConfig,
        registry::{Policies, PolicyChoice, PolicyFactory},
    },
};

/// `random_subsetting`'s configuration; fields it does not know are ignored.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many endpoints the child is given.
    pub subset_size: NonZeroU32,
    /// The policy that balances over them.
    pub child_policy: Arc<PolicyChoice>,
}

impl Config {
    fn parse(config: &Value, policies: &Policies) -> Result<Self, ConfigError> {
        let fields = Node::root(config).object()?;
        Ok(Self {
            subset_size: fields.required("subsetSize", |size| {
                NonZeroU32::new(size.u32()?).ok_or_else(|| size.error("expected a whole number from 1 on, found 0"))
            })?,
            child_policy: Arc::new(fields.required("childPolicy", |list| policies.choose_at(list))?),
        })
    }
}

/// Makes `random_subsetting` policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Factory;

impl PolicyFactory for Factory {
    fn name(&self) -> &'static str {
        "random_subsetting"
    }

    fn parse(&self, config: &Value, policies: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        Ok(Arc::new(Config::parse(config, policies)?))
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(RandomSubsetting::default())
    }
}
