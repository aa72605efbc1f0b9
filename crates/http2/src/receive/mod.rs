//! The receiving half of a connection: bytes in, events and [`Effects`] out (RFC 9113 sections 3 to 6).
//!
//! Whoever reads the socket owns the [`Receiver`]. Per batch of bytes it [learns](Receiver::learn) what callers have done,
//! [receives](Receiver::receive) the frames, and hands the [effects](Receiver::effects) to the sender.

mod control;
mod data;
mod frames;
mod headers;

mod payload;
mod repeat;
mod sink;
mod streams;

#[cfg(test)]
mod tests;

use bytes::BytesMut;

use self::{
    data::Part,
    frames::Stage,
    headers::Assembly,
    payload::Inbox,
    repeat::Repeat,
    streams::{Entry, Phase, Streams},
};
pub use self::{
    payload::{Payload, SHARE},
    sink::Sink,
};
use crate::{
    bdp::Estimate,
    budget::Budget,
    config::{Config, Role},
    error::Violation,
    exchange::{Cut, Effects, GoAway, News},
    fields::Fields,
    flow::{INITIAL, LARGEST, ReceiveWindow},
    head::ResponseHead,
    hpack::{DEFAULT_TABLE_SIZE, decoder::Decoder},
};

/// Turns bytes into events. `S` is the handle of a stream that events are addressed by.
#[derive(Debug)]
pub struct Receiver<S> {
    role: Role,
    stage: Stage,
    /// Milliseconds since the connection began.
    now: u64,
    /// How often it was told the news.
    batch: u64,
    missing: usize,
    streams: Streams<S>,
    decoder: Decoder,
    /// How answers begin.
    heads: Repeat<ResponseHead>,
    /// How they end.
    trailers: Repeat<Fields>,
    /// A header block that lacks CONTINUATION.
    assembly: Option<Assembly>,
    /// A DATA frame that is not whole.
    part: Option<Part>,
    /// The connection's window.
    window: ReceiveWindow,
    budget: Budget,
    estimate: Option<Estimate>,
    /// What the peer said when it said that it goes away.
    go_away: Option<GoAway>,
    effects: Effects,
    /// What ends the connection, but was found out between two batches.
    fault: Option<Violation>,
    frame_limit: usize,
    list_limit: usize,
    stream_limit: usize,
    stream_window: u32,
    /// Whether the peer has acknowledged our SETTINGS.
    is_settled: bool,
}

impl<S> Receiver<S> {
    /// The receiver of a connection that has just begun.
    #[must_use]
    pub fn new(role: Role, config: &Config) -> Self {
        let stage = if role == Role::Server { Stage::Preface } else { Stage::Settings };
        let adaptive = config.adaptive_window.map(|most| Estimate::new(config.stream_window, most.min(LARGEST)));
        Self {
            role,
            stage,
            now: 0,
            batch: 0,
            missing: 0,
            streams: Streams::new(role, config.stream_window),
            decoder: Decoder::new(DEFAULT_TABLE_SIZE),
            heads: Repeat::default(),
            trailers: Repeat::default(),
            assembly: None,
            part: None,
            window: ReceiveWindow::new(config.connection_window.clamp(INITIAL, LARGEST)),
            budget: Budget::new(headers::with_room(config.limits, config.max_header_list_size)),
            estimate: adaptive,
            go_away: None,
            effects: Effects::default(),
            fault: None,
            frame_limit: config.max_frame_size as usize,
            list_limit: config.max_header_list_size as usize,
            stream_limit: config.max_concurrent_streams as usize,
            stream_window: config.stream_window,
            is_settled: false,
        }
    }

    /// Takes in what callers have done, and empties the news. It has to come before [`receive`](Self::receive) of bytes
    /// that can answer them. Streams opened after the peer has said that it goes away are cut.
    pub fn learn<K: Sink<Stream = S>>(&mut self, news: &mut News<S>, sink: &mut K) {
        self.batch += 1;
        self.budget.data_frames_sent(std::mem::take(&mut news.data_frames));
        if !news.opened.is_empty() {
            for (id, stream) in news.opened.drain(..) {
                self.streams.open(id, Entry::new(stream, self.batch));
            }
            self.cut_unprocessed(sink);
        }
        self.budget.got_on(news.credits.len() as u64);
        for (id, bytes) in news.credits.drain(..) {
            if id == 0 {
                self.window.credit(i64::from(bytes));
            } else if let Some(entry) = self.streams.get_mut(id) {
                entry.window.credit(i64::from(bytes));
            }
        }
        news.closed.drain(..).for_each(|id| self.close(id));
        for (id, violation) in news.offended.drain(..) {
            self.offended_sender(id, violation, sink);
        }
    }

    /// We ended a stream: what the peer sends on it before it hears of that is ignored.
    fn close(&mut self, id: u32) {
        match self.streams.remove(id).map(|entry| entry.phase) {
            Some(Phase::Ended) => self.budget.stream_ended_well(),
            Some(Phase::Head | Phase::Body) => {
                self.streams.remember(id);
                self.budget.gave_up();
            }
            None => {}
        }
    }

    /// The sender has reset a stream for what the peer did on it.
    fn offended_sender<K: Sink<Stream = S>>(&mut self, id: u32, violation: Violation, sink: &mut K) {
        let Some(entry) = self.streams.remove(id) else { return };
        self.streams.remember(id);
        self.effects.counters.stream_errors += 1;
        if let Err(fault) = self.budget.stream_error() {
            self.fault.get_or_insert(fault);
        }
        sink.cut(&entry.stream, Cut::Violation(violation));
    }

    /// Takes all whole frames out of `inbox`, and what has come of a large DATA frame. `now` is the time in milliseconds
    /// since the connection began.
    ///
    /// # Errors
    /// What the peer did that ends the connection. Nothing may be received after it.
    pub fn receive<K: Sink<Stream = S>>(
        &mut self,
        inbox: &mut BytesMut,
        now: u64,
        sink: &mut K,
    ) -> Result<(), Violation> {
        self.now = self.now.max(now);
        self.budget.tick(now);
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let mut inbox = Inbox::new(inbox);
        let (before, ended) = (inbox.len(), self.effects.counters.messages_received);
        let outcome = self.frames(&mut inbox, sink);
        self.effects.counters.bytes_received += (before - inbox.len()) as u64;
        self.budget.got_on(self.effects.counters.messages_received - ended);
        inbox.clear_used();
        outcome
    }

    /// What the frames since ask of the sender, which takes it out.
    pub fn effects(&mut self) -> &mut Effects {
        &mut self.effects
    }

    /// How many bytes the frame under way still lacks, as far as is known: how much to make room for.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// All streams that something may still come for, in no order.
    pub fn streams(&self) -> impl Iterator<Item = (u32, &S)> {
        self.streams.iter()
    }

    /// The highest stream that the peer opened.
    #[must_use]
    pub fn last_stream(&self) -> u32 {
        self.streams.last_peers()
    }

    /// Ignores all streams that the peer opens from now on: our last GOAWAY is out.
    pub fn refuse_new(&mut self) {
        self.streams.refuse();
    }

    /// What the peer may send on the connection, in bytes.
    #[must_use]
    pub fn window(&self) -> i64 {
        self.window.size()
    }

    /// What the peer may send on a stream, in bytes.
    #[must_use]
    pub fn stream_window(&self, id: u32) -> Option<i64> {
        self.streams.get(id).map(|entry| entry.window.size())
    }
}
