//! A connector that counts the bytes on its way and can be cut, for examples that show what is on the wire.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use thalweg::{
    BoxFuture,
    core::endpoint::Address,
    error::ConnectError,
    io::BoxIo,
    transport::{Connected, Connector},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Connects through another connector; clones share their counters.
#[derive(Clone, Debug)]
pub struct Cable {
    through: Arc<dyn Connector>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    sent: AtomicU64,
    received: AtomicU64,
    /// How often it was cut: a connection made before the last cut is dead.
    cuts: AtomicU64,
}

impl Cable {
    /// A cable in the place of `connector`.
    #[must_use]
    pub fn new(connector: impl Connector) -> Self {
        Self { through: Arc::new(connector), state: Arc::default() }
    }

    /// Silently loses everything on the connections there are, in both directions: nobody is told. New ones are whole.
    pub fn cut(&self) {
        self.state.cuts.fetch_add(1, Relaxed);
    }

    /// How many bytes the client has sent so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.state.sent.load(Relaxed)
    }

    /// How many bytes the client has received so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.state.received.load(Relaxed)
    }
}

impl Connector for Cable {
    fn connect(&self, address: Address) -> BoxFuture<'_, Result<Connected, ConnectError>> {
        Box::pin(async move {
            let Connected { io, peer } = self.through.connect(address).await?;
            let state = Arc::clone(&self.state);
            let born = state.cuts.load(Relaxed);
            Ok(Connected { io: Box::new(Wire { io, state, born }), peer })
        })
    }
}

/// One connection.
struct Wire {
    io: BoxIo,
    state: Arc<State>,
    born: u64,
}

impl Wire {
    fn is_cut(&self) -> bool {
        self.state.cuts.load(Relaxed) > self.born
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_cut() {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut self.io).poll_read(cx, buf);
        self.state.received.fetch_add((buf.filled().len() - before) as u64, Relaxed);
        result
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_cut() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        if let Poll::Ready(Ok(length)) = written {
            self.state.sent.fetch_add(length as u64, Relaxed);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_cut() { Poll::Ready(Ok(())) } else { Pin::new(&mut self.io).poll_flush(cx) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_cut() { Poll::Ready(Ok(())) } else { Pin::new(&mut self.io).poll_shutdown(cx) }
    }
}
