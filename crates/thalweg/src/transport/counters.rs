//! What a connection has done and where it stands, for whoever wants to look (A14's socket data).

pub use thalweg_http2::counters::Counters;

/// One connection at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ConnectionStats {
    /// What was counted since the connection was made.
    pub counters: Counters,
    /// Calls in flight.
    pub calls: usize,
    /// Bytes that we may send on all streams together before the peer allows more.
    pub send_window: i64,
    /// Bytes that the peer may send on all streams together before we allow more.
    pub receive_window: i64,
    /// Bytes that have come and that no call has read, beyond 64 KiB for each stream.
    pub unread: usize,
}
