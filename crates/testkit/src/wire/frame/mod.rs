//! Frames: nine bytes and a payload.

#[cfg(test)]
mod tests;

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The flag of DATA and HEADERS that ends the stream.
pub const END_STREAM: u8 = 0x1;
/// The flag of SETTINGS and PING that makes them answers.
pub const ACK: u8 = 0x1;
/// The flag of HEADERS and CONTINUATION that ends the header block.
pub const END_HEADERS: u8 = 0x4;
/// The flag of DATA and HEADERS that says their payload is padded.
pub const PADDED: u8 = 0x8;
/// The flag of HEADERS that says a priority precedes the header block.
pub const PRIORITY: u8 = 0x20;

/// What a client sends before its first frame.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const HEAD: usize = 9;

/// The types of frame, by their numbers on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Kind {
    Data,
    Headers,
    Priority,
    RstStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
    Unknown(u8),
}

const KINDS: [Kind; 10] = [
    Kind::Data,
    Kind::Headers,
    Kind::Priority,
    Kind::RstStream,
    Kind::Settings,
    Kind::PushPromise,
    Kind::Ping,
    Kind::GoAway,
    Kind::WindowUpdate,
    Kind::Continuation,
];

impl Kind {
    /// The type with this number.
    #[must_use]
    pub fn of(number: u8) -> Self {
        KINDS.get(usize::from(number)).copied().unwrap_or(Self::Unknown(number))
    }

    /// The type's number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Unknown(number) => number,
            known => KINDS.iter().position(|&kind| kind == known).map_or(u8::MAX, |number| number as u8),
        }
    }
}

/// One frame, as it is on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Its type.
    pub kind: Kind,
    /// Its flags.
    pub flags: u8,
    /// The stream it belongs to; 0 for the connection.
    pub stream: u32,
    /// Everything after the first nine bytes, padding included.
    pub payload: Bytes,
}

impl Frame {
    /// A frame of these parts.
    #[must_use]
    pub fn new(kind: Kind, flags: u8, stream: u32, payload: impl Into<Bytes>) -> Self {
        Self { kind, flags, stream, payload: payload.into() }
    }

    /// SETTINGS with these identifiers and values.
    #[must_use]
    pub fn settings(values: &[(u16, u32)]) -> Self {
        let mut payload = BytesMut::new();
        for &(id, value) in values {
            payload.put_u16(id);
            payload.put_u32(value);
        }
        Self::new(Kind::Settings, 0, 0, payload)
    }

    /// A frame whose payload is one number: RST_STREAM, WINDOW_UPDATE.
    #[must_use]
    pub fn number(kind: Kind, stream: u32, number: u32) -> Self {
        Self::new(kind, 0, stream, number.to_be_bytes().to_vec())
    }

    /// GOAWAY.
    #[must_use]
    pub fn go_away(last_stream: u32, code: u32, debug: &[u8]) -> Self {
        let payload = [&last_stream.to_be_bytes()[..], &code.to_be_bytes(), debug].concat();
        Self::new(Kind::GoAway, 0, 0, payload)
    }

    /// Is this flag set?
    #[must_use]
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload of DATA or HEADERS without padding and priority; `None` if they don't fit.
    #[must_use]
    pub fn content(&self) -> Option<Bytes> {
        let mut content = self.payload.clone();
        let mut padding = 0;
        if self.has(PADDED) {
            padding = usize::from(content.try_get_u8().ok()?);
        }
        if self.kind == Kind::Headers && self.has(PRIORITY) {
            content = content.get(5..).map(|rest| content.slice_ref(rest))?;
        }
        let end = content.len().checked_sub(padding)?;
        Some(content.slice(..end))
    }

    /// Four bytes of the payload as a number, from this offset on; the reserved bit is kept.
    #[must_use]
    pub fn number_at(&self, offset: usize) -> Option<u32> {
        let bytes = self.payload.get(offset..offset + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    }

    /// The identifiers and values of SETTINGS.
    #[must_use]
    pub fn setting_values(&self) -> Vec<(u16, u32)> {
        let pair = |six: &[u8]| {
            let (mut id, mut value) = six.split_at(2);
            (id.get_u16(), value.get_u32())
        };
        self.payload.chunks_exact(6).map(pair).collect()
    }

    /// Writes it.
    pub fn encode(&self, to: &mut BytesMut) {
        to.put_uint(self.payload.len() as u64, 3);
        to.put_u8(self.kind.number());
        to.put_u8(self.flags);
        to.put_u32(self.stream);
        to.put_slice(&self.payload);
    }

    /// Takes the first frame off `from` once all of it is there.
    #[must_use]
    pub fn decode(from: &mut BytesMut) -> Option<Self> {
        let mut head = from.get(..HEAD)?;
        let length = head.get_uint(3) as usize;
        let (kind, flags, stream) = (Kind::of(head.get_u8()), head.get_u8(), head.get_u32() & (u32::MAX >> 1));
        if from.len() < HEAD + length {
            return None;
        }
        let mut frame = from.split_to(HEAD + length);
        frame.advance(HEAD);
        Some(Self { kind, flags, stream, payload: frame.freeze() })
    }
}
