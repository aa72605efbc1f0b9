//! What a peer receives, frame by frame.

use std::fmt;

use bytes::Bytes;

use crate::wire::{
    frame::{ACK, END_STREAM, Frame, Kind},
    hpack::Headers,
};

/// A header block: a request's or response's head, or trailers.
#[derive(Clone, PartialEq, Eq)]
pub struct Head {
    /// Its stream.
    pub stream: u32,
    /// Its fields.
    pub headers: Headers,
    /// Does it end the stream?
    pub end: bool,
}

impl Head {
    pub(super) fn new(frame: &Frame, headers: Headers) -> Self {
        Self { stream: frame.stream, headers, end: frame.has(END_STREAM) }
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "on stream {}", self.stream)?;
        for (name, value) in &self.headers.0 {
            write!(f, " {}={}", name.escape_ascii(), value.escape_ascii())?;
        }
        if self.end { f.write_str(" END_STREAM") } else { Ok(()) }
    }
}

/// A piece of a stream's bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Data {
    /// Its stream.
    pub stream: u32,
    /// The bytes.
    pub bytes: Bytes,
    /// Does it end the stream?
    pub end: bool,
    /// What it costs of the windows: the bytes and their padding.
    pub(super) cost: u32,
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "on stream {} {} bytes", self.stream, self.bytes.len())?;
        if self.end { f.write_str(" END_STREAM") } else { Ok(()) }
    }
}

/// The end of a connection, announced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GoAway {
    /// The last stream that the other end has looked at.
    pub last_stream: u32,
    /// The HTTP/2 error code.
    pub code: u32,
    /// What it says besides.
    pub debug: Bytes,
}

/// What a peer receives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Event {
    Headers(Head),
    Data(Data),
    Reset {
        stream: u32,
        code: u32,
    },
    Settings(Vec<(u16, u32)>),
    SettingsAck,
    Ping([u8; 8]),
    Pong([u8; 8]),
    GoAway(GoAway),
    WindowUpdate {
        stream: u32,
        increment: u32,
    },
    /// Anything else, and what is malformed.
    Other(Frame),
    /// The connection ended, by this error or in order.
    Closed(String),
}

impl Event {
    /// The event that a frame is, but for HEADERS, which are not one frame.
    pub(super) fn of(frame: Frame) -> Self {
        Self::understood(&frame).unwrap_or(Self::Other(frame))
    }

    fn understood(frame: &Frame) -> Option<Self> {
        let stream = frame.stream;
        Some(match frame.kind {
            Kind::Data => Self::Data(Data {
                stream,
                bytes: frame.content()?,
                end: frame.has(END_STREAM),
                cost: frame.payload.len() as u32,
            }),
            Kind::RstStream => Self::Reset { stream, code: frame.number_at(0)? },
            Kind::Settings if frame.has(ACK) => Self::SettingsAck,
            Kind::Settings => Self::Settings(frame.setting_values()),
            Kind::Ping => {
                let data = frame.payload[..].try_into().ok()?;
                if frame.has(ACK) { Self::Pong(data) } else { Self::Ping(data) }
            }
            Kind::GoAway => Self::GoAway(GoAway {
                last_stream: frame.number_at(0)?,
                code: frame.number_at(4)?,
                debug: frame.payload.slice(8..),
            }),
            Kind::WindowUpdate => Self::WindowUpdate { stream, increment: frame.number_at(0)? },
            Kind::Headers | Kind::Priority | Kind::PushPromise | Kind::Continuation | Kind::Unknown(_) => return None,
        })
    }

    /// The stream whose turn this is: what a script must not overlook when it waits for something on that stream.
    pub(super) fn stream(&self) -> Option<u32> {
        match self {
            Self::Headers(head) => Some(head.stream),
            Self::Data(data) => Some(data.stream),
            Self::Reset { stream, .. } => Some(*stream),
            _ => None,
        }
    }
}
