//! What a server is told before it listens.

use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use tonic::server::NamedService;
use tower_layer::Layer;

use super::{
    Server,
    call::CallRules,
    connection::ConnectionRules,
    error::ServerError,
    extension::Extension,
    hooks::Hooks,
    lifetime::LifetimeLimits,
    listen::{Listener, bind},
    router::{Entry, Mountable, Router, Routes, Table},
    shutdown::Control,
};
use crate::{
    credentials::ServerCredentials,
    transport::{
        keepalive::{Keepalive, KeepaliveEnforcement},
        options::Http2Options,
    },
};

/// The least silence after which a server pings, as in grpc-go.
const LEAST_KEEPALIVE: Duration = Duration::from_secs(1);

/// Describes a [`Server`].
#[must_use = "a server listens only after `bind`"]
pub struct ServerBuilder {
    table: Table,
    duplicate: Option<String>,
    layers: Vec<Box<dyn FnOnce(Routes) -> Routes + Send>>,
    listeners: Vec<Listener>,
    credentials: ServerCredentials,
    http2: Http2Options,
    max_concurrent_streams: u32,
    max_connections: Option<usize>,
    max_receive_message_size: usize,
    max_send_message_size: Option<usize>,
    handshake_timeout: Duration,
    keepalive: Keepalive,
    enforcement: KeepaliveEnforcement,
    lifetime: LifetimeLimits,
    hooks: Hooks,
    drain_time: Duration,
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self {
            table: Table::default(),
            duplicate: None,
            layers: vec![],
            listeners: vec![],
            credentials: ServerCredentials::insecure(),
            http2: Http2Options::default(),
            max_concurrent_streams: 1000,
            max_connections: None,
            max_receive_message_size: 4 << 20,
            max_send_message_size: None,
            handshake_timeout: Duration::from_secs(120),
            keepalive: Keepalive {
                time: Some(Duration::from_secs(2 * 60 * 60)),
                timeout: Duration::from_secs(20),
                while_idle: true,
            },
            enforcement: KeepaliveEnforcement::default(),
            lifetime: LifetimeLimits::default(),
            hooks: Hooks::default(),
            drain_time: Duration::ZERO,
        }
    }
}

impl ServerBuilder {
    /// Mounts a service that `tonic-prost-build` generated.
    pub fn add_service<S: Mountable + NamedService>(self, service: S) -> Self {
        self.add_route(S::NAME, service)
    }

    /// Mounts any tower service under the full name of a gRPC service (`package.Service`): it gets all its methods.
    pub fn add_route(mut self, name: impl Into<String>, service: impl Mountable) -> Self {
        let name = name.into();
        if !self.table.mount(name.clone(), service) {
            self.duplicate.get_or_insert(name);
        }
        self
    }

    /// Hands every request for which no service is mounted to any tower service, whether it is gRPC or not. Without a
    /// fallback they end with UNIMPLEMENTED.
    pub fn fallback(mut self, service: impl Mountable) -> Self {
        self.table.set_fallback(service);
        self
    }

    /// Adds what brings services and follows the server's life.
    pub fn extension(self, extension: impl Extension) -> Self {
        extension.extend(self)
    }

    /// Puts a tower layer around all services. The layer added first sees a request first.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Routes> + Send + 'static,
        L::Service: Mountable,
    {
        self.layers.push(Box::new(move |routes| Routes::new(layer.layer(routes))));
        self
    }

    /// Listens there. A server may have several listeners.
    pub fn listen(mut self, listener: impl Into<Listener>) -> Self {
        self.listeners.push(listener.into());
        self
    }

    /// Secures the connections of all listeners that have no credentials of their own. Plaintext unless set.
    pub fn credentials(mut self, credentials: ServerCredentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// HTTP/2's windows, sizes and buffers. Its `max_header_list_size` limits a call's metadata: a call with more ends
    /// with RESOURCE_EXHAUSTED, and four times as much ends its connection.
    pub fn http2(mut self, options: Http2Options) -> Self {
        self.http2 = options;
        self
    }

    /// How many calls a client may have in flight on one connection (1000). Clients that follow HTTP/2 queue the rest.
    pub fn max_concurrent_streams(mut self, streams: u32) -> Self {
        self.max_concurrent_streams = streams;
        self
    }

    /// How many connections may be open at once, over all listeners (no limit). While that many are, none is accepted:
    /// further ones wait in the system's queue of the listener.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = Some(connections);
        self
    }

    /// The largest message that is received, in bytes (4 MiB). A larger one ends its call with RESOURCE_EXHAUSTED as soon
    /// as its length is known, before it is buffered. tonic's generated services have a limit of their own above this
    /// one, 4 MiB too: raise both.
    pub fn max_receive_message_size(mut self, bytes: usize) -> Self {
        self.max_receive_message_size = bytes;
        self
    }

    /// The largest message that is sent, in bytes (no limit). A larger one ends its call with RESOURCE_EXHAUSTED.
    pub fn max_send_message_size(mut self, bytes: usize) -> Self {
        self.max_send_message_size = Some(bytes);
        self
    }

