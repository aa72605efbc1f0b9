//! The configuration of `round_robin`: none.

use std::sync::Arc;

use serde_json::Value;

use super::RoundRobin;
use crate::{
    json::ConfigError,
    lb::{
        LbPolicy,
        event::AnyConfig,
        registry::{Policies, PolicyFactory, no_fields},
    },
};

/// Makes `round_robin` policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Factory;

impl PolicyFactory for Factory {
    fn name(&self) -> &'static str {
        "round_robin"
    }

    fn parse(&self, config: &Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        no_fields(config)
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(RoundRobin::default())
    }
}
