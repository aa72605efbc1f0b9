//! The sending half of a stream, with backpressure.

use std::{
    fmt,
    task::{Context, Poll},
};

use bytes::Bytes;
use h2::{Reason, SendStream};
use http::HeaderMap;

use super::error::{closed, reset_by_peer, wire_error};
use crate::error::WireError;

/// The sending half of a stream. At most one chunk waits in it for the peer's window.
pub(crate) struct SendHalf {
    stream: SendStream<Bytes>,
    /// What does not fit into the peer's window yet, and whether the stream ends after it.
    waiting: Option<(Bytes, bool)>,
}

impl SendHalf {
    pub(super) fn new(stream: SendStream<Bytes>) -> Self {
        Self { stream, waiting: None }
    }

    /// Takes one chunk. Only after `poll_sent` was ready.
    ///
    /// A chunk that ends the stream and is no larger than a frame goes straight to the connection, without waiting for
    /// capacity: the common unary message.
    pub(crate) fn send(&mut self, chunk: Bytes, end: bool) -> Result<(), WireError> {
        debug_assert!(self.waiting.is_none(), "a chunk is still waiting");
        if end && chunk.len() <= SMALL {
            return self.stream.send_data(chunk, true).map_err(|e| wire_error(&e));
        }
        self.stream.reserve_capacity(chunk.len());
        self.waiting = Some((chunk, end));
        Ok(())
    }

    /// Takes the last chunk before the trailers. Only after `poll_sent` was ready.
    ///
    /// One that is no larger than a frame goes straight to the connection: the common unary answer.
    pub(crate) fn send_last(&mut self, chunk: Bytes) -> Result<(), WireError> {
        if chunk.len() <= SMALL {
            return self.stream.send_data(chunk, false).map_err(|e| wire_error(&e));
        }
        self.send(chunk, false)
    }

    /// Is a chunk waiting for the peer's window?
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Ready when everything taken so far has gone to the connection.
    pub(crate) fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        while let Some((mut chunk, end)) = self.waiting.take() {
            let room = if chunk.is_empty() { 0 } else { self.stream.capacity() };
            if room == 0 && !chunk.is_empty() {
                self.waiting = Some((chunk, end));
                match self.stream.poll_capacity(cx) {
                    Poll::Ready(Some(Ok(_))) => continue,
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(wire_error(&error))),
                    Poll::Ready(None) => return Poll::Ready(Err(closed())),
                    Poll::Pending => return Poll::Pending,
                }
            }
            let now = chunk.split_to(room.min(chunk.len()));
            let last = chunk.is_empty();
            self.stream.send_data(now, end && last).map_err(|e| wire_error(&e))?;
            if !last {
                self.waiting = Some((chunk, end));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Ends the stream with trailers.
    pub(crate) fn send_trailers(&mut self, trailers: HeaderMap) -> Result<(), WireError> {
        self.stream.send_trailers(trailers).map_err(|e| wire_error(&e))
    }

    /// Ready when the peer has reset the stream, or the connection is lost.
    pub(crate) fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<WireError> {
        self.stream.poll_reset(cx).map(|reset| match reset {
            Ok(reason) => reset_by_peer(reason),
            Err(error) => wire_error(&error),
        })
    }

    /// Gives the stream up: RST_STREAM with CANCEL.
    pub(crate) fn cancel(&mut self) {
        self.stream.send_reset(Reason::CANCEL);
    }
}

/// The largest chunk that is handed over without asking for capacity first.
const SMALL: usize = 16 << 10;

impl fmt::Debug for SendHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendHalf")
            .field("waiting", &self.waiting.as_ref().map(|(c, _)| c.len()))
            .finish_non_exhaustive()
    }
}