    /// What a client has for TLS and HTTP/2's preface together (120 s).
    pub fn handshake_timeout(mut self, time: Duration) -> Self {
        self.handshake_timeout = time;
        self
    }

    /// When to ping a silent client (A9): after 2 h, which must be answered within 20 s, calls or not. On Linux the
    /// timeout also limits how long sent bytes may stay unacknowledged (A18).
    pub fn keepalive(mut self, keepalive: Keepalive) -> Self {
        self.keepalive = keepalive;
        self.keepalive.time = keepalive.time.map(|time| time.max(LEAST_KEEPALIVE));
        self
    }

    /// What clients may ping (A8): once in 5 minutes, and only while calls are in flight. The third ping too early ends
    /// the connection with ENHANCE_YOUR_CALM, `too_many_pings`.
    pub fn keepalive_enforcement(mut self, rules: KeepaliveEnforcement) -> Self {
        self.enforcement = rules;
        self
    }

    /// Sends GOAWAY on a connection that had no call for this long (for ever), and closes it (A9).
    pub fn max_connection_idle(mut self, time: Duration) -> Self {
        self.lifetime.idle = Some(time);
        self
    }

    /// Sends GOAWAY on a connection of this age (for ever), give or take a tenth so that clients do not all come back at
    /// once, and closes it after its last call (A9).
    pub fn max_connection_age(mut self, time: Duration) -> Self {
        self.lifetime.age = Some(time);
        self
    }

    /// What calls in flight have once their connection has reached its age (for ever); then they are cut off (A9).
    pub fn max_connection_age_grace(mut self, time: Duration) -> Self {
        self.lifetime.grace = Some(time);
        self
    }

    /// Runs `hook` once, when the server begins to stop, gracefully or at once, or has ended by itself: before any client
    /// can notice, and before hooks that were added later. It should take no time, since the stop waits for it.
    pub fn on_stop(self, hook: impl FnOnce() + Send + 'static) -> Self {
        self.hooks.add(hook);
        self
    }

    /// How long a server that stops gracefully serves on before it sends GOAWAY (not at all): connections are accepted and
    /// calls answered as before, while clients that have heard of the stop (from a health service, or because a name system
    /// has taken the server out) move away. It is part of the time that the stop is given.
    pub fn drain_time(mut self, time: Duration) -> Self {
        self.drain_time = time;
        self
    }

    /// Listens on `listener` too, and serves until the server is stopped. Dropping the future stops it at once.
    ///
    /// In one line what [`listen`](Self::listen), [`bind`](Self::bind) and [`Server::run`] do.
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind).
    pub async fn serve(self, listener: impl Into<Listener>) -> Result<(), ServerError> {
        self.listen(listener).bind().await?.run().await;
        Ok(())
    }

    /// Listens everywhere. Clients can connect from now on; they are served by [`Server::run`].
    ///
    /// # Errors
    ///
    /// The first thing that is wrong: an address, an option, a name used twice, or what the system says to listening.
    pub async fn bind(self) -> Result<Server, ServerError> {
        self.http2.validate()?;
        if let Some(name) = self.duplicate {
            return Err(ServerError::DuplicateService(name));
        }
        if self.listeners.is_empty() {
            return Err(ServerError::NoListener);
        }
        let user_timeout = self.keepalive.time.map(|_| self.keepalive.timeout);
        let mut bound = vec![];
        for listener in self.listeners {
            bound.push(bind(listener, &self.credentials, user_timeout).await?);
        }
        let calls = CallRules {
            entry: entry(Router::new(self.table), self.layers),
            max_receive_message_size: self.max_receive_message_size,
            max_send_message_size: self.max_send_message_size,
            max_header_list_size: self.http2.max_header_list_size as usize,
        };
        let (control, alive) = Control::new(self.hooks, self.drain_time);
        let rules = ConnectionRules {
            calls: Arc::new(calls),
            http2: self.http2,
            max_concurrent_streams: self.max_concurrent_streams,
            handshake_timeout: self.handshake_timeout,
            keepalive: self.keepalive,
            enforcement: self.enforcement,
            lifetime: self.lifetime,
            ledger: control.ledger(),
        };
        let room = self.max_connections.map(|n| Arc::new(Semaphore::new(n.min(Semaphore::MAX_PERMITS))));
        Ok(Server { listeners: bound, rules: Arc::new(rules), room, control, alive })
    }
}

/// Puts the layers around the router, the first one outermost.
fn entry(router: Router, layers: Vec<Box<dyn FnOnce(Routes) -> Routes + Send>>) -> Entry {
    if layers.is_empty() {
        return Entry::Router(router);
    }
    Entry::Layers(layers.into_iter().rev().fold(Routes::new(router), |routes, layer| layer(routes)))
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("services", &self.table)
            .field("listeners", &self.listeners)
            .finish_non_exhaustive()
    }
}
