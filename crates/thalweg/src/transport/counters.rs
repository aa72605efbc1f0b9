//! What connections have done and where they stand, for whoever wants to look (A14's socket data).

pub use thalweg_http2::{
    counters::{Counters, Violations},
    error::Rule,
};

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

/// One open stream at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct StreamStats {
    /// Counts the connections of its channel or server, in the order in which they began.
    pub connection: u64,
    /// Its id on that connection.
    pub id: u32,
    /// Bytes that we may send on it before the peer allows more (RFC 9113 section 6.9; A14's `local_flow_control_window`).
    pub send_window: i64,
    /// Bytes that the peer may send on it before we allow more (A14's `remote_flow_control_window`).
    pub receive_window: i64,
    /// Data of ours wait, for these windows or the connection's, for their turn or for room.
    pub waiting: bool,
}

/// What all connections of a channel or of a server have done together, from the first on. None of it ever decreases.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ConnectionTotals {
    /// What they counted, those that are over included.
    pub counters: Counters,
    /// Connections that became ready for calls: all of them are open now, or among the next five.
    pub opened: u64,
    /// Connections that we closed: nobody needed them any more, they were old enough, or we went away.
    pub closed: u64,
    /// Connections that the peer closed.
    pub closed_by_peer: u64,
    /// Connections whose byte stream broke.
    pub broken: u64,
    /// Connections that we gave up since the peer did not answer a keepalive ping (A8, A9).
    pub silent: u64,
    /// Connections that we ended for what the peer did, with GOAWAY.
    pub condemned: u64,
    /// Byte streams of which no connection came: TLS or HTTP/2 failed, or took too long.
    pub failed_handshakes: u64,
    /// Which rules the peers broke of connections that ended for it, whether they had become ready for calls or not.
    pub violations: Violations,
}
