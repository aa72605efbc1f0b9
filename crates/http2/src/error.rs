//! Error codes and what they end (RFC 9113 sections 5.4 and 7).

use std::{borrow::Cow, fmt};

use thiserror::Error;

/// Why a stream or a connection ends (RFC 9113 section 7). Codes that the RFC does not know are kept as they came.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(pub u32);

impl Code {
    /// No error: a graceful end.
    pub const NO_ERROR: Self = Self(0);
    /// The protocol was violated in a way that has no code of its own.
    pub const PROTOCOL_ERROR: Self = Self(1);
    /// Something went wrong inside.
    pub const INTERNAL_ERROR: Self = Self(2);
    /// More was sent than a window allows.
    pub const FLOW_CONTROL_ERROR: Self = Self(3);
    /// SETTINGS were not acknowledged in time.
    pub const SETTINGS_TIMEOUT: Self = Self(4);
    /// A frame for a stream that is closed already.
    pub const STREAM_CLOSED: Self = Self(5);
    /// A frame of a size that it must not have.
    pub const FRAME_SIZE_ERROR: Self = Self(6);
    /// The stream was refused before anything was done for it.
    pub const REFUSED_STREAM: Self = Self(7);
    /// The stream is no longer wanted.
    pub const CANCEL: Self = Self(8);
    /// The HPACK states differ.
    pub const COMPRESSION_ERROR: Self = Self(9);
    /// A CONNECT tunnel broke.
    pub const CONNECT_ERROR: Self = Self(10);
    /// The peer makes too much work.
    pub const ENHANCE_YOUR_CALM: Self = Self(11);
    /// TLS is not good enough.
    pub const INADEQUATE_SECURITY: Self = Self(12);
    /// HTTP/1.1 is wanted.
    pub const HTTP_1_1_REQUIRED: Self = Self(13);

    /// The code's name in the RFC.
    #[must_use]
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 14] = [
            "NO_ERROR",
            "PROTOCOL_ERROR",
            "INTERNAL_ERROR",
            "FLOW_CONTROL_ERROR",
            "SETTINGS_TIMEOUT",
            "STREAM_CLOSED",
            "FRAME_SIZE_ERROR",
            "REFUSED_STREAM",
            "CANCEL",
            "COMPRESSION_ERROR",
            "CONNECT_ERROR",
            "ENHANCE_YOUR_CALM",
            "INADEQUATE_SECURITY",
            "HTTP_1_1_REQUIRED",
        ];
        NAMES.get(self.0 as usize).copied().unwrap_or("an unknown error code")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name(), self.0)
    }
}

/// Which rule a peer broke, as far as somebody may want to count it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Rule {
    /// [`Limits::early_resets`](crate::config::Limits::early_resets).
    EarlyResets,
    /// [`Limits::resets`](crate::config::Limits::resets).
    Resets,
    /// [`Limits::stream_errors`](crate::config::Limits::stream_errors).
    StreamErrors,
    /// [`Limits::continuations`](crate::config::Limits::continuations).
    Continuations,
    /// [`Limits::settings`](crate::config::Limits::settings).
    Settings,
    /// [`Limits::idle_frames`](crate::config::Limits::idle_frames).
    IdleFrames,
    /// [`Limits::tiny_data`](crate::config::Limits::tiny_data).
    TinyData,
    /// [`Limits::window_updates`](crate::config::Limits::window_updates).
    WindowUpdates,
    /// [`Limits::unsent_answers`](crate::config::Limits::unsent_answers).
    UnsentAnswers,
    /// [`Limits::unsent_heads`](crate::config::Limits::unsent_heads).
    UnsentHeads,
    /// [`Config::max_stalled`](crate::config::Config::max_stalled).
    Stalled,
    /// Four times [`Config::max_header_list_size`](crate::config::Config::max_header_list_size).
    HeaderList,
    /// PINGs more often than whoever owns the connection allows (A8).
    Pings,
    /// A handshake that takes longer than whoever owns the connection allows.
    Handshake,
    /// Frames have their sizes: FRAME_SIZE_ERROR.
    FrameSize,
    /// Windows are kept (RFC 9113 section 5.2): FLOW_CONTROL_ERROR.
    FlowControl,
    /// Header blocks can be decoded (RFC 7541): COMPRESSION_ERROR.
    Compression,
    /// Any other of RFC 9113.
    Protocol,
}

impl Rule {
    /// All there are, in the order in which they are declared.
    pub const ALL: [Self; 18] = [
        Self::EarlyResets,
        Self::Resets,
        Self::StreamErrors,
        Self::Continuations,
        Self::Settings,
        Self::IdleFrames,
        Self::TinyData,
        Self::WindowUpdates,
        Self::UnsentAnswers,
        Self::UnsentHeads,
        Self::Stalled,
        Self::HeaderList,
        Self::Pings,
        Self::Handshake,
        Self::FrameSize,
        Self::FlowControl,
        Self::Compression,
        Self::Protocol,
    ];

    /// The rule of the RFC whose violation has this code.
    fn of(code: Code) -> Self {
        match code {
            Code::FRAME_SIZE_ERROR => Self::FrameSize,
            Code::FLOW_CONTROL_ERROR => Self::FlowControl,
            Code::COMPRESSION_ERROR => Self::Compression,
            _ => Self::Protocol,
        }
    }
}

/// What a peer did wrong: the code to answer with, and the words for GOAWAY, logs and errors.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{text}")]
pub struct Violation {
    /// The code that the answer carries.
    pub code: Code,
    /// Which rule was broken.
    pub rule: Rule,
    /// The same in words, and where.
    pub text: Cow<'static, str>,
}

impl Violation {
    /// A violation of the RFC that is answered with `code`.
    #[must_use]
    pub fn new(code: Code, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, rule: Rule::of(code), text: text.into() }
    }

    /// More of something than we put up with: ENHANCE_YOUR_CALM.
    #[must_use]
    pub fn excess(rule: Rule, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Code::ENHANCE_YOUR_CALM, rule, text: text.into() }
    }
}

/// What a violation ends (RFC 9113 section 5.4).
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Fault {
    /// One stream: RST_STREAM.
    #[error("stream {stream}: {violation}")]
    Stream {
        /// The stream.
        stream: u32,
        /// What was wrong.
        violation: Violation,
    },
    /// The connection: GOAWAY, then the end.
    #[error("{0}")]
    Connection(Violation),
}

impl From<Violation> for Fault {
    fn from(violation: Violation) -> Self {
        Self::Connection(violation)
    }
}
