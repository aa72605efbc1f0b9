//! What HTTP/2 may be told (RFC 9113 sections 5.2 and 6.5.2).

use thiserror::Error;

pub use thalweg_http2::config::{Limits, TINY};

/// HTTP/2's windows, sizes and buffers, for a client's or a server's connections. All sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http2Options {
    /// How much of one stream the peer may send before its call has read it (512 KiB; 65,535 to 2^31-1):
    /// SETTINGS_INITIAL_WINDOW_SIZE.
    pub stream_window: u32,
    /// How much of all streams together the peer may have under way (1 MiB; 65,535 to 2^31-1).
    pub connection_window: u32,
    /// The largest frame we accept (16 KiB; 2^14 to 2^24-1): SETTINGS_MAX_FRAME_SIZE.
    pub max_frame_size: u32,
    /// The largest header list we accept (64 KiB; 1 KiB to 2^32-1): names and values and 32 for each field,
    /// SETTINGS_MAX_HEADER_LIST_SIZE. A call with more ends with RESOURCE_EXHAUSTED, four times as much ends its connection.
    pub max_header_list_size: u32,
    /// What may gather in a connection's write buffer before the senders of messages wait (128 KiB; 2^14 to 2^32-1).
    pub max_write_buffer: usize,
    /// What streams that are not read may hold, beyond 64 KiB each, before they hold up the others of their connection
    /// (32 MiB).
    ///
    /// A connection's window is returned as bytes come in, not as they are read, so that a slow reader is its own stream's
    /// affair. Only when this much is unread does the window have to wait for readers: it bounds a connection's memory.
    pub max_unread: usize,
    /// What a server's answers on one connection may hold while they wait for windows that the client keeps shut (1 GiB).
    /// More ends the connection. A client's requests wait as long as they have to.
    pub max_stalled: usize,
    /// Lets windows grow with what the network can have under way (bandwidth times delay, measured by PINGs), up to this
    /// size (65,535 to 2^31-1); `None`, the default: windows stay as they are.
    pub adaptive_window: Option<u32>,
    /// Calls at work on a connection from which on it lets those that are ready append to the write buffer before it writes,
    /// so that they share a system call (16). It saves CPU on a multi-threaded runtime and costs latency where there are few
    /// calls; `usize::MAX` has it always write at once.
    pub gather_from: usize,
    /// After how many calls a client replaces a connection by a new one (2^30-2^19, for that is what stream ids last for;
    /// at least 1). Calls in flight go on. Servers don't look at it.
    pub max_calls: u32,
    /// How much useless work the peer may make before its connection ends with ENHANCE_YOUR_CALM. Each limit is for one
    /// connection, counts frames or streams unless it says bytes, and must be at least 1.
    pub limits: Limits,
}

/// Calls after which a connection is replaced at the latest: the last ids are for calls that know of nothing better.
const MOST_CALLS: u32 = (1 << 30) - (1 << 19);

impl Default for Http2Options {
    /// Windows of 512 KiB a stream and 1 MiB a connection: what is under way still fits the processor's caches.
    fn default() -> Self {
        Self {
            stream_window: 512 << 10,
            connection_window: 1 << 20,
            max_frame_size: 1 << 14,
            max_header_list_size: 64 << 10,
            max_write_buffer: 128 << 10,
            max_unread: 32 << 20,
            max_stalled: 1 << 30,
            adaptive_window: None,
            gather_from: 16,
            max_calls: MOST_CALLS,
            limits: Limits::default(),
        }
    }
}

/// Which HTTP/2 option is out of its range.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("http2: {option} is {value}, and must be from {min} to {max}")]
pub struct OptionError {
    /// The option.
    pub option: &'static str,
    /// Its value.
    pub value: u64,
    /// The least it may be.
    pub min: u64,
    /// The most it may be.
    pub max: u64,
}

impl Http2Options {
    /// Is every option in its range?
    ///
    /// # Errors
    ///
    /// The first that is not.
    pub fn validate(&self) -> Result<(), OptionError> {
        const WINDOW: (u64, u64) = (65_535, (1 << 31) - 1);
        const FRAMES: (u64, u64) = (1, u32::MAX as u64);
        const BYTES: (u64, u64) = (1, u64::MAX);
        let limits = &self.limits;
        let ranges = [
            ("stream_window", u64::from(self.stream_window), WINDOW),
            ("connection_window", u64::from(self.connection_window), WINDOW),
            ("max_frame_size", u64::from(self.max_frame_size), (1 << 14, (1 << 24) - 1)),
            ("max_header_list_size", u64::from(self.max_header_list_size), (1 << 10, u64::from(u32::MAX))),
            ("max_write_buffer", self.max_write_buffer as u64, (1 << 14, u64::from(u32::MAX))),
            ("max_unread", self.max_unread as u64, (0, u64::MAX)),
            ("max_stalled", self.max_stalled as u64, (1 << 16, u64::MAX)),
            ("adaptive_window", u64::from(self.adaptive_window.unwrap_or(65_535)), WINDOW),
            ("max_calls", u64::from(self.max_calls), (1, u64::from(MOST_CALLS))),
            ("limits.early_resets", u64::from(limits.early_resets), FRAMES),
            ("limits.resets", u64::from(limits.resets), FRAMES),
            ("limits.stream_errors", u64::from(limits.stream_errors), FRAMES),
            ("limits.continuations", u64::from(limits.continuations), FRAMES),
            ("limits.settings", u64::from(limits.settings), FRAMES),
            ("limits.idle_frames", u64::from(limits.idle_frames), FRAMES),
            ("limits.tiny_data", u64::from(limits.tiny_data), FRAMES),
            ("limits.window_updates", u64::from(limits.window_updates), FRAMES),
            ("limits.unsent_answers", limits.unsent_answers as u64, BYTES),
            ("limits.unsent_heads", limits.unsent_heads as u64, BYTES),
        ];
        let out = ranges.into_iter().find(|(_, value, (min, max))| value < min || value > max);
        out.map_or(Ok(()), |(option, value, (min, max))| Err(OptionError { option, value, min, max }))
    }
}
