//! What a channel knows by name: resolvers by scheme and policies by name. A value, never a global.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use thalweg_core::{
    json::ConfigError,
    lb::{
        AnyConfig, LbPolicy,
        registry::{Policies, PolicyFactory},
    },
};

use crate::{
    panics::caught,
    resolver::{
        ResolverFactory, dns::DnsResolver, ip::IpResolver, passthrough::PassthroughResolver, unix::UnixResolver,
    },
};

/// The resolvers and policies of a channel.
#[derive(Clone, Debug)]
pub struct Registry {
    resolvers: BTreeMap<String, Arc<dyn ResolverFactory>>,
    policies: Policies,
}

/// The resolvers and policies in the box: `dns`, `ipv4`, `ipv6`, `unix`, `unix-abstract` and `passthrough`, and
/// [`Policies::builtin`].
impl Default for Registry {
    fn default() -> Self {
        Self { policies: Policies::builtin(), ..Self::empty() }
            .with_resolver(DnsResolver::default())
            .with_resolver(IpResolver::v4())
            .with_resolver(IpResolver::v6())
            .with_resolver(UnixResolver::path())
            .with_resolver(UnixResolver::abstract_name())
            .with_resolver(PassthroughResolver)
    }
}

impl Registry {
    /// A registry that knows nothing, for those who want to say all of it themselves.
    #[must_use]
    pub fn empty() -> Self {
        Self { resolvers: BTreeMap::new(), policies: Policies::default() }
    }

    /// Adds a resolver, in the place of one with the same scheme.
    #[must_use]
    pub fn with_resolver(mut self, factory: impl ResolverFactory) -> Self {
        self.resolvers.insert(factory.scheme().to_owned(), Arc::new(factory));
        self
    }

    /// Adds a policy, in the place of one with the same name. If it panics over a configuration, that one is rejected.
    #[must_use]
    pub fn with_policy(mut self, factory: impl PolicyFactory + 'static) -> Self {
        self.policies.register(Careful(factory));
        self
    }

    /// Adds a policy under one more name, such as grpc-go's `…_experimental`.
    #[must_use]
    pub fn with_policy_alias(mut self, name: &str, factory: impl PolicyFactory + 'static) -> Self {
        self.policies.alias(name, Careful(factory));
        self
    }

    /// The resolver of this scheme.
    #[must_use]
    pub fn resolver(&self, scheme: &str) -> Option<&Arc<dyn ResolverFactory>> {
        self.resolvers.get(scheme)
    }

    /// The schemes that resolve, in alphabetical order.
    pub fn schemes(&self) -> impl Iterator<Item = &str> {
        self.resolvers.keys().map(String::as_str)
    }

    /// The policies.
    #[must_use]
    pub fn policies(&self) -> &Policies {
        &self.policies
    }
}

/// A factory of the application's, which may panic over a configuration.
#[derive(Debug)]
struct Careful<F>(F);

impl<F: PolicyFactory> PolicyFactory for Careful<F> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn parse(&self, config: &Value, policies: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        caught(|| self.0.parse(config, policies)).unwrap_or_else(|panic| {
            let reason = format!("the load-balancing policy {} panicked over its configuration: {panic}", self.name());
            Err(ConfigError::new("$", reason))
        })
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        self.0.build()
    }
}
