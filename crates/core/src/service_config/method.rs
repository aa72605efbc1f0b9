//! `methodConfig`: what applies to the calls of some methods.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use super::retry::{HedgingPolicy, RetryPolicy};
use crate::json::{ConfigError, Node};

/// What applies to the calls of some methods. Where the application sets the same thing, the smaller timeout or size
/// counts, and the application's word on waiting.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct MethodConfig {
    /// How long a call may take, from its start to its status.
    pub timeout: Option<Duration>,
    /// Do calls wait for a READY backend, rather than fail?
    pub wait_for_ready: Option<bool>,
    /// The largest request message, in bytes after compression.
    pub max_request_bytes: Option<usize>,
    /// The largest response message, in bytes after compression.
    pub max_response_bytes: Option<usize>,
    /// How failed calls are tried again (A6); never together with `hedging`.
    pub retry: Option<RetryPolicy>,
    /// How calls are sent more than once (A6); never together with `retry`.
    pub hedging: Option<HedgingPolicy>,
}

impl MethodConfig {
    fn parse(node: &Node<'_>) -> Result<Self, ConfigError> {
        let fields = node.object()?;
        let config = Self {
            timeout: fields.optional("timeout", Node::duration)?,
            wait_for_ready: fields.optional("waitForReady", Node::boolean)?,
            max_request_bytes: fields.optional("maxRequestMessageBytes", size)?,
            max_response_bytes: fields.optional("maxResponseMessageBytes", size)?,
            retry: fields.optional("retryPolicy", RetryPolicy::parse)?,
            hedging: fields.optional("hedgingPolicy", HedgingPolicy::parse)?,
        };
        if config.retry.is_some() && config.hedging.is_some() {
            return Err(node.error("retryPolicy and hedgingPolicy exclude each other"));
        }
        Ok(config)
    }
}

/// Every method config, by the names that it is for. One without names is checked, and applies to nothing.
pub(super) fn parse_all(list: &Node<'_>) -> Result<BTreeMap<String, Arc<MethodConfig>>, ConfigError> {
    let mut by_name = BTreeMap::new();
    for node in list.array()? {
        let config = Arc::new(MethodConfig::parse(&node)?);
        let Some(names) = node.object()?.get("name") else { continue };
        for name in names.array()? {
            match by_name.entry(parse_name(&name)?) {
                Entry::Vacant(entry) => entry.insert((config.clone(), name.path().to_owned())),
                Entry::Occupied(entry) => {
                    return Err(name.error(format!("the same name as {}", entry.get().1)));
                }
            };
        }
    }
    Ok(by_name.into_iter().map(|(name, (config, _))| (name, config)).collect())
}

/// The key of a name: `/service/method`, `/service/` for all methods of a service, or nothing for all services.
fn parse_name(node: &Node<'_>) -> Result<String, ConfigError> {
    let fields = node.object()?;
    let service = fields.optional("service", Node::text)?.unwrap_or_default();
    let method = fields.optional("method", Node::text)?.unwrap_or_default();
    match (service, method) {
        ("", "") => Ok(String::new()),
        ("", _) => Err(node.error(format!("the method {method:?} needs a service"))),
        _ => Ok(format!("/{service}/{method}")),
    }
}

/// A size in bytes; one beyond this platform's memory limits nothing.
fn size(node: &Node<'_>) -> Result<usize, ConfigError> {
    Ok(usize::try_from(node.u64()?).unwrap_or(usize::MAX))
}
