//! Windows for what the peer sends (RFC 9113 section 6.9): what came in, and what the peer is owed for it.

use super::{Life, Sender};
use crate::{flow, frame::window_update};

/// The connection's window.
#[derive(Debug)]
pub(super) struct Receipts {
    /// How large the window is when nothing is owed.
    size: u32,
    /// What the peer may send.
    left: i64,
    /// What came and was not returned.
    owed: u32,
    /// Nothing is to be returned for now.
    withheld: bool,
}

impl Receipts {
    /// A window of `size` bytes, which cannot be less than what the peer begins with.
    pub(super) fn new(size: u32) -> Self {
        let size = size.clamp(flow::INITIAL, flow::LARGEST);
        Self { size, left: i64::from(size), owed: 0, withheld: false }
    }

    /// What the peer may send, in bytes.
    pub(super) fn left(&self) -> i64 {
        self.left
    }

    /// So many bytes came. How many are to be returned now: none, until they are worth a frame.
    pub(super) fn receive(&mut self, bytes: u32) -> u32 {
        self.left -= i64::from(bytes);
        self.owed += bytes;
        if self.withheld || self.owed < self.size / 2 { 0 } else { self.settle() }
    }

    /// How many bytes are to be returned, if all that is owed is.
    pub(super) fn settle(&mut self) -> u32 {
        self.left += i64::from(self.owed);
        std::mem::take(&mut self.owed)
    }

    /// The window becomes `size` bytes, if that is more. By how many it grew.
    pub(super) fn grow(&mut self, size: u32) -> u32 {
        let more = size.min(flow::LARGEST).saturating_sub(self.size);
        self.size += more;
        self.left += i64::from(more);
        more
    }
}

impl<S: Clone> Sender<S> {
    /// Tells the peer that it may send `bytes` more on a stream, after so many were read. Nothing happens if the peer has
    /// nothing more to say there.
    pub fn credit(&mut self, id: u32, bytes: u32) {
        if bytes > 0 && self.streams.get(id).is_some_and(|stream| !stream.peer_ended) {
            self.output.buffer.frame(|out| window_update::write(id, bytes, out));
            self.news.credits.push((id, bytes));
        }
    }

    /// Says whether too much is unread for the connection's window to be returned as bytes come in.
    pub fn withhold(&mut self, withhold: bool) {
        self.receipts.withheld = withhold;
    }

    /// Returns all of the connection's window that is owed to the peer, unless the connection is closed.
    pub fn release(&mut self) {
        if self.life != Life::Closed {
            let owed = self.receipts.settle();
            self.widen_connection(owed);
        }
    }

    /// Tells the peer that it may send `bytes` more on all streams together.
    pub(super) fn widen_connection(&mut self, bytes: u32) {
        if bytes > 0 {
            self.output.buffer.frame(|out| window_update::write(0, bytes, out));
            self.news.credits.push((0, bytes));
        }
    }
}
