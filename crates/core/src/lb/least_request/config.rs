//! The configuration of `least_request` (A48).

use std::sync::Arc;

use serde_json::Value;

use super::LeastRequest;
use crate::{
    json::{ConfigError, Node},
    lb::{
        LbPolicy,
        event::AnyConfig,
        registry::{Policies, PolicyFactory},
    },
};

/// More endpoints than this are never compared (A48).
const MOST: u32 = 10;

/// Fewer would be no choice (A48).
const FEWEST: u32 = 2;

/// `least_request`'s configuration; fields it does not know are ignored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    choice_count: u32,
}

impl Config {
    /// This many endpoints are drawn for a call; beyond 2 to 10 the nearest of these counts.
    #[must_use]
    pub fn new(choice_count: u32) -> Self {
        Self { choice_count: choice_count.clamp(FEWEST, MOST) }
    }

    /// `choiceCount`: how many endpoints are drawn for a call, 2 to 10.
    #[must_use]
    pub fn choice_count(self) -> u32 {
        self.choice_count
    }
}

impl Default for Config {
    /// Two choices.
    fn default() -> Self {
        Self::new(FEWEST)
    }
}

/// Makes `least_request` policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Factory;

impl PolicyFactory for Factory {
    fn name(&self) -> &'static str {
        "least_request"
    }

    fn parse(&self, config: &Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        let count = Node::root(config).object()?.optional("choiceCount", choice_count)?;
        Ok(Arc::new(count.map_or_else(Config::default, Config::new)))
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(LeastRequest::default())
    }
}

fn choice_count(node: &Node<'_>) -> Result<u32, ConfigError> {
    let count = node.u32()?;
    if count < FEWEST {
        return Err(node.error(format!("must be at least {FEWEST}, and is {count}; above {MOST} counts as {MOST}")));
    }
    Ok(count)
}
