//! What a connection has done so far, for channelz (A14) and for tests of batching.

/// Counts over the life of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Streams opened, by either side.
    pub streams_started: u64,
    /// Streams that ended with END_STREAM from the side that answers.
    pub streams_succeeded: u64,
    /// Streams that ended in any other way.
    pub streams_failed: u64,
    /// gRPC messages sent.
    pub messages_sent: u64,
    /// gRPC messages received.
    pub messages_received: u64,
    /// PINGs sent to see whether the peer is alive.
    pub keepalives_sent: u64,
    /// Frames sent.
    pub frames_sent: u64,
    /// Frames received.
    pub frames_received: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Writes to the byte stream.
    pub writes: u64,
    /// Reads from the byte stream that brought bytes.
    pub reads: u64,
    /// Streams that the peer reset.
    pub resets_received: u64,
    /// Streams that we reset.
    pub resets_sent: u64,
    /// Violations of the peer's that ended a stream.
    pub stream_errors: u64,
}
