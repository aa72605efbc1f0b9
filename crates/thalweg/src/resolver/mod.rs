//! Names to endpoints: the public contract of a resolver (A21, A31; doc/naming), and the resolvers in the box.
//!
//! A resolver is an asynchronous source of results that the channel runs in a task of its own. It is dropped when the
//! channel goes idle or shuts down, and made anew when it is needed again.

pub mod dns;
pub mod ip;
pub mod manual;
pub mod passthrough;
pub mod unix;

mod fixed;

mod error;
#[cfg(test)]
mod tests;

use std::{
    fmt::Debug,
    net::{IpAddr, SocketAddr, SocketAddrV6},
    sync::Arc,
};

use thalweg_core::{
    endpoint::Endpoint,
    json::ConfigError,
    lb::registry::Policies,
    service_config::ServiceConfig,
    target::{Target, TargetError},
};
use tokio::sync::Notify;

use crate::{config::ConfigSelector, rt::BoxFuture};

pub use error::ResolveError;

/// What a name resolved to.
#[derive(Clone, Debug, Default)]
pub struct ResolverUpdate {
    /// The backends, best first. May be empty: the policy then fails calls and the channel asks again after a backoff.
    pub endpoints: Vec<Endpoint>,
    /// The service config that came with them, if the name system has one. A broken one leaves the last good one in
    /// use (A21).
    pub service_config: Option<Result<Arc<ServiceConfig>, ConfigError>>,
    /// Decides the configuration of each call in place of the service config's `methodConfig` (A31).
    pub config_selector: Option<Arc<dyn ConfigSelector>>,
}

/// A running resolution of one target.
pub trait Resolver: Send + 'static {
    /// Waits for the next result: the first call answers as soon as it can, later ones when something has changed,
    /// when the resolver's own interval is over, or when [`ResolverContext::asked`] says that the channel wants to
    /// know again.
    ///
    /// # Errors
    ///
    /// [`ResolveError`]; the channel asks again after its backoff. What resolved before stays in use.
    fn next(&mut self) -> BoxFuture<'_, Result<ResolverUpdate, ResolveError>>;
}

/// Makes resolvers for the targets of one scheme.
pub trait ResolverFactory: Send + Sync + Debug + 'static {
    /// The scheme, lower case, without the colon.
    fn scheme(&self) -> &str;

    /// A resolver for `target`. Called whenever the channel leaves IDLE; must not block.
    ///
    /// # Errors
    ///
    /// [`TargetError`] names the part of the target that is wrong. The channel's builder calls this once to check.
    fn build(&self, target: &Target, cx: ResolverContext) -> Result<Box<dyn Resolver>, TargetError>;

    /// The `:authority` of calls on a channel to `target`, unless the application names another.
    fn default_authority(&self, target: &Target) -> String {
        target.default_authority()
    }
}

/// What a resolver may ask of its channel.
#[derive(Clone, Debug)]
pub struct ResolverContext {
    ask: Arc<Notify>,
    policies: Arc<Policies>,
}

impl ResolverContext {
    /// A context that parses service configs with `policies`.
    pub(crate) fn new(policies: Arc<Policies>) -> Self {
        Self { ask: Arc::new(Notify::new()), policies }
    }

    /// Waits until the channel asks for a new result. A question asked while nobody waited is not lost.
    pub async fn asked(&self) {
        self.ask.notified().await;
    }

    /// Asks the resolver for a new result.
    pub(crate) fn ask(&self) {
        self.ask.notify_one();
    }

    /// Parses a service config as the channel would.
    ///
    /// # Errors
    ///
    /// The JSON path of what is wrong, and why.
    pub fn parse_service_config(&self, json: &str) -> Result<Arc<ServiceConfig>, ConfigError> {
        ServiceConfig::parse(json, &self.policies).map(Arc::new)
    }
}

/// The port of addresses that name none (doc/naming).
const DEFAULT_PORT: u16 = 443;

/// The socket address of a host that is an IP address. An IPv6 address may have a numeric zone.
fn socket_address(host: &str, port: u16) -> Option<SocketAddr> {
    let plain = host.parse().ok().map(|ip: IpAddr| SocketAddr::new(ip, port));
    plain.or_else(|| format!("[{host}]:{port}").parse().ok().map(|address: SocketAddrV6| address.into()))
}
