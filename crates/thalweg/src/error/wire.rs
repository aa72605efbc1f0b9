//! What broke a stream or a connection: who did it, and did the server see the call (A6's transparent retry reads it).

use std::{fmt, io, sync::Arc};

use thiserror::Error;

/// Whose doing it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// We ended it.
    Local,
    /// The peer ended it, in words of the protocol.
    Peer,
    /// The network did: no words were said.
    Network,
}

/// Did the server's application see the call?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Processed {
    /// Certainly not, says the server: may be sent again once at once.
    No,
    /// Nobody knows.
    Maybe,
    /// It did.
    Yes,
}

/// A stream or connection ended before its time.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{kind}")]
pub struct WireError {
    /// Whose doing it was.
    pub who: Who,
    /// Did the server's application see the call?
    pub processed: Processed,
    /// What happened.
    pub kind: WireErrorKind,
}

/// What ended a stream or a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum WireErrorKind {
    /// RST_STREAM with this HTTP/2 error code.
    Reset(u32),
    /// GOAWAY.
    GoAway {
        /// The HTTP/2 error code.
        code: u32,
        /// What the peer said beside it.
        debug: Arc<str>,
    },
    /// The byte stream failed.
    Io(io::ErrorKind, Arc<str>),
    /// The byte stream ended.
    Closed,
    /// The protocol was violated on this stream.
    Protocol(Arc<str>),
    /// The protocol was violated, and the connection ended for it.
    Violation(Arc<str>),
    /// The headers or trailers are larger than we accept.
    HeadersTooLarge {
        /// Bytes, as HTTP/2 counts them.
        size: usize,
        /// Bytes.
        limit: usize,
    },
    /// No answer to a keepalive ping in time (A8).
    KeepaliveTimedOut,
    /// The call's deadline passed.
    DeadlineExceeded,
}

impl fmt::Display for WireErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reset(code) => write!(f, "stream reset with {}", http2_code(*code)),
            Self::GoAway { code, debug } if debug.is_empty() => {
                write!(f, "connection going away with {}", http2_code(*code))
            }
            Self::GoAway { code, debug } => write!(f, "connection going away with {}: {debug}", http2_code(*code)),
            Self::Io(_, text) => f.write_str(text),
            Self::Closed => f.write_str("connection closed by the peer"),
            Self::Protocol(text) | Self::Violation(text) => write!(f, "protocol error: {text}"),
            Self::HeadersTooLarge { size, limit } => {
                write!(f, "metadata of {size} bytes is larger than max_header_list_size ({limit} bytes)")
            }
            Self::KeepaliveTimedOut => f.write_str("keepalive ping not answered in time"),
            Self::DeadlineExceeded => f.write_str("the deadline passed"),
        }
    }
}

/// The name of an HTTP/2 error code (RFC 9113 section 7).
pub(crate) fn http2_code(code: u32) -> &'static str {
    thalweg_http2::error::Code(code).name()
}
