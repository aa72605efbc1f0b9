//! Describes a channel, and checks the description.

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, uri::Authority};
use thalweg_core::{
    backoff::BackoffConfig,
    service_config::ServiceConfig,
    target::{DEFAULT_SCHEME, Target, TargetError},
};

use super::{
    Channel, Ignition,
    driver::{Driver, Plan},
    error::BuildError,
    resolution::Resolution,
    scaling::ConnectionScaling,
};
use crate::{
    control::{ChannelFacts, Control},
    credentials::{CallCredentials, ChannelCredentials},
    panics::Contained,
    registry::Registry,
    resolver::ResolverContext,
    subchannel::Connecting,
    transport::{
        Connector,
        connector::{
            DefaultConnector,
            proxy::{Proxy, ProxyChoice},
        },
        keepalive::Keepalive,
        ledger::Ledger,
        options::Http2Options,
    },
};

/// The scheme of names that are resolved when the connection is made.
const PASSTHROUGH: &str = "passthrough";

/// A channel does not ping more often than this (A8).
const MIN_KEEPALIVE_TIME: Duration = Duration::from_secs(10);

/// A channel, to be built. Everything but the target has a default.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it builds"]
pub struct ChannelBuilder {
    target: String,
    registry: Registry,
    credentials: ChannelCredentials,
    call_credentials: Option<Arc<dyn CallCredentials>>,
    authority: Option<String>,
    user_agent: Option<String>,
    service_config: Option<String>,
    use_resolved_config: bool,
    health_checks: bool,
    connector: Option<Arc<dyn Connector>>,
    proxy: ProxyChoice,
    http2: Http2Options,
    keepalive: Keepalive,
    backoff: BackoffConfig,
    scaling: ConnectionScaling,
    idle_timeout: Option<Duration>,
    max_receive_message_size: usize,
    max_send_message_size: usize,
    max_metadata_size: usize,
    replay_buffer: usize,
}

impl ChannelBuilder {
    pub(super) fn new(target: String) -> Self {
        Self {
            target,
            registry: Registry::default(),
            credentials: ChannelCredentials::insecure(),
            call_credentials: None,
            authority: None,
            user_agent: None,
            service_config: None,
            use_resolved_config: true,
            health_checks: true,
            connector: None,
            proxy: ProxyChoice::default(),
            http2: Http2Options::default(),
            keepalive: Keepalive::default(),
            backoff: BackoffConfig::default(),
            scaling: ConnectionScaling::default(),
            idle_timeout: Some(Duration::from_secs(30 * 60)),
            max_receive_message_size: 4 << 20,
            max_send_message_size: usize::MAX,
            max_metadata_size: 64 << 10,
            replay_buffer: 1 << 20,
        }
    }

