//! What a connection has done and where it stands, for whoever wants to look (A14's socket data).

pub use thalweg_http2::counters::Counters;

/// One connection at one moment. Whoever asks again sees by the differences what has happened since.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ConnectionStats {
    /// What was counted since the connection was made.
    pub counters: Counters,
    /// Calls in flight: streams that the server has not ended.
    pub calls: usize,
    /// How many of them the peer allows at the same time (MAX_CONCURRENT_STREAMS; A105's `peer_max_concurrent_streams`), as of
    /// now; `u32::MAX` if it does not say. Of no meaning on a server.
    pub max_concurrent_streams: u32,
    /// Bytes that we may send on all streams together before the peer allows more (RFC 9113 section 6.9; A14's
    /// `local_flow_control_window`).
    pub send_window: i64,
    /// Bytes that the peer may send on all streams together before we allow more (A14's `remote_flow_control_window`).
    pub receive_window: i64,
    /// Bytes that have come and that no call has read, beyond 64 KiB for each stream: what
    /// [`max_unread`](super::options::Http2Options::max_unread) limits.
    pub unread: usize,
}
