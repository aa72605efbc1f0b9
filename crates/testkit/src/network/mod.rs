//! A network in memory, with named hosts and everything that goes wrong between them. Its time is tokio's, which tests
//! pause.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use thalweg::transport::Connector;
//! use thalweg_testkit::network::Network;
//!
//! let network = Network::new();
//! let mut listener = network.listen("10.0.0.1:50051");
//! let connected = network.connect(network.host("10.0.0.1:50051").address()).await.unwrap();
//! let accepted = listener.accept().await;
//! network.host("10.0.0.1:50051").kill(); // both now read "connection reset", and connecting is refused
//! # let _ = (connected, accepted);
//! # }
//! ```

#[cfg(test)]
mod tests;

mod connection;
mod host;
mod pipe;

use std::{
    collections::BTreeMap,
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use thalweg::{
    error::ConnectError,
    server,
    transport::{Connected, Connector},
};
use thalweg_core::endpoint::Address;
use tokio::sync::mpsc;

pub use connection::Connection;
pub use host::Host;

/// The network. Cheap to clone; clones are the same network. It is the connector for the clients on it.
#[derive(Clone, Default)]
pub struct Network(Arc<Map>);

#[derive(Default)]
struct Map {
    hosts: Mutex<BTreeMap<Address, Host>>,
    clients: AtomicU16,
}

impl Network {
    /// A network without hosts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Listens at `address`: an IP address and port, or any name ([`Address::Opaque`]). Whoever listened there before
    /// gets no more connections.
    #[must_use]
    pub fn listen(&self, address: &str) -> Listener {
        let (sender, connections) = mpsc::unbounded_channel();
        let host = self.host(address);
        host.set_listener(sender);
        Listener { host, connections }
    }

    /// The host at `address`, whether or not it listens: for faults.
    #[must_use]
    pub fn host(&self, address: &str) -> Host {
        self.at(&address_of(address))
    }

    fn at(&self, address: &Address) -> Host {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.entry(address.clone()).or_insert_with(|| Host::new(address.clone())).clone()
    }

    /// Where the next client connects from.
    fn client(&self) -> Address {
        let port = 40_000 + self.0.clients.fetch_add(1, Ordering::Relaxed) % 20_000;
        SocketAddr::from((Ipv4Addr::new(10, 255, 0, 1), port)).into()
    }
}

impl Connector for Network {
    fn connect(&self, address: Address) -> Pin<Box<dyn Future<Output = Result<Connected, ConnectError>> + Send + '_>> {
        Box::pin(async move { self.at(&address).connect(self.client()).await })
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_tuple("Network").field(&hosts.values().collect::<Vec<_>>()).finish()
    }
}

/// How long a script waits for a connection.
const PATIENCE: Duration = Duration::from_secs(300);

/// Where a server takes its connections from, by [`accept`](Self::accept) or as a stream. Once it is dropped,
/// connecting is refused.
#[derive(Debug)]
pub struct Listener {
    host: Host,
    connections: mpsc::UnboundedReceiver<Connected>,
}

impl Listener {
    /// The next connection. Cancel safe. Panics if none comes for five minutes of the test's time, which is longer than
    /// any backoff.
    pub async fn accept(&mut self) -> Connected {
        let next = async {
            match self.connections.recv().await {
                Some(connection) => connection,
                // Another listener has taken the address over.
                None => std::future::pending().await,
            }
        };
        let waited = tokio::time::timeout(PATIENCE, next).await;
        waited.unwrap_or_else(|_| panic!("waited for a connection in vain: {:?}", self.host))
    }

    /// The host that listens.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }
}

impl Stream for Listener {
    type Item = io::Result<Connected>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.connections.poll_recv(cx).map(|next| next.map(Ok))
    }
}

impl From<Listener> for server::Listener {
    fn from(listener: Listener) -> Self {
        Self::incoming(listener)
    }
}

fn address_of(text: &str) -> Address {
    text.parse::<SocketAddr>().map_or_else(|_| Address::Opaque(text.into()), Address::Tcp)
}
