//! A stream as the sender knows it, and the data that wait on it.

use std::collections::VecDeque;

use bytes::Bytes;
use http::HeaderMap;

use crate::{flow::SendWindow, messages::Messages};

/// Data of fewer bytes are copied to wait.
const LITTLE: usize = 2 << 10;

/// A stream that is not over.
#[derive(Debug)]
pub(super) struct Stream<S> {
    pub(super) window: SendWindow,
    /// The messages that we send.
    pub(super) messages: Messages,
    /// We have ended our side, or will when the queue is empty.
    pub(super) we_ended: bool,
    /// The peer has ended its side.
    pub(super) peer_ended: bool,
    pub(super) queue: Option<Box<Queue<S>>>,
}

/// What follows the last data.
#[derive(Debug, Default)]
pub(super) enum Tail {
    /// Perhaps more.
    #[default]
    Open,
    /// Nothing: the last DATA frame ends the stream.
    End,
    /// Trailers, which are encoded when it is their turn.
    Trailers(Box<HeaderMap>),
}

/// Data that wait for the peer's windows or for room in the write buffer.
#[derive(Debug)]
pub(super) struct Queue<S> {
    pub(super) chunks: VecDeque<Bytes>,
    pub(super) bytes: usize,
    pub(super) tail: Tail,
    /// The stream has a place in the schedule: only its window can keep it out.
    pub(super) is_scheduled: bool,
    /// Whoever is told when the queue is empty.
    pub(super) waiter: S,
}

impl<S> Stream<S> {
    pub(super) fn new(window: u32) -> Self {
        Self {
            window: SendWindow::new(window),
            messages: Messages::new(),
            we_ended: false,
            peer_ended: false,
            queue: None,
        }
    }
}

impl<S> Queue<S> {
    pub(super) fn new(waiter: S) -> Self {
        // Most have one chunk to wait: a deque that grows by itself begins with four.
        Self { chunks: VecDeque::with_capacity(1), bytes: 0, tail: Tail::Open, is_scheduled: false, waiter }
    }

    /// Adds data. Little of it is copied, since it may be all that is used of a large buffer, and may have to wait for long.
    pub(super) fn push(&mut self, chunk: Bytes) {
        if chunk.is_empty() {
            return;
        }
        self.bytes += chunk.len();
        self.chunks.push_back(if chunk.len() < LITTLE { Bytes::copy_from_slice(&chunk) } else { chunk });
    }

    /// Takes the next data, at most `max` bytes, for one frame.
    pub(super) fn pop(&mut self, max: usize) -> Bytes {
        let Some(front) = self.chunks.front_mut() else { return Bytes::new() };
        let part = if front.len() > max { front.split_to(max) } else { std::mem::take(front) };
        if front.is_empty() {
            self.chunks.pop_front();
        }
        self.bytes -= part.len();
        part
    }
}
