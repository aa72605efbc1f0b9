//! Connectors: how the byte stream under a connection is made. TCP (A18) and Unix sockets, through an HTTP CONNECT
//! proxy if there is one (A1), and in memory.

#[cfg(test)]
mod tests;

pub mod memory;
pub mod proxy;
pub(crate) mod tcp;
mod unix;

use std::time::Duration;

use thalweg_core::endpoint::Address;

use crate::{
    error::ConnectError,
    rt::BoxFuture,
    transport::{Connected, Connector},
};

use proxy::Proxy;
pub use tcp::TcpConnector;
pub use unix::UnixConnector;

/// Reaches every kind of address that the operating system knows: TCP and Unix sockets, and names
/// ([`Address::Opaque`]: `host:port`), which the system resolves when the connection is made.
///
/// With a proxy, TCP addresses and names are reached through it: the proxy is told the address or the name as it
/// stands, and resolves the name itself (A1).
#[derive(Clone, Debug, Default)]
pub struct DefaultConnector {
    tcp: TcpConnector,
    unix: UnixConnector,
    proxy: Option<Proxy>,
}

impl DefaultConnector {
    /// Reaches addresses directly, with the system's TCP timeouts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reaches TCP addresses and names through `proxy`, or directly if there is none. Unix sockets are always reached
    /// directly.
    #[must_use]
    pub fn proxy(mut self, proxy: Option<Proxy>) -> Self {
        self.proxy = proxy;
        self
    }

    /// See [`TcpConnector::user_timeout`].
    #[must_use]
    pub fn tcp_user_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.tcp = self.tcp.user_timeout(timeout);
        self
    }

    async fn reach(&self, address: Address) -> Result<Connected, ConnectError> {
        match (&address, &self.proxy) {
            (Address::Unix(_) | Address::UnixAbstract(_), _) => self.unix.connect(address).await,
            (Address::Tcp(_) | Address::Opaque(_), None) => self.tcp.connect(address).await,
            (Address::Tcp(address), Some(proxy)) => proxy.tunnel_to(&address.to_string(), &self.tcp).await,
            (Address::Opaque(name), Some(proxy)) => proxy.tunnel_to_name(name, &self.tcp).await,
        }
    }
}

impl Connector for DefaultConnector {
    fn connect(&self, address: Address) -> BoxFuture<'_, Result<Connected, ConnectError>> {
        Box::pin(self.reach(address))
    }
}

/// The connector `name` knows nothing of such an address.
fn unreachable_by(name: &str, address: &Address) -> ConnectError {
    ConnectError::Address(format!("a {name} connector cannot reach it: {address}").into())
}
