//! Frames: their common head (RFC 9113 section 4.1), the preface, and one file for each kind (section 6).

pub mod continuation;
pub mod data;
pub mod go_away;
pub mod headers;
pub mod ping;
pub mod priority;
pub mod push_promise;
pub mod reset;
pub mod settings;
pub mod window_update;

#[cfg(test)]
mod tests;

use crate::error::{Code, Fault, Violation};

/// What a client sends before its first frame (RFC 9113 section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of a frame's head.
pub const HEAD: usize = 9;
/// A stream id without the reserved bit.
const ID: u32 = u32::MAX >> 1;

/// Kinds of frames (RFC 9113 section 6).
pub mod kind {
    /// Section 6.1.
    pub const DATA: u8 = 0;
    /// Section 6.2.
    pub const HEADERS: u8 = 1;
    /// Section 6.3.
    pub const PRIORITY: u8 = 2;
    /// Section 6.4.
    pub const RST_STREAM: u8 = 3;
    /// Section 6.5.
    pub const SETTINGS: u8 = 4;
    /// Section 6.6.
    pub const PUSH_PROMISE: u8 = 5;
    /// Section 6.7.
    pub const PING: u8 = 6;
    /// Section 6.8.
    pub const GOAWAY: u8 = 7;
    /// Section 6.9.
    pub const WINDOW_UPDATE: u8 = 8;
    /// Section 6.10.
    pub const CONTINUATION: u8 = 9;

    /// The kind's name in the RFC.
    #[must_use]
    pub fn name(kind: u8) -> &'static str {
        const NAMES: [&str; 10] = [
            "DATA",
            "HEADERS",
            "PRIORITY",
            "RST_STREAM",
            "SETTINGS",
            "PUSH_PROMISE",
            "PING",
            "GOAWAY",
            "WINDOW_UPDATE",
            "CONTINUATION",
        ];
        NAMES.get(usize::from(kind)).copied().unwrap_or("a frame of an unknown kind")
    }
}

/// Flags of frames (RFC 9113 section 6). What a bit means depends on the kind.
pub mod flags {
    /// DATA, HEADERS: the last frame of its sender's on this stream.
    pub const END_STREAM: u8 = 0x1;
    /// SETTINGS, PING: the answer to one of ours.
    pub const ACK: u8 = 0x1;
    /// HEADERS, CONTINUATION: the header block ends here.
    pub const END_HEADERS: u8 = 0x4;
    /// DATA, HEADERS: the payload opens with the length of the padding at its end.
    pub const PADDED: u8 = 0x8;
    /// HEADERS: five bytes of priority precede the block.
    pub const PRIORITY: u8 = 0x20;
}

/// The head of a frame (RFC 9113 section 4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Bytes of payload that follow; below 2^24.
    pub len: usize,
    /// One of [`kind`], or unknown.
    pub kind: u8,
    /// Bits of [`flags`].
    pub flags: u8,
    /// The stream; 0 is the connection. The reserved bit is cleared.
    pub stream: u32,
}

impl Head {
    /// Reads the head that `bytes` begin with.
    ///
    /// # Panics
    /// If there are fewer than [`HEAD`] bytes: the caller waits for them.
    #[inline]
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let bytes = &bytes[..HEAD];
        Self {
            len: usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2]),
            kind: bytes[3],
            flags: bytes[4],
            stream: word(&bytes[5..]) & ID,
        }
    }

    /// Appends the head to `out`.
    #[inline]
    pub fn write(self, out: &mut Vec<u8>) {
        let [_, high, middle, low] = (self.len as u32).to_be_bytes();
        let [s0, s1, s2, s3] = self.stream.to_be_bytes();
        out.extend_from_slice(&[high, middle, low, self.kind, self.flags, s0, s1, s2, s3]);
    }

    /// Whether a flag is set.
    #[inline]
    #[must_use]
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Ends the connection for a rule that this frame breaks.
    #[cold]
    fn offence(&self, code: Code, rule: &str) -> Fault {
        Fault::Connection(Violation::new(code, self.describe(rule)))
    }

    /// Ends the frame's stream for a rule that it breaks.
    #[cold]
    fn stream_offence(&self, code: Code, rule: &str) -> Fault {
        Fault::Stream { stream: self.stream, violation: Violation::new(code, self.describe(rule)) }
    }

    fn describe(&self, rule: &str) -> String {
        match self.stream {
            0 => format!("{}: {rule}", kind::name(self.kind)),
            stream => format!("{} on stream {stream}: {rule}", kind::name(self.kind)),
        }
    }

    /// Checks that the frame belongs to a stream.
    #[inline]
    fn on_a_stream(&self) -> Result<(), Fault> {
        match self.stream {
            0 => Err(self.offence(Code::PROTOCOL_ERROR, "it belongs to a stream and names none")),
            _ => Ok(()),
        }
    }

    /// Checks that the frame belongs to the connection.
    fn on_the_connection(&self) -> Result<(), Fault> {
        match self.stream {
            0 => Ok(()),
            _ => Err(self.offence(Code::PROTOCOL_ERROR, "it belongs to the connection and names a stream")),
        }
    }

    /// Takes a payload that has exactly `N` bytes.
    fn exactly<const N: usize>(&self, payload: &[u8]) -> Result<[u8; N], Fault> {
        payload.try_into().map_err(|_| {
            self.offence(Code::FRAME_SIZE_ERROR, &format!("it has {} bytes of payload instead of {N}", payload.len()))
        })
    }

    /// The fault of a frame that ends before all of its fields.
    #[cold]
    fn too_short(&self, field: &str) -> Fault {
        self.offence(Code::FRAME_SIZE_ERROR, &format!("it ends within its {field}"))
    }

    /// The fault of padding that leaves no room for what it pads (sections 6.1 and 6.2).
    #[cold]
    fn too_much_padding(&self, pad: usize) -> Fault {
        let rule = format!("{pad} bytes of padding don't fit into a payload of {}", self.len);
        self.offence(Code::PROTOCOL_ERROR, &rule)
    }
}

/// The big-endian number in the first four bytes.
#[inline]
fn word(bytes: &[u8]) -> u32 {
    u32::from(bytes[0]) << 24 | u32::from(bytes[1]) << 16 | u32::from(bytes[2]) << 8 | u32::from(bytes[3])
}
