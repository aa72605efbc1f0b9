//! Policies by name, and the choice of one from a `loadBalancingConfig` list (A24).

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{LbPolicy, event::AnyConfig};
use crate::json::{ConfigError, Node};

/// Makes policies of one name and parses their configuration.
pub trait PolicyFactory: Send + Sync + Debug {
    /// The name in the service config (`"round_robin"`).
    fn name(&self) -> &str;

    /// Parses the policy's configuration; [`from_json`] does it for a type that serde can read. A parent parses its
    /// children's with `policies`. A configuration of `null` arrives as `{}`.
    ///
    /// # Errors
    ///
    /// Which field is wrong, as a path below `config` (which is `$`), and why.
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

impl Policies {
    /// Adds a policy, in the place of an older one of the same name.
    pub fn register(&mut self, factory: impl PolicyFactory + 'static) -> &mut Self {
        self.by_name.insert(factory.name().to_owned(), Arc::new(factory));
        self
    }

    /// Adds a policy under one more name: grpc-go's `…_experimental` for one that has left that stage. A configuration
    /// may use either, and it is the same policy.
    pub fn alias(&mut self, name: &str, factory: impl PolicyFactory + 'static) -> &mut Self {
        self.by_name.insert(name.to_owned(), Arc::new(factory));
        self
    }

    /// The policy of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn PolicyFactory>> {
        self.by_name.get(name)
    }

    /// The names of all policies, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The first known policy of a `loadBalancingConfig` list, with its configuration. Unknown ones are skipped, and
    /// what follows the first known one is not looked at.
    ///
    /// # Errors
    ///
    /// With a path below `list` (which is `$`): it is not a list, an entry is not an object with exactly one key, the
    /// chosen policy's configuration is wrong, or no policy of the list is known.
    pub fn choose(&self, list: &Value) -> Result<PolicyChoice, ConfigError> {
        let entries = list.as_array().ok_or_else(|| ConfigError::new("$", "must be a list of policies"))?;
        let mut unknown = vec![];
        for (place, entry) in entries.iter().enumerate() {
            let (name, config) = only_field(entry).ok_or_else(|| {
                ConfigError::new(format!("$[{place}]"), "must be an object with exactly one key, the name of a policy")
            })?;
            if let Some(factory) = self.get(name) {
                let config = if config.is_null() { &Value::Object(Map::new()) } else { config };
                let config = factory.parse(config, self).map_err(|e| e.under(&format!("$[{place}].{name}")))?;
                return Ok(PolicyChoice { factory: Arc::clone(factory), config });
            }
            unknown.push(name);
        }
        Err(ConfigError::new("$", format!("no known policy in [{}]", unknown.join(", "))))
    }

    /// The same for a list within a larger document, as the `childPolicy` of a parent.
    ///
    /// # Errors
    ///
    /// As [`choose`](Self::choose), with the path in the whole document.
    pub fn choose_at(&self, list: &Node<'_>) -> Result<PolicyChoice, ConfigError> {
        self.choose(list.value()).map_err(|error| error.under(list.path()))
    }
}

fn only_field(entry: &Value) -> Option<(&str, &Value)> {
    let mut fields = entry.as_object()?.iter();
    let (name, value) = fields.next()?;
    fields.next().is_none().then_some((name.as_str(), value))
}

/// Reads a policy's configuration as a type of its own. As in protobuf's JSON mapping, a field that is `null` counts as
/// absent, at whatever depth, and so does a whole configuration that is.
///
/// # Errors
///
/// Which field is wrong, as a path below `config` (which is `$`), and why.
pub fn from_json<T: DeserializeOwned>(config: &Value) -> Result<T, ConfigError> {
    let config = match config {
        Value::Null => Value::Object(Map::new()),
        Value::Object(_) => without_nulls(config),
        _ => return Err(ConfigError::new("$", "must be an object")),
    };
    serde_path_to_error::deserialize(config).map_err(|error| {
        let path = error.path().to_string();
        let path = match path.as_str() {
            "." => "$".to_owned(),
            below if below.starts_with('[') => format!("${below}"),
            below => format!("$.{below}"),
        };
        ConfigError::new(path, error.inner().to_string())
    })
}

/// The same value without the fields of objects that are `null`. Elements of arrays stay.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let present = fields.iter().filter(|(_, value)| !value.is_null());
            present.map(|(name, value)| (name.clone(), without_nulls(value))).collect()
        }
        Value::Array(elements) => elements.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// Reads the configuration of a policy that has none: anything will do, as in grpc-go, whose own tests write
/// `{"round_robin": ""}`.
///
/// # Errors
///
/// None; it is fallible so that it may be all of a [`PolicyFactory::parse`].
pub fn no_fields(_: &Value) -> Result<Arc<dyn AnyConfig>, ConfigError> {
    Ok(Arc::new(()))
}

#[cfg(test)]
mod tests;
