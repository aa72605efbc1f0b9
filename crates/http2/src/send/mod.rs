//! The sending half of a connection: calls in, frames out. It lives behind the lock that all callers take.

mod answer;
mod apply;
mod blocks;
mod end;
mod open;
mod outgoing;
mod output;
mod queue;
mod receipts;
mod schedule;
mod shorten;

#[cfg(test)]
mod tests;

use std::mem;

use bytes::Buf;
use thiserror::Error;

use self::{blocks::Blocks, output::Output, queue::Stream, receipts::Receipts};
pub use self::{
    open::{Refused, RequestHead},
    outgoing::Outgoing,
};
use crate::{
    config::{Config, Role},
    counters::Counters,
    error::{Code, Violation},
    exchange::News,
    flow,
    frame::{PREFACE, ping::Ping, settings, settings::Settings, window_update},
    table::Table,
};

/// What becomes of data that was handed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Progress {
    /// They are in the write buffer.
    Sent,
    /// They wait for the peer's windows or for room in the write buffer. When they wait no longer, the stream's handle is
    /// among the [drained](Sender::drained).
    Waiting,
}

/// The stream is over: nothing can be sent on it any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the stream is over")]
pub struct Gone;

/// The windows of a connection, in bytes; not those of its streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Windows {
    /// What we may send.
    pub send: i64,
    /// What the peer may send, as of the last batch that was received.
    pub receive: i64,
}

/// Whether streams can be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Open,
    /// The peer said GOAWAY.
    Draining,
    Closed,
}

/// What the peer's SETTINGS say (RFC 9113 section 6.5.2).
#[derive(Clone, Copy, Debug)]
struct Peer {
    initial_window: u32,
    max_concurrent: u32,
    max_header_list_size: Option<usize>,
    /// They have come.
    is_settled: bool,
}

/// The sending half of a connection. `S` is a handle on whoever waits for a stream.
///
/// A stream is in its table from the moment it is opened until the side that answers has ended it: for the server that is
/// its own last frame, for the client the peer's. Whichever side has more to say then is told to stop, and what is sent
/// later is [`Gone`].
#[derive(Debug)]
pub struct Sender<S> {
    role: Role,
    life: Life,
    peer: Peer,
    /// The id of the next stream that we open.
    next_stream: u32,
    /// Streams from this one on have not left this end.
    first_unsent: u32,
    streams: Table<Stream<S>>,
    output: Output,
    receipts: Receipts,
    blocks: Blocks,
    /// Bytes of answers in the buffer.
    answers: usize,
    max_answers: usize,
    /// GOAWAY, if it is still in the buffer.
    last_words: Option<(u32, Code, String)>,
    news: News<S>,
    /// DATA frames that the receiver has heard of.
    told: u64,
    drained: Vec<S>,
    counters: Counters,
}

impl<S: Clone> Sender<S> {
    /// The sending half of a new connection, with the preface, our SETTINGS and the connection's window in its buffer.
    #[must_use]
    pub fn new(role: Role, config: &Config) -> Self {
        let mut sender = Self {
            role,
            life: Life::Open,
            peer: Peer {
                initial_window: flow::INITIAL,
                max_concurrent: u32::MAX,
                max_header_list_size: None,
                is_settled: false,
            },
            next_stream: 1,
            first_unsent: 1,
            streams: Table::new(),
            output: Output::new(config),
            receipts: Receipts::new(config.connection_window),
            blocks: Blocks::new(),
            answers: 0,
            max_answers: config.limits.unsent_answers,
            last_words: None,
            news: News::default(),
            told: 0,
            drained: Vec::new(),
            counters: Counters::default(),
        };
        sender.introduce(config);
        sender
    }

    /// The first bytes of the connection (RFC 9113 section 3.4).
    fn introduce(&mut self, config: &Config) {
        let is_server = self.role == Role::Server;
        let settings = Settings {
            header_table_size: None,
            least_table_size: None,
            enable_push: (!is_server).then_some(false),
            max_concurrent_streams: Some(config.max_concurrent_streams).filter(|max| is_server && *max != u32::MAX),
            initial_window_size: Some(config.stream_window.min(flow::LARGEST)),
            max_frame_size: Some(config.max_frame_size).filter(|size| *size != settings::DEFAULT_MAX_FRAME_SIZE),
            max_header_list_size: Some(config.max_header_list_size),
        };
        let wider = config.connection_window.min(flow::LARGEST).saturating_sub(flow::INITIAL);
        self.output.buffer.frame(|out| {
            if !is_server {
                out.extend_from_slice(PREFACE);
            }
            settings.write(out);
        });
        if wider > 0 {
            self.output.buffer.frame(|out| window_update::write(0, wider, out));
        }
    }

