//! The connection's receive window (RFC 9113 section 6.9.1): what came in, and what the peer is owed for it.

use crate::flow;

/// Book-keeping of bytes under the connection's flow control.
#[derive(Debug)]
pub(super) struct Receipts {
    /// How large the window is when nothing is owed.
    size: u32,
    /// What the peer may send.
    pub(super) left: i64,
    /// What came and was not returned.
    owed: u32,
    /// Nothing is to be returned for now.
    pub(super) withheld: bool,
}

impl Receipts {
    /// A window of `size` bytes, which cannot be less than what the peer begins with.
    pub(super) fn new(size: u32) -> Self {
        let size = size.clamp(flow::INITIAL, flow::LARGEST);
        Self { size, left: i64::from(size), owed: 0, withheld: false }
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
