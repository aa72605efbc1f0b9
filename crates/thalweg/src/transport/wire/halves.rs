//! A byte stream in two halves, for the two tasks of a connection.
//!
//! Sockets come apart without a lock. Anything else is shared behind one, which a read and a write take in turn.

use std::{
    any::Any,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, tcp},
};

use crate::io::BoxIo;

/// What is read.
pub(super) enum ReadHalf {
    Tcp(tcp::OwnedReadHalf),
    #[cfg(unix)]
    Unix(tokio::net::unix::OwnedReadHalf),
    Other(tokio::io::ReadHalf<BoxIo>),
}

/// What is written.
pub(super) enum WriteHalf {
    Tcp(tcp::OwnedWriteHalf),
    #[cfg(unix)]
    Unix(tokio::net::unix::OwnedWriteHalf),
    Other(tokio::io::WriteHalf<BoxIo>),
}

/// Takes a byte stream apart.
pub(super) fn split(io: BoxIo) -> (ReadHalf, WriteHalf) {
    let io = match known::<TcpStream>(io) {
        Ok(tcp) => {
            let (read, write) = tcp.into_split();
            return (ReadHalf::Tcp(read), WriteHalf::Tcp(write));
        }
        Err(io) => io,
    };
    #[cfg(unix)]
    let io = match known::<tokio::net::UnixStream>(io) {
        Ok(unix) => {
            let (read, write) = unix.into_split();
            return (ReadHalf::Unix(read), WriteHalf::Unix(write));
        }
        Err(io) => io,
    };
    let (read, write) = tokio::io::split(io);
    (ReadHalf::Other(read), WriteHalf::Other(write))
}

/// The byte stream as what it is, if it is a `T`.
fn known<T: Any>(io: BoxIo) -> Result<Box<T>, BoxIo> {
    let any: &dyn Any = &*io;
    if any.is::<T>() {
        let any: Box<dyn Any> = io;
        return Ok(any.downcast().expect("its type was just looked at"));
    }
    Err(io)
}

macro_rules! each {
    ($half:expr, $name:ident => $do:expr) => {
        match $half {
            Self::Tcp($name) => $do,
            #[cfg(unix)]
            Self::Unix($name) => $do,
            Self::Other($name) => $do,
        }
    };
}

impl AsyncRead for ReadHalf {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), half => Pin::new(half).poll_read(cx, buf))
    }
}

impl AsyncWrite for WriteHalf {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), half => Pin::new(half).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), half => Pin::new(half).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        each!(self, half => half.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), half => Pin::new(half).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), half => Pin::new(half).poll_shutdown(cx))
    }
}
