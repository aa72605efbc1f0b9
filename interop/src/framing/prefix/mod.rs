//! The prefix of each message (gRPC's PROTOCOL-HTTP2): found in a body that arrives in arbitrary pieces, or put in front.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;

#[cfg(test)]
mod tests;

/// The length of a message's prefix in bytes: a flag and a big-endian length.
pub(super) const PREFIX: usize = 5;

/// The prefix of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) compressed: bool,
    pub(super) length: usize,
}

impl Prefix {
    pub(super) fn read(bytes: [u8; PREFIX]) -> Self {
        let [flag, a, b, c, d] = bytes;
        Self { compressed: flag & 1 == 1, length: u32::from_be_bytes([a, b, c, d]) as usize }
    }
}

/// A message as it is on the wire, uncompressed.
pub fn frame(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut framed = BytesMut::with_capacity(PREFIX + length);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(length).expect("no message of the tests is anywhere near 4 GiB"));
    message.encode_raw(&mut framed);
    framed.freeze()
}

/// Walks through a body, piece by piece, from prefix to prefix.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    head: [u8; PREFIX],
    filled: usize,
    left: usize,
}

impl Prefixes {
    /// Calls `found` with each prefix that `piece` completes.
    pub(super) fn scan(&mut self, mut piece: &[u8], mut found: impl FnMut(Prefix)) {
        loop {
            let skipped = self.left.min(piece.len());
            self.left -= skipped;
            piece = &piece[skipped..];
            if piece.is_empty() {
                return;
            }
            let taken = (PREFIX - self.filled).min(piece.len());
            self.head[self.filled..self.filled + taken].copy_from_slice(&piece[..taken]);
            self.filled += taken;
            piece = &piece[taken..];
            if self.filled == PREFIX {
                let prefix = Prefix::read(self.head);
                (self.filled, self.left) = (0, prefix.length);
                found(prefix);
            }
        }
    }
}
