//! What a connection has done so far, for channelz (A14) and for tests of batching.

use std::fmt;

use crate::error::Rule;

/// Counts over the life of a connection, from 0 on. The first six are those of A14's `SocketData`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Streams opened, by either side.
    pub streams_started: u64,
    /// Streams that ended with END_STREAM from the side that answers, whatever status that told.
    pub streams_succeeded: u64,
    /// Streams that ended in any other way: reset by either side, or with the connection.
    pub streams_failed: u64,
    /// gRPC messages handed over for sending, of whatever size and in however many frames.
    pub messages_sent: u64,
    /// gRPC messages received whole.
    pub messages_received: u64,
    /// PINGs sent to see whether the peer is alive.
    pub keepalives_sent: u64,
    /// Frames sent.
    pub frames_sent: u64,
    /// Frames received.
    pub frames_received: u64,
    /// Bytes handed to the socket, or to TLS: all of HTTP/2.
    pub bytes_sent: u64,
    /// Bytes received, likewise.
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

impl Counters {
    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.streams_started += other.streams_started;
        self.streams_succeeded += other.streams_succeeded;
        self.streams_failed += other.streams_failed;
        self.messages_sent += other.messages_sent;
        self.messages_received += other.messages_received;
        self.keepalives_sent += other.keepalives_sent;
        self.frames_sent += other.frames_sent;
        self.frames_received += other.frames_received;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.writes += other.writes;
        self.reads += other.reads;
        self.resets_received += other.resets_received;
        self.resets_sent += other.resets_sent;
        self.stream_errors += other.stream_errors;
    }
}

/// How many connections have ended for what their peers did, by the [rule](Rule) that was broken.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Violations([u64; Rule::ALL.len()]);

impl Violations {
    /// One more.
    pub fn add(&mut self, rule: Rule) {
        self.0[rule as usize] += 1;
    }

    /// How many broke this rule.
    #[must_use]
    pub fn of(&self, rule: Rule) -> u64 {
        self.0[rule as usize]
    }

    /// The rules that were broken, with how often.
    pub fn iter(&self) -> impl Iterator<Item = (Rule, u64)> {
        Rule::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}

impl fmt::Debug for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