    /// The resolvers and policies that the channel knows; those in the box by default.
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    /// How connections are secured; plaintext by default.
    pub fn credentials(mut self, credentials: ChannelCredentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// What every call carries to prove who it is made for.
    pub fn call_credentials(mut self, credentials: impl CallCredentials) -> Self {
        self.call_credentials = Some(Arc::new(credentials));
        self
    }

    /// The `:authority` of calls, and the name that the server's certificate must bear; from the target by default.
    pub fn authority(mut self, authority: impl Into<String>) -> Self {
        self.authority = Some(authority.into());
        self
    }

    /// Goes before thalweg's own words in the `user-agent`.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// The service config, as JSON (doc/service_config), that is in force unless the name resolves to another.
    pub fn default_service_config(mut self, json: impl Into<String>) -> Self {
        self.service_config = Some(json.into());
        self
    }

    /// Leaves service configs that the name resolves to aside.
    pub fn disable_resolved_service_config(mut self) -> Self {
        self.use_resolved_config = false;
        self
    }

    /// Leaves aside what service configs say of health checks: a backend that is connected serves (A17).
    pub fn disable_health_checks(mut self) -> Self {
        self.health_checks = false;
        self
    }

    /// Makes the byte streams; [`DefaultConnector`] by default. The proxy and the TCP user timeout are then the
    /// connector's own business.
    pub fn connector(mut self, connector: impl Connector) -> Self {
        self.connector = Some(Arc::new(connector));
        self
    }

    /// The HTTP CONNECT proxy (A1). By default the one in the environment, for `dns` and `passthrough` targets; one that
    /// is given here is for every target but Unix sockets.
    pub fn proxy(mut self, proxy: ProxyChoice) -> Self {
        self.proxy = proxy;
        self
    }

    /// HTTP/2's windows, sizes and buffers.
    pub fn http2(mut self, options: Http2Options) -> Self {
        self.http2 = options;
        self
    }

    /// When to ping a silent server (A8); never by default. A time below 10 s counts as 10 s. Over TCP the timeout is
    /// also the TCP user timeout (A18).
    pub fn keepalive(mut self, keepalive: Keepalive) -> Self {
        self.keepalive = keepalive;
        self
    }

    /// How long to wait between attempts to connect (doc/connection-backoff).
    pub fn backoff(mut self, backoff: BackoffConfig) -> Self {
        self.backoff = backoff;
        self
    }

    /// How many connections there may be to one address, besides what the service config says (A105): at most 10, one to begin
    /// with, and none closed by the channel.
    pub fn connection_scaling(mut self, scaling: ConnectionScaling) -> Self {
        self.scaling = scaling;
        self
    }

    /// Without calls for this long the channel closes its connections and stops resolving, until the next call; 30
    /// minutes by default, `None` for never.
    pub fn idle_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// The largest message that is accepted, in bytes as on the wire; 4 MiB by default. A stub has a limit of its own
    /// above it.
    pub fn max_receive_message_size(mut self, bytes: usize) -> Self {
        self.max_receive_message_size = bytes;
        self
    }

    /// The largest message that is sent, in bytes as on the wire; unlimited by default.
    pub fn max_send_message_size(mut self, bytes: usize) -> Self {
        self.max_send_message_size = bytes;
        self
    }

    /// The largest request metadata that is sent, in bytes as HTTP/2 counts header lists; 64 KiB by default.
    pub fn max_metadata_size(mut self, bytes: usize) -> Self {
        self.max_metadata_size = bytes;
        self
    }

    /// How much of a call's messages is kept until it is answered, in case it has to be sent again; 1 MiB by default.
    /// A call that has sent more is not retried.
    pub fn replay_buffer(mut self, bytes: usize) -> Self {
        self.replay_buffer = bytes;
        self
    }

    /// The channel. Nothing is resolved or connected yet, and no runtime is needed.
    ///
    /// # Errors
    ///
    /// [`BuildError`] names the piece that is wrong.
    pub fn build(self) -> Result<Channel, BuildError> {
        let target = Target::parse(&self.target, |scheme| self.registry.resolver(scheme).is_some())?;
        let config = self.parse_service_config()?;
        self.backoff.validate()?;
        self.http2.validate()?;
        self.scaling.validate()?;
        if self.idle_timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(BuildError::IdleTimeout);
        }
        let needs_security = self.call_credentials.as_ref().is_some_and(|c| c.require_security());
        if needs_security && !self.credentials.is_secure() {
            return Err(BuildError::InsecureCallCredentials);
        }
        let proxy = match &self.connector {
            Some(_) => None,
            None => self.proxy_for(&target)?,
        };
        let resolution = self.resolution(target.clone(), proxy.is_some())?;
        let authority = self.parse_authority(&target)?;
        let ledger = Arc::new(Ledger::default());
        let plan = Plan {
            resolution,
            connecting: Arc::new(self.connecting(proxy, &authority, &ledger)),
            backoff: self.backoff,
            scaling: self.scaling,
            default_config: Contained::new(Arc::new(config)),
            use_resolved_config: self.use_resolved_config,
            health_checks: self.health_checks,
        };
        let (control, events) = Control::new(self.facts(authority, ledger)?);
        let control = Arc::new(control);
        let driver = Driver::new(&control, events, plan);
        let ignition = Arc::new(Ignition::new(driver));
        Ok(Channel { control, ignition })
    }

