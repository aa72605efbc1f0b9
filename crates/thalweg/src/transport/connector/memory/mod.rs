//! Connections within the process: no socket, no port; for services in process and for tests.
//!
//! ```no_run
//! use thalweg::transport::connector::memory::MemoryListener;
//!
//! let mut listener = MemoryListener::new("greeter");
//! let connector = listener.connector(); // for the channel, whose target is `passthrough:///greeter`
//! # async move {
//! let connection = listener.accept().await; // for the server
//! # let _ = (connection, connector);
//! # };
//! ```

#[cfg(test)]
mod tests;

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;
use thalweg_core::endpoint::Address;
use tokio::{io::duplex, sync::mpsc};

use crate::{
    error::ConnectError,
    io::PeerInfo,
    rt::BoxFuture,
    transport::{Connected, Connector},
};

/// How many bytes travel in each direction before the sender waits.
const BUFFER: usize = 64 << 10;
/// How many connections wait to be accepted before connecting waits.
const BACKLOG: usize = 128;

/// The server's end: connections come out of it, by [`accept`](Self::accept) or as a stream.
///
/// Once it is dropped, connecting to it is refused; connections made before live on.
pub struct MemoryListener {
    name: Arc<str>,
    connections: mpsc::Receiver<Connected>,
    connector: MemoryConnector,
}

impl MemoryListener {
    /// A listener of this name, which only its own connectors reach: two listeners may bear the same name.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        let (sender, connections) = mpsc::channel(BACKLOG);
        Self { connector: MemoryConnector { name: Arc::clone(&name), listener: sender }, name, connections }
    }

    /// A connector that reaches this listener by its name.
    #[must_use]
    pub fn connector(&self) -> MemoryConnector {
        self.connector.clone()
    }

    /// The address by which connectors reach this listener.
    #[must_use]
    pub fn address(&self) -> Address {
        Address::Opaque(Arc::clone(&self.name))
    }

    /// The next connection. Cancel safe.
    pub async fn accept(&mut self) -> Connected {
        std::future::poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// The next connection, polled.
    pub fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Connected> {
        // The listener holds a connector of its own, so the channel never ends.
        match self.connections.poll_recv(cx) {
            Poll::Ready(Some(connection)) => Poll::Ready(connection),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Stream for MemoryListener {
    type Item = Connected;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Connected>> {
        self.poll_accept(cx).map(Some)
    }
}

impl fmt::Debug for MemoryListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryListener").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The client's end: reaches one [`MemoryListener`], at [`Address::Opaque`] with its name.
#[derive(Clone)]
pub struct MemoryConnector {
    name: Arc<str>,
    listener: mpsc::Sender<Connected>,
}

impl MemoryConnector {
    async fn reach(&self, address: Address) -> Result<Connected, ConnectError> {
        if !matches!(&address, Address::Opaque(name) if *name == self.name) {
            let text = format!(
                "no listener in memory is named {:?}; this connector reaches {:?}",
                address.to_string(),
                self.name
            );
            return Err(ConnectError::Address(text.into()));
        }
        let (ours, theirs) = duplex(BUFFER);
        let accepted =
            Connected { io: Box::new(theirs), peer: PeerInfo { local: Some(address.clone()), ..PeerInfo::default() } };
        self.listener
            .send(accepted)
            .await
            .map_err(|_| ConnectError::from(std::io::Error::from(std::io::ErrorKind::ConnectionRefused)))?;
        Ok(Connected { io: Box::new(ours), peer: PeerInfo { remote: Some(address), ..PeerInfo::default() } })
    }
}

impl Connector for MemoryConnector {
    fn connect(&self, address: Address) -> BoxFuture<'_, Result<Connected, ConnectError>> {
        Box::pin(self.reach(address))
    }
}

impl fmt::Debug for MemoryConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryConnector").field("name", &self.name).finish_non_exhaustive()
    }
}
