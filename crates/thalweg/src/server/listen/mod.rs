//! Where connections come from: TCP, Unix sockets, memory, or any stream of connections.

mod accept;
mod bind;
#[cfg(test)]
mod tests;

use std::{
    fmt, io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use thalweg_core::endpoint::Address;
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

use crate::{
    credentials::ServerCredentials,
    rt,
    transport::{Connected, connector::memory::MemoryListener},
};

pub(super) use accept::accept_all;
pub(super) use bind::bind;

/// One source of a server's connections.
///
/// Made from an address to listen on, which [`bind`](crate::server::ServerBuilder::bind) will do: `"127.0.0.1:50051"`,
/// `"[::]:0"` (port 0 is any free one), `"localhost:50051"`, `"unix:/run/greeter.sock"`, `"unix-abstract:greeter"`; or from
/// something that listens already: tokio's [`TcpListener`] and [`UnixListener`], and [`MemoryListener`].
#[derive(Debug)]
pub struct Listener {
    source: Source,
    credentials: Option<ServerCredentials>,
}

/// Polls for the next connection; `None` when there will be no more.
type Accept = Box<dyn FnMut(&mut Context<'_>) -> Poll<Option<io::Result<Connected>>> + Send>;

enum Source {
    Address(String),
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
    Memory(MemoryListener),
    Stream(Accept),
}

impl Listener {
    /// The connections that a stream yields: byte streams, or [`Connected`] with what is known of their peers. An error
    /// is logged and does not end the listener; the end of the stream does.
    #[must_use]
    pub fn incoming<C: Into<Connected>>(stream: impl Stream<Item = io::Result<C>> + Send + 'static) -> Self {
        let mut stream = Box::pin(stream);
        let accept =
            move |cx: &mut Context<'_>| stream.as_mut().poll_next(cx).map(|next| next.map(|c| c.map(Into::into)));
        Source::Stream(Box::new(accept)).into()
    }

    /// Secures the connections of this listener by `credentials`, whatever the server's other listeners do.
    #[must_use]
    pub fn with_credentials(mut self, credentials: ServerCredentials) -> Self {
        self.credentials = Some(credentials);
        self
    }
}

impl From<Source> for Listener {
    fn from(source: Source) -> Self {
        Self { source, credentials: None }
    }
}

impl From<&str> for Listener {
    fn from(address: &str) -> Self {
        Source::Address(address.to_owned()).into()
    }
}

impl From<String> for Listener {
    fn from(address: String) -> Self {
        Source::Address(address).into()
    }
}

impl From<SocketAddr> for Listener {
    fn from(address: SocketAddr) -> Self {
        Source::Address(address.to_string()).into()
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Source::Tcp(listener).into()
    }
}

#[cfg(unix)]
impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Self {
        Source::Unix(listener).into()
    }
}

impl From<MemoryListener> for Listener {
    fn from(listener: MemoryListener) -> Self {
        Source::Memory(listener).into()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => f.debug_tuple("Address").field(address).finish(),
            Self::Tcp(listener) => listener.fmt(f),
            #[cfg(unix)]
            Self::Unix(listener) => listener.fmt(f),
            Self::Memory(listener) => listener.fmt(f),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

/// A listener that listens.
pub(super) struct Bound {
    accept: Accept,
    pub(super) credentials: ServerCredentials,
    /// Where it listens, if that has an address.
    pub(super) local: Option<Address>,
    /// The socket's file, if we made it.
    _file: Option<SocketFile>,
}

impl Bound {
    /// The next connection, or why there is none; `None` when there will be no more. A source that always has an answer
    /// takes turns with everybody else.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Connected>>> {
        ready!(rt::poll_turn(cx));
        (self.accept)(cx)
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("local", &self.local).finish_non_exhaustive()
    }
}

/// The file of a Unix socket, removed when nobody listens any more.
#[derive(Debug)]
struct SocketFile(Arc<std::path::Path>);

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::debug!(path = %self.0.display(), %error, "a socket's file could not be removed");
        }
    }
}