    fn parse_service_config(&self) -> Result<ServiceConfig, BuildError> {
        let Some(json) = &self.service_config else { return Ok(ServiceConfig::default()) };
        Ok(ServiceConfig::parse(json, self.registry.policies())?)
    }

    fn parse_authority(&self, target: &Target) -> Result<Authority, BuildError> {
        if let Some(authority) = &self.authority {
            return authority.parse().map_err(|_| TargetError::Authority { authority: authority.clone() }.into());
        }
        let resolver = self.registry.resolver(&target.scheme);
        let authority =
            resolver.map_or_else(|| target.default_authority(), |resolver| resolver.default_authority(target));
        authority.parse().map_err(|_| BuildError::DefaultAuthority { target: self.target.clone(), authority })
    }

    /// The environment's proxy is for names (A1); one that the application chose is for every target but Unix sockets.
    fn proxy_for(&self, target: &Target) -> Result<Option<Proxy>, BuildError> {
        let is_name = [DEFAULT_SCHEME, PASSTHROUGH].contains(&target.scheme.as_str()) && target.authority.is_empty();
        match &self.proxy {
            ProxyChoice::Environment if !is_name => Ok(None),
            ProxyChoice::Environment | ProxyChoice::Via(_) | ProxyChoice::Direct => {
                Ok(self.proxy.for_target(&target.path)?)
            }
        }
    }

    /// A `dns` name that goes through a proxy is resolved there (A1).
    fn resolution(&self, target: Target, is_proxied: bool) -> Result<Resolution, BuildError> {
        let unknown =
            |target: &Target| TargetError::UnknownScheme { target: self.target.clone(), scheme: target.scheme.clone() };
        let policies = Arc::new(self.registry.policies().clone());
        let check = |target: Target| {
            let factory = self.registry.resolver(&target.scheme).ok_or_else(|| unknown(&target))?;
            factory.build(&target, ResolverContext::new(policies.clone()))?;
            Ok(Resolution::new(target, factory.clone(), policies.clone()))
        };
        let resolved_here = check(target.clone())?;
        if !is_proxied || target.scheme != DEFAULT_SCHEME {
            return Ok(resolved_here);
        }
        check(Target { scheme: PASSTHROUGH.into(), ..target })
    }

    fn connecting(&self, proxy: Option<Proxy>, authority: &Authority, ledger: &Arc<Ledger>) -> Connecting {
        let mut keepalive = self.keepalive;
        keepalive.time = keepalive.time.map(|time| time.max(MIN_KEEPALIVE_TIME));
        let user_timeout = keepalive.time.map(|_| keepalive.timeout);
        let connector = self
            .connector
            .clone()
            .unwrap_or_else(|| Arc::new(DefaultConnector::new().proxy(proxy).tcp_user_timeout(user_timeout)));
        Connecting {
            connector,
            credentials: self.credentials.clone(),
            authority: authority.as_str().into(),
            http2: self.http2.clone(),
            keepalive,
            ledger: ledger.clone(),
        }
    }

    fn facts(self, authority: Authority, ledger: Arc<Ledger>) -> Result<ChannelFacts, BuildError> {
        Ok(ChannelFacts {
            user_agent: user_agent(self.user_agent)?,
            target: self.target,
            scheme: self.credentials.scheme(),
            authority,
            is_secure: self.credentials.is_secure(),
            credentials: self.call_credentials,
            max_receive_message_size: self.max_receive_message_size,
            max_send_message_size: self.max_send_message_size,
            max_metadata_size: self.max_metadata_size,
            replay_buffer: self.replay_buffer,
            idle_timeout: self.idle_timeout,
            ledger,
        })
    }
}

/// The application's words, then ours in gRPC's form (doc/PROTOCOL-HTTP2, "User Agents").
fn user_agent(prefix: Option<String>) -> Result<HeaderValue, BuildError> {
    const OURS: &str = concat!("grpc-rust-thalweg/", env!("CARGO_PKG_VERSION"));
    let text = prefix.map_or_else(|| OURS.to_owned(), |prefix| format!("{prefix} {OURS}"));
    let value = HeaderValue::from_str(&text).ok().filter(|_| text.is_ascii());
    value.ok_or(BuildError::UserAgent(text))
}
