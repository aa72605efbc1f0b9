//! The configuration of `random`: none.

use std::sync::Arc;

use serde_json::Value;

use super::Random;
use crate::{
    json::ConfigError,
    lb::{
        LbPolicy,
        event::AnyConfig,
        registry::{Policies, PolicyFactory, no_fields},
    },
};

/// Makes `random` policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Factory;

impl PolicyFactory for Factory {
    fn name(&self) -> &'static str {
        "random"
    }

    fn parse(&self, config: &Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        no_fields(config)
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(Random::default())
    }
}
