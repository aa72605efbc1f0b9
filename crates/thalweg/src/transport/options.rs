//! What HTTP/2 may be told.

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
    /// How much of a stream we buffer for sending before its sender waits.
    pub max_send_buffer: usize,
}

impl Default for Http2Options {
    fn default() -> Self {
        Self {
            stream_window: 1 << 20,
            connection_window: 4 << 20,
            max_frame_size: 1 << 14,
            max_header_list_size: 64 << 10,
            max_send_buffer: 1 << 20,
        }
    }
}
