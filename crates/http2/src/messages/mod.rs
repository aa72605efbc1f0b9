//! Where gRPC messages begin and end in the bytes of a stream: 1 byte of flags, 4 of length, the message (gRPC over
//! HTTP/2, "Length-Prefixed-Message").

#[cfg(test)]
mod tests;

use std::{convert::Infallible, ops::ControlFlow};

/// Bytes before each message.
pub const PREFIX: usize = 5;

/// Follows the length prefixes through one direction of a stream, however its bytes are cut, and counts messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Messages {
    /// Bytes of the prefix that have passed.
    prefix: u8,
    /// Bytes of the present message still to come; while its prefix is not complete, what of the length has passed.
    left: u32,
}

impl Messages {
    /// At the beginning of a stream.
    #[must_use]
    pub const fn new() -> Self {
        Self { prefix: 0, left: 0 }
    }

    /// Follows the next bytes, and tells how many messages end in them.
    #[inline]
    pub fn follow(&mut self, bytes: &[u8]) -> u64 {
        if self.is_between() && whole_message(bytes).is_some() {
            return 1;
        }
        match self.walk(bytes, |_, _| ControlFlow::<Infallible>::Continue(())) {
            ControlFlow::Continue(ended) => ended,
            ControlFlow::Break(never) => match never {},
        }
    }

    /// Does no message lack bytes?
    #[must_use]
    pub const fn is_between(&self) -> bool {
        self.prefix == 0
    }

    /// Follows the next bytes, and tells of each prefix that is complete: the length of its message, and how many of the
    /// bytes were used up by then. If `begun` breaks, the rest is not followed. How many messages end in the bytes.
    pub fn walk<B>(
        &mut self,
        mut bytes: &[u8],
        mut begun: impl FnMut(u32, usize) -> ControlFlow<B>,
    ) -> ControlFlow<B, u64> {
        let (whole, mut ended) = (bytes.len(), 0);
        while let [first, rest @ ..] = bytes {
            if usize::from(self.prefix) < PREFIX {
                // The flags are shifted out again by the four bytes of the length.
                self.left = self.left << 8 | u32::from(*first);
                self.prefix += 1;
                bytes = rest;
                if usize::from(self.prefix) == PREFIX {
                    begun(self.left, whole - bytes.len())?;
                }
            } else {
                let part = bytes.len().min(self.left as usize);
                self.left -= part as u32;
                bytes = &bytes[part..];
            }
            if usize::from(self.prefix) == PREFIX && self.left == 0 {
                self.prefix = 0;
                ended += 1;
            }
        }
        ControlFlow::Continue(ended)
    }
}

/// The message, if these bytes are just one and its prefix.
#[inline]
#[must_use]
pub fn whole_message(bytes: &[u8]) -> Option<&[u8]> {
    let (&[_, a, b, c, d], message) = bytes.split_first_chunk()?;
    (message.len() == u32::from_be_bytes([a, b, c, d]) as usize).then_some(message)
}
