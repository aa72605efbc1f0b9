//! The task that writes: it takes what has gathered, all at once, and writes it.
//!
//! With many calls in flight it lets those that are ready append first, so that they share a system call: tokio's
//! multi-threaded runtime runs a woken task right after the one that woke it, which would be after the first call.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Buf;
use thalweg_http2::send::Outgoing;
use tokio::io::AsyncWrite;

use super::{error, halves::WriteHalf, ledger::Presence, link::Link};
use crate::{
    error::WireError,
    rt::{self, Task},
    transport::{batch::Batch, options::Http2Options},
};

/// What the last words on a connection may take.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(1);
/// The most pieces that one write gathers.
const PIECES: usize = 64;

/// Writes what calls and the reading task append, until the connection has ended and everything is written.
pub(super) struct Writer {
    link: Arc<Link>,
    io: WriteHalf,
    out: Outgoing,
    batch: Batch,
    vectored: bool,
    /// Bytes were written that the byte stream may still keep to itself.
    unflushed: bool,
    /// It was said that all is written.
    rests: bool,
    _presence: Arc<Presence>,
}

impl Writer {
    /// Starts the task.
    pub(super) fn start(link: Arc<Link>, io: WriteHalf, http2: &Http2Options, presence: Arc<Presence>) -> Task {
        let vectored = io.is_write_vectored();
        // Both sides have something to say from the beginning.
        link.writing.raise();
        rt::spawn(Self {
            link,
            io,
            out: Outgoing::default(),
            batch: Batch::new(http2.gather_from),
            vectored,
            unflushed: false,
            rests: false,
            _presence: presence,
        })
    }

    /// Ready with an error when the byte stream fails, or without one when the connection has ended and all is written.
    fn poll_work(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        loop {
            while self.out.has_remaining() {
                ready!(self.poll_write(cx)).map_err(|error| error::of_io(&error))?;
            }
            if self.link.writing.poll_raised(cx).is_pending() {
                if self.unflushed {
                    ready!(Pin::new(&mut self.io).poll_flush(cx)).map_err(|error| error::of_io(&error))?;
                    self.unflushed = false;
                }
                if self.link.look(|sender| sender.is_closed() && !sender.wants_write()) {
                    return Poll::Ready(Ok(()));
                }
                if !std::mem::replace(&mut self.rests, true) {
                    self.link.note_rest(true);
                }
                return Poll::Pending;
            }
            if !self.link.take_gathered() && self.batch.poll(self.link.traffic(), cx).is_pending() {
                // What was asked is still to be done.
                self.link.writing.raise();
                return Poll::Pending;
            }
            let fault = self.link.with(|sender| {
                // Under the lock: whoever finds nothing to take must know that it was taken.
                if std::mem::take(&mut self.rests) {
                    self.link.note_rest(false);
                }
                sender.take(&mut self.out);
                sender.fault()
            });
            if let Some(violation) = fault {
                self.link.accuse(violation);
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let io = Pin::new(&mut self.io);
        let written = if self.vectored {
            let mut pieces = [io::IoSlice::new(&[]); PIECES];
            let count = self.out.chunks_vectored(&mut pieces);
            match count {
                1 => ready!(io.poll_write(cx, &pieces[0])),
                _ => ready!(io.poll_write_vectored(cx, &pieces[..count])),
            }
        } else {
            ready!(io.poll_write(cx, self.out.chunk()))
        }?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.unflushed = true;
        self.out.wrote();
        self.out.advance(written);
        Poll::Ready(Ok(()))
    }
}

impl Future for Writer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        match ready!(this.poll_work(cx)) {
            // Whatever becomes of the goodbye: both sides know that it is over.
            Ok(()) => drop(ready!(Pin::new(&mut this.io).poll_shutdown(cx))),
            Err(error) => this.link.fail(error),
        }
        Poll::Ready(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.link.end_writing();
    }
}
