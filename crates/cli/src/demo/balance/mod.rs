//! The service config of the demo's channel, from `--policy` and `--service-config`.

#[cfg(test)]
mod tests;

use serde_json::{Value, json};
use thalweg::core::{json::ConfigError, lb::registry::Policies, service_config::ServiceConfig};
use thiserror::Error;

/// What balances unless something else is asked for.
const DEFAULT_POLICY: &str = "round_robin";

/// How the channel balances, as it is told.
#[derive(Debug)]
pub(super) struct Balance {
    /// The name of the policy.
    pub(super) policy: String,
    /// The service config, as JSON, that chooses it.
    pub(super) service_config: String,
}

/// Which flag is wrong, and which piece of it.
#[derive(Clone, PartialEq, Debug, Error)]
pub(super) enum BalanceError {
    #[error("--policy {name:?}: no such policy; there are {known}")]
    UnknownPolicy { name: String, known: String },
    #[error("--policy {name:?}: it cannot do without a configuration; give it one by --service-config ({error})")]
    NeedsConfig { name: String, error: ConfigError },
    #[error("--policy {name:?}: --service-config chooses a policy already, {chosen}")]
    TwoPolicies { name: String, chosen: String },
    #[error("--service-config: {0}")]
    ServiceConfig(#[from] ConfigError),
}

/// Puts the policy into the service config, if that chooses none itself.
pub(super) fn choose(
    policy: Option<&str>,
    service_config: Option<&str>,
    policies: &Policies,
) -> Result<Balance, BalanceError> {
    let text = service_config.unwrap_or("{}");
    let given = ServiceConfig::parse(text, policies)?;
    if let Some(choice) = given.policy() {
        let chosen = choice.factory.name().to_owned();
        return match policy {
            Some(name) => Err(BalanceError::TwoPolicies { name: name.to_owned(), chosen }),
            None => Ok(Balance { policy: chosen, service_config: text.to_owned() }),
        };
    }
    let name = policy.unwrap_or(DEFAULT_POLICY);
    if policies.get(name).is_none() {
        let known: Vec<_> = policies.names().collect();
        return Err(BalanceError::UnknownPolicy { name: name.to_owned(), known: known.join(", ") });
    }
    let list = json!([{ name: {} }]);
    policies.choose(&list).map_err(|error| BalanceError::NeedsConfig { name: name.to_owned(), error })?;
    let mut config: Value = thalweg::core::json::parse(text)?;
    config["loadBalancingConfig"] = list;
    Ok(Balance { policy: name.to_owned(), service_config: config.to_string() })
}
