//! What goes to the socket: two buffers that change places, one filled behind the lock while the other is written.

#[cfg(test)]
mod tests;

use std::{io::IoSlice, mem};

use bytes::{Buf, Bytes};

use crate::frame::{data, headers};

/// From this many bytes on a payload is written from where it is, not copied.
pub(super) const SHARE: usize = 4 << 10;
/// A buffer of this capacity is never too large.
const SMALL: usize = 16 << 10;

/// Frames in their order: bytes that were copied, and between them payloads that were not.
#[derive(Debug, Default)]
pub(super) struct Segments {
    copied: Vec<u8>,
    /// Each with the number of copied bytes before it.
    shared: Vec<(usize, Bytes)>,
    /// All bytes, in either.
    len: usize,
    /// Frames that have not been counted.
    frames: u64,
    /// How much of its capacity a buffer has been using.
    usual: usize,
}

impl Segments {
    /// How many bytes wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends one small frame.
    #[inline]
    pub(super) fn frame(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.frames += 1;
        let before = self.copied.len();
        write(&mut self.copied);
        self.len += self.copied.len() - before;
    }

    /// Appends a header block in one frame, or in as many as `max` bytes of payload each demand.
    #[inline]
    pub(super) fn headers(&mut self, stream: u32, block: &[u8], end: bool, max: usize) {
        if block.len() > max {
            self.frames += (block.len().div_ceil(max) - 1) as u64;
        }
        self.frame(|out| headers::write(stream, block, end, max, out));
    }

    /// Appends one DATA frame.
    #[inline]
    pub(super) fn data(&mut self, stream: u32, payload: Bytes, end: bool) {
        let len = payload.len();
        if len < SHARE {
            self.frame(|out| {
                data::write(stream, len, end, out);
                out.extend_from_slice(&payload);
            });
        } else {
            self.frame(|out| data::write(stream, len, end, out));
            self.shared.push((self.copied.len(), payload));
            self.len += len;
        }
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.copied.clear();
        self.shared.clear();
        (self.len, self.frames) = (0, 0);
    }

    /// The frames that were appended since this was last asked.
    pub(super) fn take_frames(&mut self) -> u64 {
        mem::take(&mut self.frames)
    }

    /// Takes note of what the buffer was used for, empties it, and gives memory back if it has long been too much.
    fn recycle(&mut self) {
        self.usual = self.copied.len().max(self.usual - self.usual / 8);
        self.clear();
        if self.copied.capacity() > SMALL.max(self.usual * 4) {
            self.copied.shrink_to(self.usual.max(SMALL / 2));
        }
        if self.shared.capacity() > SMALL / size_of::<(usize, Bytes)>() {
            self.shared.shrink_to(0);
        }
    }
}

/// What the writer is writing: a [`Buf`] of frames. Filled by [`take`](super::Sender::take).
#[derive(Debug, Default)]
pub struct Outgoing {
    segments: Segments,
    /// Copied bytes that are written.
    at: usize,
    /// Shared payloads that are written.
    next: usize,
    /// Writes that have not been counted.
    writes: u64,
}

impl Outgoing {
    /// Takes note of one write to the byte stream, for [`Counters::writes`](crate::counters::Counters::writes).
    pub fn wrote(&mut self) {
        self.writes += 1;
    }

    /// Changes places with a buffer. All that this one held must be written.
    pub(super) fn exchange(&mut self, segments: &mut Segments) {
        mem::swap(&mut self.segments, segments);
        segments.recycle();
        (self.at, self.next) = (0, 0);
    }

    /// The writes since this was last asked.
    pub(super) fn take_writes(&mut self) -> u64 {
        mem::take(&mut self.writes)
    }

    /// The copied bytes from `at` up to the next shared payload, which is number `next`.
    fn copied(&self, at: usize, next: usize) -> &[u8] {
        let end = self.segments.shared.get(next).map_or(self.segments.copied.len(), |(end, _)| *end);
        &self.segments.copied[at..end]
    }
}

impl Buf for Outgoing {
    fn remaining(&self) -> usize {
        self.segments.len
    }

    fn chunk(&self) -> &[u8] {
        match self.copied(self.at, self.next) {
            [] => self.segments.shared.get(self.next).map_or(&[], |(_, payload)| payload),
            copied => copied,
        }
    }

    fn chunks_vectored<'a>(&'a self, dst: &mut [IoSlice<'a>]) -> usize {
        let (mut at, mut next, mut filled) = (self.at, self.next, 0);
        while filled < dst.len() {
            let copied = self.copied(at, next);
            if !copied.is_empty() {
                dst[filled] = IoSlice::new(copied);
                at += copied.len();
            } else if let Some((_, payload)) = self.segments.shared.get(next) {
                dst[filled] = IoSlice::new(payload);
                next += 1;
            } else {
                break;
            }
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, mut count: usize) {
        assert!(count <= self.segments.len, "{count} bytes were written where there were {}", self.segments.len);
        self.segments.len -= count;
        while count > 0 {
            let copied = self.copied(self.at, self.next).len().min(count);
            self.at += copied;
            count -= copied;
            if count == 0 {
                break;
            }
            let Some((_, payload)) = self.segments.shared.get_mut(self.next) else { break };
            let shared = payload.len().min(count);
            payload.advance(shared);
            count -= shared;
            if payload.is_empty() {
                // Whoever else holds on to the payload, we don't.
                *payload = Bytes::new();
                self.next += 1;
            }
        }
    }
}
