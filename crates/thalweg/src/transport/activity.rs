//! When a connection last heard from its peer, for keepalive and idleness.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::rt;

/// The time of the last read, shared by the byte stream and whoever watches it.
#[derive(Clone, Debug)]
pub(crate) struct LastRead {
    start: Instant,
    nanos: Arc<AtomicU64>,
}

impl LastRead {
    /// The connection begins now.
    pub(crate) fn new() -> Self {
        Self { start: rt::now(), nanos: Arc::default() }
    }

    /// When bytes last came in; the beginning, if none did.
    pub(crate) fn at(&self) -> Instant {
        self.start + Duration::from_nanos(self.nanos.load(Relaxed))
    }

    fn note(&self) {
        self.nanos.store(rt::now().saturating_duration_since(self.start).as_nanos() as u64, Relaxed);
    }
}

/// A byte stream that notes when bytes come in, if anybody wants to know.
#[derive(Debug)]
pub(crate) struct Watched<T> {
    io: T,
    last_read: Option<LastRead>,
}

impl<T> Watched<T> {
    pub(crate) fn new(io: T, last_read: Option<LastRead>) -> Self {
        Self { io, last_read }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        if let (Some(last_read), true) = (&self.last_read, buf.filled().len() > before) {
            last_read.note();
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
