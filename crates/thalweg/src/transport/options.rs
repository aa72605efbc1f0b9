//! What HTTP/2 may be told.

use thiserror::Error;

/// HTTP/2's windows, sizes and buffers, for a client's or a server's connections. All sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http2Options {
    /// How much of one stream the peer may send before we have consumed it (65,535 to 2^31-1).
    pub stream_window: u32,
    /// How much of all streams together the peer may send before we have consumed it (65,535 to 2^31-1).
    pub connection_window: u32,
    /// The largest frame we accept (16,384 to 16,777,215).
    pub max_frame_size: u32,
    /// The largest header list we accept: names and values and 32 for each field.
    pub max_header_list_size: u32,
    /// What may gather in a connection's write buffer before the senders of messages wait.
    pub max_write_buffer: usize,
    /// What streams that are not read may hold, beyond 64 KiB each, before they hold up the others of their connection.
    ///
    /// A connection's window is returned as bytes come in, not as they are read, so that a slow reader is its own stream's
    /// affair. Only when this much is unread does the window have to wait for readers: it bounds a connection's memory.
    pub max_unread: usize,
    /// Lets windows grow with what the network can have under way (bandwidth times delay, measured by PINGs), up to this
    /// size; `None`: windows stay as they are.
    pub adaptive_window: Option<u32>,
    /// Calls at work on a connection from which on it lets those that are ready append to the write buffer before it writes,
    /// so that they share a system call (16). It saves CPU on a multi-threaded runtime and costs latency where there are few
    /// calls; `usize::MAX` has it always write at once.
    pub gather_from: usize,
    /// After how many calls a client replaces a connection by a new one (1 to 2^30-2^19, for that is what stream ids last
    /// for). Calls in flight go on. Servers don't look at it.
    pub max_calls: u32,
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
            adaptive_window: None,
            gather_from: 16,
            max_calls: MOST_CALLS,
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
        let ranges = [
            ("stream_window", u64::from(self.stream_window), WINDOW),
            ("connection_window", u64::from(self.connection_window), WINDOW),
            ("max_frame_size", u64::from(self.max_frame_size), (1 << 14, (1 << 24) - 1)),
            ("max_header_list_size", u64::from(self.max_header_list_size), (1 << 10, u64::from(u32::MAX))),
            ("max_write_buffer", self.max_write_buffer as u64, (1 << 14, u64::from(u32::MAX))),
            ("max_unread", self.max_unread as u64, (0, u64::MAX)),
            ("adaptive_window", u64::from(self.adaptive_window.unwrap_or(65_535)), WINDOW),
            ("max_calls", u64::from(self.max_calls), (1, u64::from(MOST_CALLS))),
        ];
        let out = ranges.into_iter().find(|(_, value, (min, max))| value < min || value > max);
        out.map_or(Ok(()), |(option, value, (min, max))| Err(OptionError { option, value, min, max }))
    }
}
