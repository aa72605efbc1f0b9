//! The configuration of `weighted_target` (A28).

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::WeightedTarget;
use crate::{
    json::{ConfigError, Node},
    lb::{
        LbPolicy,
        event::AnyConfig,
        registry::{Policies, PolicyChoice, PolicyFactory},
    },
};

/// `weighted_target`'s configuration: `{"targets": {"a": {"weight": 3, "childPolicy": [{"round_robin": {}}]}}}`.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The children by name. Their weights add up to at most 4,294,967,295.
    pub targets: BTreeMap<Arc<str>, Target>,
}

/// One child.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its share of the calls, beside the weights of the other children that are READY. At least 1.
    pub weight: u32,
    /// Its policy.
    pub policy: PolicyChoice,
}

impl Config {
    fn parse(config: &Value, policies: &Policies) -> Result<Self, ConfigError> {
        let config = Node::root(config).object()?;
        let targets = config.optional("targets", |targets| parse_targets(targets, policies))?;
        Ok(Self { targets: targets.unwrap_or_default() })
    }
}

fn parse_targets(node: &Node<'_>, policies: &Policies) -> Result<BTreeMap<Arc<str>, Target>, ConfigError> {
    let (fields, mut targets, mut total) = (node.object()?, BTreeMap::new(), 0_u32);
    for name in fields.names() {
        let target = fields.required(name, |target| parse_target(target, policies))?;
        total =
            total.checked_add(target.weight).ok_or_else(|| node.error("the weights add up to more than 4294967295"))?;
        targets.insert(name.into(), target);
    }
    Ok(targets)
}

fn parse_target(node: &Node<'_>, policies: &Policies) -> Result<Target, ConfigError> {
    let fields = node.object()?;
    let weight = fields.required("weight", |weight| match weight.u32()? {
        0 => Err(weight.error("must be at least 1: leave a child out that is to get no calls")),
        weight => Ok(weight),
    })?;
    let choose = |list: &Node<'_>| policies.choose(list.value()).map_err(|error| error.under(list.path()));
    Ok(Target { weight, policy: fields.required("childPolicy", choose)? })
}

/// Makes `weighted_target` policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Factory;

impl PolicyFactory for Factory {
    fn name(&self) -> &'static str {
        "weighted_target"
    }

    fn parse(&self, config: &Value, policies: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        Ok(Arc::new(Config::parse(config, policies)?))
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(WeightedTarget::default())
    }
}
