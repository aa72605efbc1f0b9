//! Where the events of one stream wait for the call that reads it.

#[cfg(test)]
mod tests;

mod chunks;

use std::{
    mem,
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use thalweg_http2::{fields::Fields, head::ResponseHead, receive::Payload};

use self::chunks::Chunks;
use super::{
    error::closed,
    sync::{Mutex, lock},
    unread::Held,
};
use crate::error::WireError;

/// Unread bytes of a stream that are nobody's concern. Only what is more counts against the connection.
const UNCOUNTED: usize = 64 << 10;

/// What the reader of the connection and the call on one stream share.
#[derive(Debug)]
pub(super) struct Slot {
    state: Mutex<State>,
    /// When the call is over in any case.
    pub(super) deadline: Option<Instant>,
}

#[derive(Debug, Default)]
struct State {
    /// The head of a response.
    head: Option<ResponseHead>,
    /// The body, as far as it has come.
    body: Chunks,
    /// What ended the body.
    trailers: Option<Fields>,
    /// The peer has ended its side.
    ended: bool,
    /// Why the stream was cut off.
    cut: Option<WireError>,
    /// Bytes that wait in the body.
    unread: usize,
    /// The head has been here.
    answered: bool,
    /// Nobody reads any more.
    abandoned: bool,
    /// What was to be sent has gone to the connection.
    drained: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// A response as a unary call has it: one piece of a body, and trailers that say nothing but success.
#[derive(Debug)]
pub(crate) struct Whole {
    /// The body.
    pub(crate) body: Bytes,
    /// The trailers.
    pub(crate) trailers: Fields,
}

/// The head of a response, and the rest with what counts against the connection no longer, if that can be had at once.
pub(super) type Begun = (ResponseHead, Option<(Whole, Held)>);

/// What the reader of the connection has to do after an event.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Delivered {
    /// Wake this, when there is nothing more to deliver.
    pub(super) wake: Option<Waker>,
    /// What counts against the connection until it is read.
    pub(super) held: Held,
}

impl Slot {
    /// A stream on which nothing has come; `reader` is woken when something does.
    pub(super) fn new(deadline: Option<Instant>, reader: Option<Waker>) -> Self {
        Self { state: Mutex::new(State { reader, ..State::default() }), deadline }
    }

    /// The head of the response has come.
    pub(super) fn on_head(&self, head: ResponseHead, end: bool) -> Delivered {
        self.deliver(|state| {
            state.answered = true;
            state.head = Some(head);
            state.end_if(end);
        })
    }

    /// The stream has ended as it began.
    pub(super) fn on_end(&self) -> Delivered {
        self.deliver(|state| state.end_if(true))
    }

    /// A piece of the body has come; `shares`: if it is large, it may share the memory that it was read into.
    pub(super) fn on_data(&self, payload: Payload<'_>, shares: bool, end: bool) -> Delivered {
        let mut held = Held::default();
        let mut delivered = self.deliver(|state| {
            if !state.abandoned && !payload.is_empty() {
                let before = state.unread.saturating_sub(UNCOUNTED);
                state.unread += payload.len();
                let bytes = state.unread.saturating_sub(UNCOUNTED) - before;
                held = Held { bytes, pieces: state.body.push(payload, shares) };
            }
            state.end_if(end);
        });
        delivered.held = held;
        delivered
    }

    /// The trailers have come, and with them the end.
    pub(super) fn on_trailers(&self, trailers: Fields) -> Delivered {
        self.deliver(|state| {
            state.trailers = Some(trailers);
            state.end_if(true);
        })
    }

    /// The stream was cut off, for the first reason that is given. Whoever reads finds the end that came first.
    pub(super) fn on_cut(&self, error: impl FnOnce(bool) -> WireError) -> Delivered {
        self.deliver(|state| {
            let answered = state.answered;
            state.cut.get_or_insert_with(|| error(answered));
        })
    }

    /// What the stream had to send has gone to the connection.
    pub(super) fn on_drained(&self) {
        let writer = {
            let mut state = lock(&self.state);
            state.drained = true;
            state.writer.take()
        };
        if let Some(writer) = writer {
            writer.wake();
        }
    }

    fn deliver(&self, event: impl FnOnce(&mut State)) -> Delivered {
        let mut state = lock(&self.state);
        event(&mut state);
        let wake = state.reader.take();
        // An answer that is complete ends the request too, whoever sends it.
        let writer = if state.is_over() { state.writer.take() } else { None };
        drop(state);
        // The two are mostly one task, or there is but one of them.
        match (wake, writer) {
            (Some(reader), Some(writer)) => {
                writer.wake();
                Delivered { wake: Some(reader), held: Held::default() }
            }
            (reader, writer) => Delivered { wake: reader.or(writer), held: Held::default() },
        }
    }

    /// The head of the response, and all of the rest if that is there and simple.
    pub(super) fn poll_head(&self, cx: &Context<'_>) -> Poll<Result<Begun, WireError>> {
        let mut state = lock(&self.state);
        if let Some(head) = state.head.take() {
            return Poll::Ready(Ok((head, state.take_whole())));
        }
        state.poll_end(cx).map(|end| Err(end.err().unwrap_or_else(closed)))
    }

    /// What was [taken whole](Self::poll_head) is to be read piece by piece after all. It counts against the connection again.
    pub(super) fn put_back(&self, whole: Whole) -> Held {
        let mut state = lock(&self.state);
        state.unread += whole.body.len();
        state.trailers = Some(whole.trailers);
        Held { bytes: 0, pieces: state.body.put_back(whole.body) }
    }

    /// The next piece of the body, with what no longer counts against the connection; `None` at its end.
    pub(super) fn poll_data(&self, cx: &Context<'_>) -> Poll<Option<Result<(Bytes, Held), WireError>>> {
        let mut state = lock(&self.state);
        if let Some((piece, pieces)) = state.body.pop() {
            let held = state.unread.saturating_sub(UNCOUNTED);
            state.unread -= piece.len();
            let bytes = held - state.unread.saturating_sub(UNCOUNTED);
            return Poll::Ready(Some(Ok((piece, Held { bytes, pieces }))));
        }
        state.poll_end(cx).map(|end| end.err().map(Err))
    }

    /// The trailers after the body, if there are any.
    pub(super) fn poll_trailers(&self, cx: &Context<'_>) -> Poll<Result<Option<Fields>, WireError>> {
        let mut state = lock(&self.state);
        match state.trailers.take() {
            Some(trailers) => Poll::Ready(Ok(Some(trailers))),
            None => state.poll_end(cx).map(|end| end.map(|()| None)),
        }
    }

    /// Has the peer ended its side, and is everything read?
    pub(super) fn is_read(&self) -> bool {
        let state = lock(&self.state);
        state.ended && state.body.is_empty() && state.trailers.is_none()
    }

    /// Has the peer ended its side, or was the stream cut off?
    pub(super) fn is_over(&self) -> bool {
        lock(&self.state).is_over()
    }

    /// Ready when everything that the stream had to send has gone to the connection, or never will.
    pub(super) fn poll_drained(&self, cx: &Context<'_>) -> Poll<Result<(), WireError>> {
        let mut state = lock(&self.state);
        if mem::take(&mut state.drained) {
            return Poll::Ready(Ok(()));
        }
        if let Some(error) = &state.cut {
            return Poll::Ready(Err(error.clone()));
        }
        register(&mut state.writer, cx.waker());
        Poll::Pending
    }

    /// Ready when the stream was cut off; `or_ended`: or has just ended.
    pub(super) fn poll_cut(&self, or_ended: bool, cx: &Context<'_>) -> Poll<Option<WireError>> {
        let mut state = lock(&self.state);
        if state.cut.is_some() || or_ended && state.ended {
            return Poll::Ready(state.cut.clone());
        }
        register(&mut state.writer, cx.waker());
        Poll::Pending
    }

    /// Why the stream was cut off, if it was.
    pub(super) fn cut(&self) -> Option<WireError> {
        lock(&self.state).cut.clone()
    }

    /// Nobody reads from now on. What no longer counts against the connection, and whether the stream was over.
    pub(super) fn abandon(&self) -> (Held, bool) {
        let mut state = lock(&self.state);
        state.abandoned = true;
        state.reader = None;
        let pieces = state.body.pieces();
        let dropped = (mem::take(&mut state.body), state.head.take(), state.trailers.take());
        let bytes = mem::take(&mut state.unread).saturating_sub(UNCOUNTED);
        let over = state.is_over();
        drop(state);
        drop(dropped);
        (Held { bytes, pieces }, over)
    }
}

impl State {
    fn is_over(&self) -> bool {
        self.ended || self.cut.is_some()
    }

    /// The peer has ended its side, unless the stream was cut off before: whoever reads has heard so.
    fn end_if(&mut self, end: bool) {
        self.ended |= end && self.cut.is_none();
    }

    /// Ready when nothing more will come.
    fn poll_end(&mut self, cx: &Context<'_>) -> Poll<Result<(), WireError>> {
        if self.ended {
            return Poll::Ready(Ok(()));
        }
        if let Some(error) = &self.cut {
            return Poll::Ready(Err(error.clone()));
        }
        register(&mut self.reader, cx.waker());
        Poll::Pending
    }

    /// All that follows the head, if all of it is there and is no more than a unary call has.
    fn take_whole(&mut self) -> Option<(Whole, Held)> {
        let is_success = |trailers: &Fields| trailers.grpc_status == Some(0) && trailers.list.is_empty();
        if !self.ended || self.unread > UNCOUNTED || !self.trailers.as_ref().is_some_and(is_success) {
            return None;
        }
        let (body, pieces) = self.body.pop_only()?;
        self.unread = 0;
        Some((Whole { body, trailers: self.trailers.take()? }, Held { bytes: 0, pieces }))
    }
}

fn register(known: &mut Option<Waker>, waker: &Waker) {
    if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
        *known = Some(waker.clone());
    }
}
