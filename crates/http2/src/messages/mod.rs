//! Where gRPC messages begin and end in the bytes of a stream: 1 byte of flags, 4 of length, the message (gRPC over
//! HTTP/2, "Length-Prefixed-Message").

#[cfg(test)]
mod tests;

/// Bytes before each message.
const PREFIX: usize = 5;

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
        if self.is_between()
            && let Some((&[_, a, b, c, d], message)) = bytes.split_first_chunk()
            && message.len() == u32::from_be_bytes([a, b, c, d]) as usize
        {
            return 1;
        }
        self.follow_parts(bytes)
    }

    /// Does no message lack bytes?
    #[must_use]
    pub const fn is_between(&self) -> bool {
        self.prefix == 0
    }

    fn follow_parts(&mut self, mut bytes: &[u8]) -> u64 {
        let mut ended = 0;
        while let [first, rest @ ..] = bytes {
            if usize::from(self.prefix) < PREFIX {
                // The flags are shifted out again by the four bytes of the length.
                self.left = self.left << 8 | u32::from(*first);
                self.prefix += 1;
                bytes = rest;
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
        ended
    }
}
