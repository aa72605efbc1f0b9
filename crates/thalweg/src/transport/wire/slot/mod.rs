//! Where the events of one stream wait for the call that reads it.

#[cfg(test)]
mod tests;

mod chunks;

use std::{
    mem,
    task::{Context, Poll, Waker},
    time::Instant,
};

use thalweg_http2::{fields::Fields, head::ResponseHead, receive::Payload};

use self::chunks::Chunks;
use super::sync::{Mutex, lock};
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

#[derive(Debug)]
struct State {
    events: Events,
    /// Bytes that wait in `events`.
    unread: usize,
    /// The head has been here.
    answered: bool,
    /// Why the stream was cut off, even if the peer had ended its side well: a server's handler is still at work then.
    cut: Option<WireError>,
    /// Nobody reads any more.
    abandoned: bool,
    /// What was to be sent has gone to the connection.
    drained: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What has come and was not read yet.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The head of a response.
    pub(super) head: Option<ResponseHead>,
    /// Pieces of the body.
    pub(super) body: Chunks,
    /// What ended the body.
    pub(super) trailers: Option<Fields>,
    /// The end of the stream, and whether it was a good one.
    pub(super) end: Option<Result<(), WireError>>,
}

/// What the reader of the connection has to do after an event.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Delivered {
    /// Wake this, when there is nothing more to deliver.
    pub(super) wake: Option<Waker>,
    /// Bytes that count against the connection until they are read.
    pub(super) held: usize,
}

impl Slot {
    /// A stream on which nothing has come; `reader` is woken when something does.
    pub(super) fn new(deadline: Option<Instant>, reader: Option<Waker>) -> Self {
        let state = State {
            events: Events::default(),
            unread: 0,
            answered: false,
            cut: None,
            abandoned: false,
            drained: false,
            reader,
            writer: None,
        };
        Self { state: Mutex::new(state), deadline }
    }

    /// The head of the response has come.
    pub(super) fn on_head(&self, head: ResponseHead, end: bool) -> Delivered {
        self.deliver(|state| {
            state.answered = true;
            state.events.head = Some(head);
            state.end_if(end);
        })
    }

    /// The stream has ended as it began.
    pub(super) fn on_end(&self) -> Delivered {
        self.deliver(|state| state.end_if(true))
    }

    /// A piece of the body has come.
    pub(super) fn on_data(&self, payload: Payload<'_>, end: bool) -> Delivered {
        let mut held = 0;
        let mut delivered = self.deliver(|state| {
            if !state.abandoned && payload.len() > 0 {
                let before = state.unread.saturating_sub(UNCOUNTED);
                state.unread += payload.len();
                held = state.unread.saturating_sub(UNCOUNTED) - before;
                state.events.body.push(payload);
            }
            state.end_if(end);
        });
        delivered.held = held;
        delivered
    }

    /// The trailers have come, and with them the end.
    pub(super) fn on_trailers(&self, trailers: Fields) -> Delivered {
        self.deliver(|state| {
            state.events.trailers = Some(trailers);
            state.end_if(true);
        })
    }

    /// The stream was cut off, for the first reason that is given. Whoever reads finds the end that came first.
    pub(super) fn on_cut(&self, error: impl FnOnce(bool) -> WireError) -> Delivered {
        let mut writer = None;
        let mut delivered = self.deliver(|state| {
            let answered = state.answered;
            let cut = state.cut.get_or_insert_with(|| error(answered));
            state.events.end.get_or_insert_with(|| Err(cut.clone()));
            writer = state.writer.take();
        });
        // The two are mostly one task, or there is but one of them.
        if delivered.wake.is_none() {
            delivered.wake = writer;
        } else if let Some(writer) = writer {
            writer.wake();
        }
        delivered
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
        Delivered { wake: state.reader.take(), held: 0 }
    }

    /// Moves what has come to `events`, all of it unless it is much. Ready with the bytes that no longer count against the
    /// connection, if anything was moved.
    pub(super) fn poll_take(&self, events: &mut Events, cx: &Context<'_>) -> Poll<usize> {
        let mut state = lock(&self.state);
        let held = state.unread.saturating_sub(UNCOUNTED);
        if held > 0 {
            // One piece at a time, so that what is not read goes on counting.
            events.head = state.events.head.take();
            if let Some(piece) = state.events.body.pop() {
                state.unread -= piece.len();
                events.body.put_back(piece);
            }
            return Poll::Ready(held - state.unread.saturating_sub(UNCOUNTED));
        }
        if state.events.is_empty() {
            register(&mut state.reader, cx.waker());
            return Poll::Pending;
        }
        // The end stays, for whoever sends.
        let end = state.events.end.clone();
        *events = mem::take(&mut state.events);
        state.events.end = end;
        state.unread = 0;
        Poll::Ready(0)
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
        if state.cut.is_some() || or_ended && state.events.end.is_some() {
            return Poll::Ready(state.cut.clone());
        }
        register(&mut state.writer, cx.waker());
        Poll::Pending
    }

    /// Why the stream was cut off, if it was.
    pub(super) fn cut(&self) -> Option<WireError> {
        lock(&self.state).cut.clone()
    }

    /// Nobody reads from now on. The bytes that no longer count against the connection.
    pub(super) fn abandon(&self) -> usize {
        let (dropped, held) = {
            let mut state = lock(&self.state);
            state.abandoned = true;
            state.reader = None;
            let end = state.events.end.clone();
            let dropped = mem::replace(&mut state.events, Events { end, ..Events::default() });
            (dropped, mem::take(&mut state.unread).saturating_sub(UNCOUNTED))
        };
        drop(dropped);
        held
    }
}

impl State {
    fn end_if(&mut self, end: bool) {
        if end {
            self.events.end.get_or_insert(Ok(()));
        }
    }
}

impl Events {
    /// Is there nothing at all?
    fn is_empty(&self) -> bool {
        self.head.is_none() && self.body.is_empty() && self.trailers.is_none() && self.end.is_none()
    }
}

fn register(known: &mut Option<Waker>, waker: &Waker) {
    if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
        *known = Some(waker.clone());
    }
}
