//! One stream as its call holds it: what comes in, and the way out.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use thalweg_http2::{error::Code, fields::Fields, head::ResponseHead, send::Progress};

use super::{
    error,
    link::Link,
    slot::{Slot, Whole},
};
use crate::error::{WireError, WireErrorKind};

/// A hand on one stream.
#[derive(Clone)]
pub(super) struct Stream {
    pub(super) link: Arc<Link>,
    pub(super) slot: Arc<Slot>,
    pub(super) id: u32,
}

impl Stream {
    /// Resets the stream, unless it is over. Whoever still waits for it hears so.
    pub(super) fn reset(&self) {
        if self.link.reset(self.id, Code::CANCEL) {
            let cut = self.slot.on_cut(|answered| error::given_up(Code::CANCEL, answered));
            if let Some(task) = cut.wake {
                task.wake();
            }
        }
    }

    /// Ready when the stream was cut off; `or_ended`: or the peer has ended it.
    pub(super) fn poll_over(&self, or_ended: bool, cx: &Context<'_>) -> Poll<WireError> {
        self.slot.poll_cut(or_ended, cx).map(|cut| cut.unwrap_or_else(error::closed))
    }

    /// Why nothing can be sent any more.
    pub(super) fn gone(&self) -> WireError {
        self.slot.cut().or_else(|| self.link.ended().cloned()).unwrap_or_else(error::closed)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stream").field(&self.id).finish()
    }
}

/// What comes in on a stream. Whoever drops it reads no more.
#[derive(Debug)]
pub(super) struct Inbound {
    pub(super) stream: Stream,
    /// Bytes handed over since the peer last heard of it.
    consumed: usize,
    /// It is known that nothing more will come.
    over: bool,
}

impl Inbound {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, consumed: 0, over: false }
    }

    /// The head of the response, and all of the rest if that is there and simple.
    pub(super) fn poll_head(&mut self, cx: &Context<'_>) -> Poll<Result<(ResponseHead, Option<Whole>), WireError>> {
        let (head, whole) = ready!(self.stream.slot.poll_head(cx))?;
        let whole = whole.map(|(whole, held)| {
            self.over = true;
            self.stream.link.release(held);
            whole
        });
        Poll::Ready(self.measure(head.fields.size).map(|()| (head, whole)))
    }

    /// What was whole is to be read piece by piece after all.
    pub(super) fn put_back(&mut self, whole: Whole) {
        self.over = false;
        let held = self.stream.slot.put_back(whole);
        self.stream.link.unread.hold(held);
    }

    /// The next piece of the body; `None` before the trailers, or where they would be.
    pub(super) fn poll_data(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Bytes, WireError>>> {
        Poll::Ready(match ready!(self.stream.slot.poll_data(cx)) {
            Some(Ok((data, freed))) => {
                self.stream.link.release(freed);
                self.consume(data.len());
                Some(Ok(data))
            }
            end => {
                // What was cut off may still be delivered to: only an end that was read to is one.
                self.over = end.is_none();
                end.map(|cut| cut.map(|(data, _)| data))
            }
        })
    }

    /// The trailers, if any, after the body.
    pub(super) fn poll_trailers(&mut self, cx: &Context<'_>) -> Poll<Result<Option<Fields>, WireError>> {
        let trailers = ready!(self.stream.slot.poll_trailers(cx))?;
        self.over = true;
        Poll::Ready(self.measure(trailers.as_ref().map_or(0, |trailers| trailers.size)).map(|()| trailers))
    }

    /// Has the stream ended, with nothing to come any more?
    pub(super) fn is_ended(&self) -> bool {
        self.stream.slot.is_read()
    }

    /// The peer may send again what was consumed; it hears of it in large steps, and not after the end.
    fn consume(&mut self, bytes: usize) {
        self.consumed += bytes;
        if self.consumed >= self.stream.link.credit_step && !self.stream.slot.is_over() {
            let (id, bytes) = (self.stream.id, mem::take(&mut self.consumed));
            self.stream.link.with(|sender| sender.credit(id, bytes as u32));
        }
    }

    fn measure(&self, size: usize) -> Result<(), WireError> {
        let limit = self.stream.link.max_header_list_size;
        if size <= limit {
            return Ok(());
        }
        Err(error::ours(WireErrorKind::HeadersTooLarge { size, limit }))
    }

    /// Nobody reads any more. Was the stream over?
    pub(super) fn abandon(&mut self) -> bool {
        if !self.over {
            let (freed, over) = self.stream.slot.abandon();
            self.stream.link.release(freed);
            return over;
        }
        true
    }
}

/// The sending half of a stream. Dropped before the end, it resets the stream.
#[derive(Debug)]
pub(crate) struct SendHalf {
    stream: Stream,
    /// A chunk waits for the peer's window, or for the socket.
    waiting: bool,
    ended: bool,
    /// The stream is over for us when the peer has ended it.
    is_client: bool,
}

impl SendHalf {
    /// The way out of a call of ours, whose first data may be `waiting`.
    pub(super) fn of_client(stream: Stream, waiting: bool) -> Self {
        Self { stream, waiting, ended: false, is_client: true }
    }

    /// The way out of a response whose head has been sent, and was all of it if `ended`.
    pub(super) fn of_server(stream: Stream, ended: bool) -> Self {
        Self { stream, waiting: false, ended, is_client: false }
    }

    /// Takes one chunk. Only after [`poll_sent`](Self::poll_sent) was ready.
    pub(crate) fn send(&mut self, chunk: Bytes, end: bool) -> Result<(), WireError> {
        debug_assert!(!self.waiting, "a chunk is still waiting");
        let Stream { link, slot, id } = &self.stream;
        let progress = link.with(|sender| sender.data(*id, chunk, end, slot)).map_err(|_| self.stream.gone())?;
        self.waiting = progress == Progress::Waiting;
        self.ended = end;
        Ok(())
    }

    /// Is a chunk waiting for the peer's window, or for the socket?
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// Ready when everything taken so far has gone to the connection.
    pub(crate) fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        if self.waiting {
            ready!(self.stream.slot.poll_drained(cx))?;
            self.waiting = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Ends the stream with trailers.
    pub(crate) fn send_trailers(&mut self, trailers: &HeaderMap) -> Result<(), WireError> {
        let Stream { link, id, .. } = &self.stream;
        self.ended = true;
        link.with(|sender| sender.trailers(*id, trailers)).map_err(|_| self.stream.gone())
    }

    /// Ready when the stream is over, whatever we still have to send: reset by the peer, lost, or answered.
    pub(crate) fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<WireError> {
        self.stream.poll_over(self.is_client, cx)
    }

    /// Gives the stream up: RST_STREAM with CANCEL.
    pub(crate) fn cancel(&mut self) {
        self.ended = true;
        self.stream.reset();
    }
}

impl Drop for SendHalf {
    fn drop(&mut self) {
        if !self.ended {
            self.stream.reset();
        }
    }
}
