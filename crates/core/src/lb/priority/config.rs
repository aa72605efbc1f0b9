//! The configuration of `priority` (A56).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use super::Priority;
use crate::{
    json::{ConfigError, Node, Object},
    lb::{
        LbPolicy,
        event::AnyConfig,
        registry::{Policies, PolicyChoice, PolicyFactory},
    },
};

/// `priority`'s configuration: `{"children": {"near": {"config": [{"round_robin": {}}]}}, "priorities": ["near"]}`.
///
/// Every priority is the name of a child, and every child has one priority.
#[derive(Clone, Debug, Default)]
pub struct Config {
    children: BTreeMap<Arc<str>, Child>,
    priorities: Vec<Arc<str>>,
}

/// One child.
#[derive(Clone, Debug)]
pub struct Child {
    /// Its policy.
    pub policy: PolicyChoice,
    /// Does its wish for another resolution count for nothing?
    pub ignores_reresolution: bool,
}

impl Config {
    /// The children by name.
    #[must_use]
    pub fn children(&self) -> &BTreeMap<Arc<str>, Child> {
        &self.children
    }

    /// The names of the children, the highest priority first.
    #[must_use]
    pub fn priorities(&self) -> &[Arc<str>] {
        &self.priorities
    }

    fn parse(config: &Value, policies: &Policies) -> Result<Self, ConfigError> {
        let config = Node::root(config).object()?;
        let children = config.optional("children", |children| parse_children(&children.object()?, policies))?;
        let children = children.unwrap_or_default();
        let priorities = config.optional("priorities", |list| parse_priorities(list, &children))?.unwrap_or_default();
        if let Some(unused) = children.keys().find(|name| !priorities.contains(name)) {
            let path = config.required("children", Node::object)?.path_of(unused);
            return Err(ConfigError::new(path, "the child has no place in \"priorities\""));
        }
        Ok(Self { children, priorities })
    }
}

fn parse_children(fields: &Object<'_>, policies: &Policies) -> Result<BTreeMap<Arc<str>, Child>, ConfigError> {
    let child = |name| Ok((Arc::from(name), fields.required(name, |child| parse_child(child, policies))?));
    fields.names().map(child).collect()
}

fn parse_child(node: &Node<'_>, policies: &Policies) -> Result<Child, ConfigError> {
    let fields = node.object()?;
    let choose = |list: &Node<'_>| policies.choose(list.value()).map_err(|error| error.under(list.path()));
    let policy = fields.required("config", choose)?;
    let ignores_reresolution = fields.optional("ignoreReresolutionRequests", Node::boolean)?.unwrap_or(false);
    Ok(Child { policy, ignores_reresolution })
}

fn parse_priorities(node: &Node<'_>, children: &BTreeMap<Arc<str>, Child>) -> Result<Vec<Arc<str>>, ConfigError> {
    let (mut priorities, mut seen) = (vec![], BTreeSet::new());
    for priority in node.array()? {
        let name = priority.text()?;
        let (name, _) = children
            .get_key_value(name)
            .ok_or_else(|| priority.error(format!("no child in \"children\" has the name {name:?}")))?;
        if !seen.insert(name) {
            return Err(priority.error(format!("{name:?} is listed twice")));
        }
        priorities.push(Arc::clone(name));
    }
    Ok(priorities)
}

/// Makes `priority` policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Factory;

impl PolicyFactory for Factory {
    fn name(&self) -> &'static str {
        "priority"
    }

    fn parse(&self, config: &Value, policies: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        Ok(Arc::new(Config::parse(config, policies)?))
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(Priority::default())
    }
}
