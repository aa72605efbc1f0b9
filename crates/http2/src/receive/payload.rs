//! The bytes between the socket and those who read: what has come and is not consumed yet, and parts of it handed on.

use bytes::{Buf, Bytes, BytesMut};

/// From this many bytes on a payload is shared, not copied, and handed on before its frame is whole.
pub const SHARE: usize = 4096;

/// The bytes that have come and how many of them are used up. They leave the buffer once per batch, not per frame.
#[derive(Debug)]
pub(super) struct Inbox<'a> {
    bytes: &'a mut BytesMut,
    at: usize,
}

impl<'a> Inbox<'a> {
    pub(super) fn new(bytes: &'a mut BytesMut) -> Self {
        Self { bytes, at: 0 }
    }

    /// What is not used up.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// How many bytes are not used up.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Uses up `count` bytes, which are there.
    pub(super) fn skip(&mut self, count: usize) {
        self.at += count;
    }

    /// Uses up `count` bytes, which are there, by handing them to somebody.
    pub(super) fn hand_on<R>(&mut self, count: usize, to: impl FnOnce(Payload<'_>) -> R) -> R {
        let left = self.len() - count;
        let result = to(Payload { bytes: self.bytes, at: self.at, len: count });
        self.at = self.bytes.len() - left;
        result
    }

    /// Takes out of the buffer what is used up.
    pub(super) fn clear_used(self) {
        self.bytes.advance(self.at);
    }
}

/// A part of a DATA frame's payload, still in the buffer that it was read into.
#[derive(Debug)]
pub struct Payload<'a> {
    bytes: &'a mut BytesMut,
    at: usize,
    len: usize,
}

impl Payload<'_> {
    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[self.at..self.at + self.len]
    }

    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none: a frame that only ends a stream.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes for keeps: 4 KiB and more share the buffer that they were read into, fewer are copied.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        if self.len < SHARE {
            return Bytes::copy_from_slice(self.as_slice());
        }
        self.bytes.advance(self.at);
        self.bytes.split_to(self.len).freeze()
    }
}
