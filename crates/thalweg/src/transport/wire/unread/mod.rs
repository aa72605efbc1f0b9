//! What has come on a connection and nobody has read: how much it may be before the connection's window stays shut, and in
//! how many pieces.

#[cfg(test)]
mod tests;

use std::{
    ops::AddAssign,
    sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed, Ordering::SeqCst},
};

/// Pieces that may wait before what comes is copied. A piece keeps all of the buffer that it was read into, which may have
/// 128 KiB, however little of that it is.
const MOST_PIECES: isize = 256;

/// What counts against a connection until it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Held {
    pub(super) bytes: usize,
    pub(super) pieces: usize,
}

impl AddAssign for Held {
    fn add_assign(&mut self, more: Self) {
        self.bytes += more.bytes;
        self.pieces += more.pieces;
    }
}

/// The account of one connection. Less than nothing for a moment, when a call has read what the reading task has delivered
/// and not counted yet.
#[derive(Debug)]
pub(super) struct Unread {
    bytes: AtomicIsize,
    pieces: AtomicIsize,
    /// How many bytes there may be before the connection's window is no longer returned.
    reserve: usize,
    /// The connection's window is not being returned.
    withholding: AtomicBool,
}

impl Unread {
    pub(super) fn new(reserve: usize) -> Self {
        Self { bytes: AtomicIsize::new(0), pieces: AtomicIsize::new(0), reserve, withholding: AtomicBool::new(false) }
    }

    /// So much has come.
    pub(super) fn hold(&self, held: Held) {
        if held.bytes > 0 {
            self.bytes.fetch_add(held.bytes as isize, Relaxed);
        }
        if held.pieces > 0 {
            self.pieces.fetch_add(held.pieces as isize, Relaxed);
        }
    }

    /// So much has been read. True if the connection's window had to wait for that.
    #[must_use]
    pub(super) fn release(&self, held: Held) -> bool {
        if held.pieces > 0 {
            self.pieces.fetch_sub(held.pieces as isize, Relaxed);
        }
        if held.bytes == 0 {
            return false;
        }
        self.bytes.fetch_sub(held.bytes as isize, SeqCst);
        !self.is_too_much() && self.withholding.swap(false, SeqCst)
    }

    /// Is so much unread that the connection's window must stay as it is?
    pub(super) fn must_withhold(&self) -> bool {
        let must = self.is_too_much();
        self.withholding.store(must, SeqCst);
        // Whoever read between the two looks has not seen that the window waits for it.
        must && self.is_too_much()
    }

    /// May what comes share the memory that it was read into?
    pub(super) fn may_share(&self) -> bool {
        self.pieces.load(Relaxed) < MOST_PIECES
    }

    /// Unread bytes that count against the connection.
    pub(super) fn bytes(&self) -> usize {
        usize::try_from(self.bytes.load(SeqCst)).unwrap_or(0)
    }

    fn is_too_much(&self) -> bool {
        self.bytes() > self.reserve
    }
}