    /// Asks the peer for an answer.
    pub fn ping(&mut self, payload: [u8; 8]) {
        self.output.buffer.frame(|out| Ping { ack: false, payload }.write(out));
    }

    /// Asks the peer whether it is alive: a PING that counts as a keepalive.
    pub fn keepalive(&mut self, payload: [u8; 8]) {
        self.counters.keepalives_sent += 1;
        self.ping(payload);
    }

    /// Gives the writer what is ready for the socket. Called when `out` is all written; before that nothing happens.
    pub fn take(&mut self, out: &mut Outgoing) {
        if out.has_remaining() {
            return;
        }
        self.counters.writes += out.take_writes();
        self.pump(true);
        self.counters.bytes_sent += self.output.buffer.len() as u64;
        self.counters.frames_sent += self.output.buffer.take_frames();
        out.exchange(&mut self.output.buffer);
        self.answers = 0;
        self.last_words = None;
        self.first_unsent = self.next_stream;
    }

    /// Takes what the receiver has to know; `into` must hold nothing that it does not know yet.
    pub fn news(&mut self, into: &mut News<S>) {
        let sent = self.data_frames();
        self.news.data_frames += (sent - mem::replace(&mut self.told, sent)) as u32;
        mem::swap(&mut self.news, into);
    }

    /// DATA frames that were sent so far, on all streams.
    #[must_use]
    pub fn data_frames(&self) -> u64 {
        self.output.data_frames
    }

    /// Streams whose data wait no longer, since they were sent or are no longer wanted: to be woken without the lock.
    pub fn drained(&mut self) -> &mut Vec<S> {
        &mut self.drained
    }

    /// Is there something that [`take`](Self::take) would hand out, or a [`fault`](Self::fault) to look at?
    #[must_use]
    pub fn wants_write(&self) -> bool {
        !self.output.buffer.is_empty() || self.output.has_turns() || self.output.fault.is_some()
    }

    /// Why the connection must end, if what callers do with it has become too much.
    pub fn fault(&mut self) -> Option<Violation> {
        self.output.fault.take()
    }

    /// Streams that are not over.
    #[must_use]
    pub fn active(&self) -> usize {
        self.streams.len()
    }

    /// Streams that the peer lets us have at the same time; before its SETTINGS, and if they don't say, `u32::MAX`.
    #[must_use]
    pub fn max_concurrent(&self) -> u32 {
        self.peer.max_concurrent
    }

    /// Would the peer let us open one more stream, and does it read what those that there were have said?
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.streams.len() < self.peer.max_concurrent as usize && !self.output.is_overfull()
    }

    /// How many more streams can be opened now: what the peer's limit leaves, and none on a connection that takes no more.
    #[must_use]
    pub fn room(&self) -> usize {
        if self.life != Life::Open || self.is_exhausted() || self.output.is_overfull() {
            return 0;
        }
        (self.peer.max_concurrent as usize).saturating_sub(self.streams.len())
    }

    /// Have the peer's SETTINGS come?
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.peer.is_settled
    }

    /// Has [`close`](Self::close) been called?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.life == Life::Closed
    }

    /// Are there no more ids for streams of ours?
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.next_stream > flow::LARGEST
    }

    /// Streams of ours from this one on have not left this end: the peer knows nothing of them.
    #[must_use]
    pub fn first_unsent(&self) -> u32 {
        self.first_unsent
    }

    /// What the connection has done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The connection's windows now.
    #[must_use]
    pub fn windows(&self) -> Windows {
        Windows { send: self.output.window.size(), receive: self.receipts.left() }
    }

    /// Do data of this stream wait for windows or for room in the write buffer?
    #[must_use]
    pub fn is_waiting(&self, id: u32) -> bool {
        self.streams.get(id).is_some_and(|stream| stream.queue.is_some())
    }

    /// What we may send on a stream, in bytes, if it is not over.
    #[must_use]
    pub fn stream_window(&self, id: u32) -> Option<i64> {
        self.streams.get(id).map(|stream| stream.window.size())
    }
}
