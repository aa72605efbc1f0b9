//! The service config: what a service's owner tells its clients (gRPC's service_config.proto in JSON; A2, A6, A17, A21,
//! A24, A105).
//!
//! Unknown fields are ignored; one wrong known field rejects the whole, with its path and a reason (A21).

mod method;

mod retry;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;

pub use self::{
    method::MethodConfig,
    retry::{HedgingPolicy, RetryPolicy, RetryThrottling},
};
use crate::{
    json::{self, ConfigError, Node, Object},
    lb::registry::{Policies, PolicyChoice},
};

/// A parsed service config. The default one is empty.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    json: Arc<str>,
    policy: Option<PolicyChoice>,
    /// By `/service/method`, `/service/`, and the empty text for all the others.
    methods: BTreeMap<String, Arc<MethodConfig>>,
    retry_throttling: Option<RetryThrottling>,
    health_check_service: Option<Arc<str>>,
    connection_scaling: Option<ConnectionScaling>,
}

/// How many connections a subchannel may have (A105). The channel's own limit applies as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionScaling {
    /// At least 1, which is what 0 and an absent field mean.
    pub max_connections_per_subchannel: u32,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            json: "{}".into(),
            policy: None,
            methods: BTreeMap::new(),
            retry_throttling: None,
            health_check_service: None,
            connection_scaling: None,
        }
    }
}

impl ServiceConfig {
    /// Parses a service config; `policies` are those it may choose from.
    ///
    /// # Errors
    ///
    /// The first value that is wrong, and why.
    pub fn parse(json: &str, policies: &Policies) -> Result<Self, ConfigError> {
        let document = json::parse(json)?;
        let config = Node::root(&document).object()?;
        Ok(Self {
            json: json.into(),
            policy: parse_policy(&config, policies)?,
            methods: config.optional("methodConfig", method::parse_all)?.unwrap_or_default(),
            retry_throttling: config.optional("retryThrottling", RetryThrottling::parse)?,
            health_check_service: config.optional("healthCheckConfig", parse_health_check)?.flatten(),
            connection_scaling: config.optional("connectionScaling", parse_connection_scaling)?,
        })
    }

    /// The load-balancing policy, unless the config leaves it to the channel (A24).
    #[must_use]
    pub fn policy(&self) -> Option<&PolicyChoice> {
        self.policy.as_ref()
    }

    /// What applies to calls of the method `path` (`"/service/method"`): the entry for the method, else the one for its
    /// service, else the one for all.
    #[must_use]
    pub fn method(&self, path: &str) -> Option<&Arc<MethodConfig>> {
        if self.methods.is_empty() {
            return None;
        }
        let service = &path[..path.rfind('/').map_or(0, |slash| slash + 1)];
        [path, service, ""].into_iter().find_map(|name| self.methods.get(name))
    }

    /// When failures throttle retries and hedges (A6).
    #[must_use]
    pub fn retry_throttling(&self) -> Option<RetryThrottling> {
        self.retry_throttling
    }

    /// The service whose health to watch on each backend; empty for the server as a whole. `None`: watch nothing (A17).
    #[must_use]
    pub fn health_check_service(&self) -> Option<&str> {
        self.health_check_service.as_deref()
    }

    /// How many connections a subchannel may have (A105).
    #[must_use]
    pub fn connection_scaling(&self) -> Option<ConnectionScaling> {
        self.connection_scaling
    }

    /// The text that the config was parsed from.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }
}

/// `loadBalancingConfig`, or else the deprecated `loadBalancingPolicy`, a bare name in any case of letters.
fn parse_policy(config: &Object<'_>, policies: &Policies) -> Result<Option<PolicyChoice>, ConfigError> {
    let name = config.optional("loadBalancingPolicy", Node::text)?.unwrap_or_default().to_ascii_lowercase();
    if let Some(list) = config.get("loadBalancingConfig") {
        return policies.choose_at(&list).map(Some);
    }
    if name.is_empty() || name == "unspecified" {
        return Ok(None);
    }
    let wrong = |reason| ConfigError::new(config.path_of("loadBalancingPolicy"), reason);
    let factory = policies.get(&name).ok_or_else(|| wrong(format!("no known policy in [{name}]")))?;
    // What is wrong is that fields are missing, which the name alone cannot give.
    let parsed = factory.parse(&json!({}), policies);
    let parsed = parsed.map_err(|error| wrong(format!("{name} needs a configuration ({})", error.under(&name))))?;
    Ok(Some(PolicyChoice { factory: Arc::clone(factory), config: parsed }))
}

fn parse_health_check(node: &Node<'_>) -> Result<Option<Arc<str>>, ConfigError> {
    Ok(node.object()?.optional("serviceName", Node::text)?.map(Into::into))
}

fn parse_connection_scaling(node: &Node<'_>) -> Result<ConnectionScaling, ConfigError> {
    let max = node.object()?.optional("maxConnectionsPerSubchannel", Node::u32)?.unwrap_or(1);
    Ok(ConnectionScaling { max_connections_per_subchannel: max.max(1) })
}
